//! Values as text: exact for copying and reading, short for the grid.
//!
//! A grid's column is read as a column: floats share a number of decimals, timestamps a precision, so that
//! digits stand below digits. What the short form leaves out, the exact form shows.

mod custom;
#[cfg(feature = "nested")]
mod nested;
mod number;
mod time;
mod zone;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, BinaryViewType, LargeBinaryType};
use arrow_schema::{DataType, TimeUnit};

use crate::numbers::{self, bytes_of, word};
pub(crate) use custom::{Custom, Manner};
pub(crate) use number::float;
pub(crate) use time::{Clock, civil, clock, date, moment, on_a_line};
pub(crate) use zone::Zones;

/// Bytes of a binary value that are shown.
const BINARY_SHOWN: usize = 64;

/// How a column's cells are written in the grid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Numbers stand at the right.
    pub(crate) right: bool,
    /// Digits stand in groups of three: some number of the column has more than four of them.
    pub(crate) grouped: bool,
    /// Decimals of a float column.
    pub(crate) decimals: Option<u8>,
    /// Parts of the clock that the column's values have.
    pub(crate) clock: Clock,
}

/// What writing needs beside the value.
#[derive(Debug)]
pub(crate) struct Formats {
    pub(crate) zones: Zones,
    /// Between groups of three digits, in the grid.
    pub(crate) separator: char,
}

impl Style {
    /// The style of a column, as a sample of its values needs it.
    pub(crate) fn of(array: &dyn Array, sample: usize) -> Self {
        let rows = array.len().min(sample);
        let right = is_number(array.data_type());
        let (mut decimals, mut clock) = (None, Clock::default());
        let present = |row: &usize| array.is_valid(*row);
        match array.data_type() {
            DataType::Float64 | DataType::Float32 => {
                decimals = Some(number::decimals((0..rows).filter_map(|row| numbers::number(array, row))));
            }
            _ => {
                for row in (0..rows).filter(present) {
                    clock = clock.max(time::clock_of(array, row));
                }
            }
        }
        let mut grouped = false;
        if right {
            // The digits themselves tell, whatever the type.
            let plain = Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' };
            let mut text = String::new();
            for row in (0..rows).filter(present) {
                text.clear();
                write(array, row, None, &plain, &mut text);
                let whole = text.trim_start_matches('-');
                grouped |= whole.bytes().take_while(u8::is_ascii_digit).count() > 4;
            }
        }
        Self { right, grouped, decimals, clock }
    }

    /// A style that fits both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            right: self.right,
            grouped: self.grouped || other.grouped,
            decimals: self.decimals.max(other.decimals),
            clock: self.clock.max(other.clock),
        }
    }
}

/// Whether values of the type are numbers that are compared by their digits.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric() || matches!(other, DataType::Duration(_)),
    }
}

/// A type's name in a header.
pub(crate) fn type_label(data_type: &DataType) -> String {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    };
    let named = |name: &str| name.to_owned();
    match data_type {
        DataType::Null => named("null"),
        DataType::Boolean => named("boolean"),
        DataType::Int8 => named("int8"),
        DataType::Int16 => named("int16"),
        DataType::Int32 => named("int32"),
        DataType::Int64 => named("int64"),
        DataType::UInt8 => named("uint8"),
        DataType::UInt16 => named("uint16"),
        DataType::UInt32 => named("uint32"),
        DataType::UInt64 => named("uint64"),
        DataType::Float16 => named("float16"),
        DataType::Float32 => named("float32"),
        DataType::Float64 => named("float64"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => named("text"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            named("binary")
        }
        DataType::Date32 | DataType::Date64 => named("date"),
        DataType::Time32(u) | DataType::Time64(u) => ["time ", unit(u)].concat(),
        DataType::Timestamp(u, None) => ["timestamp ", unit(u)].concat(),
        DataType::Timestamp(u, Some(zone)) => ["timestamp ", unit(u), " · ", zone].concat(),
        DataType::Duration(u) => ["duration ", unit(u)].concat(),
        DataType::Interval(_) => named("interval"),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => ["decimal ", &p.to_string(), ",", &s.to_string()].concat(),
        DataType::Dictionary(_, values) => [&type_label(values), " · dictionary"].concat(),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => ["list of ", &type_label(field.data_type())].concat(),
        DataType::RunEndEncoded(_, values) => [&type_label(values.data_type()), " · runs"].concat(),
        DataType::Union(..) => named("union"),
        DataType::Struct(_) => named("struct"),
        DataType::Map(..) => named("map"),
    }
}

/// Writes a value; gives `false` and writes nothing when it is null. With a style in the grid's short form.
pub(crate) fn write(array: &dyn Array, row: usize, style: Option<&Style>, formats: &Formats, out: &mut String) -> bool {
    write_nested(array, row, style, formats, out, Depth { depth: 0, lines: false })
}

