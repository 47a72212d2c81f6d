//! Byte-string arrays of any layout from their values.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{ArrayRef, GenericByteArray, GenericByteViewArray, OffsetSizeTrait};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::group::SHORT;
use crate::types::unsupported;
use crate::{Error, Result, arrays, prefetch};

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
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => {
            let large = matches!(data_type, DataType::LargeUtf8 | DataType::LargeBinary);
            let (offsets, values) = match large {
                // A module's memory has no room for more than two gigabytes of text beside all else.
                true if cfg!(feature = "small") => {
                    let (offsets, values) = put_together::<i32>(rows, &value)?;
                    let wide = offsets.typed_data::<i32>().iter().map(|&offset| offset.into());
                    (Buffer::from_vec(wide.collect::<Vec<i64>>()), values)
                }
                true => put_together::<i64>(rows, &value)?,
                false => put_together::<i32>(rows, &value)?,
            };
            // SAFETY: offsets and bytes belong together, and each value is a whole value of an array of this very type (or
            // empty), so text is valid UTF-8 between any two offsets.
            let array = unsafe { behind_offsets(data_type, offsets, values, nulls.clone()) };
            array.ok_or_else(|| unsupported(operation, data_type))
        }
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
            arrays::fixed_bytes_array(*size, rows, Buffer::from_vec(bytes), nulls.clone())
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
    if nulls.is_none() && !cfg!(feature = "small") {
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
        // Each window holds one whole value of an array of this type, so that the text is valid UTF-8.
        unsafe { behind_offsets(&data_type, Buffer::from_vec(self.offsets), values, None) }
    }
}

/// An array of text or bytes behind offsets, which have 32 or 64 bits as the type says; `None` for other types.
///
/// # Safety
/// There is an offset for each row and one more; they are not negative, never fall, and end within the values. For text,
/// the bytes between any two of them are UTF-8. The validity has as many rows.
pub(crate) unsafe fn behind_offsets(
    data_type: &DataType,
    offsets: Buffer,
    values: Buffer,
    nulls: Option<NullBuffer>,
) -> Option<ArrayRef> {
    /// # Safety
    /// As for the function around it.
    unsafe fn of<T: ByteArrayType>(offsets: Buffer, values: Buffer, nulls: Option<NullBuffer>) -> ArrayRef {
        // SAFETY: promised by the caller.
        let offsets = unsafe { OffsetBuffer::<T::Offset>::new_unchecked(ScalarBuffer::from(offsets)) };
        // SAFETY: as above.
        Arc::new(unsafe { GenericByteArray::<T>::new_unchecked(offsets, values, nulls) })
    }
    Some(match data_type {
        // SAFETY: promised by the caller.
        DataType::Utf8 => unsafe { of::<Utf8Type>(offsets, values, nulls) },
        // SAFETY: as above.
        DataType::Binary => unsafe { of::<BinaryType>(offsets, values, nulls) },
        // SAFETY: as above.
        DataType::LargeUtf8 => unsafe { of::<LargeUtf8Type>(offsets, values, nulls) },
        // SAFETY: as above.
        DataType::LargeBinary => unsafe { of::<LargeBinaryType>(offsets, values, nulls) },
        _ => return None,
    })
}

/// Rows that are looked up before the first of them is copied, so that their cache misses overlap.
const BLOCK: usize = 128;

/// The offsets of values, which are running sums of lengths, and their bytes, one value behind the other.
fn put_together<'a, O: OffsetSizeTrait>(rows: usize, value: &impl Fn(usize) -> &'a [u8]) -> Result<(Buffer, Buffer)> {
    let mut offsets: Vec<O> = Vec::with_capacity(rows + 1);
    let mut bytes: Vec<u8> = Vec::new();
    let mut block: [&[u8]; BLOCK] = [&[]; BLOCK];
    offsets.push(O::default());
    let mut start = 0;
    while start < rows {
        let count = BLOCK.min(rows - start);
        let mut end = bytes.len();
        for (position, slot) in block[..count].iter_mut().enumerate() {
            let found = value(start + position);
            prefetch::line(found.as_ptr());
            end += found.len();
            offsets.push(O::usize_as(end));
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
    if !O::IS_LARGE && i32::try_from(bytes.len()).is_err() {
        return Err(Error::offset_overflow(bytes.len()));
    }
    Ok((Buffer::from_vec(offsets), Buffer::from_vec(bytes)))
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
            return Err(Error::offset_overflow(value.len()));
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
