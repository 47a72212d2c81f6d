//! Arrays over a message's body: every node and buffer checked, nothing copied that is aligned.
//!
//! A record batch lists its nodes (length, null count) and buffers (start, length) in the order of a walk
//! over the fields. [`ArrayReader`] makes the same walk; each step takes the next node and buffers and
//! hands typed parts to constructors that check values: offsets monotonic and in range, text UTF-8, views
//! and dictionary keys in range.

use std::sync::Arc;

use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray, NullArray,
    OffsetSizeTrait,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};

use crate::flat::Vector;
use crate::message::malformed;
use crate::schema::Ids;
use crate::{Error, Result};

type Dictionaries<'a> = &'a dyn Fn(i64) -> Option<&'a ArrayRef>;

/// Walks the nodes and buffers of one record batch.
pub(crate) struct ArrayReader<'a> {
    nodes: Vector<'a>,
    buffers: Vector<'a>,
    variadic: Option<Vector<'a>>,
    body: &'a Buffer,
    offset: u64,
    dictionaries: Dictionaries<'a>,
    next_node: usize,
    next_buffer: usize,
    next_variadic: usize,
}

impl<'a> ArrayReader<'a> {
    pub(crate) fn new(
        nodes: Vector<'a>,
        buffers: Vector<'a>,
        variadic: Option<Vector<'a>>,
        body: &'a Buffer,
        offset: u64,
        dictionaries: Dictionaries<'a>,
    ) -> Self {
        Self { nodes, buffers, variadic, body, offset, dictionaries, next_node: 0, next_buffer: 0, next_variadic: 0 }
    }

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

    fn check_rows(&self, field: &Field, expected: i64, found: i64) -> Result<()> {
        if expected == found {
            return Ok(());
        }
        Err(Error::RowCount { offset: self.offset, column: field.name().clone(), expected, found })
    }

