//! Arrays of any supported type from their parts, for crates that read bytes.
//!
//! Here stands the door to the one list of fixed-width types, so that a reader does not need a list (and
//! its machine code) of its own.

use arrow_array::ArrayRef;
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::DataType;

use crate::types::{self, Kind, Width};
use crate::{Error, Result, take};

/// Bytes of one value of a fixed-width type; `None` for other types.
#[must_use]
pub fn fixed_width(data_type: &DataType) -> Option<usize> {
    match types::kind(data_type) {
        Kind::Fixed(width, _) => Some(match width {
            Width::W1 => 1,
            Width::W2 => 2,
            Width::W4 => 4,
            Width::W8 => 8,
            Width::W16 | Width::W16Interval => 16,
            Width::W32 => 32,
        }),
        _ => None,
    }
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
    let bytes = rows.checked_mul(width).ok_or(Error::TooManyRows { rows })?;
    if buffer.len() < bytes {
        return Err(Error::LengthMismatch { expected: rows, found: buffer.len() / width });
    }
    let buffer = if buffer.as_ptr().align_offset(width.min(16)) == 0 {
        buffer.slice_with_length(0, bytes)
    } else {
        Buffer::from(&buffer.as_slice()[..bytes])
    };
    types::make_fixed_buffer(data_type, buffer, nulls, "a fixed-width array")
}

/// A dictionary array over keys and values; every valid key is checked to be in range.
///
/// # Errors
/// [`Error::Arrow`] names the first key out of range.
pub fn dictionary_array(key_type: &DataType, keys: ArrayRef, values: ArrayRef) -> Result<ArrayRef> {
    take::dictionary_array(key_type, keys, values)
}

/// An array of no rows.
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that the build leaves out.
pub fn empty_array(data_type: &DataType) -> Result<ArrayRef> {
    take::empty(data_type)
}
