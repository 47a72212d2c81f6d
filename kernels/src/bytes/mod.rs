//! Byte strings of any layout behind one accessor.
//!
//! `Utf8`, `LargeUtf8`, `Utf8View`, their binary twins and `FixedSizeBinary` differ only in how row `i`
//! is found. [`BytesColumn`] finds it; kernels above see slices.

mod make;

#[cfg(not(feature = "small"))]
use std::ops::Range;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryViewType, StringViewType};
use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_schema::DataType;

#[cfg(not(feature = "small"))]
pub(crate) use make::WindowBuilder;
pub(crate) use make::{behind_offsets, make_bytes, make_view_array, make_windows};

use crate::error::all;
use crate::group::{SHORT, pack_short};
#[cfg(not(feature = "small"))]
use crate::prefetch;
use crate::types::unsupported;
use crate::{Result, arrays};

/// The values of a byte-string array, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BytesColumn<'a> {
    Small { offsets: &'a [i32], values: &'a [u8] },
    Large { offsets: &'a [i64], values: &'a [u8] },
    View { views: &'a [u128], buffers: &'a [Buffer] },
    Fixed { size: usize, values: &'a [u8] },
}

impl<'a> BytesColumn<'a> {
    /// Borrows an array of a byte-string type.
    pub(crate) fn try_new(array: &'a dyn Array, operation: &'static str) -> Result<Self> {
        let column = match array.data_type() {
            DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => {
                arrays::text(array).map(|text| match text.large {
                    false => Self::Small { offsets: text.offsets.typed_data(), values: text.values },
                    true => Self::Large { offsets: text.offsets.typed_data(), values: text.values },
                })
            }
            DataType::Utf8View => array
                .as_byte_view_opt::<StringViewType>()
                .map(|array| Self::View { views: array.views(), buffers: array.data_buffers() }),
            DataType::BinaryView => array
                .as_byte_view_opt::<BinaryViewType>()
                .map(|array| Self::View { views: array.views(), buffers: array.data_buffers() }),
            DataType::FixedSizeBinary(size) => array
                .as_fixed_size_binary_opt()
                .map(|array| Self::Fixed { size: usize::try_from(*size).unwrap_or(0), values: array.value_data() }),
            _ => None,
        };
        column.ok_or_else(|| unsupported(operation, array.data_type()))
    }

    /// Borrows each chunk of a column.
    pub(crate) fn of_chunks(chunks: &[&'a dyn Array], operation: &'static str) -> Result<Vec<Self>> {
        all(chunks.iter().map(|chunk| Self::try_new(*chunk, operation)))
    }

    /// The bytes of a row. A null row gives what lies there.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a [u8] {
        match *self {
            Self::Small { offsets, values } => &values[offsets[row] as usize..offsets[row + 1] as usize],
            Self::Large { offsets, values } => &values[offsets[row] as usize..offsets[row + 1] as usize],
            Self::View { views, buffers } => {
                let view = &views[row];
                let len = *view as u32 as usize;
                if len <= 12 {
                    inline_bytes(view, len)
                } else {
                    let buffer = (*view >> 64) as u32 as usize;
                    let start = (*view >> 96) as u32 as usize;
                    &buffers[buffer][start..start + len]
                }
            }
            Self::Fixed { size, values } => &values[row * size..(row + 1) * size],
        }
    }
}

impl BytesColumn<'_> {
    /// A value of at most [`SHORT`] bytes as [`pack_short`] packs it; `None` for a longer one.
    #[inline(always)]
    pub(crate) fn get_short(&self, row: usize) -> Option<u128> {
        if let Self::Small { offsets, values } = *self {
            let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
            if end - start > SHORT {
                return None;
            }
            // One load where 16 bytes lie in the values; what follows the value is masked away.
            if let Some(chunk) = values.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
                let length = (end - start) as u32;
                let mask = (1u128 << (8 * length)) - 1;
                return Some(u128::from_le_bytes(*chunk) & mask | u128::from(length) << 120);
            }
        }
        let value = self.get(row);
        (value.len() <= SHORT).then(|| pack_short(value))
    }
}

