//! Byte strings of any layout behind one accessor.
//!
//! `Utf8`, `LargeUtf8`, `Utf8View`, their binary twins and `FixedSizeBinary` differ only in how row `i`
//! is found. [`BytesColumn`] finds it; kernels above see slices.

#[cfg(not(feature = "small"))]
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray, OffsetSizeTrait};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::group::{SHORT, pack_short};
use crate::types::unsupported;
use crate::{Error, Result, prefetch};

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
        fn small<T: ByteArrayType<Offset = i32>>(array: &dyn Array) -> Option<BytesColumn<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(BytesColumn::Small { offsets: array.value_offsets(), values: array.value_data() })
        }
        fn large<T: ByteArrayType<Offset = i64>>(array: &dyn Array) -> Option<BytesColumn<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(BytesColumn::Large { offsets: array.value_offsets(), values: array.value_data() })
        }
        let column = match array.data_type() {
            DataType::Utf8 => small::<Utf8Type>(array),
            DataType::Binary => small::<BinaryType>(array),
            DataType::LargeUtf8 => large::<LargeUtf8Type>(array),
            DataType::LargeBinary => large::<LargeBinaryType>(array),
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
        let window = u128::from_le_bytes(bytes);
        let vector = u64x2(window as u64, (window >> 64) as u64);
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

/// A byte-string array of `rows` values given by a function, which is asked once for each.
///
/// The values must be whole values of arrays of the same type, so that text stays valid UTF-8.
pub(crate) fn make_bytes<'a>(
    data_type: &DataType,
    rows: usize,
    nulls: Option<NullBuffer>,
    operation: &'static str,
    value: impl Fn(usize) -> &'a [u8],
) -> Result<ArrayRef> {
    let present = |row: usize| match &nulls {
        Some(nulls) if nulls.is_null(row) => &[][..],
        _ => value(row),
    };
    if cfg!(feature = "small") {
        return build_bytes(data_type, rows, &nulls, operation, &present as &dyn Fn(usize) -> &'a [u8]);
    }
    match nulls {
        Some(_) => build_bytes(data_type, rows, &nulls, operation, present),
        None => build_bytes(data_type, rows, &None, operation, value),
    }
}

fn build_bytes<'a>(
    data_type: &DataType,
    rows: usize,
    nulls: &Option<NullBuffer>,
    operation: &'static str,
    value: impl Fn(usize) -> &'a [u8],
) -> Result<ArrayRef> {
    match data_type {
        DataType::Utf8 => offsets_array::<Utf8Type>(rows, nulls, &value),
        DataType::Binary => offsets_array::<BinaryType>(rows, nulls, &value),
        DataType::LargeUtf8 => offsets_array::<LargeUtf8Type>(rows, nulls, &value),
        DataType::LargeBinary => offsets_array::<LargeBinaryType>(rows, nulls, &value),
        DataType::Utf8View | DataType::BinaryView => {
            let (views, buffers) = build_views(rows, &value)?;
            Ok(make_view_array(data_type, views, buffers, nulls.clone()))
        }
        DataType::FixedSizeBinary(size) => {
            let width = usize::try_from(*size).unwrap_or(0);
            let mut bytes = vec![0u8; rows * width];
            for row in 0..rows {
                let value = value(row);
                bytes[row * width..row * width + value.len()].copy_from_slice(value);
            }
            let array = FixedSizeBinaryArray::try_new_with_len(*size, Buffer::from_vec(bytes), nulls.clone(), rows)?;
            Ok(Arc::new(array))
        }
        _ => Err(unsupported(operation, data_type)),
    }
}

