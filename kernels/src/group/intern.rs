//! Interning: values to small dense numbers, in the order of first appearance.
//!
//! Both tables are open addressing with linear probing over an array of `number + 1` (zero is empty),
//! kept at most half full; the values themselves stand densely in the order of their numbers, so that
//! reading all groups back is one pass.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a word so that its high bits depend on all of its bits.
#[inline(always)]
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(MULTIPLIER);
    (word ^ (word >> 29)).wrapping_mul(MULTIPLIER)
}

#[inline(always)]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    for word in words {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
    }
    let mut tail = 0u64;
    for (position, &byte) in rest.iter().enumerate() {
        tail |= u64::from(byte) << (8 * position);
    }
    mix(hash.rotate_left(23) ^ tail)
}

/// The slots of a table: numbers plus one.
#[derive(Debug, Default)]
struct Slots {
    slots: Vec<u32>,
    shift: u32,
}

impl Slots {
    /// Finds the slot of a hash: the one that `is` accepts, or the empty one that ends the probe.
    #[inline(always)]
    fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> (usize, u32) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> self.shift) as usize & mask;
        loop {
            let number = self.slots[slot];
            if number == 0 || is(number - 1) {
                return (slot, number);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn is_full(&self, values: usize) -> bool {
        2 * (values + 1) > self.slots.len()
    }

    /// Doubles the table and puts every value's number in again.
    fn grow(&mut self, hashes: impl ExactSizeIterator<Item = u64>) {
        let capacity = (4 * (hashes.len() + 1)).next_power_of_two().max(64);
        self.slots = vec![0; capacity];
        self.shift = 64 - capacity.trailing_zeros();
        for (number, hash) in (1u32..).zip(hashes) {
            let (slot, _) = self.find(hash, |_| false);
            self.slots[slot] = number;
        }
    }
}

/// Interns words of at most 64 bits.
#[derive(Debug, Default)]
pub(crate) struct WordInterner {
    slots: Slots,
    words: Vec<u64>,
}

impl WordInterner {
    /// The number of a word.
    #[inline]
    pub(crate) fn intern(&mut self, word: u64) -> u32 {
        if self.slots.is_full(self.words.len()) {
            self.slots.grow(self.words.iter().map(|&word| mix(word)));
        }
        let (slot, number) = self.slots.find(mix(word), |number| self.words[number as usize] == word);
        if number != 0 {
            return number - 1;
        }
        self.words.push(word);
        self.slots.slots[slot] = self.words.len() as u32;
        self.words.len() as u32 - 1
    }

    /// Number of words.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The words in the order of their numbers.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }
}

/// Interns byte strings of any length.
#[derive(Debug, Default)]
pub(crate) struct ByteInterner {
    slots: Slots,
    hashes: Vec<u64>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl ByteInterner {
    /// The number of a byte string.
    #[inline]
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        if self.slots.is_full(self.ends.len()) {
            self.slots.grow(self.hashes.iter().copied());
        }
        let hash = hash_bytes(value);
        let (slot, number) =
            self.slots.find(hash, |number| self.hashes[number as usize] == hash && self.get(number) == value);
        if number != 0 {
            return number - 1;
        }
        self.hashes.push(hash);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.slots.slots[slot] = self.ends.len() as u32;
        self.ends.len() as u32 - 1
    }

    /// The byte string of a number that was handed out.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    /// Number of byte strings.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_stable() {
        let mut words = WordInterner::default();
        let mut bytes = ByteInterner::default();
        for round in 0..2 {
            for value in 0..10_000u64 {
                // Multiples of 2^32 collide in the low bits, and long strings share long prefixes.
                assert_eq!(words.intern(value << 32), value as u32, "round {round}");
                let text = format!("{}{value}", "x".repeat((value % 40) as usize));
                let number = bytes.intern(text.as_bytes());
                assert_eq!(bytes.get(number), text.as_bytes());
                assert_eq!(number, value as u32);
            }
        }
        assert_eq!((words.len(), bytes.len()), (10_000, 10_000));
        assert_eq!(bytes.intern(b""), 10_000);
        assert_eq!(bytes.intern(b"\0"), 10_001);
    }
}
