//! Loops in two lanes of 64 bits, written by hand for simd128: the compiler that makes a small module turns none into
//! vectors by itself. On other machines they are the plain loops that they stand for, which compilers widen.
//!
//! Each takes words of 64 bits, in which narrower values have zeros above them.

use crate::widest::widest;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use std::arch::wasm32::*;

    fn load(pair: &[u64; 2]) -> v128 {
        // SAFETY: sixteen bytes can be read there, and WASM asks for no alignment.
        unsafe { v128_load(std::ptr::from_ref(pair).cast()) }
    }

    fn lanes(vector: v128) -> [u64; 2] {
        [u64x2_extract_lane::<0>(vector), u64x2_extract_lane::<1>(vector)]
    }

    /// Gives how many of the words are done: all, or all but the last.
    pub(super) fn flip_by_sign(words: &mut [u64], top: u64, below: u64) -> usize {
        let (tops, belows, zero) = (u64x2_splat(top), u64x2_splat(below), u64x2_splat(0));
        let (pairs, _) = words.as_chunks_mut::<2>();
        for pair in pairs {
            let both = load(pair);
            let is_set = u64x2_ne(v128_and(both, tops), zero);
            *pair = lanes(v128_xor(both, v128_or(tops, v128_and(is_set, belows))));
        }
        words.len() & !1
    }

    /// Gives the bits of all the keys, or of all but the last, too.
    pub(super) fn in_range(keys: &[u64], low: u64, span: u64) -> (u64, usize) {
        // Lanes are compared as signed numbers: both sides are moved down by half of all numbers.
        const HALF: u64 = 1 << 63;
        let (lows, spans) = (u64x2_splat(low ^ HALF), u64x2_splat(span ^ HALF));
        let (mut bits, mut place) = (u64x2_splat(0), u64x2(1, 2));
        let (pairs, _) = keys.as_chunks::<2>();
        for pair in pairs {
            bits = v128_or(bits, v128_and(i64x2_le(i64x2_sub(load(pair), lows), spans), place));
            place = i64x2_shl(place, 2);
        }
        let [even, odd] = lanes(bits);
        (even | odd, keys.len() & !1)
    }

    /// Gives how many of the words are done, a multiple of four.
    pub(super) fn widen_u32(from: &[u32], words: &mut [u64]) -> usize {
        let (fours, _) = from.as_chunks::<4>();
        for (four, to) in fours.iter().zip(words.as_chunks_mut::<4>().0) {
            // SAFETY: sixteen bytes can be read there, and WASM asks for no alignment.
            let all = unsafe { v128_load(std::ptr::from_ref(four).cast()) };
            let ([a, b], [c, d]) = (lanes(u64x2_extend_low_u32x4(all)), lanes(u64x2_extend_high_u32x4(all)));
            *to = [a, b, c, d];
        }
        from.len().min(words.len()) & !3
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod simd128 {
    pub(super) fn flip_by_sign(_words: &mut [u64], _top: u64, _below: u64) -> usize {
        0
    }

    pub(super) fn in_range(_keys: &[u64], _low: u64, _span: u64) -> (u64, usize) {
        (0, 0)
    }

    pub(super) fn widen_u32(_from: &[u32], _words: &mut [u64]) -> usize {
        0
    }
}

widest! {
    /// Turns `top` over in all words, and in those that had it the bits of `below` too.
    pub(crate) fn flip_by_sign(words: &mut [u64], top: u64, below: u64) {
        let done = simd128::flip_by_sign(words, top, below);
        words[done..].iter_mut().for_each(|word| *word ^= top | if *word & top == 0 { 0 } else { below });
    }
}

/// Of up to 64 keys a bit each: whether it is at most `span` above `low`.
pub(crate) fn in_range(keys: &[u64], low: u64, span: u64) -> u64 {
    let (bits, done) = simd128::in_range(keys, low, span);
    let rest = keys.iter().enumerate().skip(done);
    rest.fold(bits, |bits, (bit, key)| bits | u64::from(key.wrapping_sub(low) <= span) << bit)
}

/// Words of 32 bits with zeros above them, as many as both have.
pub(crate) fn widen_u32(from: &[u32], words: &mut [u64]) {
    let done = simd128::widen_u32(from, words);
    words.iter_mut().zip(from).skip(done).for_each(|(word, &from)| *word = from.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_tested_one_by_one() {
        let keys: Vec<u64> = (0..64u64).map(|key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (key % 50)).collect();
        for count in [0, 1, 2, 63, 64] {
            for (low, high) in [(0, u64::MAX), (5, 5), (1 << 62, 1 << 63), (u64::MAX - 9, u64::MAX), (0, 1 << 40)] {
                let found = in_range(&keys[..count], low, high - low);
                for (bit, key) in keys[..count].iter().enumerate() {
                    assert_eq!(found >> bit & 1 == 1, (low..=high).contains(key), "{key} in {low}..={high}");
                }
                assert_eq!(found.checked_shr(count as u32).unwrap_or(0), 0);
            }
        }
    }

    #[test]
    fn words_are_widened_and_flipped() {
        let from: Vec<u32> = (0..11u32).map(|word| word.wrapping_mul(0x9e37_79b9)).collect();
        let mut words = vec![7; 11];
        widen_u32(&from, &mut words);
        assert!(words.iter().zip(&from).all(|(&word, &from)| word == u64::from(from)));
        let before = words.clone();
        flip_by_sign(&mut words, 1 << 31, (1 << 31) - 1);
        for (word, before) in words.iter().zip(before) {
            let ones = if before >> 31 == 1 { u64::from(u32::MAX) } else { 1 << 31 };
            assert_eq!(*word, before ^ ones);
        }
    }
}
