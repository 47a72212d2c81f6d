//! The rows of a live table: messages in, cells out.
//!
//! The chunks are held between updates, as `wire` lets them be read, and let go before the next update: so cells that change
//! are changed in place. Finding a row by its serial is a search among some hundred chunks, and of a chunk from which rows
//! have gone one among its serials.

use std::time::Duration;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use kernels::Indices;
use wire::table::{Part, Table, TableOptions, Touched};
use wire::update::{Change, Update};
use wire::{Error, Limits, Result};

use crate::load::is_unread;

/// Serials are given anew when there are so many more of them than rows.
const SPARE: usize = 1 << 16;

/// The rows of a live table.
#[derive(Debug)]
pub(crate) struct LiveRows {
    table: Table,
    parts: Vec<Part>,
    /// Rows that are left up to and including each part.
    ends: Vec<usize>,
    /// The first slot of each part: rows are counted with the removed ones.
    slots: Vec<u32>,
    /// The first serial of each part.
    firsts: Vec<u32>,
}

/// A chunk and a row in it.
#[derive(Debug, Clone, Copy)]
struct At {
    part: usize,
    row: usize,
}

impl LiveRows {
    /// Begins with rows that came otherwise, as of an update of an epoch.
    pub(crate) fn try_new(
        schema: &SchemaRef,
        key: Vec<String>,
        batches: Vec<RecordBatch>,
        (epoch, sequence): (u64, u64),
    ) -> Result<Self> {
        let mut table = Table::try_new(schema.clone(), TableOptions::default().with_key(key).with_serials())?;
        table.apply(&Update::new(epoch, 1, Change::Replace(batches)), Duration::ZERO)?;
        table.set_position(epoch, sequence);
        let mut rows = Self { table, parts: Vec::new(), ends: Vec::new(), slots: Vec::new(), firsts: Vec::new() };
        rows.settle()?;
        Ok(rows)
    }

    /// Applies a message of the subscription. Gives rows that came, of which cells were set, and that went.
    pub(crate) fn apply(&mut self, message: Vec<u8>, now: f64) -> Result<[usize; 3]> {
        let update = Update::from_message_without(Buffer::from_vec(message), &Limits::default(), is_unread)?;
        self.apply_update(&update, now)
    }

    pub(super) fn apply_update(&mut self, update: &Update, now: f64) -> Result<[usize; 3]> {
        self.parts.clear();
        let now = Duration::from_millis(if now > 0.0 { now as u64 } else { 0 });
        if matches!(update.change, Change::Replace(_)) {
            // All rows anew, whatever number they have: a table that was removed and made again counts from the start.
            self.table.set_position(update.epoch.wrapping_add(1), 0);
        }
        let applied = self.table.apply(update, now)?;
        Ok([applied.inserted, applied.updated, applied.removed])
    }

    /// Reads the chunks after updates, and tells what these touched.
    pub(crate) fn settle(&mut self) -> Result<Touched> {
        self.parts.clear();
        if self.table.serials() as usize > 4 * self.table.rows() + SPARE {
            self.table.renumber();
        }
        self.parts = self.table.parts()?;
        self.ends.clear();
        self.slots.clear();
        self.firsts.clear();
        let (mut end, mut slot) = (0, 0);
        for part in &self.parts {
            self.slots.push(slot);
            self.firsts.push(part.serial(0));
            end += part.live();
            slot += part.batch.num_rows() as u32;
            self.ends.push(end);
        }
        Ok(self.table.take_touched())
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.table.schema()
    }

    /// The epoch and the last update.
    pub(crate) fn position(&self) -> (u64, u64) {
        (self.table.epoch(), self.table.sequence())
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.table.rows()
    }

    pub(super) fn next_serial(&self) -> u32 {
        self.table.serials()
    }

    /// The rows that are left, for queries over all of them.
    pub(crate) fn batches(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(self.table.snapshot()?.batches)
    }

    /// Serials in the order of rows.
    pub(super) fn serials(&self) -> Vec<u32> {
        let mut serials = Vec::with_capacity(self.len());
        for part in &self.parts {
            serials.extend((0..part.batch.num_rows()).filter(|&row| !part.is_removed(row)).map(|row| part.serial(row)));
        }
        serials
    }

    /// The serial of a row, counted from the first.
    pub(crate) fn serial(&self, row: usize) -> Option<u32> {
        let part = self.ends.partition_point(|&end| end <= row);
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        let chunk = self.parts.get(part)?;
        Some(chunk.serial(chunk.row_of(row - start)))
    }

    fn at(&self, serial: u32) -> Option<At> {
        let part = self.firsts.partition_point(|&first| first <= serial).checked_sub(1)?;
        let row = self.parts.get(part)?.find(serial)?;
        Some(At { part, row })
    }

    fn live_at(&self, serial: u32) -> Option<At> {
        self.at(serial).filter(|at| !self.parts[at.part].is_removed(at.row))
    }

    /// Whether a row is there.
    pub(super) fn has(&self, serial: u32) -> bool {
        self.live_at(serial).is_some()
    }

    /// The number of a row, counted from the first.
    pub(crate) fn row_of(&self, serial: u32) -> Option<usize> {
        let At { part, row } = self.live_at(serial)?;
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        Some(start + self.parts[part].live_before(row))
    }

    /// The number of a row with the removed ones among them; 0 for a row that is not there.
    pub(super) fn slot(&self, serial: u32) -> u32 {
        self.at(serial).map_or(0, |at| self.slots[at.part] + at.row as u32)
    }

    /// The array that holds a cell, and the row in it.
    pub(crate) fn cell(&self, serial: u32, column: usize) -> Option<(&dyn Array, usize)> {
        let at = self.live_at(serial)?;
        Some((self.parts[at.part].batch.columns().get(column)?.as_ref(), at.row))
    }

    /// A column in all its chunks, removed rows among them.
    pub(super) fn chunks(&self, column: usize) -> Vec<&dyn Array> {
        self.parts.iter().map(|part| part.batch.column(column).as_ref()).collect()
    }

    /// Rows that came at the end, from a serial on: slices of chunks.
    pub(super) fn tail(&self, serial: u32) -> Vec<RecordBatch> {
        let first = self.firsts.partition_point(|&first| first <= serial).saturating_sub(1);
        let slice = |part: &Part| {
            let from = if part.serial(0) >= serial { Some(0) } else { part.find(serial) }?;
            Some(part.batch.slice(from, part.batch.num_rows() - from))
        };
        self.parts.get(first..).unwrap_or_default().iter().filter_map(slice).collect()
    }

    /// Some columns of some rows, in the order of the list; the schema is that of these columns.
    pub(crate) fn take(&self, serials: &[u32], columns: &[usize], schema: &SchemaRef) -> Result<RecordBatch> {
        let total = self.parts.iter().map(|part| part.batch.num_rows()).sum();
        let slots = serials.iter().map(|&serial| self.slot(serial)).collect();
        let rows = Indices::try_new(slots, total).map_err(odd)?;
        let taken: Vec<ArrayRef> = columns
            .iter()
            .map(|&column| match self.parts.is_empty() {
                true => kernels::arrays::null_array(self.schema().field(column).data_type(), 0),
                false => kernels::take_chunks(&self.chunks(column), &rows),
            })
            .collect::<kernels::Result<_>>()
            .map_err(odd)?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(serials.len()));
        RecordBatch::try_new_with_options(schema.clone(), taken, &options).map_err(odd)
    }
}

/// An error of a kernel about rows of the table.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
pub(super) fn odd(error: impl std::fmt::Display) -> Error {
    Error::Mismatch { column: String::new(), reason: error.to_string() }
}
