//! Rows that stay elsewhere and come anew after an update: which of them are those of before, and which cells are others.
//!
//! Whoever holds these rows tells how many came, changed and went, and the page has two windows: the one of before and the one
//! of now. A row is known again by its key, or without one by all that it holds (then no cell of it can have changed). Of a
//! row that is known the cells are compared. One that is not known may be new, or only have come into the window: it is new
//! when it stands where rows come in the table's own order, or, in any other, when it is among those that are told to be there.
//!
//! The cost is that of two windows, whatever the table.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use wire::table::Touched;

use super::flash::ROW;
use crate::far::Far;
use crate::format::{self, Formats};
use crate::table::Table;

/// Which rows of a window are new.
#[derive(Debug)]
pub(crate) enum Came {
    /// What has happened is not known, or all rows are others: nothing is marked.
    Unknown,
    /// Those from this row of the view on.
    From(usize),
    /// Those of these names.
    Named(Vec<String>),
}

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

/// What names a row, as text; nothing behind the last row.
fn name(table: &Table, row: usize, columns: &[usize], formats: &Formats) -> Option<String> {
    let mut name = String::new();
    for &column in columns {
        let (array, at) = table.cell(row, column)?;
        let some = format::write(array, at, None, formats, &mut name);
        name.push(if some { '\u{1}' } else { '\u{2}' });
    }
    Some(name)
}

/// The columns that name a row.
fn naming(schema: &SchemaRef, key: &[String]) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| key.is_empty() || key.contains(field.name())).map(|(column, _)| column).collect()
}

/// Rows of a stream, as a table.
fn table((schema, batches): (SchemaRef, Vec<RecordBatch>)) -> Table {
    let mut table = Table::new(schema);
    batches.into_iter().for_each(|batch| table.push(batch));
    table
}

/// The names of all rows of a stream.
pub(crate) fn names(rows: (SchemaRef, Vec<RecordBatch>), key: &[String], formats: &Formats) -> Vec<String> {
    names_of(&table(rows), key, formats)
}

fn names_of(table: &Table, key: &[String], formats: &Formats) -> Vec<String> {
    let columns = naming(&table.schema, key);
    (0..table.rows()).map_while(|row| name(table, row, &columns, formats)).collect()
}

