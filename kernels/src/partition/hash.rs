//! The hash of rows, which others may compute, too: it speaks of values and never of how they lie in memory.
//!
//! `mix(x)` is the end of SplitMix64 (Steele, Lea and Flood, 2014), and `fold(h, w) = mix((h + 0x9e3779b97f4a7c15) ^ w)`, all
//! modulo 2⁶⁴. A value's hash folds its words of 64 bits, beginning with `h = 0`:
//!
//! * a boolean is 0 or 1; an integer, a date, a time or a decimal's digits is one word, by its sign widened, and as many more
//!   as it needs, the lowest first: so the width of its type does not matter;
//! * a float is its value as a double; −0.0 is 0.0, and every NaN is `0x7ff8000000000000`;
//! * bytes and text are words in little-endian order, the last one filled up with zeros, and then their number;
//! * a month-day-nano interval is its two words, however they look;
//! * a null is the one word `0x6c6c756e`, and not folded.
//!
//! A row's hash folds the hashes of its keys, beginning with `h = 0`. It is one word at a time, so short keys are cheap and
//! long text costs a multiplication per byte at most; hashes with more lanes gain only on long text. It does not
//! withstand someone who looks for collisions: parts are not tables.
//!
//! A dictionary's values are hashed once each, and runs once a run.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};

use crate::bytes::BytesColumn;
use crate::types::{self, Kind, Order, Width};
use crate::{Error, Result, runs};

/// The hash of a null.
const NULL: u64 = 0x6c6c_756e;
/// The one NaN.
const NAN: u64 = 0x7ff8_0000_0000_0000;

/// Every bit of the result depends on every bit given.
#[inline(always)]
pub(super) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A hash that knows one word more.
#[inline(always)]
pub(super) fn fold(hash: u64, word: u64) -> u64 {
    mix(hash.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word)
}

/// The hash of each row's keys.
///
/// # Errors
/// [`Error::UnsupportedType`] for nested types; [`Error::LengthMismatch`]; [`Error::InvalidPlan`] without keys.
pub fn hash_rows(columns: &[&dyn Array]) -> Result<Vec<u64>> {
    let Some(first) = columns.first() else { return Err(Error::invalid_plan("parts need at least one key", "")) };
    let mut hashes = vec![0; first.len()];
    for column in columns {
        if column.len() != hashes.len() {
            return Err(Error::length_mismatch(hashes.len(), column.len()));
        }
        for (hash, value) in hashes.iter_mut().zip(hash_values(*column)?) {
            *hash = fold(*hash, value);
        }
    }
    Ok(hashes)
}

fn hash_values(array: &dyn Array) -> Result<Vec<u64>> {
    let expanded = runs::expand(array)?;
    let array = expanded.as_deref().unwrap_or(array);
    let mut hashes = match types::kind(array.data_type()) {
        Kind::Null => return Ok(vec![NULL; array.len()]),
        Kind::Boolean => array.as_boolean().values().iter().map(|bit| fold(0, bit.into())).collect(),
        Kind::Fixed(width, order) => match narrow_words(array, width, order)? {
            Some(words) => words.into_iter().map(|word| fold(0, word)).collect(),
            None => {
                let values = fixed_bytes(array, width)?;
                values.chunks_exact(width.bytes()).map(|value| fold_wide(value, order)).collect::<Vec<_>>()
            }
        },
        Kind::Bytes => {
            let column = BytesColumn::try_new(array, "partition")?;
            (0..array.len()).map(|row| fold_bytes(column.get(row))).collect()
        }
        Kind::Dictionary => {
            let Some(dictionary) = array.as_any_dictionary_opt() else {
                return Err(types::unsupported("partition", array.data_type()));
            };
            let values = hash_values(dictionary.values().as_ref())?;
            let places = types::value_places(dictionary).into_iter();
            places.map(|place| values.get(place).copied().unwrap_or(NULL)).collect()
        }
        Kind::Nested => return Err(types::unsupported("partition", array.data_type())),
    };
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (hash, valid) in hashes.iter_mut().zip(nulls) {
            if !valid {
                *hash = NULL;
            }
        }
    }
    Ok(hashes)
}

/// The bytes of a fixed-width array's values.
pub(super) fn fixed_bytes(array: &dyn Array, width: Width) -> Result<&[u8]> {
    let bytes = types::fixed_buffer(array).and_then(|buffer| buffer.get(..array.len() * width.bytes()));
    bytes.ok_or_else(|| types::unsupported("partition", array.data_type()))
}

