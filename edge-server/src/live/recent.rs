//! The last updates of a table as they went to the log, for those who follow it: encoded once, shared by all.

use std::collections::VecDeque;

use bytes::Bytes;

/// Bytes of messages that are kept; who is further behind gets a snapshot.
const MOST: usize = 64 << 20;

/// Messages by their numbers, without a gap.
#[derive(Debug, Default)]
pub(super) struct Recent {
    messages: VecDeque<Bytes>,
    /// The number of the first one.
    first: u64,
    bytes: usize,
}

impl Recent {
    /// Adds the message of a number, which is the one after the last.
    pub(super) fn push(&mut self, sequence: u64, message: Bytes) {
        if self.messages.is_empty() {
            self.first = sequence;
        }
        self.bytes += message.len();
        self.messages.push_back(message);
        while self.bytes > MOST && self.messages.len() > 1 {
            self.bytes -= self.messages.pop_front().map_or(0, |message| message.len());
            self.first += 1;
        }
    }

    /// The messages after a number; none when they are not all here any more.
    pub(super) fn after(&self, sequence: u64) -> Option<Vec<Bytes>> {
        let from = usize::try_from((sequence + 1).checked_sub(self.first)?).ok()?;
        (from <= self.messages.len()).then(|| self.messages.iter().skip(from).cloned().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_not_given() {
        let mut recent = Recent::default();
        (5..10u8).for_each(|number| recent.push(number.into(), Bytes::from(vec![number; 3])));
        assert_eq!(recent.after(4).unwrap().len(), 5);
        assert_eq!(recent.after(7).unwrap(), [vec![8; 3], vec![9; 3]]);
        assert_eq!(recent.after(9).unwrap(), Vec::<Bytes>::new());
        assert!(recent.after(3).is_none() && recent.after(10).is_none());
        recent.push(10, vec![0; MOST].into());
        assert!(recent.after(8).is_none());
        assert_eq!(recent.after(9).unwrap().len(), 1);
    }
}
