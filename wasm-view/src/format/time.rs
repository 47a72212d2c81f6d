//! Dates, times, timestamps, durations and intervals.

use arrow_array::Array;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::number::padded;
use super::{Style, Zones, type_label};
use crate::numbers::{bytes_of, word};

const DAY: i64 = 86_400;

/// How fine a clock must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clock {
    /// Midnight: the date says it all.
    #[default]
    Date,
    Minutes,
    Seconds,
    Millis,
    Micros,
    Nanos,
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Seconds and nanoseconds of a value in a unit.
fn split(value: i64, unit: TimeUnit) -> (i64, u32) {
    let per_second = per_second(unit);
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (value.div_euclid(per_second), nanos as u32)
}

/// The number that a temporal array holds.
fn value_of(array: &dyn Array, row: usize) -> Option<i64> {
    if array.data_type().is_temporal() { word(array, row) } else { None }
}

fn fineness(seconds: i64, nanos: u32) -> Clock {
    if !nanos.is_multiple_of(1_000) {
        Clock::Nanos
    } else if !nanos.is_multiple_of(1_000_000) {
        Clock::Micros
    } else if nanos != 0 {
        Clock::Millis
    } else if seconds.rem_euclid(60) != 0 {
        Clock::Seconds
    } else if seconds.rem_euclid(DAY) != 0 {
        Clock::Minutes
    } else {
        Clock::Date
    }
}

/// How fine a clock a value needs.
pub(super) fn clock_of(array: &dyn Array, row: usize) -> Clock {
    match (array.data_type(), value_of(array, row)) {
        (DataType::Timestamp(unit, _), Some(value)) => {
            let (seconds, nanos) = split(value, *unit);
            fineness(seconds, nanos)
        }
        _ => Clock::Date,
    }
}

/// Writes a value of a temporal type; any other type by its name.
pub(super) fn write(array: &dyn Array, row: usize, style: Option<&Style>, zones: &Zones, out: &mut String) {
    match (array.data_type(), value_of(array, row)) {
        (DataType::Date32, Some(days)) => date(days, out),
        (DataType::Date64, Some(millis)) => {
            let days = millis.div_euclid(DAY * 1_000);
            date(days, out);
            let rest = millis.rem_euclid(DAY * 1_000);
            if rest != 0 {
                out.push(' ');
                clock(rest / 1_000, (rest % 1_000) as u32 * 1_000_000, Clock::Millis, out);
            }
        }
        (DataType::Time32(unit) | DataType::Time64(unit), Some(value)) => {
            let (seconds, nanos) = split(value, *unit);
            let fine = fineness(seconds, nanos).max(Clock::Seconds);
            clock(seconds, nanos, fine, out);
        }
        (DataType::Timestamp(unit, zone), Some(value)) => {
            timestamp(split(value, *unit), zone.as_deref(), style, zones, out);
        }
        (DataType::Duration(unit), Some(value)) => duration(value, *unit, out),
        (DataType::Interval(unit), _) => interval(array, row, *unit, out),
        (other, _) => {
            out.push('(');
            out.push_str(&type_label(other));
            out.push(')');
        }
    }
}

/// As [`write`]; a timestamp with a zone is written by the clocks of another.
pub(super) fn write_in(
    array: &dyn Array,
    row: usize,
    zone: &str,
    style: Option<&Style>,
    zones: &Zones,
    out: &mut String,
) {
    match (array.data_type(), value_of(array, row)) {
        (DataType::Timestamp(unit, Some(_)), Some(value)) => {
            timestamp(split(value, *unit), Some(zone), style, zones, out);
        }
        _ => write(array, row, style, zones, out),
    }
}

fn timestamp((seconds, nanos): (i64, u32), zone: Option<&str>, style: Option<&Style>, zones: &Zones, out: &mut String) {
    let offset = zone.and_then(|zone| zones.offset(zone, seconds));
    let local = seconds.saturating_add(offset.unwrap_or(0).into());
    date(local.div_euclid(DAY), out);
    let needed = fineness(local, nanos);
    let fine = match style {
        // In a zone, midnight is a moment of the day like any other.
        Some(style) if zone.is_none() => style.clock.max(needed),
        Some(style) => style.clock.max(needed).max(Clock::Minutes),
        None => needed.max(Clock::Seconds),
    };
    if fine > Clock::Date {
        out.push(if style.is_some() { ' ' } else { 'T' });
        clock(local, nanos, fine, out);
    }
    match (zone, offset) {
        (None, _) => {}
        (Some(_), None | Some(0)) => out.push_str(if style.is_some() { " Z" } else { "Z" }),
        (Some(_), Some(offset)) => {
            let size = offset.unsigned_abs() / 60;
            out.push_str(if style.is_some() { " " } else { "" });
            out.push(if offset < 0 { '-' } else { '+' });
            padded((size / 60).into(), 2, out);
            out.push(':');
            padded((size % 60).into(), 2, out);
        }
    }
}

