//! The push decoder: bytes in any cut, events out.
//!
//! A frame is a prefix (a continuation marker and the metadata's length; before format 0.15 the length
//! alone), the metadata and the body. The decoder takes each of the three when all of its bytes are here.
//!
//! An Arrow *file* is such a stream between a magic and a footer. It is read the same way, in its own order and while it
//! comes; a file whose dictionaries stand behind the batches that use them needs [`crate::file`].

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::{DataType, Metadata, SchemaRef};
use kernels::arrays::Trust;

use super::assemble::Pending;
use crate::flat::Table;
use crate::message::{self, Outcome, Reader};
use crate::{Error, Limits, Result};

const CONTINUATION: [u8; 4] = [0xff; 4];
/// What a file begins with, and its padding.
const MAGIC: &[u8; 8] = b"ARROW1\0\0";

/// What came out of the bytes.
#[derive(Debug, Clone)]
pub enum Event {
    /// The schema: always first, always once.
    Schema(SchemaRef),
    /// A batch of rows.
    Batch(RecordBatch),
    /// The end-of-stream marker. Bytes behind it are not read.
    End,
}

#[derive(Debug)]
enum State {
    /// Before a frame's first four bytes.
    Prefix,
    /// Behind the first half of a file's magic.
    Magic,
    /// Behind a continuation marker: the length follows.
    Length,
    /// The metadata follows.
    Metadata(usize),
    /// The body follows.
    Body {
        metadata: Buffer,
        length: usize,
    },
    Ended,
    Failed(Box<Error>),
}

/// Reads a stream that is here as a whole. Bytes behind its end marker are not read; see
/// [`discrete::read`](crate::discrete::read) for messages that must not have any.
///
/// # Errors
/// Whatever can be wrong with its bytes.
pub fn read(bytes: Buffer, limits: &Limits) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    StreamDecoder::new(limits.clone()).read_all(bytes)
}

/// Takes the bytes of a stream in any cut and gives its batches.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int32Array, RecordBatch};
/// # let batch = RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef)])?;
/// # let mut encoder = wire::stream::StreamEncoder::try_new(&batch.schema())?;
/// # let mut bytes: Vec<u8> = Vec::new();
/// # encoder.encode(&batch)?.iter().for_each(|part| bytes.extend_from_slice(part));
/// use wire::stream::{Event, StreamDecoder};
/// let mut decoder = StreamDecoder::new(wire::Limits::default());
/// let mut rows = 0;
/// for chunk in bytes.chunks(7) {
///     decoder.push(chunk.to_vec());
///     while let Some(event) = decoder.next_event() {
///         if let Event::Batch(batch) = event? {
///             rows += batch.num_rows();
///         }
///     }
/// }
/// decoder.finish()?;
/// assert_eq!(rows, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StreamDecoder {
    limits: Limits,
    pending: Pending,
    state: State,
    reader: Reader,
    /// Where the current message begins.
    offset: u64,
    /// In a file: whether its messages begin with the continuation marker, so that what does not is the footer.
    file: Option<bool>,
    /// Behind a file's magic: zeros may follow, up to the alignment of its writer.
    pads: bool,
    /// The schema of a footer that came ahead, and whether it has been told.
    footer: Option<(SchemaRef, bool)>,
}

