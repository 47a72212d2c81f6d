//! What a file's end tells: the schema, and where every batch stands. Batches are then read from wherever the bytes are,
//! and of a batch only the columns that are wanted.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use kernels::arrays::Trust;

use super::{MAGIC, is_file};
use crate::flat::{Table, Vector};
use crate::message::{self, Outcome, Reader};
use crate::{Error, Limits, Result};

/// Magic and padding at the start; footer length and magic at the end.
const FRAME: u64 = 8 + 4 + 6;

/// Bytes that can be had by their place: a buffer, a file, an object in a store.
pub trait Fetch {
    /// The bytes of a range, all of them. Aligned to 64 bytes they are not copied again.
    ///
    /// # Errors
    /// What keeps the bytes from being read.
    fn fetch(&self, range: Range<u64>) -> std::io::Result<Buffer>;
}

impl Fetch for Buffer {
    fn fetch(&self, range: Range<u64>) -> std::io::Result<Buffer> {
        let part = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        match part.filter(|&(start, end)| start <= end && end <= self.len()) {
            Some((start, end)) => Ok(self.slice_with_length(start, end - start)),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The footer and the heads of all batches, without their bodies.
#[derive(Debug)]
pub struct FileIndex {
    limits: Limits,
    reader: Reader,
    schema: SchemaRef,
    batches: Vec<Batch>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    start: u64,
    metadata: u64,
    body: u64,
}

#[derive(Debug)]
struct Batch {
    block: Block,
    /// The message without its prefix.
    metadata: Buffer,
    rows: usize,
}

impl FileIndex {
    /// Reads the footer, the dictionaries and the batches' metadata of a file of so many bytes. With a promise, single rows
    /// are not checked.
    ///
    /// # Errors
    /// [`Error::NotAFile`], [`Error::Metadata`], [`Error::Source`], and what the dictionaries give.
    pub fn try_new(bytes: &impl Fetch, total: u64, limits: Limits, trust: Option<Trust>) -> Result<Self> {
        let fetch = |range| bytes.fetch(range).map_err(source_error);
        if total < FRAME || !is_file(&fetch(0..MAGIC.len() as u64)?) {
            return Err(Box::new(Error::NotAFile { what: "the magic ARROW1 at the start" }));
        }
        let tail = total - 10;
        let end = fetch(tail..total)?;
        if !end.ends_with(MAGIC) {
            return Err(Box::new(Error::NotAFile { what: "the magic ARROW1 at the end; the file may be cut short" }));
        }
        let length = end.first_chunk().copied().map_or(-1, i32::from_le_bytes);
        let start = u64::try_from(length).ok().and_then(|length| tail.checked_sub(length)).filter(|&start| start >= 8);
        let Some(offset) = start else {
            return Err(Box::new(Error::NotAFile { what: "a footer length within the file" }));
        };
        let footer_bytes = fetch(offset..tail)?;
        let footer = Table::root(&footer_bytes, offset)?;
        let mut reader = Reader::default();
        reader.trust = trust;
        let schema = footer.table(1)?.ok_or_else(|| Error::metadata(offset, "the footer has no schema"))?;
        let schema = reader.set_schema(schema, offset, &limits)?;
        // A block is a place, the metadata's length in 32 bits and four of padding, and the body's length.
        let block = |blocks: &Vector<'_>, index: usize| -> Result<Block> {
            let part = |value: i64| u64::try_from(value).ok();
            let long = |distance: usize| blocks.i64(index, distance);
            let metadata = blocks.i32(index, 8)?;
            let (start, metadata, body) = (part(long(0)?), part(metadata.into()), part(long(16)?));
            let found = start.zip(metadata).zip(body).map(|((start, metadata), body)| Block { start, metadata, body });
            let past = |block: &Block| block.start.checked_add(block.metadata)?.checked_add(block.body);
            found
                .filter(|block| block.metadata >= 8 && past(block).is_some_and(|end| end <= total))
                .ok_or_else(|| Error::metadata(offset, "a block of the footer does not lie in the file"))
        };
        let all = |number: usize| -> Result<Vec<Block>> {
            let Some(blocks) = footer.vector(number, 24)? else { return Ok(Vec::new()) };
            (0..blocks.len()).map(|index| block(&blocks, index)).collect()
        };
        for block in all(2)? {
            let metadata = metadata(bytes, block)?;
            let message = message::parse(&metadata, block.start, &limits)?;
            let body = fetch(body(block, message.body)?)?;
            match reader.message(&message, &body, block.start, &limits)? {
                Outcome::Dictionary => {}
                Outcome::Batch(_) | Outcome::Schema(_) => return Err(another(block, "a dictionary")),
            }
        }
        let batches = all(3)?.into_iter().map(|block| {
            let metadata = metadata(bytes, block)?;
            let message = message::parse(&metadata, block.start, &limits)?;
            let rows = message.rows(block.start)?.ok_or_else(|| another(block, "a record batch"))?;
            Ok(Batch { block, rows, metadata: metadata.clone() })
        });
        let batches = batches.collect::<Result<Vec<_>>>()?;
        Ok(Self { limits, reader, schema, batches })
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Rows of each batch.
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        self.batches.iter().map(|batch| batch.rows)
    }

    /// Reads one batch, or some columns of it (by number, ascending), without looking at any other. What is not asked for is
    /// not fetched.
    ///
    /// # Errors
    /// [`Error::NoSuchBatch`], [`Error::NoSuchColumn`], [`Error::Source`], and whatever can be wrong with its bytes.
    pub fn batch(&self, bytes: &impl Fetch, index: usize, columns: Option<&[usize]>) -> Result<RecordBatch> {
        let missing = || Box::new(Error::NoSuchBatch { index, batches: self.batches.len() });
        let Batch { block, metadata, .. } = self.batches.get(index).ok_or_else(missing)?;
        let message = message::parse(metadata, block.start, &self.limits)?;
        let place = body(*block, message.body)?;
        let fetch = |range: Range<u64>| bytes.fetch(range).map_err(source_error);
        match columns {
            None => self.reader.record_batch(&message, &fetch(place)?, block.start, &self.limits),
            Some(columns) => self.reader.columns(&message, columns, block.start, &self.limits, |span| {
                fetch(place.start + span.start as u64..place.start + span.end as u64)
            }),
        }
    }
}

/// A block's metadata without its prefix.
fn metadata(bytes: &impl Fetch, block: Block) -> Result<Buffer> {
    let metadata = bytes.fetch(block.start..block.start + block.metadata).map_err(source_error)?;
    // Before format 0.15 there is no continuation marker.
    let skip = if metadata.starts_with(&[0xff; 4]) { 8 } else { 4 };
    Ok(metadata.slice(skip))
}

/// The place of a message's body in the file.
fn body(block: Block, length: usize) -> Result<Range<u64>> {
    let length = length as u64;
    if length > block.body {
        return Err(Error::metadata(block.start, "a message's body is longer than its block"));
    }
    let start = block.start + block.metadata;
    Ok(start..start + length)
}

fn another(block: Block, expected: &'static str) -> Box<Error> {
    Error::unexpected(block.start, "message of another kind", expected)
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn source_error(error: std::io::Error) -> Box<Error> {
    Box::new(Error::Source { reason: error.to_string() })
}
