//! One growing column: validity, values and, for text, offsets.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer};
use arrow_schema::DataType;

use super::memory::Memory;
use crate::arrays::{self, Trust};
use crate::types::{self, Kind};
use crate::{Error, Result};

/// A column that rows are added to while others read it.
///
/// All types of fixed width, Booleans, and text and bytes behind offsets; see [`GrowingColumn::supports`].
#[derive(Debug)]
pub struct GrowingColumn {
    data_type: DataType,
    rows: usize,
    /// Made when the first null comes. A bit is no place of its own in memory, so readers get a copy.
    validity: Option<BooleanBufferBuilder>,
    nulls: usize,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Fixed { width: usize, memory: Memory },
    Bits(BooleanBufferBuilder),
    Bytes { large: bool, offsets: Memory, memory: Memory },
}

impl GrowingColumn {
    /// Whether columns of this type can grow.
    #[must_use]
    pub fn supports(data_type: &DataType) -> bool {
        match types::kind(data_type) {
            Kind::Boolean | Kind::Fixed(..) => true,
            Kind::Bytes => Self::offsets_are_large(data_type).is_some(),
            _ => false,
        }
    }

    fn offsets_are_large(data_type: &DataType) -> Option<bool> {
        match data_type {
            DataType::Utf8 | DataType::Binary => Some(false),
            DataType::LargeUtf8 | DataType::LargeBinary => Some(true),
            _ => None,
        }
    }

    /// An empty column with room for so many rows, and so many bytes of text if it holds text.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`].
    pub fn try_new(data_type: &DataType, rows: usize, text_bytes: usize) -> Result<Self> {
        let values = if let Some(width) = arrays::fixed_width(data_type) {
            Values::Fixed { width, memory: Memory::with_capacity(rows.saturating_mul(width)) }
        } else if *data_type == DataType::Boolean {
            Values::Bits(BooleanBufferBuilder::new(rows))
        } else if let Some(large) = Self::offsets_are_large(data_type) {
            let width = if large { 8 } else { 4 };
            let mut offsets = Memory::with_capacity(rows.saturating_add(1).saturating_mul(width));
            offsets.append(&[0; 8][..width]);
            Values::Bytes { large, offsets, memory: Memory::with_capacity(text_bytes) }
        } else {
            return Err(types::unsupported("a growing column", data_type));
        };
        Ok(Self { data_type: data_type.clone(), rows: 0, validity: None, nulls: 0, values })
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes that the column keeps in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        let bits = |bits: &BooleanBufferBuilder| bits.capacity() / 8;
        let values = match &self.values {
            Values::Fixed { memory, .. } => memory.capacity(),
            Values::Bits(values) => bits(values),
            Values::Bytes { offsets, memory, .. } => offsets.capacity() + memory.capacity(),
        };
        values + self.validity.as_ref().map_or(0, bits)
    }

    /// Whether an array can be added: its type is the column's, and its text fits the offsets. [`GrowingColumn::append`]
    /// does not fail then.
    #[must_use]
    pub fn has_room(&self, array: &dyn Array) -> bool {
        let text = arrays::text_bytes(array);
        let held = match &self.values {
            Values::Bytes { memory, .. } => memory.len(),
            _ => 0,
        };
        let large = matches!(self.values, Values::Bytes { large: true, .. });
        *array.data_type() == self.data_type && (large || i32::try_from(held + text).is_ok())
    }

    /// Adds the rows of an array of the column's type. `O(rows of the array)` in the long run.
    ///
    /// # Errors
    /// [`Error::SchemaMismatch`] for an array of another type; [`Error::OffsetOverflow`] when the text outgrows 32-bit
    /// offsets. Nothing has been added then.
    pub fn append(&mut self, array: &dyn Array) -> Result<()> {
        if *array.data_type() != self.data_type {
            return Err(Error::schema_mismatch(0, &self.data_type, array.data_type()));
        }
        let rows = array.len();
        match &mut self.values {
            Values::Fixed { width, memory } => {
                let values = types::fixed_buffer(array).ok_or_else(|| types::unsupported("append", &self.data_type))?;
                memory.append(&values[..rows * *width]);
            }
            Values::Bits(bits) => bits.append_buffer(array.as_boolean().values()),
            Values::Bytes { large, offsets, memory } => {
                let text = arrays::text(array).ok_or_else(|| types::unsupported("append", &self.data_type))?;
                let total = memory.len() + text.bytes().len();
                if !*large && i32::try_from(total).is_err() {
                    return Err(Error::offset_overflow(total));
                }
                offsets.append(&text.ends_behind(memory.len()));
                memory.append(text.bytes());
            }
        }
        self.append_validity(array);
        self.rows += rows;
        Ok(())
    }

