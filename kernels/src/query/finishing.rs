//! The end of a grouping in steps, for whoever has one thread and other things to do on it.
//!
//! Groups become batches of at most 65,536: a step makes the keys of one, or one of its aggregates. A sort goes by
//! [`SortSteps`] over these, and then each step takes as many groups in their order. What is cut no smaller are aggregates
//! that look at all rows for each batch (medians and quantiles: some milliseconds for a million rows). [`Execution::finish`]
//! gives the same as one batch.

use arrow_array::{ArrayRef, RecordBatch};

use super::bind::BoundPlan;
use super::execute::{Execution, State, project, sort_key, take_projected};
use crate::group::GroupBy;
use crate::sort::{SortKey, SortSteps};
use crate::{Error, Indices, Result, arrays};

/// Groups of a batch.
const GROUPS: usize = 1 << 16;

/// The result of a grouping in the making.
#[derive(Debug)]
pub struct Finishing {
    plan: BoundPlan,
    state: Box<GroupBy>,
    /// Columns of the batch that is being made.
    columns: Vec<ArrayRef>,
    /// Groups that are in batches.
    made: usize,
    groups: Vec<RecordBatch>,
    sort: SortSteps,
    /// The groups in order, those of them that are taken, and the batches of these.
    order: Option<Indices>,
    taken: usize,
    result: Vec<RecordBatch>,
}

impl Execution {
    /// The end of a grouping to be made in steps.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] when the plan is not grouped.
    pub fn finishing(self) -> Result<Finishing> {
        let Self { plan, state: State::Group { state }, .. } = self else {
            return Err(Error::invalid_plan("the plan is not grouped", ""));
        };
        let sort = SortSteps::new(plan.limit.map(|limit| plan.offset.saturating_add(limit)));
        let (columns, groups, result) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Finishing { plan, state, columns, made: 0, groups, sort, order: None, taken: 0, result })
    }
}

impl Finishing {
    /// A step: of the sort it does about as much as so many rows take. Whether all is done.
    ///
    /// # Errors
    /// What the kernels report, such as [`Error::Overflow`].
    pub fn step(&mut self, rows: usize) -> Result<bool> {
        let groups = self.state.groups();
        if self.made < groups || self.groups.is_empty() {
            self.make(groups)?;
            return Ok(false);
        }
        if self.plan.sort.is_empty() {
            let (mut skip, mut left) = (self.plan.offset, self.plan.limit.unwrap_or(usize::MAX));
            for batch in std::mem::take(&mut self.groups) {
                let start = skip.min(batch.num_rows());
                let rows = left.min(batch.num_rows() - start);
                (skip, left) = (skip - start, left - rows);
                self.result.push(project(&batch.slice(start, rows), &self.plan.columns, &self.plan.output)?);
            }
            return Ok(true);
        }
        let Some(order) = &self.order else {
            let keys: Vec<SortKey<'_>> =
                self.plan.sort.iter().map(|(column, options)| sort_key(&self.groups, *column, *options)).collect();
            if self.sort.step(&keys, rows)? {
                let sort = std::mem::replace(&mut self.sort, SortSteps::new(None));
                self.order = Some(sort.finish()?.window(self.plan.offset, self.plan.limit));
            }
            return Ok(false);
        };
        let end = order.len().min(self.taken + GROUPS);
        let next = Indices::try_new(order.as_slice()[self.taken..end].to_vec(), order.bound())?;
        self.result.push(take_projected(&self.groups, &self.plan, &next)?);
        self.taken = end;
        Ok(end == order.len())
    }

    /// The next column of the next batch; with the last one the batch.
    fn make(&mut self, groups: usize) -> Result<()> {
        let range = self.made..groups.min(self.made + GROUPS);
        let Some(grouping) = &self.plan.grouping else { return Ok(()) };
        let keys = grouping.keys.len();
        if self.columns.len() < keys {
            self.columns = self.state.key_arrays_of(range.clone())?;
        } else if let Some(number) =
            Some(self.columns.len() - keys).filter(|&number| number < grouping.aggregates.len())
        {
            self.columns.push(self.state.aggregate_array_of(number, range.clone())?);
        }
        if self.columns.len() == keys + grouping.aggregates.len() {
            let columns = std::mem::take(&mut self.columns);
            self.groups.push(arrays::batch(grouping.schema.clone(), columns, range.len())?);
            self.made = range.end;
        }
        Ok(())
    }

