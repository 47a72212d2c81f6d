//! Spreading entries over partitions: a line of the cache for each partition is filled, and written as a whole.
//!
//! Written one by one, entries for hundreds of places would each touch a line and a page of their own, and each line
//! would be read before it is written. The lines that are being filled here stay in the cache together, and go to
//! memory past it (after Satish and others, "Fast Sort on CPUs and GPUs").

use std::mem::MaybeUninit;

/// Entries of a line of 64 bytes.
const LINE: usize = 8;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

/// Entries on their way to their partitions.
#[derive(Debug)]
pub(crate) struct Scatter {
    /// Not cleared before: every place is written once.
    entries: Vec<MaybeUninit<u64>>,
    /// Where the first entry stands, so that lines begin where the cache's lines do.
    base: usize,
    lines: Vec<Line>,
    /// Where each partition begins, and behind the last one where it ends; and where each one's next entry goes.
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// Whether all has been written.
    whole: bool,
}

impl Scatter {
    /// Partition `p` is to take the entries from `starts[p]` to `starts[p + 1]`, of `length` in all.
    pub(crate) fn new(length: usize, starts: &[u32]) -> Self {
        let partitions = starts.len() - 1;
        let mut entries: Vec<MaybeUninit<u64>> = Vec::with_capacity(length + LINE - 1);
        // SAFETY: the capacity has just been asked for, and a `MaybeUninit` needs no value.
        unsafe { entries.set_len(length + LINE - 1) };
        let base = entries.as_ptr().align_offset(align_of::<Line>()).min(LINE - 1);
        Self {
            entries,
            base,
            lines: vec![Line([0; LINE]); partitions],
            starts: starts.to_vec(),
            ends: starts[..partitions].to_vec(),
            whole: false,
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, partition: usize, entry: u64) {
        let end = &mut self.ends[partition];
        let at = *end as usize;
        let line = &mut self.lines[partition];
        line.0[at % LINE] = entry;
        *end += 1;
        if at % LINE == LINE - 1 {
            let begin = at + 1 - LINE;
            if begin >= self.starts[partition] as usize {
                let begin = self.base + begin;
                if let Some(to) = self.entries[begin..].first_chunk_mut() {
                    store(to, line);
                }
            } else {
                self.flush(partition);
            }
        }
    }

    /// Writes the part of a line that the partition has filled.
    #[cold]
    fn flush(&mut self, partition: usize) {
        let end = self.ends[partition] as usize;
        let begin = (end.saturating_sub(1) / LINE * LINE).max(self.starts[partition] as usize);
        if begin < end {
            let from = begin % LINE;
            let line = &self.lines[partition].0[from..from + end - begin];
            self.entries[self.base + begin..self.base + end].write_copy_of_slice(line);
        }
    }

    /// The entries, partition after partition; none when not all of them have been pushed. May be asked again.
    pub(crate) fn finish(&mut self) -> &mut [u64] {
        if !self.whole {
            let whole = self.starts.first() == Some(&0) && self.ends[..] == self.starts[1..];
            debug_assert!(whole, "every partition has all of its entries");
            if !whole {
                return &mut [];
            }
            for partition in 0..self.ends.len() {
                // A full line has been written.
                if !(self.ends[partition] as usize).is_multiple_of(LINE) {
                    self.flush(partition);
                }
            }
            self.whole = true;
        }
        let last = self.starts.last().map_or(0, |&end| end as usize);
        let entries = &mut self.entries[self.base..self.base + last];
        // SAFETY: the partitions follow one another from 0 to `last`, and each has been pushed to from its beginning
        // to its end, as was tested before `whole` was set; what is pushed is not taken back. Each entry pushed went into a
        // line, and each line was written to its place when it was full, or before `whole` was set.
        unsafe { entries.assume_init_mut() }
    }
}

/// Writes a line; where the machine can, past the cache.
#[inline(always)]
fn store(to: &mut [MaybeUninit<u64>; LINE], line: &Line) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if to.as_ptr().align_offset(16) == 0 {
        use std::arch::x86_64::{__m128i, _mm_load_si128, _mm_stream_si128};
        let from = line.0.as_ptr().cast::<__m128i>();
        let to = to.as_mut_ptr().cast::<__m128i>();
        for quarter in 0..4 {
            // SAFETY: quarter `quarter` of four lies in the line, which is 64 bytes long and aligned to them; SSE2 is
            // part of x86-64.
            let word = unsafe { _mm_load_si128(from.wrapping_add(quarter)) };
            // SAFETY: the quarter lies in the 64 bytes of `to`, which is borrowed for writing, and its alignment to
            // 16 bytes has been tested above. The sequence of such stores and loads by one thread is in order.
            unsafe { _mm_stream_si128(to.wrapping_add(quarter), word) };
        }
        return;
    }
    to.write_copy_of_slice(&line.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_any_lengths_are_filled() {
        for counts in [&[0u32, 3, 8, 0, 17, 1, 64, 5][..], &[1], &[8], &[0], &[9, 9, 9], &[7, 1, 8, 16]] {
            let mut starts = vec![0];
            counts.iter().for_each(|count| starts.push(starts[starts.len() - 1] + count));
            let length = starts[counts.len()] as usize;
            let mut scatter = Scatter::new(length, &starts);
            // A round over the partitions, as long as one of them has room.
            for round in 0..64 {
                for (partition, _) in counts.iter().enumerate().filter(|(_, count)| round < **count) {
                    scatter.push(partition, (partition as u64) << 32 | u64::from(round));
                }
            }
            let all =
                |partition: usize| (0..u64::from(counts[partition])).map(move |round| (partition as u64) << 32 | round);
            let expected: Vec<u64> = (0..counts.len()).flat_map(all).collect();
            assert_eq!(scatter.finish(), expected);
        }
    }
}
