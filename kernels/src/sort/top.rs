//! Which rows can come among the first `limit` ones.
//!
//! A pool of candidates is cut back to the best `limit` words of the first key whenever it has doubled; from then on
//! the worst of them is a threshold that most rows fail at once, a block of them by its least word alone. Rows with
//! the threshold's own word stay where later bytes or later keys may decide between them; are there many, all keys
//! together do (`narrowed`). Without a limit that pays, all rows are candidates. Several threads look through a part each.

use std::ops::Range;

use super::code::Encoder;
use super::column::{Column, Rows, Shape};
use crate::bitcode::BLOCK;
use crate::query::Nulls;
use crate::threads;

/// Bits of a code that are looked at together.
const PART: u32 = 11;
/// Beyond so many rows too many they are told apart by their codes.
const MANY: usize = 4096;

/// Row numbers, ascending, among which the first `limit` rows of the order are found; `None` for all rows.
pub(super) fn candidates(columns: &[Column<'_>], rows: usize, limit: usize) -> Option<Vec<u32>> {
    if limit.saturating_mul(8) >= rows {
        return None;
    }
    let column = &columns[0];
    // Of rows with one word, that is all there is to them, and the first of them come first.
    let is_whole = columns.len() == 1 && matches!(column.shape(), Shape::None | Shape::Narrow);
    let (mut nulls, mut wanted) = (Vec::new(), limit);
    if column.has_nulls() {
        let valid = rows - column.null_count();
        let most = if is_whole { limit } else { rows };
        let all = || (0..rows as u32).filter(|&row| !column.is_valid(row)).take(most).collect::<Vec<u32>>();
        match column.options.nulls {
            Nulls::First if column.null_count() >= limit => return Some(narrowed(columns, all(), limit)),
            Nulls::First => (nulls, wanted) = (all(), limit - column.null_count()),
            Nulls::Last if valid >= limit => {}
            Nulls::Last => (nulls, wanted) = (all(), valid),
        }
    }
    let found = threads::map_ranges(rows, BLOCK, |part| part_candidates(column, rows, part, wanted, is_whole));
    let mut rows = found.concat();
    if !nulls.is_empty() {
        rows.append(&mut nulls);
        super::sort_by(&mut rows, |a, b| a.cmp(&b));
    }
    Some(narrowed(columns, rows, limit))
}

/// The rows of a list that can come among its first `limit` ones by the highest bits of their codes, as long as these
/// tell many of them apart.
fn narrowed(columns: &[Column<'_>], mut list: Vec<u32>, limit: usize) -> Vec<u32> {
    while list.len() > 8 * limit + MANY {
        let rows = Rows::List(&list);
        let encoder = Encoder::new(columns, rows);
        let below = encoder.bits.saturating_sub(PART);
        let for_each = |range: Range<usize>, each: &mut dyn FnMut(usize, u64)| {
            let mut block = [0u64; BLOCK];
            for at in range.clone().step_by(BLOCK) {
                let codes = &mut block[..BLOCK.min(range.end - at)];
                encoder.fill(rows, at, codes);
                codes.iter().enumerate().for_each(|(step, &code)| each(at + step, code >> below));
            }
        };
        let counts = threads::map_ranges(list.len(), BLOCK, |range| {
            let mut counts = vec![0; 1 << PART];
            for_each(range, &mut |_, part| counts[part as usize] += 1);
            counts
        });
        let (mut last, mut before) = (0, 0);
        while before < limit {
            before += counts.iter().map(|counts| counts[last]).sum::<usize>();
            last += 1;
        }
        if before == list.len() {
            break;
        }
        let kept = threads::map_ranges(list.len(), BLOCK, |range| {
            let mut kept = Vec::new();
            for_each(range, &mut |at, part| {
                if part < last as u64 {
                    kept.push(list[at]);
                }
            });
            kept
        });
        list = kept.concat();
    }
    list
}

/// The valid rows of a part among which its first `wanted` ones are found; `is_whole` when words are all there is to rows.
fn part_candidates(column: &Column<'_>, rows: usize, part: Range<usize>, wanted: usize, is_whole: bool) -> Vec<u32> {
    let mut pool: Vec<(u64, u32)> = Vec::with_capacity(2 * wanted + 64);
    let mut cut_at = 2 * wanted + 64;
    let mut threshold = u64::MAX;
    let (mut words, mut rest) = ([0u64; BLOCK], [0u64; BLOCK]);
    let ones = if column.options.descending { u64::MAX } else { 0 };
    for at in part.clone().step_by(BLOCK) {
        let words = &mut words[..BLOCK.min(part.end - at)];
        let rest = &mut rest[..words.len()];
        match column.shape() {
            Shape::None => words.fill(0),
            Shape::Narrow => column.load(Rows::All(rows), at, words),
            Shape::Wide { .. } => column.load_wide(Rows::All(rows), at, words, rest),
            Shape::Bytes => column.load_bytes(Rows::All(rows), at, 0, false, words, rest),
        }
        words.iter_mut().for_each(|word| *word ^= ones);
        if column.has_nulls() {
            // What lies under a null must not look like a candidate.
            column.load_valid(Rows::All(rows), at, rest);
            words.iter_mut().zip(&*rest).for_each(|(word, &valid)| *word |= valid.wrapping_sub(1));
        }
        if words.iter().fold(u64::MAX, |least, &word| least.min(word)) > threshold {
            continue;
        }
        for (row, &word) in (at as u32..).zip(words.iter()) {
            if word > threshold || !column.is_valid(row) {
                continue;
            }
            pool.push((word, row));
            if pool.len() >= cut_at && wanted > 0 {
                let mut words: Vec<u64> = pool.iter().map(|entry| entry.0).collect();
                threshold = super::select(&mut words, wanted - 1).0;
                pool.retain(|entry| entry.0 <= threshold);
                cut_at = 2 * pool.len() + 64;
                if is_whole {
                    // What comes later with the same word stands behind those that are here.
                    let Some(below) = threshold.checked_sub(1) else { return rows_of(pool) };
                    threshold = below;
                }
            }
        }
    }
    rows_of(pool)
}

fn rows_of(pool: Vec<(u64, u32)>) -> Vec<u32> {
    pool.into_iter().map(|entry| entry.1).collect()
}
