//! Closing, merging, forgetting: what keeps the number of chunks and the size of the index in bounds.

use std::time::Duration;

use kernels::Mask;

use super::chunk::Chunk;
use super::part::Serials;
use super::{Table, kernel};
use crate::Result;
use crate::error::all;

impl Table {
    /// Does what is due by the clock or by size: closes the hot chunk. [`Table::apply`] calls it; a table without
    /// updates may be ticked now and then.
    ///
    /// # Errors
    /// As [`Table::snapshot`].
    pub fn tick(&mut self, now: Duration) -> Result<()> {
        if let Some((number, since)) = self.hot {
            let rows = self.chunks.get(number.into()).map_or(0, |chunk| chunk.len());
            if rows >= self.options.hot_rows || rows > 0 && now.saturating_sub(since) >= self.options.hot_age {
                self.close_hot()?;
            }
        }
        self.forget_keys()
    }

    /// The hot chunk takes no more rows.
    pub(super) fn close_hot(&mut self) -> Result<()> {
        match self.hot.take() {
            Some((number, _)) => self.tidy(&[number]),
            None => Ok(()),
        }
    }

    /// Writes chunks anew of which half is gone, and merges them with their neighbours while both are small.
    pub(super) fn tidy(&mut self, numbers: &[u32]) -> Result<()> {
        for &number in numbers {
            let is_hot = self.hot.is_some_and(|(hot, _)| hot == number);
            let Some(chunk) = self.chunks.get(number.into()).filter(|_| !is_hot) else { continue };
            if chunk.live() == 0 {
                self.chunks.remove(number.into());
                continue;
            }
            if chunk.live() < chunk.len() / 2 {
                self.merge(number, number)?;
            }
            let mut number = number;
            while let Some(before) = self.chunks.before(number.into()) {
                let before = before as u32;
                if !self.are_mergeable(before, number) {
                    break;
                }
                self.merge(before, number)?;
                number = before;
            }
            while let Some(after) = self.chunks.after(number.into()) {
                let after = after as u32;
                if !self.are_mergeable(number, after) {
                    break;
                }
                self.merge(number, after)?;
            }
        }
        Ok(())
    }

    /// Neighbours are merged while they fit one chunk and neither is much larger than the other, so that a row
    /// is copied only a few times; and small ones always.
    fn are_mergeable(&self, first: u32, second: u32) -> bool {
        let live = |number: u32| self.chunks.get(number.into()).map_or(0, |chunk| chunk.live());
        let is_hot = self.hot.is_some_and(|(hot, _)| hot == first || hot == second);
        let (a, b) = (live(first), live(second));
        let alike = a <= 2 * b && b <= 2 * a || a + b <= self.options.hot_rows;
        !is_hot && a + b <= self.options.chunk_rows && (alike || a + b <= self.options.chunk_rows / 4)
    }

    /// Makes one chunk of two neighbours, or one anew, without the rows that were removed. It keeps the first number.
    fn merge(&mut self, first: u32, second: u32) -> Result<()> {
        let (mut batches, mut masks) = (Vec::new(), Vec::<Mask>::new());
        let (mut ids, mut times, mut serials) = (Vec::new(), Vec::new(), Vec::new());
        let pair = if second == first { &[first][..] } else { &[first, second] };
        for &number in pair {
            let Some(chunk) = self.chunks.get_mut(number.into()) else { continue };
            batches.push(chunk.whole(&self.schema)?);
            masks.push(chunk.mask());
            let live = chunk.ids.iter().enumerate().filter(|(row, _)| !chunk.is_removed(*row));
            ids.extend(live.map(|(_, &id)| id));
            let live = chunk.times.iter().enumerate().filter(|(row, _)| !chunk.is_removed(*row));
            times.extend(live.map(|(_, &time)| time));
            if self.options.serials {
                let live = (0..chunk.len()).filter(|&row| !chunk.is_removed(row));
                serials.extend(live.map(|row| chunk.serial(row)));
            }
        }
        let merged = kernels::filter_batches(&self.schema, &batches, &masks).map_err(kernel)?;
        if second != first {
            self.chunks.remove(second.into());
        }
        let serials = Serials::of(serials);
        let chunk = Chunk::shared(merged.columns().to_vec(), merged.num_rows(), ids, times, serials);
        self.chunks.insert(first.into(), Box::new(chunk));
        self.locate(first, 0);
        Ok(())
    }

    /// Makes the index anew when most of its keys are gone. `O(rows)`, after at least as many removals.
    fn forget_keys(&mut self) -> Result<()> {
        let Some(index) = &mut self.index else { return Ok(()) };
        if index.len() < 2 * self.rows + 4096 {
            return Ok(());
        }
        index.clear()?;
        let columns = index.columns.clone();
        let numbers = self.chunks.numbers().to_vec();
        for number in numbers {
            if let (Some(chunk), Some(index)) = (self.chunks.get_mut(number), self.index.as_mut()) {
                let keys = all(columns.iter().map(|&column| chunk.column(column)))?;
                chunk.ids = index.numbers(chunk.len(), &keys)?;
            }
            self.locate(number as u32, 0);
        }
        Ok(())
    }
}
