//! Batches to bytes of a format that other tools read.

use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::{Error, Result};

/// A format that results are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The Arrow file format.
    ArrowFile,
    /// The Arrow stream format.
    ArrowStream,
    /// Parquet, compressed with zstd.
    Parquet,
    /// CSV with a header line.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
}

impl Format {
    /// The format that a file's extension stands for.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`].
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        Ok(match extension.to_ascii_lowercase().as_str() {
            "arrow" | "feather" | "ipc" => Self::ArrowFile,
            "arrows" => Self::ArrowStream,
            "parquet" => Self::Parquet,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            _ => return Err(Error::UnknownFormat { path: path.to_owned() }),
        })
    }

    /// The format of a short name: `arrow`, `arrow-file`, `parquet`, `csv`, `json` or `ndjson`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "arrow" => Self::ArrowStream,
            "arrow-file" => Self::ArrowFile,
            "parquet" => Self::Parquet,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" => Self::Ndjson,
            _ => return None,
        })
    }

    /// The extension of a file of this format.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::ArrowFile => "arrow",
            Self::ArrowStream => "arrows",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::ArrowFile => "application/vnd.apache.arrow.file",
            Self::ArrowStream => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// Writes batches in a format.
pub struct Writer<W: Write + Send> {
    inner: Inner<W>,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

enum Inner<W: Write + Send> {
    File(wire::file::FileWriter<W>),
    Stream(Box<wire::stream::StreamEncoder>, W),
    Parquet(Box<ArrowWriter<W>>),
    Csv { writer: Box<arrow_csv::Writer<W>>, schema: SchemaRef, wrote: bool },
    Json(arrow_json::ArrayWriter<W>),
    Ndjson(arrow_json::LineDelimitedWriter<W>),
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Output(error.to_string())
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file or stream.
    ///
    /// # Errors
    /// [`Error::Output`] when the format has no place for one of the types.
    pub fn try_new(format: Format, sink: W, schema: &SchemaRef) -> Result<Self> {
        Self::try_with_options(format, wire::Options::default(), sink, schema)
    }

    /// As [`Writer::try_new`], with options of the Arrow formats.
    ///
    /// # Errors
    /// As [`Writer::try_new`].
    pub fn try_with_options(format: Format, options: wire::Options, sink: W, schema: &SchemaRef) -> Result<Self> {
        let inner = match format {
            Format::ArrowFile => {
                Inner::File(wire::file::FileWriter::try_with_options(sink, schema, options).map_err(failed)?)
            }
            Format::ArrowStream => {
                let encoder = wire::stream::StreamEncoder::try_with_options(schema, options).map_err(failed)?;
                Inner::Stream(Box::new(encoder), sink)
            }
            Format::Parquet => {
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
                Inner::Parquet(Box::new(ArrowWriter::try_new(sink, schema.clone(), Some(properties)).map_err(failed)?))
            }
            Format::Csv => Inner::Csv {
                writer: Box::new(arrow_csv::WriterBuilder::new().with_header(true).build(sink)),
                schema: schema.clone(),
                wrote: false,
            },
            Format::Json => Inner::Json(arrow_json::WriterBuilder::new().with_explicit_nulls(true).build(sink)),
            Format::Ndjson => Inner::Ndjson(arrow_json::WriterBuilder::new().with_explicit_nulls(true).build(sink)),
        };
        Ok(Self { inner })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// [`Error::Output`] when a value has no form in the format, or the sink fails.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.inner {
            Inner::File(writer) => writer.write(batch).map_err(failed),
            Inner::Stream(encoder, sink) => {
                let parts = encoder.encode(batch).map_err(failed)?;
                parts.iter().try_for_each(|part| sink.write_all(part)).map_err(failed)
            }
            Inner::Parquet(writer) => writer.write(batch).map_err(failed),
            Inner::Csv { writer, wrote, .. } => {
                *wrote = true;
                writer.write(batch).map_err(failed)
            }
            Inner::Json(writer) => writer.write(batch).map_err(failed),
            Inner::Ndjson(writer) => writer.write(batch).map_err(failed),
        }
    }

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// [`Error::Output`] when the sink fails.
    pub fn finish(self) -> Result<()> {
        match self.inner {
            Inner::File(writer) => writer.finish().map(drop).map_err(failed),
            Inner::Stream(encoder, mut sink) => {
                let parts = encoder.finish().map_err(failed)?;
                parts.iter().try_for_each(|part| sink.write_all(part)).map_err(failed)?;
                sink.flush().map_err(failed)
            }
            Inner::Parquet(writer) => writer.close().map(|_| ()).map_err(failed),
            Inner::Csv { mut writer, schema, wrote } => {
                if !wrote {
                    // The header is written with the first batch.
                    writer.write(&RecordBatch::new_empty(schema)).map_err(failed)?;
                }
                Ok(())
            }
            Inner::Json(mut writer) => writer.finish().map_err(failed),
            Inner::Ndjson(mut writer) => writer.finish().map_err(failed),
        }
    }
}
