//! Gathering in random order without a cache miss for each value.
//!
//! Rows that are far apart in memory cost a miss each. Here the row numbers are put into **clusters** of neighbouring
//! rows first, once for all columns. A column's values are then fetched cluster by cluster, out of a piece of memory
//! that stays in the cache, and put back into the order that was asked for, a **window** of the result at a time: within
//! a cluster the places in the result ascend, so that each window takes the next run of every cluster. (Manegold,
//! Boncz, Nes, Kersten, "Cache-Conscious Radix-Decluster Projections", 2004.)
//!
//! Bytes touched per value: its width five times over and 12 bytes for the row number and the places, all in sequence
//! or in the cache, instead of a line of 64 bytes in no sequence.

use std::ops::Range;

use arrow_buffer::ArrowNativeType;

use crate::bitcode::{self, BLOCK};
use crate::bytes::BytesColumn;
use crate::sort::Scatter;
use crate::{prefetch, threads};

/// Rows of a cluster, as a power of two: 256 kB of 64-bit words.
const CLUSTER: u32 = if cfg!(miri) { 6 } else { 15 };
/// With more rows than this wanted of it, a cluster is asked for as a whole.
const FETCH: usize = 1 << (CLUSTER - 4);
/// Rows of the result that are written at a time.
const WINDOW: u32 = 1 << 16;
/// Rows of the result for which clusters are made at a time; bounds the scratch memory.
const CHUNK: usize = 1 << 22;
/// Fewer rows than this are in the cache, or near it, as they are.
const MANY: usize = 1 << 22;
/// Fewer columns than this do not pay for the clusters.
const COLUMNS: usize = 4;

/// Row numbers by clusters, in chunks of the result.
#[derive(Debug)]
pub(crate) struct Clusters {
    chunks: Vec<Chunk>,
}

#[derive(Debug)]
struct Chunk {
    /// Row numbers, cluster after cluster.
    rows: Vec<u32>,
    /// The place of each in the chunk's part of the result, ascending within a cluster.
    places: Vec<u32>,
    starts: Vec<u32>,
}

impl Clusters {
    /// `None` when there are few rows or columns, or when most rows follow one another closely.
    pub(super) fn try_new(rows: &[u32], bound: usize, columns: usize) -> Option<Self> {
        if rows.len() < MANY || bound < MANY || columns < COLUMNS {
            return None;
        }
        let step = rows.len() / 1000;
        let far = (0..999).filter(|&sample| rows[sample * step].abs_diff(rows[sample * step + 1]) > 1 << 12).count();
        (far > 500).then(|| Self { chunks: threads::map(rows.chunks(CHUNK).collect(), |rows| Chunk::new(rows, bound)) })
    }

    /// The words of the rows, in the order that was asked for.
    pub(super) fn gather<T: ArrowNativeType>(&self, words: &[T]) -> Vec<T> {
        let mut result = vec![T::usize_as(0); self.chunks.iter().map(|chunk| chunk.rows.len()).sum()];
        let mut rest = &mut result[..];
        let mut fetched: Vec<T> = Vec::new();
        for chunk in &self.chunks {
            let (part, after) = rest.split_at_mut(chunk.rows.len());
            rest = after;
            fetched.clear();
            for (cluster, bounds) in chunk.starts.windows(2).enumerate() {
                let rows = &chunk.rows[bounds[0] as usize..bounds[1] as usize];
                prefetch::slice(&words[Self::span(cluster, rows.len(), words.len())]);
                fetched.extend(rows.iter().map(|&row| words[row as usize]));
            }
            let mut cursors = chunk.cursors();
            for end in chunk.windows() {
                chunk.put_back(&mut cursors, end, &fetched, 0, part);
            }
        }
        result
    }

    /// The rows among which those of a cluster lie; none when so few are wanted that most would be read for nothing.
    pub(super) fn span(cluster: usize, wanted: usize, bound: usize) -> Range<usize> {
        if wanted > FETCH { cluster << CLUSTER..bound.min((cluster + 1) << CLUSTER) } else { 0..0 }
    }

    /// Calls `each` with what `fetch` has fetched for the rows, in the order that was asked for, a window at a time.
    /// `fetch` gets a cluster and rows of it, and appends a value for each row; when it gives `None`, so does this.
    pub(super) fn windows<T: Copy + Default>(
        &self,
        mut fetch: impl FnMut(usize, &[u32], &mut Vec<T>) -> Option<()>,
        mut each: impl FnMut(&[T]),
    ) -> Option<()> {
        let mut fetched: Vec<T> = Vec::new();
        let mut window = vec![T::default(); WINDOW as usize];
        for chunk in &self.chunks {
            fetched.clear();
            for (cluster, bounds) in chunk.starts.windows(2).enumerate() {
                fetch(cluster, &chunk.rows[bounds[0] as usize..bounds[1] as usize], &mut fetched)?;
            }
            let mut cursors = chunk.cursors();
            let mut start = 0;
            for end in chunk.windows() {
                let part = &mut window[..(end - start) as usize];
                chunk.put_back(&mut cursors, end, &fetched, start, part);
                each(part);
                start = end;
            }
        }
        Some(())
    }

