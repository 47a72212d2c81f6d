//! The rows of a live table: messages in, cells out.
//!
//! The chunks are held between updates, as `wire` lets them be read, and let go before the next update: so cells that change
//! are changed in place.

use std::rc::Rc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use wire::table::{Table, TableOptions, Touched};
use wire::update::{Change, Update};
use wire::{Error, Limits, Result};

use super::parts::Parts;
use crate::load::is_unread;

/// Serials are given anew when there are so many more of them than rows.
const SPARE: usize = 1 << 16;

/// The rows of a live table.
#[derive(Debug)]
pub(crate) struct LiveRows {
    table: Table,
    parts: Rc<Parts>,
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
        let mut rows = Self { table, parts: Rc::default() };
        rows.settle()?;
        Ok(rows)
    }

    /// Applies a message of the subscription. Gives rows that came, of which cells were set, and that went.
    pub(crate) fn apply(&mut self, message: Vec<u8>, now: f64) -> Result<[usize; 3]> {
        let update = Update::from_message_without(Buffer::from_vec(message), &Limits::default(), is_unread)?;
        self.apply_update(&update, now)
    }

    pub(super) fn apply_update(&mut self, update: &Update, now: f64) -> Result<[usize; 3]> {
        self.parts = Rc::default();
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
        self.parts = Rc::default();
        if self.table.serials() as usize > 4 * self.table.rows() + SPARE {
            self.table.renumber();
        }
        self.parts = Rc::new(Parts::new(self.table.parts()?));
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

    /// The chunks, until the next update.
    pub(crate) fn parts(&self) -> &Rc<Parts> {
        &self.parts
    }

    pub(super) fn next_serial(&self) -> u32 {
        self.table.serials()
    }

    /// The rows that are left, for queries over all of them.
    pub(crate) fn batches(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(self.table.snapshot()?.batches)
    }
}

/// An error of a kernel about rows of the table.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
pub(super) fn odd(error: impl std::fmt::Display) -> Box<Error> {
    Error::mismatch("", &error.to_string())
}
