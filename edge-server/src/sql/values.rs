//! Values of Arrow arrays as JSON: numbers as numbers, times as ISO 8601 in UTC, the rest as text.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, RunEndIndexType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayAccessor};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// Writes the value of a row.
pub(super) type Values<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

const OPTIONS: FormatOptions<'static> = FormatOptions::new();

/// A writer of an array's values.
pub(super) fn values<'a>(array: &'a dyn Array) -> Result<Values<'a>, ArrowError> {
    let present = present(array)?;
    if array.null_count() == 0 {
        return Ok(present);
    }
    Ok(Box::new(move |row, out| if array.is_null(row) { null(out) } else { present(row, out) }))
}

/// As [`values`], of rows that are not null.
fn present<'a>(array: &'a dyn Array) -> Result<Values<'a>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(|_, out| null(out)),
        DataType::Boolean => {
            let array = array.as_boolean();
            Box::new(move |row, out| out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }))
        }
        DataType::Int8 => numbers::<Int8Type, _>(array, |value| value),
        DataType::Int16 => numbers::<Int16Type, _>(array, |value| value),
        DataType::Int32 => numbers::<Int32Type, _>(array, |value| value),
        DataType::Int64 => numbers::<Int64Type, _>(array, |value| value),
        DataType::UInt8 => numbers::<UInt8Type, _>(array, |value| value),
        DataType::UInt16 => numbers::<UInt16Type, _>(array, |value| value),
        DataType::UInt32 => numbers::<UInt32Type, _>(array, |value| value),
        DataType::UInt64 => numbers::<UInt64Type, _>(array, |value| value),
        // JSON has no word for infinity and for what is no number: they become null.
        DataType::Float16 => numbers::<Float16Type, _>(array, f32::from),
        DataType::Float32 => numbers::<Float32Type, _>(array, |value| value),
        DataType::Float64 => numbers::<Float64Type, _>(array, |value| value),
        DataType::Utf8 => texts(array.as_string::<i32>()),
        DataType::LargeUtf8 => texts(array.as_string::<i64>()),
        DataType::Utf8View => texts(array.as_string_view()),
        DataType::Timestamp(TimeUnit::Second, _) => moments::<TimestampSecondType>(array, 1, 6),
        DataType::Timestamp(TimeUnit::Millisecond, _) => moments::<TimestampMillisecondType>(array, 1_000, 6),
        DataType::Timestamp(TimeUnit::Microsecond, _) => moments::<TimestampMicrosecondType>(array, 1_000_000, 6),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => moments::<TimestampNanosecondType>(array, 1_000_000_000, 9),
        DataType::Date32 => {
            let array = array.as_primitive::<Date32Type>();
            Box::new(move |row, out| moment(i64::from(array.value(row)) * 86_400, 0, 3, out))
        }
        DataType::Date64 => moments::<Date64Type>(array, 1_000, 3),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let write = values(dictionary.values().as_ref())?;
            // Without values every key is null.
            let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            Box::new(move |row, out| match keys.get(row) {
                Some(&key) => write(key, out),
                None => null(out),
            })
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array)?,
            DataType::Int32 => runs::<Int32Type>(array)?,
            _ => runs::<Int64Type>(array)?,
        },
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.offsets();
            items(list.values().as_ref(), |row| offsets[row] as usize..offsets[row + 1] as usize)?
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.offsets();
            items(list.values().as_ref(), |row| offsets[row] as usize..offsets[row + 1] as usize)?
        }
        DataType::FixedSizeList(_, length) => {
            let length = usize::try_from(*length).unwrap_or(0);
            items(array.as_fixed_size_list().values().as_ref(), move |row| row * length..(row + 1) * length)?
        }
        _ => {
            let formatter = ArrayFormatter::try_new(array, &OPTIONS)?;
            Box::new(move |row, out| match formatter.value(row).try_to_string() {
                Ok(text) => quoted(&text, out),
                Err(_) => null(out),
            })
        }
    })
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Writes a JSON string.
pub(super) fn quoted(text: &str, out: &mut Vec<u8>) {
    json(text, out);
}

/// Writes a JSON value; neither text nor numbers can fail in memory.
fn json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        null(out);
    }
}

fn numbers<'a, T: ArrowPrimitiveType, N: serde::Serialize + 'a>(
    array: &'a dyn Array,
    number: fn(T::Native) -> N,
) -> Values<'a> {
    let array = array.as_primitive::<T>();
    Box::new(move |row, out| json(&number(array.value(row)), out))
}

fn texts<'a>(array: impl ArrayAccessor<Item = &'a str> + 'a) -> Values<'a> {
    Box::new(move |row, out| quoted(array.value(row), out))
}

fn runs<'a, T: RunEndIndexType>(array: &'a dyn Array) -> Result<Values<'a>, ArrowError> {
    let Some(runs) = array.as_run_opt::<T>() else {
        return Err(ArrowError::InvalidArgumentError("runs with ends of another type".to_owned()));
    };
    let write = values(runs.values().as_ref())?;
    Ok(Box::new(move |row, out| write(runs.get_physical_index(row), out)))
}

fn items<'a>(
    values_of_lists: &'a dyn Array,
    range: impl Fn(usize) -> std::ops::Range<usize> + 'a,
) -> Result<Values<'a>, ArrowError> {
    let write = values(values_of_lists)?;
    Ok(Box::new(move |row, out| {
        out.push(b'[');
        for (number, item) in range(row).enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write(item, out);
        }
        out.push(b']');
    }))
}

fn moments<'a, T: ArrowPrimitiveType<Native = i64>>(array: &'a dyn Array, per_second: i64, digits: u32) -> Values<'a> {
    let array = array.as_primitive::<T>();
    Box::new(move |row, out| {
        let value = array.value(row);
        let fraction = value.rem_euclid(per_second) * (10i64.pow(digits) / per_second);
        moment(value.div_euclid(per_second), fraction, digits, out);
    })
}

/// Seconds since 1970 and a fraction of so many digits as `"2013-05-01T12:30:00.000000Z"`.
fn moment(seconds: i64, fraction: i64, digits: u32, out: &mut Vec<u8>) {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let width = digits as usize;
    // Years of more than four digits have a sign, as ISO 8601 wants it.
    let start = out.len();
    let written = if (0..=9_999).contains(&year) {
        write!(out, "\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:0width$}Z\"")
    } else {
        write!(out, "\"{year:+05}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:0width$}Z\"")
    };
    if written.is_err() {
        out.truncate(start);
        null(out);
    }
}

/// Year, month and day of a day since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}
