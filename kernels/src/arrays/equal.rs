//! Whether two arrays hold the same values.
//!
//! As Arrow's own comparison of arrays, which a module that takes it along pays for with the code of every type. What
//! lies under a null does not count; floats are the same when their bits are.

use arrow_array::Array;
#[cfg(feature = "nested")]
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;

use crate::bytes::BytesColumn;
use crate::types::{self, Kind};

/// Whether two arrays have one type, one length, and the same values row by row.
///
/// `O(bytes)`. Unions, runs and list views are never equal in a build that leaves them out.
#[must_use]
pub fn equal(a: &dyn Array, b: &dyn Array) -> bool {
    if a.data_type() != b.data_type() || a.len() != b.len() || a.null_count() != b.null_count() {
        return false;
    }
    match types::kind(a.data_type()) {
        Kind::Null => true,
        Kind::Boolean => {
            let (a_values, b_values) = (a.as_boolean().values(), b.as_boolean().values());
            rows_equal(a, b, |row| a_values.value(row) == b_values.value(row))
        }
        Kind::Fixed(width, _) => {
            let (Some(left), Some(right)) = (types::fixed_buffer(a), types::fixed_buffer(b)) else { return false };
            let (size, bytes) = (width.bytes(), a.len() * width.bytes());
            let (left, right) = (&left[..bytes], &right[..bytes]);
            left == right && a.null_count() == 0
                || rows_equal(a, b, |row| left[row * size..][..size] == right[row * size..][..size])
        }
        Kind::Bytes => match (BytesColumn::try_new(a, "compare"), BytesColumn::try_new(b, "compare")) {
            (Ok(left), Ok(right)) => rows_equal(a, b, |row| left.get(row) == right.get(row)),
            _ => false,
        },
        Kind::Dictionary => dictionaries_equal(a, b),
        #[cfg(feature = "nested")]
        Kind::Nested => nested_equal(a, b),
        #[cfg(not(feature = "nested"))]
        Kind::Nested => false,
    }
}

/// Whether dictionaries say the same, be it by other keys.
fn dictionaries_equal(a: &dyn Array, b: &dyn Array) -> bool {
    let (Some(left), Some(right)) = (a.as_any_dictionary_opt(), b.as_any_dictionary_opt()) else { return false };
    let (left_values, right_values) = (left.values().as_ref(), right.values().as_ref());
    if equal(left.keys(), right.keys()) && equal(left_values, right_values) {
        return true;
    }
    let (mut left_keys, mut right_keys) = (vec![0; a.len()], vec![0; a.len()]);
    let loaded = types::load_words(left.keys(), 0, &mut left_keys, "compare")
        .and_then(|()| types::load_words(right.keys(), 0, &mut right_keys, "compare"));
    let same = |row: usize| {
        let (left, right) = (left_keys[row] as usize, right_keys[row] as usize);
        equal(left_values.slice(left, 1).as_ref(), right_values.slice(right, 1).as_ref())
    };
    loaded.is_ok() && rows_equal(a, b, same)
}

/// Lists and maps by the values of each row, structs by their columns.
#[cfg(feature = "nested")]
fn nested_equal(a: &dyn Array, b: &dyn Array) -> bool {
    use super::list_value;
    if let (Some(left), Some(right)) = (a.as_struct_opt(), b.as_struct_opt()) {
        let columns = || left.columns().iter().zip(right.columns());
        return if a.null_count() == 0 {
            columns().all(|(left, right)| equal(left.as_ref(), right.as_ref()))
        } else {
            let same = |row| {
                move |(left, right): (&ArrayRef, &ArrayRef)| {
                    equal(left.slice(row, 1).as_ref(), right.slice(row, 1).as_ref())
                }
            };
            rows_equal(a, b, |row| columns().all(same(row)))
        };
    }
    #[cfg(feature = "unions")]
    if super::list_values(a).is_none() {
        return a == b;
    }
    rows_equal(a, b, |row| match (list_value(a, row), list_value(b, row)) {
        (Some(a), Some(b)) => equal(a.as_ref(), b.as_ref()),
        _ => false,
    })
}

fn rows_equal(a: &dyn Array, b: &dyn Array, same: impl Fn(usize) -> bool) -> bool {
    (0..a.len()).all(|row| a.is_null(row) == b.is_null(row) && (a.is_null(row) || same(row)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Decimal256Array, Float64Array, Int32Array, LargeBinaryArray, NullArray, StringArray,
        StringViewArray,
    };
    use arrow_buffer::{NullBuffer, i256};

    use super::equal;

    #[test]
    fn arrays_are_equal_where_arrow_says_so() {
        let nulls = || Some(NullBuffer::from(vec![true, false, true]));
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(NullArray::new(3)),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(BooleanArray::from(vec![true, true, false])),
            Arc::new(Int32Array::new(vec![1, 2, 3].into(), nulls())),
            // The same, with something else under the null.
            Arc::new(Int32Array::new(vec![1, 9, 3].into(), nulls())),
            Arc::new(Int32Array::from(vec![1, 2, 3])),
            Arc::new(Int32Array::from(vec![0, 1, 2, 3]).slice(1, 3)),
            Arc::new(Int32Array::from(vec![1, 2])),
            Arc::new(Float64Array::from(vec![0.0, f64::NAN, 1.0])),
            Arc::new(Float64Array::from(vec![-0.0, f64::NAN, 1.0])),
            Arc::new(Decimal256Array::from(vec![i256::ONE, i256::ZERO, i256::MAX])),
            Arc::new(StringArray::from(vec!["a", "bc", ""])),
            Arc::new(StringArray::from(vec!["x", "a", "bc", ""]).slice(1, 3)),
            Arc::new(StringArray::from(vec![Some("a"), None, Some("")])),
            Arc::new(StringViewArray::from(vec!["a", "bc", "a text that is longer than a view"])),
            Arc::new(LargeBinaryArray::from(vec![&b"a"[..], b"bc", b""])),
        ];
        for a in &arrays {
            for b in &arrays {
                assert_eq!(equal(a, b), a == b, "{a:?} and {b:?}");
            }
        }
    }
}
