//! Large things in chunks, put together in one allocation: the total first, then chunks in any order.
//!
//! The announcement is 16 bytes: `BKA1`, the size of a chunk (`u32`, little-endian) and the total (`u64`). Each chunk is its
//! number (`u32`) and its bytes; all are of the announced size but the last. A chunk that is short, long, repeated or
//! behind the end is an error, and leaves what has come untouched.
//!
//! ```
//! use wire::assembly::{Assembly, announce, chunks};
//! let bytes = arrow_buffer::Buffer::from(vec![7u8; 1_000]);
//! let mut assembly = Assembly::try_new(&announce(bytes.len(), 64)?, 1 << 20)?;
//! for (head, part) in chunks(&bytes, 64)? {
//!     let progress = assembly.push(&[&head, part.as_slice()].concat())?;
//!     assert!(progress.received <= progress.total);
//! }
//! assert_eq!(assembly.finish()?, bytes);
//! # Ok::<(), Box<wire::Error>>(())
//! ```

use arrow_buffer::{Buffer, MutableBuffer};

use crate::{Error, Result};

const MAGIC: &[u8; 4] = b"BKA1";
/// Bytes of the announcement.
pub const ANNOUNCEMENT: usize = 16;
/// Bytes before those of a chunk.
pub const HEAD: usize = 4;

/// How far an assembly is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have come.
    pub received: usize,
    /// Bytes in all.
    pub total: usize,
}

/// A thing that is being put together.
#[derive(Debug)]
pub struct Assembly {
    bytes: MutableBuffer,
    chunk: usize,
    /// A bit for each chunk that has come.
    seen: Vec<u64>,
    received: usize,
}

fn wrong(what: &'static str, chunk: usize, expected: usize, found: usize) -> Box<Error> {
    Box::new(Error::Assembly { what, chunk: chunk as u64, expected: expected as u64, found: found as u64 })
}

/// The announcement of so many bytes in chunks of a size.
///
/// # Errors
/// [`Error::Assembly`] when a chunk would have no bytes, or there would be more chunks than numbers.
pub fn announce(total: usize, chunk: usize) -> Result<[u8; ANNOUNCEMENT]> {
    let size = u32::try_from(chunk).ok().filter(|&size| size > 0);
    let size = size.ok_or_else(|| wrong("size of chunks", 0, u32::MAX as usize, chunk))?;
    if u32::try_from(total.div_ceil(chunk)).is_err() {
        return Err(wrong("number of chunks", 0, u32::MAX as usize, total.div_ceil(chunk)));
    }
    let mut out = [0; ANNOUNCEMENT];
    out[..4].copy_from_slice(MAGIC);
    out[4..8].copy_from_slice(&size.to_le_bytes());
    out[8..].copy_from_slice(&(total as u64).to_le_bytes());
    Ok(out)
}

/// The chunks of bytes: each its head and its part, which borrows.
///
/// # Errors
/// As [`announce`].
pub fn chunks(bytes: &Buffer, chunk: usize) -> Result<impl Iterator<Item = ([u8; HEAD], Buffer)>> {
    announce(bytes.len(), chunk)?;
    Ok((0..bytes.len().div_ceil(chunk)).map(move |number| {
        let start = number * chunk;
        let length = chunk.min(bytes.len() - start);
        ((number as u32).to_le_bytes(), bytes.slice_with_length(start, length))
    }))
}

impl Assembly {
    /// Makes room for what is announced, if it is within the limit.
    ///
    /// # Errors
    /// [`Error::Assembly`] when the announcement is none; [`Error::Limit`] when it is of more bytes.
    pub fn try_new(announcement: &[u8], limit: usize) -> Result<Self> {
        let not_one = || wrong("announcement", 0, ANNOUNCEMENT, announcement.len());
        let (magic, rest) = announcement.split_first_chunk::<4>().ok_or_else(not_one)?;
        let (chunk, rest) = rest.split_first_chunk::<4>().ok_or_else(not_one)?;
        let total: [u8; 8] = rest.try_into().map_err(|_| not_one())?;
        let (chunk, total) = (u32::from_le_bytes(*chunk) as usize, u64::from_le_bytes(total));
        if magic != MAGIC || chunk == 0 {
            return Err(not_one());
        }
        let found = i64::try_from(total).unwrap_or(i64::MAX);
        let total = usize::try_from(total)
            .ok()
            .filter(|&total| total <= limit)
            .ok_or_else(|| Error::limit(0, "announced size", found, limit))?;
        // One bit for each chunk: of tiny chunks there may be more bits than bytes are worth.
        let count = total.div_ceil(chunk);
        if u32::try_from(count).is_err() {
            return Err(wrong("number of chunks", 0, u32::MAX as usize, count));
        }
        Ok(Self { bytes: MutableBuffer::from_len_zeroed(total), chunk, seen: vec![0; count.div_ceil(64)], received: 0 })
    }

    /// Takes a chunk: its number and its bytes.
    ///
    /// # Errors
    /// [`Error::Assembly`] when it is short, long, repeated or not one of those announced.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Progress> {
        let short = || wrong("head of a chunk", 0, HEAD, chunk.len());
        let (number, bytes) = chunk.split_first_chunk::<HEAD>().ok_or_else(short)?;
        self.put(u32::from_le_bytes(*number), bytes)
    }

    /// Takes the bytes of a chunk whose number is known.
    ///
    /// # Errors
    /// As [`Assembly::push`].
    pub fn put(&mut self, number: u32, bytes: &[u8]) -> Result<Progress> {
        let number = number as usize;
        let total = self.bytes.len();
        let count = total.div_ceil(self.chunk);
        if number >= count {
            return Err(wrong("number of a chunk", number, count, number));
        }
        let start = number * self.chunk;
        let length = self.chunk.min(total - start);
        if bytes.len() != length {
            return Err(wrong("length of a chunk", number, length, bytes.len()));
        }
        let (word, bit) = (number / 64, 1u64 << (number % 64));
        if self.seen[word] & bit != 0 {
            return Err(wrong("times that a chunk came", number, 1, 2));
        }
        self.bytes[start..start + length].copy_from_slice(bytes);
        self.seen[word] |= bit;
        self.received += length;
        Ok(self.progress())
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { received: self.received, total: self.bytes.len() }
    }

    /// The whole, without a copy.
    ///
    /// # Errors
    /// [`Error::Assembly`] with the first chunk that is missing.
    pub fn finish(self) -> Result<Buffer> {
        if self.received == self.bytes.len() {
            return Ok(self.bytes.into());
        }
        let missing = (0..self.bytes.len().div_ceil(self.chunk)).find(|at| self.seen[at / 64] >> (at % 64) & 1 == 0);
        Err(wrong("bytes when finished", missing.unwrap_or(0), self.bytes.len(), self.received))
    }
}
