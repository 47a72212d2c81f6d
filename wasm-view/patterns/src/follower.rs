//! A table that follows one of the server's: it takes updates in as they come, and tells where its columns lie, so that a
//! page sees which of them were written anew.

use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use wasm_bindgen::prelude::*;
use wire::Limits;
use wire::table::{Snapshot, Table, TableOptions};
use wire::update::Update;

use crate::{Received, made, told};

/// A table with a key, and chunks of a size.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Follower {
    table: Table,
    /// Time, as the table counts it.
    now: Duration,
}

#[wasm_bindgen]
impl Follower {
    /// An empty table: rows at which the hot chunk is closed, and the most rows of a chunk.
    ///
    /// # Errors
    /// When there can be no such table.
    #[wasm_bindgen(constructor)]
    pub fn new(hot_rows: usize, chunk_rows: usize) -> Result<Self, JsError> {
        let options = TableOptions::default().with_key(["id"]).with_chunk_rows(chunk_rows);
        let options = options.with_hot(hot_rows, Duration::from_secs(1));
        Table::try_new(made::schema(), options).map(|table| Self { table, now: Duration::ZERO }).map_err(told)
    }

    /// Takes an update in: rows that came, changed and went, and its number.
    ///
    /// # Errors
    /// When it is none, or does not follow the one before: nothing is changed then.
    pub fn apply(&mut self, message: Received) -> Result<Vec<f64>, JsError> {
        let update = Update::from_message(message.bytes.into(), &Limits::default()).map_err(told)?;
        self.take(&update)
    }

    /// Takes appended rows in, one message for each, as a feed would bring them.
    ///
    /// # Errors
    /// As [`Follower::apply`].
    #[wasm_bindgen(js_name = applyLocal)]
    pub fn apply_local(&mut self, message: Received) -> Result<Vec<f64>, JsError> {
        let update = Update::from_message(message.bytes.into(), &Limits::default()).map_err(told)?;
        let update = self.table.next(update.change);
        self.take(&update)
    }

    /// Lets time go by: a hot chunk that has been open for long enough is closed.
    ///
    /// # Errors
    /// When it cannot be closed.
    #[wasm_bindgen(js_name = tick)]
    pub fn tick(&mut self, milliseconds: u32) -> Result<(), JsError> {
        self.now += Duration::from_millis(milliseconds.into());
        self.table.tick(self.now).map_err(told)
    }

    /// Patches one row's value so many times, each a change of its own.
    ///
    /// # Errors
    /// As [`Follower::apply`].
    #[wasm_bindgen(js_name = patchOften)]
    pub fn patch_often(&mut self, times: u32) -> Result<(), JsError> {
        let rows = u32::try_from(self.table.rows()).unwrap_or(u32::MAX).max(1);
        for time in 0..times {
            let change = made::patch(&[time % rows], f64::from(time)).map_err(told)?;
            let update = self.table.next(change);
            self.table.apply(&update, self.now).map_err(told)?;
        }
        Ok(())
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// Chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.table.chunks()
    }

    /// The number of the last update.
    #[must_use]
    pub fn sequence(&self) -> f64 {
        self.table.sequence() as f64
    }

    /// Addresses of the values of each column, chunk by chunk.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn places(&mut self) -> Result<Vec<usize>, JsError> {
        let parts = self.table.parts().map_err(told)?;
        let of = |column: &arrow_array::ArrayRef| {
            let data = column.to_data();
            data.buffers().last().map_or(0, |values| values.as_ptr() as usize + data.offset() * 8)
        };
        Ok(parts.iter().flat_map(|part| part.batch.columns().iter().map(of)).collect())
    }

    /// The rows as they are now, which stay as they are.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn snapshot(&mut self) -> Result<View, JsError> {
        self.table.snapshot().map(|snapshot| View { snapshot }).map_err(told)
    }

    /// The value of a row, by its number.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn value(&mut self, row: usize) -> Result<f64, JsError> {
        let mut row = row;
        for batch in self.table.snapshot().map_err(told)?.batches {
            if row < batch.num_rows() {
                return Ok(batch.column(2).as_primitive::<Float64Type>().value(row));
            }
            row -= batch.num_rows();
        }
        Err(told("there is no such row"))
    }
}

/// A view of a table at one moment: it shares the table's memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct View {
    snapshot: Snapshot,
}

#[wasm_bindgen]
impl View {
    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.snapshot.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl Follower {
    fn take(&mut self, update: &Update) -> Result<Vec<f64>, JsError> {
        let done = self.table.apply(update, self.now).map_err(told)?;
        let counts = [done.inserted, done.updated, done.removed];
        Ok(counts.map(|count| count as f64).into_iter().chain([update.sequence as f64]).collect())
    }
}
