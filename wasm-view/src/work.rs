//! The view's rows in the making: some thousand rows at a time, so that whoever asks can paint in between, tell how far it
//! is, or stop.
//!
//! Filters and groups go slice by slice. A sort comes at the end, in steps between and within the passes over its keys; of many
//! rows, and for whoever wants them, the first ones come ahead of all. Runs of rows that are sorted one by one, and then
//! merged row against row, took many times as long as the one call.

use std::borrow::Cow;
use std::rc::Rc;

use kernels::query::{Execution, Finishing, Plan, Selecting};
use kernels::{Error, Indices, Result, SortSteps};

use crate::table::Table;
use crate::view::Rows;

/// Rows of a sort below which the first of them come no earlier than all do.
const HEAD_PAYS: usize = 500_000;
/// Rows that come first: some screens of them.
const HEAD: usize = 256;
/// A sort takes so many rows at a time for each of a filter.
const FASTER: usize = 4;
/// The share of a filter before a sort.
const FILTER: f64 = 0.2;
/// So many samples of so many rows are looked at before many rows are grouped.
const SAMPLES: usize = 128;
const SAMPLE: usize = 512;
/// The share of rows being put into groups, before these are made a table.
const GROUPED: f64 = 0.8;
/// What a step says when the first rows of a sort are here.
pub(crate) const HEAD_IS_HERE: f64 = 2.0;

#[derive(Debug)]
enum Job {
    /// All rows, as they are.
    Nothing,
    Select(Box<Selecting>),
    Group(Box<Execution>),
    /// All rows have their groups.
    Finish(Box<Finishing>),
}

/// A query over a table that stays as it is meanwhile.
#[derive(Debug)]
pub(crate) struct Work {
    job: Job,
    is_filtered: bool,
    /// The sort of the first rows, if they are to come ahead, and what it found; the sort of all.
    head: Option<SortSteps>,
    found: Option<Indices>,
    sort: Option<SortSteps>,
    row: usize,
    rows: usize,
}

impl Work {
    /// Begins; with `wants_head` the first rows of a sort of many come ahead.
    pub(crate) fn begin(plan: &Plan, table: &Table, wants_head: bool) -> Result<Self> {
        let bound = plan.bind(&table.schema)?;
        let is_filtered = plan.filter.is_some();
        let is_sorted = !plan.is_grouped() && !plan.sort.is_empty();
        let rows = table.rows();
        let job = if plan.is_grouped() {
            let mut execution = Execution::try_new(bound)?;
            // What the keys reach from and to, as far as a few rows here and there and the last ones tell.
            let apart = rows / SAMPLES;
            for sample in 0..if apart > SAMPLE { SAMPLES } else { 0 } {
                let at = if sample + 1 < SAMPLES { sample * apart } else { rows - SAMPLE };
                table.range(at..at + SAMPLE).iter().try_for_each(|batch| execution.foresee(batch, rows))?;
            }
            Job::Group(Box::new(execution))
        } else if is_filtered || is_sorted {
            Job::Select(Box::new(Selecting::try_new(bound)?))
        } else {
            Job::Nothing
        };
        let sort = |limit| is_sorted.then(|| SortSteps::new(limit));
        let head = if wants_head { sort(Some(HEAD)) } else { None };
        Ok(Self { job, is_filtered, head, found: None, sort: sort(None), row: 0, rows })
    }

