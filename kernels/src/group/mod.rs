//! Hash group-by: keys to dense group ids, then columnar accumulators.
//!
//! Each key column is turned into small numbers of its own (`keys.rs`), the numbers of several columns
//! are paired up until one number per row is left, and that number, dense and in the order of first
//! appearance, is the group. Accumulators (`accumulate/`) are arrays indexed by group.
//!
//! A [`GroupBy`] is a running state: batches are added as they come, states of different batches or
//! threads merge, and a result can be read at any time. Appending rows to a live table costs the new rows.

mod accumulate;
mod intern;
mod keys;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use accumulate::Accumulator;
pub(crate) use accumulate::output_type;
use intern::WordInterner;
pub(crate) use intern::{ByteInterner, SHORT, pack_short};
use keys::KeyColumn;

use crate::query::AggregateFunction;
use crate::{Error, Result};

/// A running hash group-by.
#[derive(Debug)]
pub struct GroupBy {
    keys: Vec<KeyColumn>,
    /// The first pairs columns 0 and 1, the next its result and column 2, and so on.
    pairs: Vec<WordInterner>,
    accumulators: Vec<Accumulator>,
    groups: usize,
}

impl GroupBy {
    /// Starts a grouping by columns of the given types, computing the given aggregates of columns of the
    /// given types (`None` for a count of rows).
    ///
    /// Without keys there is one group, also of no rows.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for a key, [`Error::UnsupportedAggregate`] for an aggregate.
    pub fn try_new(keys: &[DataType], aggregates: &[(AggregateFunction, Option<DataType>)]) -> Result<Self> {
        let keys = keys.iter().map(KeyColumn::try_new).collect::<Result<Vec<_>>>()?;
        let accumulators = aggregates
            .iter()
            .map(|(function, data_type)| Accumulator::try_new(*function, data_type.as_ref()))
            .collect::<Result<Vec<_>>>()?;
        let pairs = (1..keys.len()).map(|_| WordInterner::default()).collect();
        let groups = usize::from(keys.is_empty());
        Ok(Self { keys, pairs, accumulators, groups })
    }

    /// Number of groups so far.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Adds `rows` rows: one array per key and one per aggregate (`None` for a count of rows).
    ///
    /// `O(rows × (keys + aggregates))`, hashing each key value once.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] when an array or the lists have another length;
    /// [`Error::UnsupportedType`] when a type is not the one that the grouping was made for.
    pub fn update(&mut self, rows: usize, keys: &[&dyn Array], values: &[Option<&dyn Array>]) -> Result<()> {
        if keys.len() != self.keys.len() || values.len() != self.accumulators.len() {
            return Err(Error::LengthMismatch {
                expected: self.keys.len() + self.accumulators.len(),
                found: keys.len() + values.len(),
            });
        }
        let all = keys.iter().copied().chain(values.iter().flatten().copied());
        if let Some(odd) = all.map(Array::len).find(|&len| len != rows) {
            return Err(Error::LengthMismatch { expected: rows, found: odd });
        }
        let ids = self.group_ids(rows, keys)?;
        for (accumulator, values) in self.accumulators.iter_mut().zip(values) {
            accumulator.update(self.groups, &ids, *values)?;
        }
        Ok(())
    }

    /// The group of each row; new keys make new groups.
    fn group_ids(&mut self, rows: usize, keys: &[&dyn Array]) -> Result<Vec<u32>> {
        let Some((first, rest)) = self.keys.split_first_mut() else {
            return Ok(vec![0; rows]);
        };
        let mut ids = first.ids(keys[0])?;
        self.groups = first.len();
        for ((column, array), pairs) in rest.iter_mut().zip(&keys[1..]).zip(&mut self.pairs) {
            let others = column.ids(*array)?;
            for (id, other) in ids.iter_mut().zip(others) {
                *id = pairs.intern(u64::from(*id) << 32 | u64::from(other));
            }
            self.groups = pairs.len();
        }
        Ok(ids)
    }

    /// Adds the groups of another state with the same keys and aggregates, as if its rows had come after
    /// this one's. `O(groups of the other)`.
    ///
    /// # Errors
    /// As [`GroupBy::update`].
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if other.accumulators.len() != self.accumulators.len() {
            return Err(Error::LengthMismatch { expected: self.accumulators.len(), found: other.accumulators.len() });
        }
        let keys = other.key_arrays()?;
        let keys: Vec<&dyn Array> = keys.iter().map(|key| key.as_ref()).collect();
        let ids = self.group_ids(other.groups, &keys)?;
        for (accumulator, other) in self.accumulators.iter_mut().zip(&other.accumulators) {
            accumulator.merge(self.groups, &ids, other)?;
        }
        Ok(())
    }

    /// The key columns, one row per group in the order of first appearance.
    ///
    /// # Errors
    /// [`Error::OffsetOverflow`] when the keys outgrow 32-bit offsets.
    pub fn key_arrays(&self) -> Result<Vec<ArrayRef>> {
        let Some((first, rest)) = self.keys.split_first() else { return Ok(Vec::new()) };
        // Walk the pairs backwards: the last gives each group's last column and the pair before it.
        let mut ids: Vec<u32> = (0..self.groups as u32).collect();
        let mut arrays = Vec::with_capacity(self.keys.len());
        for (column, pairs) in rest.iter().zip(&self.pairs).rev() {
            let parts = pairs.words();
            arrays.push(column.array(ids.iter().map(|&id| parts[id as usize] as u32).collect())?);
            for id in &mut ids {
                *id = (parts[*id as usize] >> 32) as u32;
            }
        }
        arrays.push(first.array(ids)?);
        arrays.reverse();
        Ok(arrays)
    }

    /// The aggregates, one array each, one row per group in the order of first appearance.
    ///
    /// # Errors
    /// [`Error::Overflow`] when a sum leaves the range of its type.
    pub fn aggregate_arrays(&self) -> Result<Vec<ArrayRef>> {
        self.accumulators.iter().map(|accumulator| accumulator.array(self.groups)).collect()
    }
}
