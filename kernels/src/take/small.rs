//! Fixed-width values where machine code is dear: a loop for each of four words, longer values word by word.

use arrow_array::Array;
use arrow_buffer::{ArrowNativeType, Buffer};

use super::Places;
use crate::Result;
use crate::types::{self, unsupported};

/// The values at the places, of so many bytes each.
pub(super) fn gather_words(chunks: &[&dyn Array], width: usize, places: &Places<'_>) -> Result<Buffer> {
    let mut buffers = Vec::new();
    for chunk in chunks {
        buffers.push(types::fixed_buffer(*chunk).ok_or_else(|| unsupported("take", chunk.data_type()))?);
    }
    Ok(match width {
        1 => each::<u8>(&buffers, 1, places),
        2 => each::<u16>(&buffers, 1, places),
        4 => each::<u32>(&buffers, 1, places),
        _ => each::<u64>(&buffers, width / 8, places),
    })
}

/// A value is `count` words that follow one another.
fn each<T: ArrowNativeType>(buffers: &[&Buffer], count: usize, places: &Places<'_>) -> Buffer {
    let words: Vec<&[T]> = buffers.iter().map(|buffer| buffer.typed_data()).collect();
    let mut gathered = vec![T::default(); places.len() * count];
    for (position, value) in gathered.chunks_exact_mut(count).enumerate() {
        let (chunk, row) = places.get(position);
        value.iter_mut().zip(&words[chunk][row * count..]).for_each(|(to, &word)| *to = word);
    }
    Buffer::from_vec(gathered)
}
