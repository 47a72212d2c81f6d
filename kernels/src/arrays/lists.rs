//! Lists of every kind seen alike: a row is a span of the child's rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};

use super::bytes::{from_zero, span};
use super::{Trust, offsets};
use crate::{Error, Result, types};

/// A column of lists or maps: offsets, which are checked unless on `trust`, and the child that they lead into. Lists of one
/// length have no offsets; the buffer is not looked at.
///
/// What is checked is what Arrow's own constructors check; each of those brings texts and code for every way to be wrong.
///
/// # Errors
/// [`Error::UnsupportedType`] for other types; [`Error::LengthMismatch`], [`Error::InvalidOffset`] and
/// [`Error::SchemaMismatch`]; [`Error::Arrow`] for nulls in a child that has none, and for too few or many values of lists
/// of one length.
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
        values: &dyn Array,
        trust: Option<Trust>,
    ) -> Result<OffsetBuffer<O>> {
        let offsets = offsets::<O>(rows, starts, trust)?;
        if offsets.last().as_usize() > values.len() {
            return Err(Error::invalid_offset(rows.saturating_sub(1)));
        }
        Ok(offsets)
    }
    let (DataType::List(field)
    | DataType::LargeList(field)
    | DataType::FixedSizeList(field, _)
    | DataType::Map(field, _)) = data_type
    else {
        return Err(types::unsupported("a column of lists", data_type));
    };
    check_length(nulls.as_ref(), rows)?;
    if field.data_type() != values.data_type() {
        return Err(Error::schema_mismatch(0, field.data_type(), values.data_type()));
    }
    let has_nulls = !field.is_nullable() && values.logical_null_count() > 0;
    let without_nulls = |kind: &str| {
        let what = ["Non-nullable field of ", kind, " \"", field.name(), "\" cannot contain nulls"];
        if has_nulls { Err(refused(&what)) } else { Ok(field.clone()) }
    };
    Ok(match data_type {
        DataType::LargeList(_) => {
            let offsets = within::<i64>(rows, starts, values.as_ref(), trust)?;
            let field = without_nulls("LargeListArray")?;
            // SAFETY: the offsets end within the values, which are of the field's type and have nulls only where it has; the
            // validity has as many rows as there are lists: checked above.
            Arc::new(unsafe { GenericListArray::<i64>::new_unchecked(field, offsets, values, nulls) })
        }
        DataType::FixedSizeList(_, size) => {
            let length = usize::try_from(*size).ok();
            let expected = length.and_then(|length| rows.checked_mul(length));
            if expected != Some(values.len()) {
                let what = "Incorrect length of values buffer for FixedSizeListArray, expected ";
                return Err(refused(&[what, &expected.unwrap_or(0).to_string(), " got ", &values.len().to_string()]));
            }
            let shown = nulls.as_ref().map(|nulls| nulls.expand(length.unwrap_or(0)));
            if has_nulls && shows_nulls(values.as_ref(), shown.as_ref()) {
                return Err(unmasked("FixedSizeListArray", field));
            }
            // SAFETY: there are as many values as all lists have, of the field's type, with nulls only where it has any or
            // the list is null; the validity has as many rows as there are lists: checked above.
            Arc::new(unsafe { FixedSizeListArray::new_unchecked(field.clone(), *size, values, nulls, rows) })
        }
        _ => {
            let offsets = within::<i32>(rows, starts, values.as_ref(), trust)?;
            let DataType::Map(_, ordered) = data_type else {
                let field = without_nulls("ListArray")?;
                // SAFETY: as for the large ones.
                return Ok(Arc::new(unsafe { GenericListArray::<i32>::new_unchecked(field, offsets, values, nulls) }));
            };
            let entries = values.as_struct_opt().filter(|entries| match entries.fields().as_ref() {
                [key, _] => !key.is_nullable() && !field.is_nullable(),
                _ => false,
            });
            let entries = entries.ok_or_else(|| types::unsupported("a column of maps", data_type))?.clone();
            if entries.null_count() > 0 {
                return Err(refused(&["MapArray entries cannot contain nulls"]));
            }
            // SAFETY: the offsets end within the entries, which are structs of a key that is never null and a value, and
            // none of which is null; the validity has as many rows as there are maps: checked above.
            Arc::new(unsafe { MapArray::new_unchecked(field.clone(), offsets, entries, nulls, *ordered) })
        }
    })
}

/// A column of structs.
///
/// # Errors
/// [`Error::LengthMismatch`] and [`Error::SchemaMismatch`]; [`Error::Arrow`] for nulls in a child that has none.
pub fn struct_array(
    fields: &Fields,
    children: Vec<ArrayRef>,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    check_length(nulls.as_ref(), rows)?;
    if fields.len() != children.len() {
        return Err(Error::length_mismatch(fields.len(), children.len()));
    }
    for (column, (field, child)) in fields.iter().zip(&children).enumerate() {
        if field.data_type() != child.data_type() {
            return Err(Error::schema_mismatch(column, field.data_type(), child.data_type()));
        }
        if child.len() != rows {
            return Err(Error::length_mismatch(rows, child.len()));
        }
        if !field.is_nullable() && shows_nulls(child.as_ref(), nulls.as_ref()) {
            return Err(unmasked("StructArray", field));
        }
    }
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    // SAFETY: there is a child for each field, of its type, with as many rows as there are structs, and with nulls only where
    // it has any or the struct is null; so has the validity: checked above.
    Ok(Arc::new(unsafe { StructArray::new_unchecked_with_length(fields.clone(), children, nulls, rows) }))
}

fn check_length(nulls: Option<&NullBuffer>, rows: usize) -> Result<()> {
    match nulls {
        Some(nulls) if nulls.len() != rows => Err(Error::length_mismatch(rows, nulls.len())),
        _ => Ok(()),
    }
}

/// Whether a child has nulls where its parent, whose validity is given row by row of the child, has none.
fn shows_nulls(child: &dyn Array, parents: Option<&NullBuffer>) -> bool {
    let nulls = child.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    nulls.is_some_and(|nulls| parents.is_none_or(|parents| !parents.contains(&nulls)))
}

fn unmasked(kind: &str, field: &Field) -> Box<Error> {
    refused(&["Found unmasked nulls for non-nullable ", kind, " field \"", field.name(), "\""])
}

/// In Arrow's words.
#[cold]
fn refused(what: &[&str]) -> Box<Error> {
    Error::arrow(&["Invalid argument error: ", &what.concat()].concat())
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
