//! Parts by ranges of one column, and bounds that make them about equally large.
//!
//! Bounds `b₁ ≤ b₂ ≤ …` cut the values so that part *i* has those from `bᵢ` on and below `bᵢ₊₁`; equal bounds leave a part
//! empty, which is what a value that fills more than one part must do. The order is the one of sorts, except that −0.0 is 0.0 and
//! every NaN the same, above all numbers: equal values are never in two parts.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::check_parts;
use super::hash::{fixed_bytes, narrow_words, wide_words};
use crate::bytes::BytesColumn;
use crate::query::Nulls;
use crate::sort::{SortOptions, sort_to_indices};
use crate::take::take;
use crate::types::{self, Kind, Order, Word};
use crate::{Error, Indices, Result, runs};

/// The part of each row: the number of bounds that are not above its value. Bounds ascend, are of the column's type (of a
/// dictionary or of runs, that of the values), hold no null, and are fewer than the parts; of fewer than `parts - 1` bounds
/// the parts behind hold nothing. Nulls are in the first part or in the last.
///
/// `O(rows · log parts)`; a dictionary's values are looked up once each.
///
/// # Errors
/// [`Error::UnsupportedType`] for types without an order; [`Error::SchemaMismatch`]; [`Error::InvalidPlan`] for bounds that
/// descend, or are too many.
pub fn parts_by_range(column: &dyn Array, bounds: &dyn Array, parts: usize, nulls: Nulls) -> Result<Vec<u32>> {
    check_parts(parts)?;
    if bounds.len() >= parts || bounds.null_count() > 0 {
        return Err(Error::invalid_plan("bounds are fewer than the parts, and none is null", ""));
    }
    let of_nulls = if nulls == Nulls::First { 0 } else { parts as u32 - 1 };
    let expanded = runs::expand(column)?;
    ranks(expanded.as_deref().unwrap_or(column), bounds, of_nulls)
}

fn ranks(array: &dyn Array, bounds: &dyn Array, of_nulls: u32) -> Result<Vec<u32>> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = ranks(dictionary.values().as_ref(), bounds, of_nulls)?;
        let keys = types::value_places(dictionary).into_iter();
        let mut ranks: Vec<u32> = keys.map(|key| values.get(key).copied().unwrap_or(of_nulls)).collect();
        place_nulls(&mut ranks, array, of_nulls);
        return Ok(ranks);
    }
    let data_type = array.data_type();
    if data_type != bounds.data_type() {
        return Err(Error::schema_mismatch(0, data_type, bounds.data_type()));
    }
    let mut ranks = match types::kind(data_type) {
        Kind::Null => vec![of_nulls; array.len()],
        Kind::Boolean => {
            let bits = |array: &dyn Array| array.as_boolean().values().iter().collect::<Vec<bool>>();
            search(&bits(bounds), bits(array).into_iter())?
        }
        Kind::Fixed(width, order) if order != Order::None => {
            let key = |word: u64| word.to_key(order);
            match (narrow_words(bounds, width, order)?, narrow_words(array, width, order)?) {
                (Some(bounds), Some(words)) => {
                    let bounds: Vec<u64> = bounds.into_iter().map(key).collect();
                    search(&bounds, words.into_iter().map(key))?
                }
                _ => {
                    let bounds = fixed_bytes(bounds, width)?.chunks_exact(width.bytes());
                    let bounds: Vec<[u64; 4]> = bounds.map(|value| wide_key(value, order)).collect();
                    let values = fixed_bytes(array, width)?.chunks_exact(width.bytes());
                    search(&bounds, values.map(|value| wide_key(value, order)))?
                }
            }
        }
        Kind::Bytes => {
            let (column, sorted) =
                (BytesColumn::try_new(array, "partition")?, BytesColumn::try_new(bounds, "partition")?);
            let bounds: Vec<&[u8]> = (0..bounds.len()).map(|bound| sorted.get(bound)).collect();
            search(&bounds, (0..array.len()).map(|row| column.get(row)))?
        }
        _ => return Err(types::unsupported("partition by range", data_type)),
    };
    place_nulls(&mut ranks, array, of_nulls);
    Ok(ranks)
}

fn search<T: Ord>(bounds: &[T], values: impl Iterator<Item = T>) -> Result<Vec<u32>> {
    if !bounds.is_sorted() {
        return Err(Error::invalid_plan("bounds ascend", ""));
    }
    Ok(values.map(|value| bounds.partition_point(|bound| *bound <= value) as u32).collect())
}

/// Four words, the highest first, that are ordered as the values are.
fn wide_key(value: &[u8], order: Order) -> [u64; 4] {
    let mut key = [0; 4];
    let first = 4 - value.len() / 8;
    for (place, word) in key[first..].iter_mut().rev().zip(wide_words(value)) {
        *place = word;
    }
    key[first] = key[first].to_key(order);
    key
}

fn place_nulls(ranks: &mut [u32], array: &dyn Array, of_nulls: u32) {
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (rank, valid) in ranks.iter_mut().zip(nulls) {
            if !valid {
                *rank = of_nulls;
            }
        }
    }
}

/// Bounds for parts of about the same number of rows, from a sample of the column: its quantiles. As many as there are parts but
/// one; none when the sample has no value. Nulls are left out.
///
/// # Errors
/// [`Error::UnsupportedType`] for types without an order; [`Error::InvalidPlan`] for a number of parts that cannot be.
pub fn quantiles(sample: &dyn Array, parts: usize) -> Result<ArrayRef> {
    check_parts(parts)?;
    let expanded = runs::expand(sample)?;
    let sample = expanded.as_deref().unwrap_or(sample);
    if let Some(dictionary) = sample.as_any_dictionary_opt() {
        let values = dictionary.values();
        let keys = types::value_places(dictionary).into_iter().zip(0..);
        let valid = keys.filter(|&(_, row)| sample.is_valid(row)).map(|(key, _)| key as u32);
        return quantiles(take(values.as_ref(), &Indices::try_new(valid.collect(), values.len())?)?.as_ref(), parts);
    }
    let order = sort_to_indices(sample, SortOptions::default(), None)?;
    let values = sample.len() - sample.logical_null_count();
    let bounds = match values {
        0 => Vec::new(),
        _ => {
            (1..parts).map(|part| order.as_slice()[(part as u128 * values as u128 / parts as u128) as usize]).collect()
        }
    };
    take(sample, &Indices::try_new(bounds, sample.len())?)
}
