//! The thread of a live table. It takes changes, as many as wait at a time: applies them, retires rows that are too old or
//! too many, writes all their messages to the log in one go, and when the disk has them, lets readers see them and tells the
//! senders.
//!
//! A change that does not fit is refused before it is written. If the log cannot be written, nothing of the group is kept:
//! the table is read anew from the log, and every sender of the group is told. Between groups it sees to it that a log that
//! has become too long is written anew.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow_array::RecordBatch;
use tokio::sync::{oneshot, watch};
use wire::Options;
use wire::table::Table;
use wire::update::Change;

use super::compact::{self, Rewriting};
use super::log::Log;
use super::recent::Logged;
use super::replay::{Note, Replayed, replay};
use super::retain::{first_rows, keys_of};
use super::table::{Acknowledged, Seen};
use super::{Definition, fault};
use crate::{Error, Result};

/// Changes and bytes of one group.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 32 << 20;
/// Times are told apart from here on, in milliseconds.
const TICK: u64 = 100;
/// How often it is asked whether a log has been written anew.
const REWRITING: Duration = Duration::from_millis(20);
/// The longest time without looking at the clock.
const IDLE: Duration = Duration::from_secs(1);

/// An answer for each change of a job.
pub(super) type Answers = Vec<Result<Acknowledged>>;

/// Changes of one sender, each for itself, with one sync for all.
pub(super) struct Job {
    pub(super) changes: Vec<Change>,
    pub(super) reply: oneshot::Sender<Answers>,
}

/// The thread's side of a table.
pub(super) struct Keeper {
    table: Table,
    log: Log,
    definition: Definition,
    seen: Arc<Mutex<Seen>>,
    /// The number of the last update that readers see.
    shown: watch::Sender<u64>,
    /// Milliseconds since 1970, as the log has them; they never go back.
    now: u64,
    /// The time of the last note.
    noted: u64,
    /// When the next row may have become too old.
    due: u64,
    rewriting: Option<Rewriting>,
    /// The length at which the log is looked at next.
    look_at: u64,
}

/// What is written in one go.
#[derive(Default)]
struct Group {
    records: Vec<bytes::Bytes>,
    updates: Vec<Logged>,
    bytes: usize,
    replies: Vec<(oneshot::Sender<Answers>, Answers)>,
}

impl Keeper {
    pub(super) fn new(replayed: Replayed, seen: Arc<Mutex<Seen>>, shown: watch::Sender<u64>) -> Self {
        let Replayed { table, log, definition, time, .. } = replayed;
        Self { table, log, definition, seen, shown, now: time, noted: time, due: 0, rewriting: None, look_at: 0 }
    }

    /// Lets go what is too much already: a process that was killed may have written rows, and not what they pushed out.
    ///
    /// # Errors
    /// As when changes are taken.
    pub(super) fn settled(mut self, jobs: &Receiver<Job>) -> Result<Self> {
        self.group(None, jobs)?;
        Ok(self)
    }

