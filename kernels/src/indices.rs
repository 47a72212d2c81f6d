//! Row numbers that are known to be in bounds.

use crate::{Error, Result};

/// Row numbers, each below [`Indices::bound`].
///
/// The bound is checked once, when the list is made; kernels that read through the list rest on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Indices {
    values: Vec<u32>,
    bound: usize,
}

impl Indices {
    /// Checks that every row number is below `bound`. One pass over 4 bytes per row.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] names the first offender.
    pub fn try_new(values: Vec<u32>, bound: usize) -> Result<Self> {
        match values.iter().position(|&index| index as usize >= bound) {
            None => Ok(Self { values, bound }),
            Some(position) => Err(Error::index_out_of_bounds(position, values[position], bound)),
        }
    }

    /// The rows `0..rows` in their order.
    ///
    /// # Errors
    /// [`Error::TooManyRows`] beyond `u32::MAX` rows.
    pub fn identity(rows: usize) -> Result<Self> {
        let end = u32::try_from(rows).map_err(|_| Error::too_many_rows(rows))?;
        Ok(Self { values: (0..end).collect(), bound: rows })
    }

    /// For kernels whose row numbers are in bounds by construction.
    pub(crate) fn new_unchecked(values: Vec<u32>, bound: usize) -> Self {
        debug_assert!(values.iter().all(|&index| (index as usize) < bound));
        Self { values, bound }
    }

    /// The row numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.values
    }

    /// The number of rows that every row number is below.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// How many row numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The row numbers as a plain list.
    #[must_use]
    pub fn into_vec(self) -> Vec<u32> {
        self.values
    }

    /// Drops the first `offset` row numbers and keeps at most `limit` of the rest.
    #[must_use]
    pub fn window(mut self, offset: usize, limit: Option<usize>) -> Self {
        self.values.drain(..offset.min(self.values.len()));
        self.values.truncate(limit.unwrap_or(usize::MAX));
        self
    }
}
