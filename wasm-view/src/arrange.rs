//! The arrangement of columns: their order, their widths, which are hidden, which stay at the left.
//!
//! A *column* is a number in the schema; a *position* is a number on the screen. Pinned columns stand first, hidden
//! ones have no position but keep their place among the others, so that they come back where they were.

/// A column and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slot {
    pub(crate) column: usize,
    pub(crate) width: f64,
    pub(crate) hidden: bool,
    pub(crate) pinned: bool,
}

/// Columns in the order of the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrangement {
    /// All columns; those that are pinned first.
    slots: Vec<Slot>,
    /// Of each position its slot.
    shown: Vec<usize>,
}

impl Arrangement {
    /// All columns in the order of the schema.
    pub(crate) fn new(widths: Vec<f64>) -> Self {
        let slot = |(column, width)| Slot { column, width, hidden: false, pinned: false };
        let mut made = Self { slots: widths.into_iter().enumerate().map(slot).collect(), shown: Vec::new() };
        made.settle();
        made
    }

    /// All columns, hidden ones too.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Number of positions.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    fn slot(&self, position: usize) -> Option<&Slot> {
        self.slots.get(*self.shown.get(position)?)
    }

    /// The column at a position.
    pub(crate) fn column(&self, position: usize) -> Option<usize> {
        self.slot(position).map(|slot| slot.column)
    }

    /// The position of a column; `None` when it is hidden.
    pub(crate) fn position(&self, column: usize) -> Option<usize> {
        self.shown.iter().position(|&slot| self.slots[slot].column == column)
    }

    /// Widths by position.
    pub(crate) fn widths(&self) -> Vec<f64> {
        self.shown.iter().map(|&slot| self.slots[slot].width).collect()
    }

    /// How many positions are pinned.
    pub(crate) fn pinned(&self) -> usize {
        self.shown.iter().filter(|&&slot| self.slots[slot].pinned).count()
    }

    pub(crate) fn set_width(&mut self, position: usize, width: f64) {
        if let Some(&slot) = self.shown.get(position) {
            self.slots[slot].width = width;
        }
    }

    /// Changes a column; the last one that shows stays.
    pub(crate) fn change(&mut self, column: usize, hidden: Option<bool>, pinned: Option<bool>) {
        let alone = self.shown.len() == 1 && self.position(column) == Some(0);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.column == column) {
            slot.hidden = hidden.filter(|_| !alone).unwrap_or(slot.hidden);
            slot.pinned = pinned.unwrap_or(slot.pinned);
            self.settle();
        }
    }

    /// Moves what stands at a position before the position `gap`. Among the pinned it is pinned, behind them it is not.
    pub(crate) fn move_to(&mut self, position: usize, gap: usize) {
        let Some(&from) = self.shown.get(position) else { return };
        let pinned = self.pinned();
        let mut slot = self.slots.remove(from);
        // At the border a column stays what it is.
        slot.pinned = if gap == pinned { slot.pinned } else { gap < pinned };
        let before = self.shown.get(gap).copied().unwrap_or(self.slots.len() + 1);
        let to = if before > from { before - 1 } else { before };
        self.slots.insert(to.min(self.slots.len()), slot);
        self.settle();
    }

    /// Puts the columns into this order; those that are not named follow.
    pub(crate) fn order(&mut self, columns: &[usize]) {
        let mut rest = std::mem::take(&mut self.slots);
        for &column in columns {
            let named = rest.iter().position(|slot| slot.column == column);
            self.slots.extend(named.map(|at| rest.remove(at)));
        }
        self.slots.append(&mut rest);
        self.settle();
    }

    fn settle(&mut self) {
        for at in 0..self.slots.len() {
            if self.slots[at].pinned {
                let pinned = self.slots[..at].iter().take_while(|slot| slot.pinned).count();
                let slot = self.slots.remove(at);
                self.slots.insert(pinned, slot);
            }
        }
        self.shown = (0..self.slots.len()).filter(|&slot| !self.slots[slot].hidden).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arrangement: &Arrangement) -> Vec<usize> {
        (0..arrangement.len()).filter_map(|position| arrangement.column(position)).collect()
    }

    #[test]
    fn columns_move_hide_and_pin() {
        let mut columns = Arrangement::new(vec![10.0, 20.0, 30.0, 40.0]);
        columns.move_to(0, 3);
        assert_eq!(shown(&columns), [1, 2, 0, 3]);
        columns.move_to(3, 0);
        assert_eq!(shown(&columns), [3, 1, 2, 0]);
        columns.move_to(1, 4);
        assert_eq!(shown(&columns), [3, 2, 0, 1]);
        columns.change(2, Some(true), None);
        assert_eq!((shown(&columns), columns.position(2)), (vec![3, 0, 1], None));
        columns.change(1, None, Some(true));
        assert_eq!((shown(&columns), columns.pinned()), (vec![1, 3, 0], 1));
        columns.change(2, Some(false), None);
        assert_eq!(shown(&columns), [1, 3, 2, 0]);
        // Into the pinned and out of them.
        columns.move_to(3, 0);
        assert_eq!((shown(&columns), columns.pinned()), (vec![0, 1, 3, 2], 2));
        columns.move_to(0, 4);
        assert_eq!((shown(&columns), columns.pinned()), (vec![1, 3, 2, 0], 1));
        assert_eq!(columns.widths(), [20.0, 40.0, 30.0, 10.0]);
        columns.order(&[0, 2]);
        assert_eq!(shown(&columns), [1, 0, 2, 3]);
    }

    #[test]
    fn one_column_always_shows() {
        let mut columns = Arrangement::new(vec![1.0, 1.0]);
        columns.change(0, Some(true), None);
        columns.change(1, Some(true), None);
        assert_eq!(shown(&columns), [1]);
        columns.move_to(0, 9);
        assert_eq!(columns.slots().len(), 2);
    }
}
