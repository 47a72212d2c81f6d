//! Digits to numbers, eight at a time and without a branch that depends on how many they are: a field's length differs from
//! row to row, and a processor that guesses it wrong waits longer than reading takes.
//!
//! After Lemire, "Number Parsing at a Gigabyte per Second", 2021.

use std::ops::Range;

const HIGH: u64 = 0x8080_8080_8080_8080;
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// Powers of ten that an `f64` holds exactly.
const TENS: [f64; 17] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

/// The sixteen bytes before a place, of which only the last so many are not zero digits. None at the start of the bytes.
#[inline]
fn before(bytes: &[u8], end: usize, length: usize) -> Option<(u64, u64)> {
    let start = end.checked_sub(16)?;
    let words: &[u8; 16] = bytes.get(start..end)?.first_chunk()?;
    let (first, last) = words.split_at(8);
    let word = |half: &[u8]| half.first_chunk::<8>().map_or(0, |half| u64::from_le_bytes(*half)) ^ ZEROS;
    // The bytes that come first are the low ones.
    let mask = |length: usize| if length == 0 { 0 } else { u64::MAX << (64 - 8 * length) };
    Some((word(first) & mask(length.saturating_sub(8)), word(last) & mask(length.min(8))))
}

/// Whether all eight bytes are from zero to nine.
#[inline]
fn are_digits(word: u64) -> bool {
    (((word & !HIGH) + 0x7676_7676_7676_7676) | word) & HIGH == 0
}

/// The value of eight digits, the first in the lowest byte.
#[inline]
fn eight(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// A whole number of up to sixteen digits.
#[inline]
pub(super) fn whole(bytes: &[u8], place: &Range<usize>) -> Option<i64> {
    let is_negative = bytes.get(place.start) == Some(&b'-');
    let length = place.len().checked_sub(usize::from(is_negative))?;
    if length == 0 || length > 16 {
        return None;
    }
    let (first, last) = before(bytes, place.end, length)?;
    if !(are_digits(first) && are_digits(last)) {
        return None;
    }
    let mut value = eight(last) as i64;
    if length > 8 {
        value += eight(first) as i64 * 100_000_000;
    }
    Some(if is_negative { -value } else { value })
}

/// A number of up to fifteen digits, with or without a point, which is exact: both the digits and the power of ten are whole
/// numbers that an `f64` holds (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
#[inline]
pub(super) fn decimal(bytes: &[u8], place: &Range<usize>) -> Option<f64> {
    let is_negative = bytes.get(place.start) == Some(&b'-');
    let length = place.len().checked_sub(usize::from(is_negative))?;
    if length == 0 || length > 16 {
        return None;
    }
    let (first, last) = before(bytes, place.end, length)?;
    let word = u128::from(last) << 64 | u128::from(first);
    // The point, as it stands among digits: the first byte that becomes zero.
    const POINT: u128 = 0x1e1e_1e1e_1e1e_1e1e_1e1e_1e1e_1e1e_1e1e;
    const ONES: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
    let found = word ^ POINT;
    let zeros = found.wrapping_sub(ONES) & !found & (ONES << 7);
    let (digits, behind) = if zeros == 0 {
        (word, 0)
    } else {
        let bit = zeros.trailing_zeros() & !7;
        // What stands before the point moves up by a byte, onto it.
        let low = word & ((1u128 << bit) - 1);
        let high = if bit == 120 { 0 } else { word >> (bit + 8) << (bit + 8) };
        (high | low << 8, 15 - bit as usize / 8)
    };
    let (first, last) = (digits as u64, (digits >> 64) as u64);
    let count = length - usize::from(zeros != 0);
    if count == 0 || count > 15 || !are_digits(first) || !are_digits(last) {
        return None;
    }
    let value = (eight(first) * 100_000_000 + eight(last)) as f64 / TENS[behind];
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    fn placed(text: &str) -> (Vec<u8>, Range<usize>) {
        let bytes = format!("before it stands,{text},behind").into_bytes();
        (bytes, 17..17 + text.len())
    }

    fn decimal_of(text: &str) -> Option<f64> {
        let (bytes, place) = placed(text);
        decimal(&bytes, &place)
    }

    fn whole_of(text: &str) -> Option<i64> {
        let (bytes, place) = placed(text);
        whole(&bytes, &place)
    }

    #[test]
    fn numbers_are_the_library_s() {
        let texts =
            ["0", "-0", "1.5", "-12.75", "99.999999", "123456789012345", "0.1", "5.", ".5", "-0.000001", "47.038917"];
        for text in texts {
            assert_eq!(decimal_of(text).unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        for text in ["0", "-7", "12345678", "123456789", "-1234567890123456", "0000000000000001"] {
            assert_eq!(whole_of(text).unwrap(), text.parse::<i64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_number_goes_the_other_way() {
        for text in ["", "-", ".", "1234567890123456", "1e5", "1.2.3", " 1", "1 ", "nan", "--1", "1234567.123456789"] {
            assert_eq!(decimal_of(text), None, "{text}");
        }
        for text in ["", "-", "12345678901234567", "1.0", "+1", "x", "1/", "1:", "\u{80}1"] {
            assert_eq!(whole_of(text), None, "{text}");
        }
        // No sixteen bytes stand before these.
        assert_eq!((whole(b"12,", &(0..2)), decimal(b"1.5,", &(0..3))), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn any_number_is_the_library_s(before in 0u64..100_000_000, behind in 0u64..10_000_000, negative: bool) {
            let sign = if negative { "-" } else { "" };
            for text in [format!("{sign}{before}.{behind}"), format!("{sign}{before}.{behind:07}"), format!("{sign}.{before}")] {
                proptest::prop_assert_eq!(decimal_of(&text).unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
            for text in [format!("{sign}{before}"), format!("{sign}{before}{behind}")] {
                proptest::prop_assert_eq!(whole_of(&text).unwrap(), text.parse::<i64>().unwrap());
            }
        }

        #[test]
        fn nothing_else_is_taken_for_a_number(text in "[-0-9.e+ /:]{0,17}") {
            if let Some(value) = decimal_of(&text) {
                proptest::prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
            if let Some(value) = whole_of(&text) {
                proptest::prop_assert_eq!(value, text.parse::<i64>().unwrap());
            }
        }
    }
}
