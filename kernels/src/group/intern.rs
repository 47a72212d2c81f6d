//! Interning: values to small dense numbers, in the order of first appearance.
//!
//! Words that lie close together index a plain table. All others go through open addressing with linear
//! probing, kept at most half full; a slot holds enough of its value that a probe rarely leaves the table.
//! Many values are interned in blocks: first all hashes, so that the cache misses of a block overlap.

use crate::prefetch;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
/// Values whose slots are asked for before the first of them is looked at.
const BLOCK: usize = 16;
/// The most entries of a plain table, beside four for each row of the first batch.
const DIRECT: u64 = 1 << 20;

/// Folds the product of two words: every bit of the result depends on all bits of both (after wyhash).
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline(always)]
pub(super) fn mix(word: u64) -> u64 {
    fold(word ^ SECOND, MULTIPLIER)
}

#[inline(always)]
pub(super) fn mix_wide(word: u128) -> u64 {
    fold(word as u64 ^ SECOND, (word >> 64) as u64 ^ MULTIPLIER)
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64 ^ SECOND;
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), MULTIPLIER);
    }
    let mut tail = [0u8; 8];
    tail[..rest.len()].copy_from_slice(rest);
    fold(hash ^ u64::from_le_bytes(tail), MULTIPLIER)
}

/// What a slot of a table holds; its number is one more than the value's, and 0 when it is empty.
pub(super) trait Slot: Copy + Default {
    fn number(&self) -> u32;
}

/// A table of slots.
#[derive(Debug, Default)]
pub(super) struct Slots<S> {
    slots: Vec<S>,
    shift: u32,
}

impl<S: Slot> Slots<S> {
    #[inline(always)]
    pub(super) fn at(&mut self, place: usize) -> &mut S {
        &mut self.slots[place]
    }

    /// The slot that `is` accepts, or the empty one that ends the probe.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is: impl Fn(&S) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.number() == 0 || is(slot) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch::line(self.slots.as_ptr().wrapping_add((hash >> self.shift) as usize & (self.slots.len() - 1)));
    }

    /// Makes room for more values: the table is at most two thirds full.
    #[inline(always)]
    pub(super) fn reserve(&mut self, values: usize, more: usize, all: impl Fn(usize) -> (u64, S)) {
        if 3 * (values + more) <= 2 * self.slots.len() {
            return;
        }
        self.grow(values, more, all);
    }

    /// The hashes of a block are there before the first slot is looked for, so that cache misses overlap.
    #[cold]
    fn grow(&mut self, values: usize, more: usize, all: impl Fn(usize) -> (u64, S)) {
        let capacity = (3 * (values + more)).div_ceil(2).next_power_of_two().max(64);
        let capacity = if 2 * capacity <= 1 << 16 { 2 * capacity } else { capacity };
        self.slots = vec![S::default(); capacity];
        self.shift = 64 - capacity.trailing_zeros();
        let mut block = [(0u64, S::default()); BLOCK];
        for start in (0..values).step_by(BLOCK) {
            let count = BLOCK.min(values - start);
            for (step, place) in block[..count].iter_mut().enumerate() {
                *place = all(start + step);
                self.prefetch(place.0);
            }
            for &(hash, slot) in &block[..count] {
                let at = self.find(hash, |_| false);
                self.slots[at] = slot;
            }
        }
    }
}

/// Holds its word, so that a probe does not leave the table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WordSlot {
    pub(super) word: u64,
    pub(super) number: u32,
}

impl Slots<WordSlot> {
    /// Makes room for more words beside these.
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline)]
    pub(super) fn reserve_words(&mut self, words: &[u64], more: usize) {
        self.reserve(words.len(), more, |value| {
            (mix(words[value]), WordSlot { word: words[value], number: value as u32 + 1 })
        });
    }
}

impl Slot for WordSlot {
    #[inline(always)]
    fn number(&self) -> u32 {
        self.number
    }
}

/// A table that words index, less a base.
#[derive(Debug, Default)]
struct Direct {
    base: u64,
    /// Numbers plus one.
    numbers: Vec<u32>,
}

/// Interns words of at most 64 bits.
#[derive(Debug, Default)]
pub(crate) struct WordInterner {
    /// Holds all words while it is there; the slots are empty then.
    direct: Option<Direct>,
    slots: Slots<WordSlot>,
    words: Vec<u64>,
}

impl WordInterner {
    /// The number of a word.
    #[inline]
    pub(crate) fn intern(&mut self, word: u64) -> u32 {
        self.leave_direct();
        self.reserve(1);
        self.probe(word, mix(word))
    }

