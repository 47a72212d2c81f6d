//! What each kind of change does. Everything that can be wrong is looked at before the first row moves.

use std::time::Duration;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use kernels::Indices;

use super::chunk::{Chunk, differing};
use super::index::Place;
use super::part::{Serials, Touched};
use super::{Applied, Table, kernel};
use crate::error::all;
use crate::update::Change;
use crate::{Error, Result};

/// Changed cells beyond about this many are not noted: nobody looks at so many.
const MOST_CELLS: usize = 1 << 14;

/// The cells of an update, by the table's columns; `None` for those that it leaves out.
pub(super) type Cells = Vec<Option<ArrayRef>>;

/// Rows of an update by what becomes of them.
#[derive(Default)]
struct Sorted {
    /// Rows of the update, and the numbers of their keys, that the table does not have.
    new: Vec<u32>,
    new_ids: Vec<u32>,
    /// Places in the table, and the rows of the update that go there; in the order of places.
    old: Vec<(Place, u32)>,
}

impl Table {
    pub(super) fn change(&mut self, change: &Change, now: Duration) -> Result<Applied> {
        match change {
            Change::Append(batch) if self.index.is_none() => {
                let cells = self.fit(batch)?;
                let columns = self.complete(&cells, batch.num_rows())?;
                self.append(&columns, batch.num_rows(), &[], now)?;
                Ok(Applied { inserted: batch.num_rows(), ..Applied::default() })
            }
            Change::Append(batch) | Change::Upsert(batch) => self.upsert(batch, now),
            Change::Replace(batches) => self.replace(batches, now),
            Change::Patch { rows, cells } => self.patch(rows, cells),
            Change::Delete(batch) => self.delete(batch),
            Change::Trim(rows) => self.trim(*rows),
            Change::Exchange { remove, insert } => {
                // The insertion is what can still fail after the keys have been found.
                self.check_upsert(insert)?;
                let removed = self.delete(remove)?.removed;
                Ok(Applied { removed, ..self.upsert(insert, now)? })
            }
        }
    }

    /// The batch's columns in the order of the table's, each of the right type and without nulls where there must be
    /// none.
    pub(super) fn fit(&self, batch: &RecordBatch) -> Result<Cells> {
        self.fit_with(batch, true)
    }

