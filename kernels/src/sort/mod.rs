//! `sort_to_indices`: the row numbers that put a table in order.
//!
//! Every key becomes a 64-bit **prefix** whose order is the value's order (`column.rs`): for numbers the
//! prefix is the whole key, for text the first eight bytes. Rows are sorted by (prefix, row number), by
//! radix when there are many (`radix.rs`), and what the prefix leaves equal is compared in full. The next
//! key then sorts only inside the runs that the keys before it left equal. A limit first throws out rows
//! that cannot come among the first ones (`top.rs`).
//!
//! The sort is stable: equal rows keep their order. Floats are in IEEE 754 total order, as in arrow-ord:
//! −NaN < −∞ < … < −0.0 < 0.0 < … < ∞ < NaN. Text is in byte order.

mod column;
mod radix;
mod top;

use arrow_array::Array;
use arrow_schema::DataType;
use column::Column;

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
/// `O(rows)` for numbers (radix), `O(rows log rows)` comparisons for text with equal prefixes; 16 bytes
/// of scratch per row, twice.
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
    let mut order: Vec<u32> = Vec::new();
    // Half-open ranges of `order` whose rows are equal by the keys so far.
    let mut ties: Vec<(usize, usize)> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let column = Column::try_new(&key.chunks)?;
        if position == 0 {
            order = top::candidates(&column, key.options, rows, limit);
            ties.push((0, order.len()));
        }
        let mut next = Vec::new();
        for &(start, end) in ties.iter().take_while(|range| range.0 < limit) {
            sort_range(&mut order[start..end], &column, key.options, start, &mut next);
        }
        ties = next;
        if ties.is_empty() {
            break;
        }
    }
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

/// A row on its way: its prefix in the direction of the sort, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    prefix: u64,
    row: u32,
}

/// Sorts rows that are equal by the keys before; appends the ranges that are still equal, moved by `base`.
fn sort_range(
    rows: &mut [u32],
    column: &Column<'_>,
    options: SortOptions,
    base: usize,
    ties: &mut Vec<(usize, usize)>,
) {
    let (valid, nulls) = split_nulls(rows, column);
    let (valid_at, nulls_at) = match options.nulls {
        Nulls::First => (nulls.len(), 0),
        Nulls::Last => (0, valid.len()),
    };
    let mut entries: Vec<Entry> = valid
        .into_iter()
        .map(|row| {
            let prefix = column.prefix(row);
            Entry { prefix: if options.descending { !prefix } else { prefix }, row }
        })
        .collect();
    radix::sort(&mut entries);
    let null_tie = (nulls.len() > 1).then_some((base + nulls_at, base + nulls_at + nulls.len()));
    if options.nulls == Nulls::First {
        ties.extend(null_tie);
    }
    let mut start = 0;
    while start < entries.len() {
        let prefix = entries[start].prefix;
        let mut end = start + 1;
        while end < entries.len() && entries[end].prefix == prefix {
            end += 1;
        }
        if end - start > 1 {
            sort_equal_prefixes(&mut entries[start..end], column, options.descending, base + valid_at + start, ties);
        }
        start = end;
    }
    for (slot, entry) in rows[valid_at..].iter_mut().zip(&entries) {
        *slot = entry.row;
    }
    rows[nulls_at..nulls_at + nulls.len()].copy_from_slice(&nulls);
    if options.nulls == Nulls::Last {
        ties.extend(null_tie);
    }
}

fn split_nulls(rows: &[u32], column: &Column<'_>) -> (Vec<u32>, Vec<u32>) {
    if !column.has_nulls() {
        return (rows.to_vec(), Vec::new());
    }
    rows.iter().partition(|&&row| column.is_valid(row))
}

/// Finishes a run whose prefixes are equal: compares in full, and reports what stays equal.
fn sort_equal_prefixes(
    run: &mut [Entry],
    column: &Column<'_>,
    descending: bool,
    base: usize,
    ties: &mut Vec<(usize, usize)>,
) {
    if column.prefix_is_key() {
        ties.push((base, base + run.len()));
        return;
    }
    run.sort_unstable_by(|a, b| {
        let order = column.compare(a.row, b.row);
        (if descending { order.reverse() } else { order }).then(a.row.cmp(&b.row))
    });
    let mut start = 0;
    for end in 1..=run.len() {
        if end == run.len() || column.compare(run[start].row, run[end].row).is_ne() {
            if end - start > 1 {
                ties.push((base + start, base + end));
            }
            start = end;
        }
    }
}
