//! The part of a live table that a follower wants: some columns, and rows that pass a filter.
//!
//! The follower's table is the result of the query over the server's table, kept by updates of its own. They are made of the
//! table's updates alone: with a key, every row that was touched is known whole, so that one that passes is upserted and one
//! that does not is deleted, whether the follower had it or not. Several updates become one, which says of each key what
//! became of it in the end. Without a key, rows are only appended and trimmed; after anything else the follower gets all
//! rows.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use kernels::Indices;
use kernels::query::{BoundPlan, Plan};
use wire::Limits;
use wire::table::{Snapshot, Table};
use wire::update::{self, Change, Update};

use super::recent::Logged;
use super::{Definition, fault, replay, rows};
use crate::{Error, Result};

/// What a follower wants of a table.
#[derive(Debug)]
pub struct View {
    /// The table's columns that are wanted, by position; none for all.
    columns: Option<Vec<usize>>,
    filter: Option<BoundPlan>,
    key: Vec<String>,
    schema: SchemaRef,
    /// The table without rows: knows what whole rows are.
    empty: Table,
}

impl View {
    /// The columns and the filter of a plan, which has nothing else.
    ///
    /// # Errors
    /// [`Error::View`] when the plan has more, or leaves a column of the key out; [`Error::Query`] when it does not fit.
    pub fn try_new(definition: &Definition, plan: &Plan) -> Result<Self> {
        let wrong = |reason: String| Err(Error::View { reason });
        if plan.is_grouped() || !plan.sort.is_empty() || plan.limit.is_some() || plan.offset > 0 {
            return wrong("a follower chooses columns and a filter, and nothing else".to_owned());
        }
        let empty = replay::empty(definition)?;
        let table = empty.schema().clone();
        let columns = match &plan.columns {
            None => None,
            Some(names) => {
                if let Some(missing) = definition.key.iter().find(|name| !names.contains(name)) {
                    return wrong(format!("column \"{missing}\" is part of the key, and has to be among the columns"));
                }
                let bound = Plan { columns: plan.columns.clone(), ..Plan::default() }.bind(&table)?;
                let position = |field: &Arc<Field>| table.index_of(field.name());
                let positions = bound.output_schema().fields().iter().map(position).collect::<Result<Vec<_>, _>>();
                let positions = positions.map_err(|error| Error::Internal(error.to_string()))?;
                let is_twice = (1..positions.len()).any(|at| positions[..at].contains(&positions[at]));
                if positions.is_empty() || is_twice {
                    return wrong("the columns are one or more, each once".to_owned());
                }
                Some(positions)
            }
        };
        let filter = plan.filter.clone().map(|filter| Plan { filter: Some(filter), ..Plan::default() }.bind(&table));
        let schema = match &columns {
            Some(columns) => Arc::new(table.project(columns).map_err(|error| Error::Internal(error.to_string()))?),
            None => table,
        };
        Ok(Self { columns, filter: filter.transpose()?, key: definition.key.clone(), schema, empty })
    }

