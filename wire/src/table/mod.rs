//! A live table: the chunks that both ends hold, and the updates that change them.
//!
//! Rows stand in chunks of at most [`TableOptions::chunk_rows`]. Small batches are copied into the last chunk, which is
//! *hot*: its columns have room, and its rows can be read at once. When it has enough rows, or has been open for long
//! enough, it is closed; small closed chunks that are neighbours are merged, so that there are never many. Large batches
//! become chunks as they are, over the bytes that they came in.
//!
//! A row keeps its place until its chunk is merged. With a key, an index knows the place of each. What is removed is
//! marked, and left out when the chunk is read; a chunk of which half is gone is written anew.
//!
//! [`Table::snapshot`] is what readers get: batches that share memory with the table and never change. Time is given from
//! outside, as a duration since any fixed moment, since the wire has no clock.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
//! use wire::table::{Table, TableOptions};
//! use wire::update::Change;
//! # let batch = |names: &[&str], prices: &[f64]| RecordBatch::try_from_iter([
//! #     ("name", Arc::new(StringArray::from(names.to_vec())) as ArrayRef),
//! #     ("price", Arc::new(Float64Array::from(prices.to_vec())) as ArrayRef),
//! # ]);
//! let rows = batch(&["a", "b"], &[1.0, 2.0])?;
//! let mut table = Table::try_new(rows.schema(), TableOptions::default().with_key(["name"]))?;
//! let now = Duration::ZERO;
//! table.apply(&table.next(Change::Append(rows)), now)?;
//! let before = table.snapshot()?;
//! table.apply(&table.next(Change::Upsert(batch(&["b", "c"], &[2.5, 3.0])?)), now)?;
//! assert_eq!((before.rows, table.snapshot()?.rows), (2, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod chunk;
mod index;
mod part;
mod removed;
mod retire;
mod tidy;

use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use chunk::Chunk;
use index::KeyIndex;
pub use part::{Part, Touched};

use crate::ordered::Ordered;
use crate::update::{Change, Update};
use crate::{Error, Result};

/// How a table keeps its rows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TableOptions {
    /// The columns that name a row; none for a table without a key.
    pub key: Vec<String>,
    /// Rows at which the hot chunk is closed.
    pub hot_rows: usize,
    /// The time after which it is closed, if it is not full before.
    pub hot_age: Duration,
    /// The most rows of a chunk.
    pub chunk_rows: usize,
    /// Whether each row's time is kept: when it came, or was last upserted. Eight bytes for each row.
    pub times: bool,
    /// Whether rows have serials, and what updates touch is noted (see [`Touched`]): for readers that keep an order.
    pub serials: bool,
}

impl Default for TableOptions {
    fn default() -> Self {
        let (hot_rows, hot_age, chunk_rows) = (8_192, Duration::from_secs(60), 65_536);
        Self { key: Vec::new(), hot_rows, hot_age, chunk_rows, times: false, serials: false }
    }
}

impl TableOptions {
    /// Names the columns of the key. In a table with a key, an append is an upsert.
    #[must_use]
    pub fn with_key<T: Into<String>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        self.key = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets when the hot chunk is closed.
    #[must_use]
    pub fn with_hot(mut self, rows: usize, age: Duration) -> Self {
        (self.hot_rows, self.hot_age) = (rows, age);
        self
    }

    /// Sets the most rows of a chunk.
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows;
        self
    }

    /// Keeps each row's time (see [`Table::times`]).
    #[must_use]
    pub fn with_times(mut self) -> Self {
        self.times = true;
        self
    }

    /// Numbers rows, and notes what updates touch (see [`Table::parts`], [`Table::take_touched`]).
    #[must_use]
    pub fn with_serials(mut self) -> Self {
        self.serials = true;
        self
    }
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Rows that came.
    pub inserted: usize,
    /// Rows of which cells were set.
    pub updated: usize,
    /// Rows that went.
    pub removed: usize,
    /// The update had been applied before, and nothing was done.
    pub repeated: bool,
}

/// A table at one moment. It shares memory with the table and does not change.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The schema of all batches.
    pub schema: SchemaRef,
    /// The rows, in their order.
    pub batches: Vec<RecordBatch>,
    /// Rows of all batches.
    pub rows: usize,
    /// The table's epoch.
    pub epoch: u64,
    /// The last update that is in it.
    pub sequence: u64,
}

