//! The stream writer: batches to frames.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::Schema;

use crate::frame::{FrameWriter, Frames, Options};
use crate::update::{Change, Update};
use crate::{Error, Result};

/// Turns batches into the bytes of one stream.
///
/// The first call gives the schema too. Buffers of a batch that are not packed are handed out as they are, without a
/// copy; dictionaries are written when they are new or have changed.
#[derive(Debug)]
pub struct StreamEncoder {
    frames: FrameWriter,
    begun: bool,
}

impl StreamEncoder {
    /// An encoder for batches of this schema, without packing.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] when a type cannot be written.
    pub fn try_new(schema: &Schema) -> Result<Self> {
        Self::try_with_options(schema, Options::default())
    }

    /// An encoder with options.
    ///
    /// # Errors
    /// As [`StreamEncoder::try_new`]; [`Error::UnsupportedCompression`] for a codec
    /// that this build does not have.
    pub fn try_with_options(schema: &Schema, options: Options) -> Result<Self> {
        Ok(Self { frames: FrameWriter::try_new(schema, options, true)?, begun: false })
    }

    /// The schema's bytes, if they have not been given yet: for a reader that is to know the columns before the first
    /// batch.
    ///
    /// # Errors
    /// None after the encoder was made.
    pub fn schema(&mut self) -> Result<Vec<Buffer>> {
        let mut frames = Frames::default();
        self.begin(&mut frames);
        Ok(frames.parts)
    }

    fn begin(&mut self, frames: &mut Frames) {
        if !self.begun {
            self.frames.schema(frames);
            self.begun = true;
        }
    }

    /// One batch, with the dictionaries that it needs, and the schema if it is the first. The parts follow
    /// one another without a gap.
    ///
    /// `O(columns)` and the bits and offsets of slices; packing costs the bytes.
    ///
    /// # Errors
    /// [`Error::Encode`] when the batch does not have the encoder's schema.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<Buffer>> {
        self.encode_with(batch, &[])
    }

    /// As [`StreamEncoder::encode`], with metadata for this batch alone.
    ///
    /// # Errors
    /// As [`StreamEncoder::encode`].
    pub fn encode_with(&mut self, batch: &RecordBatch, metadata: &[(&str, &str)]) -> Result<Vec<Buffer>> {
        let mut frames = Frames::default();
        self.begin(&mut frames);
        self.frames.batch(batch, metadata, &mut frames)?;
        Ok(frames.parts)
    }

    /// An update of a live table, for a change whose rows have the stream's schema: append, upsert, delete (with all
    /// columns), or a replacement by one batch.
    ///
    /// # Errors
    /// As [`StreamEncoder::encode`]; [`Error::Encode`] for other changes, which need a discrete message
    /// ([`Update::to_message`]).
    pub fn encode_update(&mut self, update: &Update) -> Result<Vec<Buffer>> {
        let batch = match &update.change {
            Change::Append(batch) | Change::Upsert(batch) | Change::Delete(batch) => batch,
            Change::Replace(batches) if batches.len() == 1 => &batches[0],
            change => {
                let what = ["a continuous stream cannot carry this ", change.name(), "; send a discrete message"];
                return Err(Error::Encode(what.concat()));
            }
        };
        let metadata = update.metadata();
        let metadata: Vec<(&str, &str)> = metadata.iter().map(|(key, value)| (*key, value.as_str())).collect();
        self.encode_with(batch, &metadata)
    }

    /// The end marker; with the schema if no batch has come.
    ///
    /// # Errors
    /// None after the encoder was made.
    pub fn finish(mut self) -> Result<Vec<Buffer>> {
        let mut frames = Frames::default();
        self.begin(&mut frames);
        self.frames.end(&mut frames);
        Ok(frames.parts)
    }
}
