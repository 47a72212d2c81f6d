//! Dictionary columns: the question is answered once per dictionary value, then looked up per row.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::NullBuffer;

use super::{Test, Truth, run as run_values};
use crate::types;
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
    let rows = keys.len();
    let (mut is_true, mut is_known) = (Vec::with_capacity(rows.div_ceil(64)), Vec::with_capacity(rows.div_ceil(64)));
    let mut block = [0u64; 64];
    for at in (0..rows).step_by(64) {
        let block = &mut block[..64.min(rows - at)];
        types::load_words(keys, at, block, "compare")?;
        let (mut trues, mut knowns) = (0, 0);
        for (bit, &mut key) in block.iter_mut().enumerate() {
            let answer = table.get(key as usize).copied().unwrap_or(UNKNOWN);
            trues |= u64::from(answer == TRUE) << bit;
            knowns |= u64::from(answer != UNKNOWN) << bit;
        }
        is_true.push(trues);
        is_known.push(knowns);
    }
    let is_true = bits::from_words(is_true, rows);
    let known = NullBuffer::new(bits::from_words(is_known, rows));
    let nulls = bits::both_valid(Some(&known), keys.nulls());
    Ok(Truth::of_valid(is_true, nulls.as_ref()))
}
