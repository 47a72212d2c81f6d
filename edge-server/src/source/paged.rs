//! Large Arrow files: the footer is read when they are opened, and then of each batch the columns that a query needs.
//!
//! The file is read, not mapped: one that is cut short while it is served gives an error, where a map would end the
//! process. What was read lately is in the system's own cache.

use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_schema::SchemaRef;
use rayon::prelude::*;
use wire::Limits;
use wire::file::{self, Fetch, FileIndex};

use super::notes::Notes;
use super::{Batches, Bounds, Source, Tallies, file_tag};
use crate::{Error, Result};

/// An Arrow file on disk.
pub(super) struct Paged {
    inner: Arc<Inner>,
    rows: usize,
    bytes: u64,
    tag: u64,
    /// What was found out when the file was written.
    notes: Option<Notes>,
}

struct Inner {
    file: OnDisk,
    index: FileIndex,
    path: PathBuf,
}

struct OnDisk(File);

impl Fetch for OnDisk {
    fn fetch(&self, range: Range<u64>) -> std::io::Result<Buffer> {
        use std::os::unix::fs::FileExt;
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let mut buffer = MutableBuffer::from_len_zeroed(length);
        self.0.read_exact_at(&mut buffer, range.start)?;
        Ok(buffer.into())
    }
}

impl Paged {
    /// Opens a file; none when it is a stream.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when its footer or a batch's head is damaged.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let start = OnDisk(file);
        match start.fetch(0..8) {
            Ok(bytes) if file::is_file(&bytes) => Self::of(start.0, path, file_tag(path)).map(Some),
            _ => Ok(None),
        }
    }

    /// A file that is open, with the name that its errors are told with.
    ///
    /// # Errors
    /// As [`Paged::open`].
    pub(super) fn of(file: File, path: &Path, tag: u64) -> Result<Self> {
        let bytes = file.metadata().map_err(|source| Error::Io { path: path.to_owned(), source })?.len();
        let file = OnDisk(file);
        let index = FileIndex::try_new(&file, bytes, Limits::default(), None)
            .map_err(|error| Error::Format { path: path.to_owned(), reason: error.to_string() })?;
        let rows = index.rows().sum();
        Ok(Self { inner: Arc::new(Inner { file, index, path: path.to_owned() }), rows, bytes, tag, notes: None })
    }

    /// With what is known of its pieces, if that is as many as it has.
    pub(super) fn with_notes(self, notes: Option<Notes>) -> Self {
        let pieces = self.inner.index.batches();
        Self { notes: notes.filter(|notes| notes.pieces() == pieces), ..self }
    }
}

impl Source for Paged {
    fn schema(&self) -> &SchemaRef {
        self.inner.index.schema()
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn tag(&self) -> u64 {
        self.tag
    }

    fn pieces(&self) -> Vec<usize> {
        self.inner.index.rows().collect()
    }

    fn bounds(&self, column: usize) -> Option<Bounds> {
        self.notes.as_ref()?.bounds(column)
    }

    fn tallies(&self, column: usize) -> Option<Tallies> {
        self.notes.as_ref()?.tallies(column)
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        let pieces = pieces.map_or_else(|| (0..self.inner.index.batches()).collect(), <[usize]>::to_vec);
        let columns = columns.map(<[usize]>::to_vec);
        let pieces = pieces.into_iter();
        Ok(Box::new(Ahead { inner: self.inner.clone(), columns, pieces, read: VecDeque::new(), window: 1 }))
    }
}

/// Reads a few pieces at once, on every core: first one, for whoever wants only one, then more each time.
struct Ahead {
    inner: Arc<Inner>,
    columns: Option<Vec<usize>>,
    pieces: std::vec::IntoIter<usize>,
    read: VecDeque<Result<RecordBatch>>,
    window: usize,
}

/// Pieces that are read at once.
const WINDOW: usize = 8;

impl Iterator for Ahead {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            let pieces: Vec<usize> = self.pieces.by_ref().take(self.window).collect();
            self.window = (2 * self.window).min(WINDOW);
            let read = |&piece: &usize| self.inner.batch(piece, self.columns.as_deref());
            self.read = match pieces.as_slice() {
                [piece] => VecDeque::from([read(piece)]),
                pieces => pieces.par_iter().map(read).collect::<Vec<_>>().into(),
            };
        }
        self.read.pop_front()
    }
}

impl Inner {
    fn batch(&self, piece: usize, columns: Option<&[usize]>) -> Result<RecordBatch> {
        let batch = self.index.batch(&self.file, piece, columns);
        batch.map_err(|error| Error::Format { path: self.path.clone(), reason: error.to_string() })
    }
}
