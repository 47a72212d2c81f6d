//! Least and greatest values, by the order that sorts use.
//!
//! Numbers, booleans and moments are compared as order-preserving keys; byte strings as bytes. Floats
//! follow the total order: a NaN of positive sign is the greatest value.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;

use super::{Seen, boolean_words, for_each_valid, is_narrow};
use crate::bitcode::key_of;
use crate::bytes::{BytesColumn, make_bytes};
use crate::types::{self, Kind, Order, Width, Word, by_narrow_width};
use crate::{Result, bits};

/// The best value of every group so far.
#[derive(Debug)]
pub(in crate::group) struct Extremes {
    result: DataType,
    greatest: bool,
    best: Best,
}

#[derive(Debug)]
enum Best {
    /// Keys, turned over for the least one, so that the greatest is always kept; zeros where there is none.
    Narrow {
        keys: Vec<u64>,
        seen: Seen,
    },
    Wide(Vec<Option<u128>>),
    Long(Vec<Option<i256>>),
    Bytes(Vec<Option<Box<[u8]>>>),
}

/// The type of the extreme: the column's, or a dictionary's values' type.
pub(super) fn output_type(input: &DataType) -> Option<DataType> {
    match (types::kind(input), input) {
        (_, DataType::Dictionary(_, values)) => output_type(values),
        (Kind::Boolean | Kind::Bytes, _) => Some(input.clone()),
        (Kind::Fixed(_, order), _) if order != Order::None => Some(input.clone()),
        _ => None,
    }
}

impl Extremes {
    pub(super) fn new(_input: &DataType, result: DataType, greatest: bool) -> Self {
        let best = match types::kind(&result) {
            Kind::Bytes => Best::Bytes(Vec::new()),
            Kind::Fixed(Width::W32, _) => Best::Long(Vec::new()),
            Kind::Fixed(width, _) if !is_narrow(width) => Best::Wide(Vec::new()),
            _ => Best::Narrow { keys: Vec::new(), seen: Seen::default() },
        };
        Self { result, greatest, best }
    }

