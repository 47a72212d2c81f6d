//! Parquet: the footer is read when it is opened, row groups when they are scanned, and of those only the pages of the rows that
//! are asked for.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
    statistics::StatisticsConverter,
};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::ChunkReader;

use super::{BATCH_ROWS, Batches, Bounds, Source, file_tag};
use crate::{Error, Result};

#[derive(Clone)]
enum Place {
    File(PathBuf),
    Memory(Bytes),
}

/// A Parquet file, on disk or in memory.
#[derive(Clone)]
pub struct ParquetSource {
    place: Place,
    metadata: ArrowReaderMetadata,
    pieces: Vec<Piece>,
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
        Ok(Self {
            place: Place::File(path.to_owned()),
            pieces: pieces(&metadata),
            metadata,
            bytes,
            tag: file_tag(path),
        })
    }

    /// The file with its columns kept in memory, once read, up to so many bytes.
    #[must_use]
    pub fn kept_within(self, memory: usize) -> std::sync::Arc<dyn Source> {
        std::sync::Arc::new(super::resident::Resident::new(self, memory))
    }

    /// A file that is in memory.
    ///
    /// # Errors
    /// As [`ParquetSource::open`].
    pub fn from_bytes(bytes: Bytes) -> Result<Self> {
        let place = Place::Memory(bytes.clone());
        let metadata = load(&bytes, &place.path())?;
        Ok(Self { bytes: bytes.len() as u64, tag: bytes.len() as u64, place, pieces: pieces(&metadata), metadata })
    }

    /// The rows of some pieces of one row group.
    fn reader<R: ChunkReader + 'static>(
        &self,
        input: R,
        columns: Option<&[usize]>,
        group: usize,
        pieces: &[Piece],
    ) -> Result<Batches> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, self.metadata.clone());
        let mask = match columns {
            Some(columns) => ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied()),
            None => ProjectionMask::all(),
        };
        // Every piece but a row group's last is as long as a batch, so that batches and pieces stay in step.
        let mut selection = Vec::new();
        let mut at = 0;
        for piece in pieces {
            selection.extend((piece.start > at).then(|| RowSelector::skip(piece.start - at)));
            selection.push(RowSelector::select(piece.rows));
            at = piece.start + piece.rows;
        }
        let path = self.place.path();
        let mut builder = builder.with_batch_size(BATCH_ROWS).with_projection(mask).with_row_groups(vec![group]);
        let is_whole = !selection.iter().any(|selector| selector.skip)
            && at as i64 == self.metadata.metadata().row_group(group).num_rows();
        if !is_whole {
            builder = builder.with_row_selection(RowSelection::from(selection));
        }
        let reader = builder.build().map_err(|error| malformed(&path, &error))?;
        Ok(Box::new(
            reader.map(move |batch| -> Result<RecordBatch> { batch.map_err(|error| malformed(&path, &error)) }),
        ))
    }
}

/// Rows of a row group that are read as one batch.
#[derive(Debug, Clone, Copy)]
struct Piece {
    group: usize,
    start: usize,
    rows: usize,
}

fn pieces(metadata: &ArrowReaderMetadata) -> Vec<Piece> {
    let groups = metadata.metadata().row_groups().iter().enumerate();
    let pieces = groups.flat_map(|(group, metadata)| {
        let rows = usize::try_from(metadata.num_rows()).unwrap_or(0);
        (0..rows).step_by(BATCH_ROWS).map(move |start| Piece { group, start, rows: BATCH_ROWS.min(rows - start) })
    });
    pieces.collect()
}

fn load<R: ChunkReader>(input: &R, path: &Path) -> Result<ArrowReaderMetadata> {
    ArrowReaderMetadata::load(input, ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional))
        .map_err(|error| malformed(path, &error))
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

    fn unpacked(&self) -> u64 {
        let has_texts = self.schema().fields().iter().any(|field| {
            let data_type = field.data_type();
            data_type.is_nested() || data_type.is_string() || data_type.is_binary()
        });
        // Texts take at least what they take in the file.
        super::fixed_bytes(self.schema(), self.rows()) + if has_texts { self.bytes } else { 0 }
    }

    fn tag(&self) -> u64 {
        self.tag
    }

    fn pieces(&self) -> Vec<usize> {
        self.pieces.iter().map(|piece| piece.rows).collect()
    }

    fn bounds(&self, column: usize) -> Option<Bounds> {
        let field = self.schema().field(column);
        // A writer leaves NaN out of a column's bounds, and a filter does not.
        if field.data_type().is_floating() || field.data_type().is_nested() {
            return None;
        }
        let metadata = self.metadata.metadata();
        let converter =
            StatisticsConverter::try_new(field.name(), self.schema(), self.metadata.parquet_schema()).ok()?;
        let groups = || metadata.row_groups().iter();
        let (min, max) = (converter.row_group_mins(groups()).ok()?, converter.row_group_maxes(groups()).ok()?);
        let nulls = converter.row_group_null_counts(groups()).ok()?;
        let known: Vec<bool> = (0..min.len()).map(|group| min.is_valid(group) && max.is_valid(group)).collect();
        if !known.contains(&true) {
            return None;
        }
        // Of a group that is cut into pieces, each may have the nulls.
        let of = |piece: &Piece| (nulls.is_valid(piece.group)).then(|| nulls.value(piece.group).min(piece.rows as u64));
        let rows: Vec<u32> = self.pieces.iter().map(|piece| piece.group as u32).collect();
        let rows = kernels::Indices::try_new(rows, min.len()).ok()?;
        Some(Bounds {
            min: kernels::take(min.as_ref(), &rows).ok()?,
            max: kernels::take(max.as_ref(), &rows).ok()?,
            nulls: self.pieces.iter().map(of).collect(),
            known: self.pieces.iter().map(|piece| Some(known[piece.group])).collect(),
        })
    }

    fn together(&self, _columns: &[usize], pieces: &[usize]) -> Vec<usize> {
        pieces.iter().map(|&piece| self.pieces.get(piece).map_or(0, |piece| piece.group)).collect()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        let pieces: Vec<Piece> = match pieces {
            Some(pieces) => pieces.iter().filter_map(|&piece| self.pieces.get(piece).copied()).collect(),
            None => self.pieces.clone(),
        };
        let source = self.clone();
        let columns = columns.map(<[usize]>::to_vec);
        let groups: Vec<Vec<Piece>> =
            pieces.chunk_by(|left, right| left.group == right.group).map(<[Piece]>::to_vec).collect();
        // A row group's reader is made when the one before has come to its end.
        Ok(Box::new(groups.into_iter().flat_map(move |pieces| {
            let read = match &source.place {
                Place::Memory(bytes) => source.reader(bytes.clone(), columns.as_deref(), pieces[0].group, &pieces),
                Place::File(path) => File::open(path)
                    .map_err(|error| Error::Io { path: path.clone(), source: error })
                    .and_then(|file| source.reader(file, columns.as_deref(), pieces[0].group, &pieces)),
            };
            read.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        })))
    }
}