/// A byte-string array from windows: up to fifteen bytes each, the first in the highest place of `high`, their number
/// in the lowest byte of `low`. Where `nulls` says null the window means nothing.
pub(crate) fn make_windows(
    data_type: &DataType,
    high: &[u64],
    low: &[u64],
    nulls: Option<NullBuffer>,
    operation: &'static str,
) -> Result<ArrayRef> {
    if nulls.is_none() {
        let mut builder = WindowBuilder::new(data_type, low.len());
        let mut block = [[0u64; 2]; 64];
        for (high, low) in high.chunks(64).zip(low.chunks(64)) {
            let block = &mut block[..low.len()];
            block.iter_mut().zip(high.iter().zip(low)).for_each(|(window, (&high, &low))| *window = [high, low]);
            builder.extend(block);
        }
        if let Some(array) = builder.finish() {
            return Ok(array);
        }
    }
    let bytes = |row: usize| (u128::from(high[row]) << 64 | u128::from(low[row])).to_be_bytes();
    let windows: Vec<[u8; 16]> = (0..low.len()).map(bytes).collect();
    make_bytes(data_type, low.len(), nulls, operation, |row| &windows[row][..low[row] as usize & SHORT])
}

/// Text or bytes with 32-bit offsets, from windows.
pub(crate) struct WindowBuilder {
    /// `None` for other types, or when the bytes outgrow their offsets.
    data_type: Option<DataType>,
    offsets: Vec<i32>,
    values: Vec<u8>,
}

impl WindowBuilder {
    pub(crate) fn new(data_type: &DataType, rows: usize) -> Self {
        let known = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let mut offsets = Vec::with_capacity(if known { rows + 1 } else { 0 });
        offsets.push(0);
        Self { data_type: known.then(|| data_type.clone()), offsets, values: Vec::new() }
    }

    /// Whole windows are written, the next one over the end of the last.
    pub(crate) fn extend(&mut self, windows: &[[u64; 2]]) {
        let mut end = self.offsets.last().map_or(0, |&end| end as usize);
        if self.data_type.is_none() || end + 16 * windows.len() > i32::MAX as usize {
            self.data_type = None;
            return;
        }
        if self.values.len() < end + 16 * windows.len() {
            // Twice as much as there was, so that growing costs little in all.
            self.values.resize(2 * self.values.len() + 16 * windows.len(), 0);
        }
        for &[high, low] in windows {
            if let Some(place) = self.values[end..].first_chunk_mut() {
                *place = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            }
            end += low as usize & SHORT;
            self.offsets.push(end as i32);
        }
    }

    /// The array; `None` when another way has to be found.
    pub(crate) fn finish(mut self) -> Option<ArrayRef> {
        let data_type = self.data_type?;
        self.values.truncate(self.offsets.last().map_or(0, |&end| end as usize));
        self.values.shrink_to_fit();
        let values = Buffer::from_vec(self.values);
        // SAFETY: offsets are running sums of lengths; they begin at zero, never fall, and end at the number of bytes.
        let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(self.offsets)) };
        if data_type == DataType::Binary {
            // SAFETY: as above; bytes need no further check.
            return Some(Arc::new(unsafe { GenericByteArray::<BinaryType>::new_unchecked(offsets, values, None) }));
        }
        // SAFETY: each window holds one whole value of an array of this type, so that the text is valid UTF-8.
        Some(Arc::new(unsafe { GenericByteArray::<Utf8Type>::new_unchecked(offsets, values, None) }))
    }
}

/// Rows that are looked up before the first of them is copied, so that their cache misses overlap.
const BLOCK: usize = 128;

