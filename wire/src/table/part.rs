//! Chunks as they lie in memory, for a reader that keeps an order of its own over the rows.
//!
//! Such a reader must be able to name a row for as long as it lives, whatever chunk it comes to stand in. Each row has a
//! **serial number** (if [`TableOptions::serials`](super::TableOptions::serials) is set): rows that come get the next ones,
//! and rows come at the end only, so serials ascend in the order of rows. A chunk whose rows came together keeps the first
//! serial alone; one that was merged after rows had gone keeps a list, four bytes for each row.
//!
//! What updates did to which rows is noted in [`Touched`], until it is taken.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;

use super::Table;
use super::removed::Removed;
use crate::Result;
use crate::error::all;

/// The serial numbers of a chunk's rows.
#[derive(Debug, Clone)]
pub(super) enum Serials {
    /// One after the other, from this one.
    Run(u32),
    /// These, ascending.
    List(Arc<Vec<u32>>),
}

impl Serials {
    pub(super) fn get(&self, row: usize) -> u32 {
        match self {
            Self::Run(first) => first + row as u32,
            Self::List(serials) => serials[row],
        }
    }

    fn find(&self, serial: u32, rows: usize) -> Option<usize> {
        match self {
            Self::Run(first) => serial.checked_sub(*first).map(|row| row as usize).filter(|&row| row < rows),
            Self::List(serials) => serials.binary_search(&serial).ok(),
        }
    }

    /// Of rows that ascend: a run, if they are one.
    pub(super) fn of(serials: Vec<u32>) -> Self {
        match (serials.first(), serials.last()) {
            (Some(&first), Some(&last)) if (last - first) as usize + 1 == serials.len() => Self::Run(first),
            (None, _) => Self::Run(0),
            _ => Self::List(Arc::new(serials)),
        }
    }
}

/// A chunk. Rows that have been removed stand among its rows, until it is merged.
#[derive(Debug, Clone)]
pub struct Part {
    /// All rows, removed ones among them.
    pub batch: RecordBatch,
    pub(super) removed: Removed,
    pub(super) serials: Serials,
}

impl Part {
    /// Rows that are left.
    #[must_use]
    pub fn live(&self) -> usize {
        self.batch.num_rows() - self.removed.count()
    }

    /// Whether a row has been removed.
    #[must_use]
    pub fn is_removed(&self, row: usize) -> bool {
        self.removed.is_removed(row)
    }

    /// The row that is the `live`-th one left.
    #[must_use]
    pub fn row_of(&self, live: usize) -> usize {
        self.removed.row_of(live, self.batch.num_rows())
    }

    /// How many rows before this one are left.
    #[must_use]
    pub fn live_before(&self, row: usize) -> usize {
        row - self.removed.before(row)
    }

    /// The serial of a row.
    #[must_use]
    pub fn serial(&self, row: usize) -> u32 {
        self.serials.get(row)
    }

    /// The row of a serial, removed or not; `None` when the chunk has no such row.
    #[must_use]
    pub fn find(&self, serial: u32) -> Option<usize> {
        self.serials.find(serial, self.batch.num_rows())
    }
}

/// What updates did, row by row, since it was last taken. A row may be named more than once, and may be gone by now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// All rows are others, and their serials too: nothing else is noted.
    pub replaced: bool,
    /// Serials of rows that came.
    pub inserted: Range<u32>,
    /// Serials of rows of which cells were set.
    pub updated: Vec<u32>,
    /// Serials of rows that went.
    pub removed: Vec<u32>,
    /// Cells whose values are others now: serial and column.
    pub cells: Vec<(u32, u32)>,
}

impl Touched {
    /// Nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.replaced && self.inserted.is_empty() && self.updated.is_empty() && self.removed.is_empty()
    }
}

impl Table {
    /// The chunks in the order of rows. `O(chunks)`. While they are held, cells that change are copied first: let them go
    /// before the next update.
    ///
    /// # Errors
    /// As [`Table::snapshot`].
    pub fn parts(&mut self) -> Result<Vec<Part>> {
        all(self.chunks.values_mut().iter_mut().map(|chunk| chunk.part(&self.schema)))
    }

    /// Takes what updates did since the last time. Nothing is noted unless
    /// [`TableOptions::serials`](super::TableOptions::serials) is set.
    pub fn take_touched(&mut self) -> Touched {
        let next = self.next_serial;
        let taken = std::mem::replace(&mut self.touched, Touched { inserted: next..next, ..Touched::default() });
        if taken.replaced { Touched { replaced: true, ..Touched::default() } } else { taken }
    }

    /// Serials that have been given: more than twice the rows when most rows that had one are gone. See
    /// [`Table::renumber`].
    #[must_use]
    pub fn serials(&self) -> u32 {
        self.next_serial
    }

    /// Gives all rows serials anew, from 0 on, in their order. What is noted as touched is a replacement then.
    pub fn renumber(&mut self) {
        let mut next = 0u32;
        for chunk in self.chunks.values_mut() {
            next = chunk.renumber(next);
        }
        self.next_serial = next;
        self.touched = Touched { replaced: true, ..Touched::default() };
    }

    /// Serials for rows that come.
    pub(super) fn give_serials(&mut self, rows: usize) -> u32 {
        if !self.options.serials {
            return 0;
        }
        let short = |next: u32| u32::try_from(rows).ok().and_then(|rows| next.checked_add(rows)).is_none();
        if short(self.next_serial) {
            self.renumber();
        }
        let first = self.next_serial;
        self.next_serial = first.saturating_add(rows as u32);
        self.touched.inserted.end = self.next_serial;
        first
    }
}
