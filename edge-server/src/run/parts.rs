//! Parts of a table for workers that know nothing of each other: every row is in one part, and each worker reads its own.
//!
//! * By hash: rows with the same keys are in the same part. The hash is the kernels', and promised.
//! * By range of one column: bounds are quantiles of a sample, so that the parts are about equally large; they are found once for
//!   a table, and pieces are left out in which no value can be in the range.
//! * Without a column: stretches of rows of the same length, of which only the pieces are read.
//!
//! The sample is one row of each stretch of so many, at a place that only the stretch's number decides: all servers of the same
//! rows find the same bounds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, RecordBatch};
use kernels::partition::{Permutation, parts_by_hash, parts_by_range, quantiles};
use kernels::query::{Nulls, Plan};
use kernels::{Indices, take_chunks};

use super::sweep::sweep;
use super::{Clock, Terms};
use crate::source::Source;
use crate::{Error, Result};

/// Rows that bounds are made of, about.
const SAMPLE: usize = 1 << 16;
/// Bounds that are remembered.
const REMEMBERED: usize = 256;

/// How rows are dealt to parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the hash of the keys.
    Hash,
    /// By ranges of one column, nulls last.
    Range,
}

/// One of several parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The columns that decide; without any, rows are cut into stretches.
    pub by: Vec<String>,
    /// How they decide.
    pub method: Method,
    /// How many parts there are.
    pub parts: usize,
    /// Which one is meant, from zero.
    pub part: usize,
}

/// Bounds of ranges by the table's tag, the column and the number of parts.
#[derive(Debug, Default)]
pub(super) struct Ranges(Mutex<BTreeMap<(u64, usize, usize), ArrayRef>>);

/// A part of a table, ready to tell which rows are its own.
#[derive(Debug)]
pub(super) enum Own {
    /// All rows.
    All,
    /// Rows of the table from one to another.
    Stretch(Range<usize>),
    /// Columns of the table; parts, and which.
    Hash { keys: Vec<usize>, of: (usize, u32) },
    /// A column of the table, and bounds.
    Range { key: usize, bounds: ArrayRef, of: (usize, u32) },
}

impl Own {
    /// Finds out what a part is; of ranges, where they end.
    ///
    /// # Errors
    /// An unknown column, a type that cannot decide, and what the source reports.
    pub(super) fn try_new(
        part: Option<&Part>,
        source: &Arc<dyn Source>,
        terms: &Terms<'_>,
        clock: &Clock<'_>,
    ) -> Result<Self> {
        let Some(Part { by, method, parts, part }) = part else { return Ok(Self::All) };
        let of = (*parts, *part as u32);
        let keys = columns(by, source)?;
        match (keys.as_slice(), method) {
            ([], _) => {
                let at = |part: usize| (source.rows() as u128 * part as u128 / *parts as u128) as usize;
                Ok(Self::Stretch(at(*part)..at(part + 1)))
            }
            (_, Method::Hash) => Ok(Self::Hash { keys, of }),
            (&[key], Method::Range) => Ok(Self::Range { key, bounds: bounds(source, key, *parts, terms, clock)?, of }),
            _ => Err(kernels::Error::invalid_plan("ranges are of one column", &by.join(", ")).into()),
        }
    }

    /// The columns of the table that decide.
    pub(super) fn keys(&self) -> &[usize] {
        match self {
            Self::All | Self::Stretch(_) => &[],
            Self::Hash { keys, .. } => keys,
            Self::Range { key, .. } => std::slice::from_ref(key),
        }
    }

    /// How many of a piece's rows are the part's, where that is known without reading them. `rows` are the table's.
    pub(super) fn rows_of(&self, rows: &Range<usize>) -> Option<usize> {
        match self {
            Self::All => Some(rows.len()),
            Self::Stretch(own) => Some(rows.end.min(own.end).saturating_sub(rows.start.max(own.start))),
            Self::Hash { .. } | Self::Range { .. } => None,
        }
    }

