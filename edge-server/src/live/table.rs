//! One live table. A thread of its own takes changes, as many as wait at a time: it applies them, writes their messages to
//! the log in one go, and when the disk has them, lets readers see them and tells the senders.
//!
//! A change that does not fit is refused before it is written. If the log cannot be written, nothing of the group is kept:
//! the table is read anew from the log, and every sender of the group is told.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use wire::table::{Applied, Snapshot, Table, TableOptions};
use wire::update::{Change, Update};
use wire::{Limits, Options};

use super::Definition;
use super::log::Log;
use super::recent::Recent;
use crate::source::{self, Batches, Source};
use crate::{Error, Result};

/// Changes that wait for the thread; senders beyond wait themselves.
const WAITING: usize = 1_024;
/// Changes and bytes of one group.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 32 << 20;

/// What a sender is told when the disk has his change.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledged {
    /// What it did.
    pub applied: Applied,
    /// The last update's number.
    pub sequence: u64,
}

struct Job {
    change: Change,
    reply: oneshot::Sender<Result<Acknowledged>>,
}

/// A live table.
#[derive(Debug)]
pub struct LiveTable {
    definition: Definition,
    schema: SchemaRef,
    path: PathBuf,
    /// Gone when the table has been removed.
    jobs: Mutex<Option<SyncSender<Job>>>,
    /// What readers see: only what is on the disk.
    seen: Arc<Mutex<Seen>>,
    changes: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Seen {
    snapshot: Snapshot,
    bytes: u64,
    recent: Recent,
}

/// What a follower lacks.
#[derive(Debug)]
pub enum Missed {
    /// Messages of updates, perhaps none, and the position after them: epoch and number.
    Updates(Vec<Bytes>, (u64, u64)),
    /// The updates are not at hand any more: all rows.
    Rows(Snapshot),
}

/// The thread's side.
struct Keeper {
    table: Table,
    log: Log,
    definition: Definition,
    begin: Instant,
    seen: Arc<Mutex<Seen>>,
    /// The number of the last update that readers see.
    shown: watch::Sender<u64>,
}

impl LiveTable {
    /// Makes a table and its log.
    ///
    /// # Errors
    /// [`Error::Definition`], [`Error::Io`].
    pub fn create(path: &Path, definition: &Definition) -> Result<Self> {
        let table = empty(definition)?;
        let first = serde_json::to_vec(definition).map_err(|error| Error::Internal(error.to_string()))?;
        Self::start(table, Log::create(path, &first)?, definition.clone())
    }

    /// Opens a table by its log; a torn tail is cut off.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when the log is none, or a record in its midst is no update.
    pub fn open(path: &Path) -> Result<Self> {
        let (table, log, definition, torn) = replay(path)?;
        if torn > 0 {
            tracing::warn!(path = %path.display(), bytes = torn, "a torn tail was cut off; it was never acknowledged");
        }
        Self::start(table, log, definition)
    }

    fn start(mut table: Table, log: Log, definition: Definition) -> Result<Self> {
        let seen = Seen { snapshot: table.snapshot().map_err(fault)?, bytes: log.bytes(), recent: Recent::default() };
        let (shown, changes) = watch::channel(seen.snapshot.sequence);
        let seen = Arc::new(Mutex::new(seen));
        let (jobs, waiting) = sync_channel(WAITING);
        let (schema, path) = (table.schema().clone(), log.path().to_owned());
        let keeper =
            Keeper { shown, table, log, definition: definition.clone(), begin: Instant::now(), seen: seen.clone() };
        std::thread::Builder::new()
            .name("live table".to_owned())
            .spawn(move || keeper.run(&waiting))
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        Ok(Self { definition, schema, path, jobs: Mutex::new(Some(jobs)), seen, changes })
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

    /// Takes no more changes, and tells all who follow.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
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
                Some(messages) => Missed::Updates(messages, reached),
                None => Missed::Rows(seen.snapshot.clone()),
            },
            _ => Missed::Rows(seen.snapshot.clone()),
        }
    }

    /// All rows as an update message.
    ///
    /// # Errors
    /// [`Error::Rows`] when a type cannot be written.
    pub fn replacement(snapshot: Snapshot) -> Result<Bytes> {
        let Snapshot { schema, mut batches, epoch, sequence, .. } = snapshot;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        let update = Update { epoch, sequence, change: Change::Replace(batches) };
        update.to_message(Options::default()).map(Bytes::from).map_err(fault)
    }

    /// Makes a change. Returns when the disk has it; blocks while many others wait.
    ///
    /// # Errors
    /// [`Error::Rows`] when it does not fit; [`Error::Io`] when it could not be written. Nothing has changed then.
    pub fn change(&self, change: Change) -> Result<Acknowledged> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Internal("the table has been removed".to_owned());
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or_else(gone)?.send(Job { change, reply }).map_err(|_| gone())?;
        answer.blocking_recv().map_err(|_| gone())?
    }
}

