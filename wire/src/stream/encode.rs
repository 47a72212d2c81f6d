//! The stream writer: batches to frames.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::Schema;

use crate::{Error, Result};

/// Turns batches into the bytes of one stream.
///
/// The first call gives the schema too. Buffers of a batch that are whole and aligned are handed out as
/// they are, without a copy; dictionaries are written when they are new or have changed.
pub struct StreamEncoder {
    inner: arrow_ipc::writer::StreamEncoder,
    schema: Schema,
}

impl std::fmt::Debug for StreamEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamEncoder").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl StreamEncoder {
    /// An encoder for batches of this schema.
    ///
    /// # Errors
    /// [`Error::Encode`] when a type cannot be written.
    pub fn try_new(schema: &Schema) -> Result<Self> {
        let inner =
            arrow_ipc::writer::StreamEncoder::try_new(schema).map_err(|error| Error::Encode(error.to_string()))?;
        Ok(Self { inner, schema: schema.clone() })
    }

    /// One batch, with the dictionaries that it needs, and the schema if it is the first. The parts follow
    /// one another without a gap.
    ///
    /// # Errors
    /// [`Error::Encode`] when the batch does not have the encoder's schema.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<Buffer>> {
        let types = |schema: &Schema| schema.fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>();
        if types(&batch.schema()) != types(&self.schema) {
            return Err(Error::Encode("the batch has another schema than the stream".to_owned()));
        }
        self.inner.encode(batch).map_err(|error| Error::Encode(error.to_string()))
    }

    /// The end marker; with the schema if no batch has come.
    ///
    /// # Errors
    /// [`Error::Encode`] when the schema cannot be written.
    pub fn finish(self) -> Result<Vec<Buffer>> {
        self.inner.finish().map_err(|error| Error::Encode(error.to_string()))
    }
}
