//! Columns that stay in memory once they have been read: a file is decoded once, column by column and piece by piece, as
//! queries ask for it.
//!
//! Whoever reads a piece that is not there yet gets it as it is decoded, and it is kept as it goes by, as long as all that is
//! kept is within the limit. What is beyond is read anew each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::{Batches, Source, answered_by_its_source};
use crate::{Error, Result};

/// What is kept: a column's pieces.
#[derive(Default)]
struct Kept {
    columns: BTreeMap<usize, Vec<Option<ArrayRef>>>,
    bytes: usize,
}

/// A source whose columns are kept.
pub(super) struct Resident<S> {
    source: S,
    pieces: usize,
    kept: Arc<Mutex<Kept>>,
    limit: usize,
}

impl<S: Source> Resident<S> {
    /// Keeps the columns of a source while they are no more than so many bytes in memory.
    pub(super) fn new(source: S, limit: usize) -> Self {
        Self { pieces: source.pieces().len(), source, kept: Arc::default(), limit }
    }
}

impl<S: Source> Source for Resident<S> {
    fn schema(&self) -> &SchemaRef {
        self.source.schema()
    }

    answered_by_its_source!();

    fn together(&self, columns: &[usize], pieces: &[usize]) -> Vec<usize> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_here = |column: &usize| {
            kept.columns.get(column).is_some_and(|arrays| pieces.iter().all(|&piece| arrays[piece].is_some()))
        };
        match columns.iter().all(is_here) {
            true => pieces.to_vec(),
            false => self.source.together(columns, pieces),
        }
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        let wanted = columns.map_or_else(|| (0..self.schema().fields().len()).collect(), <[usize]>::to_vec);
        // A plan may need no column at all, but the number of rows.
        if wanted.is_empty() {
            return self.source.scan(columns, pieces);
        }
        let pieces = pieces.map_or_else(|| (0..self.pieces).collect(), <[usize]>::to_vec);
        let internal = |error: arrow_schema::ArrowError| Error::Internal(error.to_string());
        let schema = Arc::new(self.schema().project(&wanted).map_err(internal)?);
        let (mut missing, mut unread) = (Vec::new(), Vec::new());
        let kept: Vec<Vec<Option<ArrayRef>>> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let of = |column: &usize, piece: usize| kept.columns.get(column).and_then(|arrays| arrays[piece].clone());
            pieces.iter().map(|&piece| wanted.iter().map(|column| of(column, piece)).collect()).collect()
        };
        for (arrays, &piece) in kept.iter().zip(&pieces) {
            let before = missing.len();
            missing.extend(wanted.iter().zip(arrays).filter(|(_, array)| array.is_none()).map(|(&column, _)| column));
            if missing.len() > before {
                unread.push(piece);
            }
            missing.sort_unstable();
            missing.dedup();
        }
        let unread = if missing.is_empty() { None } else { Some(self.source.scan(Some(&missing), Some(&unread))?) };
        let keeper = Keeper { kept: self.kept.clone(), limit: self.limit, pieces: self.pieces };
        let join = Join { keeper, wanted, missing, unread, schema };
        Ok(Box::new(pieces.into_iter().zip(kept).scan(join, |join, (piece, arrays)| Some(join.batch(piece, arrays)))))
    }
}

/// Puts what was kept and what is read together.
struct Join {
    keeper: Keeper,
    wanted: Vec<usize>,
    /// Columns of which some piece was not there.
    missing: Vec<usize>,
    unread: Option<Batches>,
    schema: SchemaRef,
}

impl Join {
    fn batch(&mut self, piece: usize, mut arrays: Vec<Option<ArrayRef>>) -> Result<RecordBatch> {
        if arrays.iter().any(Option::is_none) {
            let Some(read) = self.unread.as_mut().and_then(Iterator::next) else {
                return Err(Error::Internal("a file has fewer batches than before".to_owned()));
            };
            let read = read?;
            for (&column, array) in self.missing.iter().zip(read.columns()) {
                self.keeper.keep(column, piece, array);
                if let Some(place) = self.wanted.iter().position(|&wanted| wanted == column) {
                    arrays[place] = Some(array.clone());
                }
            }
        }
        let arrays: Vec<ArrayRef> = arrays.into_iter().flatten().collect();
        let rows = arrays.first().map_or(0, |array| array.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(|error| Error::Internal(error.to_string()))
    }
}

struct Keeper {
    kept: Arc<Mutex<Kept>>,
    limit: usize,
    pieces: usize,
}

impl Keeper {
    fn keep(&self, column: usize, piece: usize, array: &ArrayRef) {
        let bytes = array.get_array_memory_size();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes > self.limit {
            return;
        }
        let arrays = kept.columns.entry(column).or_insert_with(|| vec![None; self.pieces]);
        if arrays[piece].is_none() {
            arrays[piece] = Some(array.clone());
            kept.bytes += bytes;
        }
    }
}