    /// Runs until no sender is left.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = match jobs.recv_timeout(self.patience()) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(error) = self.group(first, jobs).and_then(|()| self.tend_log()) {
                tracing::error!(%error, "the table takes no more changes");
                break;
            }
        }
        if let Some(rewriting) = self.rewriting.take() {
            rewriting.abandon();
        }
    }

    /// How long to wait for changes.
    fn patience(&self) -> Duration {
        if self.rewriting.is_some() {
            return REWRITING;
        }
        match self.age() {
            Some(_) => Duration::from_millis(self.due.saturating_sub(clock()).max(TICK / 4)).min(IDLE),
            None => Duration::from_secs(3_600),
        }
    }

    fn age(&self) -> Option<u64> {
        self.definition.retain.and_then(|retain| retain.age())
    }

    /// Takes what waits. An error means that the table cannot go on.
    fn group(&mut self, first: Option<Job>, jobs: &Receiver<Job>) -> Result<()> {
        let mut group = Group::default();
        let time = clock();
        // Times that are kept stay what the last note said until it is worth another.
        if !self.definition.needs_times() || time >= self.now + TICK {
            self.now = self.now.max(time);
        }
        let mut next = first;
        while let Some(Job { changes, reply }) = next.take() {
            let done = changes.into_iter().map(|change| self.take(change, &mut group)).collect();
            group.replies.push((reply, done));
            if group.updates.len() < GROUP && group.bytes < GROUP_BYTES {
                next = jobs.try_recv().ok();
            }
        }
        self.retire(&mut group);
        let Group { records, updates, replies, .. } = group;
        if updates.is_empty() {
            replies.into_iter().for_each(|(reply, done)| drop(reply.send(done)));
            return Ok(());
        }
        match self.log.append(&records).and_then(|()| self.show(updates)) {
            Ok(()) => replies.into_iter().for_each(|(reply, done)| drop(reply.send(done))),
            Err(error) => {
                tracing::error!(%error, "updates could not be written; the table is read anew");
                for (reply, done) in replies {
                    let all = done.into_iter().map(|one| one.and_then(|_| Err(self.unwritten(&error))));
                    drop(reply.send(all.collect()));
                }
                let replayed = replay(self.log.path())?;
                (self.table, self.log, self.noted) = (replayed.table, replayed.log, replayed.time);
            }
        }
        Ok(())
    }

    /// The error of a group, for one of its senders.
    fn unwritten(&self, error: &Error) -> Error {
        let kind = match error {
            Error::Io { source, .. } => source.kind(),
            _ => std::io::ErrorKind::Other,
        };
        Error::Io { path: self.log.path().to_owned(), source: std::io::Error::new(kind, error.to_string()) }
    }

    /// Applies a change and adds its record.
    fn take(&mut self, change: Change, group: &mut Group) -> Result<Acknowledged> {
        let change = self.by_key(change)?;
        let gone = match &change {
            Change::Trim(rows) => first_rows(&self.table.snapshot().map_err(fault)?.batches, *rows as usize),
            _ => Vec::new(),
        };
        self.apply(change, gone, group)
    }

    fn apply(&mut self, change: Change, gone: Vec<RecordBatch>, group: &mut Group) -> Result<Acknowledged> {
        let update = self.table.next(change);
        // The message first: what cannot be written is not applied.
        let message: bytes::Bytes = update.to_message(Options::default()).map_err(fault)?.into();
        let applied = self.table.apply(&update, Duration::from_millis(self.now)).map_err(fault)?;
        let columns = self.table.schema().fields().len();
        let complete = match &update.change {
            Change::Append(rows) | Change::Upsert(rows) | Change::Exchange { insert: rows, .. }
                if !self.table.key().is_empty() && rows.num_columns() < columns =>
            {
                Some(self.table.rows_of(rows).map_err(fault)?)
            }
            _ => None,
        };
        if self.noted != self.now && self.definition.needs_times() {
            group.records.push(Note { time: self.now }.record().into());
            self.noted = self.now;
        }
        group.bytes += message.len();
        group.records.push(message.clone());
        group.updates.push(Logged { message, complete, gone, applied });
        Ok(Acknowledged { applied, sequence: update.sequence })
    }

    /// In a table with a key every change is one by key, so that followers need not know the numbers of rows. What cannot
    /// be said so does not fit, and is left as it is to be refused.
    fn by_key(&mut self, change: Change) -> Result<Change> {
        if self.table.key().is_empty() {
            return Ok(change);
        }
        let rows: Vec<u64> = match &change {
            Change::Patch { rows, cells } if rows.len() == cells.num_rows() => rows.values().to_vec(),
            Change::Trim(count) => (0..*count.min(&(self.table.rows() as u64 + 1))).collect(),
            _ => return Ok(change),
        };
        if rows.iter().any(|&row| row >= self.table.rows() as u64) {
            return Ok(change);
        }
        let snapshot = self.table.snapshot().map_err(fault)?;
        let keys = keys_of(&self.table, &snapshot.batches, rows.into_iter().map(|row| row as u32).collect())?;
        let Change::Patch { cells, .. } = &change else { return Ok(Change::Delete(keys)) };
        let is_key = |name: &String| self.table.key().contains(name);
        if cells.schema().fields().iter().any(|field| is_key(field.name())) {
            return Ok(change);
        }
        let fields = |batch: &RecordBatch| batch.schema().fields().iter().cloned().collect::<Vec<_>>();
        let schema = arrow_schema::Schema::new([fields(&keys), fields(cells)].concat());
        let columns = [keys.columns(), cells.columns()].concat();
        let rows = RecordBatch::try_new(Arc::new(schema), columns);
        rows.map(Change::Upsert).map_err(|error| Error::Rows { reason: error.to_string() })
    }

    /// Lets rows go that are too many or too old, in the group that made them so.
    fn retire(&mut self, group: &mut Group) {
        let Some(retain) = self.definition.retain else { return };
        let mut until = None;
        if let Some(age) = retain.age()
            && self.now >= self.due
        {
            until = self.now.checked_sub(age);
        }
        // Bytes are estimated, so that it may take more than one look.
        for _look in 0..64 {
            let retired = retain.due(&mut self.table, until);
            let applied = retired.and_then(|retired| match retired {
                Some(retired) => self.apply(retired.change, retired.gone, group).map(|_| true),
                None => Ok(false),
            });
            match applied {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "rows could not be retired");
                    break;
                }
            }
        }
        if let Some(age) = retain.age()
            && self.now >= self.due
        {
            let oldest = self.table.oldest().unwrap_or(self.now);
            self.due = (oldest + age).max(self.now + TICK);
        }
    }

    /// Lets readers see what is on the disk.
    fn show(&mut self, updates: Vec<Logged>) -> Result<()> {
        let snapshot = self.table.snapshot().map_err(fault)?;
        let sequence = snapshot.sequence;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, update) in (sequence + 1 - updates.len() as u64..).zip(updates) {
            seen.recent.push(number, update);
        }
        (seen.snapshot, seen.bytes) = (snapshot, self.log.bytes());
        drop(seen);
        self.shown.send_replace(sequence);
        Ok(())
    }

    /// Begins to write the log anew when it has become too long, and takes the new one when it is there.
    fn tend_log(&mut self) -> Result<()> {
        if let Some(rewriting) = self.rewriting.take() {
            if !rewriting.is_done() {
                self.rewriting = Some(rewriting);
                return Ok(());
            }
            let before = self.log.bytes();
            match rewriting.finish(&self.log) {
                Ok(log) => {
                    self.log = log;
                    let after = self.log.bytes();
                    self.seen.lock().unwrap_or_else(PoisonError::into_inner).bytes = after;
                    tracing::info!(path = %self.log.path().display(), before, after, "a log was written anew");
                }
                Err(error) => tracing::warn!(%error, "a log could not be written anew; it goes on as it is"),
            }
            self.look_at = self.log.bytes() + compact::STEP;
        }
        if self.log.bytes() < self.look_at {
            return Ok(());
        }
        self.look_at = self.log.bytes() + compact::STEP;
        let snapshot = self.table.snapshot().map_err(fault)?;
        if snapshot.sequence > 0 && compact::is_due(self.log.bytes(), &snapshot, self.definition.needs_times()) {
            let (path, times) = (self.log.path(), self.table.times());
            match Rewriting::begin(path, &self.definition, snapshot, (self.now, times), self.log.bytes()) {
                Ok(rewriting) => self.rewriting = Some(rewriting),
                Err(error) => tracing::warn!(%error, "a log could not be written anew; it goes on as it is"),
            }
        }
        Ok(())
    }
}

/// Milliseconds since 1970.
pub(super) fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("definition", &self.definition).finish_non_exhaustive()
    }
}