/// A moment in UTC, such as `2013-01-01T05:00:00.000000000Z`.
pub(crate) fn moment(seconds: i64, nanos: u32, out: &mut String) {
    date(seconds.div_euclid(DAY), out);
    out.push('T');
    clock(seconds, nanos, Clock::Nanos, out);
    out.push('Z');
}

/// A date or a time on a line of numbers: seconds, of a day or since 1970; of a duration the number that it holds.
pub(crate) fn on_a_line(array: &dyn Array, row: usize) -> Option<f64> {
    let value = array.is_valid(row).then(|| value_of(array, row)).flatten()? as f64;
    Some(match array.data_type() {
        DataType::Date32 => value * DAY as f64,
        DataType::Date64 => value / 1e3,
        DataType::Time32(unit) | DataType::Time64(unit) | DataType::Timestamp(unit, _) => {
            value / per_second(*unit) as f64
        }
        _ => value,
    })
}

/// `2013-01-01`.
pub(crate) fn date(days: i64, out: &mut String) {
    let (year, month, day) = civil(days);
    out.push_str(if year < 0 { "-" } else { "" });
    padded(year.unsigned_abs(), 4, out);
    for part in [month, day] {
        out.push('-');
        padded(part as u64, 2, out);
    }
}

/// Year, month and day, of days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `05:00`, `05:00:00`, `05:00:00.000`.
pub(crate) fn clock(seconds: i64, nanos: u32, fine: Clock, out: &mut String) {
    let second = seconds.rem_euclid(DAY) as u64;
    padded(second / 3_600, 2, out);
    out.push(':');
    padded(second / 60 % 60, 2, out);
    if fine >= Clock::Seconds {
        out.push(':');
        padded(second % 60, 2, out);
    }
    let (per_part, digits) = match fine {
        Clock::Millis => (1_000_000, 3),
        Clock::Micros => (1_000, 6),
        Clock::Nanos => (1, 9),
        _ => return,
    };
    out.push('.');
    padded((nanos / per_part).into(), digits, out);
}

/// `-1d 01:01:01.500`.
fn duration(value: i64, unit: TimeUnit, out: &mut String) {
    let (seconds, nanos) = split(value, unit);
    // The size of a negative duration: its fraction counts from the other side.
    let (seconds, nanos) = match (value < 0, nanos) {
        (false, _) => (seconds.unsigned_abs(), nanos),
        (true, 0) => (seconds.unsigned_abs(), 0),
        (true, _) => ((seconds + 1).unsigned_abs(), 1_000_000_000 - nanos),
    };
    out.push_str(if value < 0 { "-" } else { "" });
    let days = seconds / 86_400;
    if days > 0 {
        padded(days, 1, out);
        out.push_str("d ");
    }
    let rest = (seconds % 86_400) as i64;
    clock(rest, nanos, fineness(rest, nanos).max(Clock::Seconds), out);
}

fn interval(array: &dyn Array, row: usize, unit: IntervalUnit, out: &mut String) {
    let bytes = bytes_of(array, row).unwrap_or_default();
    let part = |at| bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, i32::from_le_bytes);
    let (months, days, nanos) = match unit {
        IntervalUnit::YearMonth => (part(0), 0, 0),
        IntervalUnit::DayTime => (0, part(0), i64::from(part(4)) * 1_000_000),
        IntervalUnit::MonthDayNano => (part(0), part(4), i64::from(part(12)) << 32 | i64::from(part(8) as u32)),
    };
    let start = out.len();
    for (count, unit) in [(months, "mo "), (days, "d ")].into_iter().filter(|(count, _)| *count != 0) {
        out.push_str(if count < 0 { "-" } else { "" });
        padded(count.unsigned_abs().into(), 1, out);
        out.push_str(unit);
    }
    if nanos != 0 || out.len() == start {
        duration(nanos, TimeUnit::Nanosecond, out);
    } else {
        out.pop();
    }
}
