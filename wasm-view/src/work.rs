//! The view's rows in the making: some thousand rows at a time, so that whoever asks can paint in between, tell how far it
//! is, or stop.
//!
//! Filters and groups go slice by slice. A sort comes at the end: in one piece, which is fastest, or in steps (`sorting.rs`) where
//! a page would stand still meanwhile.

use kernels::query::{Execution, Plan, Selecting};
use kernels::{Error, Result};

use crate::sorting::Sorting;
use crate::table::Table;
use crate::view::Rows;

#[derive(Debug)]
enum Job {
    /// All rows, as they are.
    Nothing,
    Select(Box<Selecting>),
    Group(Box<Execution>),
    Sort(Box<Sorting>),
}

/// The share of looking at rows that are sorted in steps then.
const LOOKING: f64 = 0.2;

/// A query over a table that stays as it is meanwhile.
#[derive(Debug)]
pub(crate) struct Work {
    job: Job,
    /// What is to be sorted in steps once all rows have been looked at.
    sort: Option<Plan>,
    row: usize,
    rows: usize,
}

impl Work {
    /// Begins; with `cuts` a sort goes in steps, too.
    pub(crate) fn begin(plan: &Plan, table: &Table, cuts: bool) -> Result<Self> {
        let mut bound = plan.bind(&table.schema)?;
        let sort = (cuts && !plan.is_grouped() && !plan.sort.is_empty()).then(|| plan.clone());
        if sort.is_some() {
            bound = Plan { sort: Vec::new(), ..plan.clone() }.bind(&table.schema)?;
        }
        let job = if plan.is_grouped() {
            Job::Group(Box::new(Execution::try_new(bound)?))
        } else if plan.filter.is_none() && plan.sort.is_empty() {
            Job::Nothing
        } else {
            Job::Select(Box::new(Selecting::try_new(bound)?))
        };
        Ok(Self { job, sort, row: 0, rows: table.rows() })
    }

    /// Looks at so many more rows; gives the share of them that has been looked at.
    pub(crate) fn step(&mut self, table: &Table, rows: usize) -> Result<f64> {
        if let Job::Sort(sorting) = &mut self.job {
            return Ok(LOOKING + (1.0 - LOOKING) * sorting.step(table)?);
        }
        // Rows that have come since are for the next time.
        let end = self.rows.min(self.row.saturating_add(rows));
        if !matches!(self.job, Job::Nothing) {
            for batch in table.range(self.row..end) {
                match &mut self.job {
                    Job::Group(execution) => drop(execution.push(&batch)?),
                    Job::Select(selecting) => selecting.push(&batch)?,
                    Job::Nothing | Job::Sort(_) => {}
                }
            }
        }
        self.row = end;
        let part = if self.rows == 0 { 1.0 } else { end as f64 / self.rows as f64 };
        if self.sort.is_none() {
            return Ok(part);
        }
        if end == self.rows
            && let Some(plan) = self.sort.take()
        {
            self.sort_in_steps(&plan, table)?;
        }
        Ok(part * LOOKING)
    }

    /// All rows have been looked at: those that were found are to be sorted.
    fn sort_in_steps(&mut self, plan: &Plan, table: &Table) -> Result<()> {
        let Job::Select(selecting) = std::mem::replace(&mut self.job, Job::Nothing) else { return Ok(()) };
        let batches = table.range(0..self.rows);
        let found = selecting.finish(&batches)?.as_slice().to_vec();
        self.job = match Sorting::new(found, plan, table) {
            Some(sorting) => Job::Sort(Box::new(sorting)),
            // What cannot be compared row by row is sorted at once.
            None => {
                let mut selecting = Selecting::try_new(plan.bind(&table.schema)?)?;
                batches.iter().try_for_each(|batch| selecting.push(batch))?;
                Job::Select(Box::new(selecting))
            }
        };
        Ok(())
    }

