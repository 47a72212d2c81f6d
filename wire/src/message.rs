//! Messages: the metadata of one frame and its body, to what they mean.
//!
//! Stream and file share this part: a [`Reader`] knows the schema and the dictionaries so far, and turns
//! each further message into a batch or into a dictionary that it keeps.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, NullArray, RecordBatch};
use arrow_buffer::Buffer;
use arrow_schema::{DataType, Field, Fields, Metadata, Schema, SchemaRef};
use kernels::arrays::{self, Trust};
use kernels::growing::GrowingColumn;

use crate::arrays::{ArrayReader, Next};
use crate::codec::Codec;
use crate::flat::Table;
use crate::ordered::Ordered;
use crate::schema::{Ids, Layout, distinct_schema, read as read_schema, read_pairs};
use crate::{Error, Limits, Result};

/// What a message gave.
#[derive(Debug)]
pub(crate) enum Outcome {
    Schema(SchemaRef),
    Batch(RecordBatch),
    Dictionary,
}

/// Reads messages one after the other.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    layout: Option<Layout>,
    /// By their numbers, as they are in memory.
    dictionaries: Ordered<Dictionary>,
    /// Metadata of the last message.
    pub(crate) metadata: Metadata,
    pub(crate) trust: Option<Trust>,
    /// Types of columns that are given as nulls.
    pub(crate) left_out: Option<fn(&DataType) -> bool>,
    /// Whether columns of the same name get names of their own.
    pub(crate) is_distinct: bool,
    /// The schema of the batches, where it is not the stream's own.
    given: Option<SchemaRef>,
}

/// A dictionary.
#[derive(Debug)]
struct Dictionary {
    values: ArrayRef,
    /// Made with the first delta: what grows is then copied once, not with every delta.
    growing: Option<GrowingColumn>,
}

impl Dictionary {
    /// Adds a delta.
    fn extend(&mut self, delta: &dyn Array) -> kernels::Result<()> {
        let data_type = self.values.data_type();
        if !GrowingColumn::supports(data_type) {
            let chunks = [self.values.as_ref(), delta];
            self.values = kernels::take_chunks(&chunks, &kernels::Indices::identity(chunks[0].len() + delta.len())?)?;
            return Ok(());
        }
        let growing = match &mut self.growing {
            Some(growing) => growing,
            None => {
                let mut growing = GrowingColumn::try_new(data_type, 2 * self.values.len(), 0)?;
                growing.append(self.values.as_ref())?;
                self.growing.insert(growing)
            }
        };
        growing.append(delta)?;
        self.values = growing.array()?;
        Ok(())
    }
}

/// The kinds of messages, by their numbers in `Message.fbs`.
pub(crate) const SCHEMA: u8 = 1;
pub(crate) const DICTIONARY_BATCH: u8 = 2;
pub(crate) const RECORD_BATCH: u8 = 3;
const TENSOR: u8 = 4;
const SPARSE_TENSOR: u8 = 5;

/// A message's metadata.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    kind: u8,
    header: Option<Table<'a>>,
    /// The whole: its metadata stands beside the header.
    root: Table<'a>,
    is_v4: bool,
    /// Bytes of the body.
    pub(crate) body: usize,
}

impl Message<'_> {
    /// Whether it is a schema.
    pub(crate) fn is_schema(&self) -> bool {
        self.kind == SCHEMA
    }

    /// Whether it is a record batch whose buffers are packed.
    pub(crate) fn is_packed(&self) -> bool {
        let header = self.header.filter(|_| self.kind == RECORD_BATCH);
        header.is_some_and(|header| matches!(header.table(3), Ok(Some(_))))
    }

    /// Rows of a record batch; none for a message of another kind.
    pub(crate) fn rows(&self, offset: u64) -> Result<Option<usize>> {
        let header = self.header.filter(|_| self.kind == RECORD_BATCH);
        header.map(|header| rows(&header, offset)).transpose()
    }
}

/// The error for columns that are no batch.
#[cold]
#[inline(never)]
fn invalid(offset: u64, why: &dyn fmt::Display) -> Box<Error> {
    Box::new(Error::InvalidValues { offset, column: String::new(), reason: why.to_string() })
}

/// Reads a message's metadata, but for its header.
pub(crate) fn parse<'a>(metadata: &'a [u8], offset: u64, limits: &Limits) -> Result<Message<'a>> {
    let message = Table::root(metadata, offset)?;
    // Numbers, not versions: 3 is V4, 4 is V5.
    let version = message.i16(0, 0)?;
    if !(3..=4).contains(&version) {
        return Err(Box::new(Error::Version { found: version }));
    }
    let (kind, header) = (message.u8(1)?, message.table(2)?);
    let found = message.i64(3)?;
    let body = usize::try_from(found)
        .ok()
        .filter(|&length| length <= limits.body)
        .ok_or_else(|| Error::limit(offset, "body length", found, limits.body))?;
    Ok(Message { kind, header, root: message, is_v4: version == 3, body })
}

