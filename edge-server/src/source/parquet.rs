//! Parquet: the footer is read when it is opened, row groups when they are scanned.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;

use super::{BATCH_ROWS, Batches, Source, file_tag};
use crate::{Error, Result};

enum Place {
    File(PathBuf),
    Memory(Bytes),
}

/// A Parquet file, on disk or in memory.
pub struct ParquetSource {
    place: Place,
    metadata: ArrowReaderMetadata,
    bytes: u64,
    tag: u64,
}

impl std::fmt::Debug for ParquetSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetSource").field("path", &self.place.path()).finish_non_exhaustive()
    }
}

impl Place {
    fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Memory(_) => PathBuf::from("(bundled sample)"),
        }
    }
}

impl ParquetSource {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when the file is cut short or no Parquet.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        let metadata = load(&file, path)?;
        Ok(Self { place: Place::File(path.to_owned()), metadata, bytes, tag: file_tag(path) })
    }

    /// The file with its columns kept in memory, once read, up to so many bytes.
    #[must_use]
    pub fn kept_within(self, memory: usize) -> std::sync::Arc<dyn Source> {
        std::sync::Arc::new(super::Resident::new(self, memory))
    }

    /// A file that is in memory.
    ///
    /// # Errors
    /// As [`ParquetSource::open`].
    pub fn from_bytes(bytes: Bytes) -> Result<Self> {
        let place = Place::Memory(bytes.clone());
        let metadata = load(&bytes, &place.path())?;
        Ok(Self { bytes: bytes.len() as u64, tag: bytes.len() as u64, place, metadata })
    }

    fn reader<R: ChunkReader + 'static>(&self, input: R, projection: Option<&[usize]>) -> Result<Batches> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, self.metadata.clone());
        let mask = match projection {
            Some(columns) => ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied()),
            None => ProjectionMask::all(),
        };
        let path = self.place.path();
        let reader = builder
            .with_batch_size(BATCH_ROWS)
            .with_projection(mask)
            .build()
            .map_err(|error| malformed(&path, &error))?;
        Ok(Box::new(
            reader.map(move |batch| -> Result<RecordBatch> { batch.map_err(|error| malformed(&path, &error)) }),
        ))
    }
}

fn load<R: ChunkReader>(input: &R, path: &Path) -> Result<ArrowReaderMetadata> {
    ArrowReaderMetadata::load(input, ArrowReaderOptions::new()).map_err(|error| malformed(path, &error))
}

fn malformed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Format { path: path.to_owned(), reason: format!("not a whole Parquet file: {error}") }
}

impl Source for ParquetSource {
    fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    fn rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn tag(&self) -> u64 {
        self.tag
    }

    fn scan(&self, projection: Option<&[usize]>) -> Result<Batches> {
        match &self.place {
            Place::Memory(bytes) => self.reader(bytes.clone(), projection),
            Place::File(path) => {
                let file = File::open(path).map_err(|source| Error::Io { path: path.clone(), source })?;
                self.reader(file, projection)
            }
        }
    }
}
