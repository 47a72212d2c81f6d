//! Range and membership tests of fixed-width columns.
//!
//! With wrapping arithmetic, `low <= x && x <= high` is the single comparison `x - low <= high - low` of
//! unsigned words, and it is the same comparison for signed values because flipping the sign bit adds
//! the same constant to `x` and to `low`. Floats are turned into ordered keys first. So there are two
//! loops per width, both of which compilers vectorise. Bytes touched: the column and one bit per row.

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;

use crate::types::{self, Order, Width, Word, by_ordered_width};
use crate::widest::widest;
use crate::{Result, bits};

/// Rows whose key lies in `low..=high`; with `negate`, rows whose key does not.
pub(super) fn in_range(
    array: &dyn Array,
    width: Width,
    order: Order,
    (low, high): (u128, u128),
    negate: bool,
) -> Result<BooleanBuffer> {
    by_ordered_width!(width, "compare", array.data_type(), |T| {
        let words = types::fixed_words::<T>(array, "compare")?;
        let (low, high) = (T::narrow(low), T::narrow(high));
        Ok(words_in_range(words, order, low, high, negate))
    })
}

widest! {
    fn words_in_range<T: Word>(words: &[T], order: Order, low: T, high: T, negate: bool) -> BooleanBuffer {
        let span = high.distance(low);
        if order == Order::Float {
            bits::test_each(words, |word| (word.to_key(Order::Float).distance(low) <= span) != negate)
        } else {
            let low = low.to_word(order);
            bits::test_each(words, |word| (word.distance(low) <= span) != negate)
        }
    }
}

/// Rows whose key is one of `keys`, which are sorted.
pub(super) fn in_keys(array: &dyn Array, width: Width, order: Order, keys: &[u128]) -> Result<BooleanBuffer> {
    by_ordered_width!(width, "compare", array.data_type(), |T| {
        let words = types::fixed_words::<T>(array, "compare")?;
        let keys: Vec<T> = keys.iter().map(|&key| T::narrow(key)).collect();
        Ok(bits::test_each(words, |word| keys.binary_search(&word.to_key(order)).is_ok()))
    })
}