impl Reader {
    /// The schema, once it has come.
    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.layout.as_ref().map(|layout| &layout.schema)
    }

    /// Takes a schema that does not stand in a message of its own (a file's footer).
    pub(crate) fn set_schema(&mut self, schema: Table<'_>, offset: u64, limits: &Limits) -> Result<SchemaRef> {
        let mut layout = read_schema(schema, offset, limits)?;
        if self.is_distinct {
            layout.schema = distinct_schema(&layout.schema);
        }
        let schema = layout.schema.clone();
        self.layout = Some(layout);
        let fields = schema.fields().iter();
        if !fields.clone().any(|field| self.leaves_out(field)) {
            return Ok(schema);
        }
        let given = fields.map(|field| match self.leaves_out(field) {
            true => Arc::new(Field::new(field.name(), DataType::Null, true).with_metadata(field.metadata().clone())),
            false => field.clone(),
        });
        let given = Arc::new(Schema::new_with_metadata(given.collect::<Fields>(), schema.metadata().clone()));
        self.given = Some(given.clone());
        Ok(given)
    }

    fn leaves_out(&self, field: &Field) -> bool {
        self.left_out.is_some_and(|left_out| left_out(field.data_type()))
    }

    /// Takes a message in.
    pub(crate) fn message(
        &mut self,
        message: &Message<'_>,
        body: &Buffer,
        offset: u64,
        limits: &Limits,
    ) -> Result<Outcome> {
        let header = message.header.ok_or_else(|| Error::metadata(offset, "the message has no header"))?;
        self.metadata = read_pairs(&message.root, 4, offset, limits)?;
        match message.kind {
            SCHEMA if self.layout.is_some() => {
                Err(Error::unexpected(offset, "second schema", "a batch or a dictionary"))
            }
            SCHEMA => self.set_schema(header, offset, limits).map(Outcome::Schema),
            RECORD_BATCH => self.batch(header, body, offset, message.is_v4, limits).map(Outcome::Batch),
            DICTIONARY_BATCH => {
                self.dictionary(header, body, offset, message.is_v4, limits)?;
                Ok(Outcome::Dictionary)
            }
            TENSOR => Err(Error::unexpected(offset, "tensor", "a batch or a dictionary")),
            SPARSE_TENSOR => Err(Error::unexpected(offset, "sparse tensor", "a batch or a dictionary")),
            _ => Err(Error::unexpected(offset, "message of an unknown kind", "a batch or a dictionary")),
        }
    }

    /// Reads a record batch that changes nothing of what is known.
    pub(crate) fn record_batch(
        &self,
        message: &Message<'_>,
        body: &Buffer,
        offset: u64,
        limits: &Limits,
    ) -> Result<RecordBatch> {
        match message.header {
            Some(header) if message.kind == RECORD_BATCH => self.batch(header, body, offset, message.is_v4, limits),
            _ => Err(Error::unexpected(offset, "message of another kind", "a record batch")),
        }
    }

    /// Reads some columns of a record batch, by ascending numbers; of the body only what they need is fetched.
    pub(crate) fn columns(
        &self,
        message: &Message<'_>,
        wanted: &[usize],
        offset: u64,
        limits: &Limits,
        mut fetch: impl FnMut(Range<usize>) -> Result<Buffer>,
    ) -> Result<RecordBatch> {
        let Some((layout, header)) = self.layout.as_ref().zip(message.header).filter(|_| message.kind == RECORD_BATCH)
        else {
            return Err(Error::unexpected(offset, "message of another kind", "a record batch"));
        };
        let fields = layout.schema.fields();
        if let Some(&index) = wanted.iter().find(|&&column| column >= fields.len()) {
            return Err(Box::new(Error::NoSuchColumn { index, columns: fields.len() }));
        }
        let rows = rows(&header, offset)?;
        let places = self.places(message, header, wanted, offset, limits)?;
        let bodies = places.iter().map(|(_, span)| fetch(span.clone())).collect::<Result<Vec<_>>>()?;
        let dictionaries = |id: i64| self.dictionaries.get(id as u64).map(|dictionary| &dictionary.values);
        let mut columns = Vec::with_capacity(wanted.len());
        let mut unpacked = unpackable(message.body, limits);
        for ((&column, (next, span)), body) in wanted.iter().zip(places).zip(&bodies) {
            let mut reader = self.arrays(&header, body, offset, message.is_v4, limits, &dictionaries)?;
            (reader.shift, reader.next, reader.length, reader.unpacked) = (span.start, next, message.body, unpacked);
            columns.push(reader.column(layout.schema.field(column), &layout.ids[column], rows)?);
            unpacked = reader.unpacked;
        }
        let schema = layout.schema.project(wanted).map_err(|error| invalid(offset, &error))?;
        arrays::batch(Arc::new(schema), columns, rows).map_err(|error| invalid(offset, &error))
    }

    /// Where the wanted columns' nodes and buffers are.
    fn places(
        &self,
        message: &Message<'_>,
        header: Table<'_>,
        wanted: &[usize],
        offset: u64,
        limits: &Limits,
    ) -> Result<Vec<(Next, Range<usize>)>> {
        let Some(layout) = &self.layout else { return Ok(Vec::new()) };
        let (none, dictionaries) = (Buffer::default(), |_: i64| None);
        let mut walk = self.arrays(&header, &none, offset, message.is_v4, limits, &dictionaries)?;
        walk.length = message.body;
        let mut places = Vec::with_capacity(wanted.len());
        for (number, field) in layout.schema.fields().iter().enumerate() {
            let Some(&column) = wanted.get(places.len()) else { break };
            let next = walk.next;
            let span = walk.skip(field)?;
            if column == number {
                places.push((next, span));
            }
        }
        Ok(places)
    }

    fn batch(
        &self,
        header: Table<'_>,
        body: &Buffer,
        offset: u64,
        is_v4: bool,
        limits: &Limits,
    ) -> Result<RecordBatch> {
        let Some(layout) = &self.layout else {
            return Err(Error::unexpected(offset, "record batch", "a schema first"));
        };
        let rows = rows(&header, offset)?;
        let dictionaries = |id: i64| self.dictionaries.get(id as u64).map(|dictionary| &dictionary.values);
        let mut reader = self.arrays(&header, body, offset, is_v4, limits, &dictionaries)?;
        let mut columns = Vec::with_capacity(layout.ids.len());
        for (field, ids) in layout.schema.fields().iter().zip(&layout.ids) {
            columns.push(if self.leaves_out(field) {
                reader.skip(field)?;
                Arc::new(NullArray::new(rows))
            } else {
                reader.column(field, ids, rows)?
            });
        }
        let schema = self.given.as_ref().unwrap_or(&layout.schema).clone();
        arrays::batch(schema, columns, rows).map_err(|error| invalid(offset, &error))
    }

    fn dictionary(
        &mut self,
        header: Table<'_>,
        body: &Buffer,
        offset: u64,
        is_v4: bool,
        limits: &Limits,
    ) -> Result<()> {
        let Some(layout) = &self.layout else {
            return Err(Error::unexpected(offset, "dictionary", "a schema first"));
        };
        let id = header.i64(0)?;
        let missing = || Box::new(Error::MissingDictionary { offset, id });
        let (field, ids) = layout.dictionary_field(id).ok_or_else(missing)?;
        if self.leaves_out(field) {
            return Ok(());
        }
        let data = header.table(1)?.ok_or_else(|| Error::metadata(offset, "a dictionary has no data"))?;
        let rows = rows(&data, offset)?;
        let dictionaries = |id: i64| self.dictionaries.get(id as u64).map(|dictionary| &dictionary.values);
        let mut reader = self.arrays(&data, body, offset, is_v4, limits, &dictionaries)?;
        let ids = Ids { dictionary: None, children: ids.children.clone() };
        let values = reader.dictionary_values(field, &ids, rows)?;
        if header.bool(2)? {
            let name = field.name().clone();
            let known = self.dictionaries.get_mut(id as u64).ok_or_else(missing)?;
            return known
                .extend(values.as_ref())
                .map_err(|error| Box::new(Error::InvalidValues { offset, column: name, reason: error.to_string() }));
        }
        self.dictionaries.insert(id as u64, Dictionary { values, growing: None });
        Ok(())
    }

    fn arrays<'a>(
        &self,
        header: &Table<'a>,
        body: &'a Buffer,
        offset: u64,
        is_v4: bool,
        limits: &Limits,
        dictionaries: &'a dyn Fn(i64) -> Option<&'a ArrayRef>,
    ) -> Result<ArrayReader<'a>> {
        let codec = match header.table(3)? {
            None => None,
            Some(compression) => {
                let number = compression.u8(0)?;
                let codec = Codec::from_number(number).ok_or_else(|| Error::metadata(offset, "an unknown codec"))?;
                if compression.u8(1)? != 0 {
                    return Err(Error::metadata(offset, "an unknown way of packing"));
                }
                if !codec.is_readable() {
                    return Err(Box::new(Error::UnsupportedCompression { offset, codec: codec.name() }));
                }
                Some(codec)
            }
        };
        // A node is a length and a count of nulls; a buffer is a place and a length.
        let nodes = header.vector(1, 16)?;
        let buffers = header.vector(2, 16)?;
        let (Some(nodes), Some(buffers)) = (nodes, buffers) else {
            return Err(Error::metadata(offset, "a batch lacks its nodes or buffers"));
        };
        Ok(ArrayReader {
            nodes,
            buffers,
            variadic: header.vector(4, 8)?,
            body,
            shift: 0,
            length: body.len(),
            offset,
            dictionaries,
            codec,
            unpacked: unpackable(body.len(), limits),
            is_v4,
            trust: self.trust,
            next: Next::default(),
        })
    }
}

/// Bytes that a body of this length may be unpacked to.
fn unpackable(length: usize, limits: &Limits) -> usize {
    limits.unpacked.max(length.saturating_mul(64))
}

fn rows(header: &Table<'_>, offset: u64) -> Result<usize> {
    let found = header.i64(0)?;
    let limit = i32::MAX as usize;
    usize::try_from(found)
        .ok()
        .filter(|&rows| rows <= limit)
        .ok_or_else(|| Error::limit(offset, "number of rows", found, limit))
}
