//! Hash group-by: keys to dense group ids, then columnar accumulators.
//!
//! The keys of a row, each with only the bits that tell its values apart (`part.rs`), stand side by side in one code
//! (`codes.rs`), and the code is looked up (`table.rs`): by index where it is short, by hash where it is not. What is
//! found is the group, a dense number in the order of first appearance. Values that have no short code, such as long
//! text, are interned first (`keys.rs`, `intern.rs`). Accumulators (`accumulate/`) are arrays indexed by group. Rows go
//! through in blocks, so that what one step writes is still in the cache when the next one reads it.
//!
//! A [`GroupBy`] is a running state: batches are added as they come, states of different batches or
//! threads merge, and a result can be read at any time. Appending rows to a live table costs the new rows.

mod accumulate;
mod codes;
mod intern;
mod keys;
mod numbers;
mod part;
mod table;

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use accumulate::Accumulator;
pub(crate) use accumulate::{floats, output_type};
use codes::Codes;
pub(crate) use intern::{ByteInterner, SHORT, pack_short};
pub use numbers::KeyNumbers;

use crate::error::all;
use crate::query::AggregateFunction;
use crate::runs::{self, plain_type};
use crate::{Error, Result, threads};

/// Rows of a block: their numbers and words fit the second level of caches.
const BLOCK: usize = 1 << 15;

/// A running hash group-by.
#[derive(Debug)]
pub struct GroupBy {
    keys: Codes,
    accumulators: Vec<Accumulator>,
    groups: usize,
    /// Rows so far.
    rows_seen: usize,
    /// Rows of each group, when an accumulator asks for them.
    rows: Option<Vec<i64>>,
    /// The aggregates' columns, as errors name them; none where nobody has told them.
    columns: Vec<String>,
}

/// An overflow with the name of its column.
#[cold]
#[inline(never)]
fn named(mut error: Box<Error>, columns: &[String], number: usize) -> Box<Error> {
    if let (Error::Overflow { column, .. }, Some(name)) = (&mut *error, columns.get(number)) {
        column.clone_from(name);
    }
    error
}

impl GroupBy {
    /// Starts a grouping by columns of the given types, computing the given aggregates of columns of the
    /// given types: none for a count of rows, two for a correlation, else one. Of a run-end encoded column the rows are
    /// written out, also in the result.
    ///
    /// Without keys there is one group, also of no rows.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for a key, [`Error::UnsupportedAggregate`] for an aggregate.
    pub fn try_new(keys: &[DataType], aggregates: &[(AggregateFunction, Vec<DataType>)]) -> Result<Self> {
        let plain =
            |types: &[DataType]| types.iter().map(|data_type| plain_type(data_type).clone()).collect::<Vec<_>>();
        let keys = Codes::try_new(&plain(keys))?;
        let accumulator =
            |(function, inputs): &(AggregateFunction, Vec<DataType>)| Accumulator::try_new(*function, &plain(inputs));
        let accumulators = all(aggregates.iter().map(accumulator))?;
        let groups = usize::from(keys.keys() == 0);
        let rows = accumulators.iter().any(Accumulator::needs_rows).then(Vec::new);
        Ok(Self { keys, accumulators, groups, rows_seen: 0, rows, columns: Vec::new() })
    }

    /// Tells the aggregates' columns.
    pub(crate) fn of_columns(self, columns: Vec<String>) -> Self {
        Self { columns, ..self }
    }

    /// Number of groups so far.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// About how many bytes the groups take: words for the keys and figures of each, and for aggregates that keep values of
    /// rows (medians, quantiles, lists, distinct values) those.
    #[must_use]
    pub fn memory(&self) -> usize {
        let each = 48 + 24 * self.accumulators.len();
        let keeping = self.accumulators.iter().filter(|accumulator| accumulator.keeps_values()).count();
        self.groups.saturating_mul(each).saturating_add(keeping.saturating_mul(self.rows_seen).saturating_mul(12))
    }

    /// Number of rows so far.
    pub(crate) fn rows_seen(&self) -> usize {
        self.rows_seen
    }

    /// Makes room for values of keys that will come, one array per key: a sample of the so many rows that are to be grouped,
    /// before any of them is. Where values of later rows do not fit into the codes of those before, all groups so far are coded anew, which takes
    /// as long as there are many; with the ends of the values known that is seldom. What is foreseen does not change the
    /// result.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] when a type is not the one that the grouping was made for.
    pub fn foresee(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        let plain = all(keys.iter().map(|array| Ok(runs::expand(array.as_ref())?.unwrap_or_else(|| array.clone()))))?;
        self.keys.foresee(&plain, rows)
    }

