//! Codes: what tells the rows of a sort apart, in 64 bits.
//!
//! A column's words rarely need all their bits. Numbers are taken less the least of them; of text, the bits that are
//! the same in every row are left out (`id0000012345` needs four bits a digit, and none for its beginning). What is
//! left of the keys, the most significant first, stands side by side in one word: the first 64 bits of the whole
//! order. One more bit for each key with nulls says where these stand. When everything fits, the code is
//! **complete**: rows of equal codes are equal.

use std::ops::Range;

use super::column::{Column, Rows, Shape};
use crate::bitcode::{BLOCK, Moves, bounds, difference, join, subtract};
use crate::query::Nulls;
use crate::threads;

/// How the rows' codes are made: found by [`Encoder::look`], some rows at a time.
#[derive(Debug)]
pub(super) struct Encoder {
    parts: Vec<Part>,
    pub(super) bits: u32,
    pub(super) complete: bool,
    /// Whether the rows stand in order, as far as that is known without codes.
    pub(super) sorted: bool,
    /// The column that is being looked at, the next row, and what the rows before have told.
    column: usize,
    at: usize,
    seen: Seen,
}

/// What rows have told of a column: the least and greatest of their words, or of their numbers of bytes; then the bits that
/// differ behind the byte `skip`.
#[derive(Debug)]
struct Seen {
    least: u128,
    greatest: u128,
    window: Option<(usize, bool)>,
    mask: u128,
}

impl Seen {
    const NOTHING: Self = Self { least: u128::MAX, greatest: 0, window: None, mask: 0 };

    fn add(&mut self, least: u128, greatest: u128) {
        (self.least, self.greatest) = (self.least.min(least), self.greatest.max(greatest));
    }
}

#[derive(Debug)]
struct Part {
    column: usize,
    code: Code,
    /// Bits of the value; one more when the column has nulls.
    bits: u32,
}

