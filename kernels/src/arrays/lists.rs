//! Lists of every kind seen alike: a row is a span of the child's rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Fields};

use super::bytes::{from_zero, span};
use super::{Trust, offsets};
use crate::{Error, Result, types};

/// A column of lists or maps: offsets, which are checked unless on `trust`, and the child that they lead into. Lists of one
/// length have no offsets; the buffer is not looked at.
///
/// # Errors
/// [`Error::UnsupportedType`] for other types; [`Error::LengthMismatch`] and [`Error::InvalidOffset`];
/// [`Error::Arrow`] when the parts do not go together.
pub fn list_array(
    data_type: &DataType,
    rows: usize,
    starts: &Buffer,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    fn within<O: OffsetSizeTrait>(
        rows: usize,
        starts: &Buffer,
        values: &ArrayRef,
        trust: Option<Trust>,
    ) -> Result<OffsetBuffer<O>> {
        let offsets = offsets::<O>(rows, starts, trust)?;
        if offsets.last().as_usize() > values.len() {
            return Err(Error::invalid_offset(rows.saturating_sub(1)));
        }
        Ok(offsets)
    }
    Ok(match data_type {
        DataType::List(field) => {
            let offsets = within::<i32>(rows, starts, &values, trust)?;
            Arc::new(GenericListArray::<i32>::try_new(field.clone(), offsets, values, nulls)?)
        }
        DataType::LargeList(field) => {
            let offsets = within::<i64>(rows, starts, &values, trust)?;
            Arc::new(GenericListArray::<i64>::try_new(field.clone(), offsets, values, nulls)?)
        }
        DataType::FixedSizeList(field, size) => {
            Arc::new(FixedSizeListArray::try_new_with_length(field.clone(), *size, values, nulls, rows)?)
        }
        DataType::Map(field, ordered) => {
            let offsets = within::<i32>(rows, starts, &values, trust)?;
            let entries = values.as_struct_opt().ok_or_else(|| types::unsupported("a column of maps", data_type))?;
            Arc::new(MapArray::try_new(field.clone(), offsets, entries.clone(), nulls, *ordered)?)
        }
        _ => return Err(types::unsupported("a column of lists", data_type)),
    })
}

/// A column of structs.
///
/// # Errors
/// [`Error::Arrow`] when the parts do not go together.
pub fn struct_array(
    fields: &Fields,
    children: Vec<ArrayRef>,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, rows)?))
}

/// Offsets that begin at zero, where there are any, and what a column of lists or maps shows of its child; `None` of other
/// columns.
#[must_use]
pub fn list_parts(array: &dyn Array) -> Option<(Option<Buffer>, ArrayRef)> {
    let values = list_values(array)?;
    let (offsets, large) = match array.data_type() {
        DataType::List(_) => (array.as_list_opt::<i32>()?.offsets().inner().inner(), false),
        DataType::LargeList(_) => (array.as_list_opt::<i64>()?.offsets().inner().inner(), true),
        DataType::Map(..) => (array.as_map_opt()?.offsets().inner().inner(), false),
        _ => {
            let size = array.as_fixed_size_list_opt()?.value_length();
            return Some((None, values.slice(0, array.len() * usize::try_from(size).unwrap_or(0))));
        }
    };
    let (first, last) = span(offsets, large);
    Some((Some(from_zero(offsets, large)), values.slice(first, last - first)))
}

/// The child that a column of lists or maps has its values in; `None` of other columns.
#[must_use]
pub fn list_values(array: &dyn Array) -> Option<&dyn Array> {
    Some(match array.data_type() {
        DataType::List(_) => array.as_list_opt::<i32>()?.values().as_ref(),
        DataType::LargeList(_) => array.as_list_opt::<i64>()?.values().as_ref(),
        DataType::FixedSizeList(..) => array.as_fixed_size_list_opt()?.values().as_ref(),
        DataType::Map(..) => array.as_map_opt()?.entries(),
        _ => return None,
    })
}

/// Which of them are a row's: the first, and the one behind the last. Where the length is not the type's, a null has none.
pub(crate) fn list_span(array: &dyn Array, row: usize) -> (usize, usize) {
    if let Some(array) = array.as_fixed_size_list_opt() {
        let size = array.value_length() as usize;
        return (row * size, (row + 1) * size);
    }
    if array.is_null(row) {
        return (0, 0);
    }
    let offsets = match array.data_type() {
        DataType::List(_) => array.as_list_opt::<i32>().map(|array| array.offsets()),
        DataType::Map(..) => array.as_map_opt().map(|array| array.offsets()),
        _ => {
            let large = array.as_list_opt::<i64>().map(|array| array.offsets());
            return large.map_or((0, 0), |offsets| (offsets[row] as usize, offsets[row + 1] as usize));
        }
    };
    offsets.map_or((0, 0), |offsets| (offsets[row] as usize, offsets[row + 1] as usize))
}

/// The values of one row of a column of lists or maps; `None` of other columns. A map's are structs of key and value.
///
/// # Panics
/// When there is no such row.
#[must_use]
pub fn list_value(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    let values = list_values(array)?;
    let (start, end) = list_span(array, row);
    Some(values.slice(start, end - start))
}
