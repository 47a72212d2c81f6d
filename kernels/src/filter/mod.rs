//! Compaction: the rows that a mask selects, in their order.
//!
//! Fixed-width columns are compacted straight from the mask, a word of 64 rows at a time: full words are
//! copied whole, others bit by bit; text behind offsets likewise. Other columns whose rows have no fixed place
//! (views, dictionaries, nested values) go through the list of selected row numbers, made once for all columns of a
//! batch, and `take`.
//!
//! Bytes touched: the selected values once in and once out, and the mask; a mask that keeps everything
//! costs nothing.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod fixed;
mod text;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::NullBuffer;
use std::sync::{Arc, OnceLock};

use crate::types::{self, Kind, by_width};
use crate::{Error, Indices, Mask, Result, bits, take, threads};

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
            return Err(Error::LengthMismatch { expected: self.mask.len(), found: array.len() });
        }
        if self.mask.selected() == array.len() {
            return Ok(array.slice(0, array.len()));
        }
        // Of a few rows, most cache lines hold none: the rows are fetched instead of being searched for.
        let few = self.mask.selected() < array.len() / 20 && u32::try_from(array.len()).is_ok();
        match types::kind(array.data_type()) {
            Kind::Fixed(..) | Kind::Boolean | Kind::Bytes if few => take(array, self.rows()?),
            Kind::Fixed(width, _) => by_width!(width, |T| {
                let words = types::fixed_words::<T>(array, "filter")?;
                let kept = fixed::compact(words, self.mask);
                types::make_fixed(array.data_type(), kept, self.nulls(array), "filter")
            }),
            Kind::Boolean => {
                let kept = fixed::compact_bits(array.as_boolean().values(), self.mask);
                Ok(Arc::new(BooleanArray::new(kept, self.nulls(array))))
            }
            Kind::Null => Ok(array.slice(0, self.mask.selected())),
            Kind::Bytes => match text::compact(array, self.mask, self.nulls(array)) {
                Some(filtered) => Ok(filtered),
                None => take(array, self.rows()?),
            },
            Kind::Dictionary | Kind::Nested => take(array, self.rows()?),
        }
    }

    fn nulls(&self, array: &dyn Array) -> Option<NullBuffer> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
        bits::nulls_from_bits(fixed::compact_bits(nulls.inner(), self.mask))
    }
}

/// The numbers of the selected rows, in order. 4 bytes per selected row.
///
/// # Errors
/// [`Error::TooManyRows`] beyond `u32::MAX` rows.
pub fn mask_to_indices(mask: &Mask) -> Result<Indices> {
    if u32::try_from(mask.len()).is_err() {
        return Err(Error::TooManyRows { rows: mask.len() });
    }
    let mut rows = Vec::with_capacity(mask.selected());
    bits::for_each_set(mask.bits(), |row| rows.push(row as u32));
    Ok(Indices::new_unchecked(rows, mask.len()))
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
    let columns = if batch.num_rows() < threads::WORTH {
        batch.columns().iter().map(|column| filter.apply(column.as_ref())).collect::<Result<_>>()?
    } else {
        threads::try_map(batch.columns().iter().collect(), |column| filter.apply(column.as_ref()))?
    };
    let options = RecordBatchOptions::new().with_row_count(Some(mask.selected()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}
