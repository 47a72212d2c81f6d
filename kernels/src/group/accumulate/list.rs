//! Aggregates whose results are lists: all values of a group, or its greatest ones.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::for_each_valid;
use crate::types::{self, Kind, Order, Word, by_ordered_width};
use crate::{Error, Indices, Result, take};

/// A list of values of a type.
pub(super) fn list_type(input: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", input.clone(), true)))
}

fn make_list(lengths: impl Iterator<Item = usize>, values: ArrayRef) -> Result<ArrayRef> {
    let bytes = values.len();
    if i32::try_from(bytes).is_err() {
        return Err(Error::offset_overflow(bytes));
    }
    let mut end = 0;
    let ends = lengths.map(|length| {
        end += length as i32;
        end
    });
    let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::new(ScalarBuffer::from(offsets)), values, None)?))
}

/// All values of each group in the order of their rows, nulls among them.
#[derive(Debug)]
pub(in crate::group) struct Lists {
    data_type: DataType,
    parts: Vec<ArrayRef>,
    ids: Vec<u32>,
}

impl Lists {
    pub(super) fn new(input: &DataType) -> Self {
        Self { data_type: input.clone(), parts: Vec::new(), ids: Vec::new() }
    }

    pub(super) fn update(&mut self, ids: &[u32], array: &dyn Array) {
        if !ids.is_empty() {
            self.ids.extend_from_slice(ids);
            self.parts.push(array.slice(0, array.len()));
        }
    }

    pub(super) fn merge(&mut self, ids: &[u32], other: &Self) {
        self.ids.extend(other.ids.iter().map(|&id| ids[id as usize]));
        self.parts.extend(other.parts.iter().cloned());
    }

    pub(super) fn array(&self, groups: usize) -> Result<ArrayRef> {
        let mut lengths = vec![0usize; groups];
        self.ids.iter().for_each(|&id| lengths[id as usize] += 1);
        let mut ends = lengths.clone();
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let rows = u32::try_from(self.ids.len()).map_err(|_| Error::too_many_rows(self.ids.len()))?;
        let mut order = vec![0u32; self.ids.len()];
        for (row, &id) in (0..rows).zip(&self.ids) {
            let end = &mut ends[id as usize];
            order[*end] = row;
            *end += 1;
        }
        let values = if self.parts.is_empty() {
            take::empty(&self.data_type)?
        } else {
            let parts: Vec<&dyn Array> = self.parts.iter().map(|part| part.as_ref()).collect();
            take::take_chunks(&parts, &Indices::new_unchecked(order, rows as usize))?
        };
        make_list(lengths.into_iter(), values)
    }
}

/// The greatest values of each group, the greatest first.
#[derive(Debug)]
pub(in crate::group) struct Top {
    data_type: DataType,
    most: usize,
    /// `most` keys for each group in descending order, zeros where there are fewer.
    keys: Vec<u64>,
    lengths: Vec<u32>,
}

impl Top {
    /// `None` when the type has no order or its values are wider than 64 bits.
    pub(super) fn new(input: &DataType, most: u32) -> Option<Self> {
        match types::kind(input) {
            Kind::Fixed(width, order) if order != Order::None && super::is_narrow(width) && most > 0 => {
                let most = most as usize;
                Some(Self { data_type: input.clone(), most, keys: Vec::new(), lengths: Vec::new() })
            }
            _ => None,
        }
    }

    fn resize(&mut self, groups: usize) -> Result<()> {
        let keys = groups.checked_mul(self.most).filter(|&keys| keys <= i32::MAX as usize);
        let keys = keys.ok_or_else(|| Error::offset_overflow(usize::MAX))?;
        self.keys.resize(keys.max(self.keys.len()), 0);
        self.lengths.resize(groups.max(self.lengths.len()), 0);
        Ok(())
    }

    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        self.resize(groups)?;
        let Kind::Fixed(width, order) = types::kind(array.data_type()) else {
            return Err(types::unsupported("top", array.data_type()));
        };
        by_ordered_width!(width, "top", array.data_type(), |T| {
            let words = types::fixed_words::<T>(array, "top")?;
            for_each_valid(ids, array.nulls(), |id, row| {
                self.add(id, Word::widen(words[row].to_key(order)) as u64);
            });
        });
        Ok(())
    }

    #[inline(always)]
    fn add(&mut self, id: usize, key: u64) {
        let kept = &mut self.keys[id * self.most..][..self.most];
        let last = kept.len() - 1;
        // Most rows end here, with one look; a zero may be no key yet.
        if key < kept[last] || key == kept[last] && self.lengths[id] as usize == self.most {
            return;
        }
        let length = &mut self.lengths[id];
        let mut at = (*length as usize).min(last);
        while at > 0 && kept[at - 1] < key {
            kept[at] = kept[at - 1];
            at -= 1;
        }
        kept[at] = key;
        *length = (*length + 1).min(self.most as u32);
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        self.resize(groups)?;
        for ((&id, &length), keys) in ids.iter().zip(&other.lengths).zip(other.keys.chunks(other.most)) {
            keys[..length as usize].iter().for_each(|&key| self.add(id as usize, key));
        }
        Ok(())
    }

    pub(super) fn array(&self, groups: usize) -> Result<ArrayRef> {
        let Kind::Fixed(width, order) = types::kind(&self.data_type) else {
            return Err(types::unsupported("top", &self.data_type));
        };
        let length = |group: usize| self.lengths.get(group).copied().unwrap_or(0) as usize;
        let keys = (0..groups).flat_map(|group| self.keys[group * self.most..][..length(group)].iter().copied());
        let values = by_ordered_width!(width, "top", &self.data_type, |T| {
            let words: Vec<T> = keys.map(|key| T::narrow(key.into()).to_word(order)).collect();
            types::make_fixed(&self.data_type, words, None, "top")?
        });
        make_list((0..groups).map(length), values)
    }
}
