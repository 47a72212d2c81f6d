//! Structs of a fixed layout (`#[repr(C)]`, no padding, any bits are a value): the bytes are the struct.

use std::ops::Range;

use bytemuck::Pod;

use crate::{Error, Result};

fn wrong(error: bytemuck::PodCastError, expected: usize, found: usize) -> Box<Error> {
    let what = match error {
        bytemuck::PodCastError::TargetAlignmentGreaterAndInputNotAligned => "alignment",
        _ => "size in bytes",
    };
    Box::new(Error::Record { what, expected, found })
}

/// The struct in its bytes. Nothing is copied or allocated.
///
/// # Errors
/// [`Error::Record`] when there are more or fewer bytes, or they are not aligned as the struct is.
pub fn read<T: Pod>(bytes: &[u8]) -> Result<&T> {
    bytemuck::try_from_bytes(bytes).map_err(|error| wrong(error, size_of::<T>(), bytes.len()))
}

/// As [`read`], to be changed in place.
///
/// # Errors
/// As [`read`].
pub fn read_mut<T: Pod>(bytes: &mut [u8]) -> Result<&mut T> {
    let found = bytes.len();
    bytemuck::try_from_bytes_mut(bytes).map_err(|error| wrong(error, size_of::<T>(), found))
}

/// The bytes of a struct.
#[must_use]
pub fn write<T: Pod>(value: &T) -> &[u8] {
    bytemuck::bytes_of(value)
}

/// Overwrites a range of a struct's bytes, such as one field's.
///
/// # Errors
/// [`Error::Record`] when the range does not lie in the struct; nothing is changed then.
pub fn patch<T: Pod>(state: &mut T, start: usize, bytes: &[u8]) -> Result<()> {
    let range = range_of(start, bytes.len(), size_of::<T>())?;
    bytemuck::bytes_of_mut(state)[range].copy_from_slice(bytes);
    Ok(())
}

fn range_of(start: usize, length: usize, size: usize) -> Result<Range<usize>> {
    match start.checked_add(length).filter(|&end| end <= size) {
        Some(end) => Ok(start..end),
        None => {
            Err(Box::new(Error::Record { what: "end of a range", expected: size, found: start.saturating_add(length) }))
        }
    }
}

/// A patch as bytes: where it begins (`u32`, little-endian) and what is written there.
#[must_use]
pub fn to_patch(start: u32, bytes: &[u8]) -> Vec<u8> {
    [&start.to_le_bytes(), bytes].concat()
}

/// Applies what [`to_patch`] made.
///
/// # Errors
/// As [`patch`]; [`Error::Record`] when the message is shorter than its head.
pub fn apply<T: Pod>(state: &mut T, message: &[u8]) -> Result<()> {
    let short = || Box::new(Error::Record { what: "size of a patch", expected: 4, found: message.len() });
    let (start, bytes) = message.split_first_chunk::<4>().ok_or_else(short)?;
    patch(state, u32::from_le_bytes(*start) as usize, bytes)
}
