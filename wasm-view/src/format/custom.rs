//! Formats that people choose for a column, in the grid alone: what is copied, found and filtered stays exact.

use std::fmt::Write;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

use super::{Formats, Style, is_number, key_of, number, time};
use crate::numbers;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    #[default]
    Plain,
    /// A hundredfold, with a sign.
    Percent,
    /// `1.234e5`.
    Scientific,
    /// `123.4k`, by the prefixes of the SI.
    Si,
    /// `123.4 kB`.
    Bytes,
    /// Whole numbers to the base 16.
    Hex,
}

impl Manner {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("plain", Self::Plain),
        ("percent", Self::Percent),
        ("scientific", Self::Scientific),
        ("si", Self::Si),
        ("bytes", Self::Bytes),
        ("hex", Self::Hex),
    ];
}

/// A format that somebody chose; what is not said is as the column's values need it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Custom {
    pub(crate) manner: Manner,
    /// Whether digits stand in groups of three.
    pub(crate) grouped: Option<bool>,
    pub(crate) decimals: Option<u8>,
    /// Whose clocks tell the time; empty for the column's own zone.
    pub(crate) zone: String,
    /// A date as people of a place write it, with `y`, `m` and `d` for its parts; empty for `2013-01-31`.
    pub(crate) date: String,
}

/// Thousands and thousandths.
const PREFIXES: [&str; 11] = ["p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
/// The place of the one that is none.
const ONES: usize = 4;

impl Custom {
    /// Writes a value; gives `false` and writes nothing when it is null.
    pub(crate) fn write(
        &self,
        array: &dyn Array,
        row: usize,
        style: Option<&Style>,
        formats: &Formats,
        out: &mut String,
    ) -> bool {
        if row >= array.len() || array.is_null(row) {
            return false;
        }
        if let Some(array) = array.as_any_dictionary_opt() {
            return self.write(array.values().as_ref(), key_of(array.keys(), row), style, formats, out);
        }
        let data_type = array.data_type();
        if matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) {
            let start = out.len();
            if self.zone.is_empty() {
                time::write(array, row, style, &formats.zones, out);
            } else {
                time::write_in(array, row, &self.zone, style, &formats.zones, out);
            }
            self.place_date(start, out);
            return true;
        }
        match numbers::number(array, row).filter(|value| value.is_finite() && is_number(data_type)) {
            Some(value) => self.number(value, array, row, style, formats, out),
            None => return super::write(array, row, style, formats, out),
        }
        true
    }

    fn number(
        &self,
        value: f64,
        array: &dyn Array,
        row: usize,
        style: Option<&Style>,
        formats: &Formats,
        out: &mut String,
    ) {
        let grouped = self.grouped.unwrap_or(style.is_some_and(|style| style.grouped));
        let separator = grouped.then_some(formats.separator);
        let decimals = |needed: u8| self.decimals.unwrap_or(needed);
        let mut exact = String::new();
        let is_exact = !array.data_type().is_floating();
        if is_exact {
            super::write(array, row, None, formats, &mut exact);
        }
        match self.manner {
            Manner::Plain if is_exact && (self.decimals.is_none() || !exact.contains('.')) => {
                number::decimal_text(&exact, separator, out);
                // A whole number has no decimals but zeros.
                for place in 0..self.decimals.unwrap_or(0) {
                    out.push_str(if place == 0 { ".0" } else { "0" });
                }
            }
            Manner::Plain => {
                let needed = style.and_then(|style| style.decimals).unwrap_or(2);
                number::fixed_point(value, decimals(needed), separator, out);
            }
            Manner::Percent => {
                number::fixed_point(value * 100.0, decimals(1), separator, out);
                out.push('%');
            }
            Manner::Scientific => {
                let _infallible = write!(out, "{value:.*e}", usize::from(decimals(3)));
            }
            Manner::Si => prefixed(value, decimals(1), 0, out),
            Manner::Bytes => {
                prefixed(value, decimals(1), ONES, out);
                out.push('B');
            }
            Manner::Hex => match numbers::bytes_of(array, row).filter(|_| is_whole(array.data_type())) {
                Some(bytes) => number::hex(bytes, !array.data_type().is_unsigned_integer(), out),
                None => {
                    super::write(array, row, style, formats, out);
                }
            },
        }
    }

    /// Writes the date that stands at the start anew.
    fn place_date(&self, start: usize, out: &mut String) {
        let Some(iso) = out.get(start..start + 10).filter(|_| !self.date.is_empty()).map(str::to_owned) else { return };
        // Years of more or fewer digits stay as they are.
        if iso.as_bytes()[4] != b'-' || iso.as_bytes()[7] != b'-' {
            return;
        }
        let rest = out.split_off(start + 10);
        out.truncate(start);
        for c in self.date.chars() {
            match c {
                'y' => out.push_str(&iso[..4]),
                'm' => out.push_str(&iso[5..7]),
                'd' => out.push_str(&iso[8..]),
                other => out.push(other),
            }
        }
        out.push_str(&rest);
    }
}