/// Writes a value in full: as [`write`] does without a style, with a line for each part of a nested value.
pub(crate) fn write_lines(array: &dyn Array, row: usize, formats: &Formats, out: &mut String) -> bool {
    write_nested(array, row, None, formats, out, Depth { depth: 0, lines: true })
}

/// Where in a nested value something stands.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "nested"), allow(dead_code, reason = "only nested values ask"))]
struct Depth {
    depth: usize,
    /// Whether each part has a line.
    lines: bool,
}

#[cfg_attr(not(feature = "nested"), allow(clippy::only_used_in_recursion, reason = "only nested values ask"))]
fn write_nested(
    array: &dyn Array,
    row: usize,
    style: Option<&Style>,
    formats: &Formats,
    out: &mut String,
    depth: Depth,
) -> bool {
    if row >= array.len() || array.is_null(row) {
        return false;
    }
    let separator = style.filter(|style| style.grouped).map(|_| formats.separator);
    let decimals = style.and_then(|style| style.decimals);
    let fixed = decimals.map(|decimals| (decimals, separator));
    match array.data_type() {
        DataType::Null => return false,
        DataType::Boolean => {
            if let Some(array) = array.as_boolean_opt() {
                out.push_str(if array.value(row) { "true" } else { "false" });
            }
        }
        DataType::Float32 => number::float32(numbers::number(array, row).unwrap_or_default() as f32, fixed, out),
        DataType::Float16 | DataType::Float64 => float(numbers::number(array, row).unwrap_or_default(), fixed, out),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => {
            number::decimal(bytes_of(array, row).unwrap_or_default(), *scale, separator, out);
        }
        DataType::Utf8 => out.push_str(array.as_string_opt::<i32>().map_or("", |array| array.value(row))),
        DataType::LargeUtf8 => out.push_str(array.as_string_opt::<i64>().map_or("", |array| array.value(row))),
        DataType::Utf8View => out.push_str(array.as_string_view_opt().map_or("", |array| array.value(row))),
        DataType::Binary => hex(array.as_bytes_opt::<BinaryType>().map_or(&[], |array| array.value(row)), out),
        DataType::LargeBinary => {
            hex(array.as_bytes_opt::<LargeBinaryType>().map_or(&[], |array| array.value(row)), out);
        }
        DataType::BinaryView => {
            hex(array.as_byte_view_opt::<BinaryViewType>().map_or(&[], |array| array.value(row)), out);
        }
        DataType::FixedSizeBinary(_) => {
            hex(array.as_fixed_size_binary_opt().map_or(&[], |array| array.value(row)), out);
        }
        DataType::Dictionary(..) => {
            let Some(array) = array.as_any_dictionary_opt() else { return false };
            let key = key_of(array.keys(), row);
            return write_nested(array.values().as_ref(), key, style, formats, out, depth);
        }
        other if other.is_integer() => {
            number::integer(word(array, row).unwrap_or_default(), other.is_signed_integer(), separator, out);
        }
        #[cfg(feature = "nested")]
        other if other.is_nested() => nested::write(array, row, formats, out, depth),
        _ => time::write(array, row, style, &formats.zones, out),
    }
    true
}

/// The place of a dictionary's value.
pub(crate) fn key_of(keys: &dyn Array, row: usize) -> usize {
    word(keys, row).and_then(|key| usize::try_from(key).ok()).unwrap_or(usize::MAX)
}

