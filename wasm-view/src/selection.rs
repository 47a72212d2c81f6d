//! What is selected: one rectangle of cells, whole rows or whole columns, with the cell that has the focus.
//!
//! A selection has an anchor, where it began, and a head, which moves. The head has the focus: keys start from it,
//! and its value stands in the status line.

use std::ops::Range;

use crate::grid::Place;

/// What a selection is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Cells,
    Rows,
    Columns,
    All,
}

/// A rectangle from anchor to head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) anchor: Place,
    pub(crate) head: Place,
    pub(crate) shape: Shape,
}

/// Rows and columns by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

impl Area {
    pub(crate) fn contains(&self, (row, column): Place) -> bool {
        self.rows.contains(&row) && self.columns.contains(&column)
    }

    pub(crate) fn cells(&self) -> usize {
        self.rows.len().saturating_mul(self.columns.len())
    }
}

impl Selection {
    pub(crate) fn cell(place: Place) -> Self {
        Self { anchor: place, head: place, shape: Shape::Cells }
    }

    /// The cells, of a table of so many rows and columns.
    pub(crate) fn area(&self, rows: usize, columns: usize) -> Area {
        let span = |a: usize, b: usize, end: usize| a.min(b).min(end)..(a.max(b) + 1).min(end);
        let (anchor, head) = (self.anchor, self.head);
        let all_columns = matches!(self.shape, Shape::Rows | Shape::All);
        let all_rows = matches!(self.shape, Shape::Columns | Shape::All);
        Area {
            rows: if all_rows { 0..rows } else { span(anchor.0, head.0, rows) },
            columns: if all_columns { 0..columns } else { span(anchor.1, head.1, columns) },
        }
    }

    /// The selection in a table that has become smaller; `None` when it lies outside.
    pub(crate) fn within(self, rows: usize, columns: usize) -> Option<Self> {
        if rows == 0 || columns == 0 || (self.shape != Shape::Columns && self.head.0 >= rows) || self.head.1 >= columns
        {
            return None;
        }
        let inside = |(row, column): Place| (row.min(rows - 1), column.min(columns - 1));
        Some(Self { anchor: inside(self.anchor), head: inside(self.head), shape: self.shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_reach_from_anchor_to_head() {
        let cells = Selection { anchor: (5, 3), head: (2, 4), shape: Shape::Cells };
        assert_eq!(cells.area(10, 6), Area { rows: 2..6, columns: 3..5 });
        assert_eq!(cells.area(10, 6).cells(), 8);
        let rows = Selection { shape: Shape::Rows, ..cells };
        assert_eq!(rows.area(10, 6), Area { rows: 2..6, columns: 0..6 });
        let columns = Selection { shape: Shape::Columns, ..cells };
        assert_eq!(columns.area(10, 6), Area { rows: 0..10, columns: 3..5 });
        assert_eq!(Selection { shape: Shape::All, ..cells }.area(1, 1), Area { rows: 0..1, columns: 0..1 });
        assert_eq!(cells.within(4, 6).map(|cells| cells.anchor), Some((3, 3)));
        assert_eq!(cells.within(2, 6), None);
    }
}