impl Anew {
    /// Rows of a view from `first` on, beside those that were here.
    pub(crate) fn new(
        first: usize,
        rows: (SchemaRef, Vec<RecordBatch>),
        before: &Far,
        key: &[String],
        formats: &Formats,
    ) -> Self {
        let table = table(rows);
        let (columns, names) = (naming(&table.schema, key), names_of(&table, key, formats));
        let still = |row: usize| {
            let (source, at) = before.source(row)?;
            let name = name(source, at, &columns, formats)?;
            // Mostly where it was; of several that are the same the nearest.
            let at = |other: usize| names.get(other.wrapping_sub(first)) == Some(&name);
            let all = || names.iter().zip(first..).filter(|(other, _)| **other == name).map(|(_, at)| at);
            let now = if at(row) { Some(row) } else { all().min_by_key(|other| other.abs_diff(row)) };
            Some((row, now?))
        };
        let pairs = before.here().into_iter().filter_map(still).collect();
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

    /// Where a row of before is now.
    pub(crate) fn still(&self, row: usize) -> Option<usize> {
        self.pairs.iter().find(|(before, _)| *before == row).map(|&(_, now)| now)
    }

    /// The cells that are others, and the rows that came, all by their place in the view of now.
    pub(crate) fn touched(&self, before: &Far, came: &Came) -> Touched {
        let mut touched = Touched::default();
        if matches!(came, Came::Unknown) {
            touched.replaced = true;
            return touched;
        }
        for &(row, now) in self.pairs.iter().filter(|_| self.is_keyed) {
            for column in 0..self.columns() {
                let old = before.source(row).and_then(|(table, at)| table.cell(at, column));
                if let (Some((old, at)), Some((new, row))) = (old, self.table.cell(now - self.first, column))
                    && !kernels::arrays::equal(old.slice(at, 1).as_ref(), new.slice(row, 1).as_ref())
                {
                    touched.cells.push((now as u32, column as u32));
                }
            }
        }
        for (row, name) in (self.first..).zip(&self.names) {
            let is_new = match came {
                _ if self.pairs.iter().any(|(_, now)| *now == row) => false,
                Came::From(first) => row >= *first,
                Came::Named(names) => names.contains(name),
                Came::Unknown => false,
            };
            if is_new {
                touched.cells.push((row as u32, ROW));
            }
        }
        touched
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array};

    use super::*;
    use crate::format::Zones;

    fn formats() -> Formats {
        Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' }
    }

    fn rows(all: &[(i64, Option<f64>)]) -> (SchemaRef, Vec<RecordBatch>) {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("value", Arc::new(Float64Array::from_iter(all.iter().map(|row| row.1))) as ArrayRef, true),
            ("id", Arc::new(Int64Array::from_iter_values(all.iter().map(|row| row.0))), false),
        ]);
        let batch = batch.unwrap();
        // In two batches, as a server cuts them.
        let cut = all.len() / 2;
        (batch.schema(), vec![batch.slice(0, cut), batch.slice(cut, all.len() - cut)])
    }

    fn far(first: usize, all: &[(i64, Option<f64>)]) -> Far {
        let (schema, batches) = rows(all);
        let mut far = Far::new(1_000, None);
        far.give(first, &schema, batches);
        far
    }

    fn plain(ids: Range<i64>) -> Vec<(i64, Option<f64>)> {
        ids.map(|id| (id, Some(id as f64 / 2.0))).collect()
    }

    #[test]
    fn a_row_is_known_by_its_key_and_its_cells_are_compared() {
        let (key, formats) = (["id".to_owned()], formats());
        let before = far(10, &plain(10..20));
        // Rows 10 and 12 have gone, 15 and 16 have other values (one none at all), 20 and 21 came.
        let mut now = plain(10..22);
        now.retain(|row| row.0 != 10 && row.0 != 12);
        (now[3].1, now[4].1) = (Some(0.25), None);
        assert_eq!((now[3].0, now[4].0), (15, 16));
        let anew = Anew::new(10, rows(&now), &before, &key, &formats);
        assert_eq!([anew.still(10), anew.still(11), anew.still(19), anew.still(25)], [None, Some(10), Some(17), None]);
        let cells = |came| anew.touched(&before, &came).cells;
        assert_eq!(cells(Came::From(18)), [(13, 0), (14, 0), (18, ROW), (19, ROW)]);
        // By their names; one that was here is known, wherever it came from.
        let named = names(rows(&[(21, None), (11, None), (99, None)]), &key, &formats);
        assert_eq!(cells(Came::Named(named)), [(13, 0), (14, 0), (19, ROW)]);
        assert!(anew.touched(&before, &Came::Unknown).replaced && cells(Came::Unknown).is_empty());
    }

    #[test]
    fn without_a_key_rows_come_and_go_and_no_cell_changes() {
        let formats = formats();
        let before = far(0, &plain(0..8));
        let mut now = plain(3..10);
        now[1].1 = Some(99.0);
        let anew = Anew::new(0, rows(&now), &before, &[], &formats);
        assert_eq!([anew.still(2), anew.still(3), anew.still(4)], [None, Some(0), None]);
        assert_eq!(anew.touched(&before, &Came::From(5)).cells, [(5, ROW), (6, ROW)]);
        // Of rows that are the same each is known to be the one that stands nearest.
        let same = [(1, None); 6];
        let anew = Anew::new(2, rows(&same[..3]), &far(0, &same), &[], &formats);
        assert_eq!([anew.still(0), anew.still(3), anew.still(5)], [Some(2), Some(3), Some(4)]);
    }
}
