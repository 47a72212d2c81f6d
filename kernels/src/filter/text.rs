//! Compaction of byte strings behind offsets, straight from the mask.
//!
//! A word of 64 rows with few holes is copied run by run, offsets and bytes; of others each kept value is copied by
//! itself. Short values, which most are, cost one load and one store of sixteen bytes; the next value is stored over
//! what was too much.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, ByteArrayType, LargeBinaryType, LargeUtf8Type, Utf8Type};
use arrow_array::{Array, ArrayRef, GenericByteArray, OffsetSizeTrait};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::{Error, Mask, Result, bits};

/// Bytes of a store.
const STORE: usize = 16;

/// The selected values; `None` for types without offsets.
pub(super) fn compact(chunks: &[&dyn Array], masks: &[&Mask], nulls: Option<NullBuffer>) -> Result<Option<ArrayRef>> {
    match chunks[0].data_type() {
        DataType::Utf8 => of::<Utf8Type>(chunks, masks, nulls).map(Some),
        DataType::Binary => of::<BinaryType>(chunks, masks, nulls).map(Some),
        DataType::LargeUtf8 => of::<LargeUtf8Type>(chunks, masks, nulls).map(Some),
        DataType::LargeBinary => of::<LargeBinaryType>(chunks, masks, nulls).map(Some),
        _ => Ok(None),
    }
}

/// What has been kept so far.
struct Kept<'a, O> {
    source: &'a [u8],
    bytes: Vec<u8>,
    offsets: Vec<O>,
}

fn of<T: ByteArrayType>(chunks: &[&dyn Array], masks: &[&Mask], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let arrays: Vec<&GenericByteArray<T>> = chunks.iter().filter_map(|chunk| chunk.as_bytes_opt()).collect();
    let bytes = |array: &GenericByteArray<T>| {
        let offsets = array.value_offsets();
        offsets[offsets.len() - 1].as_usize() - offsets[0].as_usize()
    };
    let values: usize = arrays.iter().map(|array| bytes(array)).sum();
    let selected: usize = masks.iter().map(|mask| mask.selected()).sum();
    let rows: usize = masks.iter().map(|mask| mask.len()).sum();
    // As many bytes as the share of the rows has, and an eighth more; if it is not enough, the list grows.
    let share = (values as f64 * selected as f64 / rows.max(1) as f64) as usize;
    let mut kept = Kept {
        source: &[],
        bytes: Vec::with_capacity(values.min(share + share / 8) + 4 * STORE),
        offsets: Vec::with_capacity(selected + 1),
    };
    kept.offsets.push(T::Offset::default());
    for (array, mask) in arrays.into_iter().zip(masks) {
        kept.source = array.value_data();
        kept.chunk(array.value_offsets(), mask);
        if !T::Offset::IS_LARGE && i32::try_from(kept.bytes.len()).is_err() {
            return Err(Error::offset_overflow(kept.bytes.len()));
        }
    }
    kept.bytes.shrink_to(kept.bytes.len() + kept.bytes.len() / 4);
    // SAFETY: offsets are running sums of the lengths of the kept values: they begin at zero, never fall, and end at
    // the number of bytes, which they can count, as was tested after every chunk.
    let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(kept.offsets)) };
    // SAFETY: the bytes between two offsets are one whole value of an array of this type.
    let array = unsafe { GenericByteArray::<T>::new_unchecked(offsets, Buffer::from_vec(kept.bytes), nulls) };
    Ok(Arc::new(array))
}

impl<O: ArrowNativeType + std::ops::Sub<Output = O> + std::ops::Add<Output = O>> Kept<'_, O> {
    /// Appends the selected values of a chunk.
    fn chunk(&mut self, from: &[O], mask: &Mask) {
        for (base, word) in (0..).step_by(64).zip(bits::words(mask.bits())) {
            if word.count_ones() >= 48 {
                let mut rest = word;
                while rest != 0 {
                    let start = rest.trailing_zeros();
                    let run = (rest >> start).trailing_ones();
                    self.range(&from[base + start as usize..=base + (start + run) as usize]);
                    rest = if start + run == 64 { 0 } else { rest >> (start + run) << (start + run) };
                }
            } else {
                let mut rest = self.short_values(&from[base..], word);
                while rest != 0 {
                    let row = base + rest.trailing_zeros() as usize;
                    self.value(from[row].as_usize(), from[row + 1].as_usize());
                    rest &= rest - 1;
                }
            }
        }
    }

    /// Appends values that lie side by side; `offsets` has one more than there are values.
    fn range(&mut self, offsets: &[O]) {
        let (Some(&first), Some(last)) = (offsets.first(), offsets.last()) else { return };
        let here = O::usize_as(self.bytes.len());
        self.offsets.extend(offsets[1..].iter().map(|&end| (end - first) + here));
        self.append(first.as_usize(), last.as_usize());
    }

    /// Appends the selected ones of up to 64 values as long as they are short; the rest of the word is returned.
    #[inline(always)]
    fn short_values(&mut self, from: &[O], word: u64) -> u64 {
        let last = 64 - word.leading_zeros() as usize;
        // Offsets never fall: when sixteen bytes can be read from the last value's start, they can from all.
        if last == 0 || from[last - 1].as_usize() + STORE > self.source.len() {
            return word;
        }
        let kept = word.count_ones() as usize;
        self.bytes.reserve(kept * STORE);
        self.offsets.reserve(kept);
        let (first, first_offset) = (self.bytes.len(), self.offsets.len());
        let bytes = self.bytes.as_mut_ptr();
        let offsets = self.offsets.as_mut_ptr();
        let (mut length, mut count, mut rest) = (first, first_offset, word);
        let from = &from[..=last];
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            let (start, end) = (from[bit].as_usize(), from[bit + 1].as_usize());
            if end - start > STORE {
                break;
            }
            // SAFETY: `start` is at most the last value's start, from which STORE bytes lie in the source, as has been
            // tested above; no alignment is asked for.
            let value = unsafe { self.source.as_ptr().wrapping_add(start).cast::<[u8; STORE]>().read_unaligned() };
            // SAFETY: room for STORE bytes for each of the `kept` values was reserved behind `first`; `length` has
            // moved on by at most STORE for each value before this one.
            unsafe { bytes.wrapping_add(length).cast::<[u8; STORE]>().write_unaligned(value) };
            length += end - start;
            // SAFETY: room for `kept` offsets was reserved behind the first ones, and this is one of as many values.
            unsafe { offsets.wrapping_add(count).write(O::usize_as(length)) };
            count += 1;
            rest &= rest - 1;
        }
        // SAFETY: the bytes from `first` to `length` have been written just now, within the reserved room.
        unsafe { self.bytes.set_len(length) };
        // SAFETY: so have the offsets from `first_offset` to `count`.
        unsafe { self.offsets.set_len(count) };
        rest
    }

    /// Appends one value.
    fn value(&mut self, start: usize, end: usize) {
        self.append(start, end);
        self.offsets.push(O::usize_as(self.bytes.len()));
    }

    #[inline(always)]
    fn append(&mut self, start: usize, end: usize) {
        self.bytes.extend_from_slice(&self.source[start..end]);
    }
}
