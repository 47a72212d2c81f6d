//! Wheel and pointer: scrolling, selecting, sorting, and taking hold of headers, edges and scrollbars.

use wasm_bindgen::prelude::*;

use super::keys::{CONTROL, SHIFT, TOUCH};
use super::{Viewer, change};
use crate::grid::Hit;
use crate::selection::{Selection, Shape};

/// What the pressed pointer holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Press {
    None,
    /// A header and where it was pressed: a release sorts by it.
    Header(usize, f64),
    /// A header that is on its way to before another column.
    Move(usize, usize),
    /// A column's edge, with the pointer's distance from it.
    Edge(usize, f64),
    /// A thumb, with the pointer's distance from its beginning.
    Vertical(f64),
    Horizontal(f64),
    /// A selection that follows the pointer.
    Select(Shape),
    /// A finger on the table, which may yet scroll it.
    Tap(f64, f64),
}

const CURSOR_ARROW: u32 = 0;
const CURSOR_HAND: u32 = 1;
const CURSOR_RESIZE: u32 = 2;
const CURSOR_GRAB: u32 = 3;
/// Cursors stand above the change bits.
const CURSOR_SHIFT: u32 = 16;
/// How far a header must be pulled to come along.
const PULL: f64 = 6.0;
/// How near the edge of the grid it scrolls, and how far at once.
const MARGIN: f64 = 24.0;

#[wasm_bindgen]
impl Viewer {
    /// Scrolls by CSS pixels; 0 when nothing moved, so that the page may.
    pub fn wheel(&mut self, x: f64, y: f64) -> u32 {
        if self.layout.scroll_by(x, y) { change::PAINT | change::LAYOUT } else { 0 }
    }

