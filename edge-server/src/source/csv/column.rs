//! One column in the making: fields of text go in, an Arrow array comes out.
//!
//! Types that have no column of their own here are gathered as text and cast at the end.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, types};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder};
use arrow_cast::parse::{Parser, string_to_datetime};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};

use super::fields::Fields;
use super::number;

/// Bytes of a text that is copied without asking how long it is.
const SHORT: usize = 16;

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

    /// Takes a column of many records in.
    pub(super) fn fill(&mut self, fields: &Fields<'_>, column: usize, rows: Range<usize>) -> Result<(), Misfit> {
        let bytes = fields.bytes;
        let places = fields.column(column, rows.clone());
        let filled = match &mut self.values {
            Values::Text { .. } => {
                self.texts(bytes, places);
                return Ok(());
            }
            Values::Int(values) => {
                numbers(values, &mut self.nulls, bytes, places, number::whole, types::Int64Type::parse)
            }
            Values::Float(values) => {
                numbers(values, &mut self.nulls, bytes, places, number::decimal, types::Float64Type::parse)
            }
            _ => {
                for (row, place) in rows.zip(places) {
                    match &bytes[place] {
                        [] => self.null(),
                        field => self.field(field).map_err(|misfit| Misfit { row: Some(row), ..misfit })?,
                    }
                }
                return Ok(());
            }
        };
        filled.map_err(|(row, place)| Misfit { row: Some(rows.start + row), text: shown(&bytes[place]) })
    }

    fn texts(&mut self, bytes: &[u8], places: impl Iterator<Item = Range<usize>>) {
        let Values::Text { offsets, bytes: texts } = &mut self.values else { return };
        for place in places {
            if place.is_empty() {
                self.nulls.append_null();
            } else {
                self.nulls.append_non_null();
            }
            // A short text is copied with what stands behind it, which the next one overwrites: a copy whose length is known
            // needs no call.
            let length = place.len();
            match bytes.get(place.start..place.start + SHORT) {
                Some(word) if length <= SHORT => {
                    texts.extend_from_slice(word);
                    texts.truncate(texts.len() - SHORT + length);
                }
                _ => texts.extend_from_slice(&bytes[place]),
            }
            offsets.push(texts.len() as i32);
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

    /// Whether an empty text is a value of it.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
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

/// Reads numbers; the row and the place of what is none. Few are not read by `plain`: those have more digits, an exponent, a
/// plus, or stand at the very start of a piece.
#[inline]
fn numbers<T: Default>(
    values: &mut Vec<T>,
    nulls: &mut NullBufferBuilder,
    bytes: &[u8],
    places: impl Iterator<Item = Range<usize>>,
    plain: impl Fn(&[u8], &Range<usize>) -> Option<T>,
    other: impl Fn(&str) -> Option<T>,
) -> Result<(), (usize, Range<usize>)> {
    for (row, place) in places.enumerate() {
        if let Some(value) = plain(bytes, &place) {
            values.push(value);
            nulls.append_non_null();
        } else if place.is_empty() {
            values.push(T::default());
            nulls.append_null();
        } else {
            let value = std::str::from_utf8(&bytes[place.clone()]).ok().and_then(&other);
            values.push(value.ok_or((row, place))?);
            nulls.append_non_null();
        }
    }
    Ok(())
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
