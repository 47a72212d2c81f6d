//! Text and binary columns over the bytes of a message: every offset and every letter checked once.
//!
//! Offsets are checked by comparing neighbours, without a branch for each. Text that is all ASCII needs no other check;
//! other text is validated in one pass over all values, and then no offset may point into the middle of a letter.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::{Trust, aligned};
use crate::bytes::behind_offsets;
use crate::{Error, Result, types};

/// Bytes of the values of a column of text or bytes behind offsets; 0 for other columns.
#[must_use]
pub fn text_bytes(array: &dyn Array) -> usize {
    text(array).map_or(0, |text| text.bytes().len())
}

/// A column of text or bytes behind offsets.
#[derive(Debug)]
pub struct Text<'a> {
    pub(crate) offsets: &'a Buffer,
    /// Whether they have 64 bits.
    pub(crate) large: bool,
    pub(crate) values: &'a Buffer,
}

/// The parts of a column of text or bytes behind offsets; `None` of other columns.
#[must_use]
pub fn text(array: &dyn Array) -> Option<Text<'_>> {
    macro_rules! parts {
        ($array:expr, $large:literal) => {{
            let array = $array;
            Text { offsets: array.offsets().inner().inner(), large: $large, values: array.values() }
        }};
    }
    Some(match array.data_type() {
        DataType::Utf8 => parts!(array.as_string_opt::<i32>()?, false),
        DataType::LargeUtf8 => parts!(array.as_string_opt::<i64>()?, true),
        DataType::Binary => parts!(array.as_binary_opt::<i32>()?, false),
        DataType::LargeBinary => parts!(array.as_binary_opt::<i64>()?, true),
        _ => return None,
    })
}

impl Text<'_> {
    /// Bytes of the values that the rows show.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (first, last) = span(self.offsets, self.large);
        &self.values[first..last]
    }

    /// Offsets that begin at zero, and what they lead to. Offsets that begin elsewhere are copied.
    #[must_use]
    pub fn parts(&self) -> [Buffer; 2] {
        let (first, last) = span(self.offsets, self.large);
        [from_zero(self.offsets, self.large), self.values.slice_with_length(first, last - first)]
    }

    /// The offsets but the first, as they are behind so many other bytes.
    pub(crate) fn ends_behind(&self, held: usize) -> Buffer {
        let first = span(self.offsets, self.large).0;
        moved(self.offsets, self.large, held as i64 - first as i64, 1)
    }
}

/// The first and the last of offsets.
pub(super) fn span(offsets: &Buffer, large: bool) -> (usize, usize) {
    fn ends<O: OffsetSizeTrait>(offsets: &Buffer) -> (usize, usize) {
        match *offsets.typed_data::<O>() {
            [] => (0, 0),
            [one] => (one.as_usize(), one.as_usize()),
            [first, .., last] => (first.as_usize(), last.as_usize()),
        }
    }
    if large { ends::<i64>(offsets) } else { ends::<i32>(offsets) }
}

/// Offsets as they are when they begin at zero; copied when they do not.
pub(super) fn from_zero(offsets: &Buffer, large: bool) -> Buffer {
    match span(offsets, large) {
        (0, _) => offsets.clone(),
        (first, _) => moved(offsets, large, -(first as i64), 0),
    }
}

/// Offsets from one of them on, with a number added to each.
fn moved(offsets: &Buffer, large: bool, by: i64, from: usize) -> Buffer {
    if large {
        Buffer::from_vec(offsets.typed_data::<i64>()[from..].iter().map(|offset| offset + by).collect::<Vec<_>>())
    } else {
        let by = by as i32;
        Buffer::from_vec(offsets.typed_data::<i32>()[from..].iter().map(|offset| offset + by).collect::<Vec<_>>())
    }
}

/// A column of text or bytes behind 32-bit or 64-bit offsets (`Utf8`, `Binary` and their large forms). Both buffers are
/// borrowed when the offsets are aligned.
///
/// `O(rows + bytes of values)`; with `trust`, `O(1)`.
///
/// # Errors
/// [`Error::UnsupportedType`]; [`Error::LengthMismatch`] when there are fewer than `rows + 1` offsets or the validity
/// has another length; [`Error::InvalidOffset`] and [`Error::InvalidText`] name the row.
pub fn bytes_array(
    data_type: &DataType,
    rows: usize,
    offsets: &Buffer,
    values: &Buffer,
    nulls: Option<NullBuffer>,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    match data_type {
        DataType::Utf8 | DataType::Binary => build::<i32>(data_type, rows, offsets, values, nulls, trust),
        DataType::LargeUtf8 | DataType::LargeBinary => build::<i64>(data_type, rows, offsets, values, nulls, trust),
        _ => Err(types::unsupported("a column of bytes", data_type)),
    }
}