/// Values of at most eight bytes as one word each: widened by their sign, floats as the doubles that stand for them. `None`
/// for wider ones.
pub(super) fn narrow_words(array: &dyn Array, width: Width, order: Order) -> Result<Option<Vec<u64>>> {
    if order == Order::Float {
        let doubles = float_words(array);
        return doubles.map(Some).ok_or_else(|| types::unsupported("partition", array.data_type()));
    }
    let values = fixed_bytes(array, width)?;
    let is_signed = order == Order::Signed;
    Ok(Some(match width {
        Width::W1 => words(values, |&[a]: &[u8; 1]| if is_signed { i64::from(a as i8) as u64 } else { a.into() }),
        Width::W2 => words(values, |&bytes: &[u8; 2]| match is_signed {
            true => i64::from(i16::from_ne_bytes(bytes)) as u64,
            false => u16::from_ne_bytes(bytes).into(),
        }),
        Width::W4 => words(values, |&bytes: &[u8; 4]| match is_signed {
            true => i64::from(i32::from_ne_bytes(bytes)) as u64,
            false => u32::from_ne_bytes(bytes).into(),
        }),
        Width::W8 => words(values, |&bytes: &[u8; 8]| u64::from_ne_bytes(bytes)),
        Width::W16 | Width::W16Interval | Width::W32 => return Ok(None),
    }))
}

fn words<const N: usize>(values: &[u8], word: impl Fn(&[u8; N]) -> u64) -> Vec<u64> {
    values.as_chunks::<N>().0.iter().map(word).collect()
}

fn float_words(array: &dyn Array) -> Option<Vec<u64>> {
    let one = |value: f64| match value {
        0.0 => 0,
        value if value.is_nan() => NAN,
        value => value.to_bits(),
    };
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        return Some(array.values().iter().map(|&value| one(value)).collect());
    }
    if let Some(array) = array.as_primitive_opt::<Float32Type>() {
        return Some(array.values().iter().map(|&value| one(value.into())).collect());
    }
    let array = array.as_primitive_opt::<Float16Type>()?;
    Some(array.values().iter().map(|value| one(value.to_f64())).collect())
}

/// The words of a wide value, the lowest first.
pub(super) fn wide_words(value: &[u8]) -> impl Iterator<Item = u64> {
    value.as_chunks::<8>().0.iter().map(|&word| u64::from_le_bytes(word))
}

fn fold_wide(value: &[u8], order: Order) -> u64 {
    let mut words = [0; 4];
    let mut count = 0;
    for (place, word) in words.iter_mut().zip(wide_words(value)) {
        *place = word;
        count += 1;
    }
    // Words that only repeat the sign say nothing.
    let sign = |word: u64| (word as i64 >> 63) as u64;
    while order == Order::Signed && count > 1 && words[count - 1] == sign(words[count - 2]) {
        count -= 1;
    }
    words[..count].iter().fold(0, |hash, &word| fold(hash, word))
}

fn fold_bytes(value: &[u8]) -> u64 {
    let (whole, rest) = value.as_chunks::<8>();
    let mut hash = whole.iter().fold(0, |hash, &word| fold(hash, u64::from_le_bytes(word)));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = fold(hash, u64::from_le_bytes(last));
    }
    fold(hash, value.len() as u64)
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Decimal128Array, Int8Array, Int64Array, StringArray};

    use super::*;

    /// These numbers are promised: parts that were made elsewhere, or yesterday, are the same ones.
    #[test]
    fn the_hash_is_what_it_was() {
        let columns: [&dyn Array; 3] = [
            &Int64Array::from(vec![Some(0), Some(-1), None]),
            &StringArray::from(vec![Some(""), Some("JFK"), Some("longer than eight")]),
            &arrow_array::Float64Array::from(vec![0.0, 1.5, f64::NAN]),
        ];
        let found: Vec<Vec<u64>> = columns.iter().map(|column| hash_values(*column).unwrap_or_default()).collect();
        assert_eq!(found[0], [0xe220_a839_7b1d_cdaf, mix(0x61c8_8646_80b5_83ea), NULL]);
        assert_eq!(hash_rows(&columns).unwrap_or_default(), EXPECTED);
    }

    const EXPECTED: [u64; 3] = [0x6ec1_9cb5_eed5_62e0, 0x7994_ac5f_3970_aa16, 0x17af_6b82_ad04_2812];

    #[test]
    fn the_width_of_a_number_does_not_matter() {
        let wide = Decimal128Array::from(vec![5, -5, 127]);
        let arrays: [ArrayRef; 2] = [std::sync::Arc::new(Int8Array::from(vec![5, -5, 127])), std::sync::Arc::new(wide)];
        let [narrow, wide] = arrays.map(|array| hash_values(&array).unwrap_or_default());
        assert_eq!(narrow, wide);
    }
}
