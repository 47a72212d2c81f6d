//! Columns of columns: lists, structs and maps.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use kernels::arrays;

use super::ArrayReader;
use super::read::unsupported_type;
use crate::schema::Ids;
use crate::{Error, Result};

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
            DataType::List(child) => self.list::<i32>(field, child, ids, rows, nulls),
            DataType::LargeList(child) => self.list::<i64>(field, child, ids, rows, nulls),
            DataType::FixedSizeList(child, size) => {
                let values = self.array(child, child.data_type(), below(ids, 0))?;
                let array = FixedSizeListArray::try_new_with_length(child.clone(), *size, values, nulls, rows);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::Map(entries, ordered) => {
                let (offsets, values) = self.offsets_and_values::<i32>(field, entries, ids, rows)?;
                let Some(values) = values.as_any().downcast_ref::<StructArray>() else {
                    return Err(unsupported_type(field, data_type));
                };
                let array = MapArray::try_new(entries.clone(), offsets, values.clone(), nulls, *ordered);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::Struct(fields) => {
                let mut children = Vec::with_capacity(fields.len());
                for (position, child) in fields.iter().enumerate() {
                    let array = self.array(child, child.data_type(), below(ids, position))?;
                    self.check_rows(child, rows as i64, array.len() as i64)?;
                    children.push(array);
                }
                let array = StructArray::try_new_with_length(fields.clone(), children, nulls, rows);
                Ok(Arc::new(self.checked(field, array)?))
            }
            #[cfg(feature = "unions")]
            _ => self.list_views(field, data_type, ids, rows, nulls),
            #[cfg(not(feature = "unions"))]
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    fn offsets_and_values<O: OffsetSizeTrait>(
        &mut self,
        field: &Field,
        child: &FieldRef,
        ids: &Ids,
        rows: usize,
    ) -> Result<(OffsetBuffer<O>, ArrayRef)> {
        let buffer = self.buffer(field)?;
        let offsets = self.made(field, arrays::offsets::<O>(rows, &buffer, self.trust))?;
        let values = self.array(child, child.data_type(), below(ids, 0))?;
        if offsets.last().as_usize() > values.len() {
            let row = rows.saturating_sub(1);
            return Err(Box::new(Error::InvalidOffset { offset: self.offset, column: field.name().clone(), row }));
        }
        Ok((offsets, values))
    }

    fn list<O: OffsetSizeTrait>(
        &mut self,
        field: &Field,
        child: &FieldRef,
        ids: &Ids,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let (offsets, values) = self.offsets_and_values::<O>(field, child, ids, rows)?;
        let array = GenericListArray::<O>::try_new(child.clone(), offsets, values, nulls);
        Ok(Arc::new(self.checked(field, array)?))
    }
}
