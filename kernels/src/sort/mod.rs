//! `sort_to_indices`: the row numbers that put a table in order.
//!
//! The keys of a row, less all that does not tell rows apart, become one 64-bit **code** (`code.rs`), from words that
//! are ordered as the values are (`column.rs`). The rows are spread by the highest bits of their codes into
//! partitions that fit the cache; there a word for each row, the next bits of its code above its place, is sorted by
//! radix (`spread.rs`, `radix.rs`). Only rows whose 64 bits are equal and not their whole keys are looked at again
//! (`ties.rs`). A limit first
//! throws out rows that cannot come among the first ones (`top.rs`). All of it goes in steps of a few rows where somebody
//! wants to rest between them (`steps.rs`).
//!
//! The sort is stable: equal rows keep their order. Floats are in IEEE 754 total order, as in arrow-ord:
//! −NaN < −∞ < … < −0.0 < 0.0 < … < ∞ < NaN. Text is in byte order.

mod code;
mod column;
mod radix;
mod ranks;
mod rows;
mod scatter;
mod select;
mod spread;
mod steps;
mod ties;
mod top;

use arrow_array::Array;
use arrow_schema::DataType;
pub use rows::RowOrder;
pub(crate) use scatter::Scatter;
pub(crate) use select::{select, sort_by};
pub use steps::SortSteps;

use crate::query::Nulls;
use crate::types::{self, Kind, Order};
use crate::{Indices, Result, runs};

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
/// [`crate::Error::UnsupportedType`] for nested types and intervals of several units; [`crate::Error::TooManyRows`].
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
/// As [`sort_to_indices`]; [`crate::Error::LengthMismatch`] when keys have different numbers of rows;
/// [`crate::Error::InvalidPlan`] without keys.
pub fn sort_keys_to_indices(keys: &[SortKey<'_>], limit: Option<usize>) -> Result<Indices> {
    let mut steps = SortSteps::new(limit);
    steps.step(keys, usize::MAX)?;
    steps.finish()
}

/// Whether a type has an order.
pub(crate) fn check_type(data_type: &DataType) -> Result<()> {
    let data_type = runs::plain_type(data_type);
    match (types::kind(data_type), data_type) {
        (_, DataType::Dictionary(_, values)) => check_type(values),
        (Kind::Nested | Kind::Fixed(_, Order::None), _) => Err(types::unsupported("sort", data_type)),
        _ => Ok(()),
    }
}
