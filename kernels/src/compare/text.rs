//! Order, membership and pattern tests of byte-string columns.

use arrow_array::Array;
use arrow_buffer::{ArrowNativeType, BooleanBuffer};

use super::test_bytes;
use crate::bytes::BytesColumn;
use crate::query::{CompareOp, TextTest};
use crate::widest::widest;
use crate::{Result, bits};

/// A text test with its needle made ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    test: TextTest,
    needle: Vec<u8>,
    ignore_case: bool,
}

impl Pattern {
    pub(crate) fn new(test: TextTest, needle: &str, ignore_case: bool) -> Self {
        let needle = if ignore_case { needle.to_ascii_lowercase() } else { needle.to_owned() };
        Self { test, needle: needle.into_bytes(), ignore_case }
    }
}

/// Rows whose bytes stand in the given order to a value.
pub(super) fn ordered(array: &dyn Array, op: CompareOp, value: &[u8]) -> Result<BooleanBuffer> {
    if let (CompareOp::Eq | CompareOp::NotEq, BytesColumn::Small { offsets, values }) =
        (op, BytesColumn::try_new(array, "compare")?)
        && value.len() <= 16
        && !cfg!(feature = "small")
    {
        return Ok(equal_short(offsets, values, value, op == CompareOp::NotEq));
    }
    match op {
        CompareOp::Eq => test_bytes(array, |bytes| bytes == value),
        CompareOp::NotEq => test_bytes(array, |bytes| bytes != value),
        CompareOp::Lt => test_bytes(array, |bytes| bytes < value),
        CompareOp::LtEq => test_bytes(array, |bytes| bytes <= value),
        CompareOp::Gt => test_bytes(array, |bytes| bytes > value),
        CompareOp::GtEq => test_bytes(array, |bytes| bytes >= value),
    }
}

/// Rows equal to a value of at most 16 bytes: length and bytes are compared as two numbers, without a branch.
fn equal_short(offsets: &[i32], values: &[u8], value: &[u8], negate: bool) -> BooleanBuffer {
    let mut padded = [0u8; 16];
    padded[..value.len()].copy_from_slice(value);
    let (wanted, length) = (u128::from_le_bytes(padded), value.len() as i32);
    let mask = if value.len() == 16 { u128::MAX } else { (1 << (8 * value.len())) - 1 };
    let rows = offsets.len() - 1;
    // Offsets never fall: up to here, 16 bytes from each start lie in the values.
    let last =
        values.len().checked_sub(16).map_or(0, |last| offsets[..rows].partition_point(|&at| at as usize <= last));
    let near = |row: usize| -> bool {
        let start = offsets[row];
        debug_assert!(start as usize + 16 <= values.len());
        // SAFETY: the row is below `last`, so that 16 bytes from its start, which is not negative, lie in the
        // values; the load asks for no alignment.
        let found = unsafe { values.as_ptr().wrapping_add(start as usize).cast::<u128>().read_unaligned() };
        (offsets[row + 1] - start == length) & (u128::from_le(found) & mask == wanted)
    };
    let far = |row: usize| &values[offsets[row] as usize..offsets[row + 1] as usize] == value;
    let mut words = Vec::with_capacity(rows.div_ceil(64));
    let mut start = 0;
    while start < rows {
        let end = (start + 64).min(rows);
        let mut word = 0u64;
        if end <= last {
            for row in start..end {
                word |= u64::from(near(row)) << (row - start);
            }
        } else {
            for row in start..end {
                word |= u64::from(far(row)) << (row - start);
            }
        }
        words.push(if negate { !word & (u64::MAX >> (64 - (end - start))) } else { word });
        start = end;
    }
    bits::from_words(words, rows)
}

/// Rows whose bytes are one of the sorted values.
pub(super) fn one_of(array: &dyn Array, values: &[Vec<u8>]) -> Result<BooleanBuffer> {
    test_bytes(array, |bytes| values.binary_search_by(|value| value.as_slice().cmp(bytes)).is_ok())
}

