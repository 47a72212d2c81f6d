//! Dictionary columns: keys are gathered; the values are shared, or merged when chunks bring their own.

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::{Places, take_chunks};
use crate::arrays::Trust;
use crate::bytes::BytesColumn;
use crate::group::ByteInterner;
use crate::types::{self, Kind, Order};
use crate::{Error, Indices, Result, bits};

pub(super) fn gather(data_type: &DataType, chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    let DataType::Dictionary(key_type, _) = data_type else { return Err(types::unsupported("take", data_type)) };
    let dictionaries = types::dictionaries(chunks, "take")?;
    let values: Vec<&ArrayRef> = dictionaries.iter().map(|dictionary| dictionary.values()).collect();
    let keys: Vec<&dyn Array> = dictionaries.iter().map(|dictionary| dictionary.keys()).collect();
    let first = values[0];
    if values.iter().all(|values| Arc::ptr_eq(first, values) || first.to_data().ptr_eq(&values.to_data())) {
        return dictionary_array(key_type, super::gather(&keys, places)?, first.clone(), None);
    }
    let (merged, maps) = merge(&values)?;
    let ids = key_ids(&keys)?;
    let mut nulls = Vec::with_capacity(places.len());
    let mut codes = Vec::with_capacity(places.len());
    for position in 0..places.len() {
        let (chunk, row) = places.get(position);
        let id = ids[chunk][row].and_then(|key| maps[chunk].get(key as usize).copied());
        nulls.push(id.is_some());
        codes.push(id.unwrap_or(0));
    }
    let nulls = bits::nulls_from_bits(BooleanBuffer::from(nulls));
    dictionary_array(key_type, codes_to_keys(key_type, codes, nulls)?, merged, None)
}

/// Keys of every chunk as numbers; `None` is null.
fn key_ids(keys: &[&dyn Array]) -> Result<Vec<Vec<Option<u64>>>> {
    let mut ids = Vec::with_capacity(keys.len());
    for keys in keys {
        let mut words = vec![0; keys.len()];
        types::load_words(*keys, 0, &mut words, "take")?;
        ids.push(words.iter().enumerate().map(|(row, &word)| keys.is_valid(row).then_some(word)).collect());
    }
    Ok(ids)
}

/// One values array for several, equal byte strings once, and where each old value went.
fn merge(values: &[&ArrayRef]) -> Result<(ArrayRef, Vec<Vec<u32>>)> {
    let chunks: Vec<&dyn Array> = values.iter().map(|values| values.as_ref()).collect();
    let rows: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let deduplicate = types::kind(chunks[0].data_type()) == Kind::Bytes;
    let mut interner = ByteInterner::default();
    let mut null = None;
    let mut kept = Vec::new();
    let mut maps = Vec::with_capacity(chunks.len());
    let mut start = 0u32;
    for chunk in &chunks {
        let mut map = Vec::with_capacity(chunk.len());
        let bytes = if deduplicate { Some(BytesColumn::try_new(*chunk, "take")?) } else { None };
        for row in 0..chunk.len() {
            let fresh = kept.len() as u32;
            let id = match &bytes {
                None => fresh,
                Some(_) if chunk.is_null(row) => *null.get_or_insert(fresh),
                // The interner counts byte strings only; the null, if any, stands among them.
                Some(bytes) => {
                    let id = interner.intern(bytes.get(row));
                    id + u32::from(null.is_some_and(|null| id >= null))
                }
            };
            if id == fresh {
                kept.push(start + row as u32);
            }
            map.push(id);
        }
        start += chunk.len() as u32;
        maps.push(map);
    }
    Ok((take_chunks(&chunks, &Indices::try_new(kept, rows)?)?, maps))
}

