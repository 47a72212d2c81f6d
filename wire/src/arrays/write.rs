//! From arrays to the nodes and buffers of a body.
//!
//! The same walk as the reader's. Buffers are handed out as they lie in memory; only what a slice makes necessary is
//! copied: bits that do not begin at a byte, and offsets that do not begin at zero.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::{BooleanBuffer, Buffer};
use arrow_schema::DataType;
use kernels::arrays;

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
        if let Some(values) = arrays::fixed_values(array) {
            self.buffers.push(values);
            return Ok(());
        }
        if let Some(text) = arrays::text(array) {
            self.buffers.extend(text.parts());
            return Ok(());
        }
        match data_type {
            DataType::Boolean => self.bits(array.as_boolean().values()),
            DataType::Utf8View | DataType::BinaryView => self.views(array)?,
            DataType::FixedSizeBinary(_) => self.buffers.push(array.as_fixed_size_binary().values().clone()),
            DataType::Dictionary(..) => {
                let keys = array.as_any_dictionary().keys();
                let values = arrays::fixed_values(keys);
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

    /// Views with their buffers; text that no row shows is left behind when it is most of it.
    fn views(&mut self, array: &dyn Array) -> Result<()> {
        let Some((views, buffers)) = arrays::views(array) else { return Ok(()) };
        let held: usize = buffers.iter().map(Buffer::len).sum();
        let lengths = views.typed_data::<u128>().iter().map(|&view| view as u32 as usize);
        let shown: usize = lengths.filter(|&length| length > 12).sum();
        if held > 2 * shown + 4096 {
            let compact = arrays::compact_views(array).map_err(|error| Error::encode(&error))?;
            self.put_views(compact.as_ref());
        } else {
            self.put_views(array);
        }
        Ok(())
    }

    fn put_views(&mut self, array: &dyn Array) {
        let Some((views, buffers)) = arrays::views(array) else { return };
        self.buffers.push(views);
        self.buffers.extend_from_slice(buffers);
        self.variadic.push(buffers.len() as i64);
    }
}
