//! Bytes of which one writer holds the end, and any number of readers hold beginnings.
//!
//! The invariant: of a [`Block`] of memory, the bytes before the writer's length have been written and are never written
//! again while the block is shared; the bytes from there on are seen by nobody but the writer. Readers and
//! the writer therefore never touch one byte at the same time, on whatever threads they are.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_buffer::Buffer;

/// What arrays of any type are content with.
const ALIGNMENT: usize = 64;

/// One allocation.
#[derive(Debug)]
struct Block {
    start: NonNull<u8>,
    capacity: usize,
}

// SAFETY: a block is plain memory; who may read or write which byte of it, and when, is the module's invariant, which
// holds on any thread.
unsafe impl Send for Block {}
// SAFETY: as above; through a shared block nobody writes but the one writer, behind what others read.
unsafe impl Sync for Block {}

impl std::panic::RefUnwindSafe for Block {}

impl Block {
    fn layout(capacity: usize) -> Option<Layout> {
        Layout::from_size_align(capacity, ALIGNMENT).ok()
    }

    fn new(capacity: usize) -> Self {
        match Self::try_new(capacity) {
            Some(block) => block,
            None => handle_alloc_error(Self::layout(capacity).unwrap_or(Layout::new::<u8>())),
        }
    }

    fn try_new(capacity: usize) -> Option<Self> {
        let capacity = capacity.checked_next_multiple_of(ALIGNMENT)?.max(ALIGNMENT);
        let layout = Self::layout(capacity)?;
        // SAFETY: the layout is not of zero bytes.
        let start = unsafe { alloc(layout) };
        Some(Self { start: NonNull::new(start)?, capacity })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(layout) = Self::layout(self.capacity) {
            // SAFETY: `start` came from `alloc` with this very layout, and nobody holds the block any more.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
    }
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Memory {
    block: Arc<Block>,
    length: usize,
}

impl Memory {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { block: Arc::new(Block::new(bytes)), length: 0 }
    }

    /// As [`Memory::with_capacity`]; `None` when there is no memory for so many bytes.
    pub(super) fn try_with_capacity(bytes: usize) -> Option<Self> {
        Some(Self { block: Arc::new(Block::try_new(bytes)?), length: 0 })
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn capacity(&self) -> usize {
        self.block.capacity
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the first `length` bytes have been written and are not written while they are borrowed: writing
        // asks for `&mut self`.
        unsafe { std::slice::from_raw_parts(self.block.start.as_ptr(), self.length) }
    }

    /// Moves the bytes to a block of their own.
    fn move_to(&mut self, capacity: usize) {
        let mut moved = Self::with_capacity(capacity.max(self.length));
        moved.write(self.bytes());
        *self = moved;
    }

    /// Writes behind the end; there must be room.
    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(self.length + bytes.len() <= self.block.capacity);
        // SAFETY: `length` is at most the capacity, so the place is in the block or at its end.
        let end = unsafe { self.block.start.as_ptr().add(self.length) };
        // SAFETY: `append` made room for the bytes behind `length`, which only this writer sees, so they overlap neither
        // with `bytes` nor with what a reader holds.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len()) };
        self.length += bytes.len();
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        let needed = self.length.saturating_add(bytes.len());
        if needed > self.block.capacity {
            self.move_to(needed.saturating_mul(2));
        }
        self.write(bytes);
    }

    /// Zeros behind the end, for which there must be room, to be overwritten.
    pub(super) fn extend(&mut self, bytes: usize) -> &mut [u8] {
        assert!(bytes <= self.block.capacity - self.length, "no room for {bytes} bytes");
        // SAFETY: `length` is at most the capacity, so the place is in the block or at its end.
        let end = unsafe { self.block.start.as_ptr().add(self.length) };
        // SAFETY: the block has room for the bytes behind `length`, which only this writer sees.
        unsafe { end.write_bytes(0, bytes) };
        self.length += bytes;
        // SAFETY: the bytes are written, and until the borrow of `self` ends nobody can share them.
        unsafe { std::slice::from_raw_parts_mut(end, bytes) }
    }

    /// The bytes so far, shared.
    pub(super) fn share(&self) -> Buffer {
        // SAFETY: the pointer is valid for `length` bytes, which are written and, while the block is shared, never
        // written again; the clone of the `Arc` keeps the block alive as long as the buffer.
        unsafe { Buffer::from_custom_allocation(self.block.start, self.length, self.block.clone()) }
    }

    /// The bytes so far, to be changed: those of a block that a reader holds are copied first.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        if Arc::get_mut(&mut self.block).is_none() {
            self.move_to(self.block.capacity);
        }
        // SAFETY: the first `length` bytes are written; nobody else holds the block (`get_mut` said so, or it is
        // new), and the borrow of `self` keeps it so.
        unsafe { std::slice::from_raw_parts_mut(self.block.start.as_ptr(), self.length) }
    }

    /// Whether a reader holds the block.
    #[cfg(test)]
    pub(super) fn is_shared(&mut self) -> bool {
        Arc::get_mut(&mut self.block).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_keep_what_they_saw() {
        let mut memory = Memory::with_capacity(0);
        let mut seen = Vec::new();
        for round in 0..200u8 {
            memory.append(&[round; 3]);
            seen.push(memory.share());
        }
        for (round, buffer) in seen.iter().enumerate() {
            assert_eq!(buffer.len(), 3 * (round + 1));
            assert!(buffer.iter().enumerate().all(|(at, &byte)| usize::from(byte) == at / 3));
        }
        assert!(memory.is_shared());
        memory.bytes_mut()[0] = 99;
        assert_eq!((memory.bytes()[0], seen[199][0]), (99, 0));
        // Now nobody else holds the block, and it stays where it is.
        let place = memory.bytes().as_ptr();
        memory.bytes_mut()[1] = 98;
        assert!(!memory.is_shared() && memory.bytes().as_ptr() == place);
    }

    #[cfg(not(target_family = "wasm"))]
    #[test]
    fn readers_on_other_threads_see_only_what_was_written_before() {
        let mut memory = Memory::with_capacity(1 << 12);
        std::thread::scope(|scope| {
            for round in 0..50u8 {
                memory.append(&[round; 16]);
                let buffer = memory.share();
                scope.spawn(move || assert_eq!(buffer.last(), Some(&round)));
            }
        });
        assert_eq!(memory.len(), 800);
    }
}
