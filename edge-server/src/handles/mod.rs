//! Handles: results that stay on the server under names that nobody can guess, to be read, and asked again, as tables are.
//!
//! A handle lives until it has not been used for its time, or until memory is short: then those go first that were used
//! longest ago, and whoever asks for one that went is told why. A result that shares memory with another, as a slice or a
//! choice of columns does, costs what it does not share.
//!
//! * [`memory`] – what results cost together.

mod memory;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use self::memory::Shared;
use crate::source::{Batches, Source, projected};
use crate::{Error, Result};

/// How long a handle lives when nothing else is said.
pub const TIME: Duration = Duration::from_secs(30 * 60);
/// The longest that can be asked for.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Handles that went of which is known why.
const REMEMBERED: usize = 10_000;

/// Why a handle is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It was not used for its time.
    Expired,
    /// Memory was short, and it was the one not used for longest.
    Evicted,
    /// Somebody deleted it.
    Deleted,
}

/// A result.
#[derive(Debug)]
pub struct Held {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    tag: u64,
}

impl Held {
    /// A result of batches of this schema.
    #[must_use]
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let bytes = memory::bytes(&batches);
        Self { schema, batches, rows, bytes, tag: 0 }
    }
}

impl Source for Held {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    fn tag(&self) -> u64 {
        self.tag
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn pieces(&self) -> Vec<usize> {
        self.batches.iter().map(RecordBatch::num_rows).collect()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        Ok(projected(&self.batches, columns, pieces))
    }
}

/// What is told of a handle.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Its name.
    pub id: String,
    /// What it was made of: a table or another handle.
    pub of: String,
    /// Rows.
    pub rows: usize,
    /// Bytes, those that are shared with others too.
    pub bytes: usize,
    /// Columns.
    pub columns: usize,
    /// How long it lives if it is not used.
    pub left: Duration,
}

struct Entry {
    of: String,
    held: Arc<Held>,
    time: Duration,
    used: Instant,
    /// Counts uses: of two that were used at the same moment, one was first.
    turn: u64,
}

/// All handles.
pub struct Handles {
    inner: Mutex<Inner>,
    limit: usize,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<String, Entry>,
    shared: Shared,
    gone: BTreeMap<String, Gone>,
    gone_order: VecDeque<String>,
    turn: u64,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handles").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Handles {
    /// No handles, and room for so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { inner: Mutex::default(), limit }
    }

    /// The bytes that there is room for.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of all results, each that is shared counted once.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inner().shared.bytes()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a result; its name. What was not used for longest goes when there is no room.
    ///
    /// # Errors
    /// [`Error::Budget`] when the result alone is larger than the room for all; [`Error::Internal`] without a source of
    /// random numbers.
    pub fn keep(&self, of: &str, mut held: Held, time: Duration, now: Instant) -> Result<Summary> {
        if held.bytes > self.limit {
            return Err(Error::Budget { what: "memory", limit: format!("{} MB for all handles", self.limit >> 20) });
        }
        let id = random()?;
        held.tag = u64::from_str_radix(&id[..16], 16).unwrap_or(0);
        let held = Arc::new(held);
        let mut inner = self.inner();
        inner.expire(now);
        inner.turn += 1;
        let turn = inner.turn;
        inner.shared.add(&held.batches);
        let entry = Entry { of: of.to_owned(), held, time: time.min(LONGEST), used: now, turn };
        let summary = summary(&id, &entry, now);
        inner.entries.insert(id.clone(), entry);
        while inner.shared.bytes() > self.limit {
            let oldest = inner.entries.iter().filter(|(other, _)| **other != id).min_by_key(|(_, entry)| entry.turn);
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { break };
            inner.forget(&oldest, Gone::Evicted);
        }
        Ok(summary)
    }

    /// A result, which lives on from now for its time.
    ///
    /// # Errors
    /// Why it is not there, or none when it never was.
    pub fn get(&self, id: &str, now: Instant) -> Result<Arc<Held>, Option<Gone>> {
        let mut inner = self.inner();
        inner.expire(now);
        inner.turn += 1;
        let turn = inner.turn;
        match inner.entries.get_mut(id) {
            Some(entry) => {
                (entry.used, entry.turn) = (now, turn);
                Ok(entry.held.clone())
            }
            None => Err(inner.gone.get(id).copied()),
        }
    }

    /// What is told of a handle; it is not used by that.
    #[must_use]
    pub fn describe(&self, id: &str, now: Instant) -> Option<Summary> {
        let mut inner = self.inner();
        inner.expire(now);
        inner.entries.get(id).map(|entry| summary(id, entry, now))
    }

    /// All handles by name.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Summary> {
        let mut inner = self.inner();
        inner.expire(now);
        inner.entries.iter().map(|(id, entry)| summary(id, entry, now)).collect()
    }

    /// Deletes a handle; false when there is none.
    pub fn delete(&self, id: &str) -> bool {
        let mut inner = self.inner();
        let there = inner.entries.contains_key(id);
        if there {
            inner.forget(id, Gone::Deleted);
        }
        there
    }
}

