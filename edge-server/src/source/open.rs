//! Which reader a path has: by its extension, or by its first bytes; and what a name before it means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::DataType;

use super::distinct::distinct;
use super::joined::Joined;
use super::resident::Resident;
use super::{ParquetSource, Reading, Source, Table, arrow, cache, json, packed};
use crate::{Error, Result};

/// The types of some columns, by name.
pub type Types = BTreeMap<String, DataType>;

/// How files are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of a table's decoded columns that are kept in memory.
    pub memory: usize,
    /// Where large CSV files are kept as Arrow; without it they are read into memory.
    pub cache: Option<PathBuf>,
    /// Types of CSV's columns that are not to be inferred.
    pub types: Types,
    /// Who is told how far the reading of large files is.
    pub reading: Option<Arc<Reading>>,
}

impl Default for Options {
    /// Two gigabytes of memory and no cache.
    fn default() -> Self {
        Self { memory: 2 << 30, cache: None, types: Types::new(), reading: None }
    }
}

/// Opens a file by its extension, or by its first bytes when the extension says nothing.
///
/// # Errors
/// [`Error::Io`], [`Error::UnknownFormat`], [`Error::Format`] with the place of the fault.
pub fn open(path: &Path) -> Result<Arc<dyn Source>> {
    open_with(path, &Options::default())
}

/// As [`open`], with options. No two columns have the same name: those that have it in the file get a number.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, options: &Options) -> Result<Arc<dyn Source>> {
    read(path, options).map(distinct)
}

fn read(path: &Path, options: &Options) -> Result<Arc<dyn Source>> {
    let parquet =
        || -> Result<Arc<dyn Source>> { Ok(Arc::new(Resident::new(ParquetSource::open(path)?, options.memory))) };
    let extension = extension(path);
    match extension.as_str() {
        "parquet" => parquet(),
        "arrow" | "feather" | "arrows" | "ipc" => arrow::open(path, options),
        "csv" | "tsv" => cache::csv(path, delimiter(&extension), options),
        "ndjson" | "jsonl" => Ok(Arc::new(json::open(path)?)),
        "gz" | "zst" => packed::open(path, &extension, options),
        _ => match first_bytes(path)? {
            start if start.starts_with(b"PAR1") => parquet(),
            start if start.starts_with(b"ARROW1") || start.starts_with(&[0xff; 4]) => arrow::open(path, options),
            _ => Err(Error::UnknownFormat { path: path.to_owned() }),
        },
    }
}

pub(super) fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase()
}

pub(super) fn delimiter(extension: &str) -> u8 {
    if extension == "tsv" { b'\t' } else { b',' }
}

fn first_bytes(path: &Path) -> Result<[u8; 8]> {
    use std::io::Read;
    let mut start = [0; 8];
    let mut file = std::fs::File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let _short = file.read(&mut start).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(start)
}

/// A table that has a name and a place, and is not open yet.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name in URLs.
    pub name: String,
    /// The file, or the folder whose files are one table.
    pub path: PathBuf,
    /// The folder's files.
    parts: Option<Vec<PathBuf>>,
    /// Tables that share the memory of one.
    share: usize,
}

impl Named {
    /// The file of a table that is one file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.parts.is_none().then_some(self.path.as_path())
    }

    /// Whether a file of it has to be read as a whole first, which takes a while.
    #[must_use]
    pub fn takes_long(&self, options: &Options) -> bool {
        let files = self.parts.as_deref().unwrap_or(std::slice::from_ref(&self.path));
        let is_csv = |path: &Path| match extension(path).as_str() {
            "csv" | "tsv" => true,
            "gz" | "zst" => {
                path.file_stem().is_some_and(|inner| matches!(extension(Path::new(inner)).as_str(), "csv" | "tsv"))
            }
            _ => false,
        };
        files.iter().any(|path| is_csv(path) && cache::takes_long(path, options))
    }

    /// Opens it.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(&self, options: &Options) -> Result<Table> {
        let options = Options { memory: options.memory / self.share.max(1), ..options.clone() };
        let source = match &self.parts {
            None => open_with(&self.path, &options)?,
            Some(files) => {
                let parts = files.iter().map(|path| open_with(path, &options)).collect::<Result<Vec<_>>>()?;
                Arc::new(Joined::try_new(&self.path, files, parts)?)
            }
        };
        Ok(Table { name: self.name.clone(), source })
    }
}

/// The tables of `name=path`, or of a path whose stem is the name. A folder is one table of all its files with a name,
/// and a table for each file without. A path may be written as a `file:` URI.
///
/// # Errors
/// [`Error::Io`] and [`Error::Format`] for a folder; files are not looked at yet.
pub fn named(argument: &str) -> Result<Vec<Named>> {
    let (name, path) = match argument.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\', ':']) && !name.is_empty() => (Some(name), path),
        _ => (None, argument),
    };
    let path = Path::new(local(path)?);
    let one = |name: String, path: &Path, share: usize| Named { name, path: path.to_owned(), parts: None, share };
    if !path.is_dir() {
        return Ok(vec![one(name.map_or_else(|| stem(path), str::to_owned), path, 1)]);
    }
    let files = files(path)?;
    let share = files.len();
    Ok(match name {
        Some(name) => vec![Named { parts: Some(files), ..one(name.to_owned(), path, share) }],
        None => files.iter().map(|file| one(stem(file), file, share)).collect(),
    })
}

/// Opens the tables of an argument, as [`named`] reads it.
///
/// # Errors
/// As [`open`].
pub fn open_named(argument: &str, options: &Options) -> Result<Vec<Table>> {
    named(argument)?.iter().map(|table| table.open(options)).collect()
}

/// The path of a `file:` URI; other schemes are none of ours.
fn local(uri: &str) -> Result<&str> {
    if let Some(path) = uri.strip_prefix("file://") {
        return Ok(path.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(path));
    }
    match uri.split_once("://") {
        Some((scheme, _)) => {
            let reason = format!("tables are files; there is no reader for {scheme}://");
            Err(Error::Format { path: uri.into(), reason })
        }
        None => Ok(uri),
    }
}

/// The one table of an argument, as [`open_named`] reads it.
///
/// # Errors
/// As [`open`]; [`Error::Format`] when it is a folder of several tables.
pub fn open_one(argument: &str, options: &Options) -> Result<Table> {
    let mut tables = open_named(argument, options)?;
    match (tables.pop(), tables.is_empty()) {
        (Some(table), true) => Ok(table),
        _ => {
            let reason = "the folder is several tables; with NAME= before it, it is one".to_owned();
            Err(Error::Format { path: argument.into(), reason })
        }
    }
}

/// The file's name without its extensions of formats and packing.
pub(super) fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
    match stem.rsplit_once('.').filter(|_| packed) {
        Some((stem, _)) => stem.to_owned(),
        None => stem.into_owned(),
    }
}

/// The files of a folder that tables can be made of.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_file() && EXTENSIONS.contains(&extension(&path).as_str()) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let reason = "the folder holds no file of a known format".to_owned();
        return Err(Error::Format { path: folder.to_owned(), reason });
    }
    Ok(files)
}

/// Extensions of files that a folder's tables are made of.
const EXTENSIONS: [&str; 11] =
    ["parquet", "arrow", "feather", "arrows", "ipc", "csv", "tsv", "ndjson", "jsonl", "gz", "zst"];
