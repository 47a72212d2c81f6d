//! Rows that are equal in the bits that were sorted, and perhaps not in the rest.

use super::code::Encoder;
use super::column::{Column, Rows};
use super::select::{sort_by, sort_pairs};
use super::spread::{Later, PUT_OFF, sort_list};
use crate::bitcode::BLOCK;

/// Ties up to this many are compared.
const FEW_TIES: usize = 64;
/// Beyond so many codes for the same rows, comparisons are cheaper, whatever their number.
pub(super) const DEEP: usize = 8;

/// Calls `each(start, end)` for the runs of entries that are equal but for their places.
fn for_each_tie(entries: &[u64], places: u32, mut each: impl FnMut(usize, usize)) {
    let mut start = 0;
    // Not `1..=`, whose steps are no single instruction.
    for end in 1..entries.len() + 1 {
        if end == entries.len() || entries[end] >> places != entries[start] >> places {
            if end - start > 1 {
                each(start, end);
            }
            start = end;
        }
    }
}

/// Puts rows in order whose codes are whole, but whose entries had no room for the lowest bits of them. The codes of
/// all of these rows are fetched together, so that the cache misses overlap.
pub(super) fn sort_dropped(encoder: &Encoder, columns: &[Column<'_>], entries: &[u64], places: u32, order: &mut [u32]) {
    let mut list = Vec::new();
    let mut ties = Vec::new();
    for_each_tie(entries, places, |start, end| {
        list.extend_from_slice(&order[start..end]);
        ties.push((start, end));
    });
    let mut codes = vec![0u64; list.len()];
    for at in (0..list.len()).step_by(BLOCK) {
        let end = list.len().min(at + BLOCK);
        encoder.fill(columns, Rows::List(&list), at, &mut codes[at..end]);
    }
    let mut rest = &codes[..];
    let mut pairs: Vec<(u64, u32)> = Vec::new();
    for (start, end) in ties {
        let (codes, after) = rest.split_at(end - start);
        rest = after;
        if !codes.is_sorted() {
            pairs.clear();
            // Rows of equal codes stand in their order.
            pairs.extend(codes.iter().copied().zip(order[start..end].iter().copied()));
            sort_pairs(&mut pairs);
            order[start..end].iter_mut().zip(&pairs).for_each(|(row, pair)| *row = pair.1);
        }
    }
}

/// Puts rows in order whose codes are equal and not their whole keys; the first of them stands at `to` in the whole order.
/// Many of them are put off.
pub(super) fn sort_ties(
    columns: &[Column<'_>],
    entries: &[u64],
    places: u32,
    order: &mut [u32],
    depth: usize,
    to: usize,
    later: &mut Vec<Later>,
) {
    for_each_tie(entries, places, |start, end| {
        let ties = &mut order[start..end];
        if ties.len() > PUT_OFF && depth < DEEP {
            return later.push(Later { to: to + start, rows: ties.len(), depth: depth + 1 });
        }
        if ties.len() > FEW_TIES && depth < DEEP {
            return sort_list(columns, ties, depth + 1);
        }
        sort_by(ties, |a, b| {
            let mut orders = columns.iter().map(|column| column.compare(a, b));
            orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
    });
}
