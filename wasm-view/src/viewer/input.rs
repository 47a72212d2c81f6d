//! Wheel, pointer and keys.

use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::grid::{HEADER_HEIGHT, Hit};

/// What the pressed pointer holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Press {
    None,
    /// A header, which a release on it sorts by.
    Header(usize),
    /// A column's edge, with the pointer's distance from it.
    Edge(usize, f64),
    /// A thumb, with the pointer's distance from its beginning.
    Vertical(f64),
    Horizontal(f64),
    /// The table itself, under a finger: where the finger was.
    Pan(f64, f64),
}

/// What the pointer looks like.
const CURSOR_ARROW: u32 = 0;
const CURSOR_HAND: u32 = 1;
const CURSOR_RESIZE: u32 = 2;
/// Cursors stand above the change bits.
const CURSOR_SHIFT: u32 = 16;

#[wasm_bindgen]
impl Viewer {
    /// Scrolls by CSS pixels; 0 when nothing moved, so that the page may.
    pub fn wheel(&mut self, x: f64, y: f64) -> u32 {
        if self.layout.scroll_by(x, y) { change::PAINT | change::LAYOUT } else { 0 }
    }

    /// The pointer goes down.
    #[wasm_bindgen(js_name = pointerDown)]
    pub fn pointer_down(&mut self, x: f64, y: f64, touch: bool) -> u32 {
        let hit = self.layout.hit(x, y);
        self.press = match hit {
            Hit::Header(column) => Press::Header(column),
            Hit::Edge(column) => Press::Edge(column, x - self.layout.left_of(column + 1)),
            Hit::Vertical => self.press_vertical(y),
            Hit::Horizontal => self.press_horizontal(x),
            Hit::Cell(..) | Hit::Nothing if touch => Press::Pan(x, y),
            Hit::Cell(..) | Hit::Nothing => Press::None,
        };
        let mut changes = change::PAINT;
        if let Hit::Cell(row, column) = hit {
            self.selected = Some((row, column));
            changes |= change::SELECTION;
        }
        if self.press != Press::None {
            changes |= change::CAPTURE;
        }
        if matches!(self.press, Press::Vertical(_) | Press::Horizontal(_)) {
            changes |= change::LAYOUT;
        }
        changes
    }

    fn press_vertical(&mut self, y: f64) -> Press {
        let at = y - self.layout.body_top();
        let Some(thumb) = self.layout.vertical() else { return Press::None };
        let inside = at - thumb.start;
        if (0.0..thumb.length).contains(&inside) {
            return Press::Vertical(inside);
        }
        // A press on the track brings the thumb there.
        self.layout.drag_vertical(at - thumb.length / 2.0);
        Press::Vertical(thumb.length / 2.0)
    }

    fn press_horizontal(&mut self, x: f64) -> Press {
        let Some(thumb) = self.layout.horizontal() else { return Press::None };
        let inside = x - thumb.start;
        if (0.0..thumb.length).contains(&inside) {
            return Press::Horizontal(inside);
        }
        self.layout.drag_horizontal(x - thumb.length / 2.0);
        Press::Horizontal(thumb.length / 2.0)
    }

    /// The pointer moves; the cursor's number stands in the upper half.
    #[wasm_bindgen(js_name = pointerMove)]
    pub fn pointer_move(&mut self, x: f64, y: f64) -> u32 {
        match self.press {
            Press::Edge(column, grip) => {
                let width = x - grip - self.layout.left_of(column);
                self.layout.set_width(column, width);
                return change::PAINT | change::LAYOUT | CURSOR_RESIZE << CURSOR_SHIFT;
            }
            Press::Vertical(grip) => {
                let start = y - self.layout.body_top() - grip;
                self.layout.drag_vertical(start);
                return change::PAINT;
            }
            Press::Horizontal(grip) => {
                self.layout.drag_horizontal(x - grip);
                return change::PAINT | change::LAYOUT;
            }
            Press::Pan(from_x, from_y) => {
                self.layout.scroll_by(from_x - x, from_y - y);
                self.press = Press::Pan(x, y);
                return change::PAINT | change::LAYOUT;
            }
            Press::None | Press::Header(_) => {}
        }
        let (row, cursor) = match self.layout.hit(x, y) {
            Hit::Header(_) => (None, CURSOR_HAND),
            Hit::Edge(_) => (None, CURSOR_RESIZE),
            Hit::Cell(row, _) => (Some(row), CURSOR_ARROW),
            Hit::Vertical | Hit::Horizontal | Hit::Nothing => (None, CURSOR_ARROW),
        };
        let paint = if self.hover == row { 0 } else { change::PAINT };
        self.hover = row;
        paint | cursor << CURSOR_SHIFT
    }