/// Offsets of `rows` values, never negative and never falling; a column of no rows may leave its single one out.
///
/// # Errors
/// [`Error::LengthMismatch`] when there are fewer than `rows + 1`; [`Error::InvalidOffset`] names the row.
pub fn offsets<O: OffsetSizeTrait>(rows: usize, offsets: &Buffer, trust: Option<Trust>) -> Result<OffsetBuffer<O>> {
    if rows == 0 && offsets.len() < size_of::<O>() {
        return Ok(OffsetBuffer::new_empty());
    }
    let needed = (rows + 1).checked_mul(size_of::<O>()).ok_or_else(|| Error::too_many_rows(rows))?;
    if offsets.len() < needed {
        return Err(Error::length_mismatch(rows + 1, offsets.len() / size_of::<O>()));
    }
    let offsets: ScalarBuffer<O> = ScalarBuffer::from(aligned(offsets, needed, align_of::<O>()));
    if trust.is_none() {
        check_order(&offsets, 0)?;
    }
    // SAFETY: there is at least one offset; they are not negative and do not fall: checked above, or vouched for.
    Ok(unsafe { OffsetBuffer::new_unchecked(offsets) })
}

/// Whether offsets are not negative and do not fall; the first of them is that of a row.
fn check_order<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> Result<()> {
    let first = offsets.first().is_some_and(|&first| first < O::default());
    let falls = offsets.windows(2).fold(false, |falls, pair| falls | (pair[1] < pair[0]));
    if first || falls {
        let wrong = offsets.windows(2).position(|pair| pair[1] < pair[0] || pair[0] < O::default());
        return Err(Error::invalid_offset(row + wrong.unwrap_or(0)));
    }
    Ok(())
}

/// Rows whose offsets and text are checked while they are in the cache.
const BLOCK: usize = 8192;

fn build<O: OffsetSizeTrait>(
    data_type: &DataType,
    rows: usize,
    all: &Buffer,
    values: &Buffer,
    nulls: Option<NullBuffer>,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    let text = types::is_text(data_type);
    // The order of a text's offsets is checked with the text.
    // SAFETY: `check_text` looks at every offset before the array is made.
    let order = if text { Some(unsafe { Trust::promise() }) } else { trust };
    let offsets = offsets::<O>(rows, all, order)?;
    if let Some(nulls) = &nulls
        && nulls.len() != rows
    {
        return Err(Error::length_mismatch(rows, nulls.len()));
    }
    if offsets[rows] < O::default() {
        return Err(Error::invalid_offset(rows.saturating_sub(1)));
    }
    let end = offsets[rows].as_usize();
    // Reading the last offset costs nothing, so it is looked at even on trust.
    if end > values.len() {
        return Err(Error::invalid_offset(rows.saturating_sub(1)));
    }
    let values = values.slice_with_length(0, end);
    if text && trust.is_none() {
        check_text(&offsets, &values)?;
    }
    // SAFETY: the offsets begin at zero or above, do not fall and end within the values, the validity has their length,
    // and for text every value is UTF-8: checked above, or vouched for.
    let array = unsafe { behind_offsets(data_type, offsets.into_inner().into_inner(), values, nulls) };
    array.ok_or_else(|| types::unsupported("a column of bytes", data_type))
}

/// Whether the offsets are in order and every value is UTF-8, block by block.
fn check_text<O: OffsetSizeTrait>(offsets: &[O], values: &[u8]) -> Result<()> {
    let rows = offsets.len().saturating_sub(1);
    for row in (0..rows.max(1)).step_by(BLOCK) {
        let block = &offsets[row..=(row + BLOCK).min(rows)];
        check_order(block, row)?;
        let (Some(first), Some(last)) = (block.first(), block.last()) else { continue };
        let wrong = || Error::invalid_offset(row + block.len().saturating_sub(2));
        let text = values.get(first.as_usize()..last.as_usize()).ok_or_else(wrong)?;
        // What stands before the first value is seen by nobody, but is part of what Arrow calls the values.
        let text = if row == 0 { &values[..last.as_usize()] } else { text };
        check_block(block, text, last.as_usize() - text.len()).map_err(|wrong| Error::invalid_text(row + wrong))?;
    }
    Ok(())
}

/// Whether the values of a block of rows are UTF-8, of which the first byte stands at `start`; the row that is not.
fn check_block<O: OffsetSizeTrait>(offsets: &[O], text: &[u8], start: usize) -> Result<(), usize> {
    if text.is_ascii() {
        return Ok(());
    }
    let last_row = offsets.len().saturating_sub(2);
    if !is_utf8(text) {
        let byte = start + std::str::from_utf8(text).err().map_or(0, |error| error.valid_up_to());
        return Err(offsets.partition_point(|offset| offset.as_usize() <= byte).saturating_sub(1).min(last_row));
    }
    // Bytes that go on with a letter are 10xxxxxx; the end of the values is the end of a letter.
    let within = |offset: &O| text.get(offset.as_usize() - start).is_some_and(|byte| byte & 0xc0 == 0x80);
    match offsets.iter().position(within) {
        None => Ok(()),
        // The value that ends there is wrong, and so is the one that begins there.
        Some(offset) => Err(offset.saturating_sub(1)),
    }
}

#[cfg(feature = "simdutf8")]
pub(super) fn is_utf8(values: &[u8]) -> bool {
    simdutf8::basic::from_utf8(values).is_ok()
}

#[cfg(not(feature = "simdutf8"))]
pub(super) fn is_utf8(values: &[u8]) -> bool {
    std::str::from_utf8(values).is_ok()
}
