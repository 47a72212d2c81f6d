//! Sums and means of 256-bit decimals.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use arrow_schema::{DECIMAL256_MAX_PRECISION, DataType};

use super::{Seen, for_each_valid, sum_overflow};
use crate::Result;
use crate::types;

/// The sum of each group, or its mean.
#[derive(Debug)]
pub(in crate::group) struct Long {
    sums: Vec<i256>,
    /// Values of each group.
    counts: Vec<i64>,
    seen: Seen,
    scale: i8,
    mean: bool,
}

impl Long {
    pub(super) fn new(scale: i8, mean: bool) -> Self {
        Self { sums: Vec::new(), counts: Vec::new(), seen: Seen::default(), scale, mean }
    }

    fn resize(&mut self, groups: usize) {
        self.sums.resize(groups, i256::ZERO);
        self.counts.resize(groups, 0);
    }

    /// A sum that leaves 256 bits on the way is an error at once: that takes values of more than 75 digits.
    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        self.resize(groups);
        self.seen.update(groups, ids, array.nulls());
        let values = types::fixed_words::<i256>(array, "sum")?;
        let mut overflow = false;
        for_each_valid(ids, array.nulls(), |id, row| {
            let sum = self.sums[id].checked_add(values[row]);
            overflow |= sum.is_none();
            self.sums[id] = sum.unwrap_or(i256::ZERO);
            self.counts[id] += 1;
        });
        if overflow { Err(sum_overflow()) } else { Ok(()) }
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        self.resize(groups);
        self.seen.merge(groups, ids, &other.seen);
        for ((&id, &sum), count) in ids.iter().zip(&other.sums).zip(&other.counts) {
            let id = id as usize;
            self.sums[id] = self.sums[id].checked_add(sum).ok_or_else(sum_overflow)?;
            self.counts[id] += count;
        }
        Ok(())
    }

    pub(super) fn array(&self, groups: Range<usize>) -> Result<ArrayRef> {
        let sum = |group: usize| self.sums.get(group).copied().unwrap_or(i256::ZERO);
        let nulls = self.seen.nulls(groups.clone());
        if self.mean {
            let unit = 10f64.powi(i32::from(self.scale));
            let count = |group: usize| self.counts.get(group).map_or(1, |&count| count.max(1));
            let means: Vec<f64> = groups.map(|group| to_float(sum(group)) / count(group) as f64 / unit).collect();
            return types::make_fixed(&DataType::Float64, means, nulls, "mean");
        }
        // Ten to the greatest precision.
        let limit =
            i256::from_parts(0x7775_a5f1_7195_1000_0000_0000_0000_0000, 0x161b_cca7_1199_15b5_0764_b4ab_e865_2979);
        let sums: Vec<i256> = groups.map(sum).collect();
        if sums.iter().any(|&sum| sum >= limit || sum <= limit.wrapping_neg()) {
            return Err(sum_overflow());
        }
        types::make_fixed(&sum_type(self.scale), sums, nulls, "sum")
    }
}

/// The type of the sum.
pub(super) fn sum_type(scale: i8) -> DataType {
    DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale)
}

/// The nearest float, or one beside it.
pub(super) fn to_float(value: i256) -> f64 {
    let (low, high) = value.to_parts();
    high as f64 * 2f64.powi(128) + low as f64
}
