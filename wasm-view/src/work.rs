//! The view's rows in the making: some thousand rows at a time, so that whoever asks can paint in between, tell how far it
//! is, or stop.
//!
//! Filters and groups go slice by slice. A sort comes at the end and in one piece, since a part of an order is of no use.
//! Runs of rows that are sorted one by one, and then merged row against row, would let a page paint meanwhile; tried on four
//! million rows, they took many times as long as the one call, and a person would rather wait for that.

use kernels::query::{Execution, Plan, Selecting};
use kernels::{Error, Indices, Result};

use crate::table::Table;
use crate::view::Rows;

/// Rows of a sort below which the first of them come no earlier than all do.
const HEAD_PAYS: usize = 500_000;
/// Rows that come first: some screens of them.
const HEAD: usize = 256;

#[derive(Debug)]
enum Job {
    /// All rows, as they are.
    Nothing,
    Select(Box<Selecting>),
    Group(Box<Execution>),
}

/// A query over a table that stays as it is meanwhile.
#[derive(Debug)]
pub(crate) struct Work {
    job: Job,
    is_sort: bool,
    row: usize,
    rows: usize,
}

impl Work {
    pub(crate) fn begin(plan: &Plan, table: &Table) -> Result<Self> {
        let bound = plan.bind(&table.schema)?;
        let job = if plan.is_grouped() {
            Job::Group(Box::new(Execution::try_new(bound)?))
        } else if plan.filter.is_none() && plan.sort.is_empty() {
            Job::Nothing
        } else {
            Job::Select(Box::new(Selecting::try_new(bound)?))
        };
        Ok(Self { job, is_sort: !plan.sort.is_empty(), row: 0, rows: table.rows() })
    }

    /// Looks at so many more rows; gives the share of them that has been looked at.
    pub(crate) fn step(&mut self, table: &Table, rows: usize) -> Result<f64> {
        // Rows that have come since are for the next time.
        let end = self.rows.min(self.row.saturating_add(rows));
        if !matches!(self.job, Job::Nothing) {
            for batch in table.range(self.row..end) {
                match &mut self.job {
                    Job::Group(execution) => drop(execution.push(&batch)?),
                    Job::Select(selecting) => selecting.push(&batch)?,
                    Job::Nothing => {}
                }
            }
        }
        self.row = end;
        Ok(if self.rows == 0 { 1.0 } else { end as f64 / self.rows as f64 })
    }

    /// The first rows of a sort of many, ahead of the others, and how many there will be; all must have been looked at.
    pub(crate) fn head(&self, table: &Table) -> Result<Option<(Indices, usize)>> {
        let Job::Select(selecting) = &self.job else { return Ok(None) };
        let rows = selecting.kept();
        if !self.is_sort || rows < HEAD_PAYS {
            return Ok(None);
        }
        Ok(Some((selecting.first(&table.range(0..self.rows), HEAD)?, rows)))
    }

    /// The rows; all must have been looked at.
    pub(crate) fn finish(self, table: &Table) -> Result<Rows> {
        if self.row < self.rows {
            return Err(Error::invalid_plan("not all rows have been looked at", ""));
        }
        Ok(match self.job {
            Job::Nothing => Rows::All,
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

    use arrow_array::{ArrayRef, Int32Array, RecordBatch};
    use kernels::query::{Aggregate, AggregateFunction, CompareOp, Nulls, Predicate, Scalar, SortBy};

    use super::*;
    use crate::view::View;

    #[test]
    fn the_head_of_a_sort_is_its_beginning() {
        let rows = HEAD_PAYS as i32 + 1_000;
        let values: ArrayRef = Arc::new(Int32Array::from_iter((0..rows).map(|row| (row % 5 > 0).then_some(row % 97))));
        let table = Table::of(RecordBatch::try_from_iter_with_nullable([("n", values, true)]).unwrap());
        let filter = |value| Predicate::Compare { column: "n".into(), op: CompareOp::Gt, value: Scalar::Int(value) };
        let sort = vec![SortBy { column: "n".into(), descending: true, nulls: Nulls::Last }];
        let head = |plan: &Plan| {
            let mut work = Work::begin(plan, &table).unwrap();
            assert!(work.step(&table, usize::MAX).unwrap() >= 1.0);
            let head = work.head(&table).unwrap();
            (head, work.finish(&table).unwrap())
        };
        let (found, all) = head(&Plan { sort: sort.clone(), ..Plan::default() });
        let (Some((found, of)), Rows::Picked(all)) = (found, all) else { panic!("no head") };
        assert_eq!((found.as_slice(), of), (&all.as_slice()[..HEAD], all.len()));
        // Few rows, groups, and what is in order anyway come at once.
        assert!(head(&Plan { sort, filter: Some(filter(50)), ..Plan::default() }).0.is_none());
        assert!(head(&Plan { filter: Some(filter(-1)), ..Plan::default() }).0.is_none());
        assert!(head(&Plan { group_by: vec!["n".into()], ..Plan::default() }).0.is_none());
    }

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
        for plan in plans {
            let mut view = View::default();
            view.wish_plan(plan.clone());
            view.refresh(&table).unwrap();
            let mut work = Work::begin(&plan, &table).unwrap();
            let mut steps = 0;
            while work.step(&table, 300).unwrap() < 1.0 {
                steps += 1;
            }
            assert_eq!(steps, 8);
            match (work.finish(&table).unwrap(), &view.rows) {
                (Rows::All, Rows::All) => {}
                (Rows::Picked(found), Rows::Picked(expected)) => assert_eq!(found.as_slice(), expected.as_slice()),
                (Rows::Groups(found), Rows::Groups(expected)) => assert_eq!(found.batches, expected.batches),
                other => panic!("{other:?}"),
            }
        }
    }
}
