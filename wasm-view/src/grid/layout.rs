//! Where things are: pure arithmetic in CSS pixels, the same for painting and for the pointer.
//!
//! Rows are addressed by `top`, the distance of the first visible pixel from the first row in an `f64`,
//! which is exact to far beyond any number of rows; no element of the page is ever as tall as the table.

use std::ops::Range;

/// Height of names and types.
pub(crate) const HEADER_HEIGHT: f64 = 46.0;
/// Height of the filter boxes under them.
pub(crate) const FILTER_HEIGHT: f64 = 36.0;
/// Height of a row.
pub(crate) const ROW_HEIGHT: f64 = 28.0;
/// The narrowest column.
pub(crate) const MIN_WIDTH: f64 = 48.0;
/// Width of a scrollbar's track.
pub(crate) const TRACK: f64 = 14.0;
/// The shortest thumb.
const MIN_THUMB: f64 = 32.0;
/// How near a header's edge the pointer takes hold of it.
const GRIP: f64 = 5.0;

/// What lies under a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    Header(usize),
    /// The right edge of a column's header.
    Edge(usize),
    Cell(usize, usize),
    Vertical,
    Horizontal,
    Nothing,
}

/// Sizes and scroll position.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) rows: usize,
    /// Width of the row numbers at the left.
    pub(crate) gutter: f64,
    widths: Vec<f64>,
    /// Left edges, without scrolling; one more than columns.
    lefts: Vec<f64>,
    top: f64,
    left: f64,
}

/// A scrollbar's thumb: where it begins on its track, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thumb {
    pub(crate) start: f64,
    pub(crate) length: f64,
}

impl Layout {
    pub(crate) fn set_widths(&mut self, widths: Vec<f64>) {
        self.widths = widths;
        self.lefts.clear();
        self.lefts.push(self.gutter);
        let mut left = self.gutter;
        for width in &self.widths {
            left += width;
            self.lefts.push(left);
        }
        self.clamp();
    }

    pub(crate) fn set_width(&mut self, column: usize, width: f64) {
        let mut widths = std::mem::take(&mut self.widths);
        if let Some(slot) = widths.get_mut(column) {
            *slot = width.clamp(MIN_WIDTH, 2_000.0);
        }
        self.set_widths(widths);
    }

    pub(crate) fn resize(&mut self, width: f64, height: f64) {
        self.width = width.max(0.0);
        self.height = height.max(0.0);
        self.clamp();
    }

