//! Painting: one pass over what is visible, column by column, so that fonts, alignment and clips are set
//! once per column.

use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d;

use super::head::{Head, Strip};
use super::layout::{Layout, ROW_HEIGHT, TRACK, Thumb};
use super::theme::{Colour, Theme};
use crate::selection::Area;

pub(super) const PADDING: f64 = 12.0;
const BODY_SIZE: &str = "13px ";
pub(crate) const NAME_SIZE: &str = "600 13px ";
pub(crate) const LABEL_SIZE: &str = "11px ";
const NULL_SIZE: &str = "italic 12px ";
/// The browser's text drawing slows down with length; no cell shows more.
const MOST_SHOWN: usize = 400;

/// A cell's place.
pub(crate) type Place = (usize, usize);

/// How the cells of a column look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// At the right: numbers.
    pub(crate) right: bool,
    /// What stands where there is no value.
    pub(crate) blank: &'static str,
}

/// What the painter asks for.
pub(crate) trait Columns {
    fn head(&self, column: usize) -> Head;
    /// What a column holds, once it is known.
    fn strip(&self, column: usize) -> Option<&Strip>;
    fn manner(&self, column: usize) -> Manner;
    /// Whether a row's cells are known by now.
    fn is_here(&self, row: usize) -> bool;
    /// Writes a cell's text; `false` when it is null.
    fn cell(&self, row: usize, column: usize, out: &mut String) -> bool;
    /// Whether a cell is one that is looked for.
    fn found(&self, row: usize, column: usize) -> bool;
    /// How much of the colour of what has just changed a cell has: from 0 to 1.
    fn fresh(&self, row: usize, column: usize) -> f64;
    /// The number in the gutter.
    fn row_number(&self, row: usize) -> usize;
}

/// What of the grid is chosen, pointed at or held.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// The row under the pointer.
    pub(crate) hover: Option<usize>,
    /// The header under the pointer.
    pub(crate) hover_head: Option<usize>,
    /// The cell that has the focus.
    pub(crate) focus: Option<Place>,
    /// What is selected.
    pub(crate) area: Option<Area>,
    /// Whether whole columns are.
    pub(crate) whole_columns: bool,
    /// Where the header that is held would go: before this column.
    pub(crate) gap: Option<usize>,
    /// Whether a scrollbar is held.
    pub(crate) dragged: bool,
}

/// Draws a layout.
#[derive(Debug)]
pub(crate) struct Painter {
    pub(crate) context: CanvasRenderingContext2d,
    pub(crate) theme: Theme,
    pub(crate) scale: f64,
}

impl Painter {
    /// Width of a text in the body's font.
    pub(crate) fn measure(&self, text: &str) -> f64 {
        self.font(BODY_SIZE);
        self.width_of(text)
    }

    /// Draws everything.
    pub(crate) fn paint(&self, layout: &Layout, columns: &dyn Columns, scene: &Scene) {
        let context = &self.context;
        // A canvas that cannot be scaled cannot be drawn on either.
        let _kept = context.set_transform(self.scale, 0.0, 0.0, self.scale, 0.0, 0.0);
        self.fill(Colour::BACKGROUND, 0.0, 0.0, layout.width, layout.height);
        context.save();
        self.clip(0.0, layout.body_top(), layout.width, layout.body_height());
        self.rows(layout, scene);
        self.gutter(layout, columns, scene);
        for column in layout.visible_columns().chain(layout.fixed()) {
            self.column(layout, columns, column, scene);
        }
        context.restore();
        self.header(layout, columns, scene);
        if !layout.fixed().is_empty() {
            // What scrolls goes under what does not.
            let colour = if layout.scrolled().0 > 0.0 { Colour::THUMB } else { Colour::LINE };
            self.fill(colour, self.snap(layout.fixed_edge()) - 1.0, 0.0, 1.0, layout.height);
        }
        if let Some(gap) = scene.gap {
            let last = layout.columns().saturating_sub(1);
            let x = if gap > last { layout.right_edge() } else { layout.clip_of(gap) };
            self.fill(Colour::ACCENT, (x - 1.0).max(layout.gutter), 0.0, 2.0, layout.height);
        }
        self.scrollbars(layout, scene.dragged);
    }

