//! Which rows can come among the first `limit` ones.
//!
//! A pool of candidates is cut back to the best `limit` words of the first key whenever it has doubled; from then on
//! the worst of them is a threshold that most rows fail at once, a block of them by its least word alone. Rows with
//! the threshold's own word stay where later bytes or later keys may decide between them; are there many, the sort leaves
//! most of them out by all keys together (`spread.rs`). Without a limit that pays, all rows are candidates. Several
//! threads look through a part each.

use std::ops::Range;

use super::column::{Column, Rows, Shape};
use crate::bitcode::BLOCK;
use crate::query::Nulls;
use crate::threads;

/// The search for candidates, some rows at a time.
#[derive(Debug)]
pub(super) struct Top {
    rows: usize,
    at: usize,
    /// Nulls that can come among the first.
    nulls: Vec<u32>,
    pool: Pool,
}

impl Top {
    /// Begins; `None` when all rows are candidates.
    pub(super) fn new(columns: &[Column<'_>], rows: usize, limit: usize) -> Option<Self> {
        if limit.saturating_mul(8) >= rows {
            return None;
        }
        let column = &columns[0];
        // Of rows with one word, that is all there is to them, and the first of them come first.
        let is_whole = columns.len() == 1 && matches!(column.shape(), Shape::None | Shape::Narrow);
        let null_count = column.null_count();
        let wanted = match column.options.nulls {
            Nulls::First => limit.saturating_sub(null_count),
            Nulls::Last => limit.min(rows - null_count),
        };
        let mut nulls = Vec::new();
        if null_count > 0 && (wanted < limit || column.options.nulls == Nulls::First) {
            let most = if is_whole { limit } else { rows };
            nulls.extend((0..rows as u32).filter(|&row| !column.is_valid(row)).take(most));
        }
        let pool = Pool { entries: Vec::new(), cut_at: 2 * wanted + 64, threshold: u64::MAX, wanted, is_whole };
        Some(Self { rows, at: if wanted == 0 { rows } else { 0 }, nulls, pool })
    }

    /// Looks at so many more rows; whether it has seen all.
    pub(super) fn look(&mut self, column: &Column<'_>, budget: usize) -> bool {
        let range = self.at..self.rows.min(self.at.saturating_add(budget));
        self.at = range.end;
        if threads::count() == 1 {
            self.pool.look(column, self.rows, range);
        } else {
            let first = range.start;
            let found = threads::map_ranges(range.len(), BLOCK, |part| {
                let mut pool = Pool { entries: Vec::new(), ..self.pool };
                pool.look(column, self.rows, first + part.start..first + part.end);
                pool.entries
            });
            self.pool.entries.extend(found.concat());
        }
        self.at == self.rows
    }

    /// Row numbers, ascending, among which the first rows of the order are found.
    pub(super) fn candidates(self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.pool.entries.into_iter().map(|entry| entry.1).collect();
        if !self.nulls.is_empty() {
            rows.extend(self.nulls);
            super::sort_by(&mut rows, |a, b| a.cmp(&b));
        }
        rows
    }
}

/// Valid rows, ascending, and their words.
#[derive(Debug)]
struct Pool {
    entries: Vec<(u64, u32)>,
    /// The pool is cut back when it has so many.
    cut_at: usize,
    /// Words above it cannot come among the first.
    threshold: u64,
    wanted: usize,
    /// Whether words are all there is to rows.
    is_whole: bool,
}

impl Pool {
    fn look(&mut self, column: &Column<'_>, rows: usize, range: Range<usize>) {
        let Self { entries, cut_at, threshold: bound, wanted, is_whole } = self;
        if *cut_at == usize::MAX {
            return;
        }
        let mut threshold = *bound;
        let (mut words, mut rest) = ([0u64; BLOCK], [0u64; BLOCK]);
        let ones = if column.options.descending { u64::MAX } else { 0 };
        for at in range.clone().step_by(BLOCK) {
            let words = &mut words[..BLOCK.min(range.end - at)];
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
                entries.push((word, row));
                if entries.len() >= *cut_at {
                    let mut words: Vec<u64> = entries.iter().map(|entry| entry.0).collect();
                    threshold = super::select(&mut words, *wanted - 1).0;
                    entries.retain(|entry| entry.0 <= threshold);
                    *cut_at = 2 * entries.len() + 64;
                    if *is_whole {
                        // What comes later with the same word stands behind those that are here.
                        match threshold.checked_sub(1) {
                            Some(below) => threshold = below,
                            None => {
                                // Nothing comes before the least of all words: the pool is closed.
                                *cut_at = usize::MAX;
                                return;
                            }
                        }
                    }
                    *bound = threshold;
                }
            }
        }
    }
}
