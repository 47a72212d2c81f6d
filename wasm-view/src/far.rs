//! Rows that somebody else holds, a worker or the server: their number, and windows of them.
//!
//! What is in sight is asked for with a few screens around it, more of them in the direction of scrolling, so that rows
//! are here before they are seen. One question is under way at a time; what has been scrolled past by then is not asked for.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_schema::SchemaRef;

use crate::live::Flashes;
use crate::table::Table;

/// The column of a window that has the rows' numbers in the table; it comes first.
pub(crate) const NUMBER: &str = "bodkin.row";
/// Windows that are kept.
const MOST_WINDOWS: usize = 6;
/// Rows that are asked for at least.
const LEAST: usize = 256;

/// Some rows that stand one after the other.
#[derive(Debug)]
struct Window {
    first: usize,
    table: Table,
    /// The rows' numbers in the table; none where they are the rows' own.
    numbers: Vec<u32>,
}

impl Window {
    fn rows(&self) -> Range<usize> {
        self.first..self.first + self.table.rows()
    }
}

/// The rows of a view that are not in this module.
#[derive(Debug, Default)]
pub(crate) struct Far {
    /// All rows of the view.
    pub(crate) rows: usize,
    /// The groups' columns, when groups are shown.
    pub(crate) groups: Option<SchemaRef>,
    windows: Vec<Window>,
    /// What has been asked for, and has not come.
    asked: Option<Range<usize>>,
    /// Where the view stood when rows were last wanted.
    top: usize,
    /// Cells that have just changed, where the server has the rows: by the row of the view.
    pub(crate) flashes: Flashes,
    /// Whether its first rows are all there is, until the others are in order.
    pub(crate) is_head: bool,
}

impl Far {
    pub(crate) fn new(rows: usize, groups: Option<SchemaRef>) -> Self {
        Self { rows, groups, ..Self::default() }
    }

    /// The first rows of a sort, of so many in all, while the others are put in order.
    pub(crate) fn head(rows: usize, schema: &SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let mut far = Self { rows, is_head: true, ..Self::default() };
        far.give(0, schema, batches);
        far
    }

    fn window(&self, row: usize) -> Option<&Window> {
        self.windows.iter().find(|window| window.rows().contains(&row))
    }

    /// The window that has a row, and the row in it.
    pub(crate) fn source(&self, row: usize) -> Option<(&Table, usize)> {
        self.window(row).map(|window| (&window.table, row - window.first))
    }

    /// The number of a row in the table; the row itself where that is not known.
    pub(crate) fn number(&self, row: usize) -> usize {
        let number = self.window(row).and_then(|window| window.numbers.get(row - window.first));
        number.map_or(row, |&number| number as usize)
    }

    /// Some rows, for what is found out by example.
    pub(crate) fn sample(&self) -> Option<&Table> {
        self.windows.first().map(|window| &window.table)
    }

    /// Rows to be asked for now, of which `seen` are in sight; `None` when all of them are here or on their way.
    pub(crate) fn want(&mut self, seen: Range<usize>) -> Option<Range<usize>> {
        let seen = seen.start..seen.end.min(self.rows);
        let up = seen.start < self.top;
        self.top = seen.start;
        if seen.is_empty() || self.is_head || self.asked.is_some() {
            return None;
        }
        let screen = seen.len().max(20);
        // Half a window ahead is still here: nothing to do yet.
        let ahead = if up {
            seen.start.saturating_sub(2 * screen)..seen.end
        } else {
            seen.start..(seen.end + 2 * screen).min(self.rows)
        };
        if self.covers(&ahead) {
            return None;
        }
        let size = (8 * screen).max(LEAST);
        let (before, behind) = if up { (size - 2 * screen, 2 * screen) } else { (2 * screen, size - 2 * screen) };
        let wanted = seen.start.saturating_sub(before)..(seen.end + behind).min(self.rows);
        self.asked = Some(wanted.clone());
        Some(wanted)
    }

    /// Whether all rows of a range are here.
    pub(crate) fn covers(&self, rows: &Range<usize>) -> bool {
        let mut at = rows.start;
        while at < rows.end {
            let Some(window) = self.window(at) else { return false };
            at = window.rows().end;
        }
        true
    }