    /// The numbers of many words, appended to `ids`. Words that are near each other after the bits of `flip` are
    /// turned over (the sign's, for signed ones) are looked up without hashing.
    #[inline(always)]
    pub(crate) fn intern_each(
        &mut self,
        words: impl ExactSizeIterator<Item = u64> + Clone,
        flip: u64,
        ids: &mut Vec<u32>,
    ) {
        ids.reserve(words.len());
        if self.enter_direct(words.clone(), flip) {
            if let Some(direct) = &mut self.direct {
                ids.extend(words.map(|word| {
                    let number = &mut direct.numbers[((word ^ flip) - direct.base) as usize];
                    if *number == 0 {
                        self.words.push(word);
                        *number = self.words.len() as u32;
                    }
                    *number - 1
                }));
            }
            return;
        }
        self.leave_direct();
        let mut words = words;
        let mut block = [(0u64, 0u64); BLOCK];
        loop {
            self.reserve(BLOCK);
            let mut count = 0;
            for (slot, word) in block.iter_mut().zip(words.by_ref()) {
                let hash = mix(word);
                self.slots.prefetch(hash);
                *slot = (word, hash);
                count += 1;
            }
            for &(word, hash) in &block[..count] {
                let id = self.probe(word, hash);
                ids.push(id);
            }
            if count < BLOCK {
                return;
            }
        }
    }

    /// As [`WordInterner::intern_each`], of a slice.
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn intern_all(&mut self, words: &[u64], flip: u64, ids: &mut Vec<u32>) {
        self.intern_each(words.iter().copied(), flip, ids);
    }

    #[inline(always)]
    fn probe(&mut self, word: u64, hash: u64) -> u32 {
        let at = self.slots.find(hash, |slot| slot.word == word);
        let slot = &mut self.slots.slots[at];
        if slot.number == 0 {
            self.words.push(word);
            *slot = WordSlot { word, number: self.words.len() as u32 };
        }
        slot.number - 1
    }

    fn reserve(&mut self, more: usize) {
        self.slots.reserve_words(&self.words, more);
    }

    /// Whether these words and all before them fit a plain table, which is there then.
    fn enter_direct(&mut self, words: impl ExactSizeIterator<Item = u64>, flip: u64) -> bool {
        if self.direct.is_none() && !self.words.is_empty() {
            return false;
        }
        let limit = DIRECT + 4 * words.len() as u64;
        let (mut least, mut greatest) = (u64::MAX, 0);
        for word in words {
            least = least.min(word ^ flip);
            greatest = greatest.max(word ^ flip);
        }
        if least > greatest {
            return self.direct.is_some();
        }
        if let Some(direct) = &self.direct {
            let last = direct.base + (direct.numbers.len() as u64 - 1);
            if least >= direct.base && greatest <= last {
                return true;
            }
            (least, greatest) = (least.min(direct.base), greatest.max(last));
        }
        if greatest - least >= limit {
            return false;
        }
        let mut direct = Direct { base: least, numbers: vec![0; (greatest - least + 1) as usize] };
        for (number, word) in (1u32..).zip(&self.words) {
            direct.numbers[((word ^ flip) - least) as usize] = number;
        }
        self.direct = Some(direct);
        true
    }

