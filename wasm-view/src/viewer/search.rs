//! Finding in the cells that are shown.

use arrow_array::Array;
use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::find::Find;
use crate::format;
use crate::grid::Columns;

impl Viewer {
    /// Whether a cell of a column of the schema is one that is looked for: by its text as it is shown, or its exact one.
    pub(super) fn finds(&self, array: &dyn Array, row: usize, column: usize) -> bool {
        let style = self.styles.get(column);
        let number = style.is_some_and(|style| style.right);
        let chosen = self.is_custom(column);
        // The digits of a number that is neither rounded nor written in another manner tell all that is shown.
        let is_shown_otherwise = !number || chosen || style.is_some_and(|style| style.decimals.is_some());
        let mut text = String::new();
        if is_shown_otherwise {
            self.write_shown(array, row, column, &mut text);
            if self.find.finds(&text, false) {
                return true;
            }
        }
        if !number && !chosen {
            return false;
        }
        text.clear();
        // What is copied, too.
        format::write(array, row, None, &self.formats, &mut text);
        self.find.finds(&text, number)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Looks for a text in all shown cells, whatever the case; an empty one ends the search.
    #[wasm_bindgen(js_name = findBegin)]
    pub fn find_begin(&mut self, text: &str) -> u32 {
        self.find = Find::new(text);
        change::PAINT
    }

    /// Searches so many more cells; `false` when the search is over.
    #[wasm_bindgen(js_name = findStep)]
    pub fn find_step(&mut self, cells: usize) -> bool {
        let (rows, columns) = (self.layout.rows, self.columns.len());
        let last = rows.min(self.find.next_row + cells.div_ceil(columns.max(1)));
        while self.find.running && self.find.next_row < last {
            let row = self.find.next_row;
            for position in 0..columns {
                let Some((array, at, column)) = self.at(row, position) else { continue };
                if self.finds(array, at, column) && !self.find.add(row, column) {
                    break;
                }
            }
            self.find.next_row += 1;
        }
        self.find.running &= self.find.next_row < rows;
        self.find.running
    }

    /// Matches so far.
    #[wasm_bindgen(js_name = findCount)]
    pub fn find_count(&self) -> usize {
        self.find.matches.len()
    }

    /// Row and position of a match; nothing where its column is hidden.
    #[wasm_bindgen(js_name = findPlace)]
    pub fn find_place(&self, number: usize) -> Vec<usize> {
        let place = self.find.matches.get(number);
        let place = place.and_then(|&(row, column)| Some((row as usize, self.columns.position(column as usize)?)));
        place.map_or_else(Vec::new, |(row, position)| vec![row, position])
    }

    /// The first match in a row or behind it.
    #[wasm_bindgen(js_name = findFrom)]
    pub fn find_from(&self, row: usize) -> usize {
        self.find.matches.partition_point(|&(at, _)| (at as usize) < row)
    }

    /// The text of a cell as it is shown; empty for a null.
    #[wasm_bindgen(js_name = shownText)]
    pub fn shown_text(&self, row: usize, position: usize) -> String {
        let mut text = String::new();
        if self.is_here(row) && !self.cell(row, position, &mut text) {
            text.push_str(self.manner(position).blank);
        }
        text
    }
}