    /// The pointer goes down, with shift (1), control (2), as a finger (4).
    #[wasm_bindgen(js_name = pointerDown)]
    pub fn pointer_down(&mut self, x: f64, y: f64, modifiers: u32) -> u32 {
        let touch = modifiers & TOUCH != 0;
        let hit = self.layout.hit(x, y);
        let mut changes = change::PAINT;
        self.press = match hit {
            Hit::Header(column) if !touch && self.is_on_dots(column, x, y) => {
                return changes | change::MENU;
            }
            Hit::Header(column) => Press::Header(column, x),
            Hit::Edge(column) => Press::Edge(column, x - self.layout.left_of(column) - self.layout.width_of(column)),
            Hit::Vertical => self.press_vertical(y),
            Hit::Horizontal => self.press_horizontal(x),
            Hit::Cell(..) | Hit::Row(_) | Hit::Corner if touch => Press::Tap(x, y),
            Hit::Cell(..) | Hit::Row(_) | Hit::Corner => self.press_cells(hit, modifiers),
            Hit::Nothing => Press::None,
        };
        if matches!(self.press, Press::Select(_)) || hit == Hit::Corner {
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

    /// Whether a finger at this point holds something that must not scroll the table.
    pub fn holds(&self, x: f64, y: f64) -> bool {
        matches!(self.layout.hit(x, y), Hit::Edge(_) | Hit::Vertical | Hit::Horizontal)
    }

    /// The pointer moves; the cursor's number stands in the upper half.
    #[wasm_bindgen(js_name = pointerMove)]
    pub fn pointer_move(&mut self, x: f64, y: f64) -> u32 {
        match self.press {
            Press::Edge(column, grip) => {
                let changes = self.set_width(column, x - grip - self.layout.left_of(column));
                return changes | CURSOR_RESIZE << CURSOR_SHIFT;
            }
            Press::Vertical(grip) => {
                let start = y - self.layout.body_top() - grip;
                self.layout.drag_vertical(start);
                return change::PAINT | change::LAYOUT;
            }
            Press::Horizontal(grip) => {
                self.layout.drag_horizontal(x - grip);
                return change::PAINT | change::LAYOUT;
            }
            Press::Header(column, from) if (x - from).abs() > PULL => self.press = Press::Move(column, column),
            _ => {}
        }
        if let Press::Move(column, _) = self.press {
            let changes = self.scroll_towards(x, self.layout.body_top() + MARGIN);
            self.press = Press::Move(column, self.layout.gap_at(x));
            return changes | change::PAINT | CURSOR_GRAB << CURSOR_SHIFT;
        }
        if let Press::Select(shape) = self.press {
            let changes = self.scroll_towards(x, y);
            let (row, column) = self.layout.nearest(x, y);
            let before = self.selection;
            self.extend((row, column), shape);
            let moved = if before == self.selection { 0 } else { change::PAINT | change::SELECTION };
            return changes | moved;
        }
        let before = (self.hover, self.hover_head);
        let hit = self.layout.hit(x, y);
        let cursor = match hit {
            Hit::Header(column) if self.has_order(column) => CURSOR_HAND,
            Hit::Edge(_) => CURSOR_RESIZE,
            _ => CURSOR_ARROW,
        };
        self.hover = if let Hit::Cell(row, _) | Hit::Row(row) = hit { Some(row) } else { None };
        self.hover_head = if let Hit::Header(column) | Hit::Edge(column) = hit { Some(column) } else { None };
        let paint = if before == (self.hover, self.hover_head) { 0 } else { change::PAINT };
        paint | cursor << CURSOR_SHIFT
    }

    /// The position of the header over or under a point; −1 without one.
    #[wasm_bindgen(js_name = headerAt)]
    pub fn header_at(&self, x: f64) -> i32 {
        if let Hit::Header(position) | Hit::Edge(position) = self.layout.hit(x, 1.0) { position as i32 } else { -1 }
    }

    /// The pointer leaves the grid.
    #[wasm_bindgen(js_name = pointerLeave)]
    pub fn pointer_leave(&mut self) -> u32 {
        (self.hover, self.hover_head) = (None, None);
        change::PAINT
    }

    /// What is held is let go of, and nothing comes of it.
    #[wasm_bindgen(js_name = pointerCancel)]
    pub fn pointer_cancel(&mut self) -> u32 {
        self.press = Press::None;
        change::PAINT
    }

    /// The pointer goes up: a header sorts (with shift beside the other keys; with control it is selected) if its column has an
    /// order, what was pulled is put down.
    ///
    /// # Errors
    /// When the column's type has no order.
    #[wasm_bindgen(js_name = pointerUp)]
    pub fn pointer_up(&mut self, x: f64, y: f64, modifiers: u32) -> Result<u32, JsError> {
        let press = std::mem::replace(&mut self.press, Press::None);
        match (press, self.layout.hit(x, y)) {
            (Press::Header(column, _), Hit::Header(at)) if at == column && modifiers & CONTROL != 0 => {
                let head = (self.layout.top_row().ceil() as usize, column);
                let extends = modifiers & SHIFT != 0;
                if extends {
                    self.extend(head, Shape::Columns);
                } else {
                    self.choose(Selection { anchor: head, head, shape: Shape::Columns });
                }
                Ok(change::PAINT | change::SELECTION)
            }
            (Press::Header(column, _), Hit::Header(at)) if at == column && self.has_order(column) => {
                self.toggle_sort(column, modifiers & SHIFT != 0)
            }
            (Press::Move(column, gap), _) => Ok(self.move_column(column, gap)),
            (Press::Tap(from_x, from_y), hit) if (x - from_x).abs() + (y - from_y).abs() < 2.0 * PULL => {
                self.press_cells(hit, modifiers);
                self.press = Press::None;
                Ok(change::PAINT | change::SELECTION)
            }
            _ => Ok(change::PAINT),
        }
    }

    /// An edge that is clicked twice fits its column; a cell is opened.
    #[wasm_bindgen(js_name = doubleClick)]
    pub fn double_click(&mut self, x: f64, y: f64) -> u32 {
        match self.layout.hit(x, y) {
            Hit::Edge(column) => self.fit(column),
            Hit::Cell(..) => change::OPEN,
            _ => 0,
        }
    }

    /// What lies under a point: nothing, a header's position, or a cell's row and position; what is there is selected,
    /// unless it is.
    #[wasm_bindgen(js_name = menuAt)]
    pub fn menu_at(&mut self, x: f64, y: f64) -> Vec<usize> {
        self.press = Press::None;
        match self.layout.hit(x, y) {
            Hit::Header(column) | Hit::Edge(column) => vec![column],
            Hit::Cell(row, column) => {
                if !self.area().is_some_and(|area| area.contains((row, column))) {
                    self.choose(Selection::cell((row, column)));
                }
                vec![row, column]
            }
            _ => Vec::new(),
        }
    }
}

impl Viewer {
    /// A press on cells or row numbers: a selection begins, or with shift goes on.
    fn press_cells(&mut self, hit: Hit, modifiers: u32) -> Press {
        let (place, shape) = match hit {
            Hit::Cell(row, column) => ((row, column), Shape::Cells),
            Hit::Row(row) => ((row, self.layout.visible_columns().start), Shape::Rows),
            Hit::Corner => ((0, 0), Shape::All),
            _ => return Press::None,
        };
        if modifiers & SHIFT != 0 && shape != Shape::All {
            self.extend(place, shape);
        } else {
            self.choose(Selection { anchor: place, head: place, shape });
        }
        if shape == Shape::All { Press::None } else { Press::Select(shape) }
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

    /// Scrolls when the pointer is pulled over the edge.
    fn scroll_towards(&mut self, x: f64, y: f64) -> u32 {
        let over = |at: f64, low: f64, high: f64| (at - high).max(0.0) - (low - at).max(0.0);
        let layout = &self.layout;
        let by_x = over(x, layout.fixed_edge().min(layout.width / 2.0), layout.width - MARGIN);
        let by_y = over(y, layout.body_top(), layout.height - MARGIN);
        if (by_x != 0.0 || by_y != 0.0) && self.layout.scroll_by(by_x * 0.4, by_y * 0.6) {
            return change::PAINT | change::LAYOUT | change::AGAIN;
        }
        0
    }

    /// Whether a point is on the three dots of a header.
    fn is_on_dots(&self, column: usize, x: f64, y: f64) -> bool {
        use crate::grid::Columns;
        let (left, width) = (self.layout.left_of(column), self.layout.width_of(column));
        let from = if self.manner(column).right { left } else { left + width - 24.0 };
        self.hover_head == Some(column) && (24.0..46.0).contains(&y) && (from..from + 24.0).contains(&x)
    }
}
