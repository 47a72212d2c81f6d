//! Words with only the bits that tell rows apart, a block of rows at a time.
//!
//! Sorts and groupings put the keys of a row side by side in one word. Bits that are the same in every row are left
//! out; those that are kept are moved together by masks and rotations, one for each run of kept bits, in loops over a
//! whole block that every machine has several lanes for. Order is kept, and the way back exists.

use arrow_array::Array;
use arrow_buffer::ArrowNativeType;

use crate::bytes::{self, BytesColumn};
use crate::types::{self, Kind, Order, Width, Word, by_narrow_width};
use crate::widest::widest;
use crate::{Result, lanes};

/// Rows that are worked on at once: a few words for each fit the first level of caches.
pub(crate) const BLOCK: usize = 1024;

/// The most bytes of text that a window holds beside their number.
pub(crate) const WINDOW: usize = 15;

/// Which bits of a word are kept, and how far they are turned to the left to stand side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    pub(crate) mask: u64,
    runs: Vec<(u64, u32)>,
}

impl Moves {
    pub(crate) fn new(mask: u64) -> Self {
        let mut runs = Vec::new();
        let mut rest = mask;
        while rest != 0 {
            let from = rest.trailing_zeros();
            let run = (rest >> from).trailing_ones();
            let to = (mask & ((1u64 << from) - 1)).count_ones();
            let ones = if run == 64 { u64::MAX } else { ((1 << run) - 1) << from };
            runs.push((ones, (64 + to - from) % 64));
            rest &= !ones;
        }
        Self { mask, runs }
    }

    /// Bits of a gathered word.
    pub(crate) fn bits(&self) -> u32 {
        self.mask.count_ones()
    }

    /// Replaces words by their kept bits, side by side.
    pub(crate) fn gather(&self, words: &mut [u64]) {
        gather(words, &self.runs);
    }

    /// The opposite of [`Moves::gather`], with `rest` for the bits that were left out.
    pub(crate) fn restore(&self, words: &mut [u64], rest: u64) {
        restore(words, &self.runs, rest);
    }
}

widest! {
    fn restore(words: &mut [u64], runs: &[(u64, u32)], rest: u64) {
        for words in words.chunks_mut(BLOCK) {
            let mut sums = [rest; BLOCK];
            let sums = &mut sums[..words.len()];
            for &(mask, turn) in runs {
                sums.iter_mut().zip(&*words).for_each(|(sum, &word)| *sum |= word.rotate_right(turn) & mask);
            }
            words.copy_from_slice(sums);
        }
    }
}

widest! {
    fn gather(words: &mut [u64], runs: &[(u64, u32)]) {
        let mut sums = [0u64; BLOCK];
        let sums = &mut sums[..words.len()];
        for &(mask, turn) in runs {
            sums.iter_mut().zip(&*words).for_each(|(sum, &word)| *sum |= (word & mask).rotate_left(turn));
        }
        words.copy_from_slice(sums);
    }
}

widest! {
    pub(crate) fn subtract(words: &mut [u64], least: u64, drop: u32) {
        words.iter_mut().for_each(|word| *word = word.wrapping_sub(least) >> drop);
    }
}

widest! {
    /// Puts words of so many bits behind the codes.
    pub(crate) fn join(codes: &mut [u64], words: &[u64], width: u32) {
        if width >= 64 {
            return codes.copy_from_slice(words);
        }
        codes.iter_mut().zip(words).for_each(|(code, &word)| *code = *code << width | word);
    }
}

widest! {
    /// As [`join`], with codes of 128 bits in two halves.
    pub(crate) fn join_wide(high: &mut [u64], low: &mut [u64], words: &[u64], width: u32) {
        let each = high.iter_mut().zip(low).zip(words);
        if width == 0 || width >= 64 {
            // Bits of a word at least, so that the lower half moves up as a whole.
            return each.for_each(|((high, low), &word)| {
                if width != 0 {
                    (*high, *low) = (*low, word);
                }
            });
        }
        each.for_each(|((high, low), &word)| {
            *high = *high << width | *low >> (64 - width);
            *low = *low << width | word;
        });
    }
}

widest! {
    /// Takes the lowest bits away from codes of 128 bits in two halves.
    pub(crate) fn split(high: &mut [u64], low: &mut [u64], piece: &mut [u64], width: u32) {
        let each = high.iter_mut().zip(low).zip(piece);
        if width == 0 || width >= 64 {
            return each.for_each(|((high, low), piece)| {
                *piece = 0;
                if width != 0 {
                    (*piece, *low, *high) = (*low, *high, 0);
                }
            });
        }
        let mask = u64::MAX >> (64 - width);
        each.for_each(|((high, low), piece)| {
            *piece = *low & mask;
            *low = *low >> width | *high << (64 - width);
            *high >>= width;
        });
    }
}

widest! {
    pub(crate) fn bounds(words: &[u64]) -> (u64, u64) {
        words.iter().fold((u64::MAX, 0), |(least, greatest), &word| (least.min(word), greatest.max(word)))
    }
}

widest! {
    /// The bits in which any word differs from `first`.
    pub(crate) fn difference(words: &[u64], first: u64) -> u64 {
        words.iter().fold(0, |bits, word| bits | (word ^ first))
    }
}

#[inline(always)]
pub(crate) fn key_of<T: Word>(word: T, order: Order) -> u64 {
    Word::widen(word.to_key(order)) as u64
}

