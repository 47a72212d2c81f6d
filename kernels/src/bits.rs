//! Bitmaps, a word at a time.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A bitmap of `rows` bits from 64-bit words, least significant bit first.
pub(crate) fn from_words(words: Vec<u64>, rows: usize) -> BooleanBuffer {
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

/// Combines two bitmaps of one length, a word at a time.
pub(crate) fn combine(a: &BooleanBuffer, b: &BooleanBuffer, op: impl Fn(u64, u64) -> u64) -> BooleanBuffer {
    let (left, right) = (a.bit_chunks(), b.bit_chunks());
    let words = left.iter_padded().zip(right.iter_padded()).map(|(a, b)| op(a, b));
    from_words(words.take(a.len().div_ceil(64)).collect(), a.len())
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
    let chunks = bits.bit_chunks();
    let mut base = 0;
    for mut word in chunks.iter_padded() {
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
