//! Cells that have just changed: they are seen for a moment.
//!
//! A cell is named by its row's serial and its column, so that it keeps its colour when the row moves. A row that came has all
//! of its cells marked by one entry.

use wire::table::Touched;

/// How long a cell is seen to have changed (ms).
pub(crate) const LASTS: f64 = 600.0;
/// More cells than these at once are not marked: nobody looks at so many.
const MOST: usize = 1 << 13;
/// The column of an entry for a whole row.
pub(crate) const ROW: u32 = u32::MAX;

/// Cells that have changed, and when.
#[derive(Debug, Default)]
pub(crate) struct Flashes {
    /// By cell.
    cells: Vec<(u64, f64)>,
    last: f64,
}

fn name(serial: u32, column: u32) -> u64 {
    u64::from(serial) << 32 | u64::from(column)
}

impl Flashes {
    /// Marks what updates touched; `rows` says whether rows that came are marked, too.
    pub(crate) fn mark(&mut self, touched: &Touched, rows: bool, now: f64) {
        self.cells.retain(|(_, since)| now - since < LASTS);
        if touched.replaced {
            self.cells.clear();
        }
        let came = if rows { touched.inserted.clone() } else { 0..0 };
        if touched.cells.len() + came.len() > MOST || self.cells.len() > MOST {
            return;
        }
        let cells = touched.cells.iter().map(|&(serial, column)| name(serial, column));
        let came = came.map(|serial| name(serial, ROW));
        self.cells.extend(cells.chain(came).map(|cell| (cell, now)));
        // The latest of several for one cell comes first and stays.
        self.cells.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        self.cells.dedup_by_key(|entry| entry.0);
        self.last = now;
    }

    /// Whether anything is to be seen.
    pub(crate) fn is_alive(&self, now: f64) -> bool {
        !self.cells.is_empty() && now - self.last < LASTS
    }

    /// How long ago a cell changed (ms), while that is to be seen; the row's cells all at once for the column [`ROW`].
    pub(crate) fn age(&self, serial: u32, column: u32, now: f64) -> Option<f64> {
        let cell = name(serial, column);
        let at = self.cells.binary_search_by_key(&cell, |entry| entry.0).ok()?;
        Some(now - self.cells[at].1).filter(|age| *age < LASTS)
    }
}
