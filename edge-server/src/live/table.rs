//! One live table, as readers and senders see it. Its rows are kept by a thread of its own (`keeper`); readers see what
//! that thread has shown them, which is only what the disk has.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use arrow_schema::SchemaRef;
use tokio::sync::{oneshot, watch};
use wire::table::{Applied, Snapshot};
use wire::update::Change;

use super::keeper::{Job, Keeper, clock};
use super::log::Log;
use super::recent::{Logged, Recent};
use super::replay::{self, Replayed};
use super::{Definition, fault};
use crate::source::{self, Batches, Source};
use crate::{Error, Result};

/// Jobs that wait for the thread; senders beyond wait themselves.
const WAITING: usize = 1_024;

/// What a sender is told when the disk has his change.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledged {
    /// What it did.
    pub applied: Applied,
    /// The last update's number.
    pub sequence: u64,
}

/// A live table.
#[derive(Debug)]
pub struct LiveTable {
    definition: Definition,
    schema: SchemaRef,
    /// The table without rows: knows what whole rows are.
    empty: wire::table::Table,
    path: PathBuf,
    /// Gone when the table has been closed.
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// What readers see: only what is on the disk.
    seen: Arc<Mutex<Seen>>,
    changes: watch::Receiver<u64>,
}

/// What readers see.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) snapshot: Snapshot,
    pub(super) bytes: u64,
    pub(super) recent: Recent,
}

/// What a follower lacks.
#[derive(Debug)]
pub enum Missed {
    /// Updates, perhaps none, and the position after them: epoch and number.
    Updates(Vec<Arc<Logged>>, (u64, u64)),
    /// The updates are not at hand any more: all rows.
    Rows(Snapshot),
}

/// Where a table stands, and what has happened since a position, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The epoch and the last update.
    pub position: (u64, u64),
    /// Rows.
    pub rows: usize,
    /// What the updates since did, all together; none when they are not at hand any more, and all rows may be others.
    pub done: Option<Applied>,
}

impl LiveTable {
    /// Makes a table and its log.
    ///
    /// # Errors
    /// [`Error::Definition`], [`Error::Io`].
    pub fn create(path: &Path, definition: &Definition) -> Result<Self> {
        definition.check()?;
        let mut table = replay::empty(definition)?;
        // Who followed another table of this name must not take this one for it.
        table.set_position(clock(), 0);
        let first = serde_json::to_vec(definition).map_err(|error| Error::Internal(error.to_string()))?;
        let log = Log::create(path, &first)?;
        Self::start(Replayed { table, log, definition: definition.clone(), torn: 0, time: 0 })
    }

    /// Opens a table by its log; a torn tail is cut off.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when the log is none, or a record in its midst is no update.
    pub fn open(path: &Path) -> Result<Self> {
        let replayed = replay::replay(path)?;
        let torn = replayed.torn;
        if torn > 0 {
            tracing::warn!(path = %path.display(), bytes = torn, "a torn tail was cut off; it was never acknowledged");
        }
        Self::start(replayed)
    }

    fn start(mut replayed: Replayed) -> Result<Self> {
        let Replayed { table, log, definition, .. } = &mut replayed;
        let seen = Seen { snapshot: table.snapshot().map_err(fault)?, bytes: log.bytes(), recent: Recent::default() };
        let (shown, changes) = watch::channel(seen.snapshot.sequence);
        let seen = Arc::new(Mutex::new(seen));
        let (jobs, waiting) = sync_channel(WAITING);
        let (schema, path, definition) = (table.schema().clone(), log.path().to_owned(), definition.clone());
        let keeper = Keeper::new(replayed, seen.clone(), shown).settled(&waiting)?;
        let thread = std::thread::Builder::new()
            .name("live table".to_owned())
            .spawn(move || keeper.run(&waiting))
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        let (jobs, thread) = (Mutex::new(Some(jobs)), Mutex::new(Some(thread)));
        let empty = replay::empty(&definition)?;
        Ok(Self { definition, schema, empty, path, jobs, thread, seen, changes })
    }