    /// Text of up to fifteen bytes, as windows (see [`bitcode::load_windows`]). `None` when a value is longer.
    pub(super) fn short_text(&self, column: &BytesColumn<'_>, each: impl FnMut(&[[u64; 2]])) -> Option<()> {
        let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
        let fetch = |cluster: usize, rows: &[u32], fetched: &mut Vec<[u64; 2]>| {
            column.fetch(Self::span(cluster, rows.len(), usize::MAX));
            for rows in rows.chunks(BLOCK) {
                let (high, low) = (&mut high[..rows.len()], &mut low[..rows.len()]);
                if !bitcode::load_listed_windows(column, rows, high, low) {
                    return None;
                }
                fetched.extend(high.iter().zip(low).map(|(high, low)| [*high, *low]));
            }
            Some(())
        };
        self.windows(fetch, each)
    }
}

impl Chunk {
    fn new(rows: &[u32], bound: usize) -> Self {
        let clusters = (bound >> CLUSTER) + 1;
        let mut starts = vec![0u32; clusters + 1];
        rows.iter().for_each(|row| starts[(row >> CLUSTER) as usize + 1] += 1);
        (0..clusters).for_each(|cluster| starts[cluster + 1] += starts[cluster]);
        let mut scatter = Scatter::new(rows.len(), &starts);
        for (place, &row) in (0u64..).zip(rows) {
            scatter.push((row >> CLUSTER) as usize, u64::from(row) << 32 | place);
        }
        let entries = scatter.finish();
        Self {
            rows: entries.iter().map(|entry| (entry >> 32) as u32).collect(),
            places: entries.iter().map(|&entry| entry as u32).collect(),
            starts,
        }
    }

    fn cursors(&self) -> Vec<u32> {
        self.starts[..self.starts.len() - 1].to_vec()
    }

    /// The ends of the windows.
    fn windows(&self) -> impl Iterator<Item = u32> {
        let rows = self.rows.len() as u32;
        (0..rows.div_ceil(WINDOW)).map(move |window| rows.min((window + 1) * WINDOW))
    }

    /// Puts the values of the window that ends at `end` and begins at `start` into `part`.
    #[inline(always)]
    fn put_back<T: Copy>(&self, cursors: &mut [u32], end: u32, fetched: &[T], start: u32, part: &mut [T]) {
        for (cursor, &last) in cursors.iter_mut().zip(&self.starts[1..]) {
            let from = *cursor as usize;
            let (places, fetched) = (&self.places[from..last as usize], &fetched[from..last as usize]);
            let mut count = 0;
            for (&place, &value) in places.iter().zip(fetched) {
                if place >= end {
                    break;
                }
                part[(place - start) as usize] = value;
                count += 1;
            }
            *cursor += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;
    use arrow_array::cast::AsArray;
    use arrow_schema::DataType;

    use super::*;
    use crate::take::cells;

    #[test]
    fn a_few_rows_of_many_clusters_come_in_the_order_that_was_asked_for() {
        let bound = (3 << CLUSTER) + 5;
        let rows: Vec<u32> = (0..200u32).map(|row| row.wrapping_mul(0x9e37_79b9) % bound as u32).collect();
        let clusters = Clusters { chunks: rows.chunks(70).map(|rows| Chunk::new(rows, bound)).collect() };
        let words: Vec<u16> = (0..bound).map(|row| row as u16).collect();
        assert!(clusters.gather(&words).iter().eq(rows.iter().map(|&row| &words[row as usize])));
        // Text of one length, and text that is shorter by one now and then.
        let text = |length: usize| {
            let value = move |row: usize| {
                format!("{row:0length$}")[usize::from(length == 9 && row.is_multiple_of(7))..].to_owned()
            };
            StringArray::from_iter_values((0..bound).map(value))
        };
        for length in [6, 9, 16] {
            let text = text(length);
            let expected: Vec<&str> = rows.iter().map(|&row| text.value(row as usize)).collect();
            let (offsets, values) = (text.value_offsets(), text.value_data());
            let rows = rows.repeat(100);
            let many = Clusters { chunks: vec![Chunk::new(&rows, bound)] };
            match cells::gather(&DataType::Utf8, offsets, values, &rows, Some(&many)) {
                None => assert_eq!(length, 9),
                Some(array) => assert!(
                    array.as_string::<i32>().iter().flatten().zip(expected.iter().cycle()).all(|(a, b)| a == *b)
                ),
            }
            let column = BytesColumn::try_new(&text, "take").unwrap_or_else(|error| unreachable!("{error}"));
            let mut place = 0;
            let whole = clusters.short_text(&column, |windows| {
                for window in windows {
                    assert_eq!(window[1] as usize & 0xff, expected[place].len());
                    assert_eq!(&window[0].to_be_bytes()[..4], &expected[place].as_bytes()[..4]);
                    place += 1;
                }
            });
            assert_eq!(whole.is_some(), length < 16);
        }
    }
}
