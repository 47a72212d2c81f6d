//! A log that is written anew: the definition, the rows as they are, and what came meanwhile.
//!
//! The rows are those of a snapshot, which does not change, so that a thread of its own writes them while the table goes
//! on taking changes to the old log. When it is done, the table's thread copies what the old log has got since, waits for
//! the disk, and gives the new log the old one's place. A kill before that leaves the old log, and a file that the next
//! start removes; after it, the new one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use wire::table::Snapshot;

use super::log::Log;
use super::{Definition, replay, size};
use crate::{Error, Result};

/// The extension of a log that is not whole yet.
pub(super) const EXTENSION: &str = "rewrite";
/// A log is written anew when it is more than this above what the rows need, and more than twice that.
const SPARE: u64 = 16 << 20;
/// How often it is looked at, in bytes of the log.
pub(super) const STEP: u64 = 1 << 20;

/// Whether a log of so many bytes is too long for these rows.
pub(super) fn is_due(log: u64, snapshot: &Snapshot, has_times: bool) -> bool {
    if log <= SPARE {
        return false;
    }
    let beside = 1_024 * snapshot.batches.len() + if has_times { 8 * snapshot.rows } else { 0 };
    let needed = (size::of(&snapshot.batches) + beside) as u64;
    log > (2 * needed).max(needed + SPARE)
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Rewriting {
    thread: JoinHandle<Result<Log>>,
    stop: Arc<AtomicBool>,
    /// Where the old log ended when the snapshot was taken.
    from: u64,
}

impl Rewriting {
    /// Begins to write the rows of a snapshot, which the old log has up to `from`, with the time that it is and those of the
    /// rows, if they are kept.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no thread.
    pub(super) fn begin(
        path: &Path,
        definition: &Definition,
        snapshot: Snapshot,
        (now, times): (u64, Vec<u64>),
        from: u64,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (owned, stops, definition) = (path.to_owned(), stop.clone(), definition.clone());
        let thread = std::thread::Builder::new()
            .name("log written anew".to_owned())
            .spawn(move || write(&owned, &definition, &snapshot, (now, &times), &stops))
            .map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Ok(Self { thread, stop, from })
    }

    /// Whether the rows are written.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// The new log in the old one's place, with all that the old one has.
    ///
    /// # Errors
    /// [`Error::Io`]: the old log stands.
    pub(super) fn finish(self, old: &Log) -> Result<Log> {
        let written = self.thread.join().map_err(|_| Error::Internal("a log could not be written anew".to_owned()))?;
        let mut log = written?;
        match log.copy_from(old, self.from).and_then(|()| log.publish()) {
            Ok(()) => Ok(log),
            Err(error) => {
                log.abandon();
                Err(error)
            }
        }
    }

    /// Ends it without a new log.
    pub(super) fn abandon(self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Ok(Ok(log)) = self.thread.join() {
            log.abandon();
        }
    }
}

fn write(
    path: &Path,
    definition: &Definition,
    snapshot: &Snapshot,
    (now, times): (u64, &[u64]),
    stop: &AtomicBool,
) -> Result<Log> {
    let first = serde_json::to_vec(definition).map_err(|error| Error::Internal(error.to_string()))?;
    let mut log = Log::begin(path, EXTENSION, &first)?;
    let mut records = replay::snapshot_records(snapshot, times);
    let written = records.try_for_each(|record| {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Internal("the table has been closed".to_owned()));
        }
        log.write(&[record?])
    });
    // What comes behind the rows may rely on a note before them.
    let note = if definition.needs_times() { vec![replay::Note { time: now }.record()] } else { Vec::new() };
    match written.and_then(|()| log.write(&note)).and_then(|()| log.sync()) {
        Ok(()) => Ok(log),
        Err(error) => {
            log.abandon();
            Err(error)
        }
    }
}

/// Whether a file is what a kill has left behind: a log that was not whole.
pub(super) fn is_left_over(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION || extension == "part")
}
