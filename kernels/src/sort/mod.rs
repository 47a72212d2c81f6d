//! `sort_to_indices`: the row numbers that put a table in order.
//!
//! The keys of a row, less all that does not tell rows apart, become one 64-bit **code** (`code.rs`), from words that
//! are ordered as the values are (`column.rs`). The rows are spread by the highest bits of their codes into
//! partitions that fit the cache; there a word for each row, the next bits of its code above its place, is sorted by
//! radix (`radix.rs`). Only rows whose 64 bits are equal and not their whole keys are looked at again. A limit first
//! throws out rows that cannot come among the first ones (`top.rs`).
//!
//! The sort is stable: equal rows keep their order. Floats are in IEEE 754 total order, as in arrow-ord:
//! −NaN < −∞ < … < −0.0 < 0.0 < … < ∞ < NaN. Text is in byte order.

mod code;
mod column;
mod radix;
mod scatter;
mod top;

use arrow_array::Array;
use arrow_schema::DataType;
use code::Encoder;
use column::{Column, Rows};
use radix::Sorter;
pub(crate) use scatter::Scatter;

use crate::bitcode::BLOCK;
use crate::query::Nulls;
use crate::types::{self, Kind, Order};
use crate::{Error, Indices, Result};

/// Direction and place of nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SortOptions {
    /// From the greatest to the least.
    pub descending: bool,
    /// Where nulls stand, whatever the direction.
    pub nulls: Nulls,
}

/// One key of a sort: a column, in one or many chunks.
#[derive(Debug, Clone)]
pub struct SortKey<'a> {
    /// The column's chunks, all of one type.
    pub chunks: Vec<&'a dyn Array>,
    /// Direction and place of nulls.
    pub options: SortOptions,
}

/// The order of one column's rows: the first `limit` row numbers, or all.
///
/// `O(rows)` where 64 bits tell the rows apart, which numbers, dates and most short text need less than; else
/// `O(rows log rows)` comparisons among rows that 64 bits leave equal. Bytes touched: the column two or three times,
/// 8 bytes of scratch per row out and in, 4 bytes per row out.
///
/// # Errors
/// [`Error::UnsupportedType`] for nested types and intervals of several units; [`Error::TooManyRows`].
///
/// ```
/// # use arrow_array::Int32Array;
/// let values = Int32Array::from(vec![Some(3), None, Some(1)]);
/// let order = kernels::sort_to_indices(&values, kernels::SortOptions::default(), None)?;
/// assert_eq!(order.as_slice(), [2, 0, 1]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn sort_to_indices(array: &dyn Array, options: SortOptions, limit: Option<usize>) -> Result<Indices> {
    sort_keys_to_indices(&[SortKey { chunks: vec![array], options }], limit)
}

/// The order of a table's rows by several keys, the most significant first.
///
/// # Errors
/// As [`sort_to_indices`]; [`Error::LengthMismatch`] when keys have different numbers of rows;
/// [`Error::InvalidPlan`] without keys.
pub fn sort_keys_to_indices(keys: &[SortKey<'_>], limit: Option<usize>) -> Result<Indices> {
    let lengths: Vec<usize> = keys.iter().map(|key| key.chunks.iter().map(|chunk| chunk.len()).sum()).collect();
    let Some(&rows) = lengths.first() else {
        return Err(Error::InvalidPlan { reason: "a sort needs at least one key", detail: String::new() });
    };
    if let Some(&found) = lengths.iter().find(|&&length| length != rows) {
        return Err(Error::LengthMismatch { expected: rows, found });
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::TooManyRows { rows });
    }
    let limit = limit.unwrap_or(rows).min(rows);
    let columns =
        keys.iter().map(|key| Column::try_new(&key.chunks, key.options)).collect::<Result<Vec<Column<'_>>>>()?;
    let candidates = top::candidates(&columns[0], rows, limit)?;
    let chosen = match &candidates {
        Some(list) => Rows::List(list),
        None => Rows::All(rows),
    };
    let mut order = vec![0; chosen.len()];
    sort_rows(&columns, chosen, &mut order, 0)?;
    order.truncate(limit);
    Ok(Indices::new_unchecked(order, rows))
}

/// Whether a type has an order.
pub(crate) fn check_type(data_type: &DataType) -> Result<()> {
    match (types::kind(data_type), data_type) {
        (_, DataType::Dictionary(_, values)) => check_type(values),
        (Kind::Nested | Kind::Fixed(_, Order::None), _) => Err(types::unsupported("sort", data_type)),
        _ => Ok(()),
    }
}

