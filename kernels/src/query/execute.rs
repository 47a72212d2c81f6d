//! Running a bound plan over batches.
//!
//! A plan without sort and groups is a stream: every batch is filtered, cut to the window of offset and
//! limit, and handed out at once. A grouping keeps only its groups. A sort keeps the rows that pass the
//! filter until the end.

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::SchemaRef;

use super::bind::BoundPlan;
use super::grouped::{finish_grouping, group_batches, start_grouping, update_grouping};
use super::selecting::Selecting;
use crate::error::all;
use crate::filter::filter_batches;
use crate::group::GroupBy;
use crate::sort::{SortKey, SortOptions, sort_keys_to_indices};
use crate::take::take_batches;
use crate::{Error, Indices, Mask, Result, arrays, threads};

/// Whether a running query wants more input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Push the next batch.
    More,
    /// The limit is reached: nothing that is pushed from here on changes the result.
    Done,
}

/// A query in the making: batches go in one by one, results come out as soon as they are known
/// (at once for a filter, at the end for a sort or a grouping).
#[derive(Debug)]
pub struct Execution {
    pub(super) plan: BoundPlan,
    pub(super) state: State,
    /// Rows that passed the filter.
    kept: usize,
}

#[derive(Debug)]
pub(super) enum State {
    /// Rows still to skip, rows still to hand out.
    Stream {
        skip: usize,
        left: usize,
    },
    /// Filtered rows, with all columns that the sort and the result need.
    Sort {
        kept: Vec<RecordBatch>,
    },
    Group {
        state: Box<GroupBy>,
    },
}

impl Execution {
    /// Starts a query.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`], though a bound plan has been checked for it.
    pub fn try_new(plan: BoundPlan) -> Result<Self> {
        let state = match &plan.grouping {
            Some(grouping) => State::Group { state: Box::new(start_grouping(grouping, &plan.input)?) },
            None if plan.sort.is_empty() => State::Stream { skip: plan.offset, left: plan.limit.unwrap_or(usize::MAX) },
            None => State::Sort { kept: Vec::new() },
        };
        Ok(Self { plan, state, kept: 0 })
    }

    /// The plan that runs.
    #[must_use]
    pub fn plan(&self) -> &BoundPlan {
        &self.plan
    }

    /// Rows that passed the filter so far; of a grouped plan they are not counted.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Bytes of rows that wait for the end of a sort, and about those of groups.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.state {
            State::Sort { kept } => kept.iter().map(RecordBatch::get_array_memory_size).sum(),
            State::Group { state } => state.memory(),
            State::Stream { .. } => 0,
        }
    }

    /// Takes one batch in, and hands out what is already certain of the result.
    ///
    /// # Errors
    /// [`Error::SchemaMismatch`] and what the kernels report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(Flow, Option<RecordBatch>)> {
        self.plan.check(batch)?;
        let mask = self.plan.mask(batch)?;
        match &mut self.state {
            State::Group { state } => {
                if let Some(grouping) = &self.plan.grouping {
                    update_grouping(state, grouping, batch, mask.as_ref())?;
                }
                Ok((Flow::More, None))
            }
            State::Sort { kept } => {
                let columns: Vec<usize> = (0..batch.num_columns()).collect();
                let rows = filter_columns(batch, &columns, &self.plan.input, mask.as_ref())?;
                self.kept += rows.num_rows();
                if rows.num_rows() > 0 {
                    kept.push(rows);
                }
                Ok((Flow::More, None))
            }
            State::Stream { skip, left } => {
                if *left == 0 {
                    return Ok((Flow::Done, None));
                }
                let rows = filter_columns(batch, &self.plan.columns, &self.plan.output, mask.as_ref())?;
                self.kept += rows.num_rows();
                let start = (*skip).min(rows.num_rows());
                *skip -= start;
                let take = (rows.num_rows() - start).min(*left);
                *left -= take;
                let flow = if *left == 0 { Flow::Done } else { Flow::More };
                Ok((flow, (take > 0).then(|| rows.slice(start, take))))
            }
        }
    }

    /// Makes room for a sample of the so many rows that will be pushed, before any of them is: see [`GroupBy::foresee`]. Does nothing where
    /// the plan filters, or groups nothing.
    ///
    /// # Errors
    /// [`Error::SchemaMismatch`].
    pub fn foresee(&mut self, batch: &RecordBatch, rows: usize) -> Result<()> {
        self.plan.check(batch)?;
        match (&mut self.state, &self.plan.grouping) {
            (State::Group { state }, Some(grouping)) if self.plan.filter.is_none() => {
                let keys: Vec<_> = grouping.keys.iter().map(|&key| batch.column(key).clone()).collect();
                state.foresee(&keys, rows)
            }
            _ => Ok(()),
        }
    }

    /// The result of a grouping as of the rows so far; more may be pushed behind it. `None` when the plan is not grouped.
    ///
    /// # Errors
    /// As [`Execution::finish`].
    pub fn groups(&self) -> Result<Option<RecordBatch>> {
        match &self.state {
            State::Group { state } => finish_grouping(&self.plan, state).map(Some),
            State::Stream { .. } | State::Sort { .. } => Ok(None),
        }
    }

    /// The rest of the result. A sort or a grouping gives one batch, which may have no rows.
    ///
    /// # Errors
    /// What the kernels report, such as [`Error::Overflow`].
    pub fn finish(self) -> Result<Option<RecordBatch>> {
        let Self { plan, state, .. } = self;
        match state {
            State::Stream { .. } => Ok(None),
            State::Sort { kept } => {
                let order = sorted(&kept, &plan)?;
                let rows = take_projected(&kept, &plan, &order)?;
                Ok(Some(rows))
            }
            State::Group { state } => finish_grouping(&plan, &state).map(Some),
        }
    }
}