    /// What the table was made of.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Its log.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rows as they are on the disk.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).snapshot.clone()
    }

    /// Takes no more changes, tells all who follow, and waits until what was sent before is on the disk.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(path = %self.path.display(), "the thread of a live table broke down");
        }
    }

    /// Tells when there is something new; ends when the table does.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// What a follower at a position lacks: one without a position, all rows.
    #[must_use]
    pub fn missed(&self, position: Option<(u64, u64)>) -> Missed {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = (seen.snapshot.epoch, seen.snapshot.sequence);
        match position {
            Some(position) if position == reached => Missed::Updates(Vec::new(), reached),
            Some((epoch, sequence)) if epoch == reached.0 => match seen.recent.after(sequence) {
                Some(updates) => Missed::Updates(updates, reached),
                None => Missed::Rows(seen.snapshot.clone()),
            },
            _ => Missed::Rows(seen.snapshot.clone()),
        }
    }

    /// What has happened since a position, for one who asks for what he shows.
    #[must_use]
    pub fn told(&self, since: Option<(u64, u64)>) -> Told {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let position = (seen.snapshot.epoch, seen.snapshot.sequence);
        let done = match since {
            Some(since) if since == position => Some(Applied::default()),
            Some((epoch, sequence)) if epoch == position.0 => seen.recent.done_after(sequence),
            _ => None,
        };
        Told { position, rows: seen.snapshot.rows, done }
    }

    /// Rows with all of the table's columns in their order.
    ///
    /// # Errors
    /// [`Error::Rows`] when they do not fit.
    pub fn fitted(&self, rows: &arrow_array::RecordBatch) -> Result<arrow_array::RecordBatch> {
        self.empty.fitted(rows).map_err(fault)
    }

    /// Makes a change. Returns when the disk has it; blocks while many others wait.
    ///
    /// # Errors
    /// [`Error::Rows`] when it does not fit; [`Error::Io`] when it could not be written. Nothing has changed then.
    pub fn change(&self, change: Change) -> Result<Acknowledged> {
        match self.change_all(vec![change])?.pop() {
            Some(done) => done,
            None => Err(Error::Internal("a change was lost".to_owned())),
        }
    }

    /// Makes changes, each for itself, with one sync for all; an answer for each.
    ///
    /// # Errors
    /// When the table has been removed; what is wrong with single changes stands in their answers, as by
    /// [`LiveTable::change`].
    pub fn change_all(&self, changes: Vec<Change>) -> Result<Vec<Result<Acknowledged>>> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Internal("the table has been removed".to_owned());
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or_else(gone)?.send(Job { changes, reply }).map_err(|_| gone())?;
        answer.blocking_recv().map_err(|_| gone())
    }
}

impl LiveTable {
    fn tag_of(&self, seen: &Seen) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (&self.path, seen.snapshot.epoch, seen.snapshot.sequence, seen.bytes).hash(&mut hasher);
        hasher.finish()
    }

    /// The table as it is at this moment, as a source that stays so.
    #[must_use]
    pub fn pinned(&self) -> Pinned {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Pinned { snapshot: seen.snapshot.clone(), bytes: seen.bytes, tag: self.tag_of(&seen) }
    }
}

/// A live table at one moment.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// The rows, and of which update they are.
    pub snapshot: Snapshot,
    bytes: u64,
    tag: u64,
}

impl Source for Pinned {
    fn schema(&self) -> &SchemaRef {
        &self.snapshot.schema
    }

    fn rows(&self) -> usize {
        self.snapshot.rows
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn tag(&self) -> u64 {
        self.tag
    }

    fn lasts(&self) -> bool {
        false
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn pieces(&self) -> Vec<usize> {
        self.snapshot.batches.iter().map(arrow_array::RecordBatch::num_rows).collect()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        Ok(source::projected(&self.snapshot.batches, columns, pieces))
    }
}

impl Source for LiveTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).snapshot.rows
    }

    fn bytes(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    fn tag(&self) -> u64 {
        self.tag_of(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lasts(&self) -> bool {
        false
    }

    fn frozen(&self) -> Option<Arc<dyn Source>> {
        Some(Arc::new(self.pinned()))
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        Ok(source::projected(&self.snapshot().batches, columns, pieces))
    }
}
