//! A column against a column of the same type.

use std::cmp::Ordering;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBuffer;

use super::Truth;
use crate::bitcode::load_keys;
use crate::bytes::BytesColumn;
use crate::query::CompareOp;
use crate::types::{self, Kind, Order, Width, Word, by_ordered_width};
use crate::{Error, Result, bits, runs};

/// Compares two columns of one type row by row; unknown where either is null.
///
/// `O(rows)`, and for text the bytes up to the first that differs.
///
/// # Errors
/// [`Error::LengthMismatch`]; [`Error::SchemaMismatch`] for two types; [`Error::UnsupportedType`] for types without an
/// order.
pub fn compare_columns(left: &dyn Array, op: CompareOp, right: &dyn Array) -> Result<Truth> {
    if left.len() != right.len() {
        return Err(Error::length_mismatch(left.len(), right.len()));
    }
    if left.data_type() != right.data_type() {
        return Err(Error::schema_mismatch(1, left.data_type(), right.data_type()));
    }
    if let (Some(left), Some(right)) = (runs::expand(left)?, runs::expand(right)?) {
        return compare_columns(left.as_ref(), op, right.as_ref());
    }
    let holds = |ordering: Ordering| op.holds(ordering);
    let rows = left.len();
    let bits = match types::kind(left.data_type()) {
        Kind::Null => return Ok(Truth::unknown(rows)),
        Kind::Boolean => {
            let (left, right) = (left.as_boolean().values(), right.as_boolean().values());
            bits::collect(rows, |row| holds(left.value(row).cmp(&right.value(row))))
        }
        Kind::Fixed(width @ (Width::W1 | Width::W2 | Width::W4 | Width::W8), order) if cfg!(feature = "small") => {
            small_words(left, right, width, order, &holds)?
        }
        Kind::Fixed(width, order) => by_ordered_width!(width, "compare", left.data_type(), |T| {
            let a = types::fixed_words::<T>(left, "compare")?;
            let b = types::fixed_words::<T>(right, "compare")?;
            bits::collect(rows, |row| holds(ordered_key(a[row], order).cmp(&ordered_key(b[row], order))))
        }),
        Kind::Bytes => {
            let (a, b) = (BytesColumn::try_new(left, "compare")?, BytesColumn::try_new(right, "compare")?);
            bits::collect(rows, |row| holds(a.get(row).cmp(b.get(row))))
        }
        Kind::Dictionary => return compare_dictionaries(left, right, &holds),
        Kind::Nested => return Err(types::unsupported("compare", left.data_type())),
    };
    let nulls = bits::both_valid(left.logical_nulls().as_ref(), right.logical_nulls().as_ref());
    Ok(Truth::of_valid(bits, nulls.as_ref()))
}

/// One loop for all widths, behind a loop for each that turns words into keys.
fn small_words(
    left: &dyn Array,
    right: &dyn Array,
    width: Width,
    order: Order,
    holds: &dyn Fn(Ordering) -> bool,
) -> Result<BooleanBuffer> {
    let zero = 1 << (8 * width.bytes() - 1);
    // The key below that of zero is that of −0.0.
    let number = |key: u64| if order == Order::Float && key == zero - 1 { zero } else { key };
    let rows = left.len();
    let mut words = Vec::with_capacity(rows.div_ceil(64));
    let (mut a, mut b) = ([0; 64], [0; 64]);
    for at in (0..rows).step_by(64) {
        let count = 64.min(rows - at);
        load_keys(left, at, &mut a[..count], "compare")?;
        load_keys(right, at, &mut b[..count], "compare")?;
        let each = a[..count].iter().zip(&b).enumerate();
        words.push(each.fold(0, |word, (bit, (&a, &b))| word | u64::from(holds(number(a).cmp(&number(b)))) << bit));
    }
    Ok(bits::from_words(words, rows))
}

/// The key of a value, with −0.0 taken for 0.0.
fn ordered_key<T: Word>(word: T, order: Order) -> T {
    word.to_key(order).max(if order == Order::Float && word == T::TOP { T::TOP } else { T::narrow(0) })
}

fn compare_dictionaries(left: &dyn Array, right: &dyn Array, holds: &dyn Fn(Ordering) -> bool) -> Result<Truth> {
    let unsupported = || types::unsupported("compare", left.data_type());
    let a = left.as_any_dictionary_opt().ok_or_else(unsupported)?;
    let b = right.as_any_dictionary_opt().ok_or_else(unsupported)?;
    if a.values().is_empty() || b.values().is_empty() {
        return Ok(Truth::unknown(left.len()));
    }
    let (a_values, b_values) =
        (BytesColumn::try_new(a.values().as_ref(), "compare")?, BytesColumn::try_new(b.values().as_ref(), "compare")?);
    let (a_keys, b_keys) = (a.normalized_keys(), b.normalized_keys());
    let nulls = bits::both_valid(left.logical_nulls().as_ref(), right.logical_nulls().as_ref());
    let bits = bits::collect(left.len(), |row| {
        nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
            && holds(a_values.get(a_keys[row]).cmp(b_values.get(b_keys[row])))
    });
    Ok(Truth::of_valid(bits, nulls.as_ref()))
}
