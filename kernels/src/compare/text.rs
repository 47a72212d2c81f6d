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
        CompareOp::Eq | CompareOp::NotEq => test_bytes(array, |bytes| (bytes == value) == (op == CompareOp::Eq)),
        _ => test_bytes(array, |bytes| op.holds(bytes.cmp(value))),
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
    let Pattern { test, ref needle, ignore_case } = *pattern;
    let needle = needle.as_slice();
    if test == TextTest::Contains && !ignore_case && !needle.is_empty() && !cfg!(feature = "small") {
        match BytesColumn::try_new(array, "compare")? {
            BytesColumn::Small { offsets, values } => return Ok(containing(offsets, values, needle)),
            BytesColumn::Large { offsets, values } => return Ok(containing(offsets, values, needle)),
            _ => {}
        }
    }
    let same = |text: &[u8]| if ignore_case { text.eq_ignore_ascii_case(needle) } else { text == needle };
    test_bytes(array, |text| match (test, text.len().checked_sub(needle.len())) {
        (_, None) => false,
        (TextTest::BeginsWith, _) => same(&text[..needle.len()]),
        (TextTest::EndsWith, Some(start)) => same(&text[start..]),
        (TextTest::Contains, Some(last)) => contains(text, needle, last, ignore_case),
    })
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

/// Whether the text holds the needle, which has its last chance at `last`: candidates by the first byte, then the rest.
fn contains(text: &[u8], needle: &[u8], last: usize, ignore_case: bool) -> bool {
    let Some((&first, rest)) = needle.split_first() else { return true };
    // The needle is in lower case already.
    let other = if ignore_case { first.to_ascii_uppercase() } else { first };
    for (start, &byte) in text[..=last].iter().enumerate() {
        if byte == first || byte == other {
            let tail = &text[start + 1..][..rest.len()];
            if if ignore_case { tail.eq_ignore_ascii_case(rest) } else { tail == rest } {
                return true;
            }
        }
    }
    false
}
