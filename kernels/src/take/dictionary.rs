//! Dictionary columns: keys are gathered; the values are shared, or merged when chunks bring their own.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

use super::{Places, take_chunks};
use crate::arrays::Trust;
use crate::bytes::BytesColumn;
use crate::group::ByteInterner;
use crate::types::{self, Kind, Word, by_ordered_width};
use crate::{Error, Indices, Result, bits};

pub(super) fn gather(data_type: &DataType, chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    let unsupported = || types::unsupported("take", data_type);
    let DataType::Dictionary(key_type, _) = data_type else { return Err(unsupported()) };
    let dictionaries =
        chunks.iter().map(|chunk| chunk.as_any_dictionary_opt()).collect::<Option<Vec<_>>>().ok_or_else(unsupported)?;
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

/// A dictionary array of no rows.
pub(super) fn empty(data_type: &DataType) -> Result<ArrayRef> {
    let DataType::Dictionary(key_type, values) = data_type else {
        return Err(types::unsupported("take", data_type));
    };
    dictionary_from_codes(key_type, Vec::new(), None, super::empty(values)?)
}

/// Keys of every chunk as numbers; `None` is null.
fn key_ids(keys: &[&dyn Array]) -> Result<Vec<Vec<Option<u64>>>> {
    keys.iter()
        .map(|keys| {
            let Kind::Fixed(width, _) = types::kind(keys.data_type()) else {
                return Err(types::unsupported("take", keys.data_type()));
            };
            by_ordered_width!(width, "take", keys.data_type(), |T| {
                let words = types::fixed_words::<T>(*keys, "take")?;
                Ok((0..keys.len()).map(|row| keys.is_valid(row).then(|| Word::widen(words[row]) as u64)).collect())
            })
        })
        .collect()
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
        return Err(Error::Overflow { operation: "dictionary key", column: String::new() });
    }
    let Kind::Fixed(width, _) = types::kind(key_type) else {
        return Err(types::unsupported("dictionary key", key_type));
    };
    by_ordered_width!(width, "dictionary key", key_type, |T| {
        let words: Vec<T> = codes.iter().map(|&code| T::narrow(code.into())).collect();
        types::make_fixed(key_type, words, nulls, "dictionary key")
    })
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
    fn build<K: ArrowDictionaryKeyType>(keys: &dyn Array, values: ArrayRef, trust: Option<Trust>) -> Result<ArrayRef> {
        let keys: &PrimitiveArray<K> =
            keys.as_primitive_opt().ok_or_else(|| types::unsupported("dictionary", keys.data_type()))?;
        if trust.is_some() {
            // SAFETY: every valid key is the number of a value: vouched for.
            return Ok(Arc::new(unsafe { DictionaryArray::<K>::new_unchecked(keys.clone(), values) }));
        }
        Ok(Arc::new(DictionaryArray::<K>::try_new(keys.clone(), values)?))
    }
    let keys = keys.as_ref();
    match key_type {
        DataType::Int8 => build::<Int8Type>(keys, values, trust),
        DataType::Int16 => build::<Int16Type>(keys, values, trust),
        DataType::Int32 => build::<Int32Type>(keys, values, trust),
        DataType::Int64 => build::<Int64Type>(keys, values, trust),
        DataType::UInt8 => build::<UInt8Type>(keys, values, trust),
        DataType::UInt16 => build::<UInt16Type>(keys, values, trust),
        DataType::UInt32 => build::<UInt32Type>(keys, values, trust),
        DataType::UInt64 => build::<UInt64Type>(keys, values, trust),
        _ => Err(types::unsupported("dictionary", key_type)),
    }
}