/// A table that changes.
#[derive(Debug)]
pub struct Table {
    schema: SchemaRef,
    options: TableOptions,
    index: Option<KeyIndex>,
    /// By number, which is the order of rows.
    /// By numbers that fit a [`Place`](index::Place).
    chunks: Ordered<Box<Chunk>>,
    next_chunk: u32,
    /// The number of the hot chunk, and when it was opened.
    hot: Option<(u32, Duration)>,
    rows: usize,
    epoch: u64,
    sequence: u64,
    next_serial: u32,
    touched: Touched,
}

/// A kernel's error about rows that were checked before: the kernel's own words.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
#[cold]
#[inline(never)]
fn kernel(error: Box<kernels::Error>) -> Box<Error> {
    Error::mismatch("", &error.to_string())
}

impl Table {
    /// An empty table.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the key names a column that is not there or that cannot be a key.
    pub fn try_new(schema: SchemaRef, mut options: TableOptions) -> Result<Self> {
        options.chunk_rows = options.chunk_rows.clamp(64, 1 << 24);
        options.hot_rows = options.hot_rows.clamp(1, options.chunk_rows);
        let index = match options.key.as_slice() {
            [] => None,
            key => Some(KeyIndex::try_new(&schema, key)?),
        };
        let (chunks, hot) = (Ordered::default(), None);
        let touched = Touched::default();
        let (next_chunk, rows, epoch, sequence, next_serial) = (0, 0, 0, 0, 0);
        Ok(Self { schema, options, index, chunks, next_chunk, hot, rows, epoch, sequence, next_serial, touched })
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns of the key.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.options.key
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The table's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The last update that was applied.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Bytes of memory, those that are shared with messages among them.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.chunks.values().iter().map(|chunk| chunk.memory()).sum()
    }

    /// The update that makes this change the next one.
    #[must_use]
    pub fn next(&self, change: Change) -> Update {
        Update::new(self.epoch, self.sequence + 1, change)
    }

    /// Begins a new epoch, or takes over where a snapshot from elsewhere stands: updates are counted on from here.
    pub fn set_position(&mut self, epoch: u64, sequence: u64) {
        (self.epoch, self.sequence) = (epoch, sequence);
    }

    /// Applies an update: all of it, or, with an error, nothing.
    ///
    /// Costs the update's rows, and at worst (text cells that change) the chunks that they stand in; the number of rows in
    /// the table does not matter, but for an index that doubles now and then.
    ///
    /// # Errors
    /// [`Error::Epoch`] and [`Error::Gap`] when the update does not come next; [`Error::Mismatch`],
    /// [`Error::NullCell`], [`Error::NoKey`] and [`Error::NoSuchRow`] when it does not fit the table.
    pub fn apply(&mut self, update: &Update, now: Duration) -> Result<Applied> {
        let replaces = matches!(update.change, Change::Replace(_));
        if update.epoch == self.epoch && update.sequence <= self.sequence {
            return Ok(Applied { repeated: true, ..Applied::default() });
        }
        // A replacement says all there is to say, whatever was missed.
        if !replaces {
            if update.epoch != self.epoch {
                return Err(Box::new(Error::Epoch { expected: self.epoch, found: update.epoch }));
            }
            // A merged update begins behind the one that it names.
            let first = update.after.map_or(update.sequence, |after| after.saturating_add(1));
            if first != self.sequence + 1 {
                return Err(Box::new(Error::Gap { expected: self.sequence + 1, found: first }));
            }
        }
        let applied = self.change(&update.change, now)?;
        self.set_position(update.epoch, update.sequence);
        self.tick(now)?;
        Ok(applied)
    }

    /// The rows as they are. `O(chunks)`, and the rows of chunks from which some have been removed since the last time.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when text of one chunk outgrows its offsets.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let batches = self.chunks.values_mut().iter_mut().map(|chunk| chunk.batch(&self.schema));
        let batches = batches.filter(|batch| batch.as_ref().is_ok_and(|batch| batch.num_rows() > 0) || batch.is_err());
        Ok(Snapshot {
            schema: self.schema.clone(),
            batches: batches.collect::<Result<_>>()?,
            rows: self.rows,
            epoch: self.epoch,
            sequence: self.sequence,
        })
    }
}
