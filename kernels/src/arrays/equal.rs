//! Whether two arrays hold the same values.
//!
//! As Arrow's own comparison of arrays, which a module that takes it along pays for with the code of every type. What
//! lies under a null does not count; floats are the same when their bits are.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use crate::bytes::BytesColumn;
use crate::types::{self, Kind};

/// Whether two arrays have one type, one length, and the same values row by row.
///
/// `O(bytes)`. A dictionary is compared by its keys and values where the build leaves nested types out: one that says
/// the same by other keys is then another.
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
        #[cfg(feature = "nested")]
        Kind::Dictionary | Kind::Nested => a == b,
        #[cfg(not(feature = "nested"))]
        Kind::Dictionary => match (a.as_any_dictionary_opt(), b.as_any_dictionary_opt()) {
            (Some(a), Some(b)) => equal(a.keys(), b.keys()) && equal(a.values().as_ref(), b.values().as_ref()),
            _ => false,
        },
        #[cfg(not(feature = "nested"))]
        Kind::Nested => false,
    }
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
