//! The numbers of a column as 64-bit floats, for aggregates that are floats whatever their input.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::DataType;

use super::long::to_float;
use crate::types::{self, Kind, Order, Width, unsupported};
use crate::{Error, Result};

/// Whether a column of this type has numbers.
pub(super) fn is_number(data_type: &DataType) -> bool {
    use DataType as D;
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(data_type, D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..))
}

/// The digits behind a decimal's point; 0 for other types.
pub(super) fn scale_of(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// The values as floats: borrowed when they are, the nearest floats when not. A null gives what lies there.
pub(crate) fn floats(array: &dyn Array) -> Result<Cow<'_, [f64]>> {
    fn convert<T: ArrowPrimitiveType>(array: &dyn Array, to: impl Fn(T::Native) -> f64) -> Result<Cow<'_, [f64]>> {
        let array = array.as_primitive_opt::<T>().ok_or_else(|| unsupported("a number", array.data_type()))?;
        Ok(Cow::Owned(array.values().iter().map(|&value| to(value)).collect()))
    }
    let unit = 10f64.powi(i32::from(scale_of(array.data_type())));
    match array.data_type() {
        DataType::Float64 => Ok(Cow::Borrowed(types::fixed_words(array, "a number")?)),
        DataType::Float32 => convert::<Float32Type>(array, f64::from),
        DataType::Float16 => convert::<Float16Type>(array, f64::from),
        DataType::Int8 => convert::<Int8Type>(array, f64::from),
        DataType::Int16 => convert::<Int16Type>(array, f64::from),
        DataType::Int32 => convert::<Int32Type>(array, f64::from),
        DataType::Int64 => convert::<Int64Type>(array, |value| value as f64),
        DataType::UInt8 => convert::<UInt8Type>(array, f64::from),
        DataType::UInt16 => convert::<UInt16Type>(array, f64::from),
        DataType::UInt32 => convert::<UInt32Type>(array, f64::from),
        DataType::UInt64 => convert::<UInt64Type>(array, |value| value as f64),
        DataType::Decimal32(..) => convert::<Decimal32Type>(array, |value| f64::from(value) / unit),
        DataType::Decimal64(..) => convert::<Decimal64Type>(array, |value| value as f64 / unit),
        DataType::Decimal128(..) => convert::<Decimal128Type>(array, |value| value as f64 / unit),
        DataType::Decimal256(..) => convert::<Decimal256Type>(array, |value| to_float(value) / unit),
        // Dates, times and durations count their own unit.
        other => match types::kind(other) {
            Kind::Fixed(Width::W4, Order::Signed) => {
                let words = types::fixed_words::<i32>(array, "a number")?;
                Ok(Cow::Owned(words.iter().map(|&value| f64::from(value)).collect()))
            }
            Kind::Fixed(Width::W8, Order::Signed) => {
                let words = types::fixed_words::<i64>(array, "a number")?;
                Ok(Cow::Owned(words.iter().map(|&value| value as f64).collect()))
            }
            _ => Err(unsupported("a number", other)),
        },
    }
}

/// The error of two states that do not belong together.
pub(super) fn mismatch() -> Error {
    Error::InvalidPlan { reason: "states of different aggregates do not merge", detail: String::new() }
}