/// Whether numbers of a type have no point.
fn is_whole(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale == 0,
        other => other.is_integer(),
    }
}

/// Three digits or fewer before the point, and a prefix, none smaller than the least. Whole numbers below a thousand
/// have no decimals; in bytes a space stands before the prefix.
fn prefixed(value: f64, decimals: u8, least: usize, out: &mut String) {
    let unit = 10f64.powi(i32::from(decimals));
    let (mut size, mut place) = (value, ONES);
    while size.abs() >= 1000.0 - 0.5 / unit - 1e-9 && place + 1 < PREFIXES.len() {
        (size, place) = (size / 1000.0, place + 1);
    }
    while size != 0.0 && size.abs() < 1.0 && place > least && place <= ONES {
        (size, place) = (size * 1000.0, place - 1);
    }
    let is_whole = place == ONES && size.fract() == 0.0;
    number::fixed_point(size, if is_whole { 0 } else { decimals }, None, out);
    out.push_str(if least == ONES { " " } else { "" });
    out.push_str(PREFIXES[place]);
}

#[cfg(test)]
mod tests {
    use arrow_array::*;

    use super::*;
    use crate::format::Zones;

    fn check(custom: &Custom, array: &dyn Array, expected: &[&str]) {
        let formats = Formats { zones: Zones::new(Box::new(|_, _| Some(-18_000))), separator: ',' };
        let style = Style::of(array, 100);
        let written: Vec<String> = (0..array.len())
            .map(|row| {
                let mut out = String::new();
                assert_eq!(custom.write(array, row, Some(&style), &formats, &mut out), array.is_valid(row));
                out
            })
            .collect();
        assert_eq!(written, expected, "{custom:?}");
    }

    fn manner(manner: Manner, decimals: Option<u8>) -> Custom {
        Custom { manner, decimals, ..Custom::default() }
    }

    #[test]
    fn numbers_as_people_want_them() {
        let floats = Float64Array::from(vec![Some(0.1234), Some(-12_345.678), None]);
        check(&manner(Manner::Plain, Some(1)), &floats, &["0.1", "-12,345.7", ""]);
        let ungrouped = Custom { grouped: Some(false), decimals: Some(0), ..Custom::default() };
        check(&ungrouped, &floats, &["0", "-12346", ""]);
        check(&manner(Manner::Percent, None), &floats, &["12.3%", "-1,234,567.8%", ""]);
        check(&manner(Manner::Scientific, Some(2)), &floats, &["1.23e-1", "-1.23e4", ""]);
        check(&manner(Manner::Si, None), &floats, &["123.4m", "-12.3k", ""]);
        check(&manner(Manner::Hex, None), &floats, &["0.123", "-12,345.678", ""]);
        let whole = Int64Array::from(vec![0, 999, 999_950, i64::MAX, -255]);
        check(&manner(Manner::Si, None), &whole, &["0", "999", "1.0M", "9.2E", "-255"]);
        check(&manner(Manner::Bytes, None), &whole, &["0 B", "999 B", "1.0 MB", "9.2 EB", "-255 B"]);
        check(&manner(Manner::Hex, None), &whole, &["0x0", "0x3e7", "0xf420e", "0x7fffffffffffffff", "-0xff"]);
        // Every digit, also where a float has none for it.
        let group = Custom { grouped: Some(true), decimals: Some(2), ..Custom::default() };
        check(&group, &Int64Array::from(vec![i64::MAX]), &["9,223,372,036,854,775,807.00"]);
        let money = Decimal128Array::from(vec![-1_234_567]).with_precision_and_scale(12, 3).unwrap();
        check(&manner(Manner::Plain, Some(1)), &money, &["-1234.6"]);
        check(&manner(Manner::Plain, None), &money, &["-1234.567"]);
        check(&manner(Manner::Percent, None), &Float64Array::from(vec![f64::NAN, f64::INFINITY]), &["NaN", "∞"]);
    }

    #[test]
    fn dates_of_a_place_and_clocks_of_another() {
        let local = Custom { date: "d.m.y".to_owned(), ..Custom::default() };
        check(&local, &Date32Array::from(vec![Some(0), None, Some(-800_000)]), &["01.01.1970", "", "-0221-09-04"]);
        let zoned = TimestampSecondArray::from(vec![1_357_016_400]).with_timezone("UTC");
        check(&local, &zoned, &["01.01.2013 05:00 Z"]);
        let there = Custom { zone: "America/New_York".to_owned(), ..Custom::default() };
        check(&there, &zoned, &["2013-01-01 00:00 -05:00"]);
        // What has no zone is no moment.
        check(&there, &TimestampSecondArray::from(vec![1_357_016_400]), &["2013-01-01 05:00"]);
        check(&there, &StringArray::from(vec!["x"]), &["x"]);
    }
}
