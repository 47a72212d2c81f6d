//! Comparing two rows of a table by several keys: for whoever keeps an order up to date.
//!
//! [`RowOrder`] looks at the types once for each chunk, so that it costs the chunks to make and a few loads to ask. What
//! [`super::sort_keys_to_indices`] would rank for all rows, dictionaries and Booleans, is read here where it stands.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::{AnyDictionaryArray, Array, BooleanArray};

use super::column::Column;
use super::{SortKey, SortOptions};
use crate::Result;
use crate::error::all;
use crate::query::Nulls;
use crate::starts::Starts;
use crate::types::{self, Kind};

/// The order of a table's rows by some keys, row against row.
///
/// ```
/// # use arrow_array::Int32Array;
/// use kernels::{RowOrder, SortKey, SortOptions};
/// let (old, new) = (Int32Array::from(vec![Some(3), None]), Int32Array::from(vec![Some(1)]));
/// let order = RowOrder::try_new(&[SortKey { chunks: vec![&old, &new], options: SortOptions::default() }])?;
/// assert!(order.compare(2, 0).is_lt() && order.compare(0, 1).is_lt());
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Debug)]
pub struct RowOrder<'a> {
    keys: Vec<Key<'a>>,
}

#[derive(Debug)]
enum Key<'a> {
    Plain(Column<'a>),
    Flags(Vec<&'a BooleanArray>, Starts, SortOptions),
    /// Codes, and a column of all dictionaries' values; the first value of each chunk's.
    Coded(Vec<&'a dyn AnyDictionaryArray>, Starts, Column<'a>, Vec<u32>, SortOptions),
}

impl<'a> RowOrder<'a> {
    /// Looks at the keys' chunks. Rows are numbered over all of them.
    ///
    /// # Errors
    /// As [`super::sort_keys_to_indices`]; [`crate::Error::UnsupportedType`] for run-end encoded columns, too.
    pub fn try_new(keys: &[SortKey<'a>]) -> Result<Self> {
        let keys = all(keys.iter().map(|key| Key::try_new(&key.chunks, key.options)))?;
        Ok(Self { keys })
    }

    /// How a row stands to another; rows that are equal in all keys are equal.
    ///
    /// # Panics
    /// When a row is none of the table's.
    #[must_use]
    pub fn compare(&self, a: u32, b: u32) -> Ordering {
        let mut orders = self.keys.iter().map(|key| key.compare(a, b));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl<'a> Key<'a> {
    fn try_new(chunks: &[&'a dyn Array], options: SortOptions) -> Result<Self> {
        let starts = Starts::new(chunks.iter().map(|chunk| chunk.len()));
        let Some(data_type) = types::one_type(chunks)? else {
            return Column::try_new(chunks, options).map(Self::Plain);
        };
        match types::kind(data_type) {
            Kind::Boolean => Ok(Self::Flags(chunks.iter().map(|chunk| chunk.as_boolean()).collect(), starts, options)),
            Kind::Dictionary => {
                let coded = types::dictionaries(chunks, "sort")?;
                let values: Vec<&dyn Array> = coded.iter().map(|chunk| chunk.values().as_ref()).collect();
                let mut firsts = Vec::with_capacity(values.len());
                let mut first = 0;
                for values in &values {
                    firsts.push(first);
                    first += values.len() as u32;
                }
                let values = Column::try_new(&values, SortOptions::default())?;
                Ok(Self::Coded(coded, starts, values, firsts, options))
            }
            _ => Column::try_new(chunks, options).map(Self::Plain),
        }
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        match self {
            Self::Plain(column) => column.compare(a, b),
            Self::Flags(chunks, starts, options) => {
                let value = |row: u32| {
                    let (chunk, row) = starts.locate(row as usize);
                    chunks[chunk].is_valid(row).then(|| chunks[chunk].value(row))
                };
                with_nulls(value(a), value(b), *options, |a, b| a.cmp(&b))
            }
            Self::Coded(chunks, starts, values, firsts, options) => {
                let value = |row: u32| {
                    let (chunk, row) = starts.locate(row as usize);
                    let code = code(chunks[chunk], row)?;
                    Some(firsts[chunk] + code).filter(|&value| values.is_valid(value))
                };
                with_nulls(value(a), value(b), *options, |a, b| values.compare(a, b))
            }
        }
    }
}

/// The place of a row's value in its dictionary; `None` for a null.
fn code(array: &dyn AnyDictionaryArray, row: usize) -> Option<u32> {
    let keys = array.keys();
    if keys.is_null(row) {
        return None;
    }
    let mut word = [0];
    types::load_words(keys, row, &mut word, "sort").ok()?;
    Some(word[0] as u32)
}

fn with_nulls<T>(a: Option<T>, b: Option<T>, options: SortOptions, compare: impl FnOnce(T, T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if options.descending => compare(b, a),
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => {
            let nulls_last = a.is_none().cmp(&b.is_none());
            if options.nulls == Nulls::Last { nulls_last } else { nulls_last.reverse() }
        }
    }
}
