//! Columns of columns: lists, structs and maps.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::{DataType, Field};
use kernels::arrays;

use super::ArrayReader;
#[cfg(not(feature = "unions"))]
use super::read::unsupported_type;
use crate::Result;
use crate::schema::Ids;

/// The numbers of a child; a schema that was read has them for every child.
pub(super) fn below(ids: &Ids, child: usize) -> &Ids {
    static NONE: Ids = Ids { dictionary: None, children: Vec::new() };
    ids.children.get(child).unwrap_or(&NONE)
}

impl ArrayReader<'_> {
    /// A column with a validity and children.
    pub(super) fn nested(
        &mut self,
        field: &Field,
        data_type: &DataType,
        ids: &Ids,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        match data_type {
            DataType::List(child)
            | DataType::LargeList(child)
            | DataType::FixedSizeList(child, _)
            | DataType::Map(child, _) => {
                let offsets = match data_type {
                    DataType::FixedSizeList(..) => Buffer::default(),
                    _ => self.buffer(field)?,
                };
                let values = self.array(child, child.data_type(), below(ids, 0))?;
                self.made(field, arrays::list_array(data_type, rows, &offsets, values, nulls, self.trust))
            }
            DataType::Struct(fields) => {
                let mut children = Vec::with_capacity(fields.len());
                for (position, child) in fields.iter().enumerate() {
                    let array = self.array(child, child.data_type(), below(ids, position))?;
                    self.check_rows(child, rows as i64, array.len() as i64)?;
                    children.push(array);
                }
                self.made(field, arrays::struct_array(fields, children, rows, nulls))
            }
            #[cfg(feature = "unions")]
            _ => self.list_views(field, data_type, ids, rows, nulls),
            #[cfg(not(feature = "unions"))]
            _ => Err(unsupported_type(field, data_type)),
        }
    }
}