/// Rows whose text passes the test.
pub(super) fn matches(array: &dyn Array, pattern: &Pattern) -> Result<BooleanBuffer> {
    let needle = pattern.needle.as_slice();
    match (pattern.test, pattern.ignore_case) {
        (TextTest::BeginsWith, false) => test_bytes(array, |text| text.starts_with(needle)),
        (TextTest::EndsWith, false) => test_bytes(array, |text| text.ends_with(needle)),
        (TextTest::Contains, false) if !needle.is_empty() && !cfg!(feature = "small") => {
            match BytesColumn::try_new(array, "compare")? {
                BytesColumn::Small { offsets, values } => Ok(containing(offsets, values, needle)),
                BytesColumn::Large { offsets, values } => Ok(containing(offsets, values, needle)),
                _ => test_bytes(array, |text| contains(text, needle, |byte| byte)),
            }
        }
        (TextTest::Contains, false) => test_bytes(array, |text| contains(text, needle, |byte| byte)),
        (TextTest::BeginsWith, true) => {
            test_bytes(array, |text| text.get(..needle.len()).is_some_and(|head| head.eq_ignore_ascii_case(needle)))
        }
        (TextTest::EndsWith, true) => test_bytes(array, |text| {
            text.len()
                .checked_sub(needle.len())
                .and_then(|start| text.get(start..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(needle))
        }),
        (TextTest::Contains, true) => {
            test_bytes(array, |text| contains(text, needle, |byte| byte.to_ascii_lowercase()))
        }
    }
}

/// Rows that hold the needle. All values are searched at once as one text; a find counts when it lies in one value.
fn containing<O: ArrowNativeType>(offsets: &[O], values: &[u8], needle: &[u8]) -> BooleanBuffer {
    let rows = offsets.len() - 1;
    let mut words = vec![0u64; rows.div_ceil(64)];
    let (first, last) = (offsets[0].as_usize(), offsets[rows].as_usize());
    let text = &values[first..last];
    let (head, tail) = (needle[0], needle[needle.len() - 1]);
    let mut row = 0;
    let mut found = |at: usize| {
        if text.get(at..at + needle.len()) != Some(needle) {
            return;
        }
        let at = first + at;
        // Finds ascend, and so do rows. A find lies in the last row that begins at it or before.
        while offsets[row + 1].as_usize() <= at {
            row += 1;
        }
        if at + needle.len() <= offsets[row + 1].as_usize() {
            words[row / 64] |= 1 << (row % 64);
        }
    };
    // Candidates have the needle's first and last byte in their places.
    let starts = (text.len() + 1).saturating_sub(needle.len());
    let tails = &text[text.len().min(needle.len() - 1)..];
    let (heads, tails) = (text[..starts].as_chunks::<64>().0, tails[..starts].as_chunks::<64>().0);
    for (block, (heads, tails)) in heads.iter().zip(tails).enumerate() {
        let mut candidates = candidates(heads, tails, head, tail);
        while candidates != 0 {
            found(64 * block + candidates.trailing_zeros() as usize);
            candidates &= candidates - 1;
        }
    }
    (heads.len() * 64..starts).for_each(found);
    bits::from_words(words, rows)
}

widest! {
    fn candidates(heads: &[u8; 64], tails: &[u8; 64], head: u8, tail: u8) -> u64 {
        let mut flags = [0u8; 64];
        for ((flag, &first), &last) in flags.iter_mut().zip(heads).zip(tails) {
            *flag = u8::from((first == head) & (last == tail));
        }
        bits::pack(&flags)
    }
}

/// Whether `text`, folded, holds `needle`: candidates by the first byte, then the rest.
#[inline]
fn contains(text: &[u8], needle: &[u8], fold: impl Fn(u8) -> u8) -> bool {
    let Some((&first, rest)) = needle.split_first() else { return true };
    let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
    (0..=last_start).any(|start| {
        fold(text[start]) == first && text[start + 1..].iter().zip(rest).all(|(&byte, &wanted)| fold(byte) == wanted)
    })
}