    /// The groups, in at least one batch; all must have been made.
    #[must_use]
    pub fn finish(self) -> Vec<RecordBatch> {
        self.result
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::query::{Aggregate, AggregateFunction as F, Nulls, Plan, SortBy};
    use crate::take::take_batches;

    fn rows(count: i64) -> RecordBatch {
        let seed = |row: i64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).unsigned_abs();
        let some = |row: i64| seed(row) % 11 > 0;
        let ids = (0..count).map(|row| (seed(row) % 97 > 0).then_some((seed(row) >> 8) as i64 % (count / 2)));
        let words = (0..count).map(|row| ["a", "bc", "a word that is too long for a window"][row as usize % 3]);
        let numbers = (0..count).map(|row| some(row).then_some((seed(row) >> 20) as i64 % 1_000));
        let floats = (0..count).map(|row| some(row + 1).then_some((seed(row) >> 30) as f64 / 8.0));
        RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(Int64Array::from_iter(ids)) as ArrayRef, true),
            ("word", Arc::new(StringArray::from_iter_values(words)), true),
            ("number", Arc::new(Int64Array::from_iter(numbers)), true),
            ("float", Arc::new(Float64Array::from_iter(floats)), true),
            ("flag", Arc::new(BooleanArray::from_iter((0..count).map(|row| some(row).then_some(row % 2 > 0)))), true),
        ])
        .unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many rows for an interpreter")]
    fn steps_give_what_one_call_gives() {
        let batch = rows(230_000);
        let aggregate = |function: F, column: &str| {
            let column = (!column.is_empty()).then(|| column.to_owned());
            Aggregate { name: Some(format!("{}{column:?}", function.name())), function, column, other: None }
        };
        let mut aggregates = vec![aggregate(F::Count, "")];
        for function in [F::Count, F::Sum, F::Mean, F::Min, F::Max, F::Median, F::Stddev, F::CountDistinct, F::First] {
            aggregates.extend(["number", "float"].map(|column| aggregate(function, column)));
        }
        for column in ["word", "flag"] {
            aggregates.extend([F::Min, F::Max, F::Last, F::CountDistinct].map(|function| aggregate(function, column)));
        }
        let key = |column: &str, descending| SortBy { column: column.to_owned(), descending, nulls: Nulls::Last };
        let sorts = [vec![], vec![key("word", true), key("id", false)], vec![key("id", true)]];
        for keys in [vec!["id", "word"], vec!["word"], vec![]] {
            for sort in &sorts {
                for (offset, limit) in [(0, None), (70_000, Some(80_000)), (3, Some(1))] {
                    let group_by: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
                    let sort = sort.iter().filter(|key| group_by.contains(&key.column)).cloned().collect();
                    let plan =
                        Plan { group_by, aggregates: aggregates.clone(), sort, offset, limit, ..Plan::default() };
                    let plan = plan.bind(&batch.schema()).unwrap();
                    let expected = plan.execute(std::slice::from_ref(&batch)).unwrap();
                    let mut execution = Execution::try_new(plan).unwrap();
                    for at in (0..batch.num_rows()).step_by(40_000) {
                        execution.push(&batch.slice(at, 40_000.min(batch.num_rows() - at))).unwrap();
                    }
                    let mut finishing = execution.finishing().unwrap();
                    let mut steps = 0;
                    while !finishing.step(10_000).unwrap() {
                        steps += 1;
                    }
                    assert!(steps >= 27, "{steps}");
                    let found = finishing.finish();
                    let count = found.iter().map(RecordBatch::num_rows).sum();
                    let found = take_batches(&expected.schema(), &found, &Indices::identity(count).unwrap()).unwrap();
                    assert_eq!(found, expected, "{keys:?} from {offset}");
                }
            }
        }
    }
}
