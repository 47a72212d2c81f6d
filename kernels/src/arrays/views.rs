//! Text and binary views over the bytes of a message.
//!
//! A view is 16 bytes: the length, then either the value itself (up to twelve bytes, zeros behind it), or its first four
//! bytes, the number of a buffer and an offset into it. Every view is looked at, also under nulls: whatever reads it later
//! must not leave the buffers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryViewType, ByteViewType, StringViewType};
use arrow_array::{Array, ArrayRef, GenericByteViewArray};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::{Trust, aligned};
use crate::bytes::{BytesColumn, make_bytes};
use crate::{Error, Result, types};

/// Bytes of a value that stand in the view itself.
const INLINE: u32 = 12;

/// A column of views (`Utf8View`, `BinaryView`). Buffers are borrowed; so are the views when they are aligned.
///
/// `O(rows + bytes of values longer than 12)`; with `trust`, `O(buffers)`.
///
/// # Errors
/// [`Error::UnsupportedType`]; [`Error::LengthMismatch`]; [`Error::InvalidOffset`] and [`Error::InvalidText`] name the
/// row.
pub fn views_array(
    data_type: &DataType,
    rows: usize,
    views: &Buffer,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    match data_type {
        DataType::Utf8View => build::<StringViewType>(rows, views, buffers, nulls, trust, true),
        DataType::BinaryView => build::<BinaryViewType>(rows, views, buffers, nulls, trust, false),
        _ => Err(types::unsupported("a column of views", data_type)),
    }
}

/// A column of views, and with it only what its rows show.
///
/// # Errors
/// [`Error::UnsupportedType`] for other columns.
pub fn compact_views(array: &dyn Array) -> Result<ArrayRef> {
    let column = BytesColumn::try_new(array, "a column of views")?;
    make_bytes(array.data_type(), array.len(), array.nulls().cloned(), "a column of views", |row| column.get(row))
}

/// The views of a column, and the buffers that they point into; `None` of other columns.
#[must_use]
pub fn views(array: &dyn Array) -> Option<(Buffer, &[Buffer])> {
    Some(match array.data_type() {
        DataType::Utf8View => {
            let array = array.as_string_view_opt()?;
            (array.views().inner().clone(), array.data_buffers())
        }
        _ => {
            let array = array.as_binary_view_opt()?;
            (array.views().inner().clone(), array.data_buffers())
        }
    })
}

fn build<T: ByteViewType + ?Sized>(
    rows: usize,
    views: &Buffer,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
    trust: Option<Trust>,
    text: bool,
) -> Result<ArrayRef> {
    let bytes = rows.checked_mul(16).ok_or_else(|| Error::too_many_rows(rows))?;
    if views.len() < bytes {
        return Err(Error::length_mismatch(rows, views.len() / 16));
    }
    if let Some(nulls) = &nulls
        && nulls.len() != rows
    {
        return Err(Error::length_mismatch(rows, nulls.len()));
    }
    let views: ScalarBuffer<u128> = ScalarBuffer::from(aligned(views, bytes, align_of::<u128>()));
    if trust.is_none() {
        for (row, &view) in views.iter().enumerate() {
            check(view, &buffers, text, row)?;
        }
    }
    // SAFETY: every view is short and zero behind its value, or lies in a buffer and begins with the four bytes that it
    // repeats; for text each value is UTF-8; the validity has as many rows: checked above, or vouched for.
    Ok(Arc::new(unsafe { GenericByteViewArray::<T>::new_unchecked(views, buffers.into(), nulls) }))
}

#[inline(always)]
fn check(view: u128, buffers: &[Buffer], text: bool, row: usize) -> Result<()> {
    /// The top bit of every byte of a view's value, which ASCII leaves unset.
    const TOPS: u128 = 0x8080_8080_8080_8080_8080_8080 << 32;
    let length = view as u32;
    if length <= INLINE {
        // Nothing may stand behind the value. A shift by all bits is none.
        if length < INLINE && view >> (32 + 8 * length) != 0 {
            return Err(Error::invalid_offset(row));
        }
        if text && view & TOPS != 0 {
            let value = &view.to_le_bytes()[4..4 + length as usize];
            std::str::from_utf8(value).map_err(|_| Error::invalid_text(row))?;
        }
        return Ok(());
    }
    let (prefix, buffer, offset) = ((view >> 32) as u32, (view >> 64) as u32, (view >> 96) as u32);
    let value = buffers
        .get(buffer as usize)
        .and_then(|buffer| buffer.get(offset as usize..(offset as usize).checked_add(length as usize)?))
        .filter(|value| value[..4] == prefix.to_le_bytes())
        .ok_or_else(|| Error::invalid_offset(row))?;
    if text && !value.is_ascii() && !super::bytes::is_utf8(value) {
        return Err(Error::invalid_text(row));
    }
    Ok(())
}
