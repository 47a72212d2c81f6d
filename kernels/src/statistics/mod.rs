//! What a column holds, at a glance: its extremes, its nulls, its shape and its most frequent values.
//!
//! For the headers of tables and for menus of values. Everything is computed over chunks, in one pass or two.

mod histogram;
mod values;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};

pub use histogram::{Histogram, edges, extent, histogram, is_measured};
pub use values::{ValueCounts, count_distinct, unique, value_counts};

use crate::group::output_type;
use crate::query::AggregateFunction;
use crate::types::one_type;
use crate::{GroupBy, Result};

/// The extremes and the nulls of a column.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Rows.
    pub rows: usize,
    /// Rows that are null.
    pub nulls: usize,
    /// The least value, an array of one row, null where there is none; `None` for a type without order.
    pub min: Option<ArrayRef>,
    /// The greatest value, likewise.
    pub max: Option<ArrayRef>,
    /// The mean of numbers; `None` for other types, and without values.
    pub mean: Option<f64>,
}

/// Sums a column up. One pass; `O(rows)`.
///
/// # Errors
/// [`crate::Error::SchemaMismatch`] when the chunks' types differ.
///
/// ```
/// # use arrow_array::{Array, Int32Array, cast::AsArray, types::Int32Type};
/// let column = Int32Array::from(vec![Some(4), None, Some(1)]);
/// let summary = kernels::statistics::summarize(&[&column])?;
/// assert_eq!((summary.rows, summary.nulls, summary.mean), (3, 1, Some(2.5)));
/// assert_eq!(summary.min.map(|min| min.as_primitive::<Int32Type>().value(0)), Some(1));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn summarize(chunks: &[&dyn Array]) -> Result<Summary> {
    use AggregateFunction as F;
    let mut summary = Summary { rows: 0, nulls: 0, min: None, max: None, mean: None };
    let Some(data_type) = one_type(chunks)? else { return Ok(summary) };
    let able = |function: &F| output_type(*function, std::slice::from_ref(data_type)).is_ok();
    let functions: Vec<F> = [F::Min, F::Max, F::Mean].into_iter().filter(able).collect();
    let aggregates: Vec<_> = functions.iter().map(|&function| (function, vec![data_type.clone()])).collect();
    let mut state = GroupBy::try_new(&[], &aggregates)?;
    for chunk in chunks {
        summary.rows += chunk.len();
        summary.nulls += chunk.logical_null_count();
        state.update(chunk.len(), &[], &vec![vec![*chunk]; aggregates.len()])?;
    }
    for (function, array) in functions.into_iter().zip(state.aggregate_arrays()?) {
        match function {
            F::Min => summary.min = Some(array),
            F::Max => summary.max = Some(array),
            _ => {
                summary.mean =
                    array.as_primitive_opt::<Float64Type>().filter(|mean| mean.is_valid(0)).map(|mean| mean.value(0))
            }
        }
    }
    Ok(summary)
}
