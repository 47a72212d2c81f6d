//! The file reader over bytes that are all in memory.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use kernels::arrays::Trust;

use super::FileIndex;
use crate::{Limits, Result};

/// Reads an Arrow file from memory. Batches borrow from the buffer where it is aligned.
#[derive(Debug)]
pub struct FileReader {
    bytes: Buffer,
    index: FileIndex,
}

impl FileReader {
    /// Reads the footer and the dictionaries.
    ///
    /// # Errors
    /// As [`FileIndex::try_new`].
    pub fn try_new(bytes: Buffer, limits: Limits) -> Result<Self> {
        Self::try_with_trust(bytes, limits, None)
    }

    /// As [`FileReader::try_new`]; with a promise, single rows are not checked.
    ///
    /// # Errors
    /// As [`FileReader::try_new`].
    pub fn try_with_trust(bytes: Buffer, limits: Limits, trust: Option<Trust>) -> Result<Self> {
        let index = FileIndex::try_new(&bytes, bytes.len() as u64, limits, trust)?;
        Ok(Self { bytes, index })
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.index.schema()
    }

    /// Number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.index.batches()
    }

    /// Reads one batch, without looking at any other.
    ///
    /// # Errors
    /// As [`FileIndex::batch`].
    pub fn batch(&mut self, index: usize) -> Result<RecordBatch> {
        self.index.batch(&self.bytes, index, None)
    }
}
