//! What queries found out about a table's pieces, for the queries after them.
//!
//! * How many rows of each piece pass a filter: the next page of the same filter starts where it begins, and pieces without a
//!   row that passes are not read again.
//! * The orders of sorted views ([`super::orders`]).
//! * What a column holds at a glance ([`super::profile`]); where its ranges end ([`super::parts`]).
//! * What each column's values lie between: found out in the background when a filter asks for it first.
//!
//! Everything is known by the table's tag, so that nothing is believed of rows that have changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow_array::{Array, ArrayRef, BooleanArray, UInt64Array};
use kernels::query::Predicate;

use super::orders::Orders;
use super::parts::Ranges;
use super::profile::Profiles;
use crate::source::{Bounds, Source};

/// Filters that are remembered; then those that were used longest ago are forgotten.
const FILTERS: usize = 256;
/// Bytes of orders that are remembered, unless another limit is given.
const ORDERS: usize = 512 << 20;
/// Tables of fewer pieces are read faster than anything is found out about them.
const FEW: usize = 8;

/// Shared by all queries.
#[derive(Debug, Clone)]
pub struct Knowledge {
    inner: Arc<Inner>,
    /// Orders of sorted tables.
    pub(super) orders: Arc<Orders>,
    /// What columns hold at a glance.
    pub(super) profiles: Arc<Profiles>,
    /// Where the ranges of parts end.
    pub(super) ranges: Arc<Ranges>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            inner: Arc::default(),
            orders: Arc::new(Orders::new(ORDERS)),
            profiles: Arc::default(),
            ranges: Arc::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    filters: Mutex<Filters>,
    /// By tag and column; none while it is being found out, or when it cannot be.
    bounds: Mutex<BTreeMap<(u64, usize), Option<Bounds>>>,
}

/// A table's tag and a filter.
type Key = (u64, Vec<u8>);
/// When it was used last, and the rows of each piece.
type Counts = (u64, Vec<Option<u32>>);

#[derive(Debug, Default)]
struct Filters {
    counts: BTreeMap<Key, Counts>,
    clock: u64,
    /// Who counts now; others wait.
    turns: BTreeMap<Key, Weak<Mutex<()>>>,
}

impl Knowledge {
    /// Remembers orders of sorted tables within so many bytes.
    #[must_use]
    pub fn with_room_for_orders(self, bytes: usize) -> Self {
        Self { orders: Arc::new(Orders::new(bytes)), ..self }
    }

    /// How many rows of each piece pass a filter, where that is known.
    pub(super) fn matches(&self, tag: u64, filter: &Predicate, pieces: usize) -> Vec<Option<usize>> {
        let mut filters = self.inner.filters.lock().unwrap_or_else(PoisonError::into_inner);
        filters.clock += 1;
        let clock = filters.clock;
        match filters.counts.get_mut(&(tag, key(filter))) {
            Some((used, counts)) if counts.len() == pieces => {
                *used = clock;
                counts.iter().map(|count| count.map(|count| count as usize)).collect()
            }
            _ => vec![None; pieces],
        }
    }

    /// A lock that all who count the rows of one filter share.
    pub(super) fn turn(&self, tag: u64, filter: &Predicate) -> Arc<Mutex<()>> {
        let mut filters = self.inner.filters.lock().unwrap_or_else(PoisonError::into_inner);
        filters.turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = filters.turns.entry((tag, key(filter))).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Mutex::new(()));
            *turn = Arc::downgrade(&new);
            new
        })
    }

    /// A query that counts.
    pub(super) fn learn(&self, tag: u64, filter: &Predicate, pieces: usize) -> Learned {
        Learned { inner: self.inner.clone(), key: (tag, key(filter)), counts: vec![None; pieces] }
    }

    /// What a column's values lie between; when nobody has asked before, a thread begins to look.
    pub(super) fn bounds(&self, source: &Arc<dyn Source>, column: usize) -> Option<Bounds> {
        let key = (source.tag(), column);
        let mut bounds = self.inner.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = bounds.get(&key) {
            return known.clone();
        }
        if !source.lasts() || source.pieces().len() < FEW || source.schema().field(column).data_type().is_nested() {
            return None;
        }
        bounds.insert(key, None);
        drop(bounds);
        let (inner, source) = (self.inner.clone(), source.clone());
        // Without a thread nothing is known, and every piece is read.
        let _unknown = std::thread::Builder::new().name("bounds".to_owned()).spawn(move || {
            let found = look(source.as_ref(), column);
            inner.bounds.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        });
        None
    }
}

/// Counts of a query on their way; what was counted is kept when it ends, however it ends.
pub(super) struct Learned {
    inner: Arc<Inner>,
    key: Key,
    counts: Vec<Option<u32>>,
}

impl Learned {
    pub(super) fn set(&mut self, piece: usize, rows: usize) {
        self.counts[piece] = u32::try_from(rows).ok();
    }
}

impl Drop for Learned {
    fn drop(&mut self) {
        let mut filters = self.inner.filters.lock().unwrap_or_else(PoisonError::into_inner);
        filters.clock += 1;
        let clock = filters.clock;
        let new = std::mem::take(&mut self.counts);
        match filters.counts.get_mut(&self.key) {
            Some((used, counts)) if counts.len() == new.len() => {
                *used = clock;
                counts.iter_mut().zip(new).for_each(|(known, new)| *known = new.or(*known));
            }
            _ => {
                filters.counts.insert(std::mem::take(&mut self.key), (clock, new));
            }
        }
        while filters.counts.len() > FILTERS {
            let oldest = filters.counts.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.map(|key| filters.counts.remove(&key));
        }
    }
}

/// A filter as bytes.
fn key(filter: &Predicate) -> Vec<u8> {
    serde_json::to_vec(filter).unwrap_or_default()
}

/// Reads a column and finds out what each piece lies between.
fn look(source: &dyn Source, column: usize) -> Option<Bounds> {
    let (mut mins, mut maxes, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
    for batch in source.scan(Some(&[column]), None).ok()? {
        let batch = batch.ok()?;
        let summary = kernels::statistics::summarize(&[batch.column(0).as_ref()]).ok()?;
        mins.push(summary.min?);
        maxes.push(summary.max?);
        nulls.push(summary.nulls as u64);
    }
    let joined = |arrays: &[ArrayRef]| {
        let chunks: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        let all = kernels::Indices::identity(arrays.len()).ok()?;
        kernels::take_chunks(&chunks, &all).ok()
    };
    Some(Bounds {
        min: joined(&mins)?,
        max: joined(&maxes)?,
        known: BooleanArray::from(vec![true; nulls.len()]),
        nulls: UInt64Array::from(nulls),
    })
}
