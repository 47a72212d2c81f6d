//! What stays in sight when rows come and go around it.
//!
//! Before updates the rows in sight are noted. After them the first of these that is still there stands where it stood: so rows
//! that come or go above do not move what is read. Two places are exceptions. The very top stays the top: who looks at the
//! first rows of an order wants to see which ones are first. And whoever stands at the end of a table that grows, in its own
//! order, goes with the end.

/// Where the view stands: what was noted before updates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Anchor {
    /// Serials of the rows in sight, from the first on.
    pub(crate) serials: Vec<u32>,
    /// The number of the first row in sight, with its hidden part.
    pub(crate) top: f64,
    /// The last row is in sight, nothing is sorted, and the table does not fit the window as a whole.
    pub(crate) is_at_end: bool,
}

/// Where it is to stand after them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// This row at the top, with its hidden part.
    Row(f64),
    /// The last rows.
    End,
}

impl Anchor {
    /// Where the view is to stand; `row` gives the number of a row now, if it is still there.
    pub(crate) fn place(&self, row: impl Fn(u32) -> Option<usize>) -> Place {
        if self.is_at_end {
            return Place::End;
        }
        if self.top <= 0.0 {
            return Place::Row(0.0);
        }
        let still = self.serials.iter().enumerate().find_map(|(at, &serial)| Some((at, row(serial)?)));
        // A row that went left its place to those behind it.
        Place::Row(still.map_or(self.top, |(at, row)| (row as f64 - at as f64 + self.top.fract()).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_stays_where_it_is() {
        let anchor = |top: f64, is_at_end| Anchor { serials: vec![40, 41, 42], top, is_at_end };
        // Ten rows came above.
        assert_eq!(anchor(5.25, false).place(|serial| Some(serial as usize - 25)), Place::Row(15.25));
        // The first row in sight went: the second one stays where it was.
        let went = |serial: u32| (serial > 40).then(|| serial as usize - 36);
        assert_eq!(anchor(4.5, false).place(went), Place::Row(4.5));
        // All of them went.
        assert_eq!(anchor(4.5, false).place(|_| None), Place::Row(4.5));
        assert_eq!(anchor(0.0, false).place(|_| Some(9)), Place::Row(0.0));
        assert_eq!(anchor(5.0, true).place(|_| Some(9)), Place::End);
    }
}
