//! One column in the making: fields of text go in, an Arrow array comes out.
//!
//! Whole numbers and plain decimals are read from their digits while the field's end is looked for; everything else is
//! first a slice of text. Types that have no column of their own here are gathered as text and cast at the end.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, types};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder};
use arrow_cast::parse::{Parser, string_to_datetime};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};

/// Powers of ten that an `f64` holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A value that is none of its column's type.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The row in the piece; `None` where the field was being read.
    pub(super) row: Option<usize>,
    pub(super) text: String,
}

/// Values of a column so far.
enum Values {
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bool(BooleanBufferBuilder),
    Date(Vec<i32>),
    Timestamp(TimeUnit, Vec<i64>),
    Text { offsets: Vec<i32>, bytes: Vec<u8> },
}

/// A column that grows.
pub(super) struct Column {
    data_type: DataType,
    values: Values,
    nulls: NullBufferBuilder,
}

impl Column {
    pub(super) fn new(data_type: &DataType, rows: usize) -> Self {
        let values = match data_type {
            DataType::Int64 => Values::Int(Vec::with_capacity(rows)),
            DataType::Float64 => Values::Float(Vec::with_capacity(rows)),
            DataType::Boolean => Values::Bool(BooleanBufferBuilder::new(rows)),
            DataType::Date32 => Values::Date(Vec::with_capacity(rows)),
            DataType::Timestamp(unit, None) => Values::Timestamp(*unit, Vec::with_capacity(rows)),
            _ => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                Values::Text { offsets, bytes: Vec::with_capacity(rows * 8) }
            }
        };
        Self { data_type: data_type.clone(), values, nulls: NullBufferBuilder::new(rows) }
    }

    /// Reads a number at the start of the bytes, if the column is of numbers and the field is a plain one. The length of the
    /// field, behind which stands `delimiter` or a line break.
    #[inline]
    pub(super) fn number(&mut self, bytes: &[u8], delimiter: u8) -> Option<usize> {
        match &mut self.values {
            Values::Int(values) => {
                let (value, digits, length) = whole(bytes);
                let fits = (1..=18).contains(&digits) && ends(bytes, length, delimiter);
                fits.then(|| values.push(if bytes[0] == b'-' { -value } else { value }))?;
                self.nulls.append_non_null();
                Some(length)
            }
            Values::Float(values) => {
                let (value, length) = decimal(bytes)?;
                ends(bytes, length, delimiter).then(|| values.push(value))?;
                self.nulls.append_non_null();
                Some(length)
            }
            _ => None,
        }
    }

    pub(super) fn null(&mut self) {
        match &mut self.values {
            Values::Int(values) | Values::Timestamp(_, values) => values.push(0),
            Values::Float(values) => values.push(0.0),
            Values::Bool(values) => values.append(false),
            Values::Date(values) => values.push(0),
            Values::Text { offsets, bytes } => offsets.push(bytes.len() as i32),
        }
        self.nulls.append_null();
    }

    /// Takes a field in.
    #[inline]
    pub(super) fn field(&mut self, field: &[u8]) -> Result<(), Misfit> {
        if let Values::Text { offsets, bytes } = &mut self.values {
            bytes.extend_from_slice(field);
            offsets.push(bytes.len() as i32);
            self.nulls.append_non_null();
            return Ok(());
        }
        self.parsed(field).ok_or_else(|| Misfit { row: None, text: shown(field) })
    }

    fn parsed(&mut self, field: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(field).ok()?;
        match &mut self.values {
            Values::Int(values) => values.push(types::Int64Type::parse(text)?),
            Values::Float(values) => values.push(types::Float64Type::parse(text)?),
            Values::Date(values) => values.push(types::Date32Type::parse(text)?),
            Values::Bool(values) => values.append(match text {
                _ if text.eq_ignore_ascii_case("true") => true,
                _ if text.eq_ignore_ascii_case("false") => false,
                _ => return None,
            }),
            Values::Timestamp(unit, values) => {
                let time = string_to_datetime(&chrono::Utc, text).ok()?;
                values.push(match unit {
                    TimeUnit::Second => time.timestamp(),
                    TimeUnit::Millisecond => time.timestamp_millis(),
                    TimeUnit::Microsecond => time.timestamp_micros(),
                    TimeUnit::Nanosecond => time.timestamp_nanos_opt()?,
                });
            }
            Values::Text { .. } => {}
        }
        self.nulls.append_non_null();
        Some(())
    }

    /// Bytes of text so far.
    pub(super) fn text_bytes(&self) -> usize {
        match &self.values {
            Values::Text { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// The array.
    pub(super) fn finish(mut self) -> Result<ArrayRef, Misfit> {
        let nulls = self.nulls.finish();
        let array: ArrayRef = match self.values {
            Values::Int(values) => Arc::new(PrimitiveArray::<types::Int64Type>::new(values.into(), nulls)),
            Values::Float(values) => Arc::new(PrimitiveArray::<types::Float64Type>::new(values.into(), nulls)),
            Values::Date(values) => Arc::new(PrimitiveArray::<types::Date32Type>::new(values.into(), nulls)),
            Values::Bool(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Timestamp(unit, values) => match unit {
                TimeUnit::Second => Arc::new(PrimitiveArray::<types::TimestampSecondType>::new(values.into(), nulls)),
                TimeUnit::Millisecond => {
                    Arc::new(PrimitiveArray::<types::TimestampMillisecondType>::new(values.into(), nulls))
                }
                TimeUnit::Microsecond => {
                    Arc::new(PrimitiveArray::<types::TimestampMicrosecondType>::new(values.into(), nulls))
                }
                TimeUnit::Nanosecond => {
                    Arc::new(PrimitiveArray::<types::TimestampNanosecondType>::new(values.into(), nulls))
                }
            },
            Values::Text { offsets, bytes } => {
                let rows = offsets.len() - 1;
                let (offsets, bytes) = (Buffer::from_vec(offsets), Buffer::from_vec(bytes));
                kernels::arrays::bytes_array(&DataType::Utf8, rows, &offsets, &bytes, nulls, None)
                    .map_err(|_| not_utf8(offsets.typed_data(), &bytes))?
            }
        };
        cast(array, &self.data_type)
    }
}

/// The first row that is not UTF-8.
fn not_utf8(offsets: &[i32], bytes: &[u8]) -> Misfit {
    let field = |row: usize| &bytes[offsets[row] as usize..offsets[row + 1] as usize];
    let row = (0..offsets.len() - 1).find(|&row| std::str::from_utf8(field(row)).is_err()).unwrap_or(0);
    Misfit { row: Some(row), text: shown(field(row)) }
}

fn cast(array: ArrayRef, data_type: &DataType) -> Result<ArrayRef, Misfit> {
    if array.data_type() == data_type {
        return Ok(array);
    }
    let options = |safe: bool| CastOptions { safe, ..CastOptions::default() };
    cast_with_options(&array, data_type, &options(false)).map_err(|error| {
        // What cannot be cast becomes null when that is allowed: the first such row is the one.
        let nulls = cast_with_options(&array, data_type, &options(true)).ok();
        let row = nulls.and_then(|cast| (0..array.len()).find(|&row| array.is_valid(row) && cast.is_null(row)));
        let text = row.and_then(|row| {
            use arrow_array::cast::AsArray;
            array.as_string_opt::<i32>().map(|texts| shown(texts.value(row).as_bytes()))
        });
        Misfit { row, text: text.unwrap_or_else(|| error.to_string()) }
    })
}

/// The beginning of a field, for a message.
fn shown(field: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&field[..field.len().min(MOST)]).into_owned();
    if field.len() > MOST { text + "…" } else { text }
}

/// Whether a field ends at a place.
#[inline]
fn ends(bytes: &[u8], at: usize, delimiter: u8) -> bool {
    match bytes.get(at) {
        Some(&byte) if byte == delimiter || byte == b'\n' => true,
        Some(b'\r') => bytes.get(at + 1) == Some(&b'\n'),
        _ => false,
    }
}

/// A whole number: its value without sign, its digits, and the length with the sign. With more than 18 digits the value is
/// none.
#[inline]
fn whole(bytes: &[u8]) -> (i64, usize, usize) {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let mut value = 0i64;
    let mut at = sign;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    }
    (value, at - sign, at)
}

/// A number with up to 15 digits and without an exponent, which is exact: both the digits and the power of ten are whole
/// numbers that an `f64` holds (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
#[inline]
fn decimal(bytes: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let (mut value, mut at) = (0u64, sign);
    let digit = |at: usize| bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10);
    while let Some(digit) = digit(at) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let mut digits = at - sign;
    let mut behind = 0;
    if bytes.get(at) == Some(&b'.') {
        let point = at;
        at += 1;
        while let Some(digit) = digit(at) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        behind = at - point - 1;
        digits += behind;
    }
    if !(1..=15).contains(&digits) {
        return None;
    }
    let value = value as f64 / TENS.get(behind)?;
    Some((if sign == 1 { -value } else { value }, at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_the_library_s() {
        let texts = ["0", "-0", "1.5", "-12.75", "99.999999", "123456789012345", "0.1", "5.", ".5", "-0.000001", "47.038917"];
        for text in texts {
            let (value, length) = decimal(format!("{text},").as_bytes()).unwrap();
            assert_eq!(length, text.len());
            assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        for text in [",", "-,", ".,", "1234567890123456,", "x"] {
            assert!(decimal(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_decimal_is_the_library_s(whole in 0u32..1_000_000_000, behind in 0u32..1_000_000, negative: bool) {
            let text = format!("{}{whole}.{behind:06}", if negative { "-" } else { "" });
            let (value, _) = decimal(format!("{text}\n").as_bytes()).unwrap();
            proptest::prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
        }
    }
}
