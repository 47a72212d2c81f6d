//! Compaction: the rows that a mask selects, in their order.
//!
//! Fixed-width columns are compacted straight from the mask, a word of 64 rows at a time: full words are
//! copied whole, others bit by bit; text behind offsets likewise. Other columns whose rows have no fixed place
//! (views, dictionaries, nested values) go through the list of selected row numbers, made once for all columns of a
//! batch, and `take`.
//!
//! With the feature `small` all columns go through row numbers.
//!
//! Bytes touched: the selected values once in and once out, and the mask; a mask that keeps everything
//! costs nothing.

#[cfg(all(target_arch = "x86_64", not(feature = "small")))]
mod avx512;
#[cfg(not(feature = "small"))]
mod chunks;
#[cfg(not(feature = "small"))]
mod fixed;
#[cfg(not(feature = "small"))]
mod text;

use std::sync::OnceLock;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use crate::take::{empty, take, take_batches, take_chunks};
use crate::{Error, Indices, Mask, Result, arrays, bits, threads};

/// A mask made ready to be applied to many columns.
#[derive(Debug)]
pub struct Filter<'a> {
    mask: &'a Mask,
    rows: OnceLock<Indices>,
}

impl<'a> Filter<'a> {
    /// Prepares a mask. Nothing is computed before a column asks for it.
    #[must_use]
    pub fn new(mask: &'a Mask) -> Self {
        Self { mask, rows: OnceLock::new() }
    }

    /// The selected row numbers, made on first use.
    ///
    /// # Errors
    /// [`Error::TooManyRows`].
    pub fn rows(&self) -> Result<&Indices> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows);
        }
        let rows = mask_to_indices(self.mask)?;
        Ok(self.rows.get_or_init(|| rows))
    }

    /// The selected rows of one column.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] when the mask speaks of another number of rows.
    pub fn apply(&self, array: &dyn Array) -> Result<ArrayRef> {
        if array.len() != self.mask.len() {
            return Err(Error::length_mismatch(self.mask.len(), array.len()));
        }
        if self.mask.selected() == array.len() {
            return Ok(array.slice(0, array.len()));
        }
        // Of a few rows, most cache lines hold none: the rows are fetched instead of being searched for.
        #[cfg(not(feature = "small"))]
        let few = self.mask.selected() < array.len() / 8 && u32::try_from(array.len()).is_ok();
        #[cfg(not(feature = "small"))]
        if !few && let Some(kept) = chunks::compact(&[array], &[self.mask])? {
            return Ok(kept);
        }
        take(array, self.rows()?)
    }
}

/// The numbers of the selected rows, in order. 4 bytes per selected row.
///
/// # Errors
/// [`Error::TooManyRows`] beyond `u32::MAX` rows.
pub fn mask_to_indices(mask: &Mask) -> Result<Indices> {
    rows_of(&[mask])
}

/// The selected rows of one column. `O(rows)`.
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::UnsupportedType`], [`Error::OffsetOverflow`].
pub fn filter(array: &dyn Array, mask: &Mask) -> Result<ArrayRef> {
    Filter::new(mask).apply(array)
}

/// The selected rows of every column.
///
/// # Errors
/// As [`filter`].
pub fn filter_batch(batch: &RecordBatch, mask: &Mask) -> Result<RecordBatch> {
    let filter = Filter::new(mask);
    let columns = batch.columns().iter().collect();
    let columns = threads::try_map_if(batch.num_rows(), columns, |column| filter.apply(column.as_ref()))?;
    arrays::batch(batch.schema(), columns, mask.selected())
}

/// The selected rows of a table in batches, each with its mask, as one batch of the given schema. Values are copied
/// once.
///
/// # Errors
/// As [`filter`]; [`Error::LengthMismatch`] when there are not as many masks as batches; [`Error::SchemaMismatch`] when
/// the batches' types differ.
pub fn filter_batches(schema: &SchemaRef, batches: &[RecordBatch], masks: &[Mask]) -> Result<RecordBatch> {
    if batches.len() != masks.len() {
        return Err(Error::length_mismatch(batches.len(), masks.len()));
    }
    if let ([batch], [mask]) = (batches, masks) {
        return filter_batch(batch, mask);
    }
    let masks: Vec<&Mask> = masks.iter().collect();
    if cfg!(feature = "small") {
        return take_batches(schema, batches, &rows_of(&masks)?);
    }
    let rows: usize = masks.iter().map(|mask| mask.len()).sum();
    let numbers = OnceLock::new();
    let column = |column: usize| -> Result<ArrayRef> {
        let chunks: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        if chunks.is_empty() {
            return empty(schema.field(column).data_type());
        }
        #[cfg(not(feature = "small"))]
        if let Some(kept) = chunks::compact(&chunks, &masks)? {
            return Ok(kept);
        }
        take_chunks(&chunks, numbers.get_or_init(|| rows_of(&masks)).as_ref().map_err(Clone::clone)?)
    };
    let columns = threads::try_map_if(rows, (0..schema.fields().len()).collect(), column)?;
    let selected = masks.iter().map(|mask| mask.selected()).sum();
    arrays::batch(schema.clone(), columns, selected)
}

/// The numbers of the selected rows, counted over all masks.
fn rows_of(masks: &[&Mask]) -> Result<Indices> {
    let rows: usize = masks.iter().map(|mask| mask.len()).sum();
    if u32::try_from(rows).is_err() {
        return Err(Error::too_many_rows(rows));
    }
    let mut numbers = vec![0; masks.iter().map(|mask| mask.selected()).sum()];
    let mut places = numbers.iter_mut();
    let mut start = 0;
    for mask in masks {
        bits::for_each_set(mask.bits(), |row| {
            if let Some(place) = places.next() {
                *place = (start + row) as u32;
            }
        });
        start += mask.len();
    }
    Ok(Indices::new_unchecked(numbers, rows))
}
