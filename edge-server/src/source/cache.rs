//! Large CSV files are read once, into an Arrow file in a folder of their own, of which any page is at hand.
//!
//! The copy's name is made of the file's place, size and time of change and of the types that were given: when one of them
//! differs, the copy is made anew and the old one removed. It is served as soon as it is written; it gets its name when the
//! disk has it, so that after a loss of power there is no half of one.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wire::file::FileWriter;

use super::csv::Csv;
use super::notes::{Look, Notes};
use super::open::stem;
use super::paged::Paged;
use super::progress::{Counted, Progress};
use super::{Options, Source, file_tag};
use crate::{Error, Result};

/// Files up to this size are read into memory.
const IN_MEMORY: u64 = 64 << 20;

/// Whether a CSV file has to be read as a whole before any page of it is at hand.
pub(super) fn takes_long(path: &Path, options: &Options) -> bool {
    let is_large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > IN_MEMORY);
    is_large && options.cache.as_ref().is_none_or(|folder| !Copy::of(path, folder, options).path.exists())
}

/// Opens a CSV file.
pub(super) fn csv(path: &Path, delimiter: u8, options: &Options) -> Result<Arc<dyn Source>> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    reader(path, file, delimiter, options, Ok)
}

/// Opens CSV that `unpack` makes of the file's bytes.
pub(super) fn reader<R: Read + Send>(
    path: &Path,
    file: File,
    delimiter: u8,
    options: &Options,
    unpack: impl FnOnce(Counted) -> Result<R>,
) -> Result<Arc<dyn Source>> {
    let length = file.metadata().map_err(|source| Error::Io { path: path.to_owned(), source })?.len();
    let cache = options.cache.as_ref().filter(|_| length > IN_MEMORY);
    let copy = cache.map(|folder| Copy::of(path, folder, options));
    if let Some(copy) = &copy
        && let Some(source) = copy.open()
    {
        tracing::info!(path = %path.display(), copy = %copy.path.display(), "read from its copy");
        return Ok(Arc::new(source));
    }
    let progress = Progress::start(&path.display().to_string(), length, options.reading.clone());
    let csv = Csv::try_new(unpack(progress.count(file))?, path, delimiter, &options.types)?;
    let source: Arc<dyn Source> = match copy {
        Some(copy) => Arc::new(copy.write(csv)?),
        None => Arc::new(csv.into_memory()?),
    };
    progress.done(source.rows());
    Ok(source)
}

/// Where a file's copy is.
struct Copy {
    path: PathBuf,
    /// What the names of this file's copies begin with, whatever its size and time.
    prefix: String,
    tag: u64,
}

impl Copy {
    fn of(path: &Path, folder: &Path, options: &Options) -> Self {
        let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let hash = |hashed: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            hashed(&mut hasher);
            hasher.finish()
        };
        let tag = hash(&|hasher| {
            file_tag(&place).hash(hasher);
            options.types.iter().for_each(|(name, data_type)| (name, data_type.to_string()).hash(hasher));
        });
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let name: String = stem(path).chars().take(60).map(plain).collect();
        let prefix = format!("{name}-{:016x}-", hash(&|hasher| place.hash(hasher)));
        Self { path: folder.join(format!("{prefix}{tag:016x}.arrow")), prefix, tag }
    }

    /// The copy, if it is there and whole.
    fn open(&self) -> Option<Paged> {
        let file = File::open(&self.path).ok()?;
        Some(Paged::of(file, &self.path, self.tag).ok()?.with_notes(Notes::read(&self.notes())))
    }

    /// Where the notes on its pieces are.
    fn notes(&self) -> PathBuf {
        self.path.with_extension("notes")
    }

    /// Writes the copy.
    fn write<R: Read + Send>(self, csv: Csv<R>) -> Result<Paged> {
        let Some(folder) = self.path.parent().map(Path::to_owned) else {
            return Err(Error::Internal("a cache without a folder".to_owned()));
        };
        std::fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
        self.remove_others(&folder);
        // Another server may read the same file at the same time.
        let part = self.path.with_extension(format!("{}.part", std::process::id()));
        let io = |source| Error::Io { path: part.clone(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&part).map_err(io)?;
        let mut bytes = None;
        let written = write(csv, &file).and_then(|notes| {
            bytes = notes.to_bytes();
            let file = file.try_clone().map_err(io)?;
            // Its errors name the place where it will be.
            Ok(Paged::of(file, &self.path, self.tag)?.with_notes(Some(notes)))
        });
        if written.is_err() {
            let _kept = std::fs::remove_file(&part);
            return written;
        }
        // The disk may take longer than the reader of the first page likes to wait.
        let named = move || {
            // Notes that are not there are looked for when a query asks; a copy that is not whole is made anew.
            if let Some(bytes) = bytes
                && let Err(error) = std::fs::write(self.notes(), bytes)
            {
                tracing::warn!(%error, path = %self.path.display(), "the notes on a copy could not be kept");
            }
            match file.sync_all().and_then(|()| std::fs::rename(&part, &self.path)) {
                Ok(()) => tracing::debug!(path = %self.path.display(), "a copy is kept"),
                Err(error) => tracing::warn!(%error, path = %self.path.display(), "a copy could not be kept"),
            }
        };
        std::thread::Builder::new()
            .name("cache".to_owned())
            .spawn(named)
            .map_err(|source| Error::Io { path: folder, source })?;
        written
    }

    /// Removes copies of what the file was before, and what a server that was killed left half written.
    fn remove_others(&self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&self.prefix) {
                let _kept = std::fs::remove_file(&path);
            }
        }
    }
}

fn write<R: Read + Send>(csv: Csv<R>, file: &File) -> Result<Notes> {
    let output = |error: Box<wire::Error>| Error::Output(format!("the copy of a CSV file: {error}"));
    let mut writer = FileWriter::try_new(BufWriter::with_capacity(1 << 16, file), csv.schema()).map_err(output)?;
    let (look, mut pages) = (Look::new(csv.schema()), Vec::new());
    csv.each(
        |batch| look.at(batch),
        |batch, page| {
            pages.push(page);
            writer.write(&batch).map_err(output)
        },
    )?;
    writer.finish().map_err(output)?;
    Ok(Notes::of(&pages))
}
