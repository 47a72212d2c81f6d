//! Sorting entries by radix, the highest digit first.
//!
//! An entry is one word: a part of a row's code above the row's place. Entries are therefore all different, their
//! plain order is the stable order of the rows, and every step may be as unstable as it likes. A slice that fits the
//! cache is spread by so many bits that about one entry falls into each bucket, and an insertion sort puts right what
//! is left; a bucket that stays large, since the codes lie unevenly, is spread again by its own range.

/// Slices up to this long are sorted by insertion.
const FEW: usize = 24;
/// The most bits of a digit, and as many counters.
const DIGIT: u32 = 13;
/// Slices beyond this are spread by fewer bits at first, since they do not fit the cache.
const LARGE: usize = 1 << 17;

/// Counters, kept from slice to slice.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    counts: Vec<u32>,
    scratch: Vec<u64>,
}

impl Sorter {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; 1 << DIGIT], scratch: Vec::new() }
    }

    /// Sorts entries that stand in the order of their places, which take the `low` bits.
    pub(super) fn sort(&mut self, entries: &mut [u64], low: u32) {
        if entries.len() <= FEW {
            return insertion(entries);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        if scratch.len() < entries.len() {
            scratch = vec![0; entries.len()];
        }
        self.spread(entries, &mut scratch[..entries.len()], low, 0);
        self.scratch = scratch;
    }

    fn spread(&mut self, entries: &mut [u64], scratch: &mut [u64], low: u32, depth: u32) {
        let length = entries.len();
        let (mut least, mut greatest) = (u64::MAX, 0);
        for &entry in entries.iter() {
            least = least.min(entry);
            greatest = greatest.max(entry);
        }
        let (least, greatest) = (least >> low, greatest >> low);
        let bits = 64 - (greatest - least).leading_zeros();
        if bits == 0 {
            // All codes are equal, and the places stand in order.
            return;
        }
        let wanted = if length > LARGE { 8 } else { (length.ilog2() + 1).min(DIGIT) };
        let digit = bits.min(wanted);
        let (base, shift) = (least << low, low + bits - digit);
        let counts = &mut self.counts[..1 << digit];
        counts.fill(0);
        for &entry in entries.iter() {
            counts[((entry - base) >> shift) as usize] += 1;
        }
        let (mut start, mut most) = (0, 0);
        for count in counts.iter_mut() {
            most = most.max(*count);
            start += std::mem::replace(count, start);
        }
        for &entry in entries.iter() {
            let slot = &mut counts[((entry - base) >> shift) as usize];
            scratch[*slot as usize] = entry;
            *slot += 1;
        }
        entries.copy_from_slice(scratch);
        if digit == bits {
            return;
        }
        if most as usize <= FEW {
            return insertion(entries);
        }
        if depth > 16 {
            return entries.sort_unstable();
        }
        // The counters are used again below: buckets are found by their entries.
        let mut start = 0;
        while start < length {
            let bucket = (entries[start] - base) >> shift;
            let rest = &entries[start..];
            let count = rest.iter().position(|&entry| (entry - base) >> shift != bucket).unwrap_or(rest.len());
            let slice = &mut entries[start..start + count];
            if count <= FEW {
                insertion(slice);
            } else {
                self.spread(slice, &mut scratch[..count], low, depth + 1);
            }
            start += count;
        }
    }
}

pub(super) fn insertion(entries: &mut [u64]) {
    for at in 1..entries.len() {
        let entry = entries[at];
        let mut to = at;
        while to > 0 && entries[to - 1] > entry {
            entries[to] = entries[to - 1];
            to -= 1;
        }
        entries[to] = entry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_distribution_is_sorted() {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 20
        };
        let mut sorter = Sorter::new();
        let lengths: &[usize] = if cfg!(miri) { &[0, 24, 25, 300] } else { &[0, 1, 2, 24, 25, 1_000, 200_000] };
        for &length in lengths {
            for shape in 0..5 {
                let place = 20;
                let mut entries: Vec<u64> = (0..length as u64)
                    .map(|row| {
                        let code = match shape {
                            0 => next(),
                            1 => next() % 3,
                            2 => 1 << (next() % 43),
                            3 => row,
                            _ => {
                                if row == 7 {
                                    u64::MAX >> place
                                } else {
                                    next() % 100
                                }
                            }
                        };
                        code << place | row
                    })
                    .collect();
                let mut expected = entries.clone();
                expected.sort_unstable();
                sorter.sort(&mut entries, place);
                assert_eq!(entries, expected, "length {length}, shape {shape}");
            }
        }
    }
}
