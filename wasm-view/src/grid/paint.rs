//! Painting: one pass over what is visible, column by column, so that fonts, alignment and clips are set
//! once per column.

use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d;

use super::layout::{HEADER_HEIGHT, Layout, ROW_HEIGHT, TRACK, Thumb};
use super::theme::Theme;

const PADDING: f64 = 12.0;
const BODY_SIZE: &str = "13px ";
const NAME_SIZE: &str = "600 13px ";
const LABEL_SIZE: &str = "11px ";
const NULL_SIZE: &str = "italic 12px ";
/// The browser's text drawing slows down with length; no cell shows more.
const MOST_SHOWN: usize = 400;

/// A column's head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) right: bool,
    /// Sorted: descending or not, and the rank among several keys (0 when it is the only one).
    pub(crate) sort: Option<(bool, usize)>,
    pub(crate) filtered: bool,
}

/// A cell's place.
pub(crate) type Place = (usize, usize);

/// What the painter asks for.
pub(crate) trait Columns {
    fn head(&self, column: usize) -> Head;
    /// Writes a cell's text; `false` when it is null.
    fn cell(&self, row: usize, column: usize, out: &mut String) -> bool;
    /// The number in the gutter.
    fn row_number(&self, row: usize) -> usize;
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

    /// Width of a head.
    pub(crate) fn measure_head(&self, head: &Head) -> f64 {
        self.font(NAME_SIZE);
        let name = self.width_of(&head.name) + 22.0;
        self.font(LABEL_SIZE);
        name.max(self.width_of(&head.label).min(130.0)) + 2.0 * PADDING
    }

    /// Draws everything.
    pub(crate) fn paint(
        &self,
        layout: &Layout,
        columns: &dyn Columns,
        hover: Option<usize>,
        selected: Option<Place>,
        dragged: bool,
    ) {
        let context = &self.context;
        // A canvas that cannot be scaled cannot be drawn on either.
        let _kept = context.set_transform(self.scale, 0.0, 0.0, self.scale, 0.0, 0.0);
        self.fill(&self.theme.background, 0.0, 0.0, layout.width, layout.height);
        context.save();
        self.clip(0.0, layout.body_top(), layout.width, layout.body_height());
        self.rows(layout, hover, selected);
        self.gutter(layout, columns);
        for column in layout.visible_columns() {
            self.column(layout, columns, column, selected);
        }
        context.restore();
        self.header(layout, columns);
        self.scrollbars(layout, dragged);
    }

    fn rows(&self, layout: &Layout, hover: Option<usize>, selected: Option<Place>) {
        let right = layout.left_of(layout.columns()).min(layout.width);
        for row in layout.visible_rows() {
            let top = self.snap(layout.top_of(row));
            if selected.is_some_and(|(at, _)| at == row) {
                self.fill(&self.theme.selected, 0.0, top, right, ROW_HEIGHT);
            } else if hover == Some(row) {
                self.fill(&self.theme.hover, 0.0, top, right, ROW_HEIGHT);
            }
            self.fill(&self.theme.line, 0.0, top + ROW_HEIGHT - self.hair(), right, self.hair());
        }
    }

    fn gutter(&self, layout: &Layout, columns: &dyn Columns) {
        self.font(LABEL_SIZE);
        self.context.set_fill_style_str(&self.theme.faint);
        self.context.set_text_align("right");
        for row in layout.visible_rows() {
            let number = columns.row_number(row).to_string();
            self.text(&number, layout.gutter - 10.0, layout.top_of(row) + ROW_HEIGHT / 2.0);
        }
    }

    fn column(&self, layout: &Layout, columns: &dyn Columns, column: usize, selected: Option<Place>) {
        let (left, width) = (layout.left_of(column), layout.width_of(column));
        let clip = left.max(layout.gutter);
        self.context.save();
        self.clip(clip, layout.body_top(), left + width - clip, layout.body_height());
        let right = columns.head(column).right;
        self.context.set_text_align(if right { "right" } else { "left" });
        let x = if right { left + width - PADDING } else { left + PADDING };
        let mut text = String::new();
        let mut nulls = Vec::new();
        self.font(BODY_SIZE);
        self.context.set_fill_style_str(&self.theme.text);
        for row in layout.visible_rows() {
            text.clear();
            if columns.cell(row, column, &mut text) {
                self.fitted(&mut text, x, layout.top_of(row) + ROW_HEIGHT / 2.0, width - 2.0 * PADDING);
            } else {
                nulls.push(row);
            }
        }
        // A null is no value, and must not look like one: not even like the text "null".
        if !nulls.is_empty() {
            self.font(NULL_SIZE);
            self.context.set_fill_style_str(&self.theme.faint);
            for row in nulls {
                self.text("null", x, layout.top_of(row) + ROW_HEIGHT / 2.0);
            }
        }
        if let Some((row, _)) = selected.filter(|&(_, at)| at == column) {
            self.context.set_stroke_style_str(&self.theme.accent);
            self.context.set_line_width(2.0);
            let top = self.snap(layout.top_of(row));
            self.context.stroke_rect(left + 1.0, top, width - 2.0, ROW_HEIGHT - 1.0);
        }
        self.context.restore();
    }

