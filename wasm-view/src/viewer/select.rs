//! What is selected, and what is counted of it.

use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::numbers::{Tally, number};
use crate::selection::{Area, Selection, Shape};

/// A count over a selection, as far as it has come.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) area: Area,
    pub(super) row: usize,
    pub(super) tally: Tally,
}

impl Viewer {
    /// What is selected, by position.
    pub(super) fn area(&self) -> Option<Area> {
        Some(self.selection?.area(self.layout.rows, self.layout.columns()))
    }

    pub(super) fn choose(&mut self, selection: Selection) {
        self.selection = selection.within(self.layout.rows, self.layout.columns());
    }

    /// Moves the head of the selection, or begins one.
    pub(super) fn extend(&mut self, head: (usize, usize), shape: Shape) {
        let anchor = self.selection.map_or(head, |selection| selection.anchor);
        self.choose(Selection { anchor, head, shape });
    }

    /// Drops what is outside of the table.
    pub(super) fn fit_selection(&mut self) {
        let (rows, columns) = (self.layout.rows, self.layout.columns());
        self.selection = self.selection.and_then(|selection| selection.within(rows, columns));
        self.counting = None;
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Row and position of the cell that has the focus; nothing when nothing is selected.
    pub fn selection(&self) -> Vec<usize> {
        self.selection.map_or_else(Vec::new, |selection| vec![selection.head.0, selection.head.1])
    }

    /// What is selected: first row, row behind the last, first position, position behind the last.
    #[wasm_bindgen(js_name = selectedArea)]
    pub fn selected_area(&self) -> Vec<usize> {
        let numbers = |area: Area| vec![area.rows.start, area.rows.end, area.columns.start, area.columns.end];
        self.area().map_or_else(Vec::new, numbers)
    }

    /// Selects from one cell to another, which gets the focus and is brought into sight; `shape` is 0 for cells, 1 for
    /// rows, 2 for columns, 3 for all.
    pub fn select(&mut self, from_row: usize, from: usize, row: usize, position: usize, shape: u32) -> u32 {
        let shape = [Shape::Cells, Shape::Rows, Shape::Columns][..].get(shape as usize).copied().unwrap_or(Shape::All);
        self.choose(Selection { anchor: (from_row, from), head: (row, position), shape });
        if matches!(shape, Shape::Cells | Shape::Rows) && self.selection.is_some() {
            self.layout.show_cell(row, position);
        }
        change::PAINT | change::LAYOUT | change::SELECTION
    }

    /// Counts so many more of the selected cells; `false` when all have been.
    #[wasm_bindgen(js_name = countStep)]
    pub fn count_step(&mut self, cells: usize) -> bool {
        let Some(area) = self.area() else { return false };
        let mut counting = self.counting.take().filter(|counting| counting.area == area).unwrap_or_else(|| Counting {
            row: area.rows.start,
            tally: Tally::default(),
            area,
        });
        let last = counting.area.rows.end.min(counting.row + cells.div_ceil(counting.area.columns.len().max(1)));
        for position in counting.area.columns.clone() {
            for row in counting.row..last {
                let Some((array, row, _)) = self.at(row, position) else { continue };
                counting.tally.present += usize::from(array.is_valid(row));
                number(array, row).into_iter().for_each(|value| counting.tally.add(value));
            }
        }
        counting.row = last;
        let more = last < counting.area.rows.end;
        self.counting = Some(counting);
        more
    }

    /// Of the cells that were counted: those that are not null, those that are numbers, their sum, mean, least,
    /// greatest.
    pub fn counted(&self) -> Vec<f64> {
        self.counting.as_ref().map_or_else(Vec::new, |counting| counting.tally.told())
    }
}