    /// Adds `rows` rows: one array per key, and for each aggregate its arrays (none for a count of rows).
    ///
    /// `O(rows × (keys + aggregates))`, hashing each key value once.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] when an array or the lists have another length;
    /// [`Error::UnsupportedType`] when a type is not the one that the grouping was made for.
    pub fn update(&mut self, rows: usize, keys: &[&dyn Array], values: &[Vec<&dyn Array>]) -> Result<()> {
        if keys.len() != self.keys.keys() || values.len() != self.accumulators.len() {
            return Err(Error::length_mismatch(self.keys.keys() + self.accumulators.len(), keys.len() + values.len()));
        }
        let arrays = keys.iter().copied().chain(values.iter().flatten().copied());
        if let Some(odd) = arrays.map(Array::len).find(|&len| len != rows) {
            return Err(Error::length_mismatch(rows, odd));
        }
        let expected = self.rows_seen + rows;
        let mut start = 0;
        while start < rows {
            let count = self.block().min(rows - start);
            let slice = |array: &&dyn Array| -> Result<ArrayRef> {
                let slice = array.slice(start, count);
                Ok(runs::expand(slice.as_ref())?.unwrap_or(slice))
            };
            let keys = all(keys.iter().map(slice))?;
            let values = all(values.iter().map(|values| all(values.iter().map(slice))))?;
            self.update_block(count, &keys, &values, expected)?;
            start += count;
        }
        self.rows_seen = expected;
        Ok(())
    }

    fn update_block(
        &mut self,
        rows: usize,
        keys: &[ArrayRef],
        values: &[Vec<ArrayRef>],
        expected: usize,
    ) -> Result<()> {
        let ids = self.group_ids(rows, keys, expected)?;
        if let Some(rows) = &mut self.rows {
            rows.resize(self.groups, 0);
            ids.iter().for_each(|&id| rows[id as usize] += 1);
        }
        let groups = self.groups;
        let columns = &self.columns;
        let tasks = self.accumulators.iter_mut().zip(values).enumerate().collect();
        threads::try_map_if(rows, tasks, |(number, (accumulator, values))| {
            accumulator.update(groups, &ids, values).map_err(|error| named(error, columns, number))
        })?;
        Ok(())
    }

    /// Rows of the next block: more of them, for several threads, where most rows make a group. Such a grouping is not
    /// merged from parts; the threads share the work on each block.
    fn block(&self) -> usize {
        if threads::count() > 1 && self.groups > self.rows_seen / 8 { 2 * threads::WORTH } else { BLOCK }
    }

    /// The group of each row; new keys make new groups.
    fn group_ids(&mut self, rows: usize, keys: &[ArrayRef], expected: usize) -> Result<Vec<u32>> {
        if self.keys.keys() == 0 {
            return Ok(vec![0; rows]);
        }
        let ids = self.keys.ids(rows, keys, expected)?;
        self.groups = self.keys.len();
        Ok(ids)
    }

    /// Adds the groups of another state with the same keys and aggregates, as if its rows had come after
    /// this one's. `O(groups of the other)`.
    ///
    /// # Errors
    /// As [`GroupBy::update`].
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if other.accumulators.len() != self.accumulators.len() {
            return Err(Error::length_mismatch(self.accumulators.len(), other.accumulators.len()));
        }
        let keys = other.key_arrays()?;
        let ids = self.group_ids(other.groups, &keys, self.rows_seen + other.rows_seen)?;
        self.rows_seen += other.rows_seen;
        for (number, (accumulator, other)) in self.accumulators.iter_mut().zip(&other.accumulators).enumerate() {
            accumulator.merge(self.groups, &ids, other).map_err(|error| named(error, &self.columns, number))?;
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
        self.key_arrays_of(0..self.groups)
    }

    /// The same of some groups.
    pub(crate) fn key_arrays_of(&self, groups: Range<usize>) -> Result<Vec<ArrayRef>> {
        if self.keys.keys() == 0 { Ok(Vec::new()) } else { self.keys.arrays(groups) }
    }

    /// The aggregates, one array each, one row per group in the order of first appearance.
    ///
    /// # Errors
    /// [`Error::Overflow`] when a sum leaves the range of its type.
    pub fn aggregate_arrays(&self) -> Result<Vec<ArrayRef>> {
        let array = |number: usize| self.aggregate_array_of(number, 0..self.groups);
        threads::try_map_if(self.groups.max(self.rows_seen), (0..self.accumulators.len()).collect(), array)
    }

    /// One aggregate of some groups.
    pub(crate) fn aggregate_array_of(&self, number: usize, groups: Range<usize>) -> Result<ArrayRef> {
        let array = self.accumulators[number].array(groups, self.rows.as_deref().unwrap_or(&[]));
        array.map_err(|error| named(error, &self.columns, number))
    }
}
