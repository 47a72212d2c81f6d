//! Dictionary columns: the question is answered once per dictionary value, then looked up per row.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::NullBuffer;

use super::{Test, Truth, run as run_values};
use crate::types::{self, Width, by_ordered_width};
use crate::{Result, bits};

const FALSE: u8 = 0;
const TRUE: u8 = 1;
const UNKNOWN: u8 = 2;

pub(super) fn run(array: &dyn Array, test: &Test) -> Result<Truth> {
    let Some(dictionary) = array.as_any_dictionary_opt() else {
        return Err(types::unsupported("compare", array.data_type()));
    };
    let answers = run_values(dictionary.values().as_ref(), test)?;
    let table: Vec<u8> = (0..answers.len())
        .map(|value| match answers.get(value) {
            Some(true) => TRUE,
            Some(false) => FALSE,
            None => UNKNOWN,
        })
        .collect();
    let keys = dictionary.keys();
    let types::Kind::Fixed(width, _) = types::kind(keys.data_type()) else {
        return Err(types::unsupported("compare", array.data_type()));
    };
    let (is_true, is_known) = by_ordered_width!(width, "compare", array.data_type(), |T| {
        let words = types::fixed_words::<T>(keys, "compare")?;
        let look_up = |word: T| table.get(types::Word::widen(word) as usize).copied().unwrap_or(UNKNOWN);
        (bits::test_each(words, |word| look_up(word) == TRUE), bits::test_each(words, |word| look_up(word) != UNKNOWN))
    });
    debug_assert!(width != Width::W16);
    let known = NullBuffer::new(is_known);
    let nulls = NullBuffer::union(Some(&known), keys.nulls());
    Ok(Truth::of_valid(is_true, nulls.as_ref()))
}