    pub(crate) fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        self.clamp();
    }

    pub(crate) fn columns(&self) -> usize {
        self.widths.len()
    }

    pub(crate) fn width_of(&self, column: usize) -> f64 {
        self.widths.get(column).copied().unwrap_or(0.0)
    }

    /// Left edge of a column on the screen.
    pub(crate) fn left_of(&self, column: usize) -> f64 {
        self.lefts.get(column).copied().unwrap_or(0.0) - self.left
    }

    /// Top edge of a row on the screen.
    pub(crate) fn top_of(&self, row: usize) -> f64 {
        self.body_top() + row as f64 * ROW_HEIGHT - self.top
    }

    pub(crate) fn body_top(&self) -> f64 {
        HEADER_HEIGHT + FILTER_HEIGHT
    }

    pub(crate) fn body_height(&self) -> f64 {
        (self.height - self.body_top()).max(0.0)
    }

    fn content_width(&self) -> f64 {
        self.lefts.last().copied().unwrap_or(0.0) + TRACK
    }

    fn content_height(&self) -> f64 {
        self.rows as f64 * ROW_HEIGHT + if self.max_left() > 0.0 { TRACK } else { 0.0 }
    }

    pub(crate) fn max_top(&self) -> f64 {
        (self.content_height() - self.body_height()).max(0.0)
    }

    pub(crate) fn max_left(&self) -> f64 {
        (self.content_width() - self.width).max(0.0)
    }

    fn clamp(&mut self) {
        self.top = self.top.clamp(0.0, self.max_top());
        self.left = self.left.clamp(0.0, self.max_left());
    }

    /// The first row that shows, with the part of it that does not.
    pub(crate) fn top_row(&self) -> f64 {
        self.top / ROW_HEIGHT
    }

    pub(crate) fn scroll_by(&mut self, x: f64, y: f64) -> bool {
        let before = (self.left, self.top);
        self.left += x;
        self.top += y;
        self.clamp();
        before != (self.left, self.top)
    }

    pub(crate) fn scroll_to_row(&mut self, row: f64) {
        self.top = row * ROW_HEIGHT;
        self.clamp();
    }

    /// Scrolls as little as shows the whole cell.
    pub(crate) fn show_cell(&mut self, row: usize, column: usize) {
        let upper = row as f64 * ROW_HEIGHT;
        let bottom = if self.max_left() > 0.0 { TRACK } else { 0.0 };
        let lower = upper + ROW_HEIGHT - (self.body_height() - bottom);
        self.top = self.top.min(upper).max(lower);
        self.show_column(column);
    }

    /// Scrolls sideways as little as shows the whole column.
    pub(crate) fn show_column(&mut self, column: usize) {
        let first = self.lefts.get(column).copied().unwrap_or(0.0) - self.gutter;
        let last = first + self.width_of(column) - (self.width - self.gutter - TRACK);
        self.left = self.left.max(last).min(first);
        self.clamp();
    }

    /// Rows that fit into the window.
    pub(crate) fn page(&self) -> usize {
        ((self.body_height() / ROW_HEIGHT) as usize).saturating_sub(1).max(1)
    }

    pub(crate) fn visible_rows(&self) -> Range<usize> {
        let first = (self.top / ROW_HEIGHT) as usize;
        let last = ((self.top + self.body_height()) / ROW_HEIGHT).ceil() as usize;
        first.min(self.rows)..last.min(self.rows)
    }

    pub(crate) fn visible_columns(&self) -> Range<usize> {
        let from = self.left + self.gutter;
        let to = self.left + self.width;
        let first = self.lefts.partition_point(|&left| left <= from).saturating_sub(1);
        let last = self.lefts.partition_point(|&left| left < to);
        let columns = self.columns();
        first.min(columns)..last.min(columns)
    }

    fn thumb(track: f64, window: f64, content: f64, position: f64) -> Option<Thumb> {
        if content <= window || track < MIN_THUMB {
            return None;
        }
        let length = (track * window / content).clamp(MIN_THUMB, track);
        Some(Thumb { start: (track - length) * (position / (content - window)).clamp(0.0, 1.0), length })
    }

    /// The thumb at the right; its track begins under the header.
    pub(crate) fn vertical(&self) -> Option<Thumb> {
        let window = self.body_height();
        Self::thumb(window, window, self.content_height(), self.top)
    }

    /// The thumb at the bottom; its track leaves the right corner free.
    pub(crate) fn horizontal(&self) -> Option<Thumb> {
        Self::thumb(self.width - TRACK, self.width, self.content_width(), self.left)
    }

    /// Moves the vertical thumb so that it begins here on its track.
    pub(crate) fn drag_vertical(&mut self, start: f64) {
        if let Some(thumb) = self.vertical() {
            let room = self.body_height() - thumb.length;
            self.top = if room > 0.0 { self.max_top() * (start / room).clamp(0.0, 1.0) } else { 0.0 };
        }
    }

    /// Moves the horizontal thumb so that it begins here on its track.
    pub(crate) fn drag_horizontal(&mut self, start: f64) {
        if let Some(thumb) = self.horizontal() {
            let room = self.width - TRACK - thumb.length;
            self.left = if room > 0.0 { self.max_left() * (start / room).clamp(0.0, 1.0) } else { 0.0 };
        }
    }

    /// What lies under a point.
    pub(crate) fn hit(&self, x: f64, y: f64) -> Hit {
        if x < 0.0 || y < 0.0 || x >= self.width || y >= self.height {
            return Hit::Nothing;
        }
        let content = x + self.left;
        let column = self.lefts.partition_point(|&left| left <= content).checked_sub(1);
        let column = column.filter(|&column| column < self.columns() && x >= self.gutter);
        if y < HEADER_HEIGHT {
            let edge = (0..self.columns()).find(|&column| (self.left_of(column + 1) - x).abs() <= GRIP);
            return match (edge, column) {
                (Some(edge), _) if x > self.gutter + GRIP => Hit::Edge(edge),
                (_, Some(column)) => Hit::Header(column),
                _ => Hit::Nothing,
            };
        }
        if y < self.body_top() {
            return Hit::Nothing;
        }
        if x >= self.width - TRACK && self.vertical().is_some() {
            return Hit::Vertical;
        }
        if y >= self.height - TRACK && self.horizontal().is_some() {
            return Hit::Horizontal;
        }
        let row = ((y - self.body_top() + self.top) / ROW_HEIGHT) as usize;
        match column {
            Some(column) if row < self.rows => Hit::Cell(row, column),
            _ => Hit::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(rows: usize) -> Layout {
        let mut layout = Layout { gutter: 50.0, ..Layout::default() };
        layout.resize(450.0, 382.0);
        layout.set_rows(rows);
        layout.set_widths(vec![100.0, 200.0, 300.0]);
        layout
    }

    #[test]
    fn every_row_can_be_reached_and_none_behind_the_last() {
        for rows in [0, 1, 10, 336_776, 4_000_000_000] {
            let mut layout = layout(rows);
            layout.scroll_by(0.0, f64::MAX);
            assert_eq!(layout.visible_rows().end, rows);
            layout.drag_vertical(0.0);
            assert_eq!(layout.visible_rows().start, 0);
            layout.drag_vertical(1e9);
            assert_eq!(layout.visible_rows().end, rows);
        }
    }

    #[test]
    fn points_are_found_again() {
        let mut layout = layout(1_000_000);
        assert_eq!(layout.hit(60.0, 10.0), Hit::Header(0));
        assert_eq!(layout.hit(149.0, 10.0), Hit::Edge(0));
        assert_eq!(layout.hit(160.0, 10.0), Hit::Header(1));
        assert_eq!(layout.hit(10.0, 10.0), Hit::Nothing);
        assert_eq!(layout.hit(60.0, 60.0), Hit::Nothing);
        assert_eq!(layout.hit(60.0, 82.0 + 28.0), Hit::Cell(1, 0));
        assert_eq!(layout.hit(449.0, 100.0), Hit::Vertical);
        assert_eq!(layout.hit(100.0, 381.0), Hit::Horizontal);
        layout.show_cell(999_999, 2);
        let (x, y) = (layout.left_of(2) + 1.0, layout.top_of(999_999) + 1.0);
        assert_eq!(layout.hit(x, y), Hit::Cell(999_999, 2));
        assert!(y + ROW_HEIGHT <= 382.0);
        layout.show_cell(0, 0);
        assert_eq!((layout.top_of(0), layout.left_of(0)), (82.0, 50.0));
    }

    #[test]
    fn only_what_shows_is_drawn() {
        let mut layout = layout(100);
        assert_eq!(layout.visible_rows(), 0..11);
        assert_eq!(layout.visible_columns(), 0..3);
        layout.scroll_by(110.0, 28.0 * 3.5);
        assert_eq!(layout.visible_rows(), 3..15);
        assert_eq!(layout.visible_columns(), 1..3);
        assert_eq!(Layout::default().visible_columns(), 0..0);
        assert_eq!(Layout::default().hit(0.0, 0.0), Hit::Nothing);
    }
}
