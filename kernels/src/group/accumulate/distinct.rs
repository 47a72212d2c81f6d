//! How many different values each group has: pairs of group and value, interned.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::for_each_valid;
use crate::group::intern::WordInterner;
use crate::group::keys::KeyColumn;
use crate::{Indices, Result, take, types};

/// The different values, and which group has which.
#[derive(Debug)]
pub(in crate::group) struct Distinct {
    values: KeyColumn,
    pairs: WordInterner,
    counts: Vec<i64>,
}

impl Distinct {
    pub(super) fn try_new(input: &DataType) -> Result<Self> {
        Ok(Self { values: KeyColumn::try_new(input)?, pairs: WordInterner::default(), counts: Vec::new() })
    }

    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) else {
            let values = self.values.ids(array)?;
            self.add(groups, ids, &values);
            return Ok(());
        };
        let (mut rows, mut kept) = (Vec::new(), Vec::new());
        for_each_valid(ids, Some(&nulls), |id, row| {
            rows.push(row as u32);
            kept.push(id as u32);
        });
        let valid = take(array, &Indices::new_unchecked(rows, array.len()))?;
        let values = self.values.ids(valid.as_ref())?;
        self.add(groups, &kept, &values);
        Ok(())
    }

    fn add(&mut self, groups: usize, ids: &[u32], values: &[u32]) {
        self.counts.resize(groups.max(self.counts.len()), 0);
        let before = self.pairs.len();
        let words = ids.iter().zip(values).map(|(&id, &value)| u64::from(id) << 32 | u64::from(value));
        self.pairs.intern_all(&words.collect::<Vec<u64>>(), 0, &mut Vec::new());
        self.pairs.words()[before..].iter().for_each(|pair| self.counts[(pair >> 32) as usize] += 1);
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        let values = self.values.ids(other.values.array((0..other.values.len() as u32).collect())?.as_ref())?;
        let pairs = other.pairs.words().iter().map(|pair| (ids[(pair >> 32) as usize], values[*pair as u32 as usize]));
        let (ids, values): (Vec<u32>, Vec<u32>) = pairs.unzip();
        self.add(groups, &ids, &values);
        Ok(())
    }

    pub(super) fn array(&self, groups: Range<usize>) -> Result<ArrayRef> {
        let counts: Vec<i64> = groups.map(|group| self.counts.get(group).copied().unwrap_or(0)).collect();
        types::make_fixed(&DataType::Int64, counts, None, "count_distinct")
    }
}