impl BoundPlan {
    /// The row numbers (over all batches, counted from the first) that the plan's filter, sort, offset
    /// and limit keep, without copying any column. For views of a table that stays where it is.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] when the plan is grouped; otherwise what the kernels report.
    pub fn select(&self, batches: &[RecordBatch]) -> Result<Indices> {
        let mut selecting = Selecting::try_new(self.clone())?;
        batches.iter().try_for_each(|batch| selecting.push(batch))?;
        selecting.finish(batches)
    }

    /// Runs the whole query over batches that are all here.
    ///
    /// # Errors
    /// What the kernels report, such as [`Error::Overflow`].
    pub fn execute(&self, batches: &[RecordBatch]) -> Result<RecordBatch> {
        if let Some(grouping) = &self.grouping {
            batches.iter().try_for_each(|batch| self.check(batch))?;
            return finish_grouping(self, &group_batches(self, grouping, batches)?);
        }
        // A filter copies straight from the masks; row numbers would be a detour, but for a page they are few.
        let straight = cfg!(not(feature = "small"));
        if straight && self.sort.is_empty() && self.filter.is_some() && (batches.len() == 1 || self.limit.is_none()) {
            batches.iter().try_for_each(|batch| self.check(batch))?;
            let rows = batches.iter().map(RecordBatch::num_rows).sum();
            let masks = threads::try_map_if(rows, batches.iter().collect(), |batch| self.mask(batch))?;
            let masks: Vec<Mask> = masks.into_iter().flatten().collect();
            let projected = project_all(batches, self)?;
            let rows = filter_batches(&self.output, &projected, &masks)?;
            let start = self.offset.min(rows.num_rows());
            return Ok(rows.slice(start, self.limit.unwrap_or(usize::MAX).min(rows.num_rows() - start)));
        }
        take_projected(batches, self, &self.select(batches)?)
    }

    /// Whether a batch has the types that the plan was bound to.
    pub(super) fn check(&self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.input.fields().len() {
            return Err(Error::length_mismatch(self.input.fields().len(), batch.num_columns()));
        }
        for (column, (field, array)) in self.input.fields().iter().zip(batch.columns()).enumerate() {
            if field.data_type() != array.data_type() {
                return Err(Error::schema_mismatch(column, field.data_type(), array.data_type()));
            }
        }
        Ok(())
    }

    /// The rows of a batch that pass the filter; `None` without a filter.
    pub(super) fn mask(&self, batch: &RecordBatch) -> Result<Option<Mask>> {
        let Some(filter) = &self.filter else { return Ok(None) };
        let ranges = threads::ranges(batch.num_rows(), 64);
        if threads::count() == 1 || ranges.len() < 2 {
            return Ok(Some(filter.evaluate(batch)?.to_mask()));
        }
        let masks =
            threads::try_map(ranges, |range| Ok(filter.evaluate(&batch.slice(range.start, range.len()))?.to_mask()))?;
        let mut bits = BooleanBufferBuilder::new(batch.num_rows());
        masks.iter().for_each(|mask| bits.append_buffer(mask.bits()));
        Ok(Some(Mask::new(bits.finish())))
    }

    pub(super) fn sort_batches(&self, batches: &[RecordBatch], limit: Option<usize>) -> Result<Indices> {
        let keys: Vec<SortKey<'_>> =
            self.sort.iter().map(|(column, options)| sort_key(batches, *column, *options)).collect();
        sort_keys_to_indices(&keys, limit)
    }
}

pub(super) fn sort_key(batches: &[RecordBatch], column: usize, options: SortOptions) -> SortKey<'_> {
    SortKey { chunks: batches.iter().map(|batch| batch.column(column).as_ref()).collect(), options }
}

fn sorted(kept: &[RecordBatch], plan: &BoundPlan) -> Result<Indices> {
    let end = plan.limit.map(|limit| plan.offset.saturating_add(limit));
    Ok(plan.sort_batches(kept, end)?.window(plan.offset, plan.limit))
}

/// The plan's columns of some rows.
pub(super) fn take_projected(batches: &[RecordBatch], plan: &BoundPlan, rows: &Indices) -> Result<RecordBatch> {
    take_batches(&plan.output, &project_all(batches, plan)?, rows)
}

/// The plan's columns.
fn project_all(batches: &[RecordBatch], plan: &BoundPlan) -> Result<Vec<RecordBatch>> {
    all(batches.iter().map(|batch| project(batch, &plan.columns, &plan.output)))
}

pub(super) fn project(batch: &RecordBatch, columns: &[usize], schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = columns.iter().map(|&column| batch.column(column).clone()).collect();
    arrays::batch(schema.clone(), columns, batch.num_rows())
}

/// The masked rows of some columns.
fn filter_columns(
    batch: &RecordBatch,
    columns: &[usize],
    schema: &SchemaRef,
    mask: Option<&Mask>,
) -> Result<RecordBatch> {
    let projected = project(batch, columns, schema)?;
    match mask {
        None => Ok(projected),
        Some(mask) => crate::filter::filter_batch(&projected, mask),
    }
}
