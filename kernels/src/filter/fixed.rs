//! Compaction of fixed-width values and of bitmaps, straight from the mask.

use arrow_buffer::{ArrowNativeType, BooleanBuffer};

#[cfg(target_arch = "x86_64")]
use crate::Backend;
use crate::{Mask, bits};

/// Appends the selected words. `expected` is the number of words in the end, as far as it is known.
pub(super) fn compact_into<T: ArrowNativeType>(words: &[T], mask: &Mask, kept: &mut Vec<T>, expected: usize) {
    #[cfg(target_arch = "x86_64")]
    if super::avx512::compact_into(words, mask, kept, expected) {
        return;
    }
    compact_plain(words, mask, kept, expected);
}

/// As [`compact_into`], on any machine.
pub(super) fn compact_plain<T: ArrowNativeType>(words: &[T], mask: &Mask, kept: &mut Vec<T>, expected: usize) {
    kept.reserve(expected.saturating_sub(kept.len()).max(mask.selected()));
    for (block, mut selected) in words.chunks(64).zip(bits::words(mask.bits())) {
        if selected == u64::MAX {
            kept.extend_from_slice(block);
            continue;
        }
        while selected != 0 {
            // The padding above the last row is zero, so the bit is below the block's length.
            if let Some(word) = block.get(selected.trailing_zeros() as usize) {
                kept.push(*word);
            }
            selected &= selected - 1;
        }
    }
}

/// Bits that have been kept.
pub(super) struct Bits {
    words: Vec<u64>,
    word: u64,
    filled: u32,
}

impl Bits {
    pub(super) fn with_capacity(bits: usize) -> Self {
        Self { words: Vec::with_capacity(bits.div_ceil(64)), word: 0, filled: 0 }
    }

    /// Appends the selected bits.
    pub(super) fn append(&mut self, values: &BooleanBuffer, mask: &Mask) {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "bmi2")]
            fn with_pext(bits: &mut Bits, values: &BooleanBuffer, mask: &Mask) {
                bits.append_by(values, mask, |value, selected| std::arch::x86_64::_pext_u64(value, selected));
            }
            if Backend::current() != Backend::Plain && is_x86_feature_detected!("bmi2") {
                // SAFETY: the feature has just been detected.
                return unsafe { with_pext(self, values, mask) };
            }
        }
        self.append_by(values, mask, extract);
    }

    #[inline(always)]
    fn append_by(&mut self, values: &BooleanBuffer, mask: &Mask, extract: impl Fn(u64, u64) -> u64) {
        let (mut word, mut filled) = (self.word, self.filled);
        for (value, selected) in bits::words(values).zip(bits::words(mask.bits())) {
            let count = selected.count_ones();
            if count == 0 {
                continue;
            }
            let packed = extract(value, selected);
            word |= packed << filled;
            filled += count;
            if filled >= 64 {
                self.words.push(word);
                filled -= 64;
                let used = count - filled;
                word = if used == 64 { 0 } else { packed >> used };
            }
        }
        (self.word, self.filled) = (word, filled);
    }

    /// The bits, so many of them.
    pub(super) fn finish(mut self, bits: usize) -> BooleanBuffer {
        if self.filled > 0 {
            self.words.push(self.word);
        }
        bits::from_words(self.words, bits)
    }
}

/// The bits of `value` at the set bits of `selected`, packed at the bottom (parallel bit extract), run by run.
fn extract(value: u64, mut selected: u64) -> u64 {
    let (mut packed, mut at) = (0u64, 0u32);
    while selected != 0 {
        let start = selected.trailing_zeros();
        let run = (selected >> start).trailing_ones();
        if run == 64 {
            return value;
        }
        let ones = (1u64 << run) - 1;
        packed |= (value >> start & ones) << at;
        selected &= !(ones << start);
        at += run;
    }
    packed
}
