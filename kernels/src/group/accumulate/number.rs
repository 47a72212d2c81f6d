//! The values of a numeric column, widened: 64-bit integers as they are, narrower ones copied once.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::DataType;

use crate::Result;
use crate::types::{self, Kind, Order, Width};

/// A numeric column as one of four word types.
pub(super) enum Numbers<'a> {
    Signed(Cow<'a, [i64]>),
    Unsigned(Cow<'a, [u64]>),
    Wide(Cow<'a, [i128]>),
    Float(Cow<'a, [f64]>),
}

impl<'a> Numbers<'a> {
    pub(super) fn try_new(array: &'a dyn Array) -> Result<Self> {
        let operation = "sum";
        let widened = |bytes: Width| -> Result<Cow<'a, [i64]>> {
            Ok(match bytes {
                Width::W1 => types::fixed_words::<i8>(array, operation)?.iter().map(|&v| v.into()).collect(),
                Width::W2 => types::fixed_words::<i16>(array, operation)?.iter().map(|&v| v.into()).collect(),
                Width::W4 => types::fixed_words::<i32>(array, operation)?.iter().map(|&v| v.into()).collect(),
                _ => Cow::Borrowed(types::fixed_words::<i64>(array, operation)?),
            })
        };
        let unsigned = |bytes: Width| -> Result<Cow<'a, [u64]>> {
            Ok(match bytes {
                Width::W1 => types::fixed_words::<u8>(array, operation)?.iter().map(|&v| v.into()).collect(),
                Width::W2 => types::fixed_words::<u16>(array, operation)?.iter().map(|&v| v.into()).collect(),
                Width::W4 => types::fixed_words::<u32>(array, operation)?.iter().map(|&v| v.into()).collect(),
                _ => Cow::Borrowed(types::fixed_words::<u64>(array, operation)?),
            })
        };
        match (array.data_type(), types::kind(array.data_type())) {
            (DataType::Float16, _) => Ok(Self::Float(floats::<Float16Type>(array, |v| v.to_f64()))),
            (DataType::Float32, _) => Ok(Self::Float(floats::<Float32Type>(array, f64::from))),
            (_, Kind::Fixed(Width::W8, Order::Float)) => {
                Ok(Self::Float(Cow::Borrowed(types::fixed_words::<f64>(array, operation)?)))
            }
            (_, Kind::Fixed(Width::W16, Order::Signed)) => {
                Ok(Self::Wide(Cow::Borrowed(types::fixed_words::<i128>(array, operation)?)))
            }
            (_, Kind::Fixed(width, Order::Signed)) if super::is_narrow(width) => Ok(Self::Signed(widened(width)?)),
            (_, Kind::Fixed(width, Order::Unsigned)) => Ok(Self::Unsigned(unsigned(width)?)),
            _ => Err(types::unsupported(operation, array.data_type())),
        }
    }
}

fn floats<T: ArrowPrimitiveType>(array: &dyn Array, widen: impl Fn(T::Native) -> f64) -> Cow<'static, [f64]> {
    array.as_primitive::<T>().values().iter().map(|&value| widen(value)).collect()
}
