//! The rows that have come, in the batches that they came in.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

/// Batches of one schema, addressed by row.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    /// What the stream calls its columns: where this module cannot read a type, `schema` has nulls in its place.
    pub(crate) original: SchemaRef,
    /// Rows up to and including each batch.
    ends: Vec<usize>,
    /// Rows of a table that somebody else holds; none of them are in `batches`.
    pub(crate) elsewhere: usize,
    /// No other table has this number.
    pub(crate) stamp: u32,
}

static STAMPS: AtomicU32 = AtomicU32::new(1);

impl Table {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let stamp = STAMPS.fetch_add(1, Relaxed);
        Self { original: schema.clone(), schema, batches: Vec::new(), ends: Vec::new(), elsewhere: 0, stamp }
    }

    pub(crate) fn of(batch: RecordBatch) -> Self {
        let mut table = Self::new(batch.schema());
        table.push(batch);
        table
    }

    pub(crate) fn push(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.ends.push(self.rows() + batch.num_rows());
            self.batches.push(batch);
        }
    }

    /// Takes other batches in place of those that are there.
    pub(crate) fn set(&mut self, batches: Vec<RecordBatch>) {
        self.batches.clear();
        self.ends.clear();
        batches.into_iter().for_each(|batch| self.push(batch));
    }

    /// Adds a batch, if there is one.
    pub(crate) fn batches_of(&mut self, batch: Option<RecordBatch>) {
        batch.into_iter().for_each(|batch| self.push(batch));
    }

    pub(crate) fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.elsewhere)
    }

    /// The rows of a range, in slices of the batches that they stand in.
    pub(crate) fn range(&self, rows: std::ops::Range<usize>) -> Vec<RecordBatch> {
        let mut slices = Vec::new();
        let mut at = rows.start;
        while at < rows.end {
            let number = self.ends.partition_point(|&end| end <= at);
            let Some(batch) = self.batches.get(number) else { break };
            let end = self.ends[number].min(rows.end);
            slices.push(batch.slice(at - (self.ends[number] - batch.num_rows()), end - at));
            at = end;
        }
        slices
    }

    /// At most so many rows of a column, from a row on and of one batch; `None` behind the last row.
    pub(crate) fn slice(&self, column: usize, row: usize, most: usize) -> Option<ArrayRef> {
        let batch = self.ends.partition_point(|&end| end <= row);
        let start = if batch == 0 { 0 } else { self.ends[batch - 1] };
        let array = self.batches.get(batch)?.columns().get(column)?;
        Some(array.slice(row - start, most.min(array.len() - (row - start))))
    }

    /// The array that holds a cell, and the row in it.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Option<(&dyn Array, usize)> {
        let batch = self.ends.partition_point(|&end| end <= row);
        let start = if batch == 0 { 0 } else { self.ends[batch - 1] };
        let array = self.batches.get(batch)?.columns().get(column)?;
        Some((array.as_ref(), row - start))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int32Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;

    use super::*;

    #[test]
    fn a_cell_is_found_over_batches() {
        let batch = |values: Vec<i32>| {
            RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(values)) as ArrayRef)]).unwrap()
        };
        let mut table = Table::of(batch(vec![10, 11]));
        table.push(batch(vec![]));
        table.push(batch(vec![12]));
        let at = |row| table.cell(row, 0).map(|(array, row)| array.as_primitive::<Int32Type>().value(row));
        assert_eq!([at(0), at(1), at(2), at(3)], [Some(10), Some(11), Some(12), None]);
        assert!(table.cell(0, 1).is_none());
        let rows = |row| table.slice(0, row, 9).map(|slice| slice.len());
        assert_eq!([rows(0), rows(1), rows(2), rows(3)], [Some(2), Some(1), Some(1), None]);
        let range = |from, to| table.range(from..to).iter().map(RecordBatch::num_rows).collect::<Vec<_>>();
        assert_eq!([range(0, 3), range(1, 9), range(2, 3), range(1, 1)], [vec![2, 1], vec![1, 1], vec![1], vec![]]);
    }
}
