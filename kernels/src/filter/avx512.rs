//! Compaction by AVX-512's compress instructions: the mask's bits are the instruction's own operand, so that
//! a vector of values costs one load, one compress and one store, whatever the mask.
//!
//! Values are compressed in a register and stored whole; the next store overwrites what was too much.

use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_maskz_compress_epi8, _mm512_maskz_compress_epi16, _mm512_maskz_compress_epi32,
    _mm512_maskz_compress_epi64, _mm512_storeu_si512,
};

use arrow_buffer::ArrowNativeType;

use crate::{Backend, Mask};

/// Bytes that a store may write beyond the last kept value.
const SLACK: usize = 64;

/// Appends the selected words, of `expected` in the end; `false`, and nothing done, when the machine or the width has no
/// such instruction.
pub(super) fn compact_into<T: ArrowNativeType>(words: &[T], mask: &Mask, kept: &mut Vec<T>, expected: usize) -> bool {
    let width = size_of::<T>();
    let able = Backend::current() == Backend::Avx512
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt");
    if !able || !matches!(width, 1 | 2 | 4 | 8) || words.len() != mask.len() {
        return false;
    }
    let first = kept.len();
    kept.reserve(expected.saturating_sub(first).max(mask.selected()) + SLACK / width);
    let mut count = first;
    let selection = mask.bits().bit_chunks();
    let (blocks, rest) = words.as_chunks::<64>();
    let mut selected = selection.iter_padded();
    for block in blocks {
        let Some(bits) = selected.next() else { break };
        let (from, to) = (block.as_ptr().cast::<u8>(), kept.as_mut_ptr().wrapping_add(count).cast::<u8>());
        // SAFETY: the features were detected above. `from` is a block of 64 values of `width` bytes. `to` is
        // the place of value `count` in `kept`, which has room for `mask.selected()` values behind the first ones
        // and SLACK bytes more; at most as many values are added as the mask has set bits so far, and each store writes
        // one vector of at most SLACK bytes from a place that is no further than that.
        unsafe { compress_block(width, from, bits, to) };
        count += bits.count_ones() as usize;
    }
    debug_assert!(count - first <= mask.selected());
    // SAFETY: the stores above have initialised `count` values, which the capacity holds.
    unsafe { kept.set_len(count) };
    if let Some(mut bits) = selected.next() {
        while bits != 0 {
            if let Some(word) = rest.get(bits.trailing_zeros() as usize) {
                kept.push(*word);
            }
            bits &= bits - 1;
        }
    }
    true
}

/// Keeps the values of a block of 64 whose bits are set.
///
/// # Safety
/// `from` must be readable for 64 values of `width` bytes, which is 1, 2, 4 or 8; `to` must be writable for the
/// kept values and [`SLACK`] bytes more.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
unsafe fn compress_block(width: usize, from: *const u8, bits: u64, to: *mut u8) {
    let lanes = 64 / width;
    let mut place = 0;
    let mut left = bits;
    for vector in 0..width {
        let lane_bits = if lanes == 64 { left } else { left & ((1 << lanes) - 1) };
        // SAFETY: vector `vector` of `width` lies in the 64 values, which take `64 * width` bytes.
        let source = unsafe { from.add(64 * vector) };
        // SAFETY: 64 bytes are readable there; the load needs no alignment.
        let values: __m512i = unsafe { _mm512_loadu_si512(source.cast()) };
        let packed = match width {
            1 => _mm512_maskz_compress_epi8(lane_bits, values),
            2 => _mm512_maskz_compress_epi16(lane_bits as u32, values),
            4 => _mm512_maskz_compress_epi32(lane_bits as u16, values),
            _ => _mm512_maskz_compress_epi64(lane_bits as u8, values),
        };
        // SAFETY: `place` counts the values that have been kept, for which the caller promises room.
        let target = unsafe { to.add(place * width) };
        // SAFETY: beyond the kept values the caller promises SLACK bytes, the size of this store.
        unsafe { _mm512_storeu_si512(target.cast(), packed) };
        place += lane_bits.count_ones() as usize;
        left = if lanes == 64 { 0 } else { left >> lanes };
    }
}

#[cfg(test)]
mod tests {
    use arrow_buffer::BooleanBuffer;

    use super::*;

    #[test]
    fn compression_is_what_the_plain_loop_gives() {
        fn check<T: ArrowNativeType>(rows: usize, seed: u64, value: impl Fn(usize) -> T) {
            let words: Vec<T> = (0..rows).map(value).collect();
            let bit = |row: usize| (row as u64).wrapping_mul(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 < seed % 9;
            let mask = Mask::new(BooleanBuffer::collect_bool(rows + 3, |row| row >= 3 && bit(row - 3)).slice(3, rows));
            let (mut wide, mut plain) = (vec![words.first().copied().unwrap_or_default(); 3], Vec::new());
            plain.clone_from(&wide);
            if compact_into(&words, &mask, &mut wide, mask.selected()) {
                crate::filter::fixed::compact_plain(&words, &mask, &mut plain, mask.selected());
                assert_eq!(wide, plain);
            }
        }
        for rows in [0, 1, 63, 64, 65, 127, 128, 1_000] {
            for seed in 0..9 {
                check(rows, seed, |row| row as u8);
                check(rows, seed, |row| row as u16);
                check(rows, seed, |row| row as i32);
                check(rows, seed, |row| row as f64);
            }
        }
    }
}
