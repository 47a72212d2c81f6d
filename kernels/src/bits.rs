//! Bitmaps, a word at a time.
//!
//! With the feature `small` the loops here are there once, and call what they do with each word through a pointer.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A bitmap of `rows` bits from 64-bit words, least significant bit first.
pub(crate) fn from_words(words: Vec<u64>, rows: usize) -> BooleanBuffer {
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

/// The words of a bitmap, 64 bits each from its first; zeros behind its last, perhaps a word of them.
#[cfg(not(feature = "small"))]
#[inline(always)]
pub(crate) fn words(bits: &BooleanBuffer) -> impl Iterator<Item = u64> {
    let chunks = bits.bit_chunks();
    chunks.iter().chain(std::iter::once(chunks.remainder_bits()))
}

/// The words of a bitmap, 64 bits each from its first; zeros behind its last.
#[cfg(feature = "small")]
#[inline(always)]
pub(crate) fn words(bits: &BooleanBuffer) -> impl Iterator<Item = u64> {
    (0..bits.len()).step_by(64).map(|at| word(bits, at))
}

/// The 64 bits from a place on, which must be one of the bitmap's; zeros behind its last.
#[cfg(feature = "small")]
#[inline(never)]
pub(crate) fn word(bits: &BooleanBuffer, at: usize) -> u64 {
    let first = bits.offset() + at;
    let bytes = &bits.values()[first / 8..];
    let shift = first % 8;
    let word = match bytes.first_chunk::<9>() {
        Some([low @ .., high]) => u64::from_le_bytes(*low) >> shift | u64::from(*high) << 1 << (63 - shift),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)) >> shift,
    };
    match bits.len() - at {
        rest @ 1..64 => word & (u64::MAX >> (64 - rest)),
        _ => word,
    }
}

/// A bitmap of `rows` bits, each given by a function, which is asked in the order of the rows.
#[inline(always)]
pub(crate) fn collect(rows: usize, mut bit: impl FnMut(usize) -> bool) -> BooleanBuffer {
    #[inline(never)]
    fn one_loop(rows: usize, bit: &mut dyn FnMut(usize) -> bool) -> BooleanBuffer {
        BooleanBuffer::collect_bool(rows, bit)
    }
    if cfg!(feature = "small") { one_loop(rows, &mut bit) } else { BooleanBuffer::collect_bool(rows, bit) }
}

/// Combines two bitmaps of one length, a word at a time.
#[inline(always)]
pub(crate) fn combine(a: &BooleanBuffer, b: &BooleanBuffer, op: impl Fn(u64, u64) -> u64) -> BooleanBuffer {
    #[inline(always)]
    fn each(a: &BooleanBuffer, b: &BooleanBuffer, op: impl Fn(u64, u64) -> u64) -> BooleanBuffer {
        let words = words(a).zip(words(b)).map(|(a, b)| op(a, b));
        from_words(words.take(a.len().div_ceil(64)).collect(), a.len())
    }
    #[inline(never)]
    fn one_loop(a: &BooleanBuffer, b: &BooleanBuffer, op: &dyn Fn(u64, u64) -> u64) -> BooleanBuffer {
        each(a, b, op)
    }
    if cfg!(feature = "small") { one_loop(a, b, &op) } else { each(a, b, op) }
}

/// The rows that both say are valid.
pub(crate) fn both_valid(a: Option<&NullBuffer>, b: Option<&NullBuffer>) -> Option<NullBuffer> {
    match (a, b) {
        (Some(a), Some(b)) => Some(NullBuffer::new(combine(a.inner(), b.inner(), |a, b| a & b))),
        (one, other) => one.or(other).cloned(),
    }
}

/// Packs 64 bytes that are 0 or 1 into a word.
#[inline(always)]
pub(crate) fn pack(flags: &[u8; 64]) -> u64 {
    let mut word = 0u64;
    for (byte, chunk) in flags.as_chunks::<8>().0.iter().enumerate() {
        // Each flag is one bit in its own byte; the multiplication gathers the eight in the top byte.
        let bits = u64::from_le_bytes(*chunk).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (8 * byte);
    }
    word
}

/// One bit per row of a slice, from a test of its values.
#[inline(always)]
pub(crate) fn test_each<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> BooleanBuffer {
    let mut words = Vec::with_capacity(values.len().div_ceil(64));
    let (blocks, rest) = values.as_chunks::<64>();
    for block in blocks {
        let mut flags = [0u8; 64];
        for (flag, value) in flags.iter_mut().zip(block) {
            *flag = u8::from(test(*value));
        }
        words.push(pack(&flags));
    }
    if !rest.is_empty() {
        let mut word = 0u64;
        for (bit, value) in rest.iter().enumerate() {
            word |= u64::from(test(*value)) << bit;
        }
        words.push(word);
    }
    from_words(words, values.len())
}

/// Validity without a bitmap when nothing is null.
pub(crate) fn nulls_from_bits(bits: BooleanBuffer) -> Option<NullBuffer> {
    let nulls = NullBuffer::new(bits);
    (nulls.null_count() > 0).then_some(nulls)
}

/// Calls `each` with the number of every set bit, in order.
#[inline(always)]
pub(crate) fn for_each_set(bits: &BooleanBuffer, mut each: impl FnMut(usize)) {
    let mut base = 0;
    for mut word in words(bits) {
        while word != 0 {
            each(base + word.trailing_zeros() as usize);
            word &= word - 1;
        }
        base += 64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_tests_agree_with_the_plain_ones_at_every_length() {
        for rows in 0..200usize {
            let values: Vec<u32> = (0..rows as u32).map(|v| v.wrapping_mul(2_654_435_761) >> 7).collect();
            let bits = test_each(&values, |value| value & 5 == 4);
            let mut set = Vec::new();
            for_each_set(&bits.slice(rows / 3, rows - rows / 3), |row| set.push(row + rows / 3));
            let expected: Vec<usize> = (rows / 3..rows).filter(|&row| values[row] & 5 == 4).collect();
            assert_eq!(set, expected);
        }
    }
}
