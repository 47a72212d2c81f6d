//! Batches of a fixed number of rows for training loops: in the table's order or in one that a seed gives, each row once.
//!
//! A reading is a walk over pieces: of each the rows that pass the filter, are in the sample and in the part. In the table's order
//! they are cut into batches as they come. Shuffled, as many pieces as a *window* has room for are read and their rows leave by a
//! [`Permutation`], which needs no list of row numbers; the pieces come to the windows in an order of the seed, too. A table that
//! one window holds, or that is in memory anyway, is permuted as a whole.
//!
//! What a seed gives depends on the rows, on the file's pieces and on the question, and not on what the server has in memory or
//! has found out before: windows are made of all pieces that may belong to the part by their row numbers, whether or not they
//! have to be read.
//!
//! A sample is the rows whose places in one more permutation are least. Without a filter that is a comparison for each row; with
//! one, a look at the filter's columns finds first which place is the last that is still in.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use kernels::partition::Permutation;
use kernels::query::Plan;
use kernels::{Indices, take_batches};

use super::parts::{Own, Part, starts};
use super::{Clock, Query, Terms, bytes_of, over_memory};
use crate::source::Source;
use crate::{Error, Result};

/// Bytes of a window's rows, about.
const WINDOW: u64 = 256 << 20;
/// Rows of a window at least: permuting fewer is no shuffling.
const LEAST: usize = 1 << 16;
/// Rows that are taken at once, if a batch is not larger.
const TAKEN: usize = 1 << 16;
/// Stretches of pieces that meet in a window, so that it holds rows of many places.
const STRETCHES: usize = 16;
/// What seeds are for, so that no two permutations are the same.
const PIECES: u64 = 0;
const ROWS: u64 = 1;
const SAMPLE: u64 = 2;

/// What is read, and how.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Columns and filter; nothing else of it counts.
    pub plan: Plan,
    /// One part of several, or everything.
    pub part: Option<Part>,
    /// Rows of each batch.
    pub size: usize,
    /// The seed of an order; none for the table's.
    pub shuffle: Option<u64>,
    /// Which pass over the table it is: each has another order.
    pub epoch: u64,
    /// Batches that are left out at the beginning.
    pub from: usize,
    /// So many rows of all that pass, and the seed that chooses them.
    pub sample: Option<(usize, u64)>,
    /// Whether a last batch of fewer rows is left out.
    pub drops_last: bool,
}

/// How far rows are shuffled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Over the whole table.
    Whole,
    /// Within windows of so many rows.
    Windows(usize),
}

impl Reading {
    /// How far a source's rows are shuffled.
    #[must_use]
    pub fn reach(&self, source: &dyn Source) -> Reach {
        let rows = source.rows();
        let width = (source.unpacked() / (rows as u64).max(1)).max(1);
        let window = usize::try_from(WINDOW / width).unwrap_or(usize::MAX).max(LEAST);
        match source.is_in_memory() || rows <= window {
            true => Reach::Whole,
            false => Reach::Windows(window),
        }
    }

    /// The rows of all batches together, those that `from` leaves out among them, where that is known without reading.
    #[must_use]
    pub fn rows(&self, source: &dyn Source) -> Option<usize> {
        let all = source.rows();
        if self.plan.filter.is_some() {
            return None;
        }
        match (&self.part, self.sample) {
            (None, None) => Some(all),
            (None, Some((sample, _))) => Some(sample.min(all)),
            (Some(Part { by, parts, part, .. }), None) if by.is_empty() => {
                let at = |part: usize| (all as u128 * part as u128 / (*parts).max(1) as u128) as usize;
                Some(at(part + 1) - at(*part))
            }
            _ => None,
        }
    }

    /// The schema of the batches.
    ///
    /// # Errors
    /// [`Error::Query`] for columns and conditions that do not fit the table.
    pub fn schema(&self, source: &dyn Source) -> Result<SchemaRef> {
        Ok(Query::prepare(&self.plan, source)?.schema())
    }

