//! Fixed-width values where machine code is dear: loops for each of four words, longer values as bytes.

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
        1 => each::<u8>(&buffers, places),
        2 => each::<u16>(&buffers, places),
        4 => each::<u32>(&buffers, places),
        8 => each::<u64>(&buffers, places),
        _ => {
            let mut gathered: Vec<u8> = Vec::with_capacity(places.len() * width);
            for position in 0..places.len() {
                let (chunk, row) = places.get(position);
                gathered.extend_from_slice(&buffers[chunk][row * width..][..width]);
            }
            Buffer::from_vec(gathered)
        }
    })
}

fn each<T: ArrowNativeType>(buffers: &[&Buffer], places: &Places<'_>) -> Buffer {
    let words: Vec<&[T]> = buffers.iter().map(|buffer| buffer.typed_data()).collect();
    Buffer::from_vec(match places {
        Places::One(rows, _) => {
            let words = words[0];
            rows.iter().map(|&row| words[row as usize]).collect::<Vec<T>>()
        }
        Places::Many(places) => {
            let words = &words[..];
            places.iter().map(|&(chunk, row)| words[chunk as usize][row as usize]).collect()
        }
    })
}
