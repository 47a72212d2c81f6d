//! The file reader: the footer first, then any batch.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use kernels::arrays::Trust;

use super::{MAGIC, is_file};
use crate::flat::{Table, Vector};
use crate::message::{self, Outcome, Reader};
use crate::{Error, Limits, Result};

/// Magic and padding at the start; footer length and magic at the end.
const FRAME: usize = 8 + 4 + 6;

/// Reads an Arrow file from memory. Batches borrow from the buffer where it is aligned.
#[derive(Debug)]
pub struct FileReader {
    bytes: Buffer,
    limits: Limits,
    reader: Reader,
    schema: SchemaRef,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    start: usize,
    metadata: usize,
    body: usize,
}

impl FileReader {
    /// Reads the footer and the dictionaries.
    ///
    /// # Errors
    /// [`Error::NotAFile`], [`Error::Metadata`], and what the dictionaries give.
    pub fn try_new(bytes: Buffer, limits: Limits) -> Result<Self> {
        Self::try_with_trust(bytes, limits, None)
    }

    /// As [`FileReader::try_new`]; with a promise, single rows are not checked.
    ///
    /// # Errors
    /// As [`FileReader::try_new`].
    pub fn try_with_trust(bytes: Buffer, limits: Limits, trust: Option<Trust>) -> Result<Self> {
        let total = bytes.len();
        if total < FRAME || !is_file(&bytes) {
            return Err(Error::NotAFile { what: "the magic ARROW1 at the start" });
        }
        if !bytes.ends_with(MAGIC) {
            return Err(Error::NotAFile { what: "the magic ARROW1 at the end; the file may be cut short" });
        }
        let tail = total - 10;
        let length = bytes.as_slice()[tail..tail + 4].try_into().map(i32::from_le_bytes).unwrap_or(-1);
        let start =
            usize::try_from(length).ok().and_then(|length| tail.checked_sub(length)).filter(|&start| start >= 8);
        let Some(start) = start else {
            return Err(Error::NotAFile { what: "a footer length within the file" });
        };
        let offset = start as u64;
        let bad = message::malformed(offset);
        let footer_bytes = bytes.slice_with_length(start, tail - start);
        let footer = Table::root(&footer_bytes).map_err(&bad)?;
        let mut reader = Reader::default();
        reader.trust = trust;
        let schema =
            footer.table(1).map_err(&bad)?.ok_or(Error::Metadata { offset, what: "the footer has no schema" })?;
        let schema = reader.set_schema(schema, offset, &limits)?;
        // A block is a place, the metadata's length in 32 bits and four of padding, and the body's length.
        let block = |blocks: &Vector<'_>, index: usize| -> Result<Block> {
            let part = |value: i64| usize::try_from(value).ok();
            let long = |distance: usize| blocks.i64(index, distance).map_err(&bad);
            let metadata = blocks.i32(index, 8).map_err(&bad)?;
            let (start, metadata, body) = (part(long(0)?), part(metadata.into()), part(long(16)?));
            match (start, metadata, body) {
                (Some(start), Some(metadata), Some(body))
                    if metadata >= 8
                        && start
                            .checked_add(metadata)
                            .and_then(|end| end.checked_add(body))
                            .is_some_and(|end| end <= total) =>
                {
                    Ok(Block { start, metadata, body })
                }
                _ => Err(Error::Metadata { offset, what: "a block of the footer does not lie in the file" }),
            }
        };
        let all = |number: usize| -> Result<Vec<Block>> {
            let Some(blocks) = footer.vector(number, 24).map_err(&bad)? else { return Ok(Vec::new()) };
            (0..blocks.len()).map(|index| block(&blocks, index)).collect()
        };
        let (dictionaries, blocks) = (all(2)?, all(3)?);
        let mut file = Self { bytes, limits, reader, schema, blocks };
        for dictionary in dictionaries {
            match file.read(dictionary)? {
                Outcome::Dictionary => {}
                Outcome::Batch(_) | Outcome::Schema(_) => {
                    return Err(Error::UnexpectedMessage {
                        offset: dictionary.start as u64,
                        found: "message of another kind",
                        expected: "a dictionary",
                    });
                }
            }
        }
        Ok(file)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.blocks.len()
    }

    /// Reads one batch, without looking at any other.
    ///
    /// # Errors
    /// [`Error::NoSuchBatch`], and whatever can be wrong with its bytes.
    pub fn batch(&mut self, index: usize) -> Result<RecordBatch> {
        let block = *self.blocks.get(index).ok_or(Error::NoSuchBatch { index, batches: self.blocks.len() })?;
        match self.read(block)? {
            Outcome::Batch(batch) => Ok(batch),
            Outcome::Dictionary | Outcome::Schema(_) => Err(Error::UnexpectedMessage {
                offset: block.start as u64,
                found: "message of another kind",
                expected: "a record batch",
            }),
        }
    }

    fn read(&mut self, block: Block) -> Result<Outcome> {
        let offset = block.start as u64;
        let bytes = self.bytes.as_slice();
        let prefix = &bytes[block.start..block.start + 8];
        // Before format 0.15 there is no continuation marker.
        let skip = if prefix.starts_with(&[0xff; 4]) { 8 } else { 4 };
        let metadata = self.bytes.slice_with_length(block.start + skip, block.metadata - skip);
        let message = message::parse(&metadata, offset, &self.limits)?;
        let length = message.body;
        if length > block.body {
            return Err(Error::Metadata { offset, what: "a message's body is longer than its block" });
        }
        let body = self.bytes.slice_with_length(block.start + block.metadata, length);
        self.reader.message(&message, &body, offset, &self.limits)
    }
}
