//! Sums of numbers by group, in the width that cannot overflow on the way.
//!
//! Numbers of up to 32 bits are added in 64 bits, which hold two thousand million of them; before there can be
//! more, the sums move up into 128 bits. Wider integers are added in 128 bits at once.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::{for_each_valid, sum_overflow};
use crate::types::{self, Kind, Order, Width};
use crate::{Result, bits};

/// Rows whose 32-bit values a 64-bit sum can hold.
const NARROW_ROWS: usize = 1 << 31;

/// Exact sums of integers or decimals.
#[derive(Debug, Default)]
pub(in crate::group) struct IntegerSums {
    narrow: Vec<i64>,
    /// Rows whose values stand in `narrow`.
    narrow_rows: usize,
    wide: Vec<i128>,
}

impl IntegerSums {
    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        let nulls = array.nulls();
        macro_rules! narrow {
            ($type:ty) => {{
                let values = types::fixed_words::<$type>(array, "sum")?;
                if self.narrow_rows + ids.len() > NARROW_ROWS {
                    self.widen();
                }
                self.narrow_rows += ids.len();
                self.narrow.resize(groups, 0);
                let sums = &mut self.narrow[..];
                for_each_pair(ids, values, nulls, |id, value| sums[id] += i64::from(value));
            }};
        }
        macro_rules! wide {
            ($type:ty) => {{
                let values = types::fixed_words::<$type>(array, "sum")?;
                self.wide.resize(groups, 0);
                let sums = &mut self.wide[..];
                for_each_pair(ids, values, nulls, |id, value| sums[id] += i128::from(value));
            }};
        }
        match types::kind(array.data_type()) {
            Kind::Fixed(Width::W1, Order::Signed) => narrow!(i8),
            Kind::Fixed(Width::W2, Order::Signed) => narrow!(i16),
            Kind::Fixed(Width::W4, Order::Signed) => narrow!(i32),
            Kind::Fixed(Width::W1, Order::Unsigned) => narrow!(u8),
            Kind::Fixed(Width::W2, Order::Unsigned) => narrow!(u16),
            Kind::Fixed(Width::W4, Order::Unsigned) => narrow!(u32),
            Kind::Fixed(Width::W8, Order::Signed) => wide!(i64),
            Kind::Fixed(Width::W8, Order::Unsigned) => wide!(u64),
            Kind::Fixed(Width::W16, Order::Signed) => {
                let values = types::fixed_words::<i128>(array, "sum")?;
                self.wide.resize(groups, 0);
                let sums = &mut self.wide[..];
                let mut overflow = false;
                for_each_pair(ids, values, nulls, |id, value| {
                    let (sum, over) = sums[id].overflowing_add(value);
                    sums[id] = sum;
                    overflow |= over;
                });
                if overflow {
                    return Err(sum_overflow());
                }
            }
            _ => return Err(types::unsupported("sum", array.data_type())),
        }
        Ok(())
    }

    fn widen(&mut self) {
        self.wide.resize(self.wide.len().max(self.narrow.len()), 0);
        self.wide
            .iter_mut()
            .zip(&mut self.narrow)
            .for_each(|(wide, narrow)| *wide += i128::from(std::mem::take(narrow)));
        self.narrow_rows = 0;
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        self.wide.resize(groups.max(self.wide.len()), 0);
        for (group, &id) in ids.iter().enumerate() {
            let sum = &mut self.wide[id as usize];
            *sum = sum.checked_add(other.get(group)).ok_or_else(sum_overflow)?;
        }
        Ok(())
    }

    /// The sum of a group.
    pub(super) fn get(&self, group: usize) -> i128 {
        let narrow = self.narrow.get(group).copied().unwrap_or(0);
        self.wide.get(group).copied().unwrap_or(0).saturating_add(narrow.into())
    }
}

/// Adds the floats of an array to their groups' sums, in the order of the rows.
pub(super) fn add_floats(sums: &mut Vec<f64>, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
    sums.resize(groups, 0.0);
    let nulls = array.nulls();
    let sums = &mut sums[..];
    match array.data_type() {
        DataType::Float16 => each_float::<Float16Type>(ids, array, |id, value| sums[id] += value.to_f64()),
        DataType::Float32 => each_float::<Float32Type>(ids, array, |id, value| sums[id] += f64::from(value)),
        DataType::Float64 => {
            let values = types::fixed_words::<f64>(array, "sum")?;
            for_each_pair(ids, values, nulls, |id, value| sums[id] += value);
        }
        _ => return Err(types::unsupported("sum", array.data_type())),
    }
    Ok(())
}

fn each_float<T: ArrowPrimitiveType>(ids: &[u32], array: &dyn Array, mut each: impl FnMut(usize, T::Native)) {
    let values = array.as_primitive::<T>().values();
    for_each_valid(ids, array.nulls(), |id, row| each(id, values[row]));
}

/// Calls `each(group, value)` for every value that is not null.
#[inline(always)]
fn for_each_pair<T: Copy>(ids: &[u32], values: &[T], nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, T)) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => ids.iter().zip(values).for_each(|(&id, &value)| each(id as usize, value)),
        Some(nulls) => bits::for_each_set(nulls.inner(), |row| each(ids[row] as usize, values[row])),
    }
}
