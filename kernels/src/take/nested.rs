//! Lists, structs and maps: each level gathers its own rows and then asks for those of the level below.
//!
//! A row of a list is a span of its child's rows. Spans of fixed-width values without nulls are copied as bytes; those
//! of any other child are written out as row numbers, which the child gathers as every column does. A struct's children
//! have its rows. What a null list may still point at is left behind.
//!
//! Bytes touched: 12 per row for the spans, 8 per value where row numbers are written out, the values once in and once
//! out. Arrow's own copier was not taken: it brings the code of every type (166 kB of a module), and copies row by row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Fields};

use super::{Places, empty, gather_nulls, null_row, take};
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
            structs(fields, children, places.len(), gather_nulls(chunks, places))
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

/// An array of no rows.
pub(super) fn empty_of(data_type: &DataType) -> Result<ArrayRef> {
    match data_type {
        DataType::Struct(fields) => structs(fields, all(fields.iter().map(|field| empty(field.data_type())))?, 0, None),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => assemble(data_type, &[], empty(field.data_type())?, None),
        #[cfg(feature = "unions")]
        _ => Ok(arrow_array::new_empty_array(data_type)),
        #[cfg(not(feature = "unions"))]
        _ => Err(types::unsupported("take", data_type)),
    }
}

/// An array of one row, which is null.
pub(super) fn null_of(data_type: &DataType, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    match data_type {
        DataType::Struct(fields) => {
            structs(fields, all(fields.iter().map(|field| null_row(field.data_type())))?, 1, nulls)
        }
        DataType::FixedSizeList(field, size) => {
            let rows = vec![0; usize::try_from(*size).unwrap_or(0)];
            let values = take(null_row(field.data_type())?.as_ref(), &Indices::new_unchecked(rows, 1))?;
            assemble(data_type, &[0], values, nulls)
        }
        DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => {
            assemble(data_type, &[0], empty(field.data_type())?, nulls)
        }
        #[cfg(feature = "unions")]
        _ => Ok(arrow_array::new_null_array(data_type, 1)),
        #[cfg(not(feature = "unions"))]
        _ => Err(types::unsupported("take", data_type)),
    }
}

fn structs(fields: &Fields, children: Vec<ArrayRef>, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, rows)?))
}

/// Lists of so many values each, one behind the other.
fn assemble(data_type: &DataType, lengths: &[usize], values: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::List(field) => {
            Arc::new(GenericListArray::<i32>::try_new(field.clone(), offsets(lengths), values, nulls)?)
        }
        DataType::LargeList(field) => {
            Arc::new(GenericListArray::<i64>::try_new(field.clone(), offsets(lengths), values, nulls)?)
        }
        DataType::FixedSizeList(field, size) => {
            Arc::new(FixedSizeListArray::try_new_with_length(field.clone(), *size, values, nulls, lengths.len())?)
        }
        DataType::Map(field, ordered) => {
            let entries = values.as_struct_opt().ok_or_else(|| types::unsupported("take", data_type))?.clone();
            Arc::new(MapArray::try_new(field.clone(), offsets(lengths), entries, nulls, *ordered)?)
        }
        _ => return Err(types::unsupported("take", data_type)),
    })
}

/// Where lists of these lengths begin, and where the last one ends.
fn offsets<O: OffsetSizeTrait>(lengths: &[usize]) -> OffsetBuffer<O> {
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0usize;
    offsets.push(O::default());
    for length in lengths {
        end += *length;
        offsets.push(O::usize_as(end));
    }
    OffsetBuffer::new(ScalarBuffer::from(offsets))
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
