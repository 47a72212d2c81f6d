//! From arrays to the nodes and buffers of a body.
//!
//! The same walk as the reader's. Buffers are handed out as they lie in memory; only what a slice makes necessary is
//! copied: bits that do not begin at a byte, and offsets that do not begin at zero.

use arrow_array::cast::AsArray;
use arrow_array::types::ByteViewType;
use arrow_array::{Array, GenericByteViewArray, OffsetSizeTrait};
use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer};
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
            #[cfg(feature = "unions")]
            DataType::Union(..) | DataType::RunEndEncoded(..) => return self.unions(array),
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
                self.buffers
                    .push(values.ok_or_else(|| Box::new(Error::Encode("a dictionary's keys are no integers".into())))?);
            }
            #[cfg(feature = "nested")]
            _ if data_type.is_nested() => return self.nested(array),
            _ => return Err(Box::new(Error::Encode(["a column of type ", &data_type.to_string()].concat()))),
        }
        Ok(())
    }

    pub(super) fn node(&mut self, rows: usize, nulls: usize) {
        self.nodes.extend([rows as i64, nulls as i64]);
    }

    fn bits(&mut self, bits: &BooleanBuffer) {
        self.buffers.push(bits.sliced().slice_with_length(0, bits.len().div_ceil(8)));
    }

    /// Offsets that begin at zero; the first and the last that they had.
    pub(super) fn offsets<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>) -> (usize, usize) {
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
}
