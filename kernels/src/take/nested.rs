//! Lists, structs and maps: each level gathers its own rows and then asks for those of the level below.
//!
//! A row of a list is a span of its child's rows. Spans of fixed-width values without nulls are copied as bytes; those
//! of any other child are written out as row numbers, which the child gathers as every column does. A struct's children
//! have its rows. What a null list may still point at is left behind.
//!
//! Bytes touched: 12 per row for the spans, 8 per value where row numbers are written out, the values once in and once
//! out. Arrow's own copier was not taken: it brings the code of every type (166 kB of a module), and copies row by row.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::DataType;

use super::{Places, empty, gather_nulls, take};
use crate::arrays::Trust;
use crate::error::all;
use crate::types::{self, Kind};
use crate::{Error, Indices, Result, arrays};

/// Gathers rows of lists, structs and maps, and of unions, runs and list views where the build has them.
pub(super) fn gather(data_type: &DataType, chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    match data_type {
        DataType::Struct(fields) => {
            let children = all((0..fields.len()).map(|child| {
                let chunks: Vec<&dyn Array> =
                    chunks.iter().map(|chunk| chunk.as_struct().column(child).as_ref()).collect();
                super::gather(&chunks, places)
            }))?;
            arrays::struct_array(fields, children, places.len(), gather_nulls(chunks, places))
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Map(..) => {
            let mut children: Vec<&dyn Array> = Vec::with_capacity(chunks.len());
            for chunk in chunks {
                children.push(arrays::list_values(*chunk).ok_or_else(|| types::unsupported("take", data_type))?);
            }
            let mut spans = Vec::with_capacity(places.len());
            let mut lengths = Vec::with_capacity(places.len());
            for position in 0..places.len() {
                let (chunk, row) = places.get(position);
                let (start, end) = arrays::list_span(chunks[chunk], row);
                lengths.push(end - start);
                spans.push((chunk as u32, start, end));
            }
            let rows = lengths.iter().fold(0usize, |rows, &length| rows.saturating_add(length));
            if matches!(data_type, DataType::List(_) | DataType::Map(..)) && i32::try_from(rows).is_err() {
                return Err(Error::offset_overflow(rows));
            }
            let values = gather_spans(&children, &spans, rows)?;
            assemble(data_type, &lengths, values, gather_nulls(chunks, places))
        }
        #[cfg(feature = "unions")]
        _ => super::unions::gather(chunks, places),
        #[cfg(not(feature = "unions"))]
        _ => Err(types::unsupported("take", data_type)),
    }
}

/// An array of no rows, or of one, which is null.
pub(super) fn blank(data_type: &DataType, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    match data_type {
        DataType::Struct(fields) => {
            let children = all(fields.iter().map(|field| super::blank(field.data_type(), rows)))?;
            arrays::struct_array(fields, children, rows, nulls)
        }
        DataType::FixedSizeList(field, size) if rows > 0 => {
            let numbers = vec![0; usize::try_from(*size).unwrap_or(0)];
            let one = super::blank(field.data_type(), 1)?;
            assemble(data_type, &[0], take(one.as_ref(), &Indices::new_unchecked(numbers, 1))?, nulls)
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => assemble(data_type, &vec![0; rows], empty(field.data_type())?, nulls),
        #[cfg(feature = "unions")]
        _ if rows == 0 => Ok(arrow_array::new_empty_array(data_type)),
        #[cfg(feature = "unions")]
        _ => Ok(arrow_array::new_null_array(data_type, rows)),
        #[cfg(not(feature = "unions"))]
        _ => Err(types::unsupported("take", data_type)),
    }
}

/// Lists of so many values each, one behind the other.
fn assemble(data_type: &DataType, lengths: &[usize], values: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let offsets = match data_type {
        DataType::FixedSizeList(..) => Buffer::default(),
        DataType::LargeList(_) => offsets::<i64>(lengths),
        _ => offsets::<i32>(lengths),
    };
    // SAFETY: the offsets are sums of lengths, which do not fall.
    let trust = unsafe { Trust::promise() };
    arrays::list_array(data_type, lengths.len(), &offsets, values, nulls, Some(trust))
}

/// Where lists of these lengths begin, and where the last one ends.
fn offsets<O: OffsetSizeTrait>(lengths: &[usize]) -> Buffer {
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0usize;
    offsets.push(O::default());
    for length in lengths {
        end += *length;
        offsets.push(O::usize_as(end));
    }
    Buffer::from_vec(offsets)
}

/// The rows of all spans, one span behind the other: of each its chunk, its first row and the row behind its last.
fn gather_spans(chunks: &[&dyn Array], spans: &[(u32, usize, usize)], rows: usize) -> Result<ArrayRef> {
    let Some(data_type) = types::one_type(chunks)? else {
        return Err(Error::length_mismatch(1, 0));
    };
    if u32::try_from(rows).is_err() {
        return Err(Error::too_many_rows(rows));
    }
    if let Kind::Fixed(width, _) = types::kind(data_type)
        && chunks.iter().all(|chunk| chunk.null_count() == 0)
    {
        let width = width.bytes();
        let mut buffers = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            buffers.push(types::fixed_buffer(*chunk).ok_or_else(|| types::unsupported("take", data_type))?.as_slice());
        }
        let mut bytes: Vec<u8> = Vec::with_capacity(rows.saturating_mul(width));
        for &(chunk, start, end) in spans {
            bytes.extend_from_slice(&buffers[chunk as usize][start * width..end * width]);
        }
        return types::make_fixed_buffer(data_type, Buffer::from_vec(bytes), None, "take");
    }
    let mut places = Vec::with_capacity(rows);
    for &(chunk, start, end) in spans {
        let end = u32::try_from(end).map_err(|_| Error::too_many_rows(end))?;
        places.extend((start as u32..end).map(|row| (chunk, row)));
    }
    super::gather(chunks, &Places::Many(places))
}
