//! What a column holds at a glance, over rows that stay here: a histogram of numbers, dates and times, the most frequent
//! values of all others. A plan cannot ask for either.
//!
//! The column is read on every core: numbers twice, for their extent and for their bins, other values once, until there are
//! too many different ones for a summary to say anything. What was found is remembered as long as the rows are the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use std::{collections::BTreeMap, ops::RangeInclusive};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use kernels::query::AggregateFunction;
use kernels::{GroupBy, Indices, statistics};

use super::sweep::sweep;
use super::{Clock, Terms};
use crate::source::Source;
use crate::{Error, Result};

/// Different values that are counted.
const MOST_VALUES: usize = 20_000;
/// Columns that are remembered.
const REMEMBERED: usize = 1_024;

/// What a column holds.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Rows of the table.
    pub rows: usize,
    /// Rows that have no value.
    pub nulls: usize,
    /// How the values lie.
    pub shape: Shape,
}

/// How a column's values lie.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Counts of values between two ends, in the column's own unit.
    Bins {
        /// Where the first bin begins, and where the last one ends.
        ends: (f64, f64),
        /// Values in each bin.
        counts: Vec<u64>,
    },
    /// The most frequent values, a column `value` and a column `count`, and how many there are.
    Values {
        /// Different values, null among them when it comes.
        distinct: usize,
        /// The most frequent of them without null.
        top: RecordBatch,
    },
    /// Too many different values.
    Many,
    /// No value, or of a type that is not summed up.
    Nothing,
}

/// What was found out of tables, by their tag, the column and the number of bins.
#[derive(Debug, Default)]
pub(super) struct Profiles(Mutex<BTreeMap<(u64, usize, usize), Arc<Profile>>>);

/// Sums a column up; `most` are the bins, or values, at most. Nothing when nobody waits for it any more.
///
/// # Errors
/// What the source and the kernels report; [`Error::Budget`].
pub fn profile(source: &Arc<dyn Source>, column: usize, most: usize, terms: Terms<'_>) -> Result<Option<Arc<Profile>>> {
    let known = &terms.knowledge.profiles.0;
    let key = (source.tag(), column, most);
    if let Some(found) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Some(found.clone()));
    }
    let looking = Looking { source, column, clock: Clock { begin: Instant::now(), budget: &terms.budget }, terms };
    let Some(found) = looking.look(most)?.map(Arc::new) else { return Ok(None) };
    if source.lasts() {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.pop_first();
        }
        known.insert(key, found.clone());
    }
    Ok(Some(found))
}

struct Looking<'a> {
    source: &'a Arc<dyn Source>,
    column: usize,
    clock: Clock<'a>,
    terms: Terms<'a>,
}

impl Looking<'_> {
    fn look(&self, most: usize) -> Result<Option<Profile>> {
        let schema = self.source.schema().clone();
        let data_type = schema.field(self.column).data_type();
        let (mut rows, mut nulls) = (0, 0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let counted = [(AggregateFunction::Count, Vec::new())];
        let is_measured = statistics::is_measured(data_type);
        // What cannot be a key has no values to count.
        let mut values = match is_measured || data_type.is_null() {
            true => None,
            false => GroupBy::try_new(std::slice::from_ref(data_type), &counted).ok(),
        };
        let counts_values = values.is_some();
        let mut is_many = false;
        let whole = self.each(
            |array| {
                let extent = if is_measured { statistics::extent(&[array.as_ref()])? } else { None };
                let mut state = None;
                if counts_values {
                    let mut own = GroupBy::try_new(std::slice::from_ref(data_type), &counted)?;
                    own.update(array.len(), &[array.as_ref()], &[Vec::new()])?;
                    state = Some(own);
                }
                Ok((array.len(), array.logical_null_count(), extent, state))
            },
            |(more, without, extent, state)| {
                (rows, nulls) = (rows + more, nulls + without);
                if let Some((least, greatest)) = extent {
                    (low, high) = (low.min(least), high.max(greatest));
                }
                if let (Some(values), Some(state), false) = (&mut values, state, is_many) {
                    values.merge(&state)?;
                    is_many = values.groups() > MOST_VALUES;
                }
                Ok(())
            },
        )?;
        if !whole {
            return Ok(None);
        }
        let shape = match values {
            _ if is_many => Shape::Many,
            Some(values) => top(&values, most)?,
            None if low > high => Shape::Nothing,
            None => {
                let (low, high, bins) = statistics::edges(data_type, low, high, most);
                let Some(counts) = self.bins(low..=high, bins)? else { return Ok(None) };
                Shape::Bins { ends: (low, high), counts }
            }
        };
        Ok(Some(Profile { rows, nulls, shape }))
    }

    fn bins(&self, range: RangeInclusive<f64>, bins: usize) -> Result<Option<Vec<u64>>> {
        let mut counts = vec![0; bins];
        let whole = self.each(
            |array| Ok(statistics::histogram(&[array.as_ref()], bins, Some(range.clone()))?.counts),
            |found| {
                counts.iter_mut().zip(found).for_each(|(count, more)| *count += more);
                Ok(())
            },
        )?;
        Ok(whole.then_some(counts))
    }

    /// Reads the column: `each` is called for every batch on any core, `taken` for what comes of it, in their order.
    /// False when nobody waits any more.
    fn each<T: Send>(
        &self,
        each: impl Fn(&ArrayRef) -> Result<T> + Sync,
        mut taken: impl FnMut(T) -> Result<()>,
    ) -> Result<bool> {
        let mut take = |made: T| -> Result<bool> {
            taken(made)?;
            self.clock.check()?;
            Ok(!(self.terms.is_given_up)())
        };
        let pieces = self.source.pieces().len();
        let mut goes_on = true;
        if pieces > 0 {
            let pieces: Vec<usize> = (0..pieces).collect();
            sweep(
                self.source,
                &[self.column],
                &pieces,
                |_, batch| each(batch.column(0)),
                |_, made| {
                    goes_on = take(made)?;
                    Ok(goes_on)
                },
            )?;
            return Ok(goes_on);
        }
        for batch in self.source.scan(Some(&[self.column]), None)? {
            if !take(each(batch?.column(0))?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The most frequent values; of those that come equally often, the one that came first stands first.
fn top(values: &GroupBy, most: usize) -> Result<Shape> {
    let internal = || Error::Internal("values were counted without counts".to_owned());
    let keys = values.key_arrays()?.into_iter().next().ok_or_else(internal)?;
    let counts = values.aggregate_arrays()?.into_iter().next().ok_or_else(internal)?;
    let numbers = counts.as_primitive_opt::<Int64Type>().ok_or_else(internal)?.values();
    let mut order: Vec<u32> = (0..keys.len() as u32).filter(|&group| keys.is_valid(group as usize)).collect();
    order.sort_by_key(|&group| std::cmp::Reverse(numbers[group as usize]));
    order.truncate(most);
    if order.is_empty() {
        return Ok(Shape::Nothing);
    }
    let batch = RecordBatch::try_from_iter([("value", keys), ("count", counts)]);
    let batch = batch.map_err(|error| Error::Internal(error.to_string()))?;
    let order = Indices::try_new(order, batch.num_rows())?;
    let top = kernels::take_batches(&batch.schema(), std::slice::from_ref(&batch), &order)?;
    Ok(Shape::Values { distinct: values.groups(), top })
}
