//! Keys as dense numbers, for whoever keeps something of his own for each key.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::BLOCK;
use super::codes::Codes;
use crate::error::all;
use crate::runs::{self, plain_type};
use crate::{Error, Result};

/// Gives each key, of one or several columns, a number: dense, in the order of first appearance, and the same in every
/// batch. Null is a key like any other; −0.0 is 0.0, and every NaN is one NaN.
///
/// ```
/// # use arrow_array::StringArray;
/// # use arrow_schema::DataType;
/// let mut numbers = kernels::KeyNumbers::try_new(&[DataType::Utf8])?;
/// assert_eq!(numbers.update(3, &[&StringArray::from(vec!["JFK", "EWR", "JFK"])])?, [0, 1, 0]);
/// assert_eq!(numbers.update(2, &[&StringArray::from(vec!["LGA", "EWR"])])?, [2, 1]);
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyNumbers {
    keys: Codes,
    rows: usize,
}

impl KeyNumbers {
    /// For keys of columns of these types.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`]; [`Error::InvalidPlan`] without columns.
    pub fn try_new(types: &[DataType]) -> Result<Self> {
        if types.is_empty() {
            return Err(Error::invalid_plan("a key needs at least one column", ""));
        }
        let plain: Vec<DataType> = types.iter().map(|data_type| plain_type(data_type).clone()).collect();
        Ok(Self { keys: Codes::try_new(&plain)?, rows: 0 })
    }

    /// Keys so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of each row's key; new keys get new numbers. `O(rows × columns)` in the long run: now and then
    /// the table of all keys doubles.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] when a column has another length or there are more or fewer;
    /// [`Error::UnsupportedType`] when a column has another type.
    pub fn update(&mut self, rows: usize, columns: &[&dyn Array]) -> Result<Vec<u32>> {
        if columns.len() != self.keys.keys() {
            return Err(Error::length_mismatch(self.keys.keys(), columns.len()));
        }
        if let Some(odd) = columns.iter().map(|column| column.len()).find(|&length| length != rows) {
            return Err(Error::length_mismatch(rows, odd));
        }
        self.rows += rows;
        let mut numbers = Vec::with_capacity(rows);
        for start in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - start);
            let slice = |column: &&dyn Array| -> Result<ArrayRef> {
                let slice = column.slice(start, count);
                Ok(runs::expand(slice.as_ref())?.unwrap_or(slice))
            };
            let block = all(columns.iter().map(slice))?;
            numbers.extend(self.keys.ids(count, &block, self.rows)?);
        }
        Ok(numbers)
    }
}