    /// What turns keys over when the least one is wanted.
    fn flip(&self) -> u64 {
        if self.greatest { 0 } else { u64::MAX }
    }

    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            if dictionary.values().is_empty() {
                return Ok(());
            }
            // Row by row through the keys: the values are borrowed, not copied.
            let nulls = array.logical_nulls();
            let rows = dictionary.normalized_keys();
            return self.add(groups, ids, nulls.as_ref(), dictionary.values().as_ref(), |row| rows[row]);
        }
        self.add(groups, ids, array.nulls(), array, |row| row)
    }

    fn add(
        &mut self,
        groups: usize,
        ids: &[u32],
        nulls: Option<&NullBuffer>,
        values: &dyn Array,
        place: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let (greatest, flip) = (self.greatest, self.flip());
        match (&mut self.best, types::kind(values.data_type())) {
            (Best::Narrow { keys, seen }, Kind::Boolean) => {
                seen.update(groups, ids, nulls);
                keys.resize(groups, 0);
                let words = boolean_words(values);
                for_each_valid(ids, nulls, |id, row| keys[id] = keys[id].max(words[place(row)] ^ flip));
            }
            (Best::Narrow { keys, seen }, Kind::Fixed(width, order)) if is_narrow(width) => {
                seen.update(groups, ids, nulls);
                keys.resize(groups, 0);
                let keys = &mut keys[..];
                by_narrow_width!(width, "min or max", values.data_type(), |T| {
                    let words = types::fixed_words::<T>(values, "min or max")?;
                    for_each_valid(ids, nulls, |id, row| {
                        keys[id] = keys[id].max(key_of(words[place(row)], order) ^ flip);
                    });
                });
            }
            (Best::Wide(best), Kind::Fixed(_, order)) => {
                best.resize(groups, None);
                let words = types::fixed_words::<u128>(values, "min or max")?;
                for_each_valid(ids, nulls, |id, row| {
                    keep(&mut best[id], words[place(row)].to_key(order), greatest);
                });
            }
            (Best::Long(best), Kind::Fixed(..)) => {
                best.resize(groups, None);
                let words = types::fixed_words::<i256>(values, "min or max")?;
                for_each_valid(ids, nulls, |id, row| keep(&mut best[id], words[place(row)], greatest));
            }
            (Best::Bytes(best), Kind::Bytes) => {
                best.resize(groups, None);
                let column = BytesColumn::try_new(values, "min or max")?;
                for_each_valid(ids, nulls, |id, row| {
                    keep_bytes(&mut best[id], column.get(place(row)), greatest);
                });
            }
            _ => return Err(types::unsupported("min or max", values.data_type())),
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        fn each<T: Clone>(
            to: &mut Vec<Option<T>>,
            groups: usize,
            ids: &[u32],
            from: &[Option<T>],
            mut keep: impl FnMut(&mut Option<T>, &T),
        ) {
            to.resize(groups, None);
            for (&id, value) in ids.iter().zip(from) {
                if let Some(value) = value {
                    keep(&mut to[id as usize], value);
                }
            }
        }
        let greatest = self.greatest;
        match (&mut self.best, &other.best) {
            (Best::Narrow { keys, seen }, Best::Narrow { keys: from, seen: others }) => {
                seen.merge(groups, ids, others);
                keys.resize(groups, 0);
                ids.iter().zip(from).for_each(|(&id, &key)| keys[id as usize] = keys[id as usize].max(key));
            }
            (Best::Wide(to), Best::Wide(from)) => {
                each(to, groups, ids, from, |best, &value| keep(best, value, greatest))
            }
            (Best::Long(to), Best::Long(from)) => {
                each(to, groups, ids, from, |best, &value| keep(best, value, greatest))
            }
            (Best::Bytes(to), Best::Bytes(from)) => {
                each(to, groups, ids, from, |best, value| keep_bytes(best, value, greatest))
            }
            _ => return Err(types::unsupported("merge of min or max", &other.result)),
        }
        Ok(())
    }

    pub(super) fn array(&self, groups: usize) -> Result<ArrayRef> {
        fn present<T>(best: &[Option<T>], groups: usize) -> Option<NullBuffer> {
            bits::nulls_from_bits(bits::collect(groups, |group| {
                best.get(group).is_some_and(Option::is_some)
            }))
        }
        let key = |keys: &[u64], group: usize| keys.get(group).map_or(0, |key| key ^ self.flip());
        match (&self.best, types::kind(&self.result)) {
            (Best::Narrow { keys, seen }, Kind::Boolean) => {
                let bits = bits::collect(groups, |group| key(keys, group) == 1);
                Ok(Arc::new(BooleanArray::new(bits, seen.nulls(groups))))
            }
            (Best::Narrow { keys, seen }, Kind::Fixed(width, order)) => {
                let words = (0..groups).map(|group| types::word_of(key(keys, group), width, order));
                types::make_narrow(&self.result, width, words, seen.nulls(groups), "min or max")
            }
            (Best::Wide(best), Kind::Fixed(_, order)) => {
                let words: Vec<u128> =
                    (0..groups).map(|group| best.get(group).copied().flatten().unwrap_or(0).to_word(order)).collect();
                types::make_fixed(&self.result, words, present(best, groups), "min or max")
            }
            (Best::Long(best), _) => {
                let zero = i256::ZERO;
                let words: Vec<i256> =
                    (0..groups).map(|group| best.get(group).copied().flatten().unwrap_or(zero)).collect();
                types::make_fixed(&self.result, words, present(best, groups), "min or max")
            }
            (Best::Bytes(best), _) => make_bytes(&self.result, groups, present(best, groups), "min or max", |group| {
                best.get(group).and_then(Option::as_deref).unwrap_or(&[])
            }),
            _ => Err(types::unsupported("min or max", &self.result)),
        }
    }
}

#[inline(always)]
fn keep<T: Copy + Ord>(best: &mut Option<T>, value: T, greatest: bool) {
    match best {
        Some(old) if (value > *old) != greatest || value == *old => {}
        _ => *best = Some(value),
    }
}

fn keep_bytes(best: &mut Option<Box<[u8]>>, value: &[u8], greatest: bool) {
    match best {
        Some(old) if (value > &**old) != greatest || value == &**old => {}
        _ => *best = Some(value.into()),
    }
}
