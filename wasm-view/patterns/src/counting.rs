//! An allocator that counts: how often something was allocated, how many bytes are held, and the most that were.
//!
//! It is the system's own, with four counters before it. That a struct is read without an allocation for any of its
//! fields can be seen by them, and by nothing else that a page can ask.
#![allow(unsafe_code, reason = "an allocator is unsafe by its trait; each call is handed on as it came")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use wasm_bindgen::prelude::*;

/// The system's allocator, counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static TIMES: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

fn came(bytes: usize) {
    TIMES.fetch_add(1, Relaxed);
    LARGEST.fetch_max(bytes, Relaxed);
    PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every method gives what `System` gives for the same arguments; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        came(layout.size());
        // SAFETY: the caller promises what `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller promises that the place is from `alloc` with this layout, which was `System`'s.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        came(layout.size());
        // SAFETY: the caller promises what `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Relaxed);
        came(size);
        // SAFETY: the caller promises that the place is from `alloc` with this layout, which was `System`'s.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// Allocations so far.
#[wasm_bindgen]
#[must_use]
pub fn allocations() -> usize {
    TIMES.load(Relaxed)
}

/// Bytes that are held.
#[wasm_bindgen]
#[must_use]
pub fn held() -> usize {
    HELD.load(Relaxed)
}

/// The most bytes that were held, and the largest single allocation, since the last call of [`forget`].
#[wasm_bindgen]
#[must_use]
pub fn peak() -> Vec<usize> {
    vec![PEAK.load(Relaxed), LARGEST.load(Relaxed)]
}

/// The peak counts from here on.
#[wasm_bindgen]
pub fn forget() {
    PEAK.store(held(), Relaxed);
    LARGEST.store(0, Relaxed);
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_allocated_is_counted() {
        super::forget();
        let before = super::allocations();
        let bytes = std::hint::black_box(vec![0u8; 1 << 20]);
        assert!(super::allocations() > before);
        assert!(super::peak()[1] >= bytes.len() && super::held() >= bytes.len());
    }
}
