//! Sources: where a table's batches come from.
//!
//! A source tells its schema and size at once and gives its batches one by one, so that a table is streamed
//! without being held. Parquet is decoded while it is read; Arrow is kept as the bytes of its file, which
//! batches borrow; CSV is parsed once, when it is opened.

mod arrow;
mod csv;
mod parquet;

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use self::parquet::ParquetSource;
use crate::{Error, Result};

/// Rows of a batch, where the source can choose.
pub const BATCH_ROWS: usize = 65_536;

/// A stream of batches.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A table that can be read any number of times.
pub trait Source: Send + Sync {
    /// The columns.
    fn schema(&self) -> &SchemaRef;
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Bytes of the file.
    fn bytes(&self) -> u64;
    /// The batches from the first; with a projection, of these columns only (ascending numbers).
    ///
    /// # Errors
    /// When the file cannot be read any more.
    fn scan(&self, projection: Option<&[usize]>) -> Result<Batches>;
}

/// A table's name and source.
#[derive(Clone)]
pub struct Table {
    /// The name in URLs.
    pub name: String,
    /// Where its rows come from.
    pub source: Arc<dyn Source>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Opens a file by its extension, or by its first bytes when the extension says nothing.
///
/// # Errors
/// [`Error::Io`], [`Error::UnknownFormat`], [`Error::Format`] with the place of the fault.
pub fn open(path: &Path) -> Result<Arc<dyn Source>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
    match extension.as_str() {
        "parquet" => Ok(Arc::new(ParquetSource::open(path)?)),
        "arrow" | "feather" | "arrows" | "ipc" => arrow::open(path),
        "csv" | "tsv" => Ok(Arc::new(csv::open(path, if extension == "tsv" { b'\t' } else { b',' })?)),
        _ => match first_bytes(path)? {
            start if start.starts_with(b"PAR1") => Ok(Arc::new(ParquetSource::open(path)?)),
            start if start.starts_with(b"ARROW1") || start.starts_with(&[0xff; 4]) => arrow::open(path),
            _ => Err(Error::UnknownFormat { path: path.to_owned() }),
        },
    }
}

fn first_bytes(path: &Path) -> Result<[u8; 8]> {
    use std::io::Read;
    let mut start = [0; 8];
    let mut file = std::fs::File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let _short = file.read(&mut start).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(start)
}

/// A table given as `name=path`, or as a path whose stem is the name.
///
/// # Errors
/// As [`open`].
pub fn open_named(argument: &str) -> Result<Table> {
    let (name, path) = match argument.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\']) && !name.is_empty() => (Some(name), path),
        _ => (None, argument),
    };
    let path = Path::new(path);
    let stem = || path.file_stem().map_or_else(|| argument.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Table { name: name.map_or_else(stem, str::to_owned), source: open(path)? })
}

/// Batches that are in memory.
struct Memory {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    bytes: u64,
}

impl Source for Memory {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn scan(&self, projection: Option<&[usize]>) -> Result<Batches> {
        let projection = projection.map(<[usize]>::to_vec);
        Ok(Box::new(self.batches.clone().into_iter().map(move |batch| match &projection {
            Some(columns) => batch.project(columns).map_err(|error| Error::Internal(error.to_string())),
            None => Ok(batch),
        })))
    }
}
