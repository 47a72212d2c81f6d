//! Bytes in any cut, taken out in pieces of a known size.
//!
//! Chunks are kept as they came. A piece that lies in one chunk and is aligned is a slice of it; any other
//! piece is put together in one allocation, made only when all of its bytes are here, so that a length that
//! lies allocates nothing.

use std::collections::VecDeque;

use arrow_buffer::{Buffer, MutableBuffer};

/// What arrays of any type are content with.
const ALIGNMENT: usize = 16;

/// Bytes that have come and have not been taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    chunks: VecDeque<Buffer>,
    available: usize,
    taken: u64,
}

impl Pending {
    pub(super) fn push(&mut self, chunk: Buffer) {
        self.available += chunk.len();
        if !chunk.is_empty() {
            self.chunks.push_back(chunk);
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
