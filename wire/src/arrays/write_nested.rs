//! Columns of columns on their way to a body.

use arrow_array::cast::AsArray;
use arrow_array::{Array, OffsetSizeTrait};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;

use super::write::Body;
#[cfg(not(feature = "unions"))]
use crate::Error;
use crate::Result;

impl Body {
    /// Adds what a nested column has behind its node and its validity.
    pub(super) fn nested(&mut self, array: &dyn Array) -> Result<()> {
        match array.data_type() {
            DataType::List(_) => self.list(array.as_list::<i32>().offsets(), array.as_list::<i32>().values()),
            DataType::LargeList(_) => self.list(array.as_list::<i64>().offsets(), array.as_list::<i64>().values()),
            DataType::Map(..) => {
                let array = array.as_map();
                let (first, last) = self.offsets(array.offsets());
                self.push(&array.entries().slice(first, last - first))
            }
            DataType::FixedSizeList(_, size) => {
                let array = array.as_fixed_size_list();
                let values = array.len() * usize::try_from(*size).unwrap_or(0);
                self.push(array.values().slice(0, values).as_ref())
            }
            DataType::Struct(_) => array.as_struct().columns().iter().try_for_each(|column| self.push(column.as_ref())),
            #[cfg(feature = "unions")]
            _ => self.unions(array),
            #[cfg(not(feature = "unions"))]
            other => Err(Box::new(Error::Encode(["a column of type ", &other.to_string()].concat()))),
        }
    }

    fn list<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>, values: &dyn Array) -> Result<()> {
        let (first, last) = self.offsets(offsets);
        self.push(values.slice(first, last - first).as_ref())
    }
}
