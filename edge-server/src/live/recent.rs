//! The last updates of a table as they went to the log, for those who follow it: encoded once, shared by all.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use wire::table::Applied;

/// Bytes of updates that are kept; who is further behind gets a snapshot.
const MOST: usize = 64 << 20;

/// An update that is on the disk.
#[derive(Debug, Default)]
pub struct Logged {
    /// The update as a discrete message.
    pub message: Bytes,
    /// The rows that an upsert set, whole, when it left columns out.
    pub complete: Option<RecordBatch>,
    /// The rows that a trim took away.
    pub gone: Vec<RecordBatch>,
    /// What it did.
    pub applied: Applied,
}

impl Logged {
    /// Bytes of the message and of the rows beside it.
    fn bytes(&self) -> usize {
        self.message.len() + super::size::of(self.gone.iter().chain(&self.complete))
    }
}

/// Updates by their numbers, without a gap.
#[derive(Debug, Default)]
pub(super) struct Recent {
    updates: VecDeque<Arc<Logged>>,
    /// The number of the first one.
    first: u64,
    bytes: usize,
}

impl Recent {
    /// Adds the update of a number, which is the one after the last.
    pub(super) fn push(&mut self, sequence: u64, update: Logged) {
        if self.updates.is_empty() {
            self.first = sequence;
        }
        self.bytes += update.bytes();
        self.updates.push_back(Arc::new(update));
        while self.bytes > MOST && self.updates.len() > 1 {
            self.bytes -= self.updates.pop_front().map_or(0, |update| update.bytes());
            self.first += 1;
        }
    }

    /// The place of the first update after a number; none when they are not all here any more.
    fn place_after(&self, sequence: u64) -> Option<usize> {
        let from = usize::try_from(sequence.checked_add(1)?.checked_sub(self.first)?).ok()?;
        (from <= self.updates.len()).then_some(from)
    }

    /// The updates after a number; none when they are not all here any more.
    pub(super) fn after(&self, sequence: u64) -> Option<Vec<Arc<Logged>>> {
        Some(self.updates.iter().skip(self.place_after(sequence)?).cloned().collect())
    }

    /// What the updates after a number did, all together; none when they are not all here any more.
    pub(super) fn done_after(&self, sequence: u64) -> Option<Applied> {
        let mut all = Applied::default();
        for update in self.updates.iter().skip(self.place_after(sequence)?) {
            let Applied { inserted, updated, removed, .. } = update.applied;
            all.inserted += inserted;
            all.updated += updated;
            all.removed += removed;
        }
        Some(all)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_not_given() {
        let mut recent = Recent::default();
        let update = |bytes: Vec<u8>| Logged { message: bytes.into(), ..Logged::default() };
        (5..10u8).for_each(|number| recent.push(number.into(), update(vec![number; 3])));
        let after = |recent: &Recent, number| -> Option<Vec<Bytes>> {
            recent.after(number).map(|updates| updates.iter().map(|update| update.message.clone()).collect())
        };
        assert_eq!(after(&recent, 4).unwrap().len(), 5);
        assert_eq!(after(&recent, 7).unwrap(), [vec![8; 3], vec![9; 3]]);
        assert_eq!(after(&recent, 9).unwrap(), Vec::<Bytes>::new());
        assert!(recent.after(3).is_none() && recent.after(10).is_none());
        recent.push(10, update(vec![0; MOST]));
        assert!(recent.after(8).is_none());
        assert_eq!(recent.after(9).unwrap().len(), 1);
    }

    #[test]
    fn what_updates_did_is_added_up() {
        let mut recent = Recent::default();
        for number in 1..5 {
            let applied = Applied { inserted: number, updated: 10, removed: 1, ..Applied::default() };
            recent.push(number as u64, Logged { applied, ..Logged::default() });
        }
        let done = |after| recent.done_after(after).map(|done| [done.inserted, done.updated, done.removed]);
        assert_eq!([done(0), done(2), done(4)], [Some([10, 40, 4]), Some([7, 20, 2]), Some([0, 0, 0])]);
        assert_eq!(done(5), None);
    }
}