    /// Reads; every batch goes to `sink`, which may end the reading by returning `false`.
    ///
    /// # Errors
    /// What the source and the kernels report; [`Error::Budget`]. The time of a budget counts for what is found out before the
    /// first batch.
    pub fn run(
        &self,
        source: &Arc<dyn Source>,
        terms: Terms<'_>,
        mut sink: impl FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let walk = Walk::try_new(self, source, terms)?;
        let skip = self.from.saturating_mul(self.size);
        let mut cutter = Cutter { size: self.size, waiting: Vec::new(), rows: 0, skip, sink: &mut sink };
        let whole = match self.shuffle {
            None => walk.in_order(&mut cutter)?,
            Some(seed) => walk.shuffled(&mut cutter, seed, self.epoch, self.reach(source.as_ref()))?,
        };
        match whole && !self.drops_last {
            true => cutter.finish(),
            false => Ok(()),
        }
    }
}

fn internal(error: arrow_schema::ArrowError) -> Error {
    Error::Internal(error.to_string())
}

/// A source's pieces and which of their rows are read.
struct Walk<'a> {
    source: &'a Arc<dyn Source>,
    terms: Terms<'a>,
    /// The columns that are read, and those of them that leave, in their order.
    columns: Vec<usize>,
    leaving: Vec<usize>,
    schema: SchemaRef,
    filter: Option<Plan>,
    input: Schema,
    own: Own,
    /// Rows whose places in the permutation are below the number.
    sample: Option<(Permutation, u64)>,
    starts: Vec<usize>,
    /// Whether a piece has to be read.
    possible: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn try_new(reading: &Reading, source: &'a Arc<dyn Source>, terms: Terms<'a>) -> Result<Self> {
        let clock = Clock { begin: Instant::now(), budget: &terms.budget };
        let query = Query::prepare(&reading.plan, source.as_ref())?;
        let own = Own::try_new(reading.part.as_ref(), source, &terms, &clock)?;
        let starts = starts(&source.pieces());
        if starts.last() != Some(&source.rows()) {
            return Err(Error::Internal("a table whose pieces are not known cannot be read so".to_owned()));
        }
        let mut columns = [&query.columns[..], own.keys()].concat();
        columns.sort_unstable();
        columns.dedup();
        let input = source.schema().project(&columns).map_err(internal)?;
        let leaving = query.plan.columns.iter().flatten().map(|name| input.index_of(name).map_err(internal));
        let leaving = leaving.collect::<Result<Vec<usize>>>()?;
        let mut possible = query.possible(source, terms.knowledge);
        own.narrow(source, &terms, &starts, &mut possible);
        let filter = reading.plan.filter.clone();
        let filter = filter.map(|filter| Plan { columns: Some(Vec::new()), filter: Some(filter), ..Plan::default() });
        let schema = query.schema();
        let mut walk =
            Self { source, terms, columns, leaving, schema, filter, input, own, sample: None, starts, possible };
        if let Some((rows, seed)) = reading.sample {
            let order = Permutation::new(source.rows() as u64, &[seed, SAMPLE]);
            let end = match &walk.filter {
                None => rows as u64,
                Some(filter) => walk.end_of_sample(filter, &order, rows, &query, &clock)?,
            };
            walk.sample = Some((order, end));
        }
        Ok(walk)
    }

    /// Behind the last place that is in a sample of so many of the rows that pass.
    fn end_of_sample(
        &self,
        filter: &Plan,
        order: &Permutation,
        rows: usize,
        query: &Query,
        clock: &Clock<'_>,
    ) -> Result<u64> {
        let columns = filter.bind(self.source.schema())?.input_columns().to_vec();
        let bound = filter.bind(&self.source.schema().project(&columns).map_err(internal)?)?;
        let pieces = query.choose_all(self.source, self.terms.knowledge);
        let mut places: Vec<u64> = Vec::new();
        for (batch, &piece) in self.source.scan(Some(&columns), Some(&pieces))?.zip(&pieces) {
            let passing = bound.select(&[batch?])?;
            let start = self.starts[piece] as u64;
            places.extend(passing.as_slice().iter().map(|&row| order.at(start + u64::from(row))));
            if places.len() > 2 * rows + LEAST {
                places.select_nth_unstable(rows);
                // One more than the sample: the first place that is out.
                places.truncate(rows + 1);
            }
            over_memory(places.capacity() * size_of::<u64>(), self.terms.budget)?;
            clock.check()?;
            if (self.terms.is_given_up)() {
                break;
            }
        }
        if places.len() <= rows {
            return Ok(u64::MAX);
        }
        Ok(*places.select_nth_unstable(rows).1)
    }

    /// How many rows a piece gives, where that is known without reading it.
    fn known(&self, piece: usize) -> Option<usize> {
        match self.filter.is_none() && self.sample.is_none() {
            true => self.own.rows_of(&(self.starts[piece]..self.starts[piece + 1])),
            false => None,
        }
    }

    /// A piece's rows that are read.
    fn kept(&self, piece: usize, batch: &RecordBatch) -> Result<RecordBatch> {
        let count = batch.num_rows();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let leaving = self.leaving.iter().map(|&column| batch.column(column).clone()).collect();
        let leaving = RecordBatch::try_new_with_options(self.schema.clone(), leaving, &options).map_err(internal)?;
        if self.known(piece) == Some(count) {
            return Ok(leaving);
        }
        let start = self.starts[piece];
        let mut rows = match &self.filter {
            Some(filter) => filter.bind(&self.input)?.select(std::slice::from_ref(batch))?.into_vec(),
            None => (0..count as u32).collect(),
        };
        if let Some((order, end)) = &self.sample {
            rows.retain(|&row| order.at(start as u64 + u64::from(row)) < *end);
        }
        self.own.retain(batch, &self.columns, start, &mut rows)?;
        match rows.len() == count {
            true => Ok(leaving),
            false => Ok(take_batches(&self.schema, &[leaving], &Indices::try_new(rows, count)?)?),
        }
    }

    /// Reads pieces (ascending); false when the sink has enough or nobody waits any more.
    fn read(&self, pieces: &[usize], mut taken: impl FnMut(RecordBatch) -> Result<bool>) -> Result<bool> {
        let pieces: Vec<usize> = pieces.iter().copied().filter(|&piece| self.possible[piece]).collect();
        let mut batches = self.source.scan(Some(&self.columns), Some(&pieces))?;
        for piece in pieces {
            let gone = || Error::Internal("a file has fewer batches than before".to_owned());
            let batch = self.kept(piece, &batches.next().ok_or_else(gone)??)?;
            if (self.terms.is_given_up)() || (batch.num_rows() > 0 && !taken(batch)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn in_order(&self, cutter: &mut Cutter<'_>) -> Result<bool> {
        let mut first = 0;
        while let Some(rows) = (first < self.possible.len()).then(|| self.known(first)).flatten() {
            if rows > cutter.skip {
                break;
            }
            cutter.skip -= rows;
            first += 1;
        }
        self.read(&(first..self.possible.len()).collect::<Vec<usize>>(), |batch| cutter.push(batch))
    }

    fn shuffled(&self, cutter: &mut Cutter<'_>, seed: u64, epoch: u64, reach: Reach) -> Result<bool> {
        for (window, pieces) in self.windows(seed, epoch, reach).into_iter().enumerate() {
            let known: Option<usize> = pieces.iter().map(|&piece| self.known(piece)).sum();
            if let Some(rows) = known.filter(|&rows| rows <= cutter.skip) {
                cutter.skip -= rows;
                continue;
            }
            let (mut batches, mut bytes) = (Vec::new(), 0);
            let whole = self.read(&pieces, |batch| {
                bytes += if self.source.is_in_memory() && known.is_some() { 0 } else { bytes_of(&batch) };
                over_memory(bytes, self.terms.budget)?;
                batches.push(batch);
                Ok(true)
            })?;
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            if !whole || u32::try_from(rows).is_err() {
                return if whole { Err(Error::Query(kernels::Error::TooManyRows { rows })) } else { Ok(false) };
            }
            let order = Permutation::new(rows as u64, &[seed, ROWS, epoch, window as u64]);
            let mut place = cutter.skip.min(rows);
            cutter.skip -= place;
            while place < rows {
                // Whole batches as far as they are small: what taking costs beside the rows is paid once for all of them.
                let wanted = cutter.wanted() + TAKEN / cutter.size * cutter.size;
                let end = (place + wanted).min(rows);
                let numbers = (place..end).map(|place| order.at(place as u64) as u32).collect();
                let taken = take_batches(&self.schema, &batches, &Indices::try_new(numbers, rows)?)?;
                if (self.terms.is_given_up)() || !cutter.push(taken)? {
                    return Ok(false);
                }
                place = end;
            }
        }
        Ok(true)
    }

    /// The pieces of each window, ascending: stretches of them, dealt in an order of the seed.
    fn windows(&self, seed: u64, epoch: u64, reach: Reach) -> Vec<Vec<usize>> {
        let rows = |piece: usize| {
            let rows = self.starts[piece]..self.starts[piece + 1];
            self.own.rows_of(&rows).unwrap_or(rows.len())
        };
        let Reach::Windows(room) = reach else { return vec![(0..self.possible.len()).collect()] };
        let (mut stretches, mut gathered): (Vec<(Vec<usize>, usize)>, _) = (Vec::new(), usize::MAX);
        for piece in (0..self.possible.len()).filter(|&piece| rows(piece) > 0) {
            if gathered >= room / STRETCHES {
                stretches.push((Vec::new(), 0));
                gathered = 0;
            }
            gathered += rows(piece);
            if let Some((pieces, all)) = stretches.last_mut() {
                pieces.push(piece);
                *all += rows(piece);
            }
        }
        let order = Permutation::new(stretches.len() as u64, &[seed, PIECES, epoch]);
        let (mut windows, mut gathered): (Vec<Vec<usize>>, _) = (Vec::new(), usize::MAX);
        for place in 0..stretches.len() {
            let (pieces, rows) = &stretches[order.at(place as u64) as usize];
            if gathered.saturating_add(*rows) > room {
                windows.push(Vec::new());
                gathered = 0;
            }
            gathered += rows;
            windows.last_mut().into_iter().for_each(|window| window.extend(pieces));
        }
        windows.iter_mut().for_each(|window| window.sort_unstable());
        windows
    }
}

/// Cuts rows into batches.
struct Cutter<'a> {
    size: usize,
    /// Rows of a batch that is not full.
    waiting: Vec<RecordBatch>,
    rows: usize,
    /// Rows that are still left out.
    skip: usize,
    sink: &'a mut dyn FnMut(RecordBatch) -> Result<bool>,
}

impl Cutter<'_> {
    /// Rows that fill the batch.
    fn wanted(&self) -> usize {
        self.size - self.rows
    }

    fn push(&mut self, batch: RecordBatch) -> Result<bool> {
        let mut row = self.skip.min(batch.num_rows());
        self.skip -= row;
        while row < batch.num_rows() {
            let rows = self.wanted().min(batch.num_rows() - row);
            self.waiting.push(batch.slice(row, rows));
            self.rows += rows;
            row += rows;
            if self.rows == self.size && !self.send()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn send(&mut self) -> Result<bool> {
        let waiting = std::mem::take(&mut self.waiting);
        let rows = std::mem::take(&mut self.rows);
        match waiting.as_slice() {
            [] => Ok(true),
            [whole] => (self.sink)(whole.clone()),
            [first, ..] => (self.sink)(take_batches(&first.schema(), &waiting, &Indices::identity(rows)?)?),
        }
    }

    fn finish(mut self) -> Result<()> {
        self.send().map(drop)
    }
}
