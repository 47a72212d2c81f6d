//! Numbers: digits in groups of three, floats with a column's decimals.

use std::fmt::Write;

/// The most decimals of a float column in the grid.
const MOST_DECIMALS: u8 = 3;
/// From here on a float is written with an exponent.
const LARGE: f64 = 1e15;
/// Below this, too.
const SMALL: f64 = 1e-4;

/// Digits that are written, at most: those of 256 bits, or of zero with the longest scale.
const DIGITS: usize = 136;
/// As many of them as a division of 32 bits gives at once.
const AT_ONCE: usize = 9;

/// Whether a whole number that lies in memory is less than zero, and its size, the lowest bits first.
fn size_of(bytes: &[u8], signed: bool) -> (bool, [u32; 8]) {
    let negative = signed && bytes.last().is_some_and(|&last| last > 127);
    let (flip, mut carry) = if negative { (u32::MAX, 1) } else { (0, 0) };
    let mut size = [0; 8];
    for (part, bytes) in size.iter_mut().zip(bytes.chunks(4)) {
        let word = bytes.iter().rev().fold(flip, |word, &byte| word << 8 | u32::from(byte));
        carry += u64::from(word ^ flip);
        *part = carry as u32;
        carry >>= 32;
    }
    (negative, size)
}

/// An integer of at most 64 bits.
pub(super) fn integer(value: i64, signed: bool, separator: Option<char>, out: &mut String) {
    let negative = signed && value < 0;
    out.push_str(if negative { "-" } else { "" });
    let start = out.len();
    padded(if negative { value.unsigned_abs() } else { value as u64 }, 1, out);
    if let Some(separator) = separator {
        group(out, start, separator);
    }
}

/// A decimal as it lies in memory, of any width: with a point before so many of its digits.
pub(super) fn decimal(bytes: &[u8], scale: i8, separator: Option<char>, out: &mut String) {
    let (negative, mut size) = size_of(bytes, true);
    let mut digits = [b'0'; DIGITS];
    let (mut at, mut used) = (DIGITS, size.len());
    loop {
        while used > 0 && size[used - 1] == 0 {
            used -= 1;
        }
        if used == 0 {
            break;
        }
        let mut rest = 0;
        for part in size[..used].iter_mut().rev() {
            let wide = rest << 32 | u64::from(*part);
            *part = (wide / 1_000_000_000) as u32;
            rest = wide % 1_000_000_000;
        }
        for digit in digits[at - AT_ONCE..at].iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        at -= AT_ONCE;
    }
    let point = DIGITS - usize::from(scale.max(0).unsigned_abs());
    let mut first = at.min(point - 1);
    while first < point - 1 && digits[first] == b'0' {
        first += 1;
    }
    out.push_str(if negative { "-" } else { "" });
    let start = out.len();
    push(&digits[first..point], out);
    if scale < 0 && digits[first] != b'0' {
        (scale..0).for_each(|_| out.push('0'));
    }
    if let Some(separator) = separator {
        group(out, start, separator);
    }
    if scale > 0 {
        out.push('.');
        push(&digits[point..], out);
    }
}

/// A whole number to the base 16.
pub(super) fn hex(bytes: &[u8], signed: bool, out: &mut String) {
    let (negative, size) = size_of(bytes, signed);
    out.push_str(if negative { "-0x" } else { "0x" });
    let digits: Vec<u8> = size.iter().rev().flat_map(|part| part.to_be_bytes()).flat_map(hex_digits).collect();
    let first = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len() - 1);
    push(&digits[first..], out);
}

/// A byte to the base 16.
pub(super) fn hex_digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)])
}

/// A number with at least so many digits.
pub(crate) fn padded(mut value: u64, least: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while value > 0 {
        at -= 1;
        digits[at] += (value % 10) as u8;
        value /= 10;
    }
    push(&digits[at.min(digits.len() - least)..], out);
}

/// Digits that have been found.
pub(super) fn push(digits: &[u8], out: &mut String) {
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// A decimal number that is text already.
pub(super) fn decimal_text(text: &str, separator: Option<char>, out: &mut String) {
    let start = out.len();
    out.push_str(text);
    if let Some(separator) = separator {
        group(out, start, separator);
    }
}

/// A float: shortest text that reads back the same, or with a fixed number of decimals.
pub(crate) fn float(value: f64, fixed: Option<(u8, Option<char>)>, out: &mut String) {
    if special(value, out) {
        return;
    }
    let size = value.abs();
    let _infallible = match fixed {
        Some((decimals, separator)) if size == 0.0 || (SMALL..LARGE).contains(&size) => {
            fixed_point(value, decimals, separator, out);
            Ok(())
        }
        Some(_) => write!(out, "{value:.3e}"),
        None if size == 0.0 || (1e-6..1e21).contains(&size) => write!(out, "{value}"),
        None => write!(out, "{value:e}"),
    };
}

/// A float with so many decimals, whatever its size.
pub(super) fn fixed_point(value: f64, decimals: u8, separator: Option<char>, out: &mut String) {
    let start = out.len();
    let _infallible = write!(out, "{value:.*}", usize::from(decimals));
    if let Some(separator) = separator {
        group(out, start, separator);
    }
}

/// As [`float`]; the shortest text is a 32-bit float's own.
pub(super) fn float32(value: f32, fixed: Option<(u8, Option<char>)>, out: &mut String) {
    if fixed.is_some() {
        return float(f64::from(value), fixed, out);
    }
    if special(f64::from(value), out) {
        return;
    }
    let size = value.abs();
    let start = out.len();
    let _infallible = write!(out, "{value}");
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = with_exponent(&out[start..]);
        out.truncate(start);
        out.push_str(&text);
    }
}

