//! The numbers of a column as 64-bit floats, for aggregates that are floats whatever their input.

use std::borrow::Cow;

use arrow_array::types::Float16Type;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::{ArrowNativeType, i256};
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

/// The values as floats: borrowed when they are, the nearest floats when not. A null gives what lies there. Dates, times
/// and durations count their own unit.
pub(crate) fn floats(array: &dyn Array) -> Result<Cow<'_, [f64]>> {
    fn convert<T: ArrowNativeType>(array: &dyn Array, to: impl Fn(T) -> f64) -> Result<Vec<f64>> {
        Ok(types::fixed_words::<T>(array, "a number")?.iter().map(|&value| to(value)).collect())
    }
    let data_type = array.data_type();
    let Kind::Fixed(width, order) = types::kind(data_type) else { return Err(unsupported("a number", data_type)) };
    let mut floats = match (width, order) {
        (Width::W8, Order::Float) => return Ok(Cow::Borrowed(types::fixed_words(array, "a number")?)),
        #[cfg(feature = "small")]
        (Width::W1 | Width::W2 | Width::W4 | Width::W8, _) => one_loop(array, width, order)?,
        #[cfg(not(feature = "small"))]
        (Width::W4, Order::Float) => convert::<f32>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W2, Order::Float) => convert::<<Float16Type as ArrowPrimitiveType>::Native>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W1, Order::Signed) => convert::<i8>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W2, Order::Signed) => convert::<i16>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W4, Order::Signed) => convert::<i32>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W8, Order::Signed) => convert::<i64>(array, |value| value as f64)?,
        #[cfg(not(feature = "small"))]
        (Width::W1, Order::Unsigned) => convert::<u8>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W2, Order::Unsigned) => convert::<u16>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W4, Order::Unsigned) => convert::<u32>(array, f64::from)?,
        #[cfg(not(feature = "small"))]
        (Width::W8, Order::Unsigned) => convert::<u64>(array, |value| value as f64)?,
        (Width::W16, _) => convert::<i128>(array, |value| value as f64)?,
        (Width::W32, _) => convert::<i256>(array, to_float)?,
        _ => return Err(unsupported("a number", data_type)),
    };
    let scale = scale_of(data_type);
    if scale != 0 {
        let unit = 10f64.powi(i32::from(scale));
        floats.iter_mut().for_each(|value| *value /= unit);
    }
    Ok(Cow::Owned(floats))
}

/// As a loop for each width that widens the words, and one that makes them floats.
#[cfg(feature = "small")]
fn one_loop(array: &dyn Array, width: Width, order: Order) -> Result<Vec<f64>> {
    let mut words = vec![0; array.len()];
    types::load_words(array, 0, &mut words, "a number")?;
    let above = 64 - 8 * width.bytes();
    let float = |word: u64| match (order, width) {
        (Order::Float, Width::W2) => <Float16Type as ArrowPrimitiveType>::Native::from_bits(word as u16).to_f64(),
        (Order::Float, _) => f64::from(f32::from_bits(word as u32)),
        (Order::Signed, _) => ((word << above) as i64 >> above) as f64,
        _ => word as f64,
    };
    Ok(words.into_iter().map(float).collect())
}

/// The error of two states that do not belong together.
pub(super) fn mismatch() -> Box<Error> {
    Error::invalid_plan("states of different aggregates do not merge", "")
}
