//! Bytes from outside, read where they come to lie.
//!
//! Whoever knows how many bytes will come makes one allocation for them. They are written right into it, by another
//! program too (a page's script writes into the memory of a module), and what is read of them borrows from it, while the
//! rest is still to come.

use arrow_buffer::Buffer;

use super::memory::Memory;

/// One allocation that fills.
///
/// ```
/// let mut incoming = kernels::growing::Incoming::try_with_capacity(8).expect("memory for 8 bytes");
/// incoming.room(3).expect("room for 3 bytes").copy_from_slice(&[1, 2, 3]);
/// let first = incoming.share();
/// assert!(incoming.room(6).is_none());
/// incoming.room(5).expect("room for 5 bytes")[4] = 9;
/// assert_eq!(first.as_slice(), [1, 2, 3]);
/// assert_eq!(incoming.share().as_slice(), [1, 2, 3, 0, 0, 0, 0, 9]);
/// ```
#[derive(Debug)]
pub struct Incoming {
    memory: Memory,
    capacity: usize,
}

impl Incoming {
    /// Room for so many bytes; `None` when there is no memory for them.
    #[must_use]
    pub fn try_with_capacity(bytes: usize) -> Option<Self> {
        Some(Self { memory: Memory::try_with_capacity(bytes)?, capacity: bytes })
    }

    /// The place of the next bytes, which are zeros until they are written; `None`, and nothing has changed, when so many do
    /// not fit any more. O(bytes).
    pub fn room(&mut self, bytes: usize) -> Option<&mut [u8]> {
        let fits = self.memory.len().checked_add(bytes).is_some_and(|needed| needed <= self.capacity);
        fits.then(|| self.memory.extend(bytes))
    }

    /// The bytes so far, shared.
    #[must_use]
    pub fn share(&self) -> Buffer {
        self.memory.share()
    }
}
