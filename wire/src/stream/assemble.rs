//! Bytes in any cut, taken out in pieces of a known size.
//!
//! Chunks are kept as they came. A piece that lies in one chunk and is aligned is a slice of it; any other
//! piece is put together in one allocation, made only when all of its bytes are here, so that a length that
//! lies allocates nothing.
//!
//! Where it is known how many bytes will come, and that they do, one allocation takes them all: it is a chunk that grows,
//! and nothing is put together.

use std::collections::VecDeque;

use arrow_buffer::{Buffer, MutableBuffer};
use kernels::growing::Incoming;

/// What messages are padded to. Arrays that want more are aligned one by one.
const ALIGNMENT: usize = 8;

/// Bytes that have come and have not been taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    chunks: VecDeque<Buffer>,
    available: usize,
    taken: u64,
    /// Memory for bytes that are still to come, and how many of it were given away to be written.
    incoming: Option<Incoming>,
    given: usize,
}

impl Pending {
    pub(super) fn push(&mut self, chunk: Buffer) {
        self.available += chunk.len();
        if !chunk.is_empty() {
            self.chunks.push_back(chunk);
        }
    }

    /// Makes one allocation for so many bytes, if there is memory for it.
    pub(super) fn expect(&mut self, bytes: usize) {
        self.incoming = Incoming::try_with_capacity(bytes);
    }

    /// Bytes to come are not worth their own allocation any more.
    pub(super) fn expect_no_more(&mut self) {
        self.incoming = None;
    }

    /// The place for the next bytes; `None` when there is none, and they must be pushed.
    pub(super) fn room(&mut self, bytes: usize) -> Option<&mut [u8]> {
        let room = self.incoming.as_mut()?.room(bytes)?;
        self.given = bytes;
        Some(room)
    }

    /// The place that was given is filled.
    pub(super) fn filled(&mut self) {
        let bytes = std::mem::take(&mut self.given);
        let Some(incoming) = self.incoming.as_ref().filter(|_| bytes > 0) else { return };
        let whole = incoming.share();
        let new = whole.len() - bytes;
        self.available += bytes;
        // What was not taken of the bytes before is one piece with these.
        if let Some(last) = self.chunks.back_mut()
            && whole.data_ptr() == last.data_ptr()
        {
            *last = whole.slice(new - last.len());
        } else {
            self.chunks.push_back(whole.slice(new));
        }
    }

    /// Bytes that can be taken.
    pub(super) fn available(&self) -> usize {
        self.available
    }

    /// Bytes that have been taken so far: the place in the stream.
    pub(super) fn position(&self) -> u64 {
        self.taken
    }

    /// The next `length` bytes, aligned, or `None` while they are not all here.
    pub(super) fn take(&mut self, length: usize) -> Option<Buffer> {
        if self.available < length {
            return None;
        }
        self.available -= length;
        self.taken += length as u64;
        if length == 0 {
            return Some(Buffer::from_vec(Vec::<u8>::new()));
        }
        if let Some(first) = self.chunks.front_mut()
            && first.len() >= length
            && first.as_ptr().align_offset(ALIGNMENT) == 0
        {
            let piece = first.slice_with_length(0, length);
            *first = first.slice(length);
            if first.is_empty() {
                self.chunks.pop_front();
            }
            return Some(piece);
        }
        let mut piece = MutableBuffer::new(length);
        while piece.len() < length {
            let first = self.chunks.front_mut()?;
            let part = first.len().min(length - piece.len());
            piece.extend_from_slice(&first.as_slice()[..part]);
            if part == first.len() {
                self.chunks.pop_front();
            } else {
                *first = first.slice(part);
            }
        }
        Some(piece.into())
    }
}
