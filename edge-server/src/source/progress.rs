//! How far the reading of a large file is: a line on a terminal that is written over, a line in the log now and then elsewhere.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Files that are read within this time need no progress.
const QUIET: Duration = Duration::from_millis(700);
const TERMINAL: Duration = Duration::from_millis(200);
const LOG: Duration = Duration::from_secs(5);

/// How far the reading of a file is, for whoever asks.
#[derive(Debug, Default)]
pub struct Reading {
    total: AtomicU64,
    read: AtomicU64,
}

impl Reading {
    /// Bytes of the file; none before its reading begins.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes of it that have been read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// A file on its way.
pub(super) struct Progress {
    shared: Arc<Shared>,
    begin: Instant,
}

struct Shared {
    name: String,
    total: u64,
    reading: Arc<Reading>,
    ended: AtomicBool,
}

/// A file whose bytes are counted as they are read.
pub(super) struct Counted {
    file: File,
    shared: Arc<Shared>,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.shared.reading.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Progress {
    /// Begins to tell.
    pub(super) fn start(name: &str, total: u64, reading: Option<Arc<Reading>>) -> Self {
        let reading = reading.unwrap_or_default();
        reading.total.fetch_add(total, Ordering::Relaxed);
        let shared = Arc::new(Shared { name: name.to_owned(), total, reading, ended: false.into() });
        let begin = Instant::now();
        let told = shared.clone();
        // Without a thread the file is read all the same.
        let _untold = std::thread::Builder::new().name("progress".to_owned()).spawn(move || tell(&told, begin));
        Self { shared, begin }
    }

    pub(super) fn count(&self, file: File) -> Counted {
        Counted { file, shared: self.shared.clone() }
    }

    /// All is read.
    pub(super) fn done(self, rows: usize) {
        let elapsed = self.begin.elapsed();
        if elapsed > QUIET {
            let rate = self.shared.total as f64 / elapsed.as_secs_f64() / 1e6;
            tracing::info!(
                path = self.shared.name,
                rows,
                seconds = elapsed.as_secs_f64(),
                mb_per_second = rate,
                "read"
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

fn tell(shared: &Shared, begin: Instant) {
    let is_terminal = std::io::stderr().is_terminal();
    let every = if is_terminal { TERMINAL } else { LOG };
    let mut next = QUIET;
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let ended = shared.ended.load(Ordering::Relaxed);
        let elapsed = begin.elapsed();
        if ended || elapsed >= next {
            let was_shown = next > QUIET;
            next = elapsed + every;
            let read = shared.reading.read();
            let percent = 100.0 * read as f64 / shared.total.max(1) as f64;
            let rate = read as f64 / elapsed.as_secs_f64() / 1e6;
            match (is_terminal, ended) {
                (true, false) => {
                    let (name, total) = (&shared.name, shared.total as f64 / 1e6);
                    let left = (shared.total.saturating_sub(read)) as f64 / 1e6 / rate.max(1e-3);
                    let line = format!("\r{name}: {percent:.0} % of {total:.0} MB, {rate:.0} MB/s, {left:.0} s left  ");
                    let _closed = std::io::stderr().write_all(line.as_bytes());
                }
                (true, true) if was_shown => drop(std::io::stderr().write_all(b"\r\x1b[K")),
                (false, false) => tracing::info!(path = shared.name, percent, mb_per_second = rate, "reading"),
                _ => {}
            }
        }
        if ended {
            return;
        }
    }
}
