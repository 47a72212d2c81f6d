//! Codes: what tells the rows of a sort apart, in 64 bits.
//!
//! A column's words rarely need all their bits. Numbers are taken less the least of them; of text, the bits that are
//! the same in every row are left out (`id0000012345` needs four bits a digit, and none for its beginning). What is
//! left of the keys, the most significant first, stands side by side in one word: the first 64 bits of the whole
//! order. One more bit for each key with nulls says where these stand. When everything fits, the code is
//! **complete**: rows of equal codes are equal.

use super::column::{Column, Rows, Shape};
use crate::bitcode::{BLOCK, Moves, bounds, difference, join, subtract};
use crate::query::Nulls;
use crate::threads;

/// How the rows' codes are made.
#[derive(Debug)]
pub(super) struct Encoder<'c, 'a> {
    parts: Vec<Part<'c, 'a>>,
    pub(super) bits: u32,
    pub(super) complete: bool,
    /// Whether the rows stand in order, as far as that is known without codes.
    pub(super) sorted: bool,
}

#[derive(Debug)]
struct Part<'c, 'a> {
    column: &'c Column<'a>,
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

impl<'c, 'a> Encoder<'c, 'a> {
    /// Reads the rows once for each key that has room in the code.
    pub(super) fn new(columns: &'c [Column<'a>], rows: Rows<'_>) -> Self {
        let mut encoder = Self { parts: Vec::new(), bits: 0, complete: true, sorted: false };
        for (position, column) in columns.iter().enumerate() {
            let room = 64 - encoder.bits - u32::from(column.has_nulls() && encoder.bits < 64);
            if room == 0 {
                encoder.complete = false;
                break;
            }
            let Some((code, bits, complete)) = (match column.shape() {
                Shape::None => None,
                Shape::Narrow => {
                    let (least, bits, sorted) = narrow(column, rows);
                    encoder.sorted = sorted && position == 0 && columns.len() == 1 && !column.has_nulls();
                    let drop = bits.saturating_sub(room);
                    Some((Code::Narrow { least, drop }, bits - drop, drop == 0))
                }
                Shape::Wide { whole } => {
                    let (least, bits) = wide(column, rows);
                    let drop = bits.saturating_sub(room);
                    Some((Code::Wide { least, drop }, bits - drop, drop == 0 && whole))
                }
                Shape::Bytes => Some(bytes(column, rows, room)),
            }) else {
                continue;
            };
            let nulls = u32::from(column.has_nulls());
            encoder.complete &= complete;
            if bits + nulls > 0 {
                encoder.bits += bits + nulls;
                encoder.parts.push(Part { column, code, bits });
            }
            if !complete {
                break;
            }
        }
        encoder
    }

    /// The codes of the rows at `at`, at most [`BLOCK`] of them.
    pub(super) fn fill(&self, rows: Rows<'_>, at: usize, codes: &mut [u64]) {
        let mut high = [0u64; BLOCK];
        let mut low = [0u64; BLOCK];
        let count = codes.len();
        let (high, low) = (&mut high[..count], &mut low[..count]);
        codes.fill(0);
        for part in &self.parts {
            // The part's value ends up in `low`.
            match &part.code {
                Code::Narrow { least, drop } => {
                    part.column.load(rows, at, low);
                    subtract(low, *least, *drop);
                }
                Code::Wide { least, drop } => {
                    part.column.load_wide(rows, at, high, low);
                    for (high, low) in high.iter().zip(low.iter_mut()) {
                        *low = ((u128::from(*high) << 64 | u128::from(*low)).wrapping_sub(*least) >> drop) as u64;
                    }
                }
                Code::Bytes { skip, length, moves } => {
                    part.column.load_bytes(rows, at, *skip, *length, high, low);
                    moves[0].gather(high);
                    moves[1].gather(low);
                    let width = moves[1].bits();
                    let above = |word: u64| if width == 64 { 0 } else { word << width };
                    low.iter_mut().zip(high.iter()).for_each(|(low, &high)| *low |= above(high));
                }
            }
            if part.column.options.descending {
                let ones = if part.bits == 64 { u64::MAX } else { (1 << part.bits) - 1 };
                low.iter_mut().for_each(|word| *word ^= ones);
            }
            let mut width = part.bits;
            if part.column.has_nulls() {
                // The flag above the value is 1 for what stands last; a null's own bits are cleared.
                let last = u64::from(part.column.options.nulls == Nulls::Last);
                part.column.load_valid(rows, at, high);
                for (word, &valid) in low.iter_mut().zip(&*high) {
                    *word = *word & valid.wrapping_neg() | (valid ^ last) << part.bits;
                }
                width += 1;
            }
            join(codes, low, width);
        }
    }
}

/// The least word, the bits that the distance to the greatest one takes, and whether the words stand in order.
fn narrow(column: &Column<'_>, rows: Rows<'_>) -> (u64, u32, bool) {
    let descending = column.options.descending;
    let parts = threads::map_ranges(rows.len(), BLOCK, |range| {
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
    let least = parts.iter().map(|part| part.0).min().unwrap_or(u64::MAX);
    let greatest = parts.iter().map(|part| part.1).max().unwrap_or(0);
    (least, 64 - greatest.saturating_sub(least).leading_zeros(), parts.iter().all(|part| part.2))
}

fn wide(column: &Column<'_>, rows: Rows<'_>) -> (u128, u32) {
    let (mut least, mut greatest) = (u128::MAX, 0);
    let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
    for at in (0..rows.len()).step_by(BLOCK) {
        let count = BLOCK.min(rows.len() - at);
        column.load_wide(rows, at, &mut high[..count], &mut low[..count]);
        for (&high, &low) in high[..count].iter().zip(&low) {
            let word = u128::from(high) << 64 | u128::from(low);
            least = least.min(word);
            greatest = greatest.max(word);
        }
    }
    (least, 128 - greatest.saturating_sub(least).leading_zeros())
}

/// The window of bytes that tells the rows apart, and which of its bits.
fn bytes(column: &Column<'_>, rows: Rows<'_>, room: u32) -> (Code, u32, bool) {
    let parts = threads::map_ranges(rows.len(), BLOCK, |range| {
        let lengths = range.clone().step_by(BLOCK).map(|at| column.lengths(rows, at, BLOCK.min(range.end - at)));
        lengths.fold((usize::MAX, 0), |all, block| (all.0.min(block.0), all.1.max(block.1)))
    });
    let shortest = parts.iter().map(|part| part.0).min().unwrap_or(usize::MAX);
    let longest = parts.iter().map(|part| part.1).max().unwrap_or(0);
    let mut skip = 0;
    loop {
        let length = longest - skip <= 15;
        let mask = varying(column, rows, skip, length);
        let equal = mask.leading_zeros() as usize / 8;
        // The window moves to the first byte that differs, where that shows more bytes.
        if !length && equal > 0 && skip < shortest {
            skip += equal.min(shortest - skip);
            continue;
        }
        return moves(mask, room, skip, length);
    }
}

/// The bits of the window that are not the same in every row.
fn varying(column: &Column<'_>, rows: Rows<'_>, skip: usize, length: bool) -> u128 {
    let load = |at: usize, high: &mut [u64], low: &mut [u64]| column.load_bytes(rows, at, skip, length, high, low);
    let (mut first_high, mut first_low) = ([0u64], [0u64]);
    if rows.len() > 0 {
        load(0, &mut first_high, &mut first_low);
    }
    let masks = threads::map_ranges(rows.len(), BLOCK, |range| {
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
