//! Rows spread over partitions by the highest bits of their codes, and each partition sorted.
//!
//! One thread goes step by step ([`Sort::step`]), so that whoever has no other thread may rest between two of them: each is about
//! as much as so many rows take. A partition that is large by itself, since its codes lie close together, is put off, to be
//! sorted by the bits that tell its own rows apart.
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
/// Rows of a partition, or of a tie, beyond which they are a step of their own: fewer take some ten milliseconds, and it costs a
/// second look at each of them. Few in a build for tests, which then get there.
pub(super) const PUT_OFF: usize = if cfg!(debug_assertions) { 1 << 13 } else { 1 << 20 };
/// Rows beyond eight times a limit that are sorted rather than looked at again.
const FEW: usize = 4096;

/// Where the bits of a code go: the highest choose the partition, as many of the others as there is room for stand in
/// the entry, above the row's place.
#[derive(Debug, Clone, Copy, Default)]
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

    /// The partition behind those that hold the first `limit` rows, if that leaves many rows out.
    fn cut(starts: &[u32], limit: usize) -> Option<usize> {
        let rows = starts.last().map_or(0, |&end| end as usize);
        let cut = starts.iter().position(|&start| start as usize >= limit)?;
        (rows > limit.saturating_mul(8).saturating_add(FEW) && (starts[cut] as usize) < rows).then_some(cut)
    }
}

/// Rows of a sort whose order is left for later: so many from a place on, which stand in the order of their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Later {
    pub(super) to: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
}

