//! Sources: where a table's batches come from.
//!
//! A source tells its schema and size at once and gives its batches one by one, so that a table is streamed
//! without being held. Parquet is decoded while it is read, and its columns are kept as far as memory allows; Arrow is kept as the bytes of its file, which
//! batches borrow; CSV is parsed once, when it is opened.

mod arrow;
mod csv;
mod joined;
mod json;
mod packed;
mod parquet;
mod resident;

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use self::joined::Joined;
pub use self::parquet::ParquetSource;
use self::resident::Resident;
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
    /// A number that changes when the rows do.
    fn tag(&self) -> u64;
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
    open_within(path, DEFAULT_MEMORY)
}

/// Bytes of a file's columns that are kept in memory, unless another limit is given.
pub const DEFAULT_MEMORY: usize = 2 << 30;

/// As [`open`], keeping decoded columns up to so many bytes for this file.
///
/// # Errors
/// As [`open`].
pub fn open_within(path: &Path, memory: usize) -> Result<Arc<dyn Source>> {
    let parquet = || -> Result<Arc<dyn Source>> { Ok(Arc::new(Resident::new(ParquetSource::open(path)?, memory))) };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
    match extension.as_str() {
        "parquet" => parquet(),
        "arrow" | "feather" | "arrows" | "ipc" => arrow::open(path),
        "csv" | "tsv" => Ok(Arc::new(csv::open(path, if extension == "tsv" { b'\t' } else { b',' })?)),
        "ndjson" | "jsonl" => Ok(Arc::new(json::open(path)?)),
        "gz" | "zst" => packed::open_packed(path, &extension),
        _ => match first_bytes(path)? {
            start if start.starts_with(b"PAR1") => parquet(),
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

/// Tables given as `name=path`, or as a path whose stem is the name. A folder is one table of all its files with a name,
/// and a table for each file without.
///
/// # Errors
/// As [`open`].
pub fn open_named(argument: &str, memory: usize) -> Result<Vec<Table>> {
    let (name, path) = match argument.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\']) && !name.is_empty() => (Some(name), path),
        _ => (None, argument),
    };
    let path = Path::new(path);
    if path.is_dir() {
        return open_folder(path, name, memory);
    }
    let name = name.map_or_else(|| stem(path), str::to_owned);
    Ok(vec![Table { name, source: open_within(path, memory)? }])
}

/// The one table of an argument, as [`open_named`] reads it.
///
/// # Errors
/// As [`open`]; [`Error::Format`] when it is a folder of several tables.
pub fn open_one(argument: &str) -> Result<Table> {
    let mut tables = open_named(argument, DEFAULT_MEMORY)?;
    match (tables.pop(), tables.is_empty()) {
        (Some(table), true) => Ok(table),
        _ => {
            let reason = "the folder is several tables; with NAME= before it, it is one".to_owned();
            Err(Error::Format { path: argument.into(), reason })
        }
    }
}

/// The file's name without its extensions of formats and packing.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
    match stem.rsplit_once('.').filter(|_| packed) {
        Some((stem, _)) => stem.to_owned(),
        None => stem.into_owned(),
    }
}

/// A folder of files: with a name, one table of all their rows; without, a table for each.
fn open_folder(folder: &Path, name: Option<&str>, memory: usize) -> Result<Vec<Table>> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let known = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()));
        if path.is_file() && known {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::Format {
            path: folder.to_owned(),
            reason: "the folder holds no file of a known format".into(),
        });
    }
    match name {
        Some(name) => {
            let parts = files.iter().map(|path| open_within(path, memory / files.len())).collect::<Result<Vec<_>>>()?;
            let source = Joined::try_new(folder, &files, parts)?;
            Ok(vec![Table { name: name.to_owned(), source: Arc::new(source) }])
        }
        None => files
            .iter()
            .map(|path| Ok(Table { name: stem(path), source: open_within(path, memory / files.len())? }))
            .collect(),
    }
}

/// Extensions of files that a folder's tables are made of.
const EXTENSIONS: [&str; 11] =
    ["parquet", "arrow", "feather", "arrows", "ipc", "csv", "tsv", "ndjson", "jsonl", "gz", "zst"];

/// The tag of a file: its place, its size and when it was changed.
fn file_tag(path: &Path) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    if let Ok(metadata) = std::fs::metadata(path) {
        metadata.len().hash(&mut hasher);
        metadata.modified().ok().hash(&mut hasher);
    }
    hasher.finish()
}

/// Batches that are at hand, or some of their columns.
pub(crate) fn projected(batches: Vec<RecordBatch>, projection: Option<&[usize]>) -> Batches {
    let projection = projection.map(<[usize]>::to_vec);
    Box::new(batches.into_iter().map(move |batch| match &projection {
        Some(columns) => batch.project(columns).map_err(|error| Error::Internal(error.to_string())),
        None => Ok(batch),
    }))
}

/// Batches that are in memory.
struct Memory {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    bytes: u64,
    tag: u64,
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

    fn tag(&self) -> u64 {
        self.tag
    }

    fn scan(&self, projection: Option<&[usize]>) -> Result<Batches> {
        Ok(projected(self.batches.clone(), projection))
    }
}