impl Default for StreamDecoder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl StreamDecoder {
    /// A decoder with the given limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            pending: Pending::default(),
            state: State::Prefix,
            reader: Reader::default(),
            offset: 0,
            file: None,
            pads: false,
            footer: None,
        }
    }

    /// Leaves the checks of single rows out, on the promise that the bytes come from a correct writer.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.reader.trust = Some(trust);
        self
    }

    /// Columns of types for which `left_out` holds are not read: batches, and the schema of [`Event::Schema`], have
    /// columns of nulls in their places. [`StreamDecoder::schema`] still says what they are. For readers that would
    /// rather show the other columns than nothing.
    #[must_use]
    pub fn leaving_out(mut self, left_out: fn(&DataType) -> bool) -> Self {
        self.reader.left_out = Some(left_out);
        self
    }

    /// Columns of the same name get names of their own ([`distinct_schema`](crate::distinct_schema)), in batches and in what
    /// tells the schema: for readers whose plans name columns.
    #[must_use]
    pub fn with_distinct_names(mut self) -> Self {
        self.reader.is_distinct = true;
        self
    }

    /// The metadata that came with the last message, such as that of the batch that was just given.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.reader.metadata
    }

    /// Takes the next bytes. The decoder owns them from here on, and its batches borrow from them when a
    /// message lies whole and aligned in them.
    pub fn push(&mut self, bytes: impl Into<Buffer>) {
        if !matches!(self.state, State::Ended | State::Failed(_)) {
            self.pending.push(bytes.into());
        }
    }

    /// Makes one allocation for bytes that will come, if there is memory for it: those that are written into
    /// [`StreamDecoder::room`] stay where they are, and batches borrow from them. For bytes that are known to come, such as
    /// those of a response that tells its length; what a message says of itself allocates nothing ahead.
    pub fn expect(&mut self, bytes: usize) {
        self.pending.expect(bytes);
    }

    /// A place for the next so many bytes, to be filled, and then told by [`StreamDecoder::filled`]. `None` where none was
    /// made by [`StreamDecoder::expect`] or it is full: then they must be pushed.
    pub fn room(&mut self, bytes: usize) -> Option<&mut [u8]> {
        if matches!(self.state, State::Ended | State::Failed(_)) {
            return None;
        }
        self.pending.room(bytes)
    }

    /// Takes the bytes that were written into the last [`StreamDecoder::room`].
    pub fn filled(&mut self) {
        self.pending.filled();
    }

    /// The next thing in the bytes so far; `None` when more bytes are needed. After an error the decoder
    /// stays in that error; after the end it gives nothing more.
    pub fn next_event(&mut self) -> Option<Result<Event>> {
        match self.advance() {
            Ok(event) => event.map(Ok),
            Err(error) => {
                self.state = State::Failed(error.clone());
                Some(Err(error))
            }
        }
    }

    /// Bytes that were given and not read, such as what follows the end.
    #[must_use]
    pub fn left(&self) -> usize {
        self.pending.available()
    }

    /// Bytes read so far: the place in the stream.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.pending.position()
    }

    /// The schema, once it has come.
    #[must_use]
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.reader.schema()
    }

    /// Takes a file's footer (what stands before its length and the magic at the end) ahead of the file's bytes: some writers
    /// write the schema nowhere else.
    ///
    /// # Errors
    /// [`Error::Metadata`] when the bytes are no footer.
    pub fn push_footer(&mut self, footer: &[u8]) -> Result<()> {
        let table = Table::root(footer, 0)?.table(1)?;
        let schema = table.ok_or_else(|| Error::metadata(0, "the footer has no schema"))?;
        self.footer = Some((self.reader.set_schema(schema, 0, &self.limits)?, false));
        Ok(())
    }

    /// Says that no more bytes come. A stream may end without its marker, but not inside a message, and not
    /// before its schema.
    ///
    /// # Errors
    /// [`Error::Truncated`], or the error that the decoder is in.
    pub fn finish(&mut self) -> Result<()> {
        let needed = match &self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Ended => return Ok(()),
            State::Prefix if self.pending.available() == 0 && self.schema().is_some() => {
                let what = "the footer; the file may be cut short";
                return if self.file.is_some() { Err(Box::new(Error::NotAFile { what })) } else { Ok(()) };
            }
            State::Prefix | State::Length | State::Magic => 4,
            State::Metadata(length) | State::Body { length, .. } => *length,
        };
        let missing = needed.saturating_sub(self.pending.available()) as u64;
        Err(Box::new(Error::Truncated { offset: self.offset, missing }))
    }

    /// Takes whole bytes and gives all of their batches, up to the end of the stream or of the bytes.
    pub(crate) fn read_all(&mut self, bytes: Buffer) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        self.push(bytes);
        let mut batches = Vec::new();
        while let Some(event) = self.next_event() {
            if let Event::Batch(batch) = event? {
                batches.push(batch);
            }
        }
        self.finish()?;
        // A stream without a schema has not come to its end.
        let schema = self.schema().cloned().ok_or_else(|| Box::new(Error::Truncated { offset: 0, missing: 4 }))?;
        Ok((schema, batches))
    }

    fn advance(&mut self) -> Result<Option<Event>> {
        if let Some((schema, told @ false)) = &mut self.footer {
            *told = true;
            return Ok(Some(Event::Schema(schema.clone())));
        }
        loop {
            match &self.state {
                State::Failed(error) => return Err(error.clone()),
                State::Ended => return Ok(None),
                State::Prefix => {
                    self.offset = self.pending.position();
                    let Some(word) = self.word() else { return Ok(None) };
                    if self.pads && word == [0; 4] {
                        continue;
                    }
                    self.pads = false;
                    if word == CONTINUATION {
                        self.file = self.file.map(|_| true);
                        self.state = State::Length;
                    } else if self.file == Some(true) {
                        self.state = State::Ended;
                        return Ok(Some(Event::End));
                    } else if self.offset == 0 && MAGIC.starts_with(&word) {
                        self.state = State::Magic;
                    } else if let Some(event) = self.length(word)? {
                        return Ok(Some(event));
                    }
                }
                State::Magic => {
                    let Some(word) = self.word() else { return Ok(None) };
                    if !MAGIC.ends_with(&word) {
                        return Err(Box::new(Error::NotAFile { what: "the magic ARROW1 at the start" }));
                    }
                    self.file = Some(false);
                    self.pads = true;
                    self.state = State::Prefix;
                }
                State::Length => {
                    let Some(word) = self.word() else { return Ok(None) };
                    if let Some(event) = self.length(word)? {
                        return Ok(Some(event));
                    }
                }
                State::Metadata(length) => {
                    let Some(metadata) = self.pending.take(*length) else { return Ok(None) };
                    let message = message::parse(&metadata, self.offset, &self.limits)?;
                    let length = message.body;
                    if message.is_packed() {
                        // What it holds is unpacked elsewhere, and the packed bytes need not stay.
                        self.pending.expect_no_more();
                    }
                    self.state = State::Body { metadata, length };
                }
                State::Body { metadata, length } => {
                    let Some(body) = self.pending.take(*length) else { return Ok(None) };
                    // Verified once already; the second look costs by table, not by row.
                    let message = message::parse(metadata, self.offset, &self.limits)?;
                    if self.footer.is_some() && message.is_schema() {
                        self.state = State::Prefix;
                        continue;
                    }
                    let outcome = self.reader.message(&message, &body, self.offset, &self.limits)?;
                    self.state = State::Prefix;
                    match outcome {
                        Outcome::Schema(schema) => return Ok(Some(Event::Schema(schema))),
                        Outcome::Batch(batch) => return Ok(Some(Event::Batch(batch))),
                        Outcome::Dictionary => {}
                    }
                }
            }
        }
    }

    fn word(&mut self) -> Option<[u8; 4]> {
        let bytes = self.pending.take(4)?;
        bytes.as_slice().try_into().ok()
    }

    /// The metadata's length has come; zero is the end of the stream.
    fn length(&mut self, word: [u8; 4]) -> Result<Option<Event>> {
        let found = i32::from_le_bytes(word);
        let length = usize::try_from(found)
            .ok()
            .filter(|&length| length <= self.limits.metadata)
            .ok_or_else(|| Error::limit(self.offset, "metadata length", found.into(), self.limits.metadata))?;
        if length == 0 {
            if self.reader.schema().is_none() {
                return Err(Error::unexpected(self.offset, "end of stream", "a schema first"));
            }
            self.state = State::Ended;
            return Ok(Some(Event::End));
        }
        self.state = State::Metadata(length);
        Ok(None)
    }
}
