//! Compaction of fixed-width values and of bitmaps, straight from the mask.

use arrow_buffer::{ArrowNativeType, BooleanBuffer};

use crate::{Mask, bits};

/// The selected words.
pub(super) fn compact<T: ArrowNativeType>(words: &[T], mask: &Mask) -> Vec<T> {
    #[cfg(target_arch = "x86_64")]
    if let Some(kept) = super::avx512::compact(words, mask) {
        return kept;
    }
    compact_plain(words, mask)
}

/// The selected words, on any machine.
pub(super) fn compact_plain<T: ArrowNativeType>(words: &[T], mask: &Mask) -> Vec<T> {
    let mut kept = Vec::with_capacity(mask.selected());
    let selection = mask.bits().bit_chunks();
    for (block, mut selected) in words.chunks(64).zip(selection.iter_padded()) {
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
    kept
}

/// The selected bits.
pub(super) fn compact_bits(values: &BooleanBuffer, mask: &Mask) -> BooleanBuffer {
    let mut words = Vec::with_capacity(mask.selected().div_ceil(64));
    let (mut word, mut filled) = (0u64, 0u32);
    let (values, selection) = (values.bit_chunks(), mask.bits().bit_chunks());
    for (value, selected) in values.iter_padded().zip(selection.iter_padded()) {
        let count = selected.count_ones();
        if count == 0 {
            continue;
        }
        let packed = extract(value, selected);
        word |= packed << filled;
        filled += count;
        if filled >= 64 {
            words.push(word);
            filled -= 64;
            let used = count - filled;
            word = if used == 64 { 0 } else { packed >> used };
        }
    }
    if filled > 0 {
        words.push(word);
    }
    bits::from_words(words, mask.selected())
}

/// The bits of `value` at the set bits of `selected`, packed at the bottom (parallel bit extract).
fn extract(value: u64, mut selected: u64) -> u64 {
    if selected == u64::MAX {
        return value;
    }
    let (mut packed, mut at) = (0u64, 0u32);
    while selected != 0 {
        packed |= ((value >> selected.trailing_zeros()) & 1) << at;
        selected &= selected - 1;
        at += 1;
    }
    packed
}
