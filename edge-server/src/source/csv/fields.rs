//! Where the fields of a piece without quotes end, found by the kernels: a byte is compared as a number is, and the bytes that
//! are a delimiter or a line break are the rows that a filter keeps.
//!
//! With every field's place at hand, a column is read in one loop, whose iterations do not wait for each other.

use std::ops::Range;

use arrow_array::UInt8Array;
use arrow_buffer::{Buffer, ScalarBuffer};
use kernels::query::{CompareOp, Scalar};
use kernels::{Indices, compare, mask_to_indices};
use memchr::memchr;

use super::pieces::Piece;

/// The places of all fields.
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    ends: &'a [u32],
    columns: usize,
    pub(super) rows: usize,
}

/// Finds the ends of all fields; none when the piece holds quotes, which make it another matter.
pub(super) fn ends(piece: &mut Piece, delimiter: u8) -> Option<Indices> {
    if memchr(b'"', piece).is_some() {
        return None;
    }
    let length = piece.len();
    let buffer = Buffer::from_vec(piece.take());
    let array = UInt8Array::new(ScalarBuffer::new(buffer.clone(), 0, length), None);
    let is = |byte: u8| compare(&array, CompareOp::Eq, &Scalar::Int(byte.into()));
    let found = is(delimiter).and_then(|delimiters| Ok(delimiters.or(&is(b'\n')?)));
    let ends = found.and_then(|found| mask_to_indices(&found.to_mask()));
    drop(array);
    // Nobody else holds it, so that it comes back without a copy.
    piece.give(buffer.into_vec().unwrap_or_else(|buffer| buffer.to_vec()), length);
    ends.ok()
}

impl<'a> Fields<'a> {
    /// The fields of records that all have as many; none when some have not, or there are empty lines.
    pub(super) fn try_new(bytes: &'a [u8], ends: &'a [u32], columns: usize) -> Option<Self> {
        let rows = ends.len() / columns;
        let whole = rows * columns == ends.len();
        let breaks = || {
            ends.chunks_exact(columns).all(|row| {
                let (last, others) = row.split_last().unwrap_or((&0, &[]));
                bytes[*last as usize] == b'\n' && others.iter().all(|&end| bytes[end as usize] != b'\n')
            })
        };
        // An empty line is no record; with several columns it has too few ends.
        let is_empty = |start: usize, end: u32| matches!(bytes[start..end as usize], [] | [b'\r']);
        let starts = || std::iter::once(0).chain(ends.iter().map(|&end| end as usize + 1));
        let gaps = columns == 1 && starts().zip(ends).any(|(start, &end)| is_empty(start, end));
        (whole && !gaps && breaks()).then_some(Self { bytes, ends, columns, rows })
    }

    /// Begin and end of a column's fields, in some of the records.
    pub(super) fn column(&self, column: usize, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let is_last = column + 1 == self.columns;
        rows.map(move |row| {
            let at = row * self.columns + column;
            let start = if at == 0 { 0 } else { self.ends[at - 1] as usize + 1 };
            let end = self.ends[at] as usize;
            // A line break of two bytes.
            let end = if is_last && end > start && self.bytes[end - 1] == b'\r' { end - 1 } else { end };
            start..end
        })
    }
}
