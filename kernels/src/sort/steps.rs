//! A sort in steps, for whoever has one thread and other things to do on it.
//!
//! A step does about as much as so many rows take in one stage, wherever that is: it leaves a pass over the rows in its
//! middle, and goes on there. [`super::sort_keys_to_indices`] is one step of all rows. What is cut no smaller is a partition, and
//! rows that are equal in 64 bits, both of at most 2²⁰ rows; and what is found of Booleans at the beginning.

use std::borrow::Cow;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use super::SortKey;
use super::column::{Column, nulls_of};
use super::ranks::{Ranking, booleans};
use super::spread::{Later, Sort};
use super::top::Top;
use crate::error::all;
use crate::{Error, Indices, Result, runs};

/// A sort of the rows of some keys in the making.
///
/// ```
/// # use arrow_array::Int32Array;
/// use kernels::{SortKey, SortOptions, SortSteps};
/// let values = Int32Array::from(vec![Some(3), None, Some(1)]);
/// let keys = [SortKey { chunks: vec![&values], options: SortOptions::default() }];
/// let mut steps = SortSteps::new(None);
/// while !steps.step(&keys, 1)? {}
/// assert_eq!(steps.finish()?.as_slice(), [2, 0, 1]);
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Debug)]
pub struct SortSteps {
    limit: usize,
    rows: usize,
    /// Of each key; nothing before the first step.
    known: Vec<Known>,
    top: Option<Top>,
    sort: Option<Sort>,
    later: Vec<Later>,
    /// Rows in order, but for those that are put off, and rows that are sorted by now.
    order: Vec<u32>,
    part: f64,
    done: bool,
}

/// What is found out of a key's chunks once, for all steps.
#[derive(Debug, Default)]
struct Known {
    /// The chunks of a key of runs, written out.
    expanded: Vec<ArrayRef>,
    ranks: Vec<u64>,
    /// The ranks of dictionaries in the making.
    ranking: Option<Box<Ranking>>,
    nulls: Vec<Option<NullBuffer>>,
}

impl Known {
    fn chunks<'a>(&'a self, key: &SortKey<'a>) -> Vec<&'a dyn Array> {
        if self.expanded.is_empty() { key.chunks.clone() } else { self.expanded.iter().map(AsRef::as_ref).collect() }
    }
}

impl SortSteps {
    /// Begins a sort whose first `limit` rows are wanted, or all.
    #[must_use]
    pub fn new(limit: Option<usize>) -> Self {
        Self {
            limit: limit.unwrap_or(usize::MAX),
            rows: 0,
            known: Vec::new(),
            top: None,
            sort: None,
            later: Vec::new(),
            order: Vec::new(),
            part: 0.0,
            done: false,
        }
    }

    /// About how far it is, from 0 to 1.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.part
    }

    /// Does about as much as so many rows take in one stage, of which there are some; whether all is done. The keys are the
    /// same at every step.
    ///
    /// # Errors
    /// As [`super::sort_keys_to_indices`].
    pub fn step(&mut self, keys: &[SortKey<'_>], rows: usize) -> Result<bool> {
        if self.known.is_empty() {
            self.begin(keys)?;
        }
        for (key, known) in keys.iter().zip(&mut self.known) {
            while let Some(mut ranking) = known.ranking.take() {
                match ranking.step(&known.chunks(key), rows)? {
                    Some(ranks) => known.ranks = ranks,
                    None => known.ranking = Some(ranking),
                }
                if rows != usize::MAX {
                    return Ok(false);
                }
            }
        }
        let is_first = self.top.is_none() && self.sort.is_none() && !self.done;
        let known = std::mem::take(&mut self.known);
        let columns = all(keys.iter().zip(&known).map(|(key, known)| {
            let chunks = known.chunks(key);
            Column::known(&chunks, key.options, Cow::Borrowed(&known.ranks), known.nulls.clone())
        }))?;
        if is_first {
            self.top = Top::new(&columns, self.rows, self.limit);
            if self.top.is_none() {
                self.sort_these(None);
            }
        }
        // One step, or all of them.
        while !self.done && !self.advance(&columns, rows) && rows == usize::MAX {}
        self.known = known;
        Ok(self.done)
    }

    /// The row numbers in order.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] when not all is done.
    pub fn finish(self) -> Result<Indices> {
        let Self { mut order, limit, rows, .. } = self;
        if !self.done {
            return Err(Error::invalid_plan("not all rows are in order", ""));
        }
        order.truncate(limit);
        Ok(Indices::new_unchecked(order, rows))
    }

    fn begin(&mut self, keys: &[SortKey<'_>]) -> Result<()> {
        let lengths: Vec<usize> = keys.iter().map(|key| key.chunks.iter().map(|chunk| chunk.len()).sum()).collect();
        let Some(&rows) = lengths.first() else {
            return Err(Error::invalid_plan("a sort needs at least one key", ""));
        };
        if let Some(&found) = lengths.iter().find(|&&length| length != rows) {
            return Err(Error::length_mismatch(rows, found));
        }
        if u32::try_from(rows).is_err() {
            return Err(Error::too_many_rows(rows));
        }
        (self.rows, self.limit) = (rows, self.limit.min(rows));
        self.known = all(keys.iter().map(|key| {
            let mut known = Known::default();
            runs::expand_all(&key.chunks, &mut known.expanded)?;
            let chunks = known.chunks(key);
            let (ranks, nulls) = (booleans(&chunks), nulls_of(&chunks));
            let ranking = Ranking::begin(&chunks)?;
            Ok(Known { ranks, ranking, nulls, ..known })
        }))?;
        Ok(())
    }

    /// Begins to sort the rows of a list, or all.
    fn sort_these(&mut self, list: Option<Vec<u32>>) {
        let rows = list.as_ref().map_or(self.rows, Vec::len);
        self.order = vec![0; rows];
        self.sort = Some(Sort::new(list, rows, self.limit, 0, 0));
    }

    /// A step; whether all is done.
    fn advance(&mut self, columns: &[Column<'_>], budget: usize) -> bool {
        if let Some(top) = &mut self.top {
            if top.look(&columns[0], budget)
                && let Some(top) = self.top.take()
            {
                self.sort_these(Some(top.candidates()));
            }
        } else if let Some(sort) = &mut self.sort
            && sort.step(columns, &mut self.order, &mut self.later, budget)
        {
            // What is put off behind the limit is not looked at.
            let limit = self.limit;
            self.later.retain(|later| later.to < limit);
            self.sort = self.later.pop().map(|Later { to, rows, depth }| {
                Sort::new(Some(self.order[to..to + rows].to_vec()), rows, rows, depth, to)
            });
        } else if let Some(sort) = &self.sort {
            self.part = self.part.max(0.99 * sort.part(columns.len()));
        }
        self.done = self.top.is_none() && self.sort.is_none();
        self.done
    }
}