/// What is wrong with a change, or with a record of the log.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn fault(error: wire::Error) -> Error {
    Error::Rows { reason: error.to_string() }
}

fn empty(definition: &Definition) -> Result<Table> {
    let options = TableOptions::default().with_key(definition.key.clone());
    Table::try_new(Arc::new(definition.schema()?), options)
        .map_err(|error| Error::Definition { reason: error.to_string() })
}

/// A table from its log.
fn replay(path: &Path) -> Result<(Table, Log, Definition, u64)> {
    let mut made: Option<(Table, Definition)> = None;
    let mut number = 0u64;
    let (log, torn) = Log::open(path, |record| {
        let malformed = |reason: String| Error::Format { path: path.to_owned(), reason };
        number += 1;
        match &mut made {
            None => {
                let definition: Definition =
                    serde_json::from_slice(&record).map_err(|error| malformed(format!("its definition: {error}")))?;
                made = Some((empty(&definition)?, definition));
            }
            Some((table, _)) => {
                let update = Update::from_message(record.into(), &Limits::default());
                let applied = update.and_then(|update| table.apply(&update, std::time::Duration::ZERO));
                applied.map_err(|error| malformed(format!("record {number}: {error}")))?;
            }
        }
        Ok(())
    })?;
    let malformed = || Error::Format { path: path.to_owned(), reason: "a log without a definition".to_owned() };
    let (table, definition) = made.ok_or_else(malformed)?;
    Ok((table, log, definition, torn))
}

impl Keeper {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (mut replies, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
            let mut next = Some(first);
            while let Some(Job { change, reply }) = next.take() {
                match self.take(change) {
                    Ok((acknowledged, record)) => {
                        bytes += record.len();
                        records.push(record);
                        replies.push((reply, acknowledged));
                    }
                    Err(error) => drop(reply.send(Err(error))),
                }
                if records.len() < GROUP && bytes < GROUP_BYTES {
                    next = jobs.try_recv().ok();
                }
            }
            if records.is_empty() {
                continue;
            }
            match self.log.append(&records).and_then(|()| self.show(records)) {
                Ok(()) => replies.into_iter().for_each(|(reply, done)| drop(reply.send(Ok(done)))),
                Err(error) => {
                    tracing::error!(%error, "updates could not be written; the table is read anew");
                    for (reply, _) in replies {
                        let path = self.log.path().to_owned();
                        let kind = match &error {
                            Error::Io { source, .. } => source.kind(),
                            _ => std::io::ErrorKind::Other,
                        };
                        let source = std::io::Error::new(kind, error.to_string());
                        drop(reply.send(Err(Error::Io { path, source })));
                    }
                    match replay(self.log.path()) {
                        Ok((table, log, _, _)) => (self.table, self.log) = (table, log),
                        Err(error) => {
                            tracing::error!(%error, "the table takes no more changes");
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Applies a change and gives its record.
    fn take(&mut self, change: Change) -> Result<(Acknowledged, Vec<u8>)> {
        let update = self.table.next(change);
        // The message first: what cannot be written is not applied.
        let record = update.to_message(Options::default()).map_err(fault)?;
        let applied = self.table.apply(&update, self.begin.elapsed()).map_err(fault)?;
        Ok((Acknowledged { applied, sequence: update.sequence }, record))
    }

    /// Lets readers see what is on the disk.
    fn show(&mut self, records: Vec<Vec<u8>>) -> Result<()> {
        let snapshot = self.table.snapshot().map_err(fault)?;
        let sequence = snapshot.sequence;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, record) in (sequence + 1 - records.len() as u64..).zip(records) {
            seen.recent.push(number, record.into());
        }
        (seen.snapshot, seen.bytes) = (snapshot, self.log.bytes());
        drop(seen);
        self.shown.send_replace(sequence);
        Ok(())
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("definition", &self.definition).finish_non_exhaustive()
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
        use std::hash::{DefaultHasher, Hash, Hasher};
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = DefaultHasher::new();
        (&self.path, seen.snapshot.epoch, seen.snapshot.sequence, seen.bytes).hash(&mut hasher);
        hasher.finish()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        Ok(source::projected(&self.snapshot().batches, columns, pieces))
    }
}
