//! Messages: the metadata of one frame and its body, to what they mean.
//!
//! Stream and file share this part: a [`Reader`] knows the schema and the dictionaries so far, and turns
//! each further message into a batch or into a dictionary that it keeps.

use std::collections::BTreeMap;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;

use crate::arrays::ArrayReader;
use crate::flat::{Malformed, Table};
use crate::schema::{Ids, Layout, read as read_schema};
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
    dictionaries: BTreeMap<i64, Dictionary>,
}

/// A dictionary: parts that have come, joined when they are first used.
#[derive(Debug)]
struct Dictionary {
    joined: ArrayRef,
    /// Deltas that have come since; joined on use, so many deltas in a row cost one copy.
    deltas: Vec<ArrayRef>,
}

/// The kinds of messages, by their numbers in `Message.fbs`.
const SCHEMA: u8 = 1;
const DICTIONARY_BATCH: u8 = 2;
const RECORD_BATCH: u8 = 3;
const TENSOR: u8 = 4;
const SPARSE_TENSOR: u8 = 5;

/// A message's metadata.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    kind: u8,
    header: Option<Table<'a>>,
    /// Bytes of the body.
    pub(crate) body: usize,
}

/// The error for a flatbuffer that is none.
pub(crate) fn malformed(offset: u64) -> impl Fn(Malformed) -> Error {
    move |Malformed| Error::Metadata { offset, what: "the metadata is not a valid flatbuffer" }
}

/// Reads a message's metadata, but for its header.
pub(crate) fn parse<'a>(metadata: &'a [u8], offset: u64, limits: &Limits) -> Result<Message<'a>> {
    let bad = malformed(offset);
    let message = Table::root(metadata).map_err(&bad)?;
    // Numbers, not versions: 3 is V4, 4 is V5.
    let version = message.i16(0, 0).map_err(&bad)?;
    if !(3..=4).contains(&version) {
        return Err(Error::Version { found: version });
    }
    let (kind, header) = (message.u8(1).map_err(&bad)?, message.table(2).map_err(&bad)?);
    let found = message.i64(3).map_err(&bad)?;
    let body = usize::try_from(found).ok().filter(|&length| length <= limits.body).ok_or(Error::Limit {
        offset,
        what: "body length",
        found,
        limit: limits.body,
    })?;
    Ok(Message { kind, header, body })
}

