//! The fields of a column as an array, and the type that fits all kinds of fields that were seen.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};
use kernels::arrays::{bytes_array, fixed_array};

use super::rows::Rows;
use super::value::{self, BOOLEAN, DATE, FINE, FLOAT, LOCAL, LONG, NULL, TEXT, WHOLE, ZONED};

/// The type of a column in which these kinds were seen. What fits nothing together is text, which loses nothing.
pub(crate) fn type_of(seen: u16) -> DataType {
    let only = |kinds: u16| seen & !kinds == 0;
    if seen == NULL || seen & TEXT != 0 {
        DataType::Utf8
    } else if only(BOOLEAN) {
        DataType::Boolean
    } else if only(WHOLE | LONG) {
        DataType::Int64
    } else if only(WHOLE | FLOAT) {
        DataType::Float64
    } else if only(DATE) {
        DataType::Date32
    } else if only(DATE | LOCAL | FINE) || only(ZONED | FINE) {
        let unit = if seen & FINE == 0 { TimeUnit::Microsecond } else { TimeUnit::Nanosecond };
        DataType::Timestamp(unit, (seen & ZONED != 0).then(|| "UTC".into()))
    } else {
        DataType::Utf8
    }
}

/// The kinds of all fields of a column.
pub(crate) fn survey(rows: &Rows, column: usize, seen: u16) -> u16 {
    rows.column(column).fold(seen, |seen, field| if seen & TEXT == 0 { seen | value::kind(field) } else { seen })
}

/// Why a column could not be built.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Some field is of another kind.
    Misfit,
    /// The text of a row is not UTF-8.
    NotText(usize),
}

/// A column's array of a type.
pub(crate) fn build(rows: &Rows, column: usize, data_type: &DataType) -> Result<ArrayRef, Trouble> {
    let words = |parse: &dyn Fn(&[u8]) -> Option<i64>| words(rows, column, parse);
    let (values, nulls) = match data_type {
        DataType::Boolean => {
            let (values, nulls) = words(&|field| value::boolean(field).map(i64::from))?;
            let bits = BooleanBuffer::collect_bool(values.len(), |row| values[row] != 0);
            return Ok(Arc::new(BooleanArray::new(bits, nulls)));
        }
        DataType::Int64 => words(&value::whole)?,
        DataType::Float64 => words(&|field| value::float(field).map(|value| value.to_bits() as i64))?,
        DataType::Date32 => {
            let (values, nulls) = words(&value::date)?;
            let days: Vec<i32> = values.iter().map(|&day| day as i32).collect();
            return fixed_array(data_type, rows.len(), Buffer::from_vec(days), nulls).map_err(|_| Trouble::Misfit);
        }
        DataType::Timestamp(unit, zone) => {
            let zoned = zone.is_some();
            let scale = if *unit == TimeUnit::Microsecond { 1_000_000 } else { 1_000_000_000 };
            words(&|field| {
                let moment = value::moment(field).filter(|moment| moment.zoned == zoned)?;
                if moment.fine && scale == 1_000_000 {
                    return None;
                }
                let rest = i64::from(moment.nanos) / (1_000_000_000 / scale);
                moment.seconds.checked_mul(scale)?.checked_add(rest)
            })?
        }
        _ => return text(rows, column),
    };
    fixed_array(data_type, rows.len(), Buffer::from_vec(values), nulls).map_err(|_| Trouble::Misfit)
}

/// Fields as words of 64 bits; 0 where one is null.
fn words(
    rows: &Rows,
    column: usize,
    parse: &dyn Fn(&[u8]) -> Option<i64>,
) -> Result<(Vec<i64>, Option<NullBuffer>), Trouble> {
    let mut values = Vec::with_capacity(rows.len());
    let mut nulls = 0;
    for field in rows.column(column) {
        values.push(if field.is_empty() {
            nulls += 1;
            0
        } else {
            parse(field).ok_or(Trouble::Misfit)?
        });
    }
    Ok((values, validity(rows, column, nulls)))
}

fn validity(rows: &Rows, column: usize, nulls: usize) -> Option<NullBuffer> {
    let bits = || BooleanBuffer::collect_bool(rows.len(), |row| !rows.field(row, column).is_empty());
    (nulls > 0).then(|| NullBuffer::new(bits()))
}

fn text(rows: &Rows, column: usize) -> Result<ArrayRef, Trouble> {
    let mut offsets: Vec<i32> = Vec::with_capacity(rows.len() + 1);
    let mut values = Vec::with_capacity(rows.column(column).map(<[u8]>::len).sum());
    let mut nulls = 0;
    offsets.push(0);
    for field in rows.column(column) {
        values.extend_from_slice(field);
        nulls += usize::from(field.is_empty());
        offsets.push(values.len() as i32);
    }
    let nulls = validity(rows, column, nulls);
    let (offsets, values) = (Buffer::from_vec(offsets), Buffer::from_vec(values));
    bytes_array(&DataType::Utf8, rows.len(), &offsets, &values, nulls, None).map_err(|_| {
        Trouble::NotText(rows.column(column).position(|field| std::str::from_utf8(field).is_err()).unwrap_or(0))
    })
}
