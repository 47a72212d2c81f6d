//! Rows that stay elsewhere and come anew after an update: which of them are those of before, and which cells are others.
//!
//! Whoever holds these rows tells how many came, changed and went, and the page has two windows: the one of before and the one
//! of now. A row is known again by its key, or without one by all that it holds (then no cell of it can have changed). Of a
//! row that is known the cells are compared. One that is not known may be new, or only have come into the window: it is new
//! when it stands where rows come in the table's own order, or, in any other, when it is among those that are told to be there.
//! It has come from elsewhere, too, when it stands between two rows that have kept their order, and between these all were here.
//!
//! The cost is that of two windows, whatever the table.

use std::ops::Range;

use arrow_schema::SchemaRef;
use wire::table::Touched;

use super::flash::ROW;
use crate::far::Far;
use crate::format::{self, Formats};
use crate::table::Table;

/// A window that has come anew.
#[derive(Debug)]
pub(crate) struct Anew {
    first: usize,
    table: Table,
    is_keyed: bool,
    names: Vec<String>,
    /// Rows of before, and where they are now.
    pairs: Vec<(usize, usize)>,
}

/// What names a row, as text: these columns, or without any all of them; nothing behind the last row.
fn name(table: &Table, row: usize, key: &[f64], formats: &Formats) -> Option<String> {
    let mut name = String::new();
    let count = if key.is_empty() { table.schema.fields().len() } else { key.len() };
    for at in 0..count {
        let (array, row) = table.cell(row, key.get(at).map_or(at, |&column| column as usize))?;
        let some = format::write(array, row, None, formats, &mut name);
        name.push(if some { '\u{1}' } else { '\u{2}' });
    }
    Some(name)
}

/// The names of all rows of a table.
pub(crate) fn names(table: &Table, key: &[f64], formats: &Formats) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(name) = name(table, names.len(), key, formats) {
        names.push(name);
    }
    names
}

impl Anew {
    /// Rows of a view from `first` on, beside those that were here.
    pub(crate) fn new(first: usize, table: Table, before: &Far, key: &[f64], formats: &Formats) -> Self {
        let names = names(&table, key, formats);
        let mut pairs = Vec::new();
        for row in first.saturating_sub(names.len())..first + 2 * names.len() {
            let Some((source, at)) = before.source(row) else { continue };
            let Some(name) = name(source, at, key, formats) else { continue };
            let mut now: Option<usize> = None;
            // Of several that are the same the nearest.
            for (other, at) in names.iter().zip(first..) {
                if *other == name && now.is_none_or(|now| now.abs_diff(row) > at.abs_diff(row)) {
                    now = Some(at);
                }
            }
            if let Some(now) = now {
                pairs.push((row, now));
            }
        }
        Self { first, table, is_keyed: !key.is_empty(), names, pairs }
    }

