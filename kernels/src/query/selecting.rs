//! A selection in the making: the row numbers that a plan keeps, found batch by batch, so that whoever asks can rest
//! between two of them, tell how far it has come, or stop.
//!
//! The filter runs as batches are pushed; a sort waits for the end, since only then all of its keys are there.

use arrow_array::{ArrayRef, RecordBatch};

use super::bind::BoundPlan;
use crate::error::all;
use crate::filter::{Filter, mask_to_indices};
use crate::sort::{SortKey, SortOptions, SortSteps};
use crate::{Error, Indices, Result};

/// Row numbers in the making: see [`BoundPlan::select`].
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int32Array, RecordBatch};
/// # use kernels::query::{Plan, Selecting, SortBy, Nulls};
/// # let batch = RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![3, 1, 2])) as ArrayRef)])?;
/// let sort = vec![SortBy { column: "n".into(), descending: false, nulls: Nulls::Last }];
/// let plan = Plan { sort, ..Plan::default() }.bind(&batch.schema())?;
/// let batches = [batch.clone(), batch];
/// let mut selecting = Selecting::try_new(plan)?;
/// for batch in &batches {
///     selecting.push(batch)?;
/// }
/// assert_eq!(selecting.finish(&batches)?.as_slice(), [1, 4, 2, 5, 0, 3]);
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Debug)]
pub struct Selecting {
    plan: BoundPlan,
    /// Row numbers that pass the filter, ascending; left empty without a filter.
    kept: Vec<u32>,
    /// The sort's columns of those rows, by batch.
    parts: Vec<Vec<ArrayRef>>,
    rows: usize,
}

impl Selecting {
    /// Begins.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] when the plan is grouped.
    pub fn try_new(plan: BoundPlan) -> Result<Self> {
        if plan.grouping.is_some() {
            return Err(Error::invalid_plan("a grouped plan does not select rows", ""));
        }
        Ok(Self { plan, kept: Vec::new(), parts: Vec::new(), rows: 0 })
    }

    /// Looks at the next batch. `O(rows)` of the filter's columns; nothing without a filter.
    ///
    /// # Errors
    /// [`Error::SchemaMismatch`], [`Error::TooManyRows`] beyond 2³² rows, and what the kernels report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.plan.check(batch)?;
        let start = self.rows;
        self.rows += batch.num_rows();
        if u32::try_from(self.rows).is_err() {
            return Err(Error::too_many_rows(self.rows));
        }
        let Some(mask) = self.plan.mask(batch)? else { return Ok(()) };
        self.kept.extend(mask_to_indices(&mask)?.as_slice().iter().map(|&row| start as u32 + row));
        if !self.plan.sort.is_empty() {
            let filter = Filter::new(&mask);
            let columns = self.plan.sort.iter().map(|(column, _)| filter.apply(batch.column(*column).as_ref()));
            self.parts.push(all(columns)?);
        }
        Ok(())
    }

    /// Rows that the filter has kept so far.
    #[must_use]
    pub fn kept(&self) -> usize {
        if self.plan.filter.is_some() { self.kept.len() } else { self.rows }
    }

    /// The row numbers. `batches` are those that were pushed.
    ///
    /// # Errors
    /// What the sort reports.
    pub fn finish(self, batches: &[RecordBatch]) -> Result<Indices> {
        let (offset, limit) = (self.plan.offset, self.plan.limit);
        let order = if !self.plan.sort.is_empty() {
            let mut sort = SortSteps::new(limit.map(|limit| offset.saturating_add(limit)));
            self.sort(batches, &mut sort, usize::MAX)?;
            self.in_table(sort.finish()?)
        } else if self.plan.filter.is_some() {
            Indices::try_new(self.kept, self.rows)
        } else {
            Indices::identity(self.rows)
        };
        Ok(order?.window(offset, limit))
    }

    /// A step of the plan's sort over the rows that are kept, for whoever does not want to wait for [`Selecting::finish`], or
    /// wants a few rows only; whether it is the last. See [`SortSteps::step`], and for what comes of it
    /// [`Selecting::in_table`].
    ///
    /// # Errors
    /// What the sort reports; [`Error::InvalidPlan`] without one.
    pub fn sort(&self, batches: &[RecordBatch], steps: &mut SortSteps, rows: usize) -> Result<bool> {
        let key = |(number, &(column, options)): (usize, &(usize, SortOptions))| SortKey {
            chunks: match self.plan.filter {
                Some(_) => self.parts.iter().map(|part| part[number].as_ref()).collect(),
                None => batches.iter().map(|batch| batch.column(column).as_ref()).collect(),
            },
            options,
        };
        let keys: Vec<SortKey<'_>> = self.plan.sort.iter().enumerate().map(key).collect();
        steps.step(&keys, rows)
    }

    /// The row numbers in the table of rows in order, which are numbered among those that are kept.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] when they are rows of something else.
    pub fn in_table(&self, order: Indices) -> Result<Indices> {
        if self.plan.filter.is_none() {
            return Ok(order);
        }
        let numbers = order.as_slice().iter().map(|&row| self.kept.get(row as usize).copied().unwrap_or(u32::MAX));
        Indices::try_new(numbers.collect(), self.rows)
    }
}
