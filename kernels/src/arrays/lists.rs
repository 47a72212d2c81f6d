//! Lists of every kind seen alike: a row is a span of the child's rows.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

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
