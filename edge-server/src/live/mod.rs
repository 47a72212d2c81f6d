//! Live tables: rows come over HTTP, and what was acknowledged is on disk.
//!
//! * [`log`] – a file of records, each with its length and checksum; a torn tail is cut when it is opened.
//! * [`replay`] – what the records are, and a table made from them.
//! * [`table`] – one table, as readers and senders see it.
//! * [`keeper`] – its thread, which applies updates, writes them in groups and lets readers see them.
//! * [`retain`] – how long rows stay.
//! * [`compact`] – a log that has become too long is written anew.
//! * [`offer`] – messages of one sender, gathered and answered one by one.
//! * [`recent`] – the last updates, for those who follow.
//! * [`view`] – the part of a table that a follower wants.
//! * [`Store`] – the folder of all live tables.

mod compact;
mod keeper;
pub mod log;
mod offer;
mod recent;
mod replay;
mod retain;
mod rows;
mod size;
mod table;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use arrow_schema::{Field, Schema};

pub use self::offer::{Batching, Offer};
pub use self::recent::Logged;
pub use self::retain::Retain;
pub use self::rows::{joined as join_rows, read as read_rows};
pub use self::table::{Acknowledged, LiveTable, Missed, Pinned, Told};
pub use self::view::View;
use crate::{Error, Result};

/// What a live table is made of, as it is asked for.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The columns.
    pub columns: Vec<Column>,
    /// The columns that name a row; none for a table of rows without names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// How long rows stay; for ever when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<Retain>,
    /// How messages over WebSocket are gathered, unless their sender says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingest: Option<Batching>,
}

/// A column of a live table.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in Arrow's notation: `Int64`, `Utf8`, `Float64`, `Timestamp(ms, "UTC")`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether its cells may be null.
    #[serde(default = "yes")]
    pub nullable: bool,
}

const fn yes() -> bool {
    true
}

impl Definition {
    /// The Arrow schema.
    ///
    /// # Errors
    /// [`Error::Definition`] that names the column.
    pub fn schema(&self) -> Result<Schema> {
        let field = |column: &Column| {
            let data_type = column.data_type.parse().map_err(|error: arrow_schema::ArrowError| Error::Definition {
                reason: format!("the type of column \"{}\": {error}", column.name),
            })?;
            let nullable = column.nullable && !self.key.contains(&column.name);
            Ok(Field::new(&column.name, data_type, nullable))
        };
        let fields = self.columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let mut names: Vec<&String> = self.columns.iter().map(|column| &column.name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Definition { reason: format!("column \"{}\" comes twice", twice[0]) });
        }
        if fields.is_empty() {
            return Err(Error::Definition { reason: "a table needs at least one column".to_owned() });
        }
        Ok(Schema::new(fields))
    }

    /// Whether what it says beside the columns makes sense.
    ///
    /// # Errors
    /// [`Error::Definition`].
    fn check(&self) -> Result<()> {
        self.retain.as_ref().map_or(Ok(()), Retain::check)?;
        self.ingest.as_ref().map_or(Ok(()), Batching::check)
    }

    /// Whether the time of each row is kept.
    fn needs_times(&self) -> bool {
        self.retain.is_some_and(|retain| retain.needs_times(!self.key.is_empty()))
    }
}

/// What is wrong with a change, or with a record of the log.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn fault(error: Box<wire::Error>) -> Error {
    Error::Rows { reason: error.to_string() }
}

/// The folder of all live tables: a log for each, named by it.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    tables: RwLock<BTreeMap<String, Arc<LiveTable>>>,
}

/// The extension of a table's log.
const EXTENSION: &str = "bklog";

impl Store {
    /// Opens a folder and every table in it; the folder is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when a log is none.
    pub fn open(folder: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let mut tables = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if compact::is_left_over(&path) {
                std::fs::remove_file(&path).map_err(io)?;
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                tables.insert(name, Arc::new(LiveTable::open(&path)?));
            }
        }
        Ok(Self { folder: folder.to_owned(), tables: RwLock::new(tables) })
    }

    /// Closes all tables: what was sent before is on the disk, nothing more is taken.
    pub fn close(&self) {
        self.all().iter().for_each(|(_, table)| table.close());
    }

    /// A table.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<LiveTable>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All tables by name.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Arc<LiveTable>)> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.iter().map(|(name, table)| (name.clone(), table.clone())).collect()
    }

    /// Makes a table; one that is there already, with the same definition, is no error. True when it is new.
    ///
    /// # Errors
    /// [`Error::Definition`] when the name or a column cannot be, or another table has the name; [`Error::Io`].
    pub fn create(&self, name: &str, definition: &Definition) -> Result<bool> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if name.is_empty() || name.len() > 100 || !name.chars().all(plain) {
            let reason = format!("\"{name}\" is no name: letters, digits, - and _, at most 100");
            return Err(Error::Definition { reason });
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tables.get(name) {
            if known.definition() == definition {
                return Ok(false);
            }
            let reason = format!("there is a table \"{name}\" with another definition");
            return Err(Error::Definition { reason });
        }
        let table = LiveTable::create(&self.folder.join(format!("{name}.{EXTENSION}")), definition)?;
        tables.insert(name.to_owned(), Arc::new(table));
        Ok(true)
    }

    /// Removes a table and its log; false when there is none.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, name: &str) -> Result<bool> {
        let Some(table) = self.tables.write().unwrap_or_else(PoisonError::into_inner).remove(name) else {
            return Ok(false);
        };
        table.close();
        let path = table.path().to_owned();
        std::fs::remove_file(&path).map_err(|source| Error::Io { path, source })?;
        Ok(true)
    }
}
