//! Least and greatest values, by the order that sorts use.
//!
//! Numbers, booleans and moments are compared as order-preserving keys; byte strings as bytes. Floats
//! follow the total order: a NaN of positive sign is the greatest value.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::DataType;

use super::{Seen, for_each_valid, is_narrow};
#[cfg(not(feature = "small"))]
use crate::bitcode::key_of;
use crate::bitcode::load_keys;
use crate::bytes::{BytesColumn, make_bytes};
#[cfg(not(feature = "small"))]
use crate::types::by_narrow_width;
use crate::types::{self, Kind, Order, Width};
use crate::wide::{WideKeys, word_of};
use crate::{Result, arrays, bits};

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
    /// Keys of 128 bits (the upper half) or of 256.
    Wide(Vec<Option<[u128; 2]>>),
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
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return self.add(groups, ids, array.nulls(), array, None);
        };
        if dictionary.values().is_empty() {
            return Ok(());
        }
        // Row by row through the keys: the values are borrowed, not copied.
        let nulls = array.logical_nulls();
        let places = dictionary.normalized_keys();
        self.add(groups, ids, nulls.as_ref(), dictionary.values().as_ref(), Some(&places))
    }

    /// Adds rows, whose values stand where `places` says, or each at its own row.
    fn add(
        &mut self,
        groups: usize,
        ids: &[u32],
        nulls: Option<&NullBuffer>,
        values: &dyn Array,
        places: Option<&[usize]>,
    ) -> Result<()> {
        let (greatest, flip) = (self.greatest, self.flip());
        let place = |row: usize| places.map_or(row, |places| places[row]);
        let kind = types::kind(values.data_type());
        match (&mut self.best, kind) {
            (
                Best::Narrow { keys, seen },
                Kind::Boolean | Kind::Fixed(Width::W1 | Width::W2 | Width::W4 | Width::W8, _),
            ) => {
                seen.update(groups, ids, nulls);
                keys.resize(groups, 0);
                let keys = &mut keys[..];
                #[cfg(not(feature = "small"))]
                if let Kind::Fixed(width, order) = kind {
                    by_narrow_width!(width, "min or max", values.data_type(), |T| {
                        let words = types::fixed_words::<T>(values, "min or max")?;
                        for_each_valid(ids, nulls, |id, row| {
                            keys[id] = keys[id].max(key_of(words[place(row)], order) ^ flip);
                        });
                    });
                    return Ok(());
                }
                let words = key_words(values)?;
                for_each_valid(ids, nulls, |id, row| keys[id] = keys[id].max(words[place(row)] ^ flip));
            }
            (Best::Wide(best), Kind::Fixed(..)) => {
                best.resize(groups, None);
                let key = WideKeys::try_new(values, "min or max")?;
                for_each_valid(ids, nulls, |id, row| keep(&mut best[id], key.get(place(row)), greatest));
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
            (Best::Bytes(to), Best::Bytes(from)) => {
                each(to, groups, ids, from, |best, value| keep_bytes(best, value, greatest))
            }
            _ => return Err(types::unsupported("merge of min or max", &other.result)),
        }
        Ok(())
    }

    pub(super) fn array(&self, groups: Range<usize>) -> Result<ArrayRef> {
        fn present<T>(best: &[Option<T>], groups: Range<usize>) -> Option<NullBuffer> {
            let has = |at: usize| best.get(groups.start + at).is_some_and(Option::is_some);
            bits::nulls_from_bits(bits::collect(groups.len(), has))
        }
        let key = |keys: &[u64], group: usize| keys.get(group).map_or(0, |key| key ^ self.flip());
        match (&self.best, types::kind(&self.result)) {
            (Best::Narrow { keys, seen }, Kind::Boolean) => {
                let bits = bits::collect(groups.len(), |at| key(keys, groups.start + at) == 1);
                arrays::boolean_array(bits, seen.nulls(groups))
            }
            (Best::Narrow { keys, seen }, Kind::Fixed(width, order)) => {
                let words = groups.clone().map(|group| types::word_of(key(keys, group), width, order));
                types::make_narrow(&self.result, width, words, seen.nulls(groups), "min or max")
            }
            (Best::Wide(best), Kind::Fixed(width, _)) => {
                let mut bytes: Vec<u8> = Vec::with_capacity(groups.len() * width.bytes());
                for group in groups.clone() {
                    let key = best.get(group).copied().flatten().unwrap_or_default();
                    bytes.extend_from_slice(&word_of(key, width)[..width.bytes()]);
                }
                types::make_fixed_buffer(&self.result, Buffer::from_vec(bytes), present(best, groups), "min or max")
            }
            (Best::Bytes(best), _) => {
                let value = |at: usize| best.get(groups.start + at).and_then(Option::as_deref).unwrap_or(&[]);
                make_bytes(&self.result, groups.len(), present(best, groups.clone()), "min or max", value)
            }
            _ => Err(types::unsupported("min or max", &self.result)),
        }
    }
}

/// The keys of booleans, or of words of up to 64 bits.
fn key_words(array: &dyn Array) -> Result<Vec<u64>> {
    if let Some(booleans) = array.as_boolean_opt() {
        return Ok((0..array.len()).map(|row| booleans.value(row).into()).collect());
    }
    let mut words = vec![0; array.len()];
    load_keys(array, 0, &mut words, "min or max")?;
    Ok(words)
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