/// Writes the rows into `order`, sorted.
fn sort_rows(columns: &[Column<'_>], rows: Rows<'_>, order: &mut [u32], depth: usize) -> Result<()> {
    let encoder = Encoder::try_new(columns, rows)?;
    let length = rows.len();
    if encoder.sorted || encoder.bits == 0 && encoder.complete || length < 2 {
        copy(rows, order);
        return Ok(());
    }
    // Bits of a place, of the part of a code that stands beside it, and of the part that chooses the partition.
    let places = usize::BITS - (length - 1).leading_zeros();
    let wanted = (places.saturating_sub(PARTITION)).min(MOST_PARTITIONS).min(encoder.bits);
    // Few bits are best spread at once.
    let top = if places > PARTITION && encoder.bits <= 11 { encoder.bits } else { wanted };
    let below = encoder.bits - top;
    let drop = (below + places).saturating_sub(64);
    let exact = encoder.complete && drop == 0;
    let entry = |code: u64, place: usize| match below {
        0 => place as u64,
        _ => (code << (64 - below) >> (64 - below) >> drop) << places | place as u64,
    };
    let mut starts = vec![0u32; (1 << top) + 1];
    let mut block = [0u64; BLOCK];
    if top > 0 {
        let mut sorted = true;
        let mut last = 0;
        for at in (0..length).step_by(BLOCK) {
            let codes = &mut block[..BLOCK.min(length - at)];
            encoder.fill(rows, at, codes)?;
            codes.iter().for_each(|code| starts[(code >> below) as usize + 1] += 1);
            sorted = sorted && last <= codes[0] && codes.is_sorted();
            last = codes[codes.len() - 1];
        }
        if sorted && encoder.complete {
            copy(rows, order);
            return Ok(());
        }
        (1..starts.len()).for_each(|partition| starts[partition] += starts[partition - 1]);
    } else {
        starts[1] = length as u32;
    }
    let mut ends = starts.clone();
    if below == 0 && exact {
        for at in (0..length).step_by(BLOCK) {
            let codes = &mut block[..BLOCK.min(length - at)];
            encoder.fill(rows, at, codes)?;
            for (position, &code) in (at as u32..).zip(codes.iter()) {
                let end = &mut ends[code as usize];
                order[*end as usize] = rows.get(position);
                *end += 1;
            }
        }
        return Ok(());
    }
    let mut scatter = Scatter::new(length, &starts);
    for at in (0..length).step_by(BLOCK) {
        let codes = &mut block[..BLOCK.min(length - at)];
        encoder.fill(rows, at, codes)?;
        for (position, &code) in (at..).zip(codes.iter()) {
            let partition = if top == 0 { 0 } else { (code >> below) as usize };
            scatter.push(partition, entry(code, position));
        }
    }
    let entries = scatter.finish();
    let mut sorter = Sorter::new();
    for bounds in starts.windows(2) {
        let (start, end) = (bounds[0] as usize, bounds[1] as usize);
        let (entries, order) = (&mut entries[start..end], &mut order[start..end]);
        sorter.sort(entries, places);
        let mask = (1u64 << places) - 1;
        order.iter_mut().zip(&*entries).for_each(|(row, entry)| *row = rows.get((entry & mask) as u32));
        if !exact {
            if encoder.complete {
                sort_dropped(&encoder, entries, places, order)?;
            } else {
                // Codes that told nothing apart will not do so again.
                sort_ties(columns, entries, places, order, if encoder.bits == 0 { DEEP } else { depth })?;
            }
        }
    }
    Ok(())
}

/// Rows of a partition, as a power of two: 64 kB of entries.
const PARTITION: u32 = 12;
/// The most partitions, as a power of two.
const MOST_PARTITIONS: u32 = 11;
/// Ties up to this many are compared.
const FEW_TIES: usize = 64;
/// Beyond so many codes for the same rows, comparisons are cheaper, whatever their number.
const DEEP: usize = 8;

fn copy(rows: Rows<'_>, order: &mut [u32]) {
    match rows {
        Rows::All(_) => order.iter_mut().zip(0..).for_each(|(row, position)| *row = position),
        Rows::List(list) => order.copy_from_slice(list),
    }
}

/// Calls `each(start, end)` for the runs of entries that are equal but for their places.
fn for_each_tie(entries: &[u64], places: u32, mut each: impl FnMut(usize, usize) -> Result<()>) -> Result<()> {
    let mut start = 0;
    for end in 1..=entries.len() {
        if end == entries.len() || entries[end] >> places != entries[start] >> places {
            if end - start > 1 {
                each(start, end)?;
            }
            start = end;
        }
    }
    Ok(())
}

/// Puts rows in order whose codes are whole, but whose entries had no room for the lowest bits of them. The codes of
/// all of these rows are fetched together, so that the cache misses overlap.
fn sort_dropped(encoder: &Encoder<'_, '_>, entries: &[u64], places: u32, order: &mut [u32]) -> Result<()> {
    let mut list = Vec::new();
    let mut ties = Vec::new();
    for_each_tie(entries, places, |start, end| {
        list.extend_from_slice(&order[start..end]);
        ties.push((start, end));
        Ok(())
    })?;
    let mut codes = vec![0u64; list.len()];
    for at in (0..list.len()).step_by(BLOCK) {
        let end = list.len().min(at + BLOCK);
        encoder.fill(Rows::List(&list), at, &mut codes[at..end])?;
    }
    let mut rest = &codes[..];
    let mut pairs: Vec<(u64, u32)> = Vec::new();
    for (start, end) in ties {
        let (codes, after) = rest.split_at(end - start);
        rest = after;
        if !codes.is_sorted() {
            pairs.clear();
            // Rows of equal codes stand in their order, and a row's number is unique.
            pairs.extend(codes.iter().copied().zip(order[start..end].iter().copied()));
            pairs.sort_by_key(|pair| pair.0);
            order[start..end].iter_mut().zip(&pairs).for_each(|(row, pair)| *row = pair.1);
        }
    }
    Ok(())
}

/// Puts rows in order whose codes are equal and not their whole keys.
fn sort_ties(columns: &[Column<'_>], entries: &[u64], places: u32, order: &mut [u32], depth: usize) -> Result<()> {
    for_each_tie(entries, places, |start, end| {
        let ties = &mut order[start..end];
        if ties.len() > FEW_TIES && depth < DEEP {
            let list = ties.to_vec();
            return sort_rows(columns, Rows::List(&list), ties, depth + 1);
        }
        ties.sort_by(|&a, &b| {
            let mut orders = columns.iter().map(|column| column.compare(a, b));
            orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(())
    })
}
