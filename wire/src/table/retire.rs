//! Rows that go because they are old, and what has to be known for that: when each row came, and what a row is now.

use std::time::Duration;

use arrow_array::{Array, RecordBatch};
use kernels::{Indices, arrays};

use super::index::Place;
use super::{Applied, Table, kernel};
use crate::{Error, Result};

impl Table {
    /// The first rows go.
    pub(super) fn trim(&mut self, rows: u64) -> Result<Applied> {
        let count = usize::try_from(rows).ok().filter(|&count| count <= self.rows);
        let count = count.ok_or_else(|| Box::new(Error::NoSuchRow { row: rows.saturating_sub(1), rows: self.rows }))?;
        let (mut left, mut touched) = (count, Vec::new());
        for (number, chunk) in self.chunks.iter_mut() {
            if left == 0 {
                break;
            }
            let here = left.min(chunk.live());
            let mut gone = Vec::new();
            chunk.trim(here, |row| gone.push(row));
            if self.options.serials {
                self.touched.removed.extend(gone.iter().map(|&row| chunk.serial(row)));
            }
            if let Some(index) = &mut self.index {
                gone.into_iter().for_each(|row| index.set(chunk.ids[row], None));
            }
            left -= here;
            touched.push(number as u32);
        }
        self.rows -= count;
        self.tidy(&touched)?;
        Ok(Applied { removed: count, ..Applied::default() })
    }

    /// Milliseconds of each row's time, in the order of rows: of the moment that was given when the row came or was last
    /// upserted. Nothing unless [`TableOptions::times`](super::TableOptions::times) is set.
    #[must_use]
    pub fn times(&self) -> Vec<u64> {
        self.each_time().collect()
    }

    fn each_time(&self) -> impl Iterator<Item = u64> {
        self.chunks.values().iter().flat_map(|chunk| {
            chunk.times.iter().enumerate().filter(|(row, _)| !chunk.is_removed(*row)).map(|(_, &time)| time)
        })
    }

    /// The least of all times; without a key, that of the first row, since rows come in the order of time.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let mut each = self.each_time();
        if self.index.is_none() { each.next() } else { each.min() }
    }

    /// Rows from the first on, one behind the other, whose times are no later than this.
    #[must_use]
    pub fn leading_until(&self, time: u64) -> usize {
        self.each_time().take_while(|&row| row <= time).count()
    }

    /// Sets the times of rows from a row on, such as those that a log kept.
    pub fn set_times(&mut self, first: usize, times: &[u64]) {
        if !self.options.times {
            return;
        }
        let (mut skip, mut times) = (first, times.iter());
        for chunk in self.chunks.values_mut() {
            let live = chunk.live();
            if skip >= live {
                skip -= live;
                continue;
            }
            for row in 0..chunk.len() {
                if chunk.is_removed(row) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let Some(&time) = times.next() else { return };
                chunk.times[row] = time;
            }
        }
    }

    pub(super) fn set_times_at(&mut self, places: impl Iterator<Item = Place>, now: Duration) {
        for place in places {
            if let Some(chunk) = self.chunks.get_mut(place.chunk.into()) {
                chunk.times[place.row as usize] = now.as_millis() as u64;
            }
        }
    }

    /// A batch with all of the table's columns in their order, and nulls in those that it leaves out; nothing is applied.
    ///
    /// # Errors
    /// [`Error::Mismatch`] and [`Error::NullCell`] when it does not fit the table.
    pub fn fitted(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.complete(&self.fit(batch)?, batch.num_rows())?;
        arrays::batch(self.schema.clone(), columns, batch.num_rows()).map_err(kernel)
    }

    /// The rows that have the keys of a batch, whole, as they are now; keys that are not there are left out. Costs the
    /// batch's rows.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::Mismatch`] and [`Error::NullCell`] when the batch does not fit the table.
    pub fn rows_of(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let cells = self.fit(batch)?;
        let ids = self.key_numbers(&cells, batch.num_rows())?;
        let places: Vec<Place> =
            ids.iter().filter_map(|&id| self.index.as_ref().and_then(|index| index.place(id))).collect();
        let mut numbers: Vec<u32> = places.iter().map(|place| place.chunk).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let (mut firsts, mut total) = (Vec::with_capacity(numbers.len()), 0u32);
        for &number in &numbers {
            firsts.push(total);
            total += self.chunks.get(number.into()).map_or(0, |chunk| chunk.len() as u32);
        }
        let row = |place: &Place| numbers.binary_search(&place.chunk).map_or(0, |at| firsts[at]) + place.row;
        let rows = Indices::try_new(places.iter().map(row).collect(), total as usize).map_err(kernel)?;
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (position, field) in self.schema.fields().iter().enumerate() {
            let mut parts = Vec::with_capacity(numbers.len());
            for &number in &numbers {
                if let Some(chunk) = self.chunks.get_mut(number.into()) {
                    parts.push(chunk.column(position)?);
                }
            }
            columns.push(match parts.is_empty() {
                true => arrays::null_array(field.data_type(), 0).map_err(kernel)?,
                false => {
                    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                    kernels::take_chunks(&parts, &rows).map_err(kernel)?
                }
            });
        }
        arrays::batch(self.schema.clone(), columns, places.len()).map_err(kernel)
    }
}
