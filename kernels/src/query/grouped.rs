//! The grouped half of a plan: batches into a running [`GroupBy`], and its groups into the result.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use super::bind::{BoundPlan, Grouping};
use super::execute::{project, sort_key, take_projected};
use crate::error::all;
use crate::filter::Filter;
use crate::group::GroupBy;
use crate::sort::{SortKey, sort_keys_to_indices};
use crate::{Error, Mask, Result, arrays, threads};

/// Rows that are filtered and grouped at a time, where there is a filter: what it keeps stays in the cache.
const MORSEL: usize = 1 << 16;

/// Groups all rows that pass the plan's filter.
///
/// Threads take a stretch of rows each, and their groups are merged in the order of the rows. That costs by the group,
/// so it is done only when the first rows promise far fewer groups than rows.
pub(super) fn group_batches(plan: &BoundPlan, grouping: &Grouping, batches: &[RecordBatch]) -> Result<GroupBy> {
    let mut state = start_grouping(grouping, &plan.input)?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let probe = if threads::count() > 1 && rows >= threads::WORTH { MORSEL } else { rows };
    group_rows(plan, grouping, batches, 0, probe, &mut state)?;
    if probe == rows {
        return Ok(state);
    }
    // As many values drawn at random from `groups` of them would hold about this many that came before.
    let repeated = state.rows_seen().saturating_sub(state.groups()).max(1);
    let groups = state.rows_seen().saturating_mul(state.rows_seen()) / (2 * repeated);
    if groups > rows / 8 {
        group_rows(plan, grouping, batches, probe, rows, &mut state)?;
        return Ok(state);
    }
    let ranges = threads::ranges(rows - probe, 1).into_iter();
    let tasks = all(ranges.map(|range| Ok((start_grouping(grouping, &plan.input)?, range))))?;
    let states = threads::try_map(tasks, |(mut state, range)| {
        group_rows(plan, grouping, batches, probe + range.start, probe + range.end, &mut state)?;
        Ok(state)
    })?;
    states.iter().try_for_each(|other| state.merge(other))?;
    Ok(state)
}

/// Adds the rows from `start` to `end`, counted over all batches.
fn group_rows(
    plan: &BoundPlan,
    grouping: &Grouping,
    batches: &[RecordBatch],
    start: usize,
    end: usize,
    state: &mut GroupBy,
) -> Result<()> {
    let most = if plan.filter.is_some() { MORSEL } else { usize::MAX };
    let mut first = 0;
    for batch in batches {
        let last = first + batch.num_rows();
        let mut from = start.clamp(first, last) - first;
        let to = end.clamp(first, last) - first;
        while from < to {
            let count = most.min(to - from);
            let slice = batch.slice(from, count);
            update_grouping(state, grouping, &slice, plan.mask(&slice)?.as_ref())?;
            from += count;
        }
        first = last;
    }
    Ok(())
}

pub(super) fn start_grouping(grouping: &Grouping, input: &SchemaRef) -> Result<GroupBy> {
    let type_of = |column: usize| -> DataType { input.field(column).data_type().clone() };
    let keys: Vec<DataType> = grouping.keys.iter().map(|&key| type_of(key)).collect();
    let aggregates: Vec<_> = grouping
        .aggregates
        .iter()
        .map(|(function, columns)| (*function, columns.iter().map(|&column| type_of(column)).collect()))
        .collect();
    let name =
        |columns: &Vec<usize>| columns.first().map_or(String::new(), |&column| input.field(column).name().clone());
    let columns = grouping.aggregates.iter().map(|(_, columns)| name(columns)).collect();
    Ok(GroupBy::try_new(&keys, &aggregates)?.of_columns(columns))
}

pub(super) fn update_grouping(
    state: &mut GroupBy,
    grouping: &Grouping,
    batch: &RecordBatch,
    mask: Option<&Mask>,
) -> Result<()> {
    let rows = mask.map_or(batch.num_rows(), Mask::selected);
    let filter = mask.map(Filter::new);
    // A column that is used twice is filtered once.
    let mut cache: Vec<Option<ArrayRef>> = vec![None; batch.num_columns()];
    let columns = grouping
        .keys
        .iter()
        .copied()
        .chain(grouping.aggregates.iter().flat_map(|(_, columns)| columns.iter().copied()));
    for column in columns {
        if cache[column].is_none() {
            let array = batch.column(column);
            cache[column] = Some(match &filter {
                Some(filter) => filter.apply(array.as_ref())?,
                None => array.clone(),
            });
        }
    }
    let get = |column: usize| -> &dyn Array {
        cache[column].as_ref().map_or_else(|| batch.column(column).as_ref(), |array| array.as_ref())
    };
    let keys: Vec<&dyn Array> = grouping.keys.iter().map(|&key| get(key)).collect();
    let values: Vec<Vec<&dyn Array>> =
        grouping.aggregates.iter().map(|(_, columns)| columns.iter().map(|&column| get(column)).collect()).collect();
    state.update(rows, &keys, &values)
}

pub(super) fn finish_grouping(plan: &BoundPlan, state: &GroupBy) -> Result<RecordBatch> {
    let Some(grouping) = &plan.grouping else {
        return Err(Error::invalid_plan("the plan is not grouped", ""));
    };
    let mut columns = state.key_arrays()?;
    columns.extend(state.aggregate_arrays()?);
    let groups = arrays::batch(grouping.schema.clone(), columns, state.groups())?;
    if plan.sort.is_empty() {
        let rows = project(&groups, &plan.columns, &plan.output)?;
        let start = plan.offset.min(rows.num_rows());
        return Ok(rows.slice(start, plan.limit.unwrap_or(usize::MAX).min(rows.num_rows() - start)));
    }
    let batches = [groups];
    let keys: Vec<SortKey<'_>> =
        plan.sort.iter().map(|(column, options)| sort_key(&batches, *column, *options)).collect();
    let end = plan.limit.map(|limit| plan.offset.saturating_add(limit));
    let order = sort_keys_to_indices(&keys, end)?.window(plan.offset, plan.limit);
    take_projected(&batches, plan, &order)
}
