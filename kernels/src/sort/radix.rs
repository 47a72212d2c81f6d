//! Sorting entries by prefix: least significant digit first, eight bits at a time.
//!
//! One pass counts all eight digits; a digit that all entries share is skipped, so small ranges of
//! numbers cost few passes. Each remaining pass moves 16 bytes per entry in and out. Below a few hundred
//! entries, and on presorted input, comparisons are cheaper.

use super::Entry;

const SMALL: usize = 256;

/// Sorts by (prefix, row), given that rows of equal prefix stand in ascending order.
pub(super) fn sort(entries: &mut Vec<Entry>) {
    if entries.is_sorted_by_key(|entry| entry.prefix) {
        return;
    }
    if entries.len() < SMALL {
        entries.sort_unstable();
        return;
    }
    let mut counts = [[0u32; 256]; 8];
    for entry in entries.iter() {
        for (digit, counts) in counts.iter_mut().enumerate() {
            counts[(entry.prefix >> (8 * digit)) as usize & 255] += 1;
        }
    }
    let total = entries.len() as u32;
    let mut from = std::mem::take(entries);
    let mut to = vec![Entry { prefix: 0, row: 0 }; from.len()];
    for (digit, counts) in counts.iter_mut().enumerate() {
        if counts.contains(&total) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for entry in &from {
            let slot = &mut counts[(entry.prefix >> (8 * digit)) as usize & 255];
            to[*slot as usize] = *entry;
            *slot += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    *entries = from;
}
