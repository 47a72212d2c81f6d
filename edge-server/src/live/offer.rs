//! What a sender of many messages offers, gathered and written together, with an answer for each.

use arrow_array::RecordBatch;
use wire::table::Applied;
use wire::update::Change;

use super::rows;
use super::table::{Acknowledged, LiveTable};
use crate::{Error, Result};

/// How the messages of a sender are gathered: until there are so many rows, or for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// The rows.
    pub rows: usize,
    /// The time since the first message.
    pub milliseconds: u64,
}

impl Default for Batching {
    fn default() -> Self {
        Self { rows: 10_000, milliseconds: 20 }
    }
}

impl Batching {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`Error::Definition`].
    pub fn check(&self) -> Result<()> {
        if (1..=1_000_000).contains(&self.rows) && self.milliseconds <= 10_000 {
            return Ok(());
        }
        let reason = "messages are gathered up to 1 to 1,000,000 rows, for 0 to 10,000 milliseconds".to_owned();
        Err(Error::Definition { reason })
    }
}

/// What one message offers.
#[derive(Debug)]
pub enum Offer {
    /// No rows at all.
    Nothing,
    /// A change.
    Change(Change),
}

impl Offer {
    /// Rows of the change.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Nothing | Self::Change(Change::Trim(_)) => 0,
            Self::Change(Change::Append(rows) | Change::Upsert(rows) | Change::Delete(rows)) => rows.num_rows(),
            Self::Change(Change::Patch { cells, .. }) => cells.num_rows(),
            Self::Change(Change::Replace(batches)) => batches.iter().map(RecordBatch::num_rows).sum(),
            Self::Change(Change::Exchange { remove, insert }) => remove.num_rows() + insert.num_rows(),
        }
    }
}

/// Changes that are written together, and whom to answer.
#[derive(Default)]
struct Gathering {
    changes: Vec<Change>,
    /// For each change the messages in it, and the rows of those that share it.
    messages: Vec<Vec<(usize, Option<usize>)>>,
    /// Appended rows that wait to be one change.
    rows: Vec<RecordBatch>,
    of: Vec<(usize, Option<usize>)>,
}

impl Gathering {
    fn join(&mut self, answers: &mut [Result<Acknowledged>]) {
        let of = std::mem::take(&mut self.of);
        match rows::joined(std::mem::take(&mut self.rows)) {
            Ok(None) => {}
            Ok(Some(rows)) => {
                self.changes.push(Change::Append(rows));
                self.messages.push(of);
            }
            Err(error) => of.iter().for_each(|&(number, _)| answers[number] = Err(again(&error))),
        }
    }
}

impl LiveTable {
    /// Takes offers with one sync for all, and answers each, in their order. Rows that are appended to a table without a key
    /// one behind the other become one update.
    ///
    /// # Errors
    /// When the table has been removed; what is wrong with single offers stands in their answers.
    pub fn take(&self, offers: Vec<Result<Offer>>) -> Result<Vec<Result<Acknowledged>>> {
        let nothing = Acknowledged { applied: Applied::default(), sequence: self.snapshot().sequence };
        let mut answers: Vec<Result<Acknowledged>> = Vec::with_capacity(offers.len());
        let mut gathering = Gathering::default();
        for (number, offer) in offers.into_iter().enumerate() {
            let change = match offer {
                Ok(Offer::Change(change)) => change,
                other => {
                    answers.push(other.map(|_| nothing));
                    continue;
                }
            };
            answers.push(Ok(nothing));
            match change {
                Change::Append(rows) if self.definition().key.is_empty() && rows.num_rows() > 0 => {
                    match self.fitted(&rows) {
                        Ok(rows) => {
                            gathering.of.push((number, Some(rows.num_rows())));
                            gathering.rows.push(rows);
                        }
                        Err(error) => answers[number] = Err(error),
                    }
                }
                change => {
                    gathering.join(&mut answers);
                    gathering.changes.push(change);
                    gathering.messages.push(vec![(number, None)]);
                }
            }
        }
        gathering.join(&mut answers);
        for (done, messages) in self.change_all(gathering.changes)?.into_iter().zip(gathering.messages) {
            for (number, rows) in messages {
                answers[number] = match (&done, rows) {
                    (Ok(done), None) => Ok(*done),
                    (Ok(done), Some(inserted)) => {
                        Ok(Acknowledged { applied: Applied { inserted, ..Applied::default() }, ..*done })
                    }
                    (Err(error), _) => Err(again(error)),
                };
            }
        }
        Ok(answers)
    }
}

/// One error for several messages.
fn again(error: &Error) -> Error {
    match error {
        Error::Io { path, source } => {
            Error::Io { path: path.clone(), source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        other => Error::Rows { reason: other.to_string() },
    }
}