/// Sorts some rows, which are not many and stand in the order of their numbers.
pub(super) fn sort_list(columns: &[Column<'_>], rows: &mut [u32], depth: usize) {
    let mut sort = Sort::new(Some(rows.to_vec()), rows.len(), rows.len(), depth, 0);
    while !sort.step(columns, rows, &mut Vec::new(), usize::MAX) {}
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Finds out what tells the rows apart.
    Look,
    /// Counts the rows of each partition.
    Count,
    /// Leaves out rows of partitions behind the limit.
    Choose(usize),
    /// Writes each row to its place, which its code tells.
    Place,
    /// Spreads entries over partitions.
    Scatter,
    /// Sorts partitions.
    Sort,
}

/// A sort of some rows in the making.
#[derive(Debug)]
pub(super) struct Sort {
    /// The rows, ascending; without it all.
    list: Option<Vec<u32>>,
    length: usize,
    /// Rows that are wanted, from the first.
    limit: usize,
    depth: usize,
    /// Where in the order they go.
    to: usize,
    stage: Stage,
    /// The next row, or partition.
    at: usize,
    encoder: Encoder,
    layout: Layout,
    counted: Counted,
    /// Where each partition begins, and where the last one ends.
    starts: Vec<u32>,
    chosen: Vec<u32>,
    scatter: Option<Scatter>,
    sorter: Sorter,
}

impl Sort {
    pub(super) fn new(list: Option<Vec<u32>>, length: usize, limit: usize, depth: usize, to: usize) -> Self {
        Self {
            list,
            length,
            limit,
            depth,
            to,
            stage: Stage::Look,
            at: 0,
            encoder: Encoder::new(),
            layout: Layout::default(),
            counted: Counted::default(),
            starts: Vec::new(),
            chosen: Vec::new(),
            scatter: None,
            sorter: Sorter::default(),
        }
    }

    /// About how far it is, from 0 to 1.
    pub(super) fn part(&self, columns: usize) -> f64 {
        let at = match self.stage {
            Stage::Look => return 0.3 * self.encoder.part(columns, self.length),
            Stage::Sort => self.starts.get(self.at).map_or(self.length, |&start| start as usize),
            _ => self.at,
        };
        let (before, share) = match self.stage {
            Stage::Look | Stage::Count => (0.3, 0.2),
            Stage::Choose(_) | Stage::Place => (0.5, 0.5),
            Stage::Scatter => (0.5, 0.2),
            Stage::Sort => (0.7, 0.3),
        };
        before + share * at as f64 / self.length.max(1) as f64
    }

    /// Does about as much as so many rows take; whether all is done, but for what is put off.
    pub(super) fn step(
        &mut self,
        columns: &[Column<'_>],
        order: &mut [u32],
        later: &mut Vec<Later>,
        budget: usize,
    ) -> bool {
        let length = self.length;
        let rows = self.list.as_ref().map_or(Rows::All(length), |list| Rows::List(list));
        let order = &mut order[self.to..self.to + length];
        if matches!(self.stage, Stage::Look) {
            if !self.encoder.look(columns, rows, budget) {
                return false;
            }
            if self.encoder.sorted || self.encoder.bits == 0 && self.encoder.complete || length < 2 {
                copy(rows, order);
                return true;
            }
            // Codes that told nothing apart will not do so again.
            self.depth = if self.encoder.bits == 0 { DEEP } else { self.depth };
            self.layout = Layout::new(self.encoder.bits, length);
            self.counted = Counted::new(self.layout);
            self.stage = Stage::Count;
            return false;
        }
        let coding = Coding { columns, rows, encoder: &self.encoder, layout: self.layout, depth: self.depth };
        if matches!(self.stage, Stage::Sort) {
            let entries = self.scatter.as_mut().map(Scatter::finish).unwrap_or_default();
            let mut left = budget;
            while let [start, end, ..] = self.starts[self.at..] {
                let bounds = start as usize..end as usize;
                let rows = &mut order[bounds.clone()];
                coding.sort_partition(&mut entries[bounds], &mut self.sorter, rows, self.to + start as usize, later);
                self.at += 1;
                let Some(rest) = left.checked_sub((end - start) as usize) else { return false };
                left = rest;
            }
            return true;
        }
        if threads::count() > 1 && matches!(self.stage, Stage::Count) && threads::ranges(length, BLOCK).len() > 1 {
            let Some(chosen) = coding.together(order, self.limit, self.to, later) else { return true };
            self.chosen = chosen;
            return self.choose_again();
        }
        let end = length.min(self.at.saturating_add(budget));
        let is_counted = matches!(self.stage, Stage::Count) && self.layout.top == 0;
        if is_counted {
            // One partition; whether it is in order is found when it is sorted.
            self.counted = Counted { counts: vec![length as u32], ..Counted::default() };
            self.at = length;
        }
        let mut block = [0u64; BLOCK];
        while self.at < end {
            let at = self.at;
            let codes = &mut block[..BLOCK.min(end - at)];
            coding.encoder.fill(columns, rows, at, codes);
            match self.stage {
                Stage::Count => coding.count(codes, &mut self.counted),
                Stage::Choose(cut) => coding.choose(at, codes, cut, &mut self.chosen),
                Stage::Place => coding.place(at, codes, &mut self.starts, order),
                _ => coding.scatter(at, codes, &mut self.scatter),
            }
            self.at += codes.len();
        }
        if self.at < length {
            return false;
        }
        self.at = 0;
        match self.stage {
            Stage::Choose(_) => return self.choose_again(),
            Stage::Place => return true,
            Stage::Scatter => (self.stage, self.sorter) = (Stage::Sort, Sorter::new()),
            _ if self.encoder.complete && self.counted.sorted => {
                copy(rows, order);
                return true;
            }
            _ => {
                self.starts = starts(std::mem::take(&mut self.counted.counts));
                self.stage = if let Some(cut) = Layout::cut(&self.starts, self.limit) {
                    Stage::Choose(cut)
                } else if self.layout.below == 0 && self.encoder.complete {
                    Stage::Place
                } else {
                    self.scatter = Some(Scatter::new(length, &self.starts));
                    Stage::Scatter
                };
            }
        }
        false
    }

    /// The rows that are left are sorted in place of all; gives that nothing is done yet.
    fn choose_again(&mut self) -> bool {
        let chosen = std::mem::take(&mut self.chosen);
        let length = chosen.len();
        *self = Self::new(Some(chosen), length, self.limit, self.depth, self.to);
        false
    }
}

/// What one reading of a stretch of rows tells.
#[derive(Debug, Default)]
struct Counted {
    /// Rows of each partition.
    counts: Vec<u32>,
    sorted: bool,
    first: Option<u64>,
    last: u64,
}

impl Counted {
    fn new(layout: Layout) -> Self {
        Self { counts: vec![0; 1 << layout.top], sorted: true, first: None, last: 0 }
    }
}

/// Whether all codes stand in order.
fn in_order(counted: &[Counted]) -> bool {
    counted.iter().all(|part| part.sorted) && counted.windows(2).all(|parts| Some(parts[0].last) <= parts[1].first)
}

/// Where each partition begins, and where the last one ends.
fn starts(mut counts: Vec<u32>) -> Vec<u32> {
    let mut start = 0;
    counts.iter_mut().for_each(|count| start += std::mem::replace(count, start));
    counts.push(start);
    counts
}

/// Rows, and how their codes are made and laid out.
struct Coding<'s, 'a> {
    columns: &'s [Column<'a>],
    rows: Rows<'s>,
    encoder: &'s Encoder,
    layout: Layout,
    depth: usize,
}

impl Coding<'_, '_> {
    fn count(&self, codes: &[u64], counted: &mut Counted) {
        codes.iter().for_each(|&code| counted.counts[(code >> self.layout.below) as usize] += 1);
        counted.first.get_or_insert(codes[0]);
        counted.sorted = counted.sorted && counted.last <= codes[0] && codes.is_sorted();
        counted.last = codes[codes.len() - 1];
    }

    /// The rows of partitions before `cut`.
    fn choose(&self, at: usize, codes: &[u64], cut: usize, chosen: &mut Vec<u32>) {
        let each = (at as u32..).zip(codes).filter(|(_, code)| self.layout.partition(**code) < cut);
        chosen.extend(each.map(|(place, _)| self.rows.get(place)));
    }

    /// The code is the partition: each row's place is known. `ends` are those of the rows that have been written.
    fn place(&self, at: usize, codes: &[u64], ends: &mut [u32], order: &mut [u32]) {
        for (position, &code) in (at as u32..).zip(codes) {
            let end = &mut ends[code as usize];
            order[*end as usize] = self.rows.get(position);
            *end += 1;
        }
    }

    fn scatter(&self, at: usize, codes: &[u64], scatter: &mut Option<Scatter>) {
        let layout = self.layout;
        let Some(scatter) = scatter else { return };
        for (place, &code) in (at..).zip(codes) {
            scatter.push(layout.partition(code), layout.entry(code, place));
        }
    }

    /// Calls `each(place, codes)` for the rows of a range, a block at a time.
    fn for_each_block(&self, range: Range<usize>, mut each: impl FnMut(usize, &[u64])) {
        let mut block = [0u64; BLOCK];
        for at in range.clone().step_by(BLOCK) {
            let codes = &mut block[..BLOCK.min(range.end - at)];
            self.encoder.fill(self.columns, self.rows, at, codes);
            each(at, codes);
        }
    }

    /// Sorts with all threads; gives the rows that are left where a limit leaves many out.
    fn together(&self, order: &mut [u32], limit: usize, to: usize, later: &mut Vec<Later>) -> Option<Vec<u32>> {
        let ranges = threads::ranges(order.len(), BLOCK);
        let counted = threads::map(ranges.clone(), |range| {
            let mut counted = Counted::new(self.layout);
            self.for_each_block(range, |_, codes| self.count(codes, &mut counted));
            counted
        });
        if self.encoder.complete && in_order(&counted) {
            copy(self.rows, order);
            return None;
        }
        let all: Vec<Vec<u32>> = counted.into_iter().map(|counted| starts(counted.counts)).collect();
        let sums: Vec<u32> = (0..all[0].len()).map(|start| all.iter().map(|starts| starts[start]).sum()).collect();
        if let Some(cut) = Layout::cut(&sums, limit) {
            let chosen = threads::map(ranges, |range| {
                let mut chosen = Vec::new();
                self.for_each_block(range, |at, codes| self.choose(at, codes, cut, &mut chosen));
                chosen
            });
            return Some(chosen.concat());
        }
        let pieces: Vec<(Range<usize>, &Vec<u32>)> = ranges.into_iter().zip(&all).collect();
        let mut scatters = threads::map(pieces, |(range, starts)| {
            let mut scatter = Some(Scatter::new(range.len(), starts));
            self.for_each_block(range, |at, codes| self.scatter(at, codes, &mut scatter));
            scatter
        });
        let pieces: Vec<(&[u64], &Vec<u32>)> =
            scatters.iter_mut().flatten().zip(&all).map(|(scatter, starts)| (&*scatter.finish(), starts)).collect();
        // A task is some partitions that follow one another, and their part of the order.
        let share = order.len() / (4 * threads::count()) + 1;
        let mut tasks = Vec::new();
        let (mut rest, mut first, mut rows, mut to) = (order, 0, 0, to);
        for partition in 0..1usize << self.layout.top {
            rows +=
                pieces.iter().map(|(_, starts)| (starts[partition + 1] - starts[partition]) as usize).sum::<usize>();
            if rows >= share || partition + 1 == 1 << self.layout.top {
                let (part, after) = rest.split_at_mut(rows);
                tasks.push((first..partition + 1, part, to));
                (rest, first, rows, to) = (after, partition + 1, 0, to + rows);
            }
        }
        let put_off = threads::map(tasks, |(partitions, mut order, mut to)| {
            let mut sorter = Sorter::new();
            let (mut joined, mut later) = (Vec::new(), Vec::new());
            for partition in partitions {
                joined.clear();
                for (entries, starts) in &pieces {
                    joined.extend_from_slice(&entries[starts[partition] as usize..starts[partition + 1] as usize]);
                }
                let (part, after) = order.split_at_mut(joined.len());
                self.sort_partition(&mut joined, &mut sorter, part, to, &mut later);
                (order, to) = (after, to + joined.len());
            }
            later
        });
        later.extend(put_off.concat());
        None
    }

    /// Sorts the entries of a partition, which stand in the order of their places, and writes its rows, of which the first stands
    /// at `to` in the whole order.
    fn sort_partition(
        &self,
        entries: &mut [u64],
        sorter: &mut Sorter,
        order: &mut [u32],
        to: usize,
        later: &mut Vec<Later>,
    ) {
        let Layout { places, below, drop, .. } = self.layout;
        // What is all in one partition would be so again.
        let is_put_off = entries.len() > PUT_OFF && entries.len() < self.rows.len() && below > 0 && self.depth < DEEP;
        if !is_put_off {
            sorter.sort(entries, places);
        }
        let mask = (1u64 << places) - 1;
        order.iter_mut().zip(&*entries).for_each(|(row, entry)| *row = self.rows.get((entry & mask) as u32));
        if is_put_off {
            later.push(Later { to, rows: order.len(), depth: self.depth + 1 });
        } else if !self.encoder.complete {
            sort_ties(self.columns, entries, places, order, self.depth, to, later);
        } else if drop > 0 {
            sort_dropped(self.encoder, self.columns, entries, places, order);
        }
    }
}

fn copy(rows: Rows<'_>, order: &mut [u32]) {
    match rows {
        Rows::All(_) => order.iter_mut().zip(0..).for_each(|(row, position)| *row = position),
        Rows::List(list) => order.copy_from_slice(list),
    }
}