#[derive(Debug)]
enum Code {
    Narrow {
        least: u64,
        /// Low bits that did not fit.
        drop: u32,
    },
    Wide {
        least: u128,
        drop: u32,
    },
    Bytes {
        skip: usize,
        length: bool,
        /// Bits that are kept of the upper and of the lower half.
        moves: [Moves; 2],
    },
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { parts: Vec::new(), bits: 0, complete: true, sorted: true, column: 0, at: 0, seen: Seen::NOTHING }
    }

    /// How far it is, from 0 to 1.
    pub(super) fn part(&self, columns: usize, rows: usize) -> f64 {
        (self.column as f64 + self.at as f64 / rows.max(1) as f64) / columns.max(1) as f64
    }

    /// Looks at so many more rows; whether all is known. The rows are read once for each key that has room in the code, and
    /// text some times more.
    pub(super) fn look(&mut self, columns: &[Column<'_>], rows: Rows<'_>, budget: usize) -> bool {
        let mut left = budget;
        while let Some(column) = columns.get(self.column) {
            let nulls = u32::from(column.has_nulls());
            if self.bits + nulls >= 64 {
                self.complete = false;
                break;
            }
            let room = 64 - self.bits - nulls;
            let range = self.at..rows.len().min(self.at.saturating_add(left));
            self.at = range.end;
            left -= range.len();
            let shape = column.shape();
            match (shape, self.seen.window) {
                (Shape::None, _) => self.at = rows.len(),
                (Shape::Narrow, _) => {
                    let sorted = narrow(column, rows, range, &mut self.seen);
                    self.sorted &= sorted && columns.len() == 1 && nulls == 0;
                }
                (Shape::Wide { .. }, _) => wide(column, rows, range, &mut self.seen),
                (Shape::Bytes, None) => lengths(column, rows, range, &mut self.seen),
                (Shape::Bytes, Some((skip, length))) => {
                    self.seen.mask |= varying(column, rows, range, skip, length);
                }
            }
            self.sorted &= shape == Shape::Narrow;
            if self.at < rows.len() {
                return false;
            }
            self.at = 0;
            let Seen { least, greatest, window, mask } = self.seen;
            let bits = 128 - greatest.saturating_sub(least).leading_zeros();
            let drop = bits.saturating_sub(room);
            let (code, bits, complete) = match shape {
                Shape::None => {
                    self.column += 1;
                    continue;
                }
                Shape::Narrow => (Code::Narrow { least: least as u64, drop }, bits - drop, drop == 0),
                Shape::Wide { whole } => (Code::Wide { least, drop }, bits - drop, drop == 0 && whole),
                Shape::Bytes => {
                    let (shortest, longest) = (least.min(usize::MAX as u128) as usize, greatest as usize);
                    let moved = match window {
                        None => Some(0),
                        // The window moves to the first byte that differs, where that shows more bytes.
                        Some((skip, length)) => {
                            let equal = mask.leading_zeros() as usize / 8;
                            let moves = !length && equal > 0 && skip < shortest;
                            moves.then(|| skip + equal.min(shortest - skip))
                        }
                    };
                    match (moved, window) {
                        (None, Some((skip, length))) => moves(mask, room, skip, length),
                        _ => {
                            let skip = moved.unwrap_or(0);
                            self.seen.window = Some((skip, longest - skip <= 15));
                            self.seen.mask = 0;
                            continue;
                        }
                    }
                }
            };
            self.seen = Seen::NOTHING;
            self.complete &= complete;
            if bits + nulls > 0 {
                self.bits += bits + nulls;
                self.parts.push(Part { column: self.column, code, bits });
            }
            self.column = if complete { self.column + 1 } else { columns.len() };
        }
        self.column = columns.len();
        true
    }

    /// The codes of the rows at `at`, at most [`BLOCK`] of them.
    pub(super) fn fill(&self, columns: &[Column<'_>], rows: Rows<'_>, at: usize, codes: &mut [u64]) {
        let mut high = [0u64; BLOCK];
        let mut low = [0u64; BLOCK];
        let count = codes.len();
        let (high, low) = (&mut high[..count], &mut low[..count]);
        codes.fill(0);
        for part in &self.parts {
            let column = &columns[part.column];
            // The part's value ends up in `low`.
            match &part.code {
                Code::Narrow { least, drop } => {
                    column.load(rows, at, low);
                    subtract(low, *least, *drop);
                }
                Code::Wide { least, drop } => {
                    column.load_wide(rows, at, high, low);
                    for (high, low) in high.iter().zip(low.iter_mut()) {
                        *low = ((u128::from(*high) << 64 | u128::from(*low)).wrapping_sub(*least) >> drop) as u64;
                    }
                }
                Code::Bytes { skip, length, moves } => {
                    column.load_bytes(rows, at, *skip, *length, high, low);
                    moves[0].gather(high);
                    moves[1].gather(low);
                    let width = moves[1].bits();
                    let above = |word: u64| if width == 64 { 0 } else { word << width };
                    low.iter_mut().zip(high.iter()).for_each(|(low, &high)| *low |= above(high));
                }
            }
            if column.options.descending {
                let ones = if part.bits == 64 { u64::MAX } else { (1 << part.bits) - 1 };
                low.iter_mut().for_each(|word| *word ^= ones);
            }
            let mut width = part.bits;
            if column.has_nulls() {
                // The flag above the value is 1 for what stands last; a null's own bits are cleared.
                let last = u64::from(column.options.nulls == Nulls::Last);
                column.load_valid(rows, at, high);
                for (word, &valid) in low.iter_mut().zip(&*high) {
                    *word = *word & valid.wrapping_neg() | (valid ^ last) << part.bits;
                }
                width += 1;
            }
            join(codes, low, width);
        }
    }
}

/// The least and the greatest word; whether the words stand in order, also behind the one before the range.
fn narrow(column: &Column<'_>, rows: Rows<'_>, range: Range<usize>, seen: &mut Seen) -> bool {
    let descending = column.options.descending;
    let first = range.start;
    let parts = threads::map_ranges(range.len(), BLOCK, |part| {
        let range = first + part.start..first + part.end;
        let (mut least, mut greatest) = (u64::MAX, 0);
        let mut sorted = true;
        let mut last = if descending { u64::MAX } else { 0 };
        if range.start > 0 {
            let mut before = [0];
            column.load(rows, range.start - 1, &mut before);
            last = before[0];
        }
        let mut block = [0u64; BLOCK];
        for at in range.clone().step_by(BLOCK) {
            let words = &mut block[..BLOCK.min(range.end - at)];
            column.load(rows, at, words);
            let (low, high) = bounds(words);
            (least, greatest) = (least.min(low), greatest.max(high));
            if sorted {
                sorted = if descending {
                    last >= words[0] && words.is_sorted_by(|a, b| a >= b)
                } else {
                    last <= words[0] && words.is_sorted()
                };
                last = words[words.len() - 1];
            }
        }
        (least, greatest, sorted)
    });
    parts.iter().for_each(|part| seen.add(part.0.into(), part.1.into()));
    parts.iter().all(|part| part.2)
}

fn wide(column: &Column<'_>, rows: Rows<'_>, range: Range<usize>, seen: &mut Seen) {
    let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
    for at in range.clone().step_by(BLOCK) {
        let count = BLOCK.min(range.end - at);
        column.load_wide(rows, at, &mut high[..count], &mut low[..count]);
        for (&high, &low) in high[..count].iter().zip(&low) {
            let word = u128::from(high) << 64 | u128::from(low);
            seen.add(word, word);
        }
    }
}

fn lengths(column: &Column<'_>, rows: Rows<'_>, range: Range<usize>, seen: &mut Seen) {
    let first = range.start;
    let parts = threads::map_ranges(range.len(), BLOCK, |part| {
        let range = first + part.start..first + part.end;
        let lengths = range.clone().step_by(BLOCK).map(|at| column.lengths(rows, at, BLOCK.min(range.end - at)));
        lengths.fold((usize::MAX, 0), |all, block| (all.0.min(block.0), all.1.max(block.1)))
    });
    parts.iter().for_each(|part| seen.add(part.0 as u128, part.1 as u128));
}

/// The bits of the window that are not the same in every row.
fn varying(column: &Column<'_>, rows: Rows<'_>, range: Range<usize>, skip: usize, length: bool) -> u128 {
    let load = |at: usize, high: &mut [u64], low: &mut [u64]| column.load_bytes(rows, at, skip, length, high, low);
    let (mut first_high, mut first_low) = ([0u64], [0u64]);
    if rows.len() > 0 {
        load(0, &mut first_high, &mut first_low);
    }
    let first = range.start;
    let masks = threads::map_ranges(range.len(), BLOCK, |part| {
        let range = first + part.start..first + part.end;
        let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
        let mut mask = [0u64; 2];
        for at in range.clone().step_by(BLOCK) {
            let count = BLOCK.min(range.end - at);
            load(at, &mut high[..count], &mut low[..count]);
            mask[0] |= difference(&high[..count], first_high[0]);
            mask[1] |= difference(&low[..count], first_low[0]);
        }
        mask
    });
    masks.iter().fold(0, |all, mask| all | u128::from(mask[0]) << 64 | u128::from(mask[1]))
}

/// How the highest `room` bits of a mask come to stand side by side.
fn moves(mut mask: u128, room: u32, skip: usize, length: bool) -> (Code, u32, bool) {
    let mut complete = length;
    while mask.count_ones() > room {
        mask &= mask - 1;
        complete = false;
    }
    let bits = mask.count_ones();
    let moves = [Moves::new((mask >> 64) as u64), Moves::new(mask as u64)];
    (Code::Bytes { skip, length, moves }, bits, complete)
}
