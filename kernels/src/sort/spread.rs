//! Rows spread over partitions by the highest bits of their codes, and each partition sorted.
//!
//! Several threads first count and spread a stretch of rows each, into pieces of their own; then they take partitions,
//! join the pieces of each, in the order of the rows, and sort them.

use std::ops::Range;

use super::code::Encoder;
use super::column::{Column, Rows};
use super::radix::Sorter;
use super::scatter::Scatter;
use super::ties::{DEEP, sort_dropped, sort_ties};
use crate::bitcode::BLOCK;
use crate::threads;

/// Rows of a partition, as a power of two: 64 kB of entries.
const PARTITION: u32 = 12;
/// The most partitions, as a power of two.
const MOST_PARTITIONS: u32 = 11;

/// Where the bits of a code go: the highest choose the partition, as many of the others as there is room for stand in
/// the entry, above the row's place.
#[derive(Debug, Clone, Copy)]
struct Layout {
    places: u32,
    top: u32,
    below: u32,
    /// Low bits without room.
    drop: u32,
}

impl Layout {
    fn new(bits: u32, rows: usize) -> Self {
        let places = usize::BITS - (rows - 1).leading_zeros();
        let wanted = (places.saturating_sub(PARTITION)).min(MOST_PARTITIONS).min(bits);
        // Few bits are best spread at once.
        let top = if places > PARTITION && bits <= 11 { bits } else { wanted };
        let below = bits - top;
        Self { places, top, below, drop: (below + places).saturating_sub(64) }
    }

    #[inline(always)]
    fn partition(self, code: u64) -> usize {
        if self.top == 0 { 0 } else { (code >> self.below) as usize }
    }

    #[inline(always)]
    fn entry(self, code: u64, place: usize) -> u64 {
        match self.below {
            0 => place as u64,
            below => (code << (64 - below) >> (64 - below) >> self.drop) << self.places | place as u64,
        }
    }
}

/// Writes the rows into `order`, sorted.
pub(super) fn sort_rows(columns: &[Column<'_>], rows: Rows<'_>, order: &mut [u32], depth: usize) {
    let encoder = Encoder::new(columns, rows);
    let length = rows.len();
    if encoder.sorted || encoder.bits == 0 && encoder.complete || length < 2 {
        return copy(rows, order);
    }
    // Codes that told nothing apart will not do so again.
    let depth = if encoder.bits == 0 { DEEP } else { depth };
    let layout = Layout::new(encoder.bits, length);
    let sort = Sort { columns, rows, encoder, layout, depth };
    let counted = threads::map_ranges(length, BLOCK, |range| sort.count(range));
    if sort.encoder.complete && in_order(&counted) {
        return copy(rows, order);
    }
    let starts = counted.into_iter().map(|counted| starts(counted.counts));
    if threads::count() == 1 {
        return starts.for_each(|starts| sort.alone(&starts, order));
    }
    let pieces: Vec<(Range<usize>, Vec<u32>)> = threads::ranges(length, BLOCK).into_iter().zip(starts).collect();
    if let [(_, starts)] = pieces.as_slice() { sort.alone(starts, order) } else { sort.together(pieces, order) }
}

/// What one reading of a stretch of rows tells.
struct Counted {
    /// Rows of each partition.
    counts: Vec<u32>,
    sorted: bool,
    first: u64,
    last: u64,
}

/// Whether all codes stand in order.
fn in_order(counted: &[Counted]) -> bool {
    counted.iter().all(|part| part.sorted) && counted.windows(2).all(|parts| parts[0].last <= parts[1].first)
}

/// Where each partition begins, and where the last one ends.
fn starts(mut counts: Vec<u32>) -> Vec<u32> {
    let mut start = 0;
    counts.iter_mut().for_each(|count| start += std::mem::replace(count, start));
    counts.push(start);
    counts
}

struct Sort<'s, 'a> {
    columns: &'s [Column<'a>],
    rows: Rows<'s>,
    encoder: Encoder<'s, 'a>,
    layout: Layout,
    depth: usize,
}

impl Sort<'_, '_> {
    /// Calls `each(place, code)` for the rows of a range.
    #[inline(always)]
    fn for_each_code(&self, range: Range<usize>, mut each: impl FnMut(usize, &[u64])) {
        let mut block = [0u64; BLOCK];
        for at in range.clone().step_by(BLOCK) {
            let codes = &mut block[..BLOCK.min(range.end - at)];
            self.encoder.fill(self.rows, at, codes);
            each(at, codes);
        }
    }