    /// The rows of the view.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.first..self.first + self.names.len()
    }

    /// How many columns they have.
    pub(crate) fn columns(&self) -> usize {
        self.table.schema.fields().len()
    }

    /// Their columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.table.schema
    }

    /// Whether a row of before has another value in a column.
    fn differs(&self, before: &Far, (row, now): (usize, usize), column: usize) -> bool {
        let old = before.source(row).and_then(|(table, at)| table.cell(at, column));
        let new = self.table.cell(now - self.first, column);
        old.zip(new).is_some_and(|((old, at), (new, row))| {
            !kernels::arrays::equal(old.slice(at, 1).as_ref(), new.slice(row, 1).as_ref())
        })
    }

    /// Where a row of before is now.
    pub(crate) fn still(&self, row: usize) -> Option<usize> {
        self.pairs.iter().find(|(before, _)| *before == row).map(|&(_, now)| now)
    }

    /// The cells that are others, and the rows that came, all by their place in the view of now. Of those that were not here
    /// before, rows from `came` on are new, and those of these names.
    pub(crate) fn touched(&self, before: &Far, came: usize, named: &[String]) -> Touched {
        let mut touched = Touched::default();
        for &(row, now) in if self.is_keyed { &self.pairs[..] } else { &[] } {
            for column in 0..self.columns() {
                if self.differs(before, (row, now), column) {
                    touched.cells.push((now as u32, column as u32));
                }
            }
        }
        for (row, name) in (self.first..).zip(&self.names) {
            if (row >= came || named.contains(name)) && !self.pairs.iter().any(|(_, now)| *now == row) {
                touched.cells.push((row as u32, ROW));
            }
        }
        touched
    }

    /// Beside these the rows that came among others: what they were before nobody knows here. The view, of so many rows, is
    /// sorted by these columns.
    pub(crate) fn moved(&self, before: &Far, sort: &[usize], shown: usize, touched: &mut Touched) {
        let mut steady = self.pairs.clone();
        steady.retain(|&pair| !sort.iter().any(|&column| self.differs(before, pair, column)));
        steady.sort_unstable_by_key(|&(_, now)| now);
        let known = |name| self.pairs.iter().any(|&(_, now)| self.names.get(now - self.first) == Some(name));
        for (row, name) in self.rows().zip(&self.names) {
            let at = steady.partition_point(|&(_, now)| now < row);
            let above = steady[..at].last().map(|&(row, _)| row + 1).or((self.first == 0).then_some(0));
            let below = steady.get(at).map(|&(row, _)| row).or((self.rows().end >= shown).then_some(before.rows));
            if let (Some(above), Some(below)) = (above, below)
                && above <= below
                && before.covers(&(above..below))
                && !known(name)
            {
                touched.cells.push((row as u32, ROW));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};

    use super::*;
    use crate::format::Zones;

    fn formats() -> Formats {
        Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' }
    }

    fn rows(all: &[(i64, Option<f64>)]) -> Table {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("value", Arc::new(Float64Array::from_iter(all.iter().map(|row| row.1))) as ArrayRef, true),
            ("id", Arc::new(Int64Array::from_iter_values(all.iter().map(|row| row.0))), false),
        ]);
        let batch = batch.unwrap();
        // In two batches, as a server cuts them.
        let cut = all.len() / 2;
        let mut table = Table::of(batch.slice(0, cut));
        table.push(batch.slice(cut, all.len() - cut));
        table
    }

    fn far(first: usize, all: &[(i64, Option<f64>)]) -> Far {
        let Table { schema, batches, .. } = rows(all);
        let mut far = Far::new(1_000, None);
        far.give(first, &schema, batches);
        far
    }

    fn plain(ids: Range<i64>) -> Vec<(i64, Option<f64>)> {
        ids.map(|id| (id, Some(id as f64 / 2.0))).collect()
    }

    #[test]
    fn a_row_is_known_by_its_key_and_its_cells_are_compared() {
        let (key, formats) = ([1.0], formats());
        let before = far(10, &plain(10..20));
        // Rows 10 and 12 have gone, 15 and 16 have other values (one none at all), 20 and 21 came.
        let mut now = plain(10..22);
        now.retain(|row| row.0 != 10 && row.0 != 12);
        (now[3].1, now[4].1) = (Some(0.25), None);
        assert_eq!((now[3].0, now[4].0), (15, 16));
        let anew = Anew::new(10, rows(&now), &before, &key, &formats);
        assert_eq!([anew.still(10), anew.still(11), anew.still(19), anew.still(25)], [None, Some(10), Some(17), None]);
        let cells = |came, named: &[String]| anew.touched(&before, came, named).cells;
        assert_eq!(cells(18, &[]), [(13, 0), (14, 0), (18, ROW), (19, ROW)]);
        // By their names; one that was here is known, wherever it came from.
        let ids = RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from(vec![21, 11, 99])) as ArrayRef)]);
        let named = names(&Table::of(ids.unwrap()), &[], &formats);
        assert_eq!(cells(usize::MAX, &named), [(13, 0), (14, 0), (19, ROW)]);
    }

    #[test]
    fn a_row_that_stands_between_rows_of_before_has_come_there() {
        let (key, formats) = ([1.0], formats());
        let moved = |first: usize, now: &[(i64, Option<f64>)], before: &Far, shown| {
            let mut touched = Touched::default();
            Anew::new(first, rows(now), before, &key, &formats).moved(before, &[0], shown, &mut touched);
            touched.cells.iter().map(|&(row, _)| row).collect::<Vec<_>>()
        };
        // Row 70 comes between 12 and 13; 9 and 20 may only have come into the window.
        let before = far(10, &plain(10..20));
        let mut now = plain(9..21);
        now.insert(4, (70, Some(6.25)));
        assert_eq!(moved(10, &now, &before, 1_001), [14]);
        // Row 13 has another place: what stands around it says nothing of 20, which it is behind now.
        let mut now = plain(10..21);
        let mut gone = now.remove(3);
        gone.1 = Some(10.5);
        now.push(gone);
        assert_eq!(moved(10, &now, &before, 1_000), [0_u32; 0]);
        // Above the first row nothing was, nor behind the last.
        let mut before = far(0, &plain(0..10));
        before.rows = 10;
        let mut now = plain(0..10);
        now.insert(0, (70, Some(-1.0)));
        now.push((71, Some(99.0)));
        assert_eq!(moved(0, &now, &before, 12), [0, 11]);
        assert_eq!(moved(0, &now, &before, 99), [0]);
        // Two windows of before: what lay between them was not here.
        let mut before = far(0, &plain(0..4));
        let Table { schema, batches, .. } = rows(&plain(8..12));
        before.give(8, &schema, batches);
        assert_eq!(moved(0, &plain(0..12), &before, 1_000), [0_u32; 0]);
    }

    #[test]
    fn without_a_key_rows_come_and_go_and_no_cell_changes() {
        let formats = formats();
        let before = far(0, &plain(0..8));
        let mut now = plain(3..10);
        now[1].1 = Some(99.0);
        let anew = Anew::new(0, rows(&now), &before, &[], &formats);
        assert_eq!([anew.still(2), anew.still(3), anew.still(4)], [None, Some(0), None]);
        assert_eq!(anew.touched(&before, 5, &[]).cells, [(5, ROW), (6, ROW)]);
        // Of rows that are the same each is known to be the one that stands nearest.
        let same = [(1, None); 6];
        let anew = Anew::new(2, rows(&same[..3]), &far(0, &same), &[], &formats);
        assert_eq!([anew.still(0), anew.still(3), anew.still(5)], [Some(2), Some(3), Some(4)]);
    }
}
