//! Where things are: pure arithmetic in CSS pixels, the same for painting and for the pointer.
//!
//! Rows are addressed by `top`, the distance of the first visible pixel from the first row in an `f64`,
//! which is exact to far beyond any number of rows; no element of the page is ever as tall as the table.

use std::ops::Range;

/// Height of names and types.
pub(crate) const HEADER_HEIGHT: f64 = 46.0;
/// Height of the strip under them that shows what a column holds.
pub(crate) const PROFILE_HEIGHT: f64 = 30.0;
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
/// The part of the window that pinned columns may take.
const MOST_PINNED: f64 = 0.7;

/// Sizes and scroll position.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) rows: usize,
    /// Width of the row numbers at the left.
    pub(crate) gutter: f64,
    /// Height of the headers.
    pub(crate) header: f64,
    /// Columns at the left that are pinned.
    pinned: usize,
    /// As many of them as leave room for others: these do not scroll.
    fixed: usize,
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
    /// Takes the columns that have a position, and how many of them are pinned.
    pub(crate) fn set_columns(&mut self, widths: Vec<f64>, pinned: usize) {
        self.widths = widths;
        self.pinned = pinned;
        self.lefts.clear();
        self.lefts.push(self.gutter);
        let mut left = self.gutter;
        for width in &self.widths {
            left += width;
            self.lefts.push(left);
        }
        self.clamp();
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
        self.lefts.get(column).copied().unwrap_or(0.0) - if column < self.fixed { 0.0 } else { self.left }
    }

    /// Columns that do not scroll.
    pub(crate) fn fixed(&self) -> Range<usize> {
        0..self.fixed
    }

    /// Where they end, and the others come out from under them.
    pub(crate) fn fixed_edge(&self) -> f64 {
        self.lefts.get(self.fixed).copied().unwrap_or(self.gutter)
    }

    /// Left edge of the part of a column that shows.
    pub(crate) fn clip_of(&self, column: usize) -> f64 {
        let edge = if column < self.fixed { self.gutter } else { self.fixed_edge() };
        self.left_of(column).max(edge)
    }

    /// Right edge of the last column on the screen.
    pub(crate) fn right_edge(&self) -> f64 {
        (self.lefts.last().copied().unwrap_or(0.0) - self.left).max(self.fixed_edge())
    }

    /// How far the table is scrolled.
    pub(crate) fn scrolled(&self) -> (f64, f64) {
        (self.left, self.top)
    }

    /// Top edge of a row on the screen.
    pub(crate) fn top_of(&self, row: usize) -> f64 {
        self.body_top() + row as f64 * ROW_HEIGHT - self.top
    }

    pub(crate) fn body_top(&self) -> f64 {
        self.header + FILTER_HEIGHT
    }

    pub(crate) fn body_height(&self) -> f64 {
        (self.height - self.body_top()).max(0.0)
    }

    pub(crate) fn content_width(&self) -> f64 {
        self.lefts.last().copied().unwrap_or(0.0) + TRACK
    }

    pub(crate) fn content_height(&self) -> f64 {
        self.rows as f64 * ROW_HEIGHT + if self.max_left() > 0.0 { TRACK } else { 0.0 }
    }

    pub(crate) fn max_top(&self) -> f64 {
        (self.content_height() - self.body_height()).max(0.0)
    }

    pub(crate) fn max_left(&self) -> f64 {
        (self.content_width() - self.width).max(0.0)
    }

    fn clamp(&mut self) {
        let most = self.gutter + (self.width - self.gutter) * MOST_PINNED;
        self.fixed =
            (0..=self.pinned.min(self.widths.len())).rev().find(|&n| self.lefts.get(n) <= Some(&most)).unwrap_or(0);
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
        if column < self.fixed {
            return;
        }
        let left = self.lefts.get(column).copied().unwrap_or(0.0);
        let last = left + self.width_of(column) - (self.width - TRACK);
        self.left = self.left.max(last).min(left - self.fixed_edge());
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

    /// Columns that scroll and of which something shows.
    pub(crate) fn visible_columns(&self) -> Range<usize> {
        let from = self.left + self.fixed_edge();
        let to = self.left + self.width;
        let first = self.lefts.partition_point(|&left| left <= from).saturating_sub(1);
        let last = self.lefts.partition_point(|&left| left < to);
        let columns = self.columns();
        let first = first.max(self.fixed).min(columns);
        first..last.clamp(first, columns)
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
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::grid) fn layout(rows: usize) -> Layout {
        let mut layout = Layout { gutter: 50.0, header: HEADER_HEIGHT, ..Layout::default() };
        layout.resize(450.0, 382.0);
        layout.set_rows(rows);
        layout.set_columns(vec![100.0, 200.0, 300.0], 0);
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
    fn only_what_shows_is_drawn() {
        let mut layout = layout(100);
        assert_eq!(layout.visible_rows(), 0..11);
        assert_eq!(layout.visible_columns(), 0..3);
        layout.scroll_by(110.0, 28.0 * 3.5);
        assert_eq!(layout.visible_rows(), 3..15);
        assert_eq!(layout.visible_columns(), 1..3);
        assert_eq!(Layout::default().visible_columns(), 0..0);
    }

    #[test]
    fn pinned_columns_stay_and_leave_room() {
        let mut layout = layout(100);
        layout.set_columns(vec![100.0, 200.0, 300.0], 1);
        layout.scroll_by(1e9, 0.0);
        assert_eq!((layout.left_of(0), layout.fixed_edge(), layout.visible_columns()), (50.0, 150.0, 2..3));
        assert_eq!((layout.left_of(2), layout.clip_of(2)), (136.0, 150.0));
        layout.show_column(1);
        assert_eq!((layout.left_of(1), layout.clip_of(1)), (150.0, 150.0));
        // Two of them would leave nothing for the third.
        layout.set_columns(vec![100.0, 200.0, 300.0], 2);
        assert_eq!(layout.fixed(), 0..1);
    }
}
