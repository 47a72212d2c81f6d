//! Pieces of a file to batches, on every core, in the order of the file, within bounded memory.
//!
//! Each thread takes the next piece from the reader that all share, reads its records, and hands them to the caller's thread,
//! which puts them in order. A thread may only take a piece while fewer than a few are under way: a slow disk behind the sink
//! holds the threads back.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::pieces::{Cut, Piece, Pieces};
use super::record::{self, Fault};
use crate::{Error, Result};

/// Pieces under way for each thread.
const UNDER_WAY: usize = 3;

/// What can stop a piece.
enum Stop {
    Cut(Cut),
    Fault(Fault),
}

/// What threads share.
struct Queue<R> {
    pieces: Pieces<R>,
    /// A token for each piece that may be taken.
    tokens: Receiver<()>,
    next: usize,
}

impl<R: Read> Queue<R> {
    /// The next piece and its number.
    fn take(&mut self, piece: &mut Piece) -> Option<(usize, Result<(), Cut>)> {
        self.tokens.recv().ok()?;
        let cut = match self.pieces.cut(piece) {
            Ok(false) => return None,
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        self.next += 1;
        Some((self.next - 1, cut))
    }
}

/// Reads records without a header and gives their batches to `sink`, in order, each with what `look` made of it on the thread
/// that has read it. The number of rows.
///
/// # Errors
/// The first fault in the file, with its row; what `sink` returns.
pub(super) fn each<R: Read + Send, T: Send>(
    input: R,
    delimiter: u8,
    schema: &SchemaRef,
    fault: impl Fn(String) -> Error,
    look: impl Fn(&RecordBatch) -> T + Sync,
    mut sink: impl FnMut(RecordBatch, T) -> Result<()>,
) -> Result<usize> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (token, tokens) = sync_channel(threads * UNDER_WAY);
    for _ in 0..threads * UNDER_WAY {
        let _there_is_room = token.try_send(());
    }
    let queue = Mutex::new(Queue { pieces: Pieces::new(input, delimiter), tokens, next: 0 });
    let (done, results) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (done, queue, look) = (done.clone(), &queue, &look);
            scope.spawn(move || {
                let mut piece = Piece::default();
                loop {
                    let taken = queue.lock().unwrap_or_else(PoisonError::into_inner).take(&mut piece);
                    let Some((number, cut)) = taken else { return };
                    let read = cut
                        .map_err(Stop::Cut)
                        .and_then(|()| record::read(&mut piece, delimiter, schema).map_err(Stop::Fault));
                    let looked = |batch: RecordBatch| {
                        let looked = look(&batch);
                        (batch, looked)
                    };
                    let read = read.map(|batches| batches.into_iter().map(looked).collect::<Vec<_>>());
                    let is_last = read.is_err();
                    if done.send((number, read)).is_err() || is_last {
                        return;
                    }
                }
            });
        }
        drop(done);
        // Dropped at the end, also early, so that threads that wait for one end.
        let token = token;
        let mut waiting = BTreeMap::new();
        let (mut next, mut rows) = (0, 0);
        for (number, read) in results {
            waiting.insert(number, read);
            while let Some(read) = waiting.remove(&next) {
                next += 1;
                let batches = read.map_err(|stop| match stop {
                    Stop::Cut(Cut::Io(error)) => fault(error.to_string()),
                    Stop::Cut(Cut::TooLong) => fault(format!(
                        "behind row {rows}: a record longer than 256 MB, or a quote that is never closed"
                    )),
                    Stop::Fault(Fault { row, reason }) => fault(format!("row {}: {reason}", rows + row + 1)),
                })?;
                for (batch, looked) in batches {
                    rows += batch.num_rows();
                    sink(batch, looked)?;
                }
                let _full = token.try_send(());
            }
        }
        Ok(rows)
    })
}
