//! Order, membership and pattern tests of byte-string columns.

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;

use super::test_bytes;
use crate::Result;
use crate::query::{CompareOp, TextTest};

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
    match op {
        CompareOp::Eq => test_bytes(array, |bytes| bytes == value),
        CompareOp::NotEq => test_bytes(array, |bytes| bytes != value),
        CompareOp::Lt => test_bytes(array, |bytes| bytes < value),
        CompareOp::LtEq => test_bytes(array, |bytes| bytes <= value),
        CompareOp::Gt => test_bytes(array, |bytes| bytes > value),
        CompareOp::GtEq => test_bytes(array, |bytes| bytes >= value),
    }
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

/// Whether `text`, folded, holds `needle`: candidates by the first byte, then the rest.
#[inline]
fn contains(text: &[u8], needle: &[u8], fold: impl Fn(u8) -> u8) -> bool {
    let Some((&first, rest)) = needle.split_first() else { return true };
    let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
    (0..=last_start).any(|start| {
        fold(text[start]) == first && text[start + 1..].iter().zip(rest).all(|(&byte, &wanted)| fold(byte) == wanted)
    })
}