    /// Whether it is all of the table.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.columns.is_none() && self.filter.is_none()
    }

    /// The follower's columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The follower's columns in a continuous stream: with a key, all others may be null, since rows that go have nothing in
    /// them.
    #[must_use]
    pub fn stream_schema(&self) -> SchemaRef {
        if self.key.is_empty() {
            return self.schema.clone();
        }
        let loose = |field: &Arc<Field>| match self.key.contains(field.name()) {
            true => field.as_ref().clone(),
            false => field.as_ref().clone().with_nullable(true),
        };
        Arc::new(Schema::new(self.schema.fields().iter().map(loose).collect::<Vec<_>>()))
    }

    /// The result over all rows.
    ///
    /// # Errors
    /// What the kernels report.
    pub fn rows(&self, snapshot: &Snapshot) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::with_capacity(snapshot.batches.len());
        for batch in &snapshot.batches {
            let rows = self.wanted(batch)?;
            if rows.num_rows() > 0 {
                batches.push(rows);
            }
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(self.schema.clone()));
        }
        Ok(batches)
    }

    /// The result over all rows, as an update.
    ///
    /// # Errors
    /// What the kernels report.
    pub fn replacement(&self, snapshot: &Snapshot) -> Result<Update> {
        Ok(Update::new(snapshot.epoch, snapshot.sequence, Change::Replace(self.rows(snapshot)?)))
    }

    /// What updates that follow one another mean for the follower; `after` is the position before them. Nothing when they
    /// do not tell, and all rows are needed.
    ///
    /// # Errors
    /// What the kernels report.
    pub fn updates(&self, missed: &[Arc<Logged>], after: (u64, u64)) -> Result<Option<Vec<Update>>> {
        if missed.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if self.key.is_empty() { self.without_key(missed, after) } else { self.with_key(missed, after) }
    }

    fn with_key(&self, missed: &[Arc<Logged>], (epoch, after): (u64, u64)) -> Result<Option<Vec<Update>>> {
        let mut changes = Vec::with_capacity(missed.len());
        for logged in missed {
            let whole = |rows: &RecordBatch| match &logged.complete {
                Some(rows) => Ok(rows.clone()),
                None => self.empty.fitted(rows).map_err(fault),
            };
            changes.push(match read(logged)? {
                Change::Append(rows) | Change::Upsert(rows) => Change::Upsert(whole(&rows)?),
                Change::Exchange { remove, insert } => Change::Exchange { remove, insert: whole(&insert)? },
                Change::Delete(keys) => Change::Delete(keys),
                Change::Replace(_) | Change::Patch { .. } | Change::Trim(_) => return Ok(None),
            });
        }
        let mut merged = update::merge(self.empty.schema(), &self.key, &changes).map_err(fault)?;
        if let Some(filter) = &self.filter {
            let passing = filter.select(std::slice::from_ref(&merged.insert))?;
            let total = merged.insert.num_rows();
            let mut passes = passing.as_slice().iter().copied().peekable();
            let failing = (0..total as u32).filter(|&row| passes.next_if_eq(&row).is_none()).collect();
            let failing = Indices::try_new(failing, total)?;
            let keys = merged.remove.schema();
            let positions = self.key.iter().map(|name| merged.insert.schema().index_of(name));
            let positions =
                positions.collect::<Result<Vec<_>, _>>().map_err(|error| Error::Internal(error.to_string()))?;
            let fail = merged.insert.project(&positions).map_err(|error| Error::Internal(error.to_string()))?;
            let fail = kernels::take_batches(&keys, &[fail], &failing)?;
            merged.remove = rows::joined(vec![merged.remove, fail])?.unwrap_or_else(|| RecordBatch::new_empty(keys));
            merged.insert = kernels::take_batches(self.empty.schema(), &[merged.insert], &passing)?;
        }
        merged.insert = self.projected(&merged.insert)?;
        let sequence = after + missed.len() as u64;
        Ok(Some(vec![Update::new(epoch, sequence, merged.into_change()).with_after(after)]))
    }

    fn without_key(&self, missed: &[Arc<Logged>], (epoch, after): (u64, u64)) -> Result<Option<Vec<Update>>> {
        let mut updates = Vec::new();
        // Appended rows wait for those behind them.
        let (mut waiting, mut since) = (Vec::new(), after);
        let flush = |waiting: &mut Vec<RecordBatch>, since: u64, until: u64, updates: &mut Vec<Update>| -> Result<()> {
            if since < until {
                let rows = rows::joined(std::mem::take(waiting))?;
                let rows = rows.unwrap_or_else(|| RecordBatch::new_empty(self.schema.clone()));
                updates.push(Update::new(epoch, until, Change::Append(rows)).with_after(since));
            }
            Ok(())
        };
        for (logged, sequence) in missed.iter().zip(after + 1..) {
            let change = match read(logged)? {
                Change::Append(rows) => {
                    waiting.push(self.wanted(&self.empty.fitted(&rows).map_err(fault)?)?);
                    continue;
                }
                Change::Trim(count) if self.filter.is_none() => Change::Trim(count),
                Change::Trim(_) => {
                    let gone = logged.gone.iter().map(|rows| self.wanted(rows).map(|rows| rows.num_rows() as u64));
                    Change::Trim(gone.sum::<Result<u64>>()?)
                }
                Change::Patch { rows, cells } if self.filter.is_none() => {
                    let wanted = |field: &&Arc<Field>| self.schema.index_of(field.name()).is_ok();
                    let schema = cells.schema();
                    let columns = schema.fields().iter().filter(wanted).map(|field| schema.index_of(field.name()));
                    let columns = columns.collect::<Result<Vec<_>, _>>();
                    let cells = columns.and_then(|columns| cells.project(&columns));
                    Change::Patch { rows, cells: cells.map_err(|error| Error::Internal(error.to_string()))? }
                }
                _ => return Ok(None),
            };
            flush(&mut waiting, since, sequence - 1, &mut updates)?;
            since = sequence;
            updates.push(Update::new(epoch, sequence, change));
        }
        flush(&mut waiting, since, after + missed.len() as u64, &mut updates)?;
        Ok(Some(updates))
    }

    /// Whole rows that pass, in the wanted columns.
    fn wanted(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        match &self.filter {
            Some(filter) => {
                let passing = filter.select(std::slice::from_ref(rows))?;
                let projected = self.projected(rows)?;
                if passing.len() == rows.num_rows() {
                    return Ok(projected);
                }
                Ok(kernels::take_batches(&self.schema, &[projected], &passing)?)
            }
            None => self.projected(rows),
        }
    }

    fn projected(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = match &self.columns {
            Some(columns) => columns.iter().map(|&column| rows.column(column).clone()).collect(),
            None => rows.columns().to_vec(),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::Internal(error.to_string()))
    }
}

/// The change of an update in the log.
fn read(logged: &Logged) -> Result<Change> {
    let update = Update::from_message(logged.message.clone().into(), &Limits::default()).map_err(fault)?;
    Ok(update.change)
}
