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
    match places {
        Places::One(rows, _) if count == 1 => {
            let words = words[0];
            Buffer::from_vec(rows.iter().map(|&row| words[row as usize]).collect::<Vec<T>>())
        }
        Places::Many(places) if count == 1 => {
            Buffer::from_vec(places.iter().map(|&(chunk, row)| words[chunk as usize][row as usize]).collect::<Vec<T>>())
        }
        _ => {
            let mut gathered = Vec::with_capacity(places.len() * count);
            for position in 0..places.len() {
                let (chunk, row) = places.get(position);
                gathered.extend_from_slice(&words[chunk][row * count..][..count]);
            }
            Buffer::from_vec(gathered)
        }
    }
}
