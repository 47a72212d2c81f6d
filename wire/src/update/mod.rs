//! Updates of a live table: a batch of rows and what is meant by it.
//!
//! On the wire an update is an ordinary Arrow stream, which any reader opens; what it means stands in metadata:
//!
//! | key | value |
//! |---|---|
//! | `bodkin.update` | `append`, `replace`, `upsert`, `patch`, `delete`, `exchange` or `trim` |
//! | `bodkin.epoch` | a number that changes when a table begins anew |
//! | `bodkin.sequence` | 1 for the first update of an epoch, and one more for each |
//! | `bodkin.after` | the update before this one, when several were merged into it; else it is the number before |
//! | `bodkin.rows` | of a `trim`: how many of the first rows go |
//! | `bodkin.more` | in a continuous stream: the next batch belongs to the same update |
//!
//! In a discrete message it is the metadata of the schema. In a continuous stream, whose schema all batches share, it is
//! the metadata of the batch's message; [`Parts`] puts updates of several batches together.
//!
//! Two columns have a meaning of their own, and come first: `bodkin.row` (`UInt64`) names the rows of a patch, and
//! `bodkin.remove` (`Boolean`) marks the rows of an exchange that go rather than come.

mod merge;
mod message;
mod parts;

use arrow_array::{RecordBatch, UInt64Array};

pub use merge::{Merged, merge};
pub use parts::Parts;

/// The key of the metadata that says what is meant.
pub const UPDATE: &str = "bodkin.update";
/// The key of the epoch.
pub const EPOCH: &str = "bodkin.epoch";
/// The key of the sequence number.
pub const SEQUENCE: &str = "bodkin.sequence";
/// The key of the number of the update before a merged one.
pub const AFTER: &str = "bodkin.after";
/// The key of the number of rows that a trim takes away.
pub const ROWS: &str = "bodkin.rows";
/// The key that says that the next batch of a continuous stream belongs to the same update.
pub const MORE: &str = "bodkin.more";
/// The column that names the rows of a patch.
pub const ROW: &str = "bodkin.row";
/// The column that marks the rows that an exchange removes.
pub const REMOVE: &str = "bodkin.remove";

/// What happens to a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Rows come at the end.
    Append(RecordBatch),
    /// The table is these rows and no others.
    Replace(Vec<RecordBatch>),
    /// Rows by key: those that are there get these cells, the others come at the end. Columns that are left out keep
    /// their cells, or are null in new rows.
    Upsert(RecordBatch),
    /// Cells of rows by number, counted from the table's first row.
    Patch {
        /// The rows.
        rows: UInt64Array,
        /// Their new cells; columns that are left out keep theirs.
        cells: RecordBatch,
    },
    /// Rows go, by key. Keys that are not there are no error.
    Delete(RecordBatch),
    /// Rows go by key and others come, at once.
    Exchange {
        /// Keys of the rows that go.
        remove: RecordBatch,
        /// Rows that come, as by [`Change::Upsert`].
        insert: RecordBatch,
    },
    /// The first rows go, so many of them: those that have been there longest, in a table of rows without names.
    Trim(u64),
}

impl Change {
    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Append(_) => "append",
            Self::Replace(_) => "replace",
            Self::Upsert(_) => "upsert",
            Self::Patch { .. } => "patch",
            Self::Delete(_) => "delete",
            Self::Exchange { .. } => "exchange",
            Self::Trim(_) => "trim",
        }
    }
}

/// A change and its place among all changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Which life of the table: a server that starts anew starts a new one.
    pub epoch: u64,
    /// The number of the update in its epoch, from one on.
    pub sequence: u64,
    /// The update before this one, when several were merged into it; without, it is the number before.
    pub after: Option<u64>,
    /// What happens.
    pub change: Change,
}

impl Update {
    /// An update that follows the one of the number before.
    #[must_use]
    pub const fn new(epoch: u64, sequence: u64, change: Change) -> Self {
        Self { epoch, sequence, after: None, change }
    }

    /// Says which update this one follows, when several were merged into it.
    #[must_use]
    pub const fn with_after(mut self, after: u64) -> Self {
        self.after = if after.wrapping_add(1) == self.sequence { None } else { Some(after) };
        self
    }
}
