//! Arrays over a message's body: every node and buffer checked, nothing copied that is aligned.
//!
//! A record batch lists its nodes (length, null count) and buffers (start, length) in the order of a walk
//! over the fields. [`ArrayReader`] makes the same walk; each step takes the next node and buffers and
//! hands typed parts to constructors that check values: offsets monotonic and in range, text UTF-8, views
//! and dictionary keys in range.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, Field};
use kernels::arrays::{self, Trust};

use crate::codec::Codec;
use crate::flat::Vector;
use crate::schema::Ids;
use crate::{Error, Result};

/// Walks the nodes and buffers of one record batch.
pub(crate) struct ArrayReader<'a> {
    pub(crate) nodes: Vector<'a>,
    pub(crate) buffers: Vector<'a>,
    pub(crate) variadic: Option<Vector<'a>>,
    pub(crate) body: &'a Buffer,
    /// Where in the message's body these bytes begin.
    pub(crate) shift: usize,
    /// Bytes of the message's body.
    pub(crate) length: usize,
    /// Where the message begins.
    pub(crate) offset: u64,
    pub(crate) dictionaries: &'a dyn Fn(i64) -> Option<&'a ArrayRef>,
    pub(crate) codec: Option<Codec>,
    /// Unpacked bytes that may still be made.
    pub(crate) unpacked: usize,
    /// Version 4 of the metadata: unions have a validity.
    #[cfg_attr(not(feature = "unions"), allow(dead_code, reason = "only unions ask"))]
    pub(crate) is_v4: bool,
    pub(crate) trust: Option<Trust>,
    pub(crate) next: Next,
}

/// What is taken next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Next {
    pub(super) node: usize,
    pub(super) buffer: usize,
    pub(super) variadic: usize,
}

impl<'a> ArrayReader<'a> {
    /// The next column, which must have the batch's number of rows.
    pub(crate) fn column(&mut self, field: &Field, ids: &Ids, rows: usize) -> Result<ArrayRef> {
        let array = self.array(field, field.data_type(), ids)?;
        self.check_rows(field, rows as i64, array.len() as i64)?;
        Ok(array)
    }