/// Numbers as an array of a dictionary's key type.
fn codes_to_keys(key_type: &DataType, codes: Vec<u32>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let greatest = codes.iter().copied().max().unwrap_or(0);
    let limit = match key_type {
        DataType::Int8 => i8::MAX as u32,
        DataType::UInt8 => u8::MAX.into(),
        DataType::Int16 => i16::MAX as u32,
        DataType::UInt16 => u16::MAX.into(),
        DataType::Int32 => i32::MAX as u32,
        _ => u32::MAX,
    };
    if greatest > limit {
        return Err(Error::overflow("dictionary key"));
    }
    let Kind::Fixed(width, _) = types::kind(key_type) else {
        return Err(types::unsupported("dictionary key", key_type));
    };
    types::make_narrow(key_type, width, codes.iter().map(|&code| code.into()), nulls, "dictionary key")
}

/// A dictionary array from an array of row codes (null is `None`) into `values`.
pub(crate) fn dictionary_from_codes(
    key_type: &DataType,
    codes: Vec<u32>,
    nulls: Option<NullBuffer>,
    values: ArrayRef,
) -> Result<ArrayRef> {
    dictionary_array(key_type, codes_to_keys(key_type, codes, nulls)?, values, None)
}

/// A dictionary array of the given keys; checks that each is in range, unless on trust.
pub(crate) fn dictionary_array(
    key_type: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
    trust: Option<Trust>,
) -> Result<ArrayRef> {
    let words = crate::arrays::fixed_values(keys.as_ref()).filter(|_| keys.data_type() == key_type);
    let (Some(words), nulls) = (words, keys.nulls().cloned()) else {
        return Err(types::unsupported("dictionary", keys.data_type()));
    };
    macro_rules! built {
        ($key:ty) => {{
            // SAFETY: the validity is that of the array which the words are of.
            let keys = unsafe { PrimitiveArray::<$key>::new_unchecked(ScalarBuffer::from(words), nulls) };
            // SAFETY: every valid key is the number of a value: that has been checked, or is vouched for.
            Ok(Arc::new(unsafe { DictionaryArray::<$key>::new_unchecked(keys, values) }))
        }};
    }
    if trust.is_none() {
        check_keys(keys.as_ref(), values.len())?;
    }
    match key_type {
        DataType::Int8 => built!(Int8Type),
        DataType::Int16 => built!(Int16Type),
        DataType::Int32 => built!(Int32Type),
        DataType::Int64 => built!(Int64Type),
        DataType::UInt8 => built!(UInt8Type),
        DataType::UInt16 => built!(UInt16Type),
        DataType::UInt32 => built!(UInt32Type),
        DataType::UInt64 => built!(UInt64Type),
        _ => Err(types::unsupported("dictionary", key_type)),
    }
}

/// Whether every valid key is the number of a value; the first that is not is named. A key below zero is, without its
/// sign, beyond all values that there can be of its width.
fn check_keys(keys: &dyn Array, values: usize) -> Result<()> {
    let Kind::Fixed(width, _) = types::kind(keys.data_type()) else {
        return Err(types::unsupported("dictionary", keys.data_type()));
    };
    let signed = matches!(types::kind(keys.data_type()), Kind::Fixed(_, Order::Signed));
    // Of a signed type, the numbers above its greatest are below zero.
    let limit = if signed { (values as u64).min(1 << (8 * width.bytes() - 1)) } else { values as u64 };
    let mut block = [0u64; 1024];
    for at in (0..keys.len()).step_by(block.len()) {
        let block = &mut block[..1024.min(keys.len() - at)];
        types::load_words(keys, at, block, "dictionary")?;
        if block.iter().fold(false, |wrong, &key| wrong | (key >= limit)) {
            let wrong = block.iter().enumerate().find(|&(row, &key)| key >= limit && keys.is_valid(at + row));
            if let Some((row, &key)) = wrong {
                let shift = 64 - 8 * width.bytes();
                let key = if signed { ((key << shift) as i64 >> shift).to_string() } else { key.to_string() };
                let text =
                    ["Invalid argument error: Invalid dictionary key ", &key, " at index ", &(at + row).to_string()]
                        .concat();
                let text = [&text, ", expected 0 <= key < ", &values.to_string()].concat();
                return Err(Error::arrow(&text));
            }
        }
    }
    Ok(())
}