    /// The rows; all must have been looked at.
    pub(crate) fn finish(self, table: &Table) -> Result<Rows> {
        let is_sorted = if let Job::Sort(sorting) = &self.job { sorting.is_done() } else { self.sort.is_none() };
        if self.row < self.rows || !is_sorted {
            return Err(Error::InvalidPlan { reason: "not all rows have been looked at", detail: String::new() });
        }
        Ok(match self.job {
            Job::Nothing => Rows::All,
            Job::Sort(sorting) => Rows::Picked(sorting.finish(self.rows)?),
            Job::Select(selecting) => Rows::Picked(selecting.finish(&table.range(0..self.rows))?),
            Job::Group(execution) => match execution.finish()? {
                Some(groups) => Rows::Groups(Table::of(groups)),
                None => Rows::All,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Int32Array, RecordBatch, StringArray};
    use kernels::query::{Aggregate, AggregateFunction, CompareOp, Nulls, Predicate, Scalar, SortBy};

    use super::*;
    use crate::view::View;

    #[test]
    fn slices_find_what_one_call_finds() {
        let batch = |rows: std::ops::Range<i32>| {
            let values: ArrayRef =
                Arc::new(Int32Array::from_iter(rows.map(|row| (row % 5 > 0).then_some(row * 7 % 97))));
            RecordBatch::try_from_iter_with_nullable([("n", values, true)]).unwrap()
        };
        let mut table = Table::of(batch(0..1_000));
        table.push(batch(1_000..1_003));
        table.push(batch(1_003..2_500));
        let filter = Predicate::Compare { column: "n".into(), op: CompareOp::Gt, value: Scalar::Int(50) };
        let sort = vec![SortBy { column: "n".into(), descending: true, nulls: Nulls::Last }];
        let count = Aggregate { function: AggregateFunction::Count, column: None, other: None, name: None };
        let plans = [
            Plan::default(),
            Plan { filter: Some(filter.clone()), ..Plan::default() },
            Plan { sort: sort.clone(), ..Plan::default() },
            Plan { filter: Some(filter), sort, ..Plan::default() },
            Plan { group_by: vec!["n".into()], aggregates: vec![count], ..Plan::default() },
        ];
        for (plan, cuts) in plans.into_iter().flat_map(|plan| [(plan.clone(), false), (plan, true)]) {
            let mut view = View::default();
            view.wish_plan(plan.clone());
            view.refresh(&table).unwrap();
            let mut work = Work::begin(&plan, &table, cuts).unwrap();
            let (mut steps, mut before) = (0, 0.0);
            loop {
                let part = work.step(&table, 300).unwrap();
                assert!(part >= before, "{part} after {before}");
                if part >= 1.0 {
                    break;
                }
                (steps, before) = (steps + 1, part);
            }
            let is_cut = cuts && !plan.sort.is_empty();
            assert!(if is_cut { steps > 30 } else { steps == 8 }, "{steps}");
            match (work.finish(&table).unwrap(), &view.rows) {
                (Rows::All, Rows::All) => {}
                (Rows::Picked(found), Rows::Picked(expected)) => assert_eq!(found.as_slice(), expected.as_slice()),
                (Rows::Groups(found), Rows::Groups(expected)) => assert_eq!(found.batches, expected.batches),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_order_in_steps_is_the_order() {
        let mut seed = 5_u32;
        let mut next = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        let mut table: Option<Table> = None;
        for rows in [900, 1, 77, 2_000, 130] {
            let words: Vec<Option<String>> = (0..rows)
                .map(|_| (next(9) > 0).then(|| "x".repeat(next(4) as usize) + &next(30).to_string()))
                .collect();
            let coded: DictionaryArray<arrow_array::types::Int8Type> =
                words.iter().map(|word| word.as_deref().map(|word| &word[..word.len() - 1])).collect();
            let batch = RecordBatch::try_from_iter_with_nullable([
                (
                    "n",
                    Arc::new(Int32Array::from_iter((0..rows).map(|_| (next(7) > 0).then(|| next(50) as i32))))
                        as ArrayRef,
                    true,
                ),
                ("word", Arc::new(StringArray::from_iter(words.clone())) as ArrayRef, true),
                ("coded", Arc::new(coded) as ArrayRef, true),
                (
                    "yes",
                    Arc::new(BooleanArray::from_iter((0..rows).map(|_| (next(3) > 0).then(|| next(2) > 0))))
                        as ArrayRef,
                    true,
                ),
            ])
            .unwrap();
            match &mut table {
                None => table = Some(Table::of(batch)),
                Some(table) => table.push(batch),
            }
        }
        let table = table.unwrap();
        let key = |column: &str, descending, nulls| SortBy { column: column.to_owned(), descending, nulls };
        let filter = Predicate::Compare { column: "n".into(), op: CompareOp::Lt, value: Scalar::Int(30) };
        for sort in [
            vec![key("n", false, Nulls::Last)],
            vec![key("n", true, Nulls::First)],
            vec![key("word", false, Nulls::First), key("n", true, Nulls::Last)],
            vec![key("coded", true, Nulls::Last), key("yes", false, Nulls::Last)],
            vec![key("yes", true, Nulls::First)],
        ] {
            for filter in [None, Some(filter.clone())] {
                let plan = Plan { sort: sort.clone(), filter, ..Plan::default() };
                let expected = plan.bind(&table.schema).unwrap().select(&table.batches).unwrap();
                let mut work = Work::begin(&plan, &table, true).unwrap();
                while work.step(&table, 300).unwrap() < 1.0 {}
                let Rows::Picked(found) = work.finish(&table).unwrap() else { panic!("{plan:?}") };
                assert_eq!(found.as_slice(), expected.as_slice(), "{plan:?}");
            }
        }
    }
}