impl BytesColumn<'_> {
    /// Number of bytes of a row.
    #[inline]
    pub(crate) fn length(&self, row: usize) -> usize {
        match *self {
            Self::Small { offsets, .. } => (offsets[row + 1] - offsets[row]) as usize,
            Self::Large { offsets, .. } => (offsets[row + 1] - offsets[row]) as usize,
            Self::View { views, .. } => views[row] as u32 as usize,
            Self::Fixed { size, .. } => size,
        }
    }

    /// Offsets and values, where the offsets have 32 bits.
    #[cfg(not(feature = "small"))]
    pub(crate) fn offsets(&self) -> Option<(&[i32], &[u8])> {
        match *self {
            Self::Small { offsets, values } => Some((offsets, values)),
            _ => None,
        }
    }

    /// Asks for the bytes of some rows, which are about to be read in no order.
    #[cfg(not(feature = "small"))]
    pub(crate) fn fetch(&self, rows: Range<usize>) {
        if let Self::Small { offsets, values } = *self {
            let last = offsets.len() - 1;
            let offsets = &offsets[rows.start.min(last)..=rows.end.min(last)];
            prefetch::slice(offsets);
            prefetch::slice(&values[offsets[0] as usize..offsets[offsets.len() - 1] as usize]);
        }
    }

    /// Calls `each(step, window, rest)` for `rows` rows from `row` on: sixteen bytes from the byte `skip` of the value
    /// on, as two words, the first byte in the highest place, zeros behind its end; and how many bytes there are after
    /// `skip`.
    #[inline(always)]
    pub(crate) fn windows(&self, row: usize, skip: usize, mut each: impl FnMut(usize, [u64; 2], usize), rows: usize) {
        match *self {
            Self::Small { offsets, values } => dense_windows(&offsets[row..=row + rows], values, skip, each),
            Self::Large { offsets, values } => dense_windows(&offsets[row..=row + rows], values, skip, each),
            _ => {
                for step in 0..rows {
                    let value = self.get(row + step).get(skip..).unwrap_or(&[]);
                    each(step, window(value, 0, value.len()), value.len());
                }
            }
        }
    }
}

/// The windows of values that lie one behind the other.
#[inline(always)]
fn dense_windows<O: ArrowNativeType>(
    offsets: &[O],
    values: &[u8],
    skip: usize,
    mut each: impl FnMut(usize, [u64; 2], usize),
) {
    for (step, pair) in offsets.windows(2).enumerate() {
        let (start, end) = (pair[0].as_usize() + skip, pair[1].as_usize());
        let rest = end.saturating_sub(start);
        each(step, window(values, start.min(end), rest), rest);
    }
}

/// For each length, which bytes of the two halves of a window belong to the value.
const MASKS: [[u64; 2]; 17] = {
    let mut masks = [[u64::MAX; 2]; 17];
    let mut length = 0;
    while length < 16 {
        masks[length] = match length {
            0 => [0, 0],
            1..8 => [!(u64::MAX >> (8 * length)), 0],
            8 => [u64::MAX, 0],
            _ => [u64::MAX, !(u64::MAX >> (8 * (length - 8)))],
        };
        length += 1;
    }
    masks
};

/// The first sixteen bytes of a value of so many bytes as two words, the first byte in the highest place. One load
/// where sixteen bytes can be read; what follows the value is masked away.
#[inline(always)]
pub(crate) fn window(values: &[u8], start: usize, length: usize) -> [u64; 2] {
    let mask = MASKS[length.min(16)];
    let [high, low] = match values.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(chunk) => big_endian(*chunk),
        None => last_window(values, start),
    };
    [high & mask[0], low & mask[1]]
}

/// Where fewer than sixteen bytes can be read.
#[cold]
#[inline(never)]
fn last_window(values: &[u8], start: usize) -> [u64; 2] {
    let mut bytes = [0u8; 16];
    let end = values.len().min(start + 16);
    bytes[..end - start].copy_from_slice(&values[start..end]);
    big_endian(bytes)
}

/// Two words of sixteen bytes, the first byte in the highest place.
#[inline(always)]
fn big_endian(bytes: [u8; 16]) -> [u64; 2] {
    // WASM has no instruction that turns the bytes of a word around, but one that puts sixteen in any order.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        use std::arch::wasm32::{i8x16_shuffle, u64x2, u64x2_extract_lane};
        let word = u128::from_le_bytes(bytes);
        let vector = u64x2(word as u64, (word >> 64) as u64);
        let turned = i8x16_shuffle::<7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8>(vector, vector);
        [u64x2_extract_lane::<0>(turned), u64x2_extract_lane::<1>(turned)]
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        let window = u128::from_be_bytes(bytes);
        [(window >> 64) as u64, window as u64]
    }
}

/// The bytes that a short view holds in itself.
#[inline]
fn inline_bytes(view: &u128, len: usize) -> &[u8] {
    // SAFETY: a u128 is sixteen initialised bytes without padding, and a byte has no alignment; the
    // lifetime is that of the borrowed view. Arrow is little-endian, as is every target we build for.
    let bytes: &[u8; 16] = unsafe { &*std::ptr::from_ref(view).cast() };
    &bytes[4..4 + len]
}