impl Reader {
    /// The schema, once it has come.
    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.layout.as_ref().map(|layout| &layout.schema)
    }

    /// Takes a schema that does not stand in a message of its own (a file's footer).
    pub(crate) fn set_schema(&mut self, schema: Table<'_>, offset: u64, limits: &Limits) -> Result<SchemaRef> {
        let layout = read_schema(schema, offset, limits)?;
        let schema = layout.schema.clone();
        self.layout = Some(layout);
        Ok(schema)
    }

    /// Takes a message in.
    pub(crate) fn message(
        &mut self,
        message: &Message<'_>,
        body: &Buffer,
        offset: u64,
        limits: &Limits,
    ) -> Result<Outcome> {
        let header = message.header.ok_or(Error::Metadata { offset, what: "the message has no header" })?;
        match message.kind {
            SCHEMA if self.layout.is_some() => Err(unexpected(offset, "second schema", "a batch or a dictionary")),
            SCHEMA => self.set_schema(header, offset, limits).map(Outcome::Schema),
            RECORD_BATCH => self.batch(header, body, offset).map(Outcome::Batch),
            DICTIONARY_BATCH => {
                self.dictionary(header, body, offset)?;
                Ok(Outcome::Dictionary)
            }
            TENSOR => Err(unexpected(offset, "tensor", "a batch or a dictionary")),
            SPARSE_TENSOR => Err(unexpected(offset, "sparse tensor", "a batch or a dictionary")),
            _ => Err(unexpected(offset, "message of an unknown kind", "a batch or a dictionary")),
        }
    }

    fn batch(&mut self, header: Table<'_>, body: &Buffer, offset: u64) -> Result<RecordBatch> {
        self.join_dictionaries(offset)?;
        let Some(layout) = &self.layout else {
            return Err(unexpected(offset, "record batch", "a schema first"));
        };
        let rows = rows(&header, offset)?;
        let dictionaries = |id: i64| self.dictionaries.get(&id).map(|dictionary| &dictionary.joined);
        let mut reader = array_reader(&header, body, offset, &dictionaries)?;
        let mut columns = Vec::with_capacity(layout.ids.len());
        for (field, ids) in layout.schema.fields().iter().zip(&layout.ids) {
            columns.push(reader.column(field, ids, rows)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(layout.schema.clone(), columns, &options)
            .map_err(|error| Error::InvalidValues { offset, column: String::new(), reason: error.to_string() })
    }

    fn dictionary(&mut self, header: Table<'_>, body: &Buffer, offset: u64) -> Result<()> {
        self.join_dictionaries(offset)?;
        let Some(layout) = &self.layout else {
            return Err(unexpected(offset, "dictionary", "a schema first"));
        };
        let bad = malformed(offset);
        let id = header.i64(0).map_err(&bad)?;
        let missing = Error::MissingDictionary { offset, id };
        let (field, ids) = layout.dictionary_field(id).ok_or_else(|| missing.clone())?;
        let data =
            header.table(1).map_err(&bad)?.ok_or(Error::Metadata { offset, what: "a dictionary has no data" })?;
        let rows = rows(&data, offset)?;
        let dictionaries = |id: i64| self.dictionaries.get(&id).map(|dictionary| &dictionary.joined);
        let mut reader = array_reader(&data, body, offset, &dictionaries)?;
        let values =
            reader.dictionary_values(field, &Ids { dictionary: None, children: ids.children.clone() }, rows)?;
        if header.bool(2).map_err(&bad)? {
            self.dictionaries.get_mut(&id).ok_or(missing)?.deltas.push(values);
        } else {
            self.dictionaries.insert(id, Dictionary { joined: values, deltas: Vec::new() });
        }
        Ok(())
    }

    fn join_dictionaries(&mut self, offset: u64) -> Result<()> {
        for dictionary in self.dictionaries.values_mut().filter(|dictionary| !dictionary.deltas.is_empty()) {
            let mut parts = vec![dictionary.joined.clone()];
            parts.append(&mut dictionary.deltas);
            let chunks: Vec<_> = parts.iter().map(|part| part.as_ref()).collect();
            let rows = chunks.iter().map(|chunk| chunk.len()).sum();
            dictionary.joined = kernels::Indices::identity(rows)
                .and_then(|all| kernels::take_chunks(&chunks, &all))
                .map_err(|error| Error::InvalidValues { offset, column: String::new(), reason: error.to_string() })?;
        }
        Ok(())
    }
}

fn array_reader<'a>(
    header: &Table<'a>,
    body: &'a Buffer,
    offset: u64,
    dictionaries: &'a dyn Fn(i64) -> Option<&'a ArrayRef>,
) -> Result<ArrayReader<'a>> {
    let bad = malformed(offset);
    if let Some(compression) = header.table(3).map_err(&bad)? {
        let codec = if compression.u8(0).map_err(&bad)? == 1 { "zstd" } else { "lz4" };
        return Err(Error::UnsupportedCompression { offset, codec });
    }
    // A node is a length and a count of nulls; a buffer is a place and a length.
    let nodes = header.vector(1, 16).map_err(&bad)?;
    let buffers = header.vector(2, 16).map_err(&bad)?;
    let (Some(nodes), Some(buffers)) = (nodes, buffers) else {
        return Err(Error::Metadata { offset, what: "a batch lacks its nodes or buffers" });
    };
    let variadic = header.vector(4, 8).map_err(&bad)?;
    Ok(ArrayReader::new(nodes, buffers, variadic, body, offset, dictionaries))
}

fn rows(header: &Table<'_>, offset: u64) -> Result<usize> {
    let found = header.i64(0).map_err(malformed(offset))?;
    let limit = i32::MAX as usize;
    usize::try_from(found).ok().filter(|&rows| rows <= limit).ok_or(Error::Limit {
        offset,
        what: "number of rows",
        found,
        limit,
    })
}

fn unexpected(offset: u64, found: &'static str, expected: &'static str) -> Error {
    Error::UnexpectedMessage { offset, found, expected }
}