    fn array(&mut self, field: &Field, data_type: &DataType, ids: &Ids) -> Result<ArrayRef> {
        let (rows, null_count) = self.node(field)?;
        if *data_type == DataType::Null {
            return Ok(Arc::new(NullArray::new(rows)));
        }
        if matches!(data_type, DataType::Union(..) | DataType::RunEndEncoded(..)) {
            return Err(unsupported_type(field, data_type));
        }
        let nulls = self.validity(field, rows, null_count)?;
        if let Some(width) = kernels::arrays::fixed_width(data_type) {
            let values = self.values(field, rows, width)?;
            return self.made(field, kernels::arrays::fixed_array(data_type, rows, values, nulls));
        }
        match data_type {
            DataType::Boolean => {
                let bits = self.values_of(field, rows.div_ceil(8))?;
                Ok(Arc::new(BooleanArray::new(BooleanBuffer::new(bits, 0, rows), nulls)))
            }
            DataType::Utf8 => self.bytes::<Utf8Type>(field, rows, nulls),
            DataType::Binary => self.bytes::<BinaryType>(field, rows, nulls),
            DataType::LargeUtf8 => self.bytes::<LargeUtf8Type>(field, rows, nulls),
            DataType::LargeBinary => self.bytes::<LargeBinaryType>(field, rows, nulls),
            DataType::Utf8View => {
                let (views, buffers) = self.views(field, rows)?;
                let array = GenericByteViewArray::<StringViewType>::try_new(views, buffers, nulls);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::BinaryView => {
                let (views, buffers) = self.views(field, rows)?;
                let array = GenericByteViewArray::<BinaryViewType>::try_new(views, buffers, nulls);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::FixedSizeBinary(size) => {
                let width = usize::try_from(*size).unwrap_or(0);
                let values = self.values(field, rows, width)?;
                let array = FixedSizeBinaryArray::try_new_with_len(*size, values, nulls, rows);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::Dictionary(key_type, value_type) => {
                let Some(width) = kernels::arrays::fixed_width(key_type) else {
                    return Err(unsupported_type(field, data_type));
                };
                let keys = self.values(field, rows, width)?;
                let keys = self.made(field, kernels::arrays::fixed_array(key_type, rows, keys, nulls))?;
                let id = ids.dictionary.unwrap_or(-1);
                let values = match (self.dictionaries)(id) {
                    Some(values) => values.clone(),
                    // A dictionary may be left out when no row uses it.
                    None if keys.null_count() == rows => self.made(field, kernels::arrays::empty_array(value_type))?,
                    None => return Err(Error::MissingDictionary { offset: self.offset, id }),
                };
                self.made(field, kernels::arrays::dictionary_array(key_type, keys, values))
            }
            #[cfg(feature = "nested")]
            _ => self.nested(field, data_type, ids, rows, nulls),
            #[cfg(not(feature = "nested"))]
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    #[cfg(feature = "nested")]
    fn nested(
        &mut self,
        field: &Field,
        data_type: &DataType,
        ids: &Ids,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        use arrow_array::{FixedSizeListArray, GenericListArray, MapArray, StructArray};
        let none = Ids::default();
        let child_ids = |child: usize| ids.children.get(child).unwrap_or(&none);
        match data_type {
            DataType::List(child) => {
                let offsets = self.offsets::<i32>(field, rows)?;
                let values = self.array(child, child.data_type(), child_ids(0))?;
                self.check_last_offset(field, offsets.last().as_usize(), values.len(), rows)?;
                let array = GenericListArray::<i32>::try_new(child.clone(), offsets, values, nulls);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::LargeList(child) => {
                let offsets = self.offsets::<i64>(field, rows)?;
                let values = self.array(child, child.data_type(), child_ids(0))?;
                self.check_last_offset(field, offsets.last().as_usize(), values.len(), rows)?;
                let array = GenericListArray::<i64>::try_new(child.clone(), offsets, values, nulls);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::FixedSizeList(child, size) => {
                let values = self.array(child, child.data_type(), child_ids(0))?;
                let array = FixedSizeListArray::try_new_with_length(child.clone(), *size, values, nulls, rows);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::Map(entries, ordered) => {
                let offsets = self.offsets::<i32>(field, rows)?;
                let values = self.array(entries, entries.data_type(), child_ids(0))?;
                self.check_last_offset(field, offsets.last().as_usize(), values.len(), rows)?;
                let Some(values) = values.as_any().downcast_ref::<StructArray>() else {
                    return Err(unsupported_type(field, data_type));
                };
                let array = MapArray::try_new(entries.clone(), offsets, values.clone(), nulls, *ordered);
                Ok(Arc::new(self.checked(field, array)?))
            }
            DataType::Struct(fields) => {
                let mut children = Vec::with_capacity(fields.len());
                for (position, child) in fields.iter().enumerate() {
                    let array = self.array(child, child.data_type(), child_ids(position))?;
                    self.check_rows(child, rows as i64, array.len() as i64)?;
                    children.push(array);
                }
                let array = StructArray::try_new_with_length(fields.clone(), children, nulls, rows);
                Ok(Arc::new(self.checked(field, array)?))
            }
            _ => Err(unsupported_type(field, data_type)),
        }
    }

    #[cfg(feature = "nested")]
    fn check_last_offset(&self, field: &Field, last: usize, values: usize, rows: usize) -> Result<()> {
        if last <= values {
            return Ok(());
        }
        Err(Error::InvalidOffset { offset: self.offset, column: field.name().clone(), row: rows.saturating_sub(1) })
    }

    /// The next node: rows and nulls.
    fn node(&mut self, field: &Field) -> Result<(usize, usize)> {
        if self.next_node >= self.nodes.len() {
            return Err(Error::Metadata { offset: self.offset, what: "a batch has fewer nodes than its schema" });
        }
        let part = |distance: usize| self.nodes.i64(self.next_node, distance).map_err(malformed(self.offset));
        let (length, null_count) = (part(0)?, part(8)?);
        self.next_node += 1;
        let limit = i32::MAX as usize;
        let rows = usize::try_from(length).ok().filter(|&rows| rows <= limit);
        let nulls = usize::try_from(null_count).ok();
        match (rows, nulls) {
            (Some(rows), Some(nulls)) if nulls <= rows => Ok((rows, nulls)),
            (Some(rows), _) => Err(Error::RowCount {
                offset: self.offset,
                column: field.name().clone(),
                expected: rows as i64,
                found: null_count,
            }),
            (None, _) => Err(Error::Limit { offset: self.offset, what: "number of rows", found: length, limit }),
        }
    }

    /// The next buffer, borrowed from the body.
    fn buffer(&mut self, field: &Field) -> Result<Buffer> {
        if self.next_buffer >= self.buffers.len() {
            return Err(Error::Metadata { offset: self.offset, what: "a batch has fewer buffers than its schema" });
        }
        let part = |distance: usize| self.buffers.i64(self.next_buffer, distance).map_err(malformed(self.offset));
        let span = (part(0)?, part(8)?);
        self.next_buffer += 1;
        let start = usize::try_from(span.0).ok();
        let length = usize::try_from(span.1).ok();
        match (start, length) {
            (Some(start), Some(length)) if start.checked_add(length).is_some_and(|end| end <= self.body.len()) => {
                Ok(self.body.slice_with_length(start, length))
            }
            // Some writers give an empty buffer any place.
            (_, Some(0)) => Ok(self.body.slice_with_length(0, 0)),
            _ => Err(Error::BufferOutOfBounds {
                offset: self.offset,
                column: field.name().clone(),
                start: span.0,
                length: span.1,
                body: self.body.len(),
            }),
        }
    }

    fn validity(&mut self, field: &Field, rows: usize, null_count: usize) -> Result<Option<NullBuffer>> {
        let bits = self.buffer(field)?;
        if null_count == 0 {
            return Ok(None);
        }
        self.long_enough(field, &bits, rows.div_ceil(8))?;
        Ok(Some(NullBuffer::new(BooleanBuffer::new(bits, 0, rows))))
    }

    fn long_enough(&self, field: &Field, buffer: &Buffer, expected: usize) -> Result<()> {
        if buffer.len() >= expected {
            return Ok(());
        }
        Err(Error::BufferTooShort { offset: self.offset, column: field.name().clone(), expected, found: buffer.len() })
    }

    fn values_of(&mut self, field: &Field, bytes: usize) -> Result<Buffer> {
        let buffer = self.buffer(field)?;
        self.long_enough(field, &buffer, bytes)?;
        Ok(buffer)
    }

    fn values(&mut self, field: &Field, rows: usize, width: usize) -> Result<Buffer> {
        let bytes = rows.checked_mul(width).ok_or(Error::Limit {
            offset: self.offset,
            what: "number of bytes",
            found: i64::MAX,
            limit: usize::MAX,
        })?;
        Ok(self.values_of(field, bytes)?.slice_with_length(0, bytes))
    }

    /// Words of a buffer, which is copied only when it is not aligned to them.
    fn words<T: ArrowNativeType>(buffer: &Buffer, words: usize) -> ScalarBuffer<T> {
        let bytes = buffer.slice_with_length(0, words * size_of::<T>());
        let aligned = bytes.as_ptr().align_offset(align_of::<T>()) == 0;
        ScalarBuffer::from(if aligned { bytes } else { Buffer::from(bytes.as_slice()) })
    }

    /// Offsets of `rows` values: never negative, never falling.
    fn offsets<O: OffsetSizeTrait>(&mut self, field: &Field, rows: usize) -> Result<OffsetBuffer<O>> {
        let buffer = self.buffer(field)?;
        // A column of no rows may leave its single offset out.
        if rows == 0 && buffer.is_empty() {
            return Ok(OffsetBuffer::new_empty());
        }
        self.long_enough(field, &buffer, (rows + 1) * size_of::<O>())?;
        let offsets = Self::words::<O>(&buffer, rows + 1);
        let mut least = O::default();
        for (row, &offset) in offsets.iter().enumerate() {
            if offset < least {
                return Err(self.invalid_offset(field, row));
            }
            least = offset;
        }
        Ok(OffsetBuffer::new(offsets))
    }

    fn invalid_offset(&self, field: &Field, position: usize) -> Error {
        Error::InvalidOffset { offset: self.offset, column: field.name().clone(), row: position.saturating_sub(1) }
    }

    fn bytes<T: ByteArrayType>(&mut self, field: &Field, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let offsets = self.offsets::<T::Offset>(field, rows)?;
        let values = self.buffer(field)?;
        if offsets.last().as_usize() > values.len() {
            return Err(self.invalid_offset(field, rows));
        }
        let array = GenericByteArray::<T>::try_new(offsets, values, nulls);
        Ok(Arc::new(self.checked(field, array)?))
    }

    fn views(&mut self, field: &Field, rows: usize) -> Result<(ScalarBuffer<u128>, Vec<Buffer>)> {
        let views = self.values(field, rows, 16)?;
        let views = Self::words::<u128>(&views, rows);
        let missing = Error::Metadata { offset: self.offset, what: "a view column lacks its number of buffers" };
        let counts = self.variadic.ok_or(missing.clone())?;
        if self.next_variadic >= counts.len() {
            return Err(missing);
        }
        let count = counts.i64(self.next_variadic, 0).map_err(malformed(self.offset))?;
        self.next_variadic += 1;
        let left = self.buffers.len() - self.next_buffer;
        let count = usize::try_from(count).ok().filter(|&count| count <= left).ok_or(Error::Limit {
            offset: self.offset,
            what: "number of view buffers",
            found: count,
            limit: left,
        })?;
        let buffers = (0..count).map(|_| self.buffer(field)).collect::<Result<Vec<_>>>()?;
        Ok((views, buffers))
    }

    fn checked<T>(&self, field: &Field, array: Result<T, ArrowError>) -> Result<T> {
        array.map_err(|error| self.invalid(field, error.to_string()))
    }

    fn made<T>(&self, field: &Field, array: kernels::Result<T>) -> Result<T> {
        array.map_err(|error| self.invalid(field, error.to_string()))
    }

    fn invalid(&self, field: &Field, reason: String) -> Error {
        Error::InvalidValues { offset: self.offset, column: field.name().clone(), reason }
    }
}

fn unsupported_type(field: &Field, data_type: &DataType) -> Error {
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
    Error::UnsupportedType { field: field.name().clone(), what }
}
