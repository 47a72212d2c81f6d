//! A sort key: every row's prefix, and the full comparison where a prefix is not the whole key.

use std::cmp::Ordering;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, i256};

use crate::bytes::BytesColumn;
use crate::types::{self, Kind, Width, Word, by_ordered_width};
use crate::{Error, Result};

/// A key column over all chunks.
#[derive(Debug)]
pub(super) struct Column<'a> {
    keys: Keys<'a>,
    nulls: Option<NullBuffer>,
}

#[derive(Debug)]
enum Keys<'a> {
    /// All rows are equal.
    None,
    Words(Vec<u64>),
    Wide(Vec<u128>),
    /// 256 bits, the most significant first.
    Long(Vec<[u128; 2]>),
    Bytes(Vec<&'a [u8]>),
}

impl<'a> Column<'a> {
    pub(super) fn try_new(chunks: &[&'a dyn Array]) -> Result<Self> {
        let Some(first) = chunks.first() else { return Ok(Self { keys: Keys::None, nulls: None }) };
        let data_type = first.data_type();
        if let Some((column, odd)) = chunks.iter().enumerate().find(|(_, chunk)| chunk.data_type() != data_type) {
            return Err(Error::SchemaMismatch { column, expected: data_type.clone(), found: odd.data_type().clone() });
        }
        let keys = match types::kind(data_type) {
            Kind::Null => Keys::None,
            Kind::Boolean => {
                Keys::Words(chunks.iter().flat_map(|chunk| chunk.as_boolean().values().iter().map(u64::from)).collect())
            }
            Kind::Fixed(Width::W16, order) => {
                let words = chunks.iter().map(|chunk| types::fixed_words::<u128>(*chunk, "sort"));
                Keys::Wide(
                    words.collect::<Result<Vec<_>>>()?.concat().into_iter().map(|word| word.to_key(order)).collect(),
                )
            }
            Kind::Fixed(Width::W32, _) => {
                let words = chunks.iter().map(|chunk| types::fixed_words::<i256>(*chunk, "sort"));
                Keys::Long(words.collect::<Result<Vec<_>>>()?.concat().into_iter().map(long_key).collect())
            }
            Kind::Fixed(_, types::Order::None) => return Err(types::unsupported("sort", data_type)),
            Kind::Fixed(width, order) => {
                let mut keys = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
                for chunk in chunks {
                    by_ordered_width!(width, "sort", data_type, |T| {
                        let words = types::fixed_words::<T>(*chunk, "sort")?;
                        keys.extend(words.iter().map(|word| Word::widen(word.to_key(order)) as u64));
                    });
                }
                Keys::Words(keys)
            }
            Kind::Bytes => {
                let mut values = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
                for chunk in chunks {
                    let column = BytesColumn::try_new(*chunk, "sort")?;
                    values.extend((0..chunk.len()).map(|row| column.get(row)));
                }
                Keys::Bytes(values)
            }
            Kind::Dictionary => Keys::Words(dictionary_ranks(chunks)?),
            Kind::Nested => return Err(types::unsupported("sort", data_type)),
        };
        let nulls = if matches!(keys, Keys::None) { None } else { join_nulls(chunks) };
        Ok(Self { keys, nulls })
    }

    pub(super) fn has_nulls(&self) -> bool {
        self.nulls.is_some()
    }

    pub(super) fn is_valid(&self, row: u32) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row as usize))
    }

    /// Whether rows with equal prefixes are equal.
    pub(super) fn prefix_is_key(&self) -> bool {
        matches!(self.keys, Keys::None | Keys::Words(_))
    }

    /// The first 64 bits of a row's key.
    #[inline]
    pub(super) fn prefix(&self, row: u32) -> u64 {
        let row = row as usize;
        match &self.keys {
            Keys::None => 0,
            Keys::Words(keys) => keys[row],
            Keys::Wide(keys) => (keys[row] >> 64) as u64,
            Keys::Long(keys) => (keys[row][0] >> 64) as u64,
            Keys::Bytes(values) => bytes_prefix(values[row]),
        }
    }

    /// The full comparison of two rows that are not null.
    pub(super) fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match &self.keys {
            Keys::None => Ordering::Equal,
            Keys::Words(keys) => keys[a].cmp(&keys[b]),
            Keys::Wide(keys) => keys[a].cmp(&keys[b]),
            Keys::Long(keys) => keys[a].cmp(&keys[b]),
            Keys::Bytes(values) => values[a].cmp(values[b]),
        }
    }
}

/// The first eight bytes as a big-endian number, zeros behind a shorter value.
#[inline]
fn bytes_prefix(value: &[u8]) -> u64 {
    match value.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => {
            let mut padded = [0u8; 8];
            padded[..value.len()].copy_from_slice(value);
            u64::from_be_bytes(padded)
        }
    }
}

fn long_key(value: i256) -> [u128; 2] {
    let (low, high) = value.to_parts();
    [(high as u128) ^ (1 << 127), low]
}

/// The place of each row's value among all distinct dictionary values in order.
fn dictionary_ranks(chunks: &[&dyn Array]) -> Result<Vec<u64>> {
    let unsupported = || types::unsupported("sort", chunks[0].data_type());
    let dictionaries =
        chunks.iter().map(|chunk| chunk.as_any_dictionary_opt()).collect::<Option<Vec<_>>>().ok_or_else(unsupported)?;
    let values: Vec<&dyn Array> = dictionaries.iter().map(|dictionary| dictionary.values().as_ref()).collect();
    let column = Column::try_new(&values)?;
    let total: usize = values.iter().map(|values| values.len()).sum();
    let mut order: Vec<u32> = (0..total as u32).collect();
    order.sort_unstable_by(|&a, &b| column.compare(a, b));
    let mut ranks = vec![0u64; total];
    for pair in order.windows(2) {
        let step = u64::from(column.compare(pair[0], pair[1]).is_ne());
        ranks[pair[1] as usize] = ranks[pair[0] as usize] + step;
    }
    let mut keys = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    let mut start = 0;
    for (dictionary, values) in dictionaries.iter().zip(&values) {
        let of_chunk = &ranks[start..start + values.len()];
        if values.is_empty() {
            keys.resize(keys.len() + dictionary.len(), 0);
        } else {
            keys.extend(dictionary.normalized_keys().into_iter().map(|key| of_chunk[key]));
        }
        start += values.len();
    }
    Ok(keys)
}

/// The validity of all chunks; `None` when nothing is null.
fn join_nulls(chunks: &[&dyn Array]) -> Option<NullBuffer> {
    let nulls: Vec<_> = chunks.iter().map(|chunk| chunk.logical_nulls()).collect();
    if nulls.iter().all(|nulls| nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0)) {
        return None;
    }
    let mut bits = BooleanBufferBuilder::new(chunks.iter().map(|chunk| chunk.len()).sum());
    for (chunk, nulls) in chunks.iter().zip(&nulls) {
        match nulls {
            Some(nulls) => bits.append_buffer(nulls.inner()),
            None => bits.append_n(chunk.len(), true),
        }
    }
    Some(NullBuffer::new(bits.finish()))
}