    fn append_validity(&mut self, array: &dyn Array) {
        let rows = array.len();
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        if self.validity.is_none() && nulls.is_some() {
            let mut bits = BooleanBufferBuilder::new(self.rows + rows);
            bits.append_n(self.rows, true);
            self.validity = Some(bits);
        }
        let Some(validity) = &mut self.validity else { return };
        match nulls {
            Some(nulls) => {
                self.nulls += nulls.null_count();
                validity.append_buffer(nulls.inner());
            }
            None => validity.append_n(rows, true),
        }
    }

    /// Writes cells: row `rows[i]` gets the value at `i`. Cells of fixed width and Booleans only.
    ///
    /// `O(cells)`; when an array of the column is still alive, its memory is copied first.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for text; [`Error::SchemaMismatch`] for values of another type;
    /// [`Error::LengthMismatch`] when there are not as many values as rows; [`Error::IndexOutOfBounds`]. Nothing has
    /// been changed then.
    pub fn patch(&mut self, rows: &[u32], values: &dyn Array) -> Result<()> {
        if *values.data_type() != self.data_type {
            return Err(Error::schema_mismatch(0, &self.data_type, values.data_type()));
        }
        if rows.len() != values.len() {
            return Err(Error::length_mismatch(rows.len(), values.len()));
        }
        if let Some(position) = rows.iter().position(|&row| row as usize >= self.rows) {
            return Err(Error::index_out_of_bounds(position, rows[position], self.rows));
        }
        match &mut self.values {
            Values::Fixed { width, memory } => {
                let new = types::fixed_buffer(values).ok_or_else(|| types::unsupported("patch", &self.data_type))?;
                let bytes = memory.bytes_mut();
                for (&row, value) in rows.iter().zip(new.chunks_exact(*width)) {
                    let at = row as usize * *width;
                    bytes[at..at + *width].copy_from_slice(value);
                }
            }
            Values::Bits(bits) => {
                let new = values.as_boolean().values();
                rows.iter().enumerate().for_each(|(at, &row)| bits.set_bit(row as usize, new.value(at)));
            }
            Values::Bytes { .. } => return Err(types::unsupported("patch", &self.data_type)),
        }
        if self.validity.is_none() && values.null_count() > 0 {
            let mut bits = BooleanBufferBuilder::new(self.rows);
            bits.append_n(self.rows, true);
            self.validity = Some(bits);
        }
        if let Some(validity) = &mut self.validity {
            for (at, &row) in rows.iter().enumerate() {
                let (was, is) = (validity.get_bit(row as usize), values.is_valid(at));
                self.nulls = self.nulls + usize::from(was) - usize::from(is);
                validity.set_bit(row as usize, is);
            }
        }
        Ok(())
    }

    /// The rows so far. Nothing is copied but the validity and Booleans, which are one bit per row.
    ///
    /// # Errors
    /// None that the column's own methods can bring about.
    pub fn array(&self) -> Result<ArrayRef> {
        let copy = |bits: &BooleanBufferBuilder| BooleanBuffer::new(Buffer::from(bits.as_slice()), 0, self.rows);
        let nulls = self.validity.as_ref().filter(|_| self.nulls > 0).map(|bits| NullBuffer::new(copy(bits)));
        match &self.values {
            Values::Fixed { memory, .. } => arrays::fixed_array(&self.data_type, self.rows, memory.share(), nulls),
            Values::Bits(bits) => arrays::boolean_array(copy(bits), nulls),
            Values::Bytes { offsets, memory, .. } => {
                // SAFETY: offsets and values were taken from arrays of this very type, row by row, and only moved.
                let trust = unsafe { Trust::promise() };
                arrays::bytes_array(&self.data_type, self.rows, &offsets.share(), &memory.share(), nulls, Some(trust))
            }
        }
    }
}
