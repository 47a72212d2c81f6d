//! The continuous stream: schema once, then dictionaries and batches.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::Result;

/// Sizes that a decoder accepts, checked before anything is allocated.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The greatest size of one message's metadata, in bytes.
    pub metadata: usize,
    /// The greatest size of one message's body, in bytes.
    pub body: usize,
    /// The greatest number of fields in a schema, nested ones counted.
    pub fields: usize,
    /// The greatest depth of nesting.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            metadata: 16 << 20,
            body: 1 << 30,
            fields: 10_000,
            depth: 64,
        }
    }
}

/// What came out of the bytes.
#[derive(Debug, Clone)]
pub enum Event {
    /// The schema: always first, always once.
    Schema(SchemaRef),
    /// A batch of rows.
    Batch(RecordBatch),
    /// The end-of-stream marker.
    End,
}

/// Takes bytes in any cut and gives batches.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    limits: Limits,
}

impl StreamDecoder {
    /// A decoder with the given limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Takes the next bytes. The decoder owns them from here on and its batches borrow from them when
    /// the alignment allows.
    pub fn push(&mut self, bytes: Vec<u8>) {
        let _ = (bytes, &self.limits);
    }

    /// The next thing in the bytes so far; `None` when more bytes are needed. After an error the
    /// decoder stays in error.
    pub fn next_event(&mut self) -> Option<Result<Event>> {
        None
    }

    /// The schema, once it has come.
    #[must_use]
    pub fn schema(&self) -> Option<&SchemaRef> {
        None
    }

    /// Says that no more bytes come. A stream may end without its marker, but not inside a message.
    ///
    /// # Errors
    /// [`crate::Error::Truncated`].
    pub fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Turns a schema and batches into the bytes of one stream.
#[derive(Debug)]
pub struct StreamEncoder {
    schema: SchemaRef,
}

impl StreamEncoder {
    /// An encoder for batches of this schema.
    ///
    /// # Errors
    /// When a type cannot be written.
    pub fn try_new(schema: &Schema) -> Result<Self> {
        Ok(Self {
            schema: std::sync::Arc::new(schema.clone()),
        })
    }

    /// The schema message: the first bytes of the stream.
    #[must_use]
    pub fn schema_frame(&self) -> Vec<u8> {
        let _ = &self.schema;
        Vec::new()
    }

    /// One batch, with the dictionaries that it needs and that have not been sent before it.
    ///
    /// # Errors
    /// When the batch does not have the encoder's schema.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let _ = batch;
        Ok(Vec::new())
    }

    /// The end-of-stream marker.
    #[must_use]
    pub fn end_frame(&self) -> Vec<u8> {
        vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
    }
}
