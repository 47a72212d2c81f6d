//! Compaction of a column in chunks, each with its mask, into one array: every value is copied once.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, NullArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use super::fixed::{Bits, compact_into};
use super::text;
use crate::types::{self, Kind, by_width};
use crate::{Error, Mask, Result, bits};

/// The selected rows; `None` of types whose values have no place of their own in the chunk (views, dictionaries,
/// nested values), which are gathered by row number.
pub(super) fn compact(chunks: &[&dyn Array], masks: &[&Mask]) -> Result<Option<ArrayRef>> {
    let Some(data_type) = types::one_type(chunks)? else { return Ok(None) };
    if let Some((chunk, mask)) = chunks.iter().zip(masks).find(|(chunk, mask)| chunk.len() != mask.len()) {
        return Err(Error::length_mismatch(mask.len(), chunk.len()));
    }
    let selected = masks.iter().map(|mask| mask.selected()).sum();
    match types::kind(data_type) {
        Kind::Fixed(width, _) => {
            let kept = by_width!(width, |T| {
                let mut kept: Vec<T> = Vec::new();
                for (chunk, mask) in chunks.iter().zip(masks) {
                    let words = types::fixed_words::<T>(*chunk, "filter")?;
                    // Of a few rows, most lines of the cache hold none.
                    if mask.selected() < words.len() / 20 {
                        bits::for_each_set(mask.bits(), |row| kept.push(words[row]));
                    } else {
                        compact_into(words, mask, &mut kept, selected);
                    }
                }
                Buffer::from_vec(kept)
            });
            types::make_fixed_buffer(data_type, kept, nulls(chunks, masks, selected), "filter").map(Some)
        }
        Kind::Boolean => {
            let values = chunks.iter().map(|chunk| Some(chunk.as_boolean().values()));
            let kept = compact_bits(values, masks, selected);
            Ok(Some(Arc::new(BooleanArray::new(kept, nulls(chunks, masks, selected)))))
        }
        Kind::Null => Ok(Some(Arc::new(NullArray::new(selected)))),
        Kind::Bytes => text::compact(chunks, masks, nulls(chunks, masks, selected)),
        Kind::Dictionary | Kind::Nested => Ok(None),
    }
}

fn nulls(chunks: &[&dyn Array], masks: &[&Mask], selected: usize) -> Option<NullBuffer> {
    let of =
        |chunk: &dyn Array| chunk.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone());
    let all: Vec<Option<BooleanBuffer>> = chunks.iter().map(|chunk| of(*chunk)).collect();
    if all.iter().all(Option::is_none) {
        return None;
    }
    bits::nulls_from_bits(compact_bits(all.iter().map(Option::as_ref), masks, selected))
}

/// The selected bits; ones where there is no bitmap.
fn compact_bits<'a>(
    values: impl Iterator<Item = Option<&'a BooleanBuffer>>,
    masks: &[&Mask],
    selected: usize,
) -> BooleanBuffer {
    let mut kept = Bits::with_capacity(selected);
    for (values, mask) in values.zip(masks) {
        match values {
            Some(values) => kept.append(values, mask),
            None => kept.append(&BooleanBuffer::new_set(mask.len()), mask),
        }
    }
    kept.finish(selected)
}
