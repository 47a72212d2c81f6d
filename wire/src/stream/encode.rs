//! The stream writer: batches to frames.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::{FieldRef, Schema};
use kernels::arrays;

use crate::frame::{FrameWriter, Frames, Options};
use crate::update::{Change, MORE, Update};
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

    /// An update of a live table. Columns that its rows leave out are null, so that the stream's schema must allow that
    /// where rows are removed by key; an update of several batches is marked (see [`Parts`](crate::update::Parts)).
    ///
    /// # Errors
    /// As [`StreamEncoder::encode`]; [`Error::Encode`] for a patch, which names rows by a column of its own and needs a
    /// discrete message ([`Update::to_message`]).
    pub fn encode_update(&mut self, update: &Update) -> Result<Vec<Buffer>> {
        let batches = match &update.change {
            Change::Append(batch) | Change::Upsert(batch) | Change::Delete(batch) => vec![self.widened(batch)?],
            Change::Replace(batches) if batches.is_empty() => vec![self.empty()?],
            Change::Replace(batches) => batches.iter().map(|batch| self.widened(batch)).collect::<Result<_>>()?,
            Change::Exchange { remove, insert } => vec![self.widened(remove)?, self.widened(insert)?],
            Change::Trim(_) => vec![self.empty()?],
            Change::Patch { .. } => {
                return Err(Box::new(Error::Encode(
                    "a continuous stream cannot carry a patch; send a discrete message".to_owned(),
                )));
            }
        };
        let metadata = update.metadata();
        let mut metadata: Vec<(&str, &str)> = metadata.iter().map(|(key, value)| (*key, value.as_str())).collect();
        metadata.push((MORE, "true"));
        let mut parts = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            if number + 1 == batches.len() {
                metadata.pop();
            }
            parts.extend(self.encode_with(batch, &metadata)?);
        }
        Ok(parts)
    }

    fn empty(&self) -> Result<RecordBatch> {
        let schema = Arc::new(self.frames.schema.clone());
        arrays::empty_batch(&schema).map_err(|error| Error::encode(&error))
    }

    /// A batch with the stream's columns in the stream's order; nulls in those that it does not have.
    fn widened(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let fields = self.frames.schema.fields();
        let have = batch.schema();
        if have.fields().len() == fields.len() && have.fields().iter().zip(fields).all(|(a, b)| a.name() == b.name()) {
            return Ok(batch.clone());
        }
        if let Some(other) = have.fields().iter().find(|field| fields.find(field.name()).is_none()) {
            return Err(Box::new(Error::Encode(["the stream has no column \"", other.name(), "\""].concat())));
        }
        let column = |field: &FieldRef| match batch.column_by_name(field.name()) {
            Some(column) => Ok(column.clone()),
            None => arrays::null_array(field.data_type(), batch.num_rows()).map_err(|error| Error::encode(&error)),
        };
        let columns = fields.iter().map(column).collect::<Result<Vec<_>>>()?;
        arrays::batch(Arc::new(self.frames.schema.clone()), columns, batch.num_rows())
            .map_err(|error| Error::encode(&error))
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