impl Inner {
    fn expire(&mut self, now: Instant) {
        let late = |entry: &Entry| now.saturating_duration_since(entry.used) > entry.time;
        let expired = self.entries.iter().filter(|(_, entry)| late(entry)).map(|(id, _)| id.clone());
        for id in expired.collect::<Vec<_>>() {
            self.forget(&id, Gone::Expired);
        }
    }

    fn forget(&mut self, id: &str, why: Gone) {
        let Some(entry) = self.entries.remove(id) else { return };
        self.shared.remove(&entry.held.batches);
        self.gone.insert(id.to_owned(), why);
        self.gone_order.push_back(id.to_owned());
        while self.gone_order.len() > REMEMBERED {
            if let Some(forgotten) = self.gone_order.pop_front() {
                self.gone.remove(&forgotten);
            }
        }
    }
}

fn summary(id: &str, entry: &Entry, now: Instant) -> Summary {
    Summary {
        id: id.to_owned(),
        of: entry.of.clone(),
        rows: entry.held.rows,
        bytes: entry.held.bytes,
        columns: entry.held.schema.fields().len(),
        left: entry.time.saturating_sub(now.saturating_duration_since(entry.used)),
    }
}

/// 128 random bits of the system, as 32 digits.
fn random() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    fn numbers(rows: i64) -> RecordBatch {
        let column = |start: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(start..start + rows)) };
        RecordBatch::try_from_iter([("a", column(0)), ("b", column(5))]).unwrap()
    }

    fn held(batch: &RecordBatch) -> Held {
        Held::new(batch.schema(), vec![batch.clone()])
    }

    #[test]
    fn a_handle_lives_while_it_is_used() {
        let handles = Handles::new(1 << 20);
        let begin = Instant::now();
        let after = |seconds: u64| begin + Duration::from_secs(seconds);
        let made = handles.keep("t", held(&numbers(10)), Duration::from_secs(60), begin).unwrap();
        assert_eq!((made.id.len(), made.rows, made.columns, made.left.as_secs()), (32, 10, 2, 60));
        assert!(handles.get(&made.id, after(50)).is_ok());
        assert!(handles.get(&made.id, after(100)).is_ok());
        assert_eq!(handles.describe(&made.id, after(110)).unwrap().left.as_secs(), 50);
        assert_eq!(handles.get(&made.id, after(161)).unwrap_err(), Some(Gone::Expired));
        assert_eq!(handles.get("nobody", begin).unwrap_err(), None);
        assert_eq!((handles.bytes(), handles.list(after(161))), (0, Vec::new()));
    }

    #[test]
    fn what_is_shared_is_counted_once_and_what_was_not_used_goes_first() {
        let (batch, now) = (numbers(1_000), Instant::now());
        let handles = Handles::new(40_000);
        let keep = |batch: &RecordBatch| handles.keep("t", held(batch), TIME, now).unwrap().id;
        let whole = keep(&batch);
        let alone = handles.bytes();
        assert!((16_000..17_000).contains(&alone), "{alone}");
        let (slice, column) = (keep(&batch.slice(10, 500)), keep(&batch.project(&[1]).unwrap()));
        assert_eq!(handles.bytes(), alone);
        assert!(handles.delete(&whole) && !handles.delete(&whole));
        // The slice still holds both columns.
        assert_eq!(handles.bytes(), alone);
        let other = keep(&numbers(1_000));
        assert!(handles.get(&slice, now).is_ok());
        let third = keep(&numbers(900));
        // No room for three: the column alone would have freed nothing, and the other went after it.
        assert_eq!(handles.get(&column, now).unwrap_err(), Some(Gone::Evicted));
        assert_eq!(handles.get(&other, now).unwrap_err(), Some(Gone::Evicted));
        assert!(handles.get(&slice, now).is_ok() && handles.get(&third, now).is_ok());
        assert_eq!(handles.get(&whole, now).unwrap_err(), Some(Gone::Deleted));
        assert!(handles.keep("t", held(&numbers(5_000)), TIME, now).is_err());
        assert!(handles.get(&third, now).is_ok());
    }
}