    /// As [`Table::fit`]; `all` says whether nulls count in columns that are no key, too.
    fn fit_with(&self, batch: &RecordBatch, all: bool) -> Result<Cells> {
        let mut cells: Cells = vec![None; self.schema.fields().len()];
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let mismatch = |reason: &str| Error::mismatch(field.name(), reason);
            let position = self.schema.fields().iter().position(|known| known.name() == field.name());
            let position = position.ok_or_else(|| mismatch("the table has no such column"))?;
            let known = self.schema.field(position);
            if column.data_type() != known.data_type() {
                let (found, expected) = (column.data_type().to_string(), known.data_type().to_string());
                return Err(mismatch(&["it is ", &found, ", the table's is ", &expected].concat()));
            }
            let is_key = self.index.as_ref().is_some_and(|index| index.columns.contains(&position));
            if (is_key || all && !known.is_nullable()) && column.null_count() > 0 {
                let row = (0..column.len()).find(|&row| column.is_null(row)).unwrap_or(0);
                return Err(Box::new(Error::NullCell { column: field.name().clone(), row }));
            }
            if cells[position].replace(column.clone()).is_some() {
                return Err(mismatch("it comes twice"));
            }
        }
        Ok(cells)
    }

    /// All columns, nulls in those that were left out.
    pub(super) fn complete(&self, cells: &Cells, rows: usize) -> Result<Vec<ArrayRef>> {
        let column = |(cells, field): (&Option<ArrayRef>, &arrow_schema::FieldRef)| match cells {
            Some(cells) => Ok(cells.clone()),
            None if field.is_nullable() || rows == 0 => {
                kernels::arrays::null_array(field.data_type(), rows).map_err(kernel)
            }
            None => Err(Box::new(Error::NullCell { column: field.name().clone(), row: 0 })),
        };
        all(cells.iter().zip(self.schema.fields()).map(column))
    }

    /// The key's columns of a batch.
    fn keys(&self, cells: &Cells) -> Result<Vec<ArrayRef>> {
        let index = self.index.as_ref().ok_or_else(|| Box::new(Error::NoKey))?;
        let key = |&column: &usize| {
            cells[column].clone().ok_or_else(|| {
                Error::mismatch(self.schema.field(column).name(), "it is part of the key, and the update leaves it out")
            })
        };
        all(index.columns.iter().map(key))
    }

    /// The numbers of a batch's keys.
    pub(super) fn key_numbers(&mut self, cells: &Cells, rows: usize) -> Result<Vec<u32>> {
        let keys = self.keys(cells)?;
        self.index.as_mut().ok_or_else(|| Box::new(Error::NoKey))?.numbers(rows, &keys)
    }

    /// Sorts rows by whether their keys are there. Of several rows with one key the last is meant; a new key comes where
    /// its first row stood.
    fn sort(&self, ids: &[u32]) -> Sorted {
        let mut pairs: Vec<(u32, u32)> = ids.iter().copied().zip(0u32..).collect();
        pairs.sort_unstable();
        let mut last_of: Vec<(u32, u32, u32)> = Vec::with_capacity(pairs.len());
        for (id, row) in pairs {
            match last_of.last_mut() {
                Some((_, last, known)) if *known == id => *last = row,
                _ => last_of.push((row, row, id)),
            }
        }
        last_of.sort_unstable();
        let mut sorted = Sorted::default();
        for (_, row, id) in last_of {
            match self.index.as_ref().and_then(|index| index.place(id)) {
                Some(place) => sorted.old.push((place, row)),
                None => {
                    sorted.new.push(row);
                    sorted.new_ids.push(id);
                }
            }
        }
        sorted.old.sort_unstable_by_key(|(place, _)| (place.chunk, place.row));
        sorted
    }

    /// Whether an upsert can be done, whatever is removed before it: all of its rows might be new.
    fn check_upsert(&self, batch: &RecordBatch) -> Result<()> {
        let cells = self.fit(batch)?;
        self.keys(&cells)?;
        self.complete(&cells, batch.num_rows()).map(drop)
    }

    fn upsert(&mut self, batch: &RecordBatch, now: Duration) -> Result<Applied> {
        let (cells, rows) = (self.fit(batch)?, batch.num_rows());
        let ids = self.key_numbers(&cells, rows)?;
        let sorted = self.sort(&ids);
        let columns = if sorted.new.len() == rows {
            self.complete(&cells, rows)?
        } else {
            let rows_of_new = Indices::try_new(sorted.new.clone(), rows).map_err(kernel)?;
            let taken = cells.iter().map(|cells| match cells {
                Some(cells) => kernels::take(cells.as_ref(), &rows_of_new).map(Some).map_err(kernel),
                None => Ok(None),
            });
            self.complete(&all(taken)?, sorted.new.len())?
        };
        let key = self.index.as_ref().map(|index| index.columns.clone()).unwrap_or_default();
        self.set_cells(&sorted.old, &cells, &key)?;
        if self.options.times {
            self.set_times_at(sorted.old.iter().map(|(place, _)| *place), now);
        }
        self.append(&columns, sorted.new.len(), &sorted.new_ids, now)?;
        Ok(Applied { inserted: sorted.new.len(), updated: sorted.old.len(), ..Applied::default() })
    }

    /// Sets cells at places, chunk by chunk, in all columns but those named.
    fn set_cells(&mut self, places: &[(Place, u32)], cells: &Cells, but: &[usize]) -> Result<()> {
        for part in places.chunk_by(|a, b| a.0.chunk == b.0.chunk) {
            let Some(chunk) = self.chunks.get_mut(part[0].0.chunk.into()) else { continue };
            let rows: Vec<u32> = part.iter().map(|(place, _)| place.row).collect();
            let from: Vec<u32> = part.iter().map(|&(_, row)| row).collect();
            if self.options.serials {
                self.touched.updated.extend(rows.iter().map(|&row| chunk.serial(row as usize)));
            }
            for (column, cells) in cells.iter().enumerate() {
                let Some(cells) = cells.as_ref().filter(|_| !but.contains(&column)) else { continue };
                let from = Indices::try_new(from.clone(), cells.len()).map_err(kernel)?;
                let cells = kernels::take(cells.as_ref(), &from).map_err(kernel)?;
                if self.options.serials && self.touched.cells.len() < MOST_CELLS {
                    // What cannot be compared may well have changed.
                    let changed = differing(&chunk.column(column)?, &rows, cells.as_ref());
                    let changed = changed.unwrap_or_else(|_| (0..rows.len()).collect());
                    let cell = |&at: &usize| (chunk.serial(rows[at] as usize), column as u32);
                    self.touched.cells.extend(changed.iter().map(cell));
                }
                chunk.patch(column, &rows, cells.as_ref())?;
            }
        }
        Ok(())
    }

    fn patch(&mut self, rows: &UInt64Array, cells: &RecordBatch) -> Result<Applied> {
        if rows.len() != cells.num_rows() {
            let reason = "there are not as many rows of cells as numbers of rows";
            return Err(Error::mismatch(crate::update::ROW, reason));
        }
        let fitted = self.fit(cells)?;
        let key = self.index.as_ref().map(|index| index.columns.as_slice()).unwrap_or_default();
        if let Some(&column) = key.iter().find(|&&column| fitted[column].is_some()) {
            let reason = "it is part of the key, which names a row and stays";
            return Err(Error::mismatch(self.schema.field(column).name(), reason));
        }
        let mut wanted: Vec<(u64, u32)> = rows.values().iter().copied().zip(0u32..).collect();
        wanted.sort_unstable();
        if let Some(&(row, _)) = wanted.last().filter(|(row, _)| *row >= self.rows as u64) {
            return Err(Box::new(Error::NoSuchRow { row, rows: self.rows }));
        }
        let mut places: Vec<(Place, u32)> = Vec::with_capacity(wanted.len());
        let (mut chunks, mut first) = (self.chunks.iter(), 0u64);
        let mut current = chunks.next();
        for (row, from) in wanted {
            while let Some((_, chunk)) = current
                && row >= first + chunk.live() as u64
            {
                first += chunk.live() as u64;
                current = chunks.next();
            }
            let Some((number, chunk)) = current else { break };
            let place = Place { chunk: number as u32, row: chunk.row_of((row - first) as usize) as u32 };
            // Of several cells for one row the last is meant.
            match places.last_mut() {
                Some((known, known_from)) if *known == place => *known_from = from,
                _ => places.push((place, from)),
            }
        }
        self.set_cells(&places, &fitted, &[])?;
        Ok(Applied { updated: places.len(), ..Applied::default() })
    }

    fn delete(&mut self, batch: &RecordBatch) -> Result<Applied> {
        // What stands in columns beside the key does not matter.
        let cells = self.fit_with(batch, false)?;
        let ids = self.key_numbers(&cells, batch.num_rows())?;
        let mut removed = 0;
        let mut touched = Vec::new();
        for id in ids {
            let Some(index) = self.index.as_mut() else { break };
            let Some(place) = index.place(id) else { continue };
            index.set(id, None);
            if let Some(chunk) = self.chunks.get_mut(place.chunk.into()) {
                chunk.remove(place.row as usize);
                removed += 1;
                if self.options.serials {
                    self.touched.removed.push(chunk.serial(place.row as usize));
                }
                if touched.last() != Some(&place.chunk) {
                    touched.push(place.chunk);
                }
            }
        }
        self.rows -= removed;
        touched.sort_unstable();
        touched.dedup();
        self.tidy(&touched)?;
        Ok(Applied { removed, ..Applied::default() })
    }

    fn replace(&mut self, batches: &[RecordBatch], now: Duration) -> Result<Applied> {
        let mut all = Vec::with_capacity(batches.len());
        for batch in batches {
            let cells = self.fit(batch)?;
            all.push((self.complete(&cells, batch.num_rows())?, batch.num_rows()));
            if self.index.is_some() {
                self.keys(&cells)?;
            }
        }
        let removed = self.rows;
        self.chunks.clear();
        (self.hot, self.rows) = (None, 0);
        (self.next_serial, self.touched) = (0, Touched { replaced: true, ..Touched::default() });
        if let Some(index) = &mut self.index {
            index.clear()?;
        }
        for (position, (columns, rows)) in all.into_iter().enumerate() {
            if self.index.is_some() {
                self.upsert(&batches[position], now)?;
            } else {
                self.append(&columns, rows, &[], now)?;
            }
        }
        Ok(Applied { inserted: self.rows, removed, ..Applied::default() })
    }

    /// Adds rows whose keys, if there is a key, are new.
    fn append(&mut self, columns: &[ArrayRef], rows: usize, ids: &[u32], now: Duration) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let time = self.options.times.then_some(now.as_millis() as u64);
        let serial = self.give_serials(rows);
        if rows * 4 >= self.options.hot_rows {
            self.close_hot()?;
            let each = self.options.chunk_rows;
            for start in (0..rows).step_by(each) {
                let count = each.min(rows - start);
                let slices = columns.iter().map(|column| column.slice(start, count)).collect();
                let ids = ids.get(start..start + count).unwrap_or_default().to_vec();
                let times = time.map(|time| vec![time; count]).unwrap_or_default();
                let serials = Serials::Run(serial + start as u32);
                let number = self.add_chunk(Chunk::shared(slices, count, ids, times, serials));
                self.locate(number, 0);
                self.rows += count;
                self.tidy(&[number])?;
            }
            return Ok(());
        }
        if let Some((number, _)) = self.hot
            && self.chunks.get(number.into()).is_none_or(|chunk| !chunk.has_room(columns))
        {
            self.close_hot()?;
        }
        let number = match self.hot {
            Some((number, _)) => number,
            None => {
                let chunk = Chunk::growing(&self.schema, self.options.hot_rows + self.options.hot_rows / 4, serial)?;
                let number = self.add_chunk(chunk);
                self.hot = Some((number, now));
                number
            }
        };
        if let Some(chunk) = self.chunks.get_mut(number.into()) {
            let first = chunk.len();
            chunk.append(columns, rows, ids, time)?;
            self.rows += rows;
            self.locate(number, first);
        }
        Ok(())
    }

    fn add_chunk(&mut self, chunk: Chunk) -> u32 {
        let number = self.next_chunk;
        self.next_chunk += 1;
        self.chunks.insert(number.into(), Box::new(chunk));
        number
    }

    /// Tells the index where the rows of a chunk are, from a row on.
    pub(super) fn locate(&mut self, number: u32, first: usize) {
        if let (Some(index), Some(chunk)) = (self.index.as_mut(), self.chunks.get(number.into())) {
            for (row, &id) in chunk.ids.iter().enumerate().skip(first) {
                if !chunk.is_removed(row) {
                    index.set(id, Some(Place { chunk: number, row: row as u32 }));
                }
            }
        }
    }
}
