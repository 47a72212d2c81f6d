//! Messages: the metadata of one frame and its body, to what they mean.
//!
//! Stream and file share this part: a [`Reader`] knows the schema and the dictionaries so far, and turns
//! each further message into a batch or into a dictionary that it keeps.

use std::collections::BTreeMap;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::{CompressionType, Message, MessageHeader, MetadataVersion};
use arrow_schema::SchemaRef;
use flatbuffers::VerifierOptions;

use crate::arrays::ArrayReader;
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

/// How much a flatbuffer may ask of its verifier.
pub(crate) fn verifier(limits: &Limits) -> VerifierOptions {
    VerifierOptions {
        max_depth: 4 * limits.depth + 16,
        max_tables: 16 * limits.fields + 1024,
        ..VerifierOptions::default()
    }
}

/// Verifies a message's metadata, which must be aligned to eight bytes.
pub(crate) fn parse<'a>(metadata: &'a [u8], offset: u64, limits: &Limits) -> Result<Message<'a>> {
    let message = arrow_ipc::root_as_message_with_opts(&verifier(limits), metadata)
        .map_err(|_| Error::Metadata { offset, what: "the metadata is not a valid flatbuffer" })?;
    let version = message.version();
    if version != MetadataVersion::V4 && version != MetadataVersion::V5 {
        return Err(Error::Version { found: version.0 });
    }
    Ok(message)
}

/// The length of a message's body.
pub(crate) fn body_length(message: &Message<'_>, offset: u64, limits: &Limits) -> Result<usize> {
    let found = message.bodyLength();
    usize::try_from(found).ok().filter(|&length| length <= limits.body).ok_or(Error::Limit {
        offset,
        what: "body length",
        found,
        limit: limits.body,
    })
}

impl Reader {
    /// The schema, once it has come.
    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.layout.as_ref().map(|layout| &layout.schema)
    }

    /// Takes a schema that does not stand in a message of its own (a file's footer).
    pub(crate) fn set_schema(
        &mut self,
        schema: arrow_ipc::Schema<'_>,
        offset: u64,
        limits: &Limits,
    ) -> Result<SchemaRef> {
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
        let empty = || Error::Metadata { offset, what: "the message has no header" };
        match message.header_type() {
            MessageHeader::Schema => {
                if self.layout.is_some() {
                    return Err(unexpected(offset, "second schema", "a batch or a dictionary"));
                }
                self.set_schema(message.header_as_schema().ok_or_else(empty)?, offset, limits).map(Outcome::Schema)
            }
            MessageHeader::RecordBatch => {
                let header = message.header_as_record_batch().ok_or_else(empty)?;
                self.batch(header, body, offset).map(Outcome::Batch)
            }
            MessageHeader::DictionaryBatch => {
                let header = message.header_as_dictionary_batch().ok_or_else(empty)?;
                self.dictionary(header, body, offset)?;
                Ok(Outcome::Dictionary)
            }
            MessageHeader::Tensor => Err(unexpected(offset, "tensor", "a batch or a dictionary")),
            MessageHeader::SparseTensor => Err(unexpected(offset, "sparse tensor", "a batch or a dictionary")),
            _ => Err(empty()),
        }
    }

    fn batch(&mut self, header: arrow_ipc::RecordBatch<'_>, body: &Buffer, offset: u64) -> Result<RecordBatch> {
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

    fn dictionary(&mut self, header: arrow_ipc::DictionaryBatch<'_>, body: &Buffer, offset: u64) -> Result<()> {
        self.join_dictionaries(offset)?;
        let Some(layout) = &self.layout else {
            return Err(unexpected(offset, "dictionary", "a schema first"));
        };
        let id = header.id();
        let missing = Error::MissingDictionary { offset, id };
        let (field, ids) = layout.dictionary_field(id).ok_or_else(|| missing.clone())?;
        let data = header.data().ok_or(Error::Metadata { offset, what: "a dictionary has no data" })?;
        let rows = rows(&data, offset)?;
        let dictionaries = |id: i64| self.dictionaries.get(&id).map(|dictionary| &dictionary.joined);
        let mut reader = array_reader(&data, body, offset, &dictionaries)?;
        let values =
            reader.dictionary_values(field, &Ids { dictionary: None, children: ids.children.clone() }, rows)?;
        if header.isDelta() {
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
    header: &arrow_ipc::RecordBatch<'a>,
    body: &'a Buffer,
    offset: u64,
    dictionaries: &'a dyn Fn(i64) -> Option<&'a ArrayRef>,
) -> Result<ArrayReader<'a>> {
    if let Some(compression) = header.compression() {
        let codec = if compression.codec() == CompressionType::ZSTD { "zstd" } else { "lz4" };
        return Err(Error::UnsupportedCompression { offset, codec });
    }
    let (Some(nodes), Some(buffers)) = (header.nodes(), header.buffers()) else {
        return Err(Error::Metadata { offset, what: "a batch lacks its nodes or buffers" });
    };
    Ok(ArrayReader::new(nodes, buffers, header.variadicBufferCounts(), body, offset, dictionaries))
}

fn rows(header: &arrow_ipc::RecordBatch<'_>, offset: u64) -> Result<usize> {
    let found = header.length();
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