    fn rows(&self, layout: &Layout, scene: &Scene) {
        let right = layout.right_edge().min(layout.width);
        for row in layout.visible_rows() {
            let top = self.snap(layout.top_of(row));
            if scene.hover == Some(row) || scene.focus.is_some_and(|(at, _)| at == row) {
                self.fill(Colour::HOVER, 0.0, top, right, ROW_HEIGHT);
            }
            self.fill(Colour::LINE, 0.0, top + ROW_HEIGHT - self.hair(), right, self.hair());
        }
    }

    fn gutter(&self, layout: &Layout, columns: &dyn Columns, scene: &Scene) {
        self.font(LABEL_SIZE);
        self.context.set_text_align("right");
        for row in layout.visible_rows() {
            let chosen = scene.area.as_ref().is_some_and(|area| area.rows.contains(&row));
            if chosen {
                self.fill(
                    Colour::SELECTED,
                    0.0,
                    self.snap(layout.top_of(row)),
                    layout.gutter,
                    ROW_HEIGHT - self.hair(),
                );
            }
            self.ink(if chosen { Colour::ACCENT } else { Colour::FAINT });
            let number = columns.row_number(row).to_string();
            self.text(&number, layout.gutter - 10.0, layout.top_of(row) + ROW_HEIGHT / 2.0);
        }
    }

    fn column(&self, layout: &Layout, columns: &dyn Columns, column: usize, scene: &Scene) {
        let (left, width) = (layout.left_of(column), layout.width_of(column));
        let clip = layout.clip_of(column);
        self.context.save();
        self.clip(clip, layout.body_top(), left + width - clip, layout.body_height());
        if let Some(area) = scene.area.as_ref().filter(|area| area.cells() > 1 && area.columns.contains(&column)) {
            for row in layout.visible_rows().filter(|row| area.rows.contains(row)) {
                self.fill(Colour::SELECTED, left, self.snap(layout.top_of(row)), width, ROW_HEIGHT - self.hair());
            }
        }
        let Manner { right, blank } = columns.manner(column);
        let x = if right { left + width - PADDING } else { left + PADDING };
        for row in layout.visible_rows() {
            let fresh = columns.fresh(row, column);
            if fresh > 0.0 {
                self.context.set_global_alpha(fresh);
                self.fill(Colour::FRESH, left, self.snap(layout.top_of(row)), width, ROW_HEIGHT - self.hair());
                self.context.set_global_alpha(1.0);
            }
        }
        let mut text = String::new();
        let mut blanks = Vec::new();
        self.context.set_text_align(if right { "right" } else { "left" });
        self.font(BODY_SIZE);
        for row in layout.visible_rows() {
            text.clear();
            if !columns.is_here(row) {
                // On its way: a bar where a text will be.
                let bar = (width - 2.0 * PADDING).clamp(0.0, 60.0);
                let left = if right { x - bar } else { x };
                self.fill(Colour::LINE, left, layout.top_of(row) + ROW_HEIGHT / 2.0 - 4.0, bar, 8.0);
            } else if columns.cell(row, column, &mut text) {
                if columns.found(row, column) {
                    self.fill(Colour::FOUND, left, self.snap(layout.top_of(row)), width, ROW_HEIGHT - self.hair());
                }
                self.ink(Colour::TEXT);
                self.fitted(&mut text, x, layout.top_of(row) + ROW_HEIGHT / 2.0, width - 2.0 * PADDING, false);
            } else {
                blanks.push(row);
            }
        }
        // A null is no value, and must not look like one: not even like the text "null".
        if !blanks.is_empty() {
            self.font(NULL_SIZE);
            self.ink(Colour::FAINT);
            for row in blanks {
                self.text(blank, x, layout.top_of(row) + ROW_HEIGHT / 2.0);
            }
        }
        if let Some((row, _)) = scene.focus.filter(|&(_, at)| at == column) {
            self.context.set_stroke_style_str(self.theme.colour(Colour::ACCENT));
            self.context.set_line_width(2.0);
            let top = self.snap(layout.top_of(row));
            self.context.stroke_rect(left + 1.0, top + 1.0, width - 2.0, ROW_HEIGHT - 2.0 - self.hair());
        }
        self.context.restore();
    }