    fn leave_direct(&mut self) {
        if self.direct.take().is_some() {
            self.slots = Slots::default();
        }
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

#[derive(Debug, Clone, Copy, Default)]
struct ByteSlot {
    /// The upper half of the hash.
    tag: u32,
    number: u32,
}

impl Slot for ByteSlot {
    #[inline(always)]
    fn number(&self) -> u32 {
        self.number
    }
}

/// Byte strings up to this long are one number: their bytes, and the length in the top byte.
pub(crate) const SHORT: usize = 15;
/// The number of a longer one, which no short one has.
const LONG: u128 = u128::MAX;

/// A short byte string as a number.
#[inline(always)]
pub(crate) fn pack_short(value: &[u8]) -> u128 {
    let mut padded = [0u8; 16];
    padded[..value.len()].copy_from_slice(value);
    u128::from_le_bytes(padded) | (value.len() as u128) << 120
}

/// Interns byte strings of any length.
#[derive(Debug, Default)]
pub(crate) struct ByteInterner {
    slots: Slots<ByteSlot>,
    hashes: Vec<u64>,
    /// For each value its packed form, or [`LONG`].
    packed: Vec<u128>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl ByteInterner {
    /// The number of a byte string.
    #[inline]
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        self.reserve(1);
        if value.len() <= SHORT {
            let packed = pack_short(value);
            return self.probe_short(packed, mix_wide(packed), value);
        }
        let hash = hash_bytes(value);
        let tag = (hash >> 32) as u32;
        let at = self.slots.find(hash, |slot| {
            let number = slot.number - 1;
            slot.tag == tag && self.packed[number as usize] == LONG && self.get(number) == value
        });
        self.number_at(at, hash, LONG, value)
    }

    /// The numbers of `rows` byte strings, appended to `ids`. `packed` gives a row's value by [`pack_short`], or
    /// `None` when it is longer.
    #[inline(always)]
    pub(crate) fn intern_each<'a>(
        &mut self,
        rows: usize,
        packed: impl Fn(usize) -> Option<u128>,
        value: impl Fn(usize) -> &'a [u8],
        ids: &mut Vec<u32>,
    ) {
        ids.reserve(rows);
        let mut block = [(0u128, 0u64); BLOCK];
        let mut start = 0;
        while start < rows {
            self.reserve(BLOCK);
            let count = BLOCK.min(rows - start);
            for (position, slot) in block[..count].iter_mut().enumerate() {
                let packed = packed(start + position).unwrap_or(LONG);
                let hash = mix_wide(packed);
                self.slots.prefetch(hash);
                *slot = (packed, hash);
            }
            for (position, &(packed, hash)) in block[..count].iter().enumerate() {
                let id = if packed == LONG {
                    self.intern(value(start + position))
                } else {
                    let tag = (hash >> 32) as u32;
                    let at = self
                        .slots
                        .find(hash, |slot| slot.tag == tag && self.packed[slot.number as usize - 1] == packed);
                    match self.slots.slots[at].number {
                        0 => self.number_at(at, hash, packed, value(start + position)),
                        number => number - 1,
                    }
                };
                ids.push(id);
            }
            start += count;
        }
    }

    #[inline(always)]
    fn probe_short(&mut self, packed: u128, hash: u64, value: &[u8]) -> u32 {
        let tag = (hash >> 32) as u32;
        let at = self.slots.find(hash, |slot| slot.tag == tag && self.packed[slot.number as usize - 1] == packed);
        self.number_at(at, hash, packed, value)
    }

    /// The number in a slot; an empty one takes the value in.
    fn number_at(&mut self, at: usize, hash: u64, packed: u128, value: &[u8]) -> u32 {
        let slot = &mut self.slots.slots[at];
        if slot.number == 0 {
            self.hashes.push(hash);
            self.packed.push(packed);
            self.bytes.extend_from_slice(value);
            self.ends.push(self.bytes.len());
            *slot = ByteSlot { tag: (hash >> 32) as u32, number: self.ends.len() as u32 };
        }
        slot.number - 1
    }

    fn reserve(&mut self, more: usize) {
        let hashes = &self.hashes;
        self.slots.reserve(hashes.len(), more, |value| {
            (hashes[value], ByteSlot { tag: (hashes[value] >> 32) as u32, number: value as u32 + 1 })
        });
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

    #[test]
    fn blocks_give_the_numbers_that_single_words_get() {
        let spread = |step: u64| (0..5_000u64).map(move |row| (row * 7_919 % 1_237).wrapping_mul(step));
        for steps in [&[1][..], &[1, 1 << 40], &[1 << 40, 1], &[3, 1_000, u64::MAX / 3]] {
            let (mut one, mut many) = (WordInterner::default(), WordInterner::default());
            for &step in steps {
                let mut ids = Vec::new();
                many.intern_each(spread(step).collect::<Vec<_>>().into_iter(), 1 << 63, &mut ids);
                assert_eq!(ids, spread(step).map(|word| one.intern(word)).collect::<Vec<_>>());
            }
            // One by one after many, too.
            assert_eq!(many.intern(12_345), one.intern(12_345));
            assert_eq!(many.words(), one.words());
        }
        let values: Vec<String> = (0..3_000u64).map(|row| "ab".repeat((row * 31 % 40) as usize)).collect();
        let (mut one, mut many) = (ByteInterner::default(), ByteInterner::default());
        let mut ids = Vec::new();
        let packed = |row: usize| (values[row].len() <= SHORT).then(|| pack_short(values[row].as_bytes()));
        many.intern_each(values.len(), packed, |row| values[row].as_bytes(), &mut ids);
        assert_eq!(ids, values.iter().map(|value| one.intern(value.as_bytes())).collect::<Vec<_>>());
    }
}