    /// Looks at so many more rows, or puts about as many in order. Gives the share that is done, below 1 until all is, or
    /// [`HEAD_IS_HERE`] once.
    pub(crate) fn step(&mut self, table: &Table, rows: usize) -> Result<f64> {
        let before = if self.is_filtered { FILTER } else { 0.0 };
        if self.row < self.rows {
            self.look(table, rows)?;
            let share = match self.job {
                Job::Group(_) => GROUPED,
                _ if self.sort.is_some() => before,
                _ => 1.0,
            };
            return Ok(share * self.row as f64 / self.rows as f64);
        }
        self.job = match std::mem::replace(&mut self.job, Job::Nothing) {
            Job::Group(execution) => Job::Finish(Box::new(execution.finishing()?)),
            other => other,
        };
        if let Job::Finish(groups) = &mut self.job {
            return Ok(if groups.step(rows.saturating_mul(FASTER))? { 1.0 } else { GROUPED });
        }
        let (Job::Select(selecting), Some(sort)) = (&self.job, &mut self.sort) else { return Ok(1.0) };
        // Rows that have come since are for the next time.
        let all = if table.rows() > self.rows {
            Cow::Owned(table.range(0..self.rows))
        } else {
            Cow::Borrowed(&table.batches)
        };
        let rows = rows.saturating_mul(FASTER);
        if let Some(head) = self.head.as_mut().filter(|_| selecting.kept() >= HEAD_PAYS) {
            if selecting.sort(&all, head, rows)?
                && let Some(head) = self.head.take()
            {
                self.found = Some(selecting.in_table(head.finish()?)?);
                return Ok(HEAD_IS_HERE);
            }
        } else if selecting.sort(&all, sort, rows)? {
            return Ok(1.0);
        }
        Ok(before + (1.0 - before) * sort.part())
    }

    fn look(&mut self, table: &Table, rows: usize) -> Result<()> {
        // Without a filter there is nothing to be found before a sort.
        let rows = if matches!(&self.job, Job::Group(_)) || self.is_filtered { rows } else { usize::MAX };
        let end = self.rows.min(self.row.saturating_add(rows));
        if !matches!(self.job, Job::Nothing) {
            for batch in table.range(self.row..end) {
                match &mut self.job {
                    Job::Group(execution) => drop(execution.push(&batch)?),
                    Job::Select(selecting) => selecting.push(&batch)?,
                    Job::Nothing | Job::Finish(_) => {}
                }
            }
        }
        self.row = end;
        Ok(())
    }

    /// The first rows of a sort, and how many there will be, once a step has said that they are here.
    pub(crate) fn head(&mut self) -> Option<(Indices, usize)> {
        let Job::Select(selecting) = &self.job else { return None };
        Some((self.found.take()?, selecting.kept()))
    }

    /// The rows; all must have been found.
    pub(crate) fn finish(self, table: &Table) -> Result<Rows> {
        if self.row < self.rows {
            return Err(Error::invalid_plan("not all rows have been looked at", ""));
        }
        Ok(match (self.job, self.sort) {
            (Job::Nothing, _) => Rows::All,
            (Job::Select(selecting), Some(sort)) => Rows::Picked(Rc::new(selecting.in_table(sort.finish()?)?)),
            (Job::Select(selecting), None) => Rows::Picked(Rc::new(selecting.finish(&table.range(0..self.rows))?)),
            (Job::Finish(groups), _) => {
                let mut groups = groups.finish().into_iter();
                let Some(first) = groups.next() else { return Ok(Rows::All) };
                let mut all = Table::of(first);
                groups.for_each(|batch| all.push(batch));
                Rows::Groups(all)
            }
            (Job::Group(_), _) => return Err(Error::invalid_plan("not all groups have been made", "")),
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
            let mut work = Work::begin(plan, &table, true).unwrap();
            let (mut head, mut part) = (None, 0.0);
            loop {
                let step = work.step(&table, 10_000).unwrap();
                if step == HEAD_IS_HERE {
                    head = work.head();
                } else if step < 1.0 {
                    assert!(step >= part, "{step} behind {part}");
                    part = step;
                } else {
                    return (head, work.finish(&table).unwrap());
                }
            }
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
            let mut work = Work::begin(&plan, &table, true).unwrap();
            let mut steps = 0;
            while work.step(&table, 300).unwrap() < 1.0 {
                steps += 1;
            }
            assert!(steps >= 8 || plan.filter.is_none() && !plan.is_grouped(), "{steps} of {plan:?}");
            match (work.finish(&table).unwrap(), &view.rows) {
                (Rows::All, Rows::All) => {}
                (Rows::Picked(found), Rows::Picked(expected)) => assert_eq!(found.as_slice(), expected.as_slice()),
                (Rows::Groups(found), Rows::Groups(expected)) => assert_eq!(found.batches, expected.batches),
                other => panic!("{other:?}"),
            }
        }
    }
}
