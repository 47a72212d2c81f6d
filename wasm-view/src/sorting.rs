//! The order of many rows in the making, where whoever paints has to wait for it: in steps of a few milliseconds.
//!
//! Runs of rows are sorted one by one, as the whole would be; then two runs at a time are merged, row against row, until one
//! is left. That costs some comparisons more for each row than one call for all rows, which a worker makes instead: it has
//! nobody waiting. Equal rows keep their order.

use std::ops::Range;

use arrow_array::{Array, RecordBatch};
use kernels::query::Plan;
use kernels::{Indices, Result, RowOrder, SortKey, SortOptions, sort_keys_to_indices, take_chunks};

use crate::table::Table;

/// Rows of a run.
const RUN: usize = if cfg!(test) { 1 << 7 } else { 1 << 17 };
/// Rows that a step of merging puts in their places.
const STEP: usize = if cfg!(test) { 50 } else { 1 << 14 };

/// Rows on their way into an order.
#[derive(Debug)]
pub(crate) struct Sorting {
    keys: Vec<(usize, SortOptions)>,
    rows: Vec<u32>,
    /// What has been merged of this round.
    merged: Vec<u32>,
    /// Rows of the runs that are in order; 0 while the first ones are made.
    run: usize,
    /// The next row of the first run of a pair, and of the second.
    at: (usize, usize),
    /// Rounds that have been, and those that there will be.
    rounds: (usize, usize),
}

impl Sorting {
    /// Begins with row numbers that ascend; `None` where rows cannot be compared one by one.
    pub(crate) fn new(rows: Vec<u32>, plan: &Plan, table: &Table) -> Option<Self> {
        let key = |key: &kernels::query::SortBy| {
            let (column, _) = table.schema.column_with_name(&key.column)?;
            Some((column, SortOptions { descending: key.descending, nulls: key.nulls }))
        };
        let keys = plan.sort.iter().map(key).collect::<Option<Vec<_>>>()?;
        RowOrder::try_new(&sort_keys(&keys, &table.batches)).ok()?;
        let runs = rows.len().div_ceil(RUN).max(1);
        let rounds = (0, 1 + runs.next_power_of_two().ilog2() as usize);
        Some(Self { keys, rows, merged: Vec::new(), run: 0, at: (0, 0), rounds })
    }

    /// Goes a step on; gives the share that is done.
    pub(crate) fn step(&mut self, table: &Table) -> Result<f64> {
        let length = self.rows.len();
        if self.run == 0 {
            let end = length.min(self.at.0 + RUN);
            self.sort(self.at.0..end, table)?;
            self.at.0 = end;
            if end == length {
                (self.run, self.rounds.0) = (RUN, 1);
            }
        } else if !self.is_done() {
            self.merge(table)?;
        }
        if self.is_done() {
            return Ok(1.0);
        }
        let done = if self.run == 0 { self.at.0 } else { self.merged.len() };
        Ok((self.rounds.0 as f64 + done as f64 / length as f64) / self.rounds.1 as f64)
    }

    /// Sorts a run.
    fn sort(&mut self, run: Range<usize>, table: &Table) -> Result<()> {
        let Some((&first, &last)) = self.rows[run.clone()].first().zip(self.rows[run.clone()].last()) else {
            return Ok(());
        };
        let slices = table.range(first as usize..last as usize + 1);
        let mut keys = sort_keys(&self.keys, &slices);
        let run = &mut self.rows[run];
        let mut taken = Vec::new();
        let length = (last - first) as usize + 1;
        if run.len() < length {
            let places = Indices::try_new(run.iter().map(|row| row - first).collect(), length)?;
            for key in &keys {
                taken.push(take_chunks(&key.chunks, &places)?);
            }
            keys =
                keys.iter().zip(&taken).map(|(key, taken)| SortKey { chunks: vec![taken.as_ref()], ..*key }).collect();
        }
        let order = sort_keys_to_indices(&keys, None)?;
        let sorted: Vec<u32> = order.as_slice().iter().map(|&place| run[place as usize]).collect();
        run.copy_from_slice(&sorted);
        Ok(())
    }

    /// Merges some more rows of a pair of runs.
    fn merge(&mut self, table: &Table) -> Result<()> {
        let order = RowOrder::try_new(&sort_keys(&self.keys, &table.batches))?;
        let (rows, length) = (&self.rows, self.rows.len());
        let stop = length.min(self.merged.len() + STEP);
        while self.merged.len() < stop {
            // Where the pair is that is being merged.
            let start = self.merged.len() / (2 * self.run) * (2 * self.run);
            let (middle, end) = (length.min(start + self.run), length.min(start + 2 * self.run));
            if self.merged.len() == start {
                self.at = (start, middle);
            }
            let (left, right) = &mut self.at;
            while self.merged.len() < stop.min(end) {
                let takes_right = *right < end && (*left == middle || order.compare(rows[*right], rows[*left]).is_lt());
                let next = if takes_right { &mut *right } else { &mut *left };
                self.merged.push(rows[*next]);
                *next += 1;
            }
        }
        if self.merged.len() == length {
            std::mem::swap(&mut self.rows, &mut self.merged);
            self.merged.clear();
            self.run *= 2;
            self.rounds.0 += 1;
        }
        Ok(())
    }

    /// The order, among so many rows of the table; all steps must have been gone.
    pub(crate) fn finish(self, rows: usize) -> Result<Indices> {
        Indices::try_new(self.rows, rows)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.run > 0 && self.run >= self.rows.len()
    }
}

fn sort_keys<'a>(keys: &[(usize, SortOptions)], batches: &'a [RecordBatch]) -> Vec<SortKey<'a>> {
    let chunks = |column: usize| batches.iter().map(|batch| batch.column(column).as_ref() as &dyn Array).collect();
    keys.iter().map(|&(column, options)| SortKey { chunks: chunks(column), options }).collect()
}
