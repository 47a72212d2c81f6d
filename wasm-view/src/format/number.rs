//! Numbers: digits in groups of three, floats with a column's decimals.

use std::fmt::Write;

/// The most decimals of a float column in the grid.
const MOST_DECIMALS: u8 = 3;
/// From here on a float is written with an exponent.
const LARGE: f64 = 1e15;
/// Below this, too.
const SMALL: f64 = 1e-4;

/// An integer.
pub(super) fn integer(value: i128, separator: Option<char>, out: &mut String) {
    let start = out.len();
    let _infallible = write!(out, "{value}");
    if let Some(separator) = separator {
        group(out, start, separator);
    }
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
    use super::*;

    #[test]
    fn a_narrow_float_has_the_exponent_of_its_digits() {
        let edges = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::EPSILON, 1e-45, -1e-7, 1e21, -1.5e30, 3.25e-10, 1e38];
        let many = (1..2_000u32).map(|step| f32::from_bits(step.wrapping_mul(2_147_483)));
        for value in edges.into_iter().chain(many).filter(|value| value.is_finite() && *value != 0.0) {
            assert_eq!(with_exponent(&value.to_string()), format!("{value:e}"));
        }
    }
}
