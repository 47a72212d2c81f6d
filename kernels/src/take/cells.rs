//! Text whose values all have one length, up to sixteen bytes: identifiers, codes, dates.
//!
//! Where a value stands follows from its row, so that no offset is fetched, and what is fetched is one word.

use std::sync::Arc;

use arrow_array::types::{BinaryType, Utf8Type};
use arrow_array::{ArrayRef, GenericByteArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::cluster::Clusters;
use crate::prefetch;

/// The longest value.
const LONGEST: usize = 16;

/// A word that holds a value at its beginning.
trait Cell: Copy + Default {
    /// Reads the word at a place; past the end of the bytes are zeros.
    fn read(bytes: &[u8], at: usize) -> Self;
    fn bytes(self) -> [u8; LONGEST];
}

macro_rules! cell {
    ($word:ty) => {
        impl Cell for $word {
            #[inline(always)]
            fn read(bytes: &[u8], at: usize) -> Self {
                let rest = &bytes[at..];
                match rest.first_chunk() {
                    Some(bytes) => Self::from_le_bytes(*bytes),
                    None => rest.iter().rev().fold(0, |word, &byte| word << 8 | Self::from(byte)),
                }
            }

            #[inline(always)]
            fn bytes(self) -> [u8; LONGEST] {
                u128::from(self).to_le_bytes()
            }
        }
    };
}

cell!(u64);
cell!(u128);

/// The rows of a column of this kind; `None` of any other, and when there are so few of them that looking at all
/// offsets would cost more than it saves.
pub(super) fn gather(
    data_type: &DataType,
    offsets: &[i32],
    values: &[u8],
    rows: &[u32],
    clusters: Option<&Clusters>,
) -> Option<ArrayRef> {
    if cfg!(feature = "small")
        || rows.len() < offsets.len() / 8
        || !matches!(data_type, DataType::Utf8 | DataType::Binary)
    {
        return None;
    }
    let (first, length) = (*offsets.first()?, offsets.get(1)? - offsets[0]);
    // Offsets are at most `i32::MAX`, so that none of these wraps when all are as expected.
    let expected = (0..).map(|row: i32| first.wrapping_add(row.wrapping_mul(length)));
    let uniform =
        offsets.iter().zip(expected).fold(true, |uniform, (&offset, expected)| uniform & (offset == expected));
    let length = usize::try_from(length).ok()?;
    if !uniform || length == 0 || length > LONGEST || i32::try_from(rows.len() * length).is_err() {
        return None;
    }
    let values = &values[first as usize..];
    let bytes = match length {
        ..=8 => copy::<u64>(values, length, rows, clusters),
        _ => copy::<u128>(values, length, rows, clusters),
    };
    let offsets: Vec<i32> = (0..=rows.len()).map(|row| (row * length) as i32).collect();
    // SAFETY: the offsets are multiples of the length, the last of them the number of bytes.
    let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets)) };
    let bytes = Buffer::from_vec(bytes);
    match data_type {
        // SAFETY: each `length` bytes are one whole value of an array of this type, hence valid UTF-8.
        DataType::Utf8 => Some(Arc::new(unsafe { GenericByteArray::<Utf8Type>::new_unchecked(offsets, bytes, None) })),
        DataType::Binary => {
            // SAFETY: as above; bytes need no further check.
            Some(Arc::new(unsafe { GenericByteArray::<BinaryType>::new_unchecked(offsets, bytes, None) }))
        }
        _ => None,
    }
}

fn copy<T: Cell>(values: &[u8], length: usize, rows: &[u32], clusters: Option<&Clusters>) -> Vec<u8> {
    let total = rows.len() * length;
    let mut bytes: Vec<u8> = Vec::with_capacity(total + LONGEST);
    let room = bytes.spare_capacity_mut();
    let mut end = 0;
    // The next value is written over the end of this word.
    let mut put = |cell: T| {
        room[end..end + LONGEST].write_copy_of_slice(&cell.bytes());
        end += length;
    };
    match clusters {
        None => rows.iter().for_each(|&row| put(T::read(values, row as usize * length))),
        Some(clusters) => {
            let fetch = |cluster: usize, rows: &[u32], fetched: &mut Vec<T>| {
                let span = Clusters::span(cluster, rows.len(), values.len() / length);
                prefetch::slice(&values[span.start * length..span.end * length]);
                fetched.extend(rows.iter().map(|&row| T::read(values, row as usize * length)));
                Some(())
            };
            clusters.windows(fetch, |cells| cells.iter().for_each(|&cell| put(cell)));
        }
    }
    let written = end.min(total);
    // SAFETY: every byte before `end` has been written, and the capacity is more than `total`.
    unsafe { bytes.set_len(written) };
    bytes
}
