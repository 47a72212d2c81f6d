//! From arrays to the nodes and buffers of a body.
//!
//! The same walk as the reader's. Buffers are handed out as they lie in memory; only what a slice makes necessary is
//! copied: bits that do not begin at a byte, and offsets that do not begin at zero.

use arrow_array::cast::AsArray;
use arrow_array::types::{ByteViewType, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, GenericByteViewArray, OffsetSizeTrait, PrimitiveArray, RunArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::{Error, Result};

/// The body of a batch in the making.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Length and number of nulls of each node, one behind the other.
    pub(crate) nodes: Vec<i64>,
    /// The buffers in their order.
    pub(crate) buffers: Vec<Buffer>,
    /// The number of buffers of each view column.
    pub(crate) variadic: Vec<i64>,
}

impl Body {
    /// Adds a column.
    pub(crate) fn push(&mut self, array: &dyn Array) -> Result<()> {
        let data_type = array.data_type();
        match data_type {
            DataType::Null => {
                self.node(array.len(), array.len());
                return Ok(());
            }
            DataType::Union(..) => return self.union(array),
            DataType::RunEndEncoded(ends, _) => {
                return match ends.data_type() {
                    DataType::Int16 => self.runs(array.as_run::<Int16Type>()),
                    DataType::Int32 => self.runs(array.as_run::<Int32Type>()),
                    _ => self.runs(array.as_run::<Int64Type>()),
                };
            }
            _ => {}
        }
        self.node(array.len(), array.null_count());
        match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            Some(nulls) => self.bits(nulls.inner()),
            None => self.buffers.push(Buffer::default()),
        }
        if let Some(values) = kernels::arrays::fixed_values(array) {
            self.buffers.push(values);
            return Ok(());
        }
        match data_type {
            DataType::Boolean => self.bits(array.as_boolean().values()),
            DataType::Utf8 => {
                let array = array.as_string::<i32>();
                self.bytes(array.offsets(), array.values());
            }
            DataType::LargeUtf8 => {
                let array = array.as_string::<i64>();
                self.bytes(array.offsets(), array.values());
            }
            DataType::Binary => {
                let array = array.as_binary::<i32>();
                self.bytes(array.offsets(), array.values());
            }
            DataType::LargeBinary => {
                let array = array.as_binary::<i64>();
                self.bytes(array.offsets(), array.values());
            }
            DataType::Utf8View => self.views(array.as_string_view()),
            DataType::BinaryView => self.views(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => {
                let array = array.as_fixed_size_binary();
                self.buffers.push(array.values().clone());
            }
            DataType::Dictionary(..) => {
                let keys = array.as_any_dictionary().keys();
                let values = kernels::arrays::fixed_values(keys);
                self.buffers.push(values.ok_or_else(|| Error::Encode("a dictionary's keys are no integers".into()))?);
            }
            DataType::List(_) => self.list(array.as_list::<i32>().offsets(), array.as_list::<i32>().values())?,
            DataType::LargeList(_) => self.list(array.as_list::<i64>().offsets(), array.as_list::<i64>().values())?,
            DataType::Map(..) => {
                let array = array.as_map();
                let (first, last) = self.offsets(array.offsets());
                self.push(&array.entries().slice(first, last - first))?;
            }
            DataType::ListView(_) => {
                let array = array.as_list_view::<i32>();
                self.buffers.extend([array.offsets().inner().clone(), array.sizes().inner().clone()]);
                self.push(array.values().as_ref())?;
            }
            DataType::LargeListView(_) => {
                let array = array.as_list_view::<i64>();
                self.buffers.extend([array.offsets().inner().clone(), array.sizes().inner().clone()]);
                self.push(array.values().as_ref())?;
            }
            DataType::FixedSizeList(_, size) => {
                let array = array.as_fixed_size_list();
                let values = array.len() * usize::try_from(*size).unwrap_or(0);
                self.push(array.values().slice(0, values).as_ref())?;
            }
            DataType::Struct(_) => {
                for column in array.as_struct().columns() {
                    self.push(column.as_ref())?;
                }
            }
            _ => return Err(Error::Encode(["a column of type ", &data_type.to_string()].concat())),
        }
        Ok(())
    }

    fn node(&mut self, rows: usize, nulls: usize) {
        self.nodes.extend([rows as i64, nulls as i64]);
    }

    fn bits(&mut self, bits: &BooleanBuffer) {
        self.buffers.push(bits.sliced().slice_with_length(0, bits.len().div_ceil(8)));
    }

    /// Offsets that begin at zero; the first and the last that they had.
    fn offsets<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>) -> (usize, usize) {
        let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
        if first == O::default() {
            self.buffers.push(offsets.inner().inner().clone());
        } else {
            let moved: Vec<O> = offsets.iter().map(|&offset| offset - first).collect();
            self.buffers.push(Buffer::from_vec(moved));
        }
        (first.as_usize(), last.as_usize())
    }

    fn bytes<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>, values: &Buffer) {
        let (first, last) = self.offsets(offsets);
        self.buffers.push(values.slice_with_length(first, last - first));
    }

    fn list<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>, values: &dyn Array) -> Result<()> {
        let (first, last) = self.offsets(offsets);
        self.push(values.slice(first, last - first).as_ref())
    }

    /// Views with their buffers; text that no row shows is left behind when it is most of it.
    fn views<T: ByteViewType + ?Sized>(&mut self, array: &GenericByteViewArray<T>) {
        let held: usize = array.data_buffers().iter().map(Buffer::len).sum();
        let shown: usize = array.lengths().filter(|&length| length > 12).map(|length| length as usize).sum();
        let compact = (held > 2 * shown + 4096).then(|| array.gc());
        let array = compact.as_ref().unwrap_or(array);
        self.buffers.push(array.views().inner().clone());
        self.buffers.extend(array.data_buffers().iter().cloned());
        self.variadic.push(array.data_buffers().len() as i64);
    }

    fn union(&mut self, array: &dyn Array) -> Result<()> {
        let array = array.as_union();
        self.node(array.len(), 0);
        self.buffers.push(array.type_ids().inner().clone());
        self.buffers.extend(array.offsets().map(|offsets| offsets.inner().clone()));
        let DataType::Union(fields, _) = array.data_type() else { return Ok(()) };
        fields.iter().try_for_each(|(id, _)| self.push(array.child(id).as_ref()))
    }

    /// Of a slice, the runs that it touches.
    fn runs<R: RunEndIndexType>(&mut self, array: &RunArray<R>) -> Result<()> {
        self.node(array.len(), 0);
        let ends = array.run_ends();
        let (first, count) = match array.len() {
            0 => (0, 0),
            _ => (ends.get_start_physical_index(), ends.get_end_physical_index() + 1 - ends.get_start_physical_index()),
        };
        let all = ends.inner();
        let end = |index: usize| all[first + index].as_usize().saturating_sub(ends.offset()).min(array.len());
        let moved: Vec<R::Native> = (0..count).map(|index| R::Native::usize_as(end(index))).collect();
        self.push(&PrimitiveArray::<R>::new(ScalarBuffer::from(moved), None))?;
        self.push(array.values().slice(first, count).as_ref())
    }
}
