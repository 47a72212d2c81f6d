//! What lies under a point: headers and their edges, cells, row numbers, scrollbars.

use super::layout::{Layout, ROW_HEIGHT, TRACK};

/// How near a header's edge the pointer takes hold of it.
const GRIP: f64 = 5.0;

/// What lies under a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    Header(usize),
    /// The right edge of a column's header.
    Edge(usize),
    Cell(usize, usize),
    /// A row's number.
    Row(usize),
    /// Where row numbers and headers meet.
    Corner,
    Vertical,
    Horizontal,
    Nothing,
}

impl Layout {
    /// The column at a distance from the left.
    fn column_at(&self, x: f64) -> Option<usize> {
        let inside = |column: &usize| {
            let left = self.left_of(*column);
            x >= self.clip_of(*column) && x < left + self.width_of(*column)
        };
        self.fixed().chain(self.visible_columns()).find(inside)
    }

    /// The gap between two columns that is nearest to a point, as the number of the column behind it.
    pub(crate) fn gap_at(&self, x: f64) -> usize {
        match self.column_at(x) {
            Some(column) if x < self.left_of(column) + self.width_of(column) / 2.0 => column,
            Some(column) => column + 1,
            None if x < self.gutter => 0,
            None => self.columns(),
        }
    }

    /// The cell nearest to a point, which may lie outside.
    pub(crate) fn nearest(&self, x: f64, y: f64) -> (usize, usize) {
        let right = (self.right_edge().min(self.width) - 1.0).max(self.gutter);
        let column = self.column_at(x.clamp(self.gutter, right)).unwrap_or(0);
        let y = y.clamp(self.body_top(), (self.height - 1.0).max(self.body_top()));
        let row = ((y - self.body_top() + self.scrolled().1) / ROW_HEIGHT) as usize;
        (row.min(self.rows.saturating_sub(1)), column)
    }

    /// What lies under a point.
    pub(crate) fn hit(&self, x: f64, y: f64) -> Hit {
        if x < 0.0 || y < 0.0 || x >= self.width || y >= self.height {
            return Hit::Nothing;
        }
        let column = self.column_at(x).filter(|_| x >= self.gutter);
        if y < self.header {
            let shows = |&column: &usize| {
                let edge = self.left_of(column) + self.width_of(column);
                (edge - x).abs() <= GRIP && edge >= self.clip_of(column)
            };
            let edge = self.fixed().chain(self.visible_columns()).find(shows);
            return match (edge, column) {
                (Some(edge), _) => Hit::Edge(edge),
                (_, Some(column)) => Hit::Header(column),
                _ if x < self.gutter => Hit::Corner,
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
        let row = ((y - self.body_top() + self.scrolled().1) / ROW_HEIGHT) as usize;
        match column {
            Some(column) if row < self.rows => Hit::Cell(row, column),
            None if row < self.rows && x < self.gutter => Hit::Row(row),
            _ => Hit::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::layout;
    use super::*;

    #[test]
    fn points_are_found_again() {
        let mut layout = layout(1_000_000);
        assert_eq!(layout.hit(60.0, 10.0), Hit::Header(0));
        assert_eq!(layout.hit(149.0, 10.0), Hit::Edge(0));
        assert_eq!(layout.hit(160.0, 10.0), Hit::Header(1));
        assert_eq!(layout.hit(10.0, 10.0), Hit::Corner);
        assert_eq!(layout.hit(10.0, 90.0), Hit::Row(0));
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
    fn pinned_columns_are_hit_first() {
        let mut layout = layout(100);
        layout.set_columns(vec![100.0, 200.0, 300.0], 1);
        layout.scroll_by(1e9, 0.0);
        assert_eq!(layout.hit(60.0, 90.0), Hit::Cell(0, 0));
        assert_eq!(layout.hit(160.0, 90.0), Hit::Cell(0, 2));
        assert_eq!(layout.hit(149.0, 10.0), Hit::Edge(0));
        assert_eq!((layout.gap_at(60.0), layout.gap_at(140.0), layout.gap_at(160.0)), (0, 1, 2));
        assert_eq!(layout.nearest(-50.0, 1e9), (layout.visible_rows().end - 1, 0));
        assert_eq!(Layout::default().hit(0.0, 0.0), Hit::Nothing);
        assert_eq!(Layout::default().nearest(0.0, 0.0), (0, 0));
    }
}
