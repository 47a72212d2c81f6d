//! Sources: where a table's batches come from.
//!
//! A source tells its schema and size at once and gives its batches one by one, so that a table is streamed
//! without being held. It is made of pieces, each one batch: a query reads only the pieces that it needs.
//!
//! * [`open`] – which reader a path has.
//! * [`parquet`] – decoded while it is read; its columns are kept by [`resident`] as far as memory allows.
//! * [`arrow`] – small files in memory, large ones piece by piece from the disk ([`paged`]).
//! * [`csv`] – parsed on every core; large ones once, into an Arrow file ([`cache`]).
//! * [`notes`] – what is found out of a file's pieces while its copy is made.
//! * [`json`], [`packed`], [`joined`] – NDJSON, files packed as a whole, folders.
//! * [`distinct`] – names for columns whose names come twice.

mod arrow;
mod cache;
mod csv;
mod distinct;
mod joined;
mod json;
mod notes;
mod open;
mod packed;
mod paged;
mod parquet;
mod progress;
mod resident;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

pub use self::open::{Named, Options, Types, named, open, open_named, open_one, open_with};
pub use self::parquet::ParquetSource;
pub use self::progress::Reading;
use crate::{Error, Result};

/// Rows of a batch, where the source can choose.
pub const BATCH_ROWS: usize = 65_536;

/// A stream of batches.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Of a source that stands before another, its `source`: what that one answers for both.
macro_rules! answered_by_its_source {
    () => {
        fn rows(&self) -> usize {
            self.source.rows()
        }

        fn bytes(&self) -> u64 {
            self.source.bytes()
        }

        fn unpacked(&self) -> u64 {
            self.source.unpacked()
        }

        fn tag(&self) -> u64 {
            self.source.tag()
        }

        fn pieces(&self) -> Vec<usize> {
            self.source.pieces()
        }

        fn bounds(&self, column: usize) -> Option<crate::source::Bounds> {
            self.source.bounds(column)
        }
    };
}
use answered_by_its_source;

/// A table that can be read any number of times.
pub trait Source: Send + Sync {
    /// The columns.
    fn schema(&self) -> &SchemaRef;
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Bytes of the file.
    fn bytes(&self) -> u64;
    /// Bytes of the rows as an Arrow stream, as far as they are known without reading them: never many more than there are.
    fn unpacked(&self) -> u64 {
        self.bytes().max(fixed_bytes(self.schema(), self.rows()))
    }
    /// A number that changes when the rows do.
    fn tag(&self) -> u64;
    /// Rows of each piece, when the pieces stay what they are; empty when they do not.
    fn pieces(&self) -> Vec<usize> {
        Vec::new()
    }
    /// What is known of a column's values in each piece, without reading them.
    fn bounds(&self, _column: usize) -> Option<Bounds> {
        None
    }
    /// Of a column with few different values, how often each of them stands in each piece, where that is known.
    fn tallies(&self, _column: usize) -> Option<Tallies> {
        None
    }
    /// For each of some pieces a number; pieces that follow each other with the same number are best read by one scan.
    fn together(&self, _columns: &[usize], pieces: &[usize]) -> Vec<usize> {
        pieces.to_vec()
    }
    /// The rows as they are now, of a source whose rows change.
    fn frozen(&self) -> Option<Arc<dyn Source>> {
        None
    }
    /// Whether the rows stay what they are for long enough that it is worth while to find something out about them.
    fn lasts(&self) -> bool {
        true
    }
    /// Whether the rows are in memory, all of them and whatever is asked: any row is at hand.
    fn is_in_memory(&self) -> bool {
        false
    }
    /// One batch for each piece from the first, or for some pieces (ascending numbers); with columns, of these only
    /// (ascending numbers).
    ///
    /// # Errors
    /// When the file cannot be read any more.
    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches>;
}

/// Bytes of as many rows without their texts, lists and bits of validity.
fn fixed_bytes(schema: &SchemaRef, rows: usize) -> u64 {
    let bits = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Boolean => 1,
        DataType::Dictionary(key, _) => 8 * key.primitive_width().unwrap_or(0),
        DataType::FixedSizeBinary(width) => 8 * usize::try_from(*width).unwrap_or(0),
        DataType::Utf8 | DataType::Binary | DataType::List(_) | DataType::Map(..) => 32,
        DataType::LargeUtf8 | DataType::LargeBinary | DataType::LargeList(_) => 64,
        DataType::Utf8View | DataType::BinaryView => 128,
        other => 8 * other.primitive_width().unwrap_or(0),
    });
    bits.sum::<usize>() as u64 * rows as u64 / 8
}

/// What a column's values in each piece lie between: arrays with a row for each piece. Where nothing is known there are
/// nulls, and so where a piece has no value at all: [`Bounds::known`] tells the two apart.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// No value of the piece is less.
    pub min: ArrayRef,
    /// No value of the piece is greater.
    pub max: ArrayRef,
    /// The number of nulls in each piece; null where it is not known.
    pub nulls: arrow_array::UInt64Array,
    /// Whether the bounds of a piece are known.
    pub known: arrow_array::BooleanArray,
}

/// The values of a column and how often each stands in each piece.
#[derive(Debug, Clone)]
pub struct Tallies {
    /// The different values, a null among them if there is one.
    pub values: ArrayRef,
    /// The first piece's numbers in the order of the values, then the next one's.
    pub counts: Arc<Vec<u32>>,
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

/// Some batches of those at hand, or some of their columns.
pub(crate) fn projected(batches: &[RecordBatch], columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Batches {
    let columns = columns.map(<[usize]>::to_vec);
    let batches: Vec<RecordBatch> = match pieces {
        Some(pieces) => pieces.iter().filter_map(|&piece| batches.get(piece).cloned()).collect(),
        None => batches.to_vec(),
    };
    Box::new(batches.into_iter().map(move |batch| match &columns {
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

    fn is_in_memory(&self) -> bool {
        true
    }

    fn pieces(&self) -> Vec<usize> {
        self.batches.iter().map(RecordBatch::num_rows).collect()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        Ok(projected(&self.batches, columns, pieces))
    }
}
