//! How long rows stay: at most so many, so many bytes, so many seconds.
//!
//! What goes is always what has been there longest. In a table without a key that is its first rows, and they go exactly: a
//! trim. With a key it is the rows that were not upserted for longest, which a delete names by their keys; for that each
//! row's time is kept.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kernels::Indices;
use wire::table::Table;
use wire::update::Change;

use super::size;
use crate::{Error, Result};

/// What a table keeps. A limit that is left out does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retain {
    /// The most rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The most bytes of rows in Arrow's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How long after it was acknowledged a row goes; with a key, after it was last upserted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Rows that have to go.
#[derive(Debug)]
pub(super) struct Retired {
    pub(super) change: Change,
    /// The rows that a trim takes away.
    pub(super) gone: Vec<RecordBatch>,
}

impl Retain {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`Error::Definition`].
    pub(super) fn check(&self) -> Result<()> {
        let limits = [self.rows, self.bytes, self.seconds];
        if limits.iter().flatten().any(|&limit| limit == 0) || limits.iter().all(Option::is_none) {
            let reason = "\"retain\" names at least one of rows, bytes and seconds, each 1 or more".to_owned();
            return Err(Error::Definition { reason });
        }
        Ok(())
    }

    /// Whether the table must know the time of each row.
    pub(super) fn needs_times(&self, has_key: bool) -> bool {
        self.seconds.is_some() || has_key
    }

    /// The milliseconds after which a row goes.
    pub(super) fn age(&self) -> Option<u64> {
        self.seconds.map(|seconds| seconds.saturating_mul(1_000))
    }

    /// What has to go now; `until` is the last time of those that are too old. Bytes of a table with a key are estimated by
    /// its mean row: ask again until nothing has to go.
    ///
    /// # Errors
    /// [`Error::Rows`] with a kernel's words.
    pub(super) fn due(&self, table: &mut Table, until: Option<u64>) -> Result<Option<Retired>> {
        let wrong = |error: &dyn std::fmt::Display| Error::Rows { reason: error.to_string() };
        let over_rows = self.rows.map_or(0, |most| (table.rows() as u64).saturating_sub(most)) as usize;
        if over_rows == 0 && self.bytes.is_none() && until.is_none() {
            return Ok(None);
        }
        let snapshot = table.snapshot().map_err(|error| wrong(&error))?;
        let over_bytes =
            self.bytes.map_or(0, |most| (size::of(&snapshot.batches) as u64).saturating_sub(most)) as usize;
        if table.key().is_empty() {
            let old = until.map_or(0, |until| table.leading_until(until));
            let count = over_rows.max(old).max(rows_of_bytes(&snapshot.batches, over_bytes));
            return Ok((count > 0)
                .then(|| Retired { change: Change::Trim(count as u64), gone: first_rows(&snapshot.batches, count) }));
        }
        let share = over_bytes as f64 / size::of(&snapshot.batches).max(1) as f64;
        let by_bytes = (share * snapshot.rows as f64).ceil() as usize;
        if over_rows == 0 && by_bytes == 0 && until.is_none() {
            return Ok(None);
        }
        let mut rows: Vec<(u64, u32)> = table.times().into_iter().zip(0u32..).collect();
        let old = until.map_or(0, |until| rows.iter().filter(|(time, _)| *time <= until).count());
        let count = over_rows.max(by_bytes).max(old).min(rows.len());
        if count == 0 {
            return Ok(None);
        }
        if count < rows.len() {
            rows.select_nth_unstable(count);
        }
        let mut oldest: Vec<u32> = rows[..count].iter().map(|&(_, row)| row).collect();
        oldest.sort_unstable();
        let keys = keys_of(table, &snapshot.batches, oldest)?;
        Ok(Some(Retired { change: Change::Delete(keys), gone: Vec::new() }))
    }
}

/// The keys of rows by number, from the batches of a snapshot.
///
/// # Errors
/// [`Error::Rows`] with a kernel's words, such as when there is no such row.
pub(super) fn keys_of(table: &Table, batches: &[RecordBatch], rows: Vec<u32>) -> Result<RecordBatch> {
    let wrong = |error: &dyn std::fmt::Display| Error::Rows { reason: error.to_string() };
    let columns = table.key().iter().map(|name| table.schema().index_of(name));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| wrong(&error))?;
    let schema = table.schema().project(&columns).map_err(|error| wrong(&error))?;
    let keys = batches.iter().map(|batch| batch.project(&columns));
    let keys = keys.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| wrong(&error))?;
    let rows = Indices::try_new(rows, table.rows()).map_err(|error| wrong(&error))?;
    kernels::take_batches(&SchemaRef::new(schema), &keys, &rows).map_err(|error| wrong(&error))
}

/// The first rows of batches.
pub(super) fn first_rows(batches: &[RecordBatch], count: usize) -> Vec<RecordBatch> {
    let mut left = count;
    let mut first = Vec::new();
    for batch in batches {
        let here = left.min(batch.num_rows());
        if here == 0 {
            break;
        }
        first.push(batch.slice(0, here));
        left -= here;
    }
    first
}

/// How many of the first rows have so many bytes at least.
fn rows_of_bytes(batches: &[RecordBatch], bytes: usize) -> usize {
    let (mut left, mut count) = (bytes, 0);
    for batch in batches {
        if left == 0 {
            break;
        }
        let here = size::of([batch]);
        let rows = batch.num_rows();
        if here <= left {
            count += rows;
            left -= here;
            continue;
        }
        // The fewest whose absence leaves few enough.
        let enough = |gone: usize| size::of([&batch.slice(gone, rows - gone)]) + left <= here;
        let (mut low, mut high) = (1, rows);
        while low < high {
            let middle = low.midpoint(high);
            if enough(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return count + low;
    }
    count
}