    fn count(&self, range: Range<usize>) -> Counted {
        let layout = self.layout;
        let mut counted = Counted { counts: vec![0; 1 << layout.top], sorted: true, first: 0, last: 0 };
        if layout.top == 0 {
            // One partition; whether it is in order is found when it is sorted.
            counted.counts[0] = range.len() as u32;
            counted.sorted = false;
            return counted;
        }
        let begin = range.start;
        self.for_each_code(range, |at, codes| {
            codes.iter().for_each(|&code| counted.counts[(code >> layout.below) as usize] += 1);
            if at == begin {
                counted.first = codes[0];
            }
            counted.sorted = counted.sorted && counted.last <= codes[0] && codes.is_sorted();
            counted.last = codes[codes.len() - 1];
        });
        counted
    }

    fn scatter(&self, range: Range<usize>, starts: &[u32]) -> Scatter {
        let layout = self.layout;
        let mut scatter = Scatter::new(range.len(), starts);
        self.for_each_code(range, |at, codes| {
            for (place, &code) in (at..).zip(codes) {
                scatter.push(layout.partition(code), layout.entry(code, place));
            }
        });
        scatter
    }

    /// Sorts with one thread: partitions are sorted where they lie.
    fn alone(&self, starts: &[u32], order: &mut [u32]) {
        let layout = self.layout;
        if layout.below == 0 && self.encoder.complete {
            // The code is the partition: each row's place is known.
            let mut ends = starts.to_vec();
            return self.for_each_code(0..order.len(), |at, codes| {
                for (position, &code) in (at as u32..).zip(codes) {
                    let end = &mut ends[code as usize];
                    order[*end as usize] = self.rows.get(position);
                    *end += 1;
                }
            });
        }
        let mut scatter = self.scatter(0..order.len(), starts);
        let entries = scatter.finish();
        let mut sorter = Sorter::new();
        for bounds in starts.windows(2) {
            let bounds = bounds[0] as usize..bounds[1] as usize;
            self.sort_partition(&mut entries[bounds.clone()], &mut sorter, &mut order[bounds]);
        }
    }

    /// Sorts with all threads.
    fn together(&self, pieces: Vec<(Range<usize>, Vec<u32>)>, order: &mut [u32]) {
        let all: Vec<Vec<u32>> = pieces.iter().map(|(_, starts)| starts.clone()).collect();
        let mut scatters = threads::map(pieces, |(range, starts)| self.scatter(range, &starts));
        let pieces: Vec<(&[u64], Vec<u32>)> =
            scatters.iter_mut().zip(all).map(|(scatter, starts)| (&*scatter.finish(), starts)).collect();
        // A task is some partitions that follow one another, and their part of the order.
        let share = order.len() / (4 * threads::count()) + 1;
        let mut tasks = Vec::new();
        let (mut rest, mut first, mut rows) = (order, 0, 0);
        for partition in 0..1usize << self.layout.top {
            rows +=
                pieces.iter().map(|(_, starts)| (starts[partition + 1] - starts[partition]) as usize).sum::<usize>();
            if rows >= share || partition + 1 == 1 << self.layout.top {
                let (part, after) = rest.split_at_mut(rows);
                tasks.push((first..partition + 1, part));
                (rest, first, rows) = (after, partition + 1, 0);
            }
        }
        threads::map(tasks, |(partitions, mut order)| {
            let mut sorter = Sorter::new();
            let mut joined = Vec::new();
            for partition in partitions {
                joined.clear();
                for (entries, starts) in &pieces {
                    joined.extend_from_slice(&entries[starts[partition] as usize..starts[partition + 1] as usize]);
                }
                let (part, after) = order.split_at_mut(joined.len());
                self.sort_partition(&mut joined, &mut sorter, part);
                order = after;
            }
        });
    }

    /// Sorts the entries of a partition, which stand in the order of their places, and writes its rows.
    fn sort_partition(&self, entries: &mut [u64], sorter: &mut Sorter, order: &mut [u32]) {
        let places = self.layout.places;
        sorter.sort(entries, places);
        let mask = (1u64 << places) - 1;
        order.iter_mut().zip(&*entries).for_each(|(row, entry)| *row = self.rows.get((entry & mask) as u32));
        if !self.encoder.complete {
            sort_ties(self.columns, entries, places, order, self.depth);
        } else if self.layout.drop > 0 {
            sort_dropped(&self.encoder, entries, places, order);
        }
    }
}

fn copy(rows: Rows<'_>, order: &mut [u32]) {
    match rows {
        Rows::All(_) => order.iter_mut().zip(0..).for_each(|(row, position)| *row = position),
        Rows::List(list) => order.copy_from_slice(list),
    }
}
