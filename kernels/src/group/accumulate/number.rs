//! Sums of numbers by group, in the width that cannot overflow on the way.
//!
//! Numbers of up to 32 bits are added in 64 bits, which hold two thousand million of them; before there can be
//! more, the sums move up into 128 bits. Wider integers are added in 128 bits at once.

use arrow_array::Array;
use arrow_buffer::NullBuffer;

use super::floats::floats;
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
        #[cfg(not(feature = "small"))]
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
        #[cfg(not(feature = "small"))]
        macro_rules! wide {
            ($type:ty) => {{
                let values = types::fixed_words::<$type>(array, "sum")?;
                self.wide.resize(groups, 0);
                let sums = &mut self.wide[..];
                for_each_pair(ids, values, nulls, |id, value| sums[id] += i128::from(value));
            }};
        }
        match types::kind(array.data_type()) {
            #[cfg(feature = "small")]
            Kind::Fixed(width @ (Width::W1 | Width::W2 | Width::W4 | Width::W8), order) if order != Order::Float => {
                self.add_words(groups, ids, array, width, order)?;
            }
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W1, Order::Signed) => narrow!(i8),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W2, Order::Signed) => narrow!(i16),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W4, Order::Signed) => narrow!(i32),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W1, Order::Unsigned) => narrow!(u8),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W2, Order::Unsigned) => narrow!(u16),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W4, Order::Unsigned) => narrow!(u32),
            #[cfg(not(feature = "small"))]
            Kind::Fixed(Width::W8, Order::Signed) => wide!(i64),
            #[cfg(not(feature = "small"))]
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

#[cfg(feature = "small")]
impl IntegerSums {
    /// Adds words of up to 64 bits: one loop for each width widens them.
    fn add_words(&mut self, groups: usize, ids: &[u32], array: &dyn Array, width: Width, order: Order) -> Result<()> {
        let mut words = vec![0; ids.len()];
        types::load_words(array, 0, &mut words, "sum")?;
        if width == Width::W8 {
            self.wide.resize(groups, 0);
            let sums = &mut self.wide[..];
            // What stands above the word: its sign, if it has one.
            let signs = if order == Order::Signed { -1 } else { 0 };
            let wide = |word: u64| i128::from(word as i64 >> 63 & signs) << 64 | i128::from(word);
            for_each_pair(ids, &words, array.nulls(), |id, word| sums[id] += wide(word));
            return Ok(());
        }
        if self.narrow_rows + ids.len() > NARROW_ROWS {
            self.widen();
        }
        self.narrow_rows += ids.len();
        self.narrow.resize(groups, 0);
        let sums = &mut self.narrow[..];
        let above = if order == Order::Signed { 64 - 8 * width.bytes() } else { 0 };
        let number = |word: u64| (word << above) as i64 >> above;
        for_each_pair(ids, &words, array.nulls(), |id, word| sums[id] += number(word));
        Ok(())
    }
}

/// Adds the floats of an array to their groups' sums, in the order of the rows.
pub(super) fn add_floats(sums: &mut Vec<f64>, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
    let Kind::Fixed(_, Order::Float) = types::kind(array.data_type()) else {
        return Err(types::unsupported("sum", array.data_type()));
    };
    sums.resize(groups, 0.0);
    let (numbers, sums) = (floats(array)?, &mut sums[..]);
    for_each_pair(ids, &numbers, array.nulls(), |id, value| sums[id] += value);
    Ok(())
}

/// Calls `each(group, value)` for every value that is not null.
#[inline(always)]
fn for_each_pair<T: Copy>(ids: &[u32], values: &[T], nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, T)) {
    if cfg!(feature = "small") {
        return for_each_valid(ids, nulls, |id, row| each(id, values[row]));
    }
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => ids.iter().zip(values).for_each(|(&id, &value)| each(id as usize, value)),
        Some(nulls) => bits::for_each_set(nulls.inner(), |row| each(ids[row] as usize, values[row])),
    }
}
