//! A table in parts: by the hash of its keys, or by ranges of one column.
//!
//! Each row gets the number of its part, then one pass counts the rows of each part and one writes the row numbers, so that a
//! part's rows keep their order. Cost: the key columns once, 4 bytes per row out, in and out again.
//!
//! * [`hash_rows`] – a hash that is the same in every process and on every machine, and for the same value in every layout
//!   (`hash.rs` defines it).
//! * [`parts_by_range`] – bounds and a binary search for each row; [`quantiles`] finds bounds for parts of about the same size.
//! * [`Permutation`] – all numbers below a bound in an order that a seed gives, without a list of them.

mod hash;
mod permutation;
mod range;

use arrow_array::Array;

pub use hash::hash_rows;
pub use permutation::Permutation;
pub use range::{parts_by_range, quantiles};

use crate::query::Nulls;
use crate::{Error, Indices, Result};

/// The most parts that there can be.
pub const MOST_PARTS: usize = 1 << 16;

/// Checks a number of parts.
fn check_parts(parts: usize) -> Result<()> {
    match parts {
        1..=MOST_PARTS => Ok(()),
        _ => Err(Error::invalid_plan("there can be from 1 to 65536 parts", "")),
    }
}

/// The part of each row by the hash of its keys: `hash · parts / 2⁶⁴`.
///
/// # Errors
/// As [`hash_rows`]; [`Error::InvalidPlan`] for no part or more than [`MOST_PARTS`].
pub fn parts_by_hash(columns: &[&dyn Array], parts: usize) -> Result<Vec<u32>> {
    check_parts(parts)?;
    let hashes = hash_rows(columns)?;
    Ok(hashes.into_iter().map(|hash| ((u128::from(hash) * parts as u128) >> 64) as u32).collect())
}

/// The rows of each part by the hash of their keys, in their order.
///
/// # Errors
/// As [`parts_by_hash`].
///
/// ```
/// # use arrow_array::{Int32Array, StringArray};
/// let (day, origin) = (Int32Array::from(vec![1, 2, 1]), StringArray::from(vec!["JFK", "EWR", "JFK"]));
/// let parts = kernels::partition::partition_by_hash(&[&day, &origin], 4)?;
/// assert_eq!(parts.iter().map(|rows| rows.len()).sum::<usize>(), 3);
/// assert!(parts.iter().any(|rows| rows.as_slice().starts_with(&[0]) && rows.as_slice().ends_with(&[2])));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn partition_by_hash(columns: &[&dyn Array], parts: usize) -> Result<Vec<Indices>> {
    split(&parts_by_hash(columns, parts)?, parts)
}

/// The rows of each part by ranges of a column, in their order; see [`parts_by_range`].
///
/// # Errors
/// As [`parts_by_range`].
///
/// ```
/// # use arrow_array::Int32Array;
/// # use kernels::{partition::partition_by_range, query::Nulls};
/// let (values, bounds) = (Int32Array::from(vec![Some(5), None, Some(1), Some(9)]), Int32Array::from(vec![5, 7]));
/// let parts = partition_by_range(&values, &bounds, 3, Nulls::Last)?;
/// assert_eq!(parts.iter().map(|rows| rows.as_slice().to_vec()).collect::<Vec<_>>(), [vec![2], vec![0], vec![1, 3]]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn partition_by_range(column: &dyn Array, bounds: &dyn Array, parts: usize, nulls: Nulls) -> Result<Vec<Indices>> {
    split(&parts_by_range(column, bounds, parts, nulls)?, parts)
}

/// The rows of each part, in their order: one pass that counts, one that writes.
///
/// # Errors
/// [`Error::TooManyRows`]; [`Error::IndexOutOfBounds`] for a part that is not below `parts`.
pub fn split(part_of_rows: &[u32], parts: usize) -> Result<Vec<Indices>> {
    check_parts(parts)?;
    let bound = part_of_rows.len();
    let rows = u32::try_from(bound).map_err(|_| Error::too_many_rows(bound))?;
    let mut counts = vec![0usize; parts];
    for (position, &part) in part_of_rows.iter().enumerate() {
        match counts.get_mut(part as usize) {
            Some(count) => *count += 1,
            None => return Err(Error::index_out_of_bounds(position, part, parts)),
        }
    }
    let mut lists: Vec<Vec<u32>> = counts.into_iter().map(Vec::with_capacity).collect();
    for (row, &part) in (0..rows).zip(part_of_rows) {
        lists[part as usize].push(row);
    }
    Ok(lists.into_iter().map(|rows| Indices::new_unchecked(rows, bound)).collect())
}
