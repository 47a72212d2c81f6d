//! Unions, run-end encoded columns and list views.

use std::sync::Arc;

use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef, GenericListViewArray, OffsetSizeTrait, PrimitiveArray, RunArray, UnionArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, UnionFields, UnionMode};
use kernels::arrays;

use super::ArrayReader;
use super::nested::below;
use super::read::unsupported_type;
use crate::schema::Ids;
use crate::{Error, Result};

impl ArrayReader<'_> {
    fn checked<T>(&self, field: &Field, array: Result<T, ArrowError>) -> Result<T> {
        array.map_err(|error| self.invalid(field, error.to_string()))
    }

    /// Words of a buffer, which is copied only when it is not aligned to them.
    fn words<T: ArrowNativeType>(buffer: &Buffer, words: usize) -> ScalarBuffer<T> {
        ScalarBuffer::from(arrays::aligned(buffer, words * size_of::<T>(), align_of::<T>()))
    }

    /// List views of either width.
    pub(super) fn list_views(
        &mut self,
        field: &Field,
        data_type: &DataType,
        ids: &Ids,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        match data_type {
            DataType::ListView(child) => self.list_view::<i32>(field, child, ids, rows, nulls),
            DataType::LargeListView(child) => self.list_view::<i64>(field, child, ids, rows, nulls),
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    fn list_view<O: OffsetSizeTrait>(
        &mut self,
        field: &Field,
        child: &FieldRef,
        ids: &Ids,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let offsets = Self::words::<O>(&self.values(field, rows, size_of::<O>())?, rows);
        let sizes = Self::words::<O>(&self.values(field, rows, size_of::<O>())?, rows);
        let values = self.array(child, child.data_type(), below(ids, 0))?;
        // Signs are looked at here; the constructor adds offset and size as unsigned numbers.
        if let Some(row) = (0..rows).find(|&row| offsets[row] < O::default() || sizes[row] < O::default()) {
            return Err(Box::new(Error::InvalidOffset { offset: self.offset, column: field.name().clone(), row }));
        }
        let array = GenericListViewArray::<O>::try_new(child.clone(), offsets, sizes, values, nulls);
        Ok(Arc::new(self.checked(field, array)?))
    }

    pub(super) fn union(
        &mut self,
        field: &Field,
        fields: &UnionFields,
        mode: UnionMode,
        ids: &Ids,
        rows: usize,
        null_count: usize,
    ) -> Result<ArrayRef> {
        if self.is_v4 {
            // Before format 1.0 unions had a validity of their own, which Arrow has since given up.
            self.buffer(field)?;
            if null_count > 0 {
                return Err(Box::new(Error::UnsupportedType {
                    field: field.name().clone(),
                    what: "union with nulls (V4)",
                }));
            }
        }
        let type_ids = Self::words::<i8>(&self.values(field, rows, 1)?, rows);
        let offsets = match mode {
            UnionMode::Dense => Some(Self::words::<i32>(&self.values(field, rows, 4)?, rows)),
            UnionMode::Sparse => None,
        };
        let mut children = Vec::with_capacity(fields.len());
        for (position, (_, child)) in fields.iter().enumerate() {
            let array = self.array(child, child.data_type(), below(ids, position))?;
            if mode == UnionMode::Sparse {
                self.check_rows(child, rows as i64, array.len() as i64)?;
            }
            children.push(array);
        }
        let array = UnionArray::try_new(fields.clone(), type_ids, offsets, children);
        Ok(Arc::new(self.checked(field, array)?))
    }

    pub(super) fn runs(
        &mut self,
        field: &Field,
        data_type: &DataType,
        [ends, values]: [&FieldRef; 2],
        ids: &Ids,
        rows: usize,
    ) -> Result<ArrayRef> {
        let run_ends = self.array(ends, ends.data_type(), below(ids, 0))?;
        let run_values = self.array(values, values.data_type(), below(ids, 1))?;
        match ends.data_type() {
            DataType::Int16 => self.run_array::<Int16Type>(field, data_type, &run_ends, &run_values, rows),
            DataType::Int32 => self.run_array::<Int32Type>(field, data_type, &run_ends, &run_values, rows),
            DataType::Int64 => self.run_array::<Int64Type>(field, data_type, &run_ends, &run_values, rows),
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    fn run_array<R: RunEndIndexType>(
        &self,
        field: &Field,
        data_type: &DataType,
        ends: &ArrayRef,
        values: &ArrayRef,
        rows: usize,
    ) -> Result<ArrayRef> {
        let Some(ends) = ends.as_any().downcast_ref::<PrimitiveArray<R>>() else {
            return Err(unsupported_type(field, data_type));
        };
        // Looks at every run end: positive and rising.
        let array = self.checked(field, RunArray::<R>::try_new(ends, values.as_ref()))?;
        self.check_rows(field, rows as i64, (array.len().min(rows)) as i64)?;
        // The schema's own names of the two children come back by way of the data.
        let data = ArrayData::builder(data_type.clone())
            .len(rows)
            .add_child_data(ends.to_data())
            .add_child_data(values.to_data())
            .build();
        Ok(Arc::new(RunArray::<R>::from(self.checked(field, data)?)))
    }
}