    fn header(&self, layout: &Layout, columns: &dyn Columns) {
        self.fill(&self.theme.header, 0.0, 0.0, layout.width, layout.body_top());
        self.context.save();
        self.clip(layout.gutter, 0.0, layout.width - layout.gutter, layout.body_top());
        for column in layout.visible_columns() {
            self.head(layout, &columns.head(column), column);
        }
        self.context.restore();
        self.fill(&self.theme.line, 0.0, layout.body_top() - self.hair(), layout.width, self.hair());
    }

    fn head(&self, layout: &Layout, head: &Head, column: usize) {
        let (left, width) = (layout.left_of(column), layout.width_of(column));
        self.context.save();
        self.clip(left, 0.0, width, layout.body_top());
        let marked = head.sort.is_some() || head.filtered;
        let mark = if head.sort.is_some() { 16.0 } else { 0.0 };
        let (x, align) = if head.right { (left + width - PADDING, "right") } else { (left + PADDING, "left") };
        self.context.set_text_align(align);
        self.font(NAME_SIZE);
        self.context.set_fill_style_str(if marked { &self.theme.accent } else { &self.theme.text });
        let mut name = head.name.clone();
        let room = width - 2.0 * PADDING - mark;
        let shown = self.fitted(&mut name, x, 17.0, room);
        if let Some((descending, rank)) = head.sort {
            let at = if head.right { x - shown - 10.0 } else { x + shown + 10.0 };
            self.arrow(at, 17.0, descending);
            if rank > 0 {
                self.font(LABEL_SIZE);
                self.context.set_text_align("center");
                self.text(&rank.to_string(), at + if head.right { -9.0 } else { 9.0 }, 18.0);
                self.context.set_text_align(align);
            }
        }
        self.font(LABEL_SIZE);
        self.context.set_fill_style_str(&self.theme.muted);
        let mut label = head.label.clone();
        self.fitted(&mut label, x, 34.0, width - 2.0 * PADDING);
        self.context.restore();
        self.fill(&self.theme.line, left + width - self.hair(), 12.0, self.hair(), HEADER_HEIGHT - 24.0);
    }

    fn arrow(&self, x: f64, y: f64, descending: bool) {
        let tip = if descending { 3.0 } else { -3.0 };
        self.context.begin_path();
        self.context.move_to(x - 4.0, y - tip);
        self.context.line_to(x + 4.0, y - tip);
        self.context.line_to(x, y + tip);
        self.context.close_path();
        self.context.fill();
    }

    fn scrollbars(&self, layout: &Layout, dragged: bool) {
        let colour = if dragged { &self.theme.muted } else { &self.theme.thumb };
        // The tracks are opaque: half a row under a thumb would look like a slip.
        let (right, bottom) = (layout.width - TRACK, layout.height - TRACK);
        if layout.vertical().is_some() {
            self.fill(&self.theme.background, right, layout.body_top(), TRACK, layout.body_height());
        }
        if layout.horizontal().is_some() {
            self.fill(&self.theme.background, 0.0, bottom, layout.width, TRACK);
            self.fill(&self.theme.line, 0.0, bottom, layout.width, self.hair());
        }
        if let Some(Thumb { start, length }) = layout.vertical() {
            self.bar(colour, layout.width - TRACK + 3.0, layout.body_top() + start + 2.0, TRACK - 6.0, length - 4.0);
        }
        if let Some(Thumb { start, length }) = layout.horizontal() {
            self.bar(colour, start + 2.0, layout.height - TRACK + 3.0, length - 4.0, TRACK - 6.0);
        }
    }

    fn bar(&self, colour: &str, x: f64, y: f64, width: f64, height: f64) {
        self.context.set_fill_style_str(colour);
        self.context.begin_path();
        let _drawn = self.context.round_rect_with_f64(x, y, width, height, width.min(height) / 2.0);
        self.context.fill();
    }

    /// Draws a text, with an ellipsis when it is too wide; gives the width that it takes.
    fn fitted(&self, text: &mut String, x: f64, y: f64, room: f64) -> f64 {
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
        } else if !near {
            // The head's arrow stands behind the name: here the true width is worth its price.
            width = if y < HEADER_HEIGHT { self.width_of(text) } else { width };
        }
        self.text(text, x, y);
        width
    }

    fn width_of(&self, text: &str) -> f64 {
        self.context.measure_text(text).map_or(0.0, |metrics| metrics.width())
    }

    fn text(&self, text: &str, x: f64, y: f64) {
        // Fails for numbers that are not finite only, and draws nothing then.
        let _drawn: Result<(), JsValue> = self.context.fill_text(text, x, y + 0.5);
    }

    fn font(&self, size: &str) {
        self.context.set_text_baseline("middle");
        self.context.set_font(&[size, &self.theme.font].concat());
    }

    fn fill(&self, colour: &str, x: f64, y: f64, width: f64, height: f64) {
        self.context.set_fill_style_str(colour);
        self.context.fill_rect(x, y, width, height);
    }

    fn clip(&self, x: f64, y: f64, width: f64, height: f64) {
        self.context.begin_path();
        self.context.rect(x, y, width.max(0.0), height.max(0.0));
        self.context.clip();
    }

    /// One pixel of the screen.
    fn hair(&self) -> f64 {
        1.0 / self.scale.max(1.0)
    }

    /// The next whole pixel of the screen.
    fn snap(&self, at: f64) -> f64 {
        (at * self.scale).round() / self.scale
    }
}
