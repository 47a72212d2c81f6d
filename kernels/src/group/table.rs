//! Codes to group numbers: a plain table for short codes, open addressing for all others.

use std::fmt::Debug;

#[cfg(not(feature = "small"))]
use super::intern::mix_wide;
use super::intern::{Slot, Slots, WordSlot, mix};

/// Codes of so many bits index a plain table of 16 MB, when there are rows enough to pay for it.
const DIRECT_BITS: u32 = 22;
/// Codes whose slots are asked for before the first of them is looked at.
const AHEAD: usize = 32;

/// A code of 64 or 128 bits.
pub(super) trait Code: Copy + Eq + Debug + Default {
    type Slot: Slot + Debug;

    fn hash(self) -> u64;
    fn index(self) -> usize;
    /// The slot of a code that has this number, counted from one.
    fn slot(self, hash: u64, number: u32) -> Self::Slot;
    /// Whether a slot that is not empty holds this code; `codes` are those of all numbers.
    fn is_in(self, slot: &Self::Slot, hash: u64, codes: &[Self]) -> bool;
    /// Makes room in a table for more codes beside these.
    fn reserve(slots: &mut Slots<Self::Slot>, codes: &[Self], more: usize);
}

impl Code for u64 {
    type Slot = WordSlot;

    #[inline(always)]
    fn hash(self) -> u64 {
        mix(self)
    }

    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }

    #[inline(always)]
    fn slot(self, _hash: u64, number: u32) -> WordSlot {
        WordSlot { word: self, number }
    }

    #[inline(always)]
    fn is_in(self, slot: &WordSlot, _hash: u64, _codes: &[Self]) -> bool {
        slot.word == self
    }

    #[inline(always)]
    fn reserve(slots: &mut Slots<WordSlot>, codes: &[Self], more: usize) {
        slots.reserve_words(codes, more);
    }
}

/// Holds the upper half of the hash: a probe for another code rarely goes on to the codes.
#[cfg(not(feature = "small"))]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WideSlot {
    tag: u32,
    number: u32,
}

#[cfg(not(feature = "small"))]
impl Slot for WideSlot {
    #[inline(always)]
    fn number(&self) -> u32 {
        self.number
    }
}

#[cfg(not(feature = "small"))]
impl Code for u128 {
    type Slot = WideSlot;

    #[inline(always)]
    fn hash(self) -> u64 {
        mix_wide(self)
    }

    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }

    #[inline(always)]
    fn slot(self, hash: u64, number: u32) -> WideSlot {
        WideSlot { tag: hash as u32, number }
    }

    #[inline(always)]
    fn is_in(self, slot: &WideSlot, hash: u64, codes: &[Self]) -> bool {
        slot.tag == hash as u32 && codes[slot.number as usize - 1] == self
    }

    #[inline(always)]
    fn reserve(slots: &mut Slots<WideSlot>, codes: &[Self], more: usize) {
        slots.reserve(codes.len(), more, |value| {
            let hash = codes[value].hash();
            (hash, codes[value].slot(hash, value as u32 + 1))
        });
    }
}

/// The numbers of codes, in the order of first appearance.
#[derive(Debug)]
pub(super) struct CodeTable<C: Code> {
    /// Numbers counted from one, by code; empty when there are too many codes.
    direct: Vec<u32>,
    slots: Slots<C::Slot>,
    codes: Vec<C>,
    /// Rows so far.
    rows: usize,
}

impl<C: Code> CodeTable<C> {
    /// A table for codes of so many bits and about so many rows.
    pub(super) fn new(bits: u32, expected: usize) -> Self {
        let pays = bits <= 10 || bits <= DIRECT_BITS && expected >> bits.saturating_sub(4) > 0;
        Self {
            direct: if pays { vec![0; 1 << bits] } else { Vec::new() },
            slots: Slots::default(),
            codes: Vec::new(),
            rows: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The codes in the order of their numbers.
    pub(super) fn codes(&self) -> &[C] {
        &self.codes
    }

    /// The numbers of the codes of rows, of `expected` in all, appended to `ids`. In a plain table the codes must have its bits.
    #[inline(always)]
    pub(super) fn intern_each(&mut self, rows: usize, code: impl Fn(usize) -> C, ids: &mut Vec<u32>, expected: usize) {
        ids.reserve(rows);
        if !self.direct.is_empty() {
            let direct = &mut self.direct[..];
            ids.extend((0..rows).map(|row| {
                let code = code(row);
                let number = &mut direct[code.index()];
                if *number == 0 {
                    self.codes.push(code);
                    *number = self.codes.len() as u32;
                }
                *number - 1
            }));
            return;
        }
        // Where most rows make a group, the table gets its last size at once; a part of it while that is not certain.
        let before = self.rows;
        self.rows += rows;
        let (groups, left) = (self.codes.len(), expected.saturating_sub(before));
        let more = match groups {
            _ if groups > 1 << 16 && groups > before / 2 => left,
            _ if groups > 1 << 12 && groups > before / 10 * 9 => left.min(16 * groups),
            _ => 0,
        };
        self.reserve(more);
        self.codes.reserve(more);
        let mut block = [(C::default(), 0u64); AHEAD];
        for at in (0..rows).step_by(AHEAD) {
            let count = AHEAD.min(rows - at);
            self.reserve(AHEAD);
            for (step, slot) in block[..count].iter_mut().enumerate() {
                let code = code(at + step);
                let hash = code.hash();
                self.slots.prefetch(hash);
                *slot = (code, hash);
            }
            for &(code, hash) in &block[..count] {
                let place = self.slots.find(hash, |slot| code.is_in(slot, hash, &self.codes));
                let slot = self.slots.at(place);
                if slot.number() == 0 {
                    self.codes.push(code);
                    *slot = code.slot(hash, self.codes.len() as u32);
                }
                ids.push(slot.number() - 1);
            }
        }
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        C::reserve(&mut self.slots, &self.codes, more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes whose hashes begin alike stand in one run of slots; they must stay apart all the same.
    fn colliding<C: Code>(code: impl Fn(u64) -> C) {
        let codes: Vec<C> = (0..u64::MAX).map(code).filter(|code| code.hash() >> 53 == 5).take(1_500).collect();
        let rows = codes.len() * 3;
        let mut table: CodeTable<C> = CodeTable::new(128, rows);
        let mut ids = Vec::new();
        table.intern_each(rows, |row| codes[row % codes.len()], &mut ids, rows);
        assert!(ids.iter().enumerate().all(|(row, &id)| id as usize == row % codes.len()));
        assert_eq!(table.codes(), codes);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many rows for an interpreter")]
    fn collisions_make_no_groups_one() {
        colliding(|number| number.wrapping_mul(0x1_0000_0001));
        #[cfg(not(feature = "small"))]
        {
            colliding(|number| u128::from(number) << 64);
            colliding(|number| u128::from(number) << 77 | u128::from(number));
        }
    }
}
