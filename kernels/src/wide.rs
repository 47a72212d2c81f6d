//! Words of 128 and 256 bits as keys of two halves, which are ordered as the values are.

use arrow_array::Array;
use arrow_buffer::i256;

use crate::Result;
use crate::types::{self, Kind, Width};

const TOP: u128 = 1 << 127;

/// The words of a column of decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WideKeys<'a> {
    W16(&'a [u128]),
    W32(&'a [i256]),
}

impl<'a> WideKeys<'a> {
    /// Borrows an array of words of 128 or 256 bits.
    pub(crate) fn try_new(array: &'a dyn Array, operation: &'static str) -> Result<Self> {
        match types::kind(array.data_type()) {
            Kind::Fixed(Width::W32, _) => Ok(Self::W32(types::fixed_words(array, operation)?)),
            _ => Ok(Self::W16(types::fixed_words(array, operation)?)),
        }
    }

    /// Whether the first half is the whole key.
    pub(crate) fn is_half(self) -> bool {
        matches!(self, Self::W16(_))
    }

    /// The key of a row.
    pub(crate) fn get(self, row: usize) -> [u128; 2] {
        match self {
            Self::W16(words) => [words[row] ^ TOP, 0],
            Self::W32(words) => {
                let (low, high) = words[row].to_parts();
                [high as u128 ^ TOP, low]
            }
        }
    }
}

/// The word that has a key, as it lies in memory; for 128 bits the first sixteen bytes.
pub(crate) fn word_of(key: [u128; 2], width: Width) -> [u8; 32] {
    let word = [key[1].to_le_bytes(), (key[0] ^ TOP).to_le_bytes()];
    let [low, high] = if width == Width::W32 { word } else { [word[1], [0; 16]] };
    std::array::from_fn(|byte| if byte < 16 { low[byte] } else { high[byte - 16] })
}
