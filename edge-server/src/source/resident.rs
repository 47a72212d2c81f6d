//! Columns that stay in memory once they have been read: a file is decoded once, column by column, as queries ask for it.
//!
//! The reader that asks first gets its batches as they are decoded, and they are kept as they go by; when it has seen the
//! last of them, the columns are there for all others. A file whose columns are larger than the limit is read anew
//! each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::{Batches, Source};
use crate::{Error, Result};

/// A column in the chunks that it was read in.
type Chunks = Vec<ArrayRef>;

/// A source whose columns are kept.
pub(super) struct Resident<S> {
    source: S,
    columns: Arc<Mutex<BTreeMap<usize, Chunks>>>,
    /// Rows of each batch, once the file has been read to its end.
    limit: usize,
}

impl<S: Source> Resident<S> {
    /// Keeps the columns of a source while they are no more than so many bytes in memory.
    pub(super) fn new(source: S, limit: usize) -> Self {
        Self { source, columns: Arc::default(), limit }
    }
}

impl<S: Source> Source for Resident<S> {
    fn schema(&self) -> &SchemaRef {
        self.source.schema()
    }

    fn rows(&self) -> usize {
        self.source.rows()
    }

    fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn tag(&self) -> u64 {
        self.source.tag()
    }

    fn scan(&self, projection: Option<&[usize]>) -> Result<Batches> {
        let wanted: Vec<usize> = match projection {
            Some(columns) => columns.to_vec(),
            None => (0..self.schema().fields().len()).collect(),
        };
        // A plan may need no column at all, but the number of rows.
        if wanted.is_empty() {
            return self.source.scan(projection);
        }
        let internal = |error: arrow_schema::ArrowError| Error::Internal(error.to_string());
        let schema = Arc::new(self.schema().project(&wanted).map_err(internal)?);
        let kept = self.columns.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let missing: Vec<usize> = wanted.iter().copied().filter(|column| !kept.contains_key(column)).collect();
        if missing.is_empty() {
            let chunks: Vec<Chunks> = wanted.iter().filter_map(|column| kept.get(column).cloned()).collect();
            let count = chunks.first().map_or(0, Vec::len);
            return Ok(Box::new((0..count).map(move |batch| {
                let columns = chunks.iter().map(|chunks| chunks[batch].clone()).collect();
                RecordBatch::try_new(schema.clone(), columns).map_err(internal)
            })));
        }
        let filling = Filling {
            inner: self.source.scan(Some(&missing))?,
            wanted,
            kept,
            new: missing.iter().map(|&column| (column, Vec::new())).collect(),
            missing,
            schema,
            held: self.columns.clone(),
            limit: self.limit,
            bytes: 0,
            batch: 0,
        };
        Ok(Box::new(filling))
    }
}

/// Batches on their way from the file, of which the new columns are kept.
struct Filling {
    inner: Batches,
    wanted: Vec<usize>,
    kept: BTreeMap<usize, Chunks>,
    missing: Vec<usize>,
    new: BTreeMap<usize, Chunks>,
    schema: SchemaRef,
    held: Arc<Mutex<BTreeMap<usize, Chunks>>>,
    limit: usize,
    bytes: usize,
    batch: usize,
}

impl Filling {
    fn join(&mut self, read: &RecordBatch) -> Result<RecordBatch> {
        self.bytes += read.get_array_memory_size();
        let column = |column: &usize| -> Result<ArrayRef> {
            let found = match self.missing.iter().position(|missing| missing == column) {
                Some(position) => Some(read.column(position)),
                None => self.kept.get(column).and_then(|chunks| chunks.get(self.batch)),
            };
            found.cloned().ok_or_else(|| Error::Internal("a file has fewer batches than before".to_owned()))
        };
        let columns = self.wanted.iter().map(column).collect::<Result<Vec<_>>>()?;
        if self.bytes <= self.limit {
            for (position, column) in self.missing.iter().enumerate() {
                if let Some(chunks) = self.new.get_mut(column) {
                    chunks.push(read.column(position).clone());
                }
            }
        } else {
            self.new.clear();
        }
        self.batch += 1;
        let options = RecordBatchOptions::new().with_row_count(Some(read.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// All has been read: what was kept is there for others, if it and what is held already are within the limit.
    fn keep(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: usize = held.values().flatten().map(|chunk| chunk.get_array_memory_size()).sum();
        if bytes + self.bytes <= self.limit {
            held.append(&mut self.new);
        }
    }
}

impl Iterator for Filling {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.inner.next() {
            Some(Ok(read)) => Some(self.join(&read)),
            Some(Err(error)) => Some(Err(error)),
            None => {
                self.keep();
                None
            }
        }
    }
}
