//! Columns of columns on their way to a body.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use kernels::arrays;

use super::write::Body;
#[cfg(not(feature = "unions"))]
use crate::Error;
use crate::Result;

impl Body {
    /// Adds what a nested column has behind its node and its validity.
    pub(super) fn nested(&mut self, array: &dyn Array) -> Result<()> {
        if let Some((offsets, values)) = arrays::list_parts(array) {
            self.buffers.extend(offsets);
            return self.push(values.as_ref());
        }
        match array.data_type() {
            DataType::Struct(_) => array.as_struct().columns().iter().try_for_each(|column| self.push(column.as_ref())),
            #[cfg(feature = "unions")]
            _ => self.unions(array),
            #[cfg(not(feature = "unions"))]
            other => Err(Box::new(Error::Encode(["a column of type ", &other.to_string()].concat()))),
        }
    }
}