    /// Takes rows that have come: batches one after the other, of which `first` is the first row.
    pub(crate) fn give(&mut self, first: usize, schema: &SchemaRef, batches: Vec<RecordBatch>) {
        self.asked = None;
        let mut table = Table::new(schema.clone());
        let mut numbers: Vec<u32> = Vec::new();
        for batch in batches {
            if batch.schema_ref().fields().first().is_some_and(|field| field.name() == NUMBER) {
                numbers.extend(batch.column(0).as_primitive_opt::<UInt32Type>().map_or(&[][..], |own| own.values()));
                let rest: Vec<usize> = (1..batch.num_columns()).collect();
                // A projection of columns that are there cannot fail.
                table.batches_of(batch.project(&rest).ok());
            } else {
                table.batches_of(Some(batch));
            }
        }
        if numbers.len() != table.rows() {
            numbers.clear();
        }
        let window = Window { first, table, numbers };
        let rows = window.rows();
        self.windows.retain(|other| !(rows.contains(&other.first) && other.rows().end <= rows.end));
        // The last one stands first; the one that is farthest from it goes.
        self.windows.insert(0, window);
        if self.windows.len() > MOST_WINDOWS {
            let farthest = (0..self.windows.len()).max_by_key(|&at| self.windows[at].first.abs_diff(first));
            farthest.map(|at| self.windows.remove(at));
        }
    }

    /// The rows of the first window as a table of their own.
    pub(crate) fn into_table(self) -> Option<Table> {
        self.windows.into_iter().next().map(|window| window.table)
    }

    /// All rows are others; what has been asked for comes as they are now.
    pub(crate) fn renew(&mut self, rows: usize) {
        self.rows = rows;
        self.windows.clear();
    }

    /// Says that what was asked for does not come.
    pub(crate) fn give_up(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array, UInt32Array};

    use super::*;

    fn batch(rows: Range<usize>, numbered: bool) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.clone().map(|row| row as i32)));
        let numbers: ArrayRef = Arc::new(UInt32Array::from_iter_values(rows.map(|row| 100_000 - row as u32)));
        let columns = if numbered { vec![(NUMBER, numbers), ("n", values)] } else { vec![("n", values)] };
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn rows_are_wanted_before_they_are_seen() {
        let schema = batch(0..0, false).schema();
        let mut far = Far::new(10_000, None);
        let first = far.want(0..30).unwrap();
        assert_eq!((first.start, far.want(0..30)), (0, None));
        far.give(0, &schema, vec![batch(first.clone(), true)]);
        assert_eq!((far.source(5).map(|(_, row)| row), far.number(5)), (Some(5), 99_995));
        assert_eq!(far.want(10..40), None);
        let next = far.want(first.end - 60..first.end - 30).unwrap();
        assert!(next.end > first.end + 60 && next.start < first.end - 60);
        far.give(next.start, &schema, vec![batch(next.clone(), false)]);
        assert_eq!(far.number(next.end - 1), next.end - 1);
        // Up again: what was seen is still here.
        assert_eq!(far.want(100..130), None);
        // A jump, and then another while the first is under way.
        let far_away = far.want(9_000..9_030).unwrap();
        assert_eq!(far.want(5_000..5_030), None);
        far.give(far_away.start, &schema, vec![batch(far_away, false)]);
        assert!(far.want(5_000..5_030).is_some());
        far.give_up();
        assert!(far.want(5_000..5_030).is_some());
        assert!(far.source(9_010).is_some() && far.source(7_000).is_none());
    }

    #[test]
    fn behind_the_head_of_a_sort_nothing_is_wanted_yet() {
        let schema = batch(0..0, false).schema();
        let mut far = Far::head(10_000, &schema, vec![batch(0..256, true)]);
        assert_eq!((far.want(0..30), far.want(5_000..5_030)), (None, None));
        far.is_head = false;
        assert_eq!(far.want(0..30), None);
        assert!(far.want(5_000..5_030).is_some());
    }

    #[test]
    fn few_rows_are_all_wanted_at_once() {
        let mut far = Far::new(40, None);
        assert_eq!(far.want(0..30), Some(0..40));
        assert_eq!(Far::new(0, None).want(0..0), None);
    }
}
