//! One field as a value, and the kind of value that a field is.
//!
//! A whole number is one only if writing it gives the reader all that the field said: `007` and `+49` are text, and so are
//! whole numbers beyond 64 bits. What has a point or an exponent is a float, the nearest that there is, as every other
//! reader has it: digits beyond its sixteen or so go. Floats are read as whole digits and a power of ten; where that is exact in 64 bits, one
//! multiplication or division gives the float that is nearest (W. D. Clinger, "How to read floating point numbers
//! accurately", 1990), and what is longer goes the slow way.

/// A field that is empty: null.
pub(crate) const NULL: u16 = 0;
pub(crate) const BOOLEAN: u16 = 1;
/// A whole number that a float holds exactly.
pub(crate) const WHOLE: u16 = 2;
/// A whole number of 64 bits that a float would round.
pub(crate) const LONG: u16 = 4;
pub(crate) const FLOAT: u16 = 8;
pub(crate) const DATE: u16 = 16;
/// A moment without a zone, and one with a zone.
pub(crate) const LOCAL: u16 = 32;
pub(crate) const ZONED: u16 = 64;
/// Beside them: more than six digits stand behind the second.
pub(crate) const FINE: u16 = 128;
pub(crate) const TEXT: u16 = 256;

/// The greatest whole number up to which floats hold all.
const EXACT: u64 = 1 << 53;

/// A moment as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970, in UTC when there is a zone.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
    /// More than six digits stand behind the second.
    pub(crate) fine: bool,
    pub(crate) zoned: bool,
}

/// The kind of a field.
pub(crate) fn kind(field: &[u8]) -> u16 {
    let Some(&first) = field.first() else { return NULL };
    match first {
        b't' | b'T' | b'f' | b'F' if boolean(field).is_some() => BOOLEAN,
        b'0'..=b'9' | b'-' | b'.' | b' ' | b'n' | b'N' | b'i' | b'I' => {
            if let Some(value) = whole(field) {
                return if value.unsigned_abs() <= EXACT { WHOLE } else { LONG };
            }
            if date(field).is_some() {
                return DATE;
            }
            if let Some(moment) = moment(field) {
                return if moment.zoned { ZONED } else { LOCAL } | if moment.fine { FINE } else { NULL };
            }
            if float(field).is_some() { FLOAT } else { TEXT }
        }
        _ => TEXT,
    }
}

pub(crate) fn boolean(field: &[u8]) -> Option<bool> {
    if field.eq_ignore_ascii_case(b"true") { Some(true) } else { field.eq_ignore_ascii_case(b"false").then_some(false) }
}

/// A whole number without leading zeros.
pub(crate) fn whole(field: &[u8]) -> Option<i64> {
    let field = field.trim_ascii();
    let (negative, digits) = sign(field);
    let zeros = digits.first() == Some(&b'0') && (digits.len() > 1 || negative);
    if digits.is_empty() || digits.len() > 19 || zeros {
        return None;
    }
    let mut value = 0u64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

fn sign(field: &[u8]) -> (bool, &[u8]) {
    match field.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, field),
    }
}

/// How many digits stand at the start.
fn digits(field: &[u8]) -> usize {
    field.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

pub(crate) fn float(field: &[u8]) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    let field = field.trim_ascii();
    let (negative, rest) = sign(field);
    let signed = |value: f64| if negative { -value } else { value };
    match rest {
        b"NaN" | b"nan" => return (!negative).then_some(f64::NAN),
        b"inf" | b"Inf" | b"Infinity" => return Some(signed(f64::INFINITY)),
        _ => {}
    }
    let before = digits(rest);
    if before > 1 && rest[0] == b'0' {
        return None;
    }
    let mut end = before;
    let mut behind = 0;
    if rest.get(end) == Some(&b'.') {
        behind = digits(&rest[end + 1..]);
        end += 1 + behind;
    }
    if before + behind == 0 {
        return None;
    }
    let mut power = -(behind as i32);
    let mantissa = &rest[..end];
    if let Some(b'e' | b'E') = rest.get(end) {
        let exponent = &rest[end + 1..];
        let (down, number) = sign(exponent.strip_prefix(b"+").unwrap_or(exponent));
        if number.is_empty() || number.len() > 4 || digits(number) != number.len() {
            return None;
        }
        let size = number.iter().fold(0, |size, byte| size * 10 + i32::from(byte - b'0'));
        power += if down { -size } else { size };
    } else if end != rest.len() {
        return None;
    }
    // Nineteen digits always fit.
    if before + behind <= 19 && power.unsigned_abs() < POWERS.len() as u32 {
        let value =
            mantissa.iter().filter(|&&byte| byte != b'.').fold(0u64, |value, byte| value * 10 + u64::from(byte - b'0'));
        if value <= EXACT {
            let scale = POWERS[power.unsigned_abs() as usize];
            return Some(signed(if power < 0 { value as f64 / scale } else { value as f64 * scale }));
        }
    }
    // Whole numbers that a float would round are none of its values.
    if end == before && power == 0 { None } else { slow(field).filter(|value| value.is_finite()) }
}

/// The browser reads floats as exactly as Rust does, and is there already.
#[cfg(target_family = "wasm")]
fn slow(field: &[u8]) -> Option<f64> {
    Some(wasm_bindgen::JsValue::from_str(std::str::from_utf8(field).ok()?).unchecked_into_f64())
}