    /// The values of a dictionary whose field is given.
    pub(crate) fn dictionary_values(&mut self, field: &Field, ids: &Ids, rows: usize) -> Result<ArrayRef> {
        let data_type = match field.data_type() {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        let array = self.array(field, data_type, ids)?;
        self.check_rows(field, rows as i64, array.len() as i64)?;
        Ok(array)
    }

    pub(super) fn check_rows(&self, field: &Field, expected: i64, found: i64) -> Result<()> {
        if expected == found {
            return Ok(());
        }
        Err(Box::new(Error::RowCount { offset: self.offset, column: field.name().clone(), expected, found }))
    }

    pub(super) fn array(&mut self, field: &Field, data_type: &DataType, ids: &Ids) -> Result<ArrayRef> {
        let (rows, null_count) = self.node(field)?;
        if matches!(data_type, DataType::Null) {
            return Ok(arrays::nothing(rows));
        }
        // These two have no validity of their own.
        match data_type {
            #[cfg(feature = "unions")]
            DataType::Union(fields, mode) => return self.union(field, fields, *mode, ids, rows, null_count),
            #[cfg(feature = "unions")]
            DataType::RunEndEncoded(ends, values) => return self.runs(field, data_type, [ends, values], ids, rows),
            #[cfg(not(feature = "unions"))]
            DataType::Union(..) | DataType::RunEndEncoded(..) => return Err(unsupported_type(field, data_type)),
            _ => {}
        }
        let nulls = self.validity(field, rows, null_count)?;
        if let Some(width) = arrays::fixed_width(data_type) {
            let values = self.values(field, rows, width)?;
            return self.made(field, arrays::fixed_array(data_type, rows, values, nulls));
        }
        match data_type {
            DataType::Boolean => {
                let bits = self.values_of(field, rows.div_ceil(8))?;
                self.made(field, arrays::boolean_array(BooleanBuffer::new(bits, 0, rows), nulls))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                let (offsets, values) = (self.buffer(field)?, self.buffer(field)?);
                let made = arrays::bytes_array(data_type, rows, &offsets, &values, nulls, self.trust);
                self.made(field, made)
            }
            DataType::Utf8View | DataType::BinaryView => self.views(field, data_type, rows, nulls),
            DataType::FixedSizeBinary(size) => {
                let width = usize::try_from(*size).unwrap_or(0);
                let values = self.values(field, rows, width)?;
                self.made(field, arrays::fixed_bytes_array(*size, rows, values, nulls))
            }
            DataType::Dictionary(key_type, value_type) => {
                let Some(width) = arrays::fixed_width(key_type) else {
                    return Err(unsupported_type(field, data_type));
                };
                let keys = self.values(field, rows, width)?;
                let keys = self.made(field, arrays::fixed_array(key_type, rows, keys, nulls))?;
                let id = ids.dictionary.unwrap_or(-1);
                let values = match (self.dictionaries)(id) {
                    Some(values) => values.clone(),
                    // A dictionary may be left out when no row uses it.
                    None if keys.null_count() == rows => self.made(field, arrays::empty_array(value_type))?,
                    None => return Err(Box::new(Error::MissingDictionary { offset: self.offset, id })),
                };
                self.made(field, arrays::dictionary_array(key_type, keys, values, self.trust))
            }
            #[cfg(feature = "nested")]
            _ => self.nested(field, data_type, ids, rows, nulls),
            #[cfg(not(feature = "nested"))]
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    /// The next node: rows and nulls.
    fn node(&mut self, field: &Field) -> Result<(usize, usize)> {
        if self.next.node >= self.nodes.len() {
            return Err(Error::metadata(self.offset, "a batch has fewer nodes than its schema"));
        }
        let part = |distance: usize| self.nodes.i64(self.next.node, distance);
        let (length, null_count) = (part(0)?, part(8)?);
        self.next.node += 1;
        let limit = i32::MAX as usize;
        let rows = usize::try_from(length).ok().filter(|&rows| rows <= limit);
        let nulls = usize::try_from(null_count).ok();
        match (rows, nulls) {
            (Some(rows), Some(nulls)) if nulls <= rows => Ok((rows, nulls)),
            (Some(rows), _) => Err(Box::new(Error::RowCount {
                offset: self.offset,
                column: field.name().clone(),
                expected: rows as i64,
                found: null_count,
            })),
            (None, _) => Err(Error::limit(self.offset, "number of rows", length, limit)),
        }
    }

    /// The next buffer, unpacked if the batch is.
    pub(super) fn buffer(&mut self, field: &Field) -> Result<Buffer> {
        let packed = self.packed_buffer(field)?;
        let Some(codec) = self.codec else { return Ok(packed) };
        if packed.is_empty() {
            return Ok(packed);
        }
        let invalid = |what: &str| self.invalid(field, what.to_owned());
        let Some((head, rest)) = packed.split_first_chunk::<8>() else {
            return Err(invalid("a packed buffer is shorter than its length"));
        };
        let claimed = i64::from_le_bytes(*head);
        if claimed == -1 {
            return Ok(packed.slice(8));
        }
        let limit = self.unpacked;
        let length = usize::try_from(claimed)
            .ok()
            .filter(|&length| length <= limit)
            .ok_or_else(|| Error::limit(self.offset, "size of the unpacked buffers", claimed, limit))?;
        if length == 0 {
            return Ok(Buffer::default());
        }
        let unpacked = codec.unpack(rest, length).map_err(invalid)?;
        self.unpacked -= length;
        Ok(unpacked)
    }

    /// The next buffer, borrowed from the body.
    fn packed_buffer(&mut self, field: &Field) -> Result<Buffer> {
        if self.next.buffer >= self.buffers.len() {
            return Err(Error::metadata(self.offset, "a batch has fewer buffers than its schema"));
        }
        let part = |distance: usize| self.buffers.i64(self.next.buffer, distance);
        let span = (part(0)?, part(8)?);
        self.next.buffer += 1;
        let start = usize::try_from(span.0).ok().and_then(|start| start.checked_sub(self.shift));
        let length = usize::try_from(span.1).ok();
        match (start, length) {
            (Some(start), Some(length)) if start.checked_add(length).is_some_and(|end| end <= self.body.len()) => {
                Ok(self.body.slice_with_length(start, length))
            }
            // Some writers give an empty buffer any place.
            (_, Some(0)) => Ok(self.body.slice_with_length(0, 0)),
            _ => Err(Box::new(Error::BufferOutOfBounds {
                offset: self.offset,
                column: field.name().clone(),
                start: span.0,
                length: span.1,
                body: self.length,
            })),
        }
    }

    fn validity(&mut self, field: &Field, rows: usize, null_count: usize) -> Result<Option<NullBuffer>> {
        let bits = self.buffer(field)?;
        if null_count > 0 {
            self.long_enough(field, &bits, rows.div_ceil(8))?;
        }
        self.made(field, arrays::validity(&bits, rows, null_count, self.trust))
    }

    pub(super) fn long_enough(&self, field: &Field, buffer: &Buffer, expected: usize) -> Result<()> {
        if buffer.len() >= expected {
            return Ok(());
        }
        Err(Box::new(Error::BufferTooShort {
            offset: self.offset,
            column: field.name().clone(),
            expected,
            found: buffer.len(),
        }))
    }

    pub(super) fn values_of(&mut self, field: &Field, bytes: usize) -> Result<Buffer> {
        let buffer = self.buffer(field)?;
        self.long_enough(field, &buffer, bytes)?;
        Ok(buffer)
    }

    pub(super) fn values(&mut self, field: &Field, rows: usize, width: usize) -> Result<Buffer> {
        let bytes = rows
            .checked_mul(width)
            .ok_or_else(|| Error::limit(self.offset, "number of bytes", i64::MAX, usize::MAX))?;
        Ok(self.values_of(field, bytes)?.slice_with_length(0, bytes))
    }

    fn views(
        &mut self,
        field: &Field,
        data_type: &DataType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let views = self.values(field, rows, 16)?;
        let missing = || Error::metadata(self.offset, "a view column lacks its number of buffers");
        let counts = self.variadic.ok_or_else(missing)?;
        if self.next.variadic >= counts.len() {
            return Err(missing());
        }
        let count = counts.i64(self.next.variadic, 0)?;
        self.next.variadic += 1;
        let left = self.buffers.len() - self.next.buffer;
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= left)
            .ok_or_else(|| Error::limit(self.offset, "number of view buffers", count, left))?;
        let buffers = (0..count).map(|_| self.buffer(field)).collect::<Result<Vec<_>>>()?;
        self.made(field, arrays::views_array(data_type, rows, &views, buffers, nulls, self.trust))
    }

    /// A kernel's error with the column and the message.
    pub(super) fn made<T>(&self, field: &Field, array: kernels::Result<T>) -> Result<T> {
        array.map_err(|error| match *error {
            kernels::Error::InvalidOffset { row } => {
                Box::new(Error::InvalidOffset { offset: self.offset, column: field.name().clone(), row })
            }
            kernels::Error::LengthMismatch { expected, found } => {
                let column = field.name().clone();
                Box::new(Error::RowCount {
                    offset: self.offset,
                    column,
                    expected: expected as i64,
                    found: found as i64,
                })
            }
            other => self.invalid(field, other.to_string()),
        })
    }

    pub(super) fn invalid(&self, field: &Field, reason: String) -> Box<Error> {
        Box::new(Error::InvalidValues { offset: self.offset, column: field.name().clone(), reason })
    }
}

pub(super) fn unsupported_type(field: &Field, data_type: &DataType) -> Box<Error> {
    let what = match data_type {
        DataType::Union(..) => "union",
        DataType::RunEndEncoded(..) => "run-end encoded",
        DataType::ListView(_) | DataType::LargeListView(_) => "list view",
        DataType::Dictionary(..) => "dictionary with such keys",
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "list",
        DataType::Struct(_) => "struct",
        DataType::Map(..) => "map",
        _ => "of another kind",
    };
    Box::new(Error::UnsupportedType { field: field.name().clone(), what })
}