widest! {
    /// One loop for each order: the test stands outside.
    pub(crate) fn to_keys<T: Word>(from: &[T], order: Order, to: &mut [u64]) {
        let each = to.iter_mut().zip(from);
        match order {
            Order::Unsigned | Order::None => each.for_each(|(to, &word)| *to = key_of(word, Order::Unsigned)),
            Order::Signed => each.for_each(|(to, &word)| *to = key_of(word, Order::Signed)),
            Order::Float => each.for_each(|(to, &word)| *to = key_of(word, Order::Float)),
        }
    }
}

/// Words of up to 64 bits, with zeros above them, to their ordered keys.
pub(crate) fn words_to_keys(words: &mut [u64], width: Width, order: Order) {
    let top = 1 << (8 * width.bytes() - 1);
    match order {
        Order::Unsigned | Order::None => {}
        Order::Signed => lanes::flip_by_sign(words, top, 0),
        // The sign decides whether the bits below it are turned over.
        Order::Float => lanes::flip_by_sign(words, top, top - 1),
    }
}

/// The ordered keys of the rows at `at` of a column of words of at most 64 bits.
pub(crate) fn load_keys(array: &dyn Array, at: usize, keys: &mut [u64], operation: &'static str) -> Result<()> {
    let Kind::Fixed(width, order) = types::kind(array.data_type()) else {
        return Err(types::unsupported(operation, array.data_type()));
    };
    if cfg!(feature = "small") {
        types::load_words(array, at, keys, operation)?;
        words_to_keys(keys, width, order);
        return Ok(());
    }
    by_narrow_width!(width, operation, array.data_type(), |T| {
        let words = types::fixed_words::<T>(array, operation)?;
        to_keys(&words[at..at + keys.len()], order, keys);
    });
    Ok(())
}

/// Windows of the rows at `at`: the first fifteen bytes, the first of them in the highest place, and in the lowest
/// byte their number. `false` when a value is longer.
pub(crate) fn load_windows(column: &BytesColumn<'_>, at: usize, high: &mut [u64], low: &mut [u64]) -> bool {
    match *column {
        BytesColumn::Small { offsets, values } => {
            return load_dense_windows(&offsets[at..=at + high.len()], values, high, low);
        }
        BytesColumn::Large { offsets, values } => {
            return load_dense_windows(&offsets[at..=at + high.len()], values, high, low);
        }
        _ => {}
    }
    let mut longest = 0;
    let count = high.len();
    column.windows(
        at,
        0,
        |step, window, length| {
            longest = longest.max(length);
            high[step] = window[0];
            low[step] = window[1] & !0xff | length as u64 & 0xff;
        },
        count,
    );
    longest <= WINDOW
}

/// As [`load_windows`], for rows of any order.
#[cfg(not(feature = "small"))]
pub(crate) fn load_listed_windows(column: &BytesColumn<'_>, rows: &[u32], high: &mut [u64], low: &mut [u64]) -> bool {
    let mut longest = 0;
    let each = rows.iter().zip(high).zip(low);
    if let BytesColumn::Small { offsets, values } = *column {
        each.for_each(|((&row, high), low)| {
            let (start, end) = (offsets[row as usize] as usize, offsets[row as usize + 1] as usize);
            (*high, *low) = window(values, start, end - start);
            longest = longest.max(end - start);
        });
    } else {
        each.for_each(|((&row, high), low)| {
            let value = column.get(row as usize);
            (*high, *low) = window(value, 0, value.len());
            longest = longest.max(value.len());
        });
    }
    longest <= WINDOW
}

/// Two loads a row, wherever sixteen bytes can be read.
fn load_dense_windows<O: ArrowNativeType>(offsets: &[O], values: &[u8], high: &mut [u64], low: &mut [u64]) -> bool {
    let mut longest = 0;
    for ((pair, high), low) in offsets.windows(2).zip(high).zip(low) {
        let start = pair[0].as_usize();
        let length = pair[1].as_usize().saturating_sub(start);
        longest = longest.max(length);
        (*high, *low) = window(values, start, length);
    }
    longest <= WINDOW
}

/// The window of a value, with its length in the lowest byte.
#[inline(always)]
fn window(values: &[u8], start: usize, length: usize) -> (u64, u64) {
    let [high, low] = bytes::window(values, start, length);
    (high, low & !0xff | length as u64 & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_together_and_go_back() {
        let mut seed = 9u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed ^ seed >> 29
        };
        for mask in [0, 1, u64::MAX, 1 << 63, 0x0f0f_0f0f_0f0f_0f0f, 0xff00_0000_0000_0001, next(), next()] {
            let moves = Moves::new(mask);
            assert_eq!(moves.bits(), mask.count_ones());
            let words: Vec<u64> = (0..100).map(|_| next()).collect();
            let mut gathered = words.clone();
            moves.gather(&mut gathered);
            for (&word, &code) in words.iter().zip(&gathered) {
                // Bit by bit.
                let bits = (0..64).filter(|bit| mask >> bit & 1 == 1);
                let expected = bits.enumerate().fold(0, |code, (to, from)| code | (word >> from & 1) << to);
                assert_eq!(code, expected, "mask {mask:x}");
            }
            let mut restored = gathered;
            moves.restore(&mut restored, 0x55 & !mask);
            for (&word, &back) in words.iter().zip(&restored) {
                assert_eq!(back, word & mask | 0x55 & !mask);
            }
        }
    }
}
