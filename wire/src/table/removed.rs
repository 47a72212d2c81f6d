//! Which rows of a chunk have been removed: a bit for each, and none at all while nothing has gone.

use std::sync::Arc;

/// The removed rows of a chunk. A copy shares the bits until one of the two changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Removed {
    /// Up to the last word that says something; perhaps fewer than the rows need.
    bits: Arc<Vec<u64>>,
    count: usize,
    /// All rows before this one have been removed.
    head: usize,
}

impl Removed {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The first rows, when only they have gone.
    pub(super) fn only_head(&self) -> Option<usize> {
        (self.count == self.head).then_some(self.head)
    }

    pub(super) fn is_removed(&self, row: usize) -> bool {
        self.bits.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Removes a row that has not been removed, of so many.
    pub(super) fn remove(&mut self, row: usize, rows: usize) {
        let bits = Arc::make_mut(&mut self.bits);
        bits.resize(rows.div_ceil(64).max(bits.len()), 0);
        bits[row / 64] |= 1 << (row % 64);
        self.count += 1;
    }

    /// The next row at the head that has not been removed.
    pub(super) fn next_at_head(&mut self) -> usize {
        while self.is_removed(self.head) {
            self.head += 1;
        }
        self.head
    }

    /// Says that all rows before this one have been removed.
    pub(super) fn set_head(&mut self, head: usize) {
        self.head = head;
    }

    /// How many rows before this one have been removed.
    pub(super) fn before(&self, row: usize) -> usize {
        if self.count == 0 {
            return 0;
        }
        let words = (row / 64).min(self.bits.len());
        let whole: u32 = self.bits[..words].iter().map(|word| word.count_ones()).sum();
        let rest = self.bits.get(row / 64).map_or(0, |word| (word & ((1 << (row % 64)) - 1)).count_ones());
        (whole + rest) as usize
    }

    /// The row that is the `live`-th one left, of so many.
    pub(super) fn row_of(&self, live: usize, rows: usize) -> usize {
        if self.count == 0 {
            return live;
        }
        let mut left = live;
        for (word, &bits) in self.bits.iter().enumerate() {
            let here = 64.min(rows - 64 * word) - bits.count_ones() as usize;
            if left < here {
                let mut row = 64 * word;
                loop {
                    if !self.is_removed(row) {
                        if left == 0 {
                            return row;
                        }
                        left -= 1;
                    }
                    row += 1;
                }
            }
            left -= here;
        }
        // Behind the words that say something, nothing was removed.
        64 * self.bits.len() + left
    }

    pub(super) fn memory(&self) -> usize {
        8 * self.bits.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_found_among_those_that_went() {
        let mut removed = Removed::default();
        let gone = [0, 1, 5, 63, 64, 130];
        gone.iter().for_each(|&row| removed.remove(row, 200));
        let left: Vec<usize> = (0..200).filter(|row| !gone.contains(row)).collect();
        for (live, &row) in left.iter().enumerate() {
            assert_eq!((removed.row_of(live, 200), row - removed.before(row)), (row, live));
        }
        assert_eq!((removed.next_at_head(), removed.count(), removed.only_head()), (2, 6, None));
    }
}
