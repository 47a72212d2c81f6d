//! Cells that have just changed: they are seen for a moment.
//!
//! A cell is named by its row's serial and its column, so that it keeps its colour when the row moves. A row that came has all
//! of its cells marked by one entry. Rows without serials, those that stay on the server, are named by their place, and given
//! other names when they move.

use std::ops::Range;

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
            return self.cells.clear();
        }
        let came = if rows { touched.inserted.clone() } else { 0..0 };
        let count = touched.cells.len() + came.len();
        if count > 0 && count <= MOST && self.cells.len() <= MOST {
            let cells = touched.cells.iter().map(|&(serial, column)| name(serial, column));
            let came = came.map(|serial| name(serial, ROW));
            self.cells.extend(cells.chain(came).map(|cell| (cell, now)));
            self.last = now;
        }
        // The latest of several for one cell comes first and stays.
        self.cells.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        self.cells.dedup_by_key(|entry| entry.0);
    }

    /// Gives rows other names, before what was then touched is marked; those that have none lose their colour.
    pub(crate) fn rename(&mut self, to: &dyn Fn(usize) -> Option<usize>) {
        self.cells.retain_mut(|(cell, _)| {
            let now = to((*cell >> 32) as usize);
            *cell = name(now.unwrap_or(0) as u32, *cell as u32);
            now.is_some()
        });
    }

    /// Tells of rows of a view which cells are marked: for each the row, the column (−1 for all of them) and the age (ms). The
    /// rows are those of a range, as far as they have names.
    pub(crate) fn tell(
        &self,
        rows: Range<usize>,
        serial: &dyn Fn(usize) -> Option<u32>,
        columns: usize,
        now: f64,
        news: &mut Vec<f64>,
    ) {
        if !self.is_alive(now) {
            return;
        }
        for row in rows {
            let Some(serial) = serial(row) else { break };
            for column in (0..columns as u32).chain([ROW]) {
                if let Some(age) = self.age(serial, column, now) {
                    news.extend([row as f64, if column == ROW { -1.0 } else { f64::from(column) }, age]);
                }
            }
        }
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
