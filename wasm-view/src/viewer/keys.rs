//! The keyboard.

use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::selection::{Selection, Shape};

/// Modifiers, as the page counts them.
pub(super) const SHIFT: u32 = 1;
/// Ctrl, or ⌘.
pub(super) const CONTROL: u32 = 2;
/// Not a key: the pointer is a finger.
pub(super) const TOUCH: u32 = 4;

#[wasm_bindgen]
impl Viewer {
    /// A key by its name in the DOM, with shift (1) and control (2); 0 when it means nothing here.
    pub fn key(&mut self, name: &str, modifiers: u32) -> u32 {
        let (rows, columns) = (self.layout.rows, self.layout.columns());
        if rows == 0 || columns == 0 {
            return 0;
        }
        let (shift, control) = (modifiers & SHIFT != 0, modifiers & CONTROL != 0);
        let (last_row, last_column) = (rows - 1, columns - 1);
        let arrow = matches!(name, "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight");
        let Some(selection) = self.selection else {
            // The first key selects what is in sight.
            let whole = control && name.eq_ignore_ascii_case("a");
            if !arrow && !whole && !matches!(name, "Home" | "End" | "PageUp" | "PageDown") {
                return 0;
            }
            self.choose(Selection::cell((self.layout.top_row().ceil() as usize, self.layout.visible_columns().start)));
            return if arrow && !control { change::PAINT | change::SELECTION } else { self.key(name, modifiers) };
        };
        let (row, column) = selection.head;
        let page = self.layout.page();
        let done = change::PAINT | change::SELECTION;
        let (row, column) = match (name, control) {
            ("Escape", _) => {
                // First to one cell, then to none.
                let one = Selection::cell(selection.head);
                self.selection = (selection != one).then_some(one);
                self.counting = None;
                return done;
            }
            ("a" | "A", true) => {
                self.choose(Selection { shape: Shape::All, ..selection });
                return done;
            }
            (" ", _) if shift || control => {
                let shape = if shift && control {
                    Shape::All
                } else if shift {
                    Shape::Rows
                } else {
                    Shape::Columns
                };
                self.choose(Selection { shape, ..selection });
                return done;
            }
            ("ArrowUp", false) => (row.saturating_sub(1), column),
            ("ArrowDown", false) => (row + 1, column),
            ("ArrowLeft", false) => (row, column.saturating_sub(1)),
            ("ArrowRight", false) => (row, column + 1),
            ("PageUp", _) => (row.saturating_sub(page), column),
            ("PageDown", _) => (row + page, column),
            ("Home", false) | ("ArrowLeft", true) => (row, 0),
            ("End", false) | ("ArrowRight", true) => (row, last_column),
            ("Home", true) => (0, 0),
            ("End", true) => (last_row, last_column),
            ("ArrowUp", true) => (0, column),
            ("ArrowDown", true) => (last_row, column),
            _ => return 0,
        };
        let head = (row.min(last_row), column.min(last_column));
        if shift {
            let shape = if selection.shape == Shape::All { Shape::Cells } else { selection.shape };
            self.extend(head, shape);
        } else {
            self.choose(Selection::cell(head));
        }
        self.layout.show_cell(head.0, head.1);
        done | change::LAYOUT
    }
}
