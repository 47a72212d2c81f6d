//! Range and membership tests of fixed-width columns.
//!
//! With wrapping arithmetic, `low <= x && x <= high` is the single comparison `x - low <= high - low` of
//! unsigned words, and it is the same comparison for signed values because flipping the sign bit adds
//! the same constant to `x` and to `low`. Floats are turned into ordered keys first. So there are two
//! loops per width, both of which compilers vectorise. Bytes touched: the column and one bit per row.
//! With the feature `small` words are turned into keys of 64 bits first, and one loop serves all widths.

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;

use crate::bitcode::{BLOCK, load_keys};
use crate::types::{self, Order, Width, Word, by_ordered_width};
use crate::widest::widest;
use crate::{Result, bits, lanes};

/// Rows whose key lies in `low..=high`; with `negate`, rows whose key does not.
pub(super) fn in_range(
    array: &dyn Array,
    width: Width,
    order: Order,
    (low, high): (u128, u128),
    negate: bool,
) -> Result<BooleanBuffer> {
    if cfg!(feature = "small") {
        if width == Width::W16 {
            let words = types::fixed_words::<u128>(array, "compare")?;
            return Ok(bits::collect(words.len(), |row| (low..=high).contains(&words[row].to_key(order)) != negate));
        }
        return keys_in_range(array, width, order, low as u64, high as u64, negate);
    }
    by_ordered_width!(width, "compare", array.data_type(), |T| {
        let words = types::fixed_words::<T>(array, "compare")?;
        let (low, high) = (T::narrow(low), T::narrow(high));
        Ok(words_in_range(words, order, low, high, negate))
    })
}

/// By keys of 64 bits, of any width but the widest.
fn keys_in_range(
    array: &dyn Array,
    width: Width,
    order: Order,
    low: u64,
    high: u64,
    negate: bool,
) -> Result<BooleanBuffer> {
    let (rows, span) = (array.len(), high.wrapping_sub(low));
    let mut words = Vec::with_capacity(rows.div_ceil(64));
    let mut test = |keys: &[u64], low: u64| {
        for keys in keys.chunks(64) {
            let inside = lanes::in_range(keys, low, span);
            words.push(if negate { !inside & (u64::MAX >> (64 - keys.len())) } else { inside });
        }
    };
    if width == Width::W8 && order != Order::Float {
        test(types::fixed_words::<u64>(array, "compare")?, low.to_word(order));
    } else {
        let mut block = [0; BLOCK];
        for at in (0..rows).step_by(BLOCK) {
            let block = &mut block[..BLOCK.min(rows - at)];
            load_keys(array, at, block, "compare")?;
            test(block, low);
        }
    }
    Ok(bits::from_words(words, rows))
}

widest! {
    fn words_in_range<T: Word>(words: &[T], order: Order, low: T, high: T, negate: bool) -> BooleanBuffer {
        let span = high.distance(low);
        // No float has one byte or sixteen.
        if order == Order::Float && matches!(size_of::<T>(), 2 | 4 | 8) {
            bits::test_each(words, |word| (word.to_key(Order::Float).distance(low) <= span) != negate)
        } else {
            let low = low.to_word(order);
            bits::test_each(words, |word| (word.distance(low) <= span) != negate)
        }
    }
}

/// Rows whose key is one of `keys`, which are sorted.
pub(super) fn in_keys(array: &dyn Array, width: Width, order: Order, keys: &[u128]) -> Result<BooleanBuffer> {
    if width == Width::W16 {
        let words = types::fixed_words::<u128>(array, "compare")?;
        return Ok(bits::collect(words.len(), |row| keys.binary_search(&words[row].to_key(order)).is_ok()));
    }
    let keys: Vec<u64> = keys.iter().map(|&key| key as u64).collect();
    each_key(array, |key| keys.binary_search(&key).is_ok())
}

/// Rows of words of at most 64 bits whose key passes a test.
fn each_key(array: &dyn Array, test: impl Fn(u64) -> bool) -> Result<BooleanBuffer> {
    let mut words = Vec::with_capacity(array.len().div_ceil(64));
    let mut block = [0; BLOCK];
    for at in (0..array.len()).step_by(BLOCK) {
        let block = &mut block[..BLOCK.min(array.len() - at)];
        load_keys(array, at, block, "compare")?;
        for keys in block.chunks(64) {
            words.push(keys.iter().enumerate().fold(0, |word, (bit, &key)| word | u64::from(test(key)) << bit));
        }
    }
    Ok(bits::from_words(words, array.len()))
}
