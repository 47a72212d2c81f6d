//! Arrays of any supported type from their parts, for crates that read bytes.
//!
//! Here stands the door to the one list of fixed-width types, so that a reader does not need a list (and
//! its machine code) of its own.

mod bytes;
mod equal;
#[cfg(feature = "nested")]
mod lists;
mod views;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, NullArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, SchemaRef};

pub use bytes::{Text, bytes_array, offsets, text, text_bytes};
pub use equal::equal;
#[cfg(feature = "nested")]
pub(crate) use lists::list_span;
#[cfg(feature = "nested")]
pub use lists::{list_array, list_parts, list_value, list_values, struct_array};
pub use views::{compact_views, views, views_array};

use crate::error::all;
use crate::types::{self, Kind};
use crate::{Error, Indices, Result, take};

/// A promise that bytes come from a writer that is as careful as the checks of this module, so that the checks of single
/// rows may be left out: offsets that do not fall, text that is UTF-8, dictionary keys in range. What is looked at once
/// for each column is checked all the same.
#[derive(Debug, Clone, Copy)]
pub struct Trust(());

impl Trust {
    /// Gives the promise.
    ///
    /// # Safety
    /// All bytes that are read under it must be what a correct Arrow writer wrote. Reading others is undefined
    /// behaviour.
    #[must_use]
    pub const unsafe fn promise() -> Self {
        Self(())
    }
}

/// The first bytes of a buffer, or all if it has fewer; copied only when they are not aligned.
#[must_use]
pub fn aligned(buffer: &Buffer, bytes: usize, alignment: usize) -> Buffer {
    let bytes = bytes.min(buffer.len());
    if buffer.as_ptr().align_offset(alignment) == 0 {
        buffer.slice_with_length(0, bytes)
    } else {
        Buffer::from(&buffer.as_slice()[..bytes])
    }
}

/// The validity of `rows` rows from a bit-packed buffer: `None` when all are valid. The number of nulls is counted, not
/// believed; with `trust` it is.
///
/// # Errors
/// [`Error::LengthMismatch`] when there are fewer bits than rows.
pub fn validity(bits: &Buffer, rows: usize, null_count: usize, trust: Option<Trust>) -> Result<Option<NullBuffer>> {
    if null_count == 0 {
        return Ok(None);
    }
    if bits.len() < rows.div_ceil(8) {
        return Err(Error::length_mismatch(rows, bits.len().saturating_mul(8)));
    }
    let bits = BooleanBuffer::new(bits.clone(), 0, rows);
    Ok(Some(match trust {
        // SAFETY: the count is the number of zeros among the bits: vouched for.
        Some(_) => unsafe { NullBuffer::new_unchecked(bits, null_count) },
        None => NullBuffer::new(bits),
    }))
}

/// Bytes of one value of a fixed-width type; `None` for other types.
#[must_use]
pub fn fixed_width(data_type: &DataType) -> Option<usize> {
    match types::kind(data_type) {
        Kind::Fixed(width, _) => Some(width.bytes()),
        _ => None,
    }
}

/// The values of a fixed-width array, one behind the other; `None` for other types.
#[must_use]
pub fn fixed_values(array: &dyn Array) -> Option<Buffer> {
    let width = fixed_width(array.data_type())?;
    types::fixed_buffer(array).map(|values| values.slice_with_length(0, array.len() * width))
}

/// The bytes of a fixed-width array's values, from its first row on; `None` for other types.
#[must_use]
pub fn fixed_bytes(array: &dyn Array) -> Option<&[u8]> {
    types::fixed_buffer(array).map(Buffer::as_slice)
}

/// An array of a fixed-width type over a buffer of its values, which is borrowed when it is aligned to 16
/// bytes (or to the width, if that is less) and copied once when not.
///
/// # Errors
/// [`Error::UnsupportedType`]; [`Error::LengthMismatch`] when the buffer is not `rows` values long or the
/// validity not `rows` bits.
pub fn fixed_array(data_type: &DataType, rows: usize, buffer: Buffer, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let Some(width) = fixed_width(data_type) else {
        return Err(types::unsupported("a fixed-width array", data_type));
    };
    let bytes = rows.checked_mul(width).ok_or_else(|| Error::too_many_rows(rows))?;
    if buffer.len() < bytes {
        return Err(Error::length_mismatch(rows, buffer.len() / width));
    }
    types::make_fixed_buffer(data_type, aligned(&buffer, bytes, width.min(16)), nulls, "a fixed-width array")
}

/// A dictionary array over keys and values; every valid key is checked to be in range, unless on `trust`.
///
/// # Errors
/// [`Error::Arrow`] names the first key out of range.
pub fn dictionary_array(
    key_type: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    take::dictionary_array(key_type, keys, values, trust)
}

/// A column of nothing but nulls.
#[must_use]
pub fn nothing(rows: usize) -> ArrayRef {
    Arc::new(NullArray::new(rows))
}

/// A column of Booleans.
///
/// # Errors
/// [`Error::LengthMismatch`] when the validity has another length.
pub fn boolean_array(values: BooleanBuffer, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    if let Some(nulls) = &nulls
        && nulls.len() != values.len()
    {
        return Err(Error::length_mismatch(values.len(), nulls.len()));
    }
    Ok(Arc::new(BooleanArray::new(values, nulls)))
}

/// A column of bytes of one length.
///
/// # Errors
/// [`Error::Arrow`] when the parts do not go together.
pub fn fixed_bytes_array(size: i32, rows: usize, values: Buffer, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    Ok(Arc::new(FixedSizeBinaryArray::try_new_with_len(size, values, nulls, rows)?))
}

/// An array of no rows.
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that the build leaves out.
pub fn empty_array(data_type: &DataType) -> Result<ArrayRef> {
    take::blank(data_type, 0)
}

/// A batch without rows.
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that the build leaves out.
pub fn empty_batch(schema: &SchemaRef) -> Result<RecordBatch> {
    batch(schema.clone(), all(schema.fields().iter().map(|field| empty_array(field.data_type())))?, 0)
}

/// A batch of so many rows, which need no column.
///
/// # Errors
/// [`Error::Arrow`] when the columns do not fit the schema.
pub fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// An array of nulls.
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that the build leaves out; [`Error::TooManyRows`].
pub fn null_array(data_type: &DataType, rows: usize) -> Result<ArrayRef> {
    let one = take::blank(data_type, 1)?;
    take(one.as_ref(), &Indices::try_new(vec![0; rows], 1)?)
}