/// Digits with or without a point, as their first, the rest and an exponent: what `{:e}` writes, from the digits that are
/// the shortest already.
fn with_exponent(text: &str) -> String {
    let (sign, text) = text.split_at(usize::from(text.starts_with('-')));
    let point = text.find('.').unwrap_or(text.len());
    let digits = text.replace('.', "");
    let zeros = digits.bytes().take_while(|&digit| digit == b'0').count();
    let digits = digits.trim_matches('0');
    let (first, rest) = digits.split_at(digits.len().min(1));
    let exponent = point as i32 - zeros as i32 - 1;
    let point = if rest.is_empty() { "" } else { "." };
    [sign, first, point, rest, "e", &exponent.to_string()].concat()
}

fn special(value: f64, out: &mut String) -> bool {
    let text = match value {
        value if value.is_nan() => "NaN",
        f64::INFINITY => "∞",
        f64::NEG_INFINITY => "-∞",
        _ => return false,
    };
    out.push_str(text);
    true
}

/// The fewest decimals that show all values, up to a readable number.
pub(super) fn decimals(values: impl Iterator<Item = f64>) -> u8 {
    let mut needed = 0;
    for value in values.filter(|value| value.is_finite()) {
        while needed < MOST_DECIMALS {
            let scaled = value * 10f64.powi(i32::from(needed));
            if (scaled - scaled.round()).abs() <= 1e-9 * scaled.abs().max(1.0) {
                break;
            }
            needed += 1;
        }
    }
    // One decimal in money and rates reads as a slip; two do not.
    if needed == 1 { 2 } else { needed }
}

/// Puts separators into the digits before the point.
fn group(out: &mut String, start: usize, separator: char) {
    let text = &out[start..];
    let sign = usize::from(text.starts_with('-'));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let mut at = start + sign + digits;
    while at > start + sign + 3 {
        at -= 3;
        out.insert(at, separator);
    }
}

#[cfg(test)]
mod tests {
    use arrow_buffer::i256;

    use super::*;

    fn check(bytes: &[u8], scale: i8, expected: &str) {
        let mut out = String::new();
        decimal(bytes, scale, None, &mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn whole_numbers_of_any_width_have_their_digits() {
        for value in [i64::MIN, i64::MAX, 0, -1, 7, 1_000_000_000, -999_999_999, 1 << 32, 9_999_999_999] {
            let mut out = String::new();
            integer(value, true, None, &mut out);
            integer(value, false, Some(','), &mut out);
            assert_eq!(out.replace(',', ""), format!("{value}{}", value as u64));
            check(&value.to_le_bytes(), 0, &value.to_string());
            check(&(value as i32).to_le_bytes(), 0, &(value as i32).to_string());
            let wide = i128::from(value) * i128::from(value ^ 0x5555);
            check(&wide.to_le_bytes(), 0, &wide.to_string());
            let mut out = String::new();
            hex(&wide.to_le_bytes(), true, &mut out);
            hex(&(value as u16).to_le_bytes(), false, &mut out);
            let sign = if wide < 0 { "-" } else { "" };
            assert_eq!(out, format!("{sign}0x{:x}0x{:x}", wide.unsigned_abs(), value as u16));
        }
        for value in [i256::MIN, i256::MAX, i256::ZERO, i256::MINUS_ONE] {
            check(&value.to_le_bytes(), 0, &value.to_string());
        }
    }

    #[test]
    fn points_stand_where_the_scale_says() {
        for value in [0, 5, -5, 12_345, -12_345, i128::MIN, i128::MAX] {
            for scale in [-3, 0, 1, 3, 38] {
                let expected = arrow_data::decimal::format_decimal(value, scale);
                check(&value.to_le_bytes(), scale, &expected);
            }
        }
        check(&[0], i8::MAX, &["0.", &"0".repeat(127)].concat());
    }

    #[test]
    fn few_digits_are_filled_up() {
        let mut out = String::new();
        let numbers = [(0, 2), (7, 2), (123, 2), (u64::MAX, 1), (5, 9)];
        numbers.into_iter().for_each(|(value, least)| padded(value, least, &mut out));
        assert_eq!(out, "000712318446744073709551615000000005");
    }

    #[test]
    fn a_narrow_float_has_the_exponent_of_its_digits() {
        let edges = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::EPSILON, 1e-45, -1e-7, 1e21, -1.5e30, 3.25e-10, 1e38];
        let many = (1..2_000u32).map(|step| f32::from_bits(step.wrapping_mul(2_147_483)));
        for value in edges.into_iter().chain(many).filter(|value| value.is_finite() && *value != 0.0) {
            assert_eq!(with_exponent(&value.to_string()), format!("{value:e}"));
        }
    }
}