fn hex(bytes: &[u8], out: &mut String) {
    out.push_str("0x");
    for byte in bytes.iter().take(BINARY_SHOWN) {
        number::push(&number::hex_digits(*byte), out);
    }
    if bytes.len() > BINARY_SHOWN {
        out.push('…');
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::*;
    use arrow_buffer::i256;

    use super::*;

    fn formats() -> Formats {
        Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' }
    }

    fn exact(array: &dyn Array) -> Vec<Option<String>> {
        (0..array.len())
            .map(|row| {
                let mut out = String::new();
                write(array, row, None, &formats(), &mut out).then_some(out)
            })
            .collect()
    }

    fn short(array: &dyn Array) -> Vec<Option<String>> {
        let style = Style::of(array, 100);
        (0..array.len())
            .map(|row| {
                let mut out = String::new();
                write(array, row, Some(&style), &formats(), &mut out).then_some(out)
            })
            .collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn integers_keep_every_digit() {
        assert_eq!(
            exact(&Int64Array::from(vec![i64::MIN, 9_007_199_254_740_993])),
            some(&["-9223372036854775808", "9007199254740993"])
        );
        assert_eq!(exact(&UInt64Array::from(vec![u64::MAX])), some(&["18446744073709551615"]));
        assert_eq!(short(&Int32Array::from(vec![2013, 10_000, -1_234_567])), some(&["2,013", "10,000", "-1,234,567"]));
        assert_eq!(short(&Int32Array::from(vec![2013, 1999])), some(&["2013", "1999"]));
    }

    #[test]
    fn floats_are_exact_or_aligned() {
        let array = Float64Array::from(vec![15.10795435218885, 2.0, -0.0, f64::NAN, f64::INFINITY, 1e300, 1e-9]);
        assert_eq!(exact(&array), some(&["15.10795435218885", "2", "-0", "NaN", "∞", "1e300", "1e-9"]));
        assert_eq!(short(&array)[..3], some(&["15.108", "2.000", "-0.000"])[..]);
        assert_eq!(short(&Float64Array::from(vec![0.5, 12345.25])), some(&["0.50", "12,345.25"]));
        assert_eq!(exact(&Float32Array::from(vec![0.1])), some(&["0.1"]));
    }

    #[test]
    fn decimals_and_binary_and_nulls() {
        let decimals = Decimal256Array::from(vec![Some(i256::from_i128(-1_234_567)), None])
            .with_precision_and_scale(40, 2)
            .unwrap();
        assert_eq!(exact(&decimals), [Some("-12345.67".to_owned()), None]);
        assert_eq!(short(&decimals)[0].as_deref(), Some("-12,345.67"));
        assert_eq!(exact(&BinaryArray::from(vec![&[0u8, 255][..]])), some(&["0x00ff"]));
        assert_eq!(exact(&NullArray::new(1)), [None]);
    }

    #[test]
    fn dictionaries_are_their_values() {
        let words: DictionaryArray<types::Int8Type> = vec![Some("a"), None, Some("b")].into_iter().collect();
        assert_eq!(exact(&words), [Some("a".to_owned()), None, Some("b".to_owned())]);
    }

    #[cfg(feature = "nested")]
    #[test]
    fn nested_values_stand_in_a_line_or_in_many() {
        use std::sync::Arc;

        use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};

        let lists = ListArray::from_iter_primitive::<types::Int32Type, _, _>([Some(vec![Some(1), None]), None]);
        assert_eq!(exact(&lists), [Some("[1, null]".to_owned()), None]);
        let pair = StructArray::from(vec![(
            Arc::new(arrow_schema::Field::new("x", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(7), None])) as ArrayRef,
        )]);
        assert_eq!(exact(&pair), some(&["{x: 7}", "{x: null}"]));
        let mut lines = String::new();
        assert!(write_lines(&pair, 0, &formats(), &mut lines) && write_lines(&lists, 0, &formats(), &mut lines));
        assert_eq!(lines, "{\n  x: 7\n}[\n  1,\n  null\n]");
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        maps.keys().append_value("red");
        maps.keys().append_value("blue");
        maps.values().append_slice(&[5, 6]);
        maps.append(true).unwrap();
        maps.append(true).unwrap();
        maps.append(false).unwrap();
        let maps = maps.finish();
        assert_eq!(exact(&maps), [Some("{red: 5, blue: 6}".to_owned()), Some("{}".to_owned()), None]);
        lines.clear();
        assert!(write_lines(&maps, 0, &formats(), &mut lines));
        assert_eq!(lines, "{\n  red: 5,\n  blue: 6\n}");
    }

    #[test]
    fn times_share_a_precision() {
        let day = TimestampMillisecondArray::from(vec![1_357_016_400_000, 1_357_016_460_000]);
        assert_eq!(short(&day), some(&["2013-01-01 05:00", "2013-01-01 05:01"]));
        assert_eq!(exact(&day)[0].as_deref(), Some("2013-01-01T05:00:00"));
        let zoned = TimestampSecondArray::from(vec![1_357_016_400]).with_timezone("+02:00");
        assert_eq!(short(&zoned), some(&["2013-01-01 07:00 +02:00"]));
        let unknown = TimestampSecondArray::from(vec![1_357_016_400]).with_timezone("Mars/Olympus");
        assert_eq!(exact(&unknown), some(&["2013-01-01T05:00:00Z"]));
        assert_eq!(exact(&Date32Array::from(vec![-1, 0, 19_000])), some(&["1969-12-31", "1970-01-01", "2022-01-08"]));
        assert_eq!(exact(&TimestampNanosecondArray::from(vec![-1])), some(&["1969-12-31T23:59:59.999999999"]));
        assert_eq!(exact(&Time32SecondArray::from(vec![3_661])), some(&["01:01:01"]));
        assert_eq!(exact(&DurationMillisecondArray::from(vec![-90_061_500])), some(&["-1d 01:01:01.500"]));
        // Nothing that bytes can hold may stop the viewer.
        assert!(exact(&TimestampSecondArray::from(vec![i64::MAX]))[0].is_some());
        assert!(exact(&Date32Array::from(vec![i32::MIN]))[0].is_some());
        assert!(exact(&Date64Array::from(vec![i64::MIN]))[0].is_some());
        assert!(exact(&Time64NanosecondArray::from(vec![i64::MIN]))[0].is_some());
        assert!(exact(&DurationSecondArray::from(vec![i64::MIN]))[0].is_some());
    }
}
