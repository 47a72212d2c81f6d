//! Orders that are remembered: the numbers of the rows of a filtered and sorted table, so that of many pages only the first
//! pays for the sort.
//!
//! An order is known by the table's tag, the filter and the sort. Whoever needs one that nobody has made makes it, while others
//! who need the same wait. All that are kept are within a number of bytes; those go first that were used longest ago. The
//! orders of a table that has changed are not asked for any more, and go so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use kernels::query::Plan;

/// The rows of a view in its order.
#[derive(Debug)]
pub(super) struct Order {
    /// Numbers of rows of the table: all of the view's, or the first.
    pub(super) rows: Vec<u32>,
    /// Rows of the view.
    pub(super) total: usize,
}

impl Order {
    /// Whether it tells the view's rows up to an end.
    pub(super) fn reaches(&self, end: usize) -> bool {
        self.rows.len() >= end.min(self.total)
    }

    fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u32>()
    }
}

/// A table's tag, and filter and sort as bytes.
pub(super) type Key = (u64, Vec<u8>);

/// The key of a plan's order.
pub(super) fn key(tag: u64, plan: &Plan) -> Key {
    (tag, serde_json::to_vec(&(&plan.filter, &plan.sort)).unwrap_or_default())
}

/// All that are remembered.
#[derive(Debug)]
pub(super) struct Orders {
    room: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each with when it was used last.
    kept: BTreeMap<Key, (u64, Arc<Order>)>,
    bytes: usize,
    clock: u64,
    /// Who makes one now; others wait.
    turns: BTreeMap<Key, Weak<Mutex<()>>>,
}

impl Orders {
    /// Room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { room, inner: Mutex::default() }
    }

    /// Whether an order of so many rows could be kept.
    pub(super) fn have_room(&self, rows: usize) -> bool {
        rows.saturating_mul(size_of::<u32>()) <= self.room
    }

    /// An order that is remembered.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Order>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let clock = inner.clock;
        let (used, order) = inner.kept.get_mut(key)?;
        *used = clock;
        Some(order.clone())
    }

    /// A lock that all who make one order share.
    pub(super) fn turn(&self, key: &Key) -> Arc<Mutex<()>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = inner.turns.entry(key.clone()).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Mutex::new(()));
            *turn = Arc::downgrade(&new);
            new
        })
    }

    /// Remembers an order in the place of a shorter one, and forgets others until there is room.
    pub(super) fn keep(&self, key: Key, order: &Arc<Order>) {
        let bytes = order.bytes();
        if bytes > self.room {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let clock = inner.clock;
        if let Some((_, old)) = inner.kept.insert(key, (clock, order.clone())) {
            inner.bytes -= old.bytes();
        }
        inner.bytes += bytes;
        while inner.bytes > self.room {
            let oldest = inner.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            let Some((_, old)) = oldest.and_then(|key| inner.kept.remove(&key)) else { return };
            inner.bytes -= old.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_is_forgotten() {
        let orders = Orders::new(100 * size_of::<u32>());
        let order = |rows: u32| Arc::new(Order { rows: (0..rows).collect(), total: 500 });
        let key = |name: u8| (1, vec![name]);
        orders.keep(key(1), &order(40));
        orders.keep(key(2), &order(40));
        assert!(orders.get(&key(1)).is_some_and(|order| order.reaches(40) && !order.reaches(41)));
        orders.keep(key(3), &order(40));
        assert!(orders.get(&key(2)).is_none(), "the second was used longest ago");
        assert!(orders.get(&key(1)).is_some() && orders.get(&key(3)).is_some());
        // One that could never stay pushes nothing out; a longer one takes the place of the shorter.
        orders.keep(key(4), &order(101));
        assert!(orders.get(&key(4)).is_none() && orders.get(&key(1)).is_some());
        orders.keep(key(1), &order(60));
        assert!(orders.get(&key(1)).is_some_and(|order| order.rows.len() == 60));
        assert_eq!(orders.inner.lock().unwrap().bytes, 400);
    }

    #[test]
    fn of_those_who_need_one_order_one_makes_it() {
        let orders = Orders::new(1 << 20);
        let (first, second) = (orders.turn(&(1, vec![])), orders.turn(&(1, vec![])));
        let held = first.lock().unwrap();
        assert!(second.try_lock().is_err());
        assert!(orders.turn(&(2, vec![])).try_lock().is_ok(), "another order has another turn");
        drop(held);
        assert!(second.try_lock().is_ok());
    }
}
