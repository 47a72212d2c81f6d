//! Run-end encoded columns: each run's value, written out for the kernels that look at every row.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;

use crate::take::take;
use crate::{Indices, Result};

/// The type of a column's rows: that of the runs' values where there are runs.
pub(crate) fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::RunEndEncoded(_, values) if cfg!(feature = "unions") => values.data_type(),
        other => other,
    }
}

/// The rows written out, of a run-end encoded column; `None` of any other. `O(rows)`.
pub(crate) fn expand(array: &dyn Array) -> Result<Option<ArrayRef>> {
    fn of<R: RunEndIndexType>(array: &dyn Array) -> Option<Result<ArrayRef>> {
        let runs = array.as_run_opt::<R>()?;
        let ends = runs.run_ends();
        let (start, end) = (ends.offset(), ends.offset() + ends.len());
        let mut rows = Vec::with_capacity(ends.len());
        let mut from = start;
        let first = ends.values().partition_point(|&end| end.as_usize() <= start);
        for (run, &to) in (first as u32..).zip(&ends.values()[first..]) {
            let to = to.as_usize().min(end);
            rows.resize(rows.len() + to - from, run);
            from = to;
            if from == end {
                break;
            }
        }
        Some(Indices::try_new(rows, runs.values().len()).and_then(|rows| take(runs.values().as_ref(), &rows)))
    }
    if !cfg!(feature = "unions") || !matches!(array.data_type(), DataType::RunEndEncoded(..)) {
        return Ok(None);
    }
    let expanded = of::<Int32Type>(array).or_else(|| of::<Int16Type>(array)).or_else(|| of::<Int64Type>(array));
    expanded.transpose()
}

/// Arrays without runs: the given ones, unless one of them has some.
pub(crate) fn expand_all<'a>(
    arrays: &'a [&'a dyn Array],
    keep: &'a mut Vec<ArrayRef>,
) -> Result<Cow<'a, [&'a dyn Array]>> {
    if !cfg!(feature = "unions") || !arrays.iter().any(|array| matches!(array.data_type(), DataType::RunEndEncoded(..)))
    {
        return Ok(Cow::Borrowed(arrays));
    }
    for array in arrays {
        keep.push(match expand(*array)? {
            Some(expanded) => expanded,
            None => array.slice(0, array.len()),
        });
    }
    Ok(Cow::Owned(keep.iter().map(|array| array.as_ref()).collect()))
}
