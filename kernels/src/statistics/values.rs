//! The different values of a column, and how often each comes.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};

use crate::query::{AggregateFunction, Nulls};
use crate::sort::{SortKey, SortOptions, sort_keys_to_indices};
use crate::take::take;
use crate::types::one_type;
use crate::{Error, GroupBy, Result};

/// Values and how often they come, the most frequent first.
#[derive(Debug, Clone)]
pub struct ValueCounts {
    /// The values, null among them when it comes.
    pub values: ArrayRef,
    /// How often each comes.
    pub counts: Int64Array,
    /// Different values in all, null among them: as many as `values` has, or more when there was a limit.
    pub distinct: usize,
}

/// The most frequent values of a column, at most `limit` of them. Of values that come equally often, the one that came
/// first stands first.
///
/// `O(rows)` to count and `O(distinct)` to choose.
///
/// # Errors
/// [`Error::UnsupportedType`] for nested types; [`Error::SchemaMismatch`] when the chunks' types differ;
/// [`Error::InvalidPlan`] without chunks.
///
/// ```
/// # use arrow_array::{Array, StringArray, cast::AsArray};
/// let column = StringArray::from(vec!["b", "a", "c", "a"]);
/// let found = kernels::statistics::value_counts(&[&column], Some(2))?;
/// assert_eq!((found.values.as_string::<i32>().value(0), found.counts.value(0)), ("a", 2));
/// assert_eq!((found.values.len(), found.distinct), (2, 3));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn value_counts(chunks: &[&dyn Array], limit: Option<usize>) -> Result<ValueCounts> {
    let state = grouped(chunks, &[(AggregateFunction::Count, Vec::new())])?;
    let values = first(state.key_arrays()?)?;
    let counts = first(state.aggregate_arrays()?)?;
    let options = SortOptions { descending: true, nulls: Nulls::Last };
    let order = sort_keys_to_indices(&[SortKey { chunks: vec![counts.as_ref()], options }], limit)?;
    let counts = take(counts.as_ref(), &order)?.as_primitive::<Int64Type>().clone();
    Ok(ValueCounts { values: take(values.as_ref(), &order)?, counts, distinct: state.groups() })
}

/// The different values of a column, null among them, in the order of their first rows. `O(rows)`.
///
/// # Errors
/// As [`value_counts`].
pub fn unique(chunks: &[&dyn Array]) -> Result<ArrayRef> {
    first(grouped(chunks, &[])?.key_arrays()?)
}

/// How many different values a column has, null among them. `O(rows)`.
///
/// # Errors
/// As [`value_counts`].
pub fn count_distinct(chunks: &[&dyn Array]) -> Result<usize> {
    Ok(grouped(chunks, &[])?.groups())
}

fn first(arrays: Vec<ArrayRef>) -> Result<ArrayRef> {
    arrays.into_iter().next().ok_or_else(no_chunks)
}

fn no_chunks() -> Box<Error> {
    Error::invalid_plan("a column without chunks has no type", "")
}

fn grouped(chunks: &[&dyn Array], aggregates: &[(AggregateFunction, Vec<arrow_schema::DataType>)]) -> Result<GroupBy> {
    let data_type = one_type(chunks)?.ok_or_else(no_chunks)?;
    let mut state = GroupBy::try_new(std::slice::from_ref(data_type), aggregates)?;
    for chunk in chunks {
        state.update(chunk.len(), &[*chunk], &vec![Vec::new(); aggregates.len()])?;
    }
    Ok(state)
}
