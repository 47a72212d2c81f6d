//! Cells as numbers, and what is told of many of them: count, sum, mean, least, greatest.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type};
use arrow_schema::DataType;
use kernels::arrays::{fixed_bytes, fixed_width};

use crate::format;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// A cell of a type of fixed width as it lies in memory, null or not.
pub(crate) fn bytes_of(array: &dyn Array, row: usize) -> Option<&[u8]> {
    let width = fixed_width(array.data_type())?;
    fixed_bytes(array)?.get(row * width..)?.get(..width)
}

/// The same as a whole number, where it has at most 64 bits; of unsigned ones of 64 bits, these.
pub(crate) fn word(array: &dyn Array, row: usize) -> Option<i64> {
    let bytes = bytes_of(array, row)?;
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let spare = 64 - 8 * bytes.len() as u32;
    let word = i64::from_le_bytes(word) << spare;
    let is_unsigned = array.data_type().is_unsigned_integer();
    Some(if is_unsigned { (word as u64 >> spare) as i64 } else { word >> spare })
}

/// The number in a cell; `None` for nulls and for what is no number.
pub(crate) fn number(array: &dyn Array, row: usize) -> Option<f64> {
    if array.is_null(row) {
        return None;
    }
    let scaled = |value: f64, scale: i8| value / 10f64.powi(i32::from(scale));
    let word = || word(array, row);
    Some(match array.data_type() {
        DataType::Float16 => Half::from_bits(word()? as u16).into(),
        DataType::Float32 => f32::from_bits(word()? as u32).into(),
        DataType::Float64 => f64::from_bits(word()? as u64),
        DataType::UInt64 => word()? as u64 as f64,
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => scaled(word()? as f64, *scale),
        DataType::Decimal128(_, scale) => {
            scaled(i128::from_le_bytes(bytes_of(array, row)?.try_into().ok()?) as f64, *scale)
        }
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary_opt()?;
            let key = format::key_of(array.keys(), row);
            return (key < array.values().len()).then(|| number(array.values().as_ref(), key)).flatten();
        }
        other if other.is_integer() => word()? as f64,
        _ => return None,
    })
}

/// A running count, sum and extremes. The sum carries what rounding lost (Neumaier), so that a million cents are
/// whole again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Cells that are not null.
    pub(crate) present: usize,
    /// Those among them that are numbers.
    pub(crate) numbers: usize,
    sum: f64,
    lost: f64,
    least: f64,
    greatest: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, value: f64) {
        if self.numbers == 0 {
            (self.least, self.greatest) = (value, value);
        }
        self.numbers += 1;
        let sum = self.sum + value;
        let larger = self.sum.abs() >= value.abs();
        self.lost += if larger { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    /// Cells that are not null, numbers, sum, mean, least, greatest.
    pub(crate) fn told(&self) -> Vec<f64> {
        // What is infinite has lost nothing that could be given back.
        let sum = if self.lost.is_finite() { self.sum + self.lost } else { self.sum };
        let mean = sum / self.numbers as f64;
        vec![self.present as f64, self.numbers as f64, sum, mean, self.least, self.greatest]
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Decimal128Array, Int16Array, StringArray, UInt64Array};

    use super::*;

    #[test]
    fn sums_do_not_drift() {
        let mut tally = Tally::default();
        (0..1_000_000).for_each(|_| tally.add(0.01));
        assert_eq!(tally.told()[2], 10_000.0);
        let mut tally = Tally::default();
        [1e100, 1.0, -1e100].into_iter().for_each(|value| tally.add(value));
        assert_eq!(tally.told(), [0.0, 3.0, 1.0, 1.0 / 3.0, -1e100, 1e100]);
        let mut tally = Tally::default();
        [f64::INFINITY, 1.0].into_iter().for_each(|value| tally.add(value));
        assert_eq!(tally.told()[2], f64::INFINITY);
    }

    #[test]
    fn cells_are_numbers_or_not() {
        assert_eq!(number(&Int16Array::from(vec![Some(-3), None]), 0), Some(-3.0));
        assert_eq!(number(&Int16Array::from(vec![Some(-3), None]), 1), None);
        assert_eq!(number(&UInt64Array::from(vec![7]), 0), Some(7.0));
        assert_eq!(number(&StringArray::from(vec!["7"]), 0), None);
        let decimal = Decimal128Array::from(vec![-1250]).with_precision_and_scale(9, 2).unwrap();
        assert_eq!(number(&decimal, 0), Some(-12.5));
    }
}
