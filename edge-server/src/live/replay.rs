//! What stands in a table's log, and a table made from it.
//!
//! The first record is the definition, as JSON. Then come updates as discrete messages, each with the number after the one
//! before, and between them notes, which are JSON too: `{"time": 1763743134123}` says when what follows was acknowledged
//! (in a table that keeps times). In a log that was written anew the definition is followed by the rows as they were: a
//! `replace`, and more rows as `append`s of the same number; their first column is `bodkin.time` when times are kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use wire::table::{Table, TableOptions};
use wire::update::{Change, Update};
use wire::{Limits, Options};

use super::keeper::clock;
use super::log::Log;
use super::{Definition, fault};
use crate::{Error, Result};

/// The column of times in the rows of a log that was written anew.
const TIME: &str = "bodkin.time";

/// A remark between updates.
#[derive(Debug, Clone, Copy, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// Milliseconds since 1970 at which what follows was acknowledged.
    pub(super) time: u64,
}

impl Note {
    /// The record.
    pub(super) fn record(self) -> Vec<u8> {
        format!("{{\"time\": {}}}", self.time).into_bytes()
    }
}

/// A table and its log.
pub(super) struct Replayed {
    pub(super) table: Table,
    pub(super) log: Log,
    pub(super) definition: Definition,
    /// Bytes that were cut off.
    pub(super) torn: u64,
    /// The last time that a note told.
    pub(super) time: u64,
}

/// A table without rows.
///
/// # Errors
/// [`Error::Definition`].
pub(super) fn empty(definition: &Definition) -> Result<Table> {
    let mut options = TableOptions::default().with_key(definition.key.clone());
    if definition.needs_times() {
        options = options.with_times();
    }
    Table::try_new(Arc::new(definition.schema()?), options)
        .map_err(|error| Error::Definition { reason: error.to_string() })
}

/// A table from its log.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] when the log is none, or a record in its midst is no update.
pub(super) fn replay(path: &Path) -> Result<Replayed> {
    let mut made: Option<(Table, Definition)> = None;
    let (mut number, mut time, mut is_written_anew, mut is_begun) = (0u64, 0u64, false, false);
    let (log, torn) = Log::open(path, |record| {
        let malformed = |reason: String| Error::Format { path: path.to_owned(), reason };
        number += 1;
        let Some((table, _)) = &mut made else {
            let definition: Definition =
                serde_json::from_slice(&record).map_err(|error| malformed(format!("its definition: {error}")))?;
            made = Some((empty(&definition)?, definition));
            return Ok(());
        };
        if record.first() == Some(&b'{') {
            let note: Note =
                serde_json::from_slice(&record).map_err(|error| malformed(format!("record {number}: {error}")))?;
            time = time.max(note.time);
            return Ok(());
        }
        let update = Update::from_message(record.into(), &Limits::default());
        let applied = update.and_then(|update| {
            if !std::mem::replace(&mut is_begun, true) {
                // The first one says which epoch it is.
                table.set_position(update.epoch, update.sequence.saturating_sub(1));
            }
            is_written_anew = match update.change {
                Change::Replace(_) => number == 2,
                Change::Append(_) => is_written_anew && update.sequence == table.sequence(),
                _ => false,
            };
            restore(table, update, is_written_anew, time)
        });
        applied.map_err(|error| malformed(format!("record {number}: {error}")))
    })?;
    let malformed = || Error::Format { path: path.to_owned(), reason: "a log without a definition".to_owned() };
    let (mut table, definition) = made.ok_or_else(malformed)?;
    if !is_begun {
        table.set_position(clock(), 0);
    }
    Ok(Replayed { table, log, definition, torn, time })
}

/// Applies a record's update; rows of a log that was written anew bring their times.
fn restore(table: &mut Table, mut update: Update, is_written_anew: bool, time: u64) -> wire::Result<()> {
    let mut times = Vec::new();
    let first = match &mut update.change {
        Change::Replace(batches) if is_written_anew => {
            for batch in batches {
                times.extend(split_times(batch));
            }
            0
        }
        Change::Append(batch) if is_written_anew => {
            // One more part of the same rows.
            table.set_position(update.epoch, update.sequence.saturating_sub(1));
            times.extend(split_times(batch));
            table.rows()
        }
        _ => table.rows(),
    };
    table.apply(&update, Duration::from_millis(time))?;
    table.set_times(first, &times);
    Ok(())
}

/// The records of a log that is written anew, but for the definition: all rows, with their times if they are kept.
///
/// # Errors
/// [`Error::Rows`] when a type cannot be written.
pub(super) fn snapshot_records<'a>(
    snapshot: &'a wire::table::Snapshot,
    times: &'a [u64],
) -> impl Iterator<Item = Result<Vec<u8>>> + 'a {
    let empty = snapshot.batches.is_empty().then(|| RecordBatch::new_empty(snapshot.schema.clone()));
    let mut first = 0;
    snapshot.batches.iter().cloned().chain(empty).enumerate().map(move |(number, batch)| {
        let rows = batch.num_rows();
        let batch = match times.get(first..first + rows).filter(|_| !times.is_empty()) {
            Some(times) => with_times(&batch, times)?,
            None => batch,
        };
        first += rows;
        let change = if number == 0 { Change::Replace(vec![batch]) } else { Change::Append(batch) };
        Update::new(snapshot.epoch, snapshot.sequence, change).to_message(Options::default()).map_err(fault)
    })
}

fn with_times(batch: &RecordBatch, times: &[u64]) -> Result<RecordBatch> {
    let schema = batch.schema();
    let field = Arc::new(Field::new(TIME, DataType::UInt64, false));
    let fields: Vec<_> = std::iter::once(field).chain(schema.fields().iter().cloned()).collect();
    let times: ArrayRef = Arc::new(UInt64Array::from(times.to_vec()));
    let columns = std::iter::once(times).chain(batch.columns().iter().cloned()).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| Error::Internal(error.to_string()))
}

/// Takes the times out of rows that have them.
fn split_times(batch: &mut RecordBatch) -> Vec<u64> {
    let schema = batch.schema();
    let times = batch.columns().first().filter(|_| schema.field(0).name() == TIME);
    let Some(times) = times.and_then(|times| times.as_primitive_opt::<UInt64Type>()).cloned() else {
        return Vec::new();
    };
    let rest = Schema::new(schema.fields().iter().skip(1).cloned().collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    match RecordBatch::try_new_with_options(Arc::new(rest), batch.columns()[1..].to_vec(), &options) {
        Ok(rest) => {
            *batch = rest;
            times.values().to_vec()
        }
        // The table will not know the column, and say so.
        Err(_) => Vec::new(),
    }
}
