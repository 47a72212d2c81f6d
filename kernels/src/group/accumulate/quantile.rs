//! Median and quantiles: all values are kept, and put to their groups when the result is read.
//!
//! A quantile between two values is found on the straight line between them (as numpy, R-7 and most databases'
//! `quantile_cont` do). Values are selected, not sorted: `O(values)`. 12 bytes are kept for each value.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};

use super::floats::floats;
use super::{float_array, for_each_valid};
use crate::sort::{Scatter, select};
use crate::types::{Order, Word};
use crate::{Error, Result, threads};

/// Every value so far, with its group.
#[derive(Debug)]
pub(in crate::group) struct Quantile {
    fraction: f64,
    ids: Vec<u32>,
    /// Ordered as the floats are, in total order.
    keys: Vec<u64>,
}

impl Quantile {
    pub(super) fn new(fraction: f64) -> Self {
        Self { fraction, ids: Vec::new(), keys: Vec::new() }
    }

    pub(super) fn update(&mut self, ids: &[u32], array: &dyn Array) -> Result<()> {
        let rows = self.ids.len() + ids.len();
        if u32::try_from(rows).is_err() {
            return Err(Error::too_many_rows(rows));
        }
        let numbers = floats(array)?;
        if array.null_count() == 0 {
            self.ids.extend_from_slice(ids);
            self.keys.extend(numbers.iter().map(|number| number.to_bits().to_key(Order::Float)));
            return Ok(());
        }
        for_each_valid(ids, array.nulls(), |id, row| {
            self.ids.push(id as u32);
            self.keys.push(numbers[row].to_bits().to_key(Order::Float));
        });
        Ok(())
    }

    pub(super) fn merge(&mut self, ids: &[u32], other: &Self) -> Result<()> {
        let rows = self.ids.len() + other.ids.len();
        if u32::try_from(rows).is_err() {
            return Err(Error::too_many_rows(rows));
        }
        self.ids.extend(other.ids.iter().map(|&id| ids[id as usize]));
        self.keys.extend_from_slice(&other.keys);
        Ok(())
    }

    pub(super) fn array(&self, range: Range<usize>) -> Result<ArrayRef> {
        let (first, groups) = (range.start as u32, range.len());
        let here = |id: u32| Some(id.wrapping_sub(first) as usize).filter(|&group| group < groups);
        // Threads take a stretch of the values each, and then a stretch of the groups.
        let mut pieces = threads::map_ranges(self.keys.len(), 1, |range| {
            let (ids, keys) = (&self.ids[range.clone()], &self.keys[range]);
            let mut starts = vec![0u32; groups + 1];
            ids.iter().filter_map(|&id| here(id)).for_each(|group| starts[group + 1] += 1);
            (0..groups).for_each(|group| starts[group + 1] += starts[group]);
            let mut scatter = Scatter::new(starts[groups] as usize, &starts);
            for (&id, &key) in ids.iter().zip(keys) {
                if let Some(group) = here(id) {
                    scatter.push(group, key);
                }
            }
            (scatter, starts)
        });
        let alone = threads::count() == 1 || pieces.len() == 1;
        if alone {
            let Some((scatter, starts)) = pieces.first_mut() else { return float_array(range, |_| None) };
            let keys = scatter.finish();
            let value = |bounds: &[u32]| quantile(&mut keys[bounds[0] as usize..bounds[1] as usize], self.fraction);
            let values: Vec<Option<f64>> = starts.windows(2).map(value).collect();
            return float_array(0..groups, |group| values[group]);
        }
        let pieces: Vec<(&[u64], &[u32])> =
            pieces.iter_mut().map(|(scatter, starts)| (&*scatter.finish(), &starts[..])).collect();
        let share = groups.div_ceil(4 * threads::count()).max(1);
        let stretches = (0..groups).step_by(share).map(|first| first..groups.min(first + share)).collect();
        let values = threads::map(stretches, |stretch: Range<usize>| {
            let mut joined = Vec::new();
            let value = |group: usize| {
                joined.clear();
                for (keys, starts) in &pieces {
                    joined.extend_from_slice(&keys[starts[group] as usize..starts[group + 1] as usize]);
                }
                quantile(&mut joined, self.fraction)
            };
            stretch.map(value).collect::<Vec<Option<f64>>>()
        });
        let values: Vec<Option<f64>> = values.into_iter().flatten().collect();
        float_array(0..groups, |group| values[group])
    }
}

/// The quantile of some keys, in any order.
fn quantile(keys: &mut [u64], fraction: f64) -> Option<f64> {
    let last = keys.len().checked_sub(1)?;
    let place = fraction * last as f64;
    let below = (place.floor() as usize).min(last);
    let number = |key: u64| f64::from_bits(key.to_word(Order::Float));
    let (low, high) = select(keys, below);
    let share = place - below as f64;
    match high {
        Some(high) if share > 0.0 && high != low => {
            let (low, high) = (number(low), number(high));
            // Both products are finite where the difference may not be.
            Some(low * (1.0 - share) + high * share)
        }
        _ => Some(number(low)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_values_lies_a_straight_line() {
        let of = |values: &[f64], fraction| {
            let mut keys: Vec<u64> = values.iter().map(|value| value.to_bits().to_key(Order::Float)).collect();
            quantile(&mut keys, fraction)
        };
        assert_eq!(of(&[], 0.5), None);
        assert_eq!(of(&[3.0], 0.9), Some(3.0));
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.25), Some(2.0));
        assert_eq!(of(&[-f64::MAX, f64::MAX], 0.5), Some(0.0));
        assert_eq!(of(&[10.0, 0.0], 0.1), Some(1.0));
    }
}
