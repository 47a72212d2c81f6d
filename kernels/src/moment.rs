//! Dates and times as written, to numbers: the part of ISO 8601 and RFC 3339 that filters need.

use arrow_schema::TimeUnit;

/// Nanoseconds of a day.
pub(crate) const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// Nanoseconds of a unit.
pub(crate) fn nanos(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// Nanoseconds since 1970-01-01T00:00:00Z of `2013-05-01`, `2013-05-01T12:30`, `2013-05-01 12:30:00.25Z`
/// or `2013-05-01T12:30:00+02:00`. Without an offset the time is taken for UTC.
pub(crate) fn parse_timestamp(text: &str) -> Option<i128> {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let day = parse_date(date)?;
    let mut total = i128::from(day) * NANOS_PER_DAY;
    if let Some(time) = time {
        let (clock, offset) = split_offset(time)?;
        total += parse_time(clock)? - offset;
    }
    Some(total)
}

/// Days since 1970-01-01 of `2013-05-01`.
fn parse_date(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4..=6)?;
    let month = digits(parts.next()?, 2..=2)?;
    let day = digits(parts.next()?, 2..=2)?;
    let year = if negative { -year } else { year };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=longest).contains(&day) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Nanoseconds since midnight of `12:30`, `12:30:05` or `12:30:05.25`.
pub(crate) fn parse_time(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.trim().split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text.trim(), None),
    };
    let mut parts = clock.split(':');
    let hours = digits(parts.next()?, 1..=2)?;
    let minutes = digits(parts.next()?, 2..=2)?;
    let seconds = match parts.next() {
        Some(part) => digits(part, 2..=2)?,
        None if fraction.is_none() => 0,
        None => return None,
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let mut total = i128::from((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000;
    if let Some(fraction) = fraction {
        let value = digits(fraction, 1..=9)?;
        total += i128::from(value) * 10i128.pow(9 - fraction.len() as u32);
    }
    Some(total)
}

/// A clock and its offset from UTC in nanoseconds.
fn split_offset(text: &str) -> Option<(&str, i128)> {
    let text = text.trim();
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at(at);
    let compact;
    let (sign, offset) = offset.split_at(1);
    let offset = match offset.len() {
        2 => {
            compact = [offset, ":00"].concat();
            &compact
        }
        4 if offset.is_ascii() => {
            compact = [&offset[..2], ":", &offset[2..]].concat();
            &compact
        }
        _ => offset,
    };
    let nanos = parse_time(offset)?;
    Some((clock.trim_end(), if sign == "-" { -nanos } else { nanos }))
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<i64> {
    (lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.bytes().fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_moments() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-NANOS_PER_DAY)),
            ("2000-02-29", Some(11_016 * NANOS_PER_DAY)),
            ("1900-02-29", None),
            ("2013-13-01", None),
            ("2013-1-1", None),
            ("1970-01-01T00:00:01Z", Some(1_000_000_000)),
            ("1970-01-01 01:00:00+01:00", Some(0)),
            ("1970-01-01T00:00:00.5-0030", Some(1_800_500_000_000)),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01Tnoon", None),
            ("0001-01-01", Some(-719_162 * NANOS_PER_DAY)),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_timestamp(text), expected, "{text:?}");
        }
    }
}