#[cfg(not(target_family = "wasm"))]
fn slow(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Two digits at a place.
fn two(field: &[u8], at: usize) -> Option<i64> {
    match field.get(at..at + 2)? {
        &[a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    }
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn date(field: &[u8]) -> Option<i64> {
    if field.len() != 10 || field[4] != b'-' || field[7] != b'-' {
        return None;
    }
    let year = two(field, 0)? * 100 + two(field, 2)?;
    let (month, day) = (two(field, 5)?, two(field, 8)?);
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let next = if month == 12 { days(year + 1, 1) } else { days(year, month + 1) };
    let first = days(year, month);
    (day <= next - first).then_some(first + day - 1)
}

/// Days since 1970 of a month's first (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * shifted + 2) / 5 - 719_468
}

/// `YYYY-MM-DDThh:mm`, with seconds, up to nine digits behind them and a zone where there are some. A space may stand for
/// the `T`; a date alone is its midnight.
pub(crate) fn moment(field: &[u8]) -> Option<Moment> {
    let day = date(field.get(..10)?)?;
    let mut found = Moment { seconds: day * 86_400, nanos: 0, fine: false, zoned: false };
    let clock = &field[10..];
    if clock.is_empty() {
        return Some(found);
    }
    if !matches!(clock[0], b'T' | b' ' | b't') || clock.get(3) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (two(clock, 1)?, two(clock, 4)?);
    let mut rest = &clock[6..];
    let mut second = 0;
    if rest.first() == Some(&b':') {
        second = two(rest, 1)?;
        rest = &rest[3..];
        if rest.first() == Some(&b'.') {
            let count = digits(&rest[1..]);
            if !(1..=9).contains(&count) {
                return None;
            }
            let value = rest[1..=count].iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
            found.nanos = value * 10u32.pow(9 - count as u32);
            found.fine = count > 6;
            rest = &rest[1 + count..];
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    found.seconds += hour * 3_600 + minute * 60 + second;
    let Some((&first, zone)) = rest.split_first() else { return Some(found) };
    found.zoned = true;
    let ahead = match (first, zone.len()) {
        (b'Z' | b'z', 0) => return Some(found),
        (b'+' | b'-', 2) => two(zone, 0)? * 60,
        (b'+' | b'-', 4) => two(zone, 0)? * 60 + two(zone, 2)?,
        (b'+' | b'-', 5) if zone[2] == b':' => two(zone, 0)? * 60 + two(zone, 3)?,
        _ => return None,
    };
    found.seconds -= if first == b'-' { -ahead * 60 } else { ahead * 60 };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_a_kind() {
        for (kinds, fields) in [
            (NULL, &[""][..]),
            (BOOLEAN, &["true", "False", "TRUE"]),
            (WHOLE, &["0", "-7", "12345", "9007199254740992", " 5"]),
            (LONG, &["9007199254740993", "-9223372036854775808", "9223372036854775807"]),
            (
                FLOAT,
                &[
                    "0.5",
                    "-0",
                    "1e5",
                    ".5",
                    "5.",
                    "-1.25E-7",
                    "NaN",
                    "-inf",
                    "0.1234567890123456789",
                    "12345678901234567890.125",
                ],
            ),
            (DATE, &["2024-02-29", "0001-01-01", "9999-12-31"]),
            (LOCAL, &["2024-02-29T10:11", "2024-02-29 10:11:12.123456"]),
            (LOCAL | FINE, &["2024-02-29 10:11:12.1234567"]),
            (ZONED, &["2024-02-29T10:11:12Z", "2024-02-29T10:11:12+02:00", "2024-02-29 10:11:12-0930"]),
            (
                TEXT,
                &[
                    "007",
                    "+5",
                    "00.5",
                    "9223372036854775808",
                    "2023-02-29",
                    "2024-13-01",
                    "2024-01-01T24:00",
                    "a",
                    "1,5",
                ],
            ),
            (
                TEXT,
                &["1e99999", "1e999", "-", ".", "e5", "1.2.3", "truth", "12a", "2024-01-01T10:00:00.1234567890", "- 5"],
            ),
        ] {
            for field in fields {
                assert_eq!(kind(field.as_bytes()), kinds, "{field}");
            }
        }
    }

    #[test]
    fn floats_are_the_nearest() {
        for text in [
            "0.1",
            "12345678901234567890.125",
            "123456789.123456789",
            "1e22",
            "1e23",
            "9007199254740993.5",
            "5e-324",
            "-2.5e-3",
            "17.95",
        ] {
            assert_eq!(float(text.as_bytes()), text.parse().ok(), "{text}");
        }
        let mut seed = 7u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(seed);
            if value.is_finite() {
                let text = format!("{value:e}");
                assert_eq!(float(text.as_bytes()).map(f64::to_bits), Some(seed), "{text}");
            }
            let short = (seed >> 40) as f64 / 1000.0;
            assert_eq!(float(short.to_string().as_bytes()), Some(short));
        }
    }

    #[test]
    fn moments_are_counted_in_utc() {
        let at = |text: &str| moment(text.as_bytes()).map(|moment| (moment.seconds, moment.nanos));
        assert_eq!(at("1970-01-02T00:00:01.5"), Some((86_401, 500_000_000)));
        assert_eq!(at("1970-01-01 02:00:00+02:00"), Some((0, 0)));
        assert_eq!(at("1969-12-31 19:30:00-0430"), Some((0, 0)));
        assert_eq!(at("2013-01-01"), Some((1_356_998_400, 0)));
    }
}