    /// Leaves out pieces that have no row of the part. `starts` are the pieces' first rows, and behind the last.
    pub(super) fn narrow(&self, source: &Arc<dyn Source>, terms: &Terms<'_>, starts: &[usize], possible: &mut [bool]) {
        for (possible, ends) in possible.iter_mut().zip(starts.windows(2)) {
            *possible &= self.rows_of(&(ends[0]..ends[1])) != Some(0);
        }
        if let Self::Range { key, bounds, of: (parts, part) } = self {
            // Bounds of floats may leave NaN out.
            let is_float = source.schema().field(*key).data_type().is_floating();
            let known = || source.bounds(*key).or_else(|| terms.knowledge.bounds(source, *key));
            let Some(known) = (!is_float).then(known).flatten() else { return };
            let ranks = |values: &ArrayRef| parts_by_range(values.as_ref(), bounds.as_ref(), *parts, Nulls::Last).ok();
            let Some((low, high)) = ranks(&known.min).zip(ranks(&known.max)) else { return };
            for (piece, possible) in possible.iter_mut().enumerate().take(low.len()) {
                if known.known.is_null(piece) || !known.known.value(piece) || known.nulls.is_null(piece) {
                    continue;
                }
                let has_values = known.min.is_valid(piece) && known.max.is_valid(piece);
                let has_nulls = known.nulls.value(piece) > 0 && *part as usize + 1 == *parts;
                *possible &= has_nulls || !has_values || (low[piece]..=high[piece]).contains(part);
            }
        }
    }

    /// Keeps of a piece's rows (numbers in the piece) those of the part; `columns` are the table's columns that were read, and
    /// `start` the piece's first row.
    pub(super) fn retain(
        &self,
        batch: &RecordBatch,
        columns: &[usize],
        start: usize,
        rows: &mut Vec<u32>,
    ) -> Result<()> {
        let column = |key: &usize| batch.column(columns.partition_point(|column| column < key)).as_ref();
        let (ranks, part) = match self {
            Self::All => return Ok(()),
            Self::Stretch(own) => {
                rows.retain(|&row| own.contains(&(start + row as usize)));
                return Ok(());
            }
            Self::Hash { keys, of: (parts, part) } => {
                let keys: Vec<&dyn Array> = keys.iter().map(column).collect();
                (parts_by_hash(&keys, *parts)?, part)
            }
            Self::Range { key, bounds, of: (parts, part) } => {
                (parts_by_range(column(key), bounds.as_ref(), *parts, Nulls::Last)?, part)
            }
        };
        rows.retain(|&row| ranks.get(row as usize) == Some(part));
        Ok(())
    }
}

/// The numbers of columns; an unknown one is told as in a query.
fn columns(names: &[String], source: &Arc<dyn Source>) -> Result<Vec<usize>> {
    let plan = Plan { columns: Some(names.to_vec()), ..Plan::default() };
    plan.bind(source.schema())?;
    names
        .iter()
        .map(|name| source.schema().index_of(name).map_err(|error| Error::Internal(error.to_string())))
        .collect()
}

/// The first row of each piece, and behind the last.
pub(super) fn starts(pieces: &[usize]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut end = 0;
    starts.extend(pieces.iter().map(|rows| {
        end += rows;
        end
    }));
    starts
}

/// Bounds of a column's ranges: remembered, or made of a sample.
fn bounds(
    source: &Arc<dyn Source>,
    column: usize,
    parts: usize,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
) -> Result<ArrayRef> {
    let key = (source.tag(), column, parts);
    let known = &terms.knowledge.ranges.0;
    if let Some(bounds) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(bounds.clone());
    }
    let pieces = source.pieces();
    let starts = starts(&pieces);
    let stride = source.rows().div_ceil(SAMPLE).max(1);
    let place = |stretch: usize| stretch * stride + Permutation::new(stride as u64, &[stretch as u64]).at(0) as usize;
    let each = |piece: usize, batch: RecordBatch| {
        let (start, end) = (starts[piece], starts[piece] + batch.num_rows());
        let rows = (start / stride..end.div_ceil(stride)).map(place).filter(|row| (start..end).contains(row));
        let rows = Indices::try_new(rows.map(|row| (row - start) as u32).collect(), batch.num_rows())?;
        Ok(kernels::take(batch.column(0).as_ref(), &rows)?)
    };
    let mut sample: Vec<ArrayRef> = Vec::new();
    sweep(source, &[column], &(0..pieces.len()).collect::<Vec<usize>>(), each, |_, taken| {
        sample.push(taken);
        clock.check()?;
        Ok(!(terms.is_given_up)())
    })?;
    if sample.is_empty() {
        sample.push(kernels::arrays::empty_array(source.schema().field(column).data_type())?);
    }
    let chunks: Vec<&dyn Array> = sample.iter().map(AsRef::as_ref).collect();
    let all = Indices::identity(chunks.iter().map(|chunk| chunk.len()).sum())?;
    let bounds = quantiles(take_chunks(&chunks, &all)?.as_ref(), parts)?;
    if !(terms.is_given_up)() {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.pop_first();
        }
        known.insert(key, bounds.clone());
    }
    Ok(bounds)
}
