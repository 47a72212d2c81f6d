//! The file writer: frames, then a footer that says where they are.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::MAGIC;
use crate::build::{Builder, Slot};
use crate::frame::{Block, FrameWriter, Frames, Options};
use crate::schema::build as build_schema;
use crate::{Error, Result};

/// Writes an Arrow file to anything that takes bytes.
#[derive(Debug)]
pub struct FileWriter<W: Write> {
    sink: W,
    frames: FrameWriter,
    schema: SchemaRef,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

impl<W: Write> FileWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] when a type cannot be written, [`Error::Sink`] when the sink fails.
    pub fn try_new(sink: W, schema: &Schema) -> Result<Self> {
        Self::try_with_options(sink, schema, Options::default())
    }

    /// Begins a file with options.
    ///
    /// # Errors
    /// As [`FileWriter::try_new`]; [`Error::UnsupportedCompression`] for a codec that this build does not have.
    pub fn try_with_options(mut sink: W, schema: &Schema, options: Options) -> Result<Self> {
        let mut frames = FrameWriter::try_new(schema, options, false)?;
        sink.write_all(MAGIC).and_then(|()| sink.write_all(&[0; 2])).map_err(sink_error)?;
        frames.position = 8;
        let schema = std::sync::Arc::new(schema.clone());
        let mut writer = Self { sink, frames, schema, dictionaries: Vec::new(), batches: Vec::new() };
        let mut parts = Frames::default();
        writer.frames.schema(&mut parts);
        writer.put(parts)?;
        Ok(writer)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn put(&mut self, frames: Frames) -> Result<()> {
        frames.parts.iter().try_for_each(|part| self.sink.write_all(part)).map_err(sink_error)?;
        self.dictionaries.extend(frames.dictionaries);
        self.batches.extend(frames.batches);
        Ok(())
    }

    /// Adds a batch. A dictionary that has grown is written as what is new.
    ///
    /// # Errors
    /// [`Error::Encode`] when the batch has another schema, or a dictionary that is not the one before with more behind
    /// it: a file has one. [`Error::Sink`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut frames = Frames::default();
        self.frames.batch(batch, &[], &mut frames)?;
        self.put(frames)
    }

    /// Writes the footer and gives the sink back.
    ///
    /// # Errors
    /// [`Error::Sink`].
    pub fn finish(mut self) -> Result<W> {
        let mut frames = Frames::default();
        self.frames.end(&mut frames);
        self.put(frames)?;
        let mut builder = Builder::new();
        let footer = builder.table(&[Slot::I16(4), Slot::Link, Slot::Link, Slot::Link]);
        let schema = build_schema(&mut builder, &self.frames.schema, &self.frames.ids)?;
        builder.link(footer, 1, schema);
        for (field, blocks) in [(2, &self.dictionaries), (3, &self.batches)] {
            let numbers: Vec<i64> = blocks
                .iter()
                .flat_map(|block| [block.start as i64, block.metadata as i64, block.body as i64])
                .collect();
            let vector = builder.longs(&numbers, 3);
            builder.link(footer, field, vector);
        }
        let footer = builder.finish(footer);
        let length = (footer.len() as i32).to_le_bytes();
        for part in [footer.as_slice(), &length, MAGIC] {
            self.sink.write_all(part).map_err(sink_error)?;
        }
        self.sink.flush().map_err(sink_error)?;
        Ok(self.sink)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn sink_error(error: std::io::Error) -> Box<Error> {
    Box::new(Error::Sink { reason: error.to_string() })
}