    /// The pointer leaves the grid.
    #[wasm_bindgen(js_name = pointerLeave)]
    pub fn pointer_leave(&mut self) -> u32 {
        self.hover = None;
        change::PAINT
    }

    /// The pointer goes up; with `add` a header joins the sort keys.
    ///
    /// # Errors
    /// When the column's type has no order.
    #[wasm_bindgen(js_name = pointerUp)]
    pub fn pointer_up(&mut self, x: f64, y: f64, add: bool) -> Result<u32, JsError> {
        let press = std::mem::replace(&mut self.press, Press::None);
        match (press, self.layout.hit(x, y)) {
            (Press::Header(column), Hit::Header(at)) if at == column => self.toggle_sort(column, add),
            _ => Ok(change::PAINT),
        }
    }

    /// Turns the sort of a shown column on: ascending, descending, none.
    ///
    /// # Errors
    /// When the column's type has no order.
    #[wasm_bindgen(js_name = toggleSort)]
    pub fn toggle_sort(&mut self, column: usize, add: bool) -> Result<u32, JsError> {
        let Some(schema) = self.shown_schema() else { return Ok(0) };
        let Some(field) = schema.fields().get(column) else { return Ok(0) };
        let before = self.view.active_sort().to_vec();
        self.view.toggle_sort(field.name(), add);
        self.layout.scroll_to_row(0.0);
        self.refresh_or(|view| view.set_sort(before))
    }

    /// Fits a column to its values, when its edge is clicked twice.
    #[wasm_bindgen(js_name = doubleClick)]
    pub fn double_click(&mut self, x: f64, y: f64) -> u32 {
        let Hit::Edge(column) = self.layout.hit(x, y) else { return 0 };
        let width = self.natural_width(column);
        self.layout.set_width(column, width);
        change::PAINT | change::LAYOUT
    }

    /// A key by its name in the DOM; 0 when it means nothing here.
    pub fn key(&mut self, name: &str, control: bool) -> u32 {
        let (rows, columns) = (self.layout.rows, self.layout.columns());
        if rows == 0 || columns == 0 {
            return 0;
        }
        let (last_row, last_column) = (rows - 1, columns - 1);
        // The first key selects what is in sight.
        let start = (self.layout.top_row().ceil() as usize, self.layout.visible_columns().start);
        let (row, column) = self.selected.unwrap_or(start);
        let page = self.layout.page();
        let place = match (name, control) {
            ("Escape", _) if self.selected.is_some() => {
                self.selected = None;
                return change::PAINT | change::SELECTION;
            }
            ("ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight", false) if self.selected.is_none() => (row, column),
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
        let (row, column) = (place.0.min(last_row), place.1.min(last_column));
        self.selected = Some((row, column));
        self.layout.show_cell(row, column);
        change::PAINT | change::LAYOUT | change::SELECTION
    }

    /// The middle of a shown column's header on the screen, for those who click by program.
    #[wasm_bindgen(js_name = headerCentre)]
    pub fn header_centre(&self, column: usize) -> Vec<f64> {
        vec![self.layout.left_of(column) + self.layout.width_of(column) / 2.0, HEADER_HEIGHT / 2.0]
    }
}
