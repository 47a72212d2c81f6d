//! Cells as numbers, and what is told of many of them: count, sum, mean, least, greatest.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::DataType;

use crate::format;

/// The number in a cell; `None` for nulls and for what is no number.
pub(crate) fn number(array: &dyn Array, row: usize) -> Option<f64> {
    if array.is_null(row) {
        return None;
    }
    macro_rules! plain {
        ($type:ty) => {
            array.as_primitive_opt::<$type>().map(|array| array.value(row) as f64)
        };
    }
    macro_rules! scaled {
        ($type:ty, $scale:expr) => {
            array.as_primitive_opt::<$type>().map(|array| array.value(row) as f64 / 10f64.powi(i32::from($scale)))
        };
    }
    match array.data_type() {
        DataType::Int8 => plain!(Int8Type),
        DataType::Int16 => plain!(Int16Type),
        DataType::Int32 => plain!(Int32Type),
        DataType::Int64 => plain!(Int64Type),
        DataType::UInt8 => plain!(UInt8Type),
        DataType::UInt16 => plain!(UInt16Type),
        DataType::UInt32 => plain!(UInt32Type),
        DataType::UInt64 => plain!(UInt64Type),
        DataType::Float16 => array.as_primitive_opt::<Float16Type>().map(|array| f64::from(array.value(row))),
        DataType::Float32 => plain!(Float32Type),
        DataType::Float64 => plain!(Float64Type),
        DataType::Decimal32(_, scale) => scaled!(Decimal32Type, *scale),
        DataType::Decimal64(_, scale) => scaled!(Decimal64Type, *scale),
        DataType::Decimal128(_, scale) => scaled!(Decimal128Type, *scale),
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary_opt()?;
            let key = format::key_of(array.keys(), row);
            (key < array.values().len()).then(|| number(array.values().as_ref(), key)).flatten()
        }
        _ => None,
    }
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
