//! Stretches of time as people write them: `2013`, `2013-05`, `2013-05-01`, `2013-05-01 12:30`, with seconds
//! and fractions. Each is the time from its first moment to the first moment after it.

use crate::format::Zones;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// First moment of a stretch and first moment after it, in nanoseconds since 1970 in UTC.
pub(super) fn parse(text: &str, zone: Option<&str>, zones: &Zones) -> Option<(i128, i128)> {
    let text = text.trim();
    // As exact values are written: in UTC, whatever the column's zone.
    let (text, zone) = match text.strip_suffix('Z') {
        Some(text) => (text, None),
        None => (text, zone),
    };
    let (date, clock) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let (start, end) = match clock {
        None => of_date(date)?,
        Some(clock) => {
            let (day, after) = of_date(date)?;
            if after - day != DAY {
                return None;
            }
            // An offset from UTC says more than a zone.
            let (clock, offset) = match clock.find(['+', '-']) {
                Some(at) => {
                    let (from, _) = of_clock(clock.get(at + 1..)?)?;
                    (&clock[..at], Some(if clock.as_bytes().get(at) == Some(&b'-') { -from } else { from }))
                }
                None => (clock, None),
            };
            let (from, length) = of_clock(clock)?;
            if let Some(offset) = offset {
                return Some((day + from - offset, day + from - offset + length));
            }
            (day + from, day + from + length)
        }
    };
    let utc = |local: i128| -> Option<i128> {
        let Some(zone) = zone else { return Some(local) };
        let seconds = i64::try_from(local.div_euclid(SECOND)).ok()?;
        // Where nobody knows the zone, cells are shown in UTC, and read in UTC.
        let moment = zones.moment(zone, seconds).unwrap_or(seconds);
        Some(i128::from(moment) * SECOND + local.rem_euclid(SECOND))
    };
    Some((utc(start)?, utc(end)?))
}

fn digits(text: &str, length: usize) -> Option<i64> {
    if text.len() != length || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn of_date(text: &str) -> Option<(i128, i128)> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map(|part| digits(part, 2)).map_or(Some(None), |part| part.map(Some))?;
    let day = parts.next().map(|part| digits(part, 2)).map_or(Some(None), |part| part.map(Some))?;
    if parts.next().is_some() {
        return None;
    }
    let at = |year: i64, month: i64| i128::from(days(year, month)) * DAY;
    match (month, day) {
        (None, _) => Some((at(year, 1), at(year + 1, 1))),
        (Some(month @ 1..=12), day) => {
            let first = at(year, month);
            let next = if month == 12 { at(year + 1, 1) } else { at(year, month + 1) };
            let Some(day) = day else { return Some((first, next)) };
            let start = first + i128::from(day - 1) * DAY;
            (day >= 1 && start < next).then_some((start, start + DAY))
        }
        _ => None,
    }
}

/// Nanoseconds since midnight, and how long the stretch is.
fn of_clock(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let mut parts = Vec::new();
    for part in whole.split(':') {
        parts.push(digits(part, 2)?);
    }
    let (hour, minute, second) = match *parts.as_slice() {
        [hour] => (hour, None, None),
        [hour, minute] => (hour, Some(minute), None),
        [hour, minute, second] => (hour, Some(minute), Some(second)),
        _ => return None,
    };
    if hour > 23 || minute.is_some_and(|minute| minute > 59) || second.is_some_and(|second| second > 59) {
        return None;
    }
    let seconds = hour * 3_600 + minute.unwrap_or(0) * 60 + second.unwrap_or(0);
    let start = i128::from(seconds) * SECOND;
    match (minute, second, fraction) {
        (None, _, None) => Some((start, 3_600 * SECOND)),
        (Some(_), None, None) => Some((start, 60 * SECOND)),
        (Some(_), Some(_), None) => Some((start, SECOND)),
        (Some(_), Some(_), Some(fraction)) if (1..=9).contains(&fraction.len()) => {
            let unit = SECOND / 10i128.pow(fraction.len() as u32);
            Some((start + i128::from(digits(fraction, fraction.len())?) * unit, unit))
        }
        _ => None,
    }
}

/// Days since 1970 of a month's first (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn days(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A moment as a plan's literal.
pub(super) fn written(nanos: i128) -> String {
    let mut out = String::new();
    crate::format::moment(nanos.div_euclid(SECOND) as i64, nanos.rem_euclid(SECOND) as u32, &mut out);
    out
}
