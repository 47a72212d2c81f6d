//! Compaction of byte strings behind offsets, straight from the mask.
//!
//! A word of 64 rows with few holes is copied run by run, offsets and bytes; of others each kept value is copied by
//! itself. Short values, which most are, cost one load and one store of sixteen bytes; the next value is stored over
//! what was too much.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, ByteArrayType, LargeBinaryType, LargeUtf8Type, Utf8Type};
use arrow_array::{Array, ArrayRef, GenericByteArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::Mask;
use crate::widest::widest;

/// Bytes of a store.
const STORE: usize = 16;

/// The selected values; `None` for types without offsets.
pub(super) fn compact(array: &dyn Array, mask: &Mask, nulls: Option<NullBuffer>) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::Utf8 => of::<Utf8Type>(array.as_bytes_opt()?, mask, nulls),
        DataType::Binary => of::<BinaryType>(array.as_bytes_opt()?, mask, nulls),
        DataType::LargeUtf8 => of::<LargeUtf8Type>(array.as_bytes_opt()?, mask, nulls),
        DataType::LargeBinary => of::<LargeBinaryType>(array.as_bytes_opt()?, mask, nulls),
        _ => return None,
    })
}

/// The kept bytes, with room for one store behind them.
struct Kept<'a, O> {
    source: &'a [u8],
    /// Capacity for `total` bytes and [`STORE`] more.
    bytes: Vec<u8>,
    total: usize,
    offsets: Vec<O>,
}

fn of<T: ByteArrayType>(array: &GenericByteArray<T>, mask: &Mask, nulls: Option<NullBuffer>) -> ArrayRef {
    let from = array.value_offsets();
    let selection = mask.bits().bit_chunks();
    let words: Vec<u64> = selection.iter_padded().collect();
    let total =
        from.windows(65).step_by(64).zip(&words).map(|(offsets, &word)| selected_bytes(offsets, word)).sum::<usize>()
            + rest_bytes(from, &words, mask.len());
    let mut kept = Kept {
        source: array.value_data(),
        bytes: Vec::with_capacity(total + STORE),
        total,
        offsets: Vec::with_capacity(mask.selected() + 1),
    };
    kept.offsets.push(T::Offset::default());
    for (base, &word) in (0..).step_by(64).zip(&words) {
        if word.count_ones() >= 48 {
            let mut rest = word;
            while rest != 0 {
                let start = rest.trailing_zeros();
                let run = (rest >> start).trailing_ones();
                kept.range(&from[base + start as usize..=base + (start + run) as usize]);
                rest = if start + run == 64 { 0 } else { rest >> (start + run) << (start + run) };
            }
        } else {
            let mut rest = word;
            while rest != 0 {
                let row = base + rest.trailing_zeros() as usize;
                kept.value(from[row].as_usize(), from[row + 1].as_usize());
                rest &= rest - 1;
            }
        }
    }
    // SAFETY: offsets are running sums of the lengths of the kept values: they begin at zero, never fall, and end at
    // the number of bytes, which the source's own offsets could count.
    let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(kept.offsets)) };
    // SAFETY: the bytes between two offsets are one whole value of an array of this type.
    let array = unsafe { GenericByteArray::<T>::new_unchecked(offsets, Buffer::from_vec(kept.bytes), nulls) };
    Arc::new(array)
}

widest! {
    /// The bytes of the selected ones of 64 values.
    fn selected_bytes<O: ArrowNativeType>(offsets: &[O], word: u64) -> usize {
        let (starts, ends) = (&offsets[..64], &offsets[1..65]);
        let mut sum = 0;
        for (bit, (start, end)) in starts.iter().zip(ends).enumerate() {
            sum += (end.as_usize() - start.as_usize()) * ((word >> bit) & 1) as usize;
        }
        sum
    }
}

/// The bytes of the selected values behind the last whole word of rows.
fn rest_bytes<O: ArrowNativeType>(offsets: &[O], words: &[u64], rows: usize) -> usize {
    let Some(&word) = words.get(rows / 64) else { return 0 };
    let base = rows / 64 * 64;
    let selected = (base..rows).filter(|row| word >> (row - base) & 1 == 1);
    selected.map(|row| offsets[row + 1].as_usize() - offsets[row].as_usize()).sum()
}

impl<O: ArrowNativeType + std::ops::Sub<Output = O> + std::ops::Add<Output = O>> Kept<'_, O> {
    /// Appends values that lie side by side; `offsets` has one more than there are values.
    fn range(&mut self, offsets: &[O]) {
        let (Some(&first), Some(last)) = (offsets.first(), offsets.last()) else { return };
        let here = O::usize_as(self.bytes.len());
        self.offsets.extend(offsets[1..].iter().map(|&end| (end - first) + here));
        self.append(first.as_usize(), last.as_usize());
    }

    /// Appends one value.
    #[inline(always)]
    fn value(&mut self, start: usize, end: usize) {
        self.append(start, end);
        self.offsets.push(O::usize_as(self.bytes.len()));
    }

    #[inline(always)]
    fn append(&mut self, start: usize, end: usize) {
        let (length, count) = (self.bytes.len(), end - start);
        if let (true, Some(chunk)) =
            (count <= STORE, self.source.get(start..).and_then(|rest| rest.first_chunk::<STORE>()))
        {
            if length + count <= self.total {
                let place = self.bytes.as_mut_ptr().wrapping_add(length).cast::<[u8; STORE]>();
                // SAFETY: the capacity is `total + STORE` bytes, and `length` is at most `total`, so that a store of
                // STORE bytes ends within it; no alignment is asked for, and nobody else borrows the allocation.
                unsafe { place.write_unaligned(*chunk) };
                // SAFETY: of the bytes just written, the first `count` are below the capacity and initialised.
                unsafe { self.bytes.set_len(length + count) };
                return;
            }
        }
        self.bytes.extend_from_slice(&self.source[start..end]);
    }
}