fn offsets_array<'a, T: ByteArrayType>(
    rows: usize,
    nulls: &Option<NullBuffer>,
    value: &impl Fn(usize) -> &'a [u8],
) -> Result<ArrayRef> {
    let mut offsets: Vec<T::Offset> = Vec::with_capacity(rows + 1);
    let mut bytes: Vec<u8> = Vec::new();
    let mut block: [&[u8]; BLOCK] = [&[]; BLOCK];
    offsets.push(T::Offset::default());
    let mut start = 0;
    while start < rows {
        let count = BLOCK.min(rows - start);
        let mut end = bytes.len();
        for (position, slot) in block[..count].iter_mut().enumerate() {
            let found = value(start + position);
            prefetch::line(found.as_ptr());
            end += found.len();
            offsets.push(T::Offset::usize_as(end));
            *slot = found;
        }
        if start == 0 {
            bytes.reserve(end / count * rows + end / count * rows / 16);
        }
        bytes.reserve(end - bytes.len());
        for found in &block[..count] {
            append(&mut bytes, found);
        }
        start += count;
    }
    // Offsets that wrapped are never used: the sum tells.
    if !T::Offset::IS_LARGE && i32::try_from(bytes.len()).is_err() {
        return Err(Error::OffsetOverflow { bytes: bytes.len() });
    }
    // SAFETY: the offsets are running sums of lengths, hence start at zero and never fall.
    let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets)) };
    // SAFETY: the last offset is the number of bytes, and each value is a whole value of an array of
    // this very type (or empty), so text is valid UTF-8 between any two offsets.
    let array = unsafe { GenericByteArray::<T>::new_unchecked(offsets, Buffer::from_vec(bytes), nulls.clone()) };
    Ok(Arc::new(array))
}

/// Appends a value for which there is room. Short ones by two stores that overlap, without a call.
#[inline(always)]
fn append(bytes: &mut Vec<u8>, value: &[u8]) {
    debug_assert!(bytes.capacity() - bytes.len() >= value.len());
    let (length, count) = (bytes.len(), value.len());
    let end = bytes.as_mut_ptr().wrapping_add(length);
    macro_rules! two_stores {
        ($size:literal) => {
            if let (Some(head), Some(tail)) = (value.first_chunk::<$size>(), value.last_chunk::<$size>()) {
                // SAFETY: the capacity holds `count` bytes from `end`, at least `$size` of them; no alignment
                // is asked for, and nobody else borrows the allocation.
                unsafe { end.cast::<[u8; $size]>().write_unaligned(*head) };
                // SAFETY: as above; the last `$size` of the `count` bytes.
                unsafe { end.wrapping_add(count - $size).cast::<[u8; $size]>().write_unaligned(*tail) };
            }
        };
    }
    match count {
        4..=7 => two_stores!(4),
        8..=15 => two_stores!(8),
        16..=32 => two_stores!(16),
        // SAFETY: source and target hold `count` bytes and are different allocations.
        _ => unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), end, count) },
    }
    // SAFETY: the capacity holds `count` bytes more, which have just been written.
    unsafe { bytes.set_len(length + count) };
}

fn build_views<'a>(rows: usize, value: &impl Fn(usize) -> &'a [u8]) -> Result<(Vec<u128>, Vec<Buffer>)> {
    const BLOCK: usize = 1 << 30;
    let mut views = Vec::with_capacity(rows);
    let mut buffers: Vec<Buffer> = Vec::new();
    let mut block: Vec<u8> = Vec::new();
    for row in 0..rows {
        let value = value(row);
        if value.len() > 12 && block.len() + value.len() > BLOCK && !block.is_empty() {
            buffers.push(Buffer::from_vec(std::mem::take(&mut block)));
        }
        if u32::try_from(value.len()).is_err() {
            return Err(Error::OffsetOverflow { bytes: value.len() });
        }
        views.push(make_view(value, buffers.len() as u32, block.len() as u32));
        if value.len() > 12 {
            block.extend_from_slice(value);
        }
    }
    if !block.is_empty() {
        buffers.push(Buffer::from_vec(block));
    }
    Ok((views, buffers))
}

/// A view array from views that are known to point into the buffers.
pub(crate) fn make_view_array(
    data_type: &DataType,
    views: Vec<u128>,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let views = ScalarBuffer::from(views);
    if *data_type == DataType::Utf8View {
        // SAFETY: each view was built here over bytes that lie in `buffers`, or was copied from an array
        // of this type along with its buffers; text is made of whole valid values.
        Arc::new(unsafe { GenericByteViewArray::<StringViewType>::new_unchecked(views, buffers.into(), nulls) })
    } else {
        // SAFETY: as above; binary values need no further check.
        Arc::new(unsafe { GenericByteViewArray::<BinaryViewType>::new_unchecked(views, buffers.into(), nulls) })
    }
}
