//! Unions, run-end encoded columns and list views on their way to a body.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, PrimitiveArray, RunArray};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::DataType;

use super::write::Body;
use crate::{Error, Result};

impl Body {
    /// Adds what a list view has behind its node and its validity, and all of the others, which have no validity.
    pub(super) fn unions(&mut self, array: &dyn Array) -> Result<()> {
        match array.data_type() {
            DataType::ListView(_) => {
                let array = array.as_list_view::<i32>();
                self.buffers.extend([array.offsets().inner().clone(), array.sizes().inner().clone()]);
                self.push(array.values().as_ref())
            }
            DataType::LargeListView(_) => {
                let array = array.as_list_view::<i64>();
                self.buffers.extend([array.offsets().inner().clone(), array.sizes().inner().clone()]);
                self.push(array.values().as_ref())
            }
            DataType::Union(..) => self.union(array),
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => self.runs(array.as_run::<Int16Type>()),
                DataType::Int32 => self.runs(array.as_run::<Int32Type>()),
                _ => self.runs(array.as_run::<Int64Type>()),
            },
            other => Err(Box::new(Error::Encode(["a column of type ", &other.to_string()].concat()))),
        }
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