    fn scrollbars(&self, layout: &Layout, dragged: bool) {
        let colour = if dragged { Colour::MUTED } else { Colour::THUMB };
        // The tracks are opaque: half a row under a thumb would look like a slip.
        let (right, bottom) = (layout.width - TRACK, layout.height - TRACK);
        if layout.vertical().is_some() {
            self.fill(Colour::BACKGROUND, right, layout.body_top(), TRACK, layout.body_height());
        }
        if layout.horizontal().is_some() {
            self.fill(Colour::BACKGROUND, 0.0, bottom, layout.width, TRACK);
            self.fill(Colour::LINE, 0.0, bottom, layout.width, self.hair());
        }
        if let Some(Thumb { start, length }) = layout.vertical() {
            self.bar(colour, layout.width - TRACK + 3.0, layout.body_top() + start + 2.0, TRACK - 6.0, length - 4.0);
        }
        if let Some(Thumb { start, length }) = layout.horizontal() {
            self.bar(colour, start + 2.0, layout.height - TRACK + 3.0, length - 4.0, TRACK - 6.0);
        }
    }

    fn bar(&self, colour: Colour, x: f64, y: f64, width: f64, height: f64) {
        self.ink(colour);
        self.context.begin_path();
        let _drawn = self.context.round_rect_with_f64(x, y, width, height, width.min(height) / 2.0);
        self.context.fill();
    }

    /// Draws a text, with an ellipsis when it is too wide; gives the width that it takes, which is a guess unless it
    /// is asked for.
    pub(crate) fn fitted(&self, text: &mut String, x: f64, y: f64, room: f64, measured: bool) -> f64 {
        if let Some((at, _)) = text.char_indices().nth(MOST_SHOWN) {
            text.truncate(at);
            text.push('…');
        }
        // A line break would draw as a box.
        if text.contains(['\n', '\r', '\t']) {
            *text = text.replace(['\n', '\r', '\t'], "⏎");
        }
        // Few texts come near the edge: those that cannot, by their length, are not measured.
        let near = text.len() as f64 * 9.5 > room;
        let mut width = if near || room <= 0.0 { self.width_of(text) } else { text.len() as f64 * 7.0 };
        if near && width > room {
            let mut low = 0;
            let mut high = text.chars().count();
            let cut = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
            while low < high {
                let middle = (low + high).div_ceil(2);
                let part = [&text[..cut(middle)], "…"].concat();
                if self.width_of(&part) <= room {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            let end = cut(low);
            text.truncate(end);
            text.push('…');
            width = room;
        } else if !near && measured {
            width = self.width_of(text);
        }
        self.text(text, x, y);
        width
    }

    pub(crate) fn width_of(&self, text: &str) -> f64 {
        self.context.measure_text(text).map_or(0.0, |metrics| metrics.width())
    }

    pub(crate) fn text(&self, text: &str, x: f64, y: f64) {
        // Fails for numbers that are not finite only, and draws nothing then.
        let _drawn: Result<(), JsValue> = self.context.fill_text(text, x, y + 0.5);
    }

    pub(crate) fn font(&self, size: &str) {
        self.context.set_text_baseline("middle");
        self.context.set_font(&[size, self.theme.font()].concat());
    }

    /// What is drawn from here on has this colour.
    pub(crate) fn ink(&self, colour: Colour) {
        self.context.set_fill_style_str(self.theme.colour(colour));
    }

    pub(crate) fn fill(&self, colour: Colour, x: f64, y: f64, width: f64, height: f64) {
        self.ink(colour);
        self.context.fill_rect(x, y, width, height);
    }

    pub(crate) fn clip(&self, x: f64, y: f64, width: f64, height: f64) {
        self.context.begin_path();
        self.context.rect(x, y, width.max(0.0), height.max(0.0));
        self.context.clip();
    }

    /// One pixel of the screen.
    pub(crate) fn hair(&self) -> f64 {
        1.0 / self.scale.max(1.0)
    }

    /// The next whole pixel of the screen.
    pub(crate) fn snap(&self, at: f64) -> f64 {
        (at * self.scale).round() / self.scale
    }
}
