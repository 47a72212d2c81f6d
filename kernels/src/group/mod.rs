//! Hash group-by: keys to dense group ids, then columnar accumulators.
//!
//! Each key column is turned into small numbers of its own (`keys.rs`), the numbers of several columns
//! are put together (`combine.rs`) until one number per row is left, and that number, dense and in the order
//! of first appearance, is the group. Accumulators (`accumulate/`) are arrays indexed by group. Rows go
//! through in blocks, so that what one step writes is still in the cache when the next one reads it.
//!
//! A [`GroupBy`] is a running state: batches are added as they come, states of different batches or
//! threads merge, and a result can be read at any time. Appending rows to a live table costs the new rows.

mod accumulate;
mod combine;
mod intern;
mod keys;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use accumulate::Accumulator;
pub(crate) use accumulate::output_type;
use combine::Combiner;
pub(crate) use intern::{ByteInterner, SHORT, pack_short};
use keys::KeyColumn;

use crate::query::AggregateFunction;
use crate::{Error, Result};

/// Rows of a block: their numbers and words fit the second level of caches.
const BLOCK: usize = 1 << 15;

/// A running hash group-by.
#[derive(Debug)]
pub struct GroupBy {
    keys: Vec<KeyColumn>,
    combiner: Combiner,
    accumulators: Vec<Accumulator>,
    groups: usize,
    /// Rows of each group, when an accumulator asks for them.
    rows: Option<Vec<i64>>,
}

impl GroupBy {
    /// Starts a grouping by columns of the given types, computing the given aggregates of columns of the
    /// given types: none for a count of rows, two for a correlation, else one.
    ///
    /// Without keys there is one group, also of no rows.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for a key, [`Error::UnsupportedAggregate`] for an aggregate.
    pub fn try_new(keys: &[DataType], aggregates: &[(AggregateFunction, Vec<DataType>)]) -> Result<Self> {
        let keys = keys.iter().map(KeyColumn::try_new).collect::<Result<Vec<_>>>()?;
        let accumulators = aggregates
            .iter()
            .map(|(function, inputs)| Accumulator::try_new(*function, inputs))
            .collect::<Result<Vec<_>>>()?;
        let combiner = Combiner::new(keys.len());
        let groups = usize::from(keys.is_empty());
        let rows = accumulators.iter().any(Accumulator::needs_rows).then(Vec::new);
        Ok(Self { keys, combiner, accumulators, groups, rows })
    }

    /// Number of groups so far.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Adds `rows` rows: one array per key, and for each aggregate its arrays (none for a count of rows).
    ///
    /// `O(rows × (keys + aggregates))`, hashing each key value once.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] when an array or the lists have another length;
    /// [`Error::UnsupportedType`] when a type is not the one that the grouping was made for.
    pub fn update(&mut self, rows: usize, keys: &[&dyn Array], values: &[Vec<&dyn Array>]) -> Result<()> {
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
        let mut start = 0;
        while start < rows {
            let count = BLOCK.min(rows - start);
            let slice = |array: &dyn Array| array.slice(start, count);
            let keys: Vec<ArrayRef> = keys.iter().map(|key| slice(*key)).collect();
            let values: Vec<Vec<ArrayRef>> =
                values.iter().map(|values| values.iter().map(|values| slice(*values)).collect()).collect();
            self.update_block(count, &keys, &values)?;
            start += count;
        }
        Ok(())
    }

    fn update_block(&mut self, rows: usize, keys: &[ArrayRef], values: &[Vec<ArrayRef>]) -> Result<()> {
        let ids = self.group_ids(rows, keys)?;
        if let Some(rows) = &mut self.rows {
            rows.resize(self.groups, 0);
            ids.iter().for_each(|&id| rows[id as usize] += 1);
        }
        for (accumulator, values) in self.accumulators.iter_mut().zip(values) {
            accumulator.update(self.groups, &ids, values)?;
        }
        Ok(())
    }

    /// The group of each row; new keys make new groups.
    fn group_ids(&mut self, rows: usize, keys: &[ArrayRef]) -> Result<Vec<u32>> {
        if self.keys.is_empty() {
            return Ok(vec![0; rows]);
        }
        let mut columns = Vec::with_capacity(keys.len());
        for (column, array) in self.keys.iter_mut().zip(keys) {
            columns.push(column.ids(array.as_ref())?);
        }
        if let ([column], Some(_)) = (&*self.keys, columns.first()) {
            self.groups = column.len();
            return Ok(columns.remove(0));
        }
        let lengths: Vec<usize> = self.keys.iter().map(KeyColumn::len).collect();
        let ids = self.combiner.ids(&columns, &lengths);
        self.groups = self.combiner.len();
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
        let ids = self.group_ids(other.groups, &keys)?;
        for (accumulator, other) in self.accumulators.iter_mut().zip(&other.accumulators) {
            accumulator.merge(self.groups, &ids, other)?;
        }
        if let (Some(rows), Some(others)) = (&mut self.rows, &other.rows) {
            rows.resize(self.groups, 0);
            ids.iter().zip(others).for_each(|(&id, &count)| rows[id as usize] += count);
        }
        Ok(())
    }

    /// The key columns, one row per group in the order of first appearance.
    ///
    /// # Errors
    /// [`Error::OffsetOverflow`] when the keys outgrow 32-bit offsets.
    pub fn key_arrays(&self) -> Result<Vec<ArrayRef>> {
        match self.keys.as_slice() {
            [] => Ok(Vec::new()),
            [column] => Ok(vec![column.array((0..self.groups as u32).collect())?]),
            columns => columns.iter().zip(self.combiner.columns()).map(|(column, ids)| column.array(ids)).collect(),
        }
    }

    /// The aggregates, one array each, one row per group in the order of first appearance.
    ///
    /// # Errors
    /// [`Error::Overflow`] when a sum leaves the range of its type.
    pub fn aggregate_arrays(&self) -> Result<Vec<ArrayRef>> {
        self.accumulators
            .iter()
            .map(|accumulator| accumulator.array(self.groups, self.rows.as_deref().unwrap_or(&[])))
            .collect()
    }
}
