//! Comparisons and tests: a column and a literal, or two columns, to a [`Truth`] per row.
//!
//! Every ordered comparison of a fixed-width column is one question: does the value's order-preserving
//! key lie in a range? `x < c`, `x = c`, `between` and their negations differ only in the range, so one
//! loop per byte width serves all of them (see `range.rs`). A dictionary column answers the question once
//! per dictionary value and then looks the answers up.
//!
//! Floats follow IEEE 754's total order, as arrow-ord does, with one difference: −0.0 equals 0.0. A NaN
//! equals a NaN of the same bits' sign and lies beyond the infinity of that sign.

mod columns;
mod dictionary;
mod literal;
mod range;
mod text;
mod truth;

use arrow_array::Array;
use arrow_array::cast::AsArray;

pub use columns::compare_columns;
pub(crate) use literal::{bind_between, bind_compare, bind_in, bind_text};
pub use truth::Truth;

use crate::query::{CompareOp, Scalar, TextTest};
use crate::types::{self, Kind};
use crate::{Result, bits, runs};

/// A question about one value, bound to a column's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// Unknown for every row (a comparison with NULL).
    Unknown,
    /// The same answer for every row that is not null.
    Constant(bool),
    /// The key lies between these, both included (or does not).
    Range { ends: Box<(u128, u128)>, negate: bool },
    /// The key is one of these, which are sorted.
    Keys(Vec<u128>),
    /// The boolean is this.
    Boolean(bool),
    /// The bytes stand in this order to the value.
    Bytes { op: CompareOp, value: Vec<u8> },
    /// The bytes are one of these, which are sorted.
    BytesIn(Vec<Vec<u8>>),
    /// The text passes the test.
    Text(text::Pattern),
    /// Both hold.
    Both(Box<(Test, Test)>),
}

/// Asks a question of every row of an array.
pub(crate) fn run(array: &dyn Array, test: &Test) -> Result<Truth> {
    match test {
        Test::Unknown => return Ok(Truth::unknown(array.len())),
        Test::Both(pair) => return Ok(run(array, &pair.0)?.and(&run(array, &pair.1)?)),
        _ => {}
    }
    if let Some(expanded) = runs::expand(array)? {
        return run(expanded.as_ref(), test);
    }
    let kind = types::kind(array.data_type());
    let bits = match (kind, test) {
        (Kind::Null, _) => return Ok(Truth::unknown(array.len())),
        (Kind::Dictionary, _) => return dictionary::run(array, test),
        (_, Test::Constant(answer)) => crate::Mask::constant(array.len(), *answer).bits().clone(),
        (Kind::Fixed(width, order), Test::Range { ends, negate }) => {
            range::in_range(array, width, order, **ends, *negate)?
        }
        (Kind::Fixed(width, order), Test::Keys(keys)) => range::in_keys(array, width, order, keys)?,
        (Kind::Boolean, Test::Boolean(value)) => {
            let values = array.as_boolean().values();
            if *value { values.clone() } else { bits::combine(values, values, |a, _| !a) }
        }
        (Kind::Bytes, Test::Bytes { op, value }) => text::ordered(array, *op, value)?,
        (Kind::Bytes, Test::BytesIn(values)) => text::one_of(array, values)?,
        (Kind::Bytes, Test::Text(pattern)) => text::matches(array, pattern)?,
        _ => return Err(types::unsupported("compare", array.data_type())),
    };
    Ok(Truth::of_valid(bits, array.logical_nulls().as_ref()))
}

/// Compares a column with a literal: SQL's `column op value`.
///
/// `O(rows)`; reads the column once and writes an eighth of a byte per row.
///
/// # Errors
/// [`crate::Error::WrongType`] when the literal cannot be compared with the column's type,
/// [`crate::Error::UnsupportedType`] for nested types.
///
/// ```
/// # use arrow_array::Int32Array;
/// # use kernels::query::{CompareOp, Scalar};
/// let months = Int32Array::from(vec![Some(1), None, Some(3)]);
/// let mask = kernels::compare(&months, CompareOp::Gt, &Scalar::Int(2))?.to_mask();
/// assert_eq!(mask.bits().iter().collect::<Vec<_>>(), [false, false, true]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn compare(array: &dyn Array, op: CompareOp, value: &Scalar) -> Result<Truth> {
    run(array, &bind_compare("", array.data_type(), op, value)?)
}

/// Tests the text of a column, `ignore_case` being for ASCII letters. `O(bytes)`.
///
/// # Errors
/// [`crate::Error::WrongType`] when the column does not hold text.
pub fn test_text(array: &dyn Array, test: TextTest, value: &str, ignore_case: bool) -> Result<Truth> {
    run(array, &bind_text("", array.data_type(), test, value, ignore_case)?)
}

/// Which rows are null. `O(rows / 64)`.
#[must_use]
pub fn is_null(array: &dyn Array) -> Truth {
    match array.logical_nulls() {
        Some(nulls) => Truth::known(bits::combine(nulls.inner(), nulls.inner(), |valid, _| !valid)),
        None => Truth::constant(array.len(), false),
    }
}

/// One bit per row of a byte-string column.
fn test_bytes(array: &dyn Array, test: impl Fn(&[u8]) -> bool) -> Result<arrow_buffer::BooleanBuffer> {
    if cfg!(feature = "small") {
        // One loop for all tests, which it calls through a pointer.
        each_bytes(array, &test as &dyn Fn(&[u8]) -> bool)
    } else {
        each_bytes(array, test)
    }
}

fn each_bytes(array: &dyn Array, test: impl Fn(&[u8]) -> bool) -> Result<arrow_buffer::BooleanBuffer> {
    let column = crate::bytes::BytesColumn::try_new(array, "compare")?;
    let rows = array.len();
    let mut words = vec![0u64; rows.div_ceil(64)];
    for (block, word) in words.iter_mut().enumerate() {
        let start = block * 64;
        for row in start..(start + 64).min(rows) {
            *word |= u64::from(test(column.get(row))) << (row - start);
        }
    }
    Ok(bits::from_words(words, rows))
}
