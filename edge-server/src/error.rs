//! What can go wrong, in one place; `http::problem` turns it into a response.

use std::fmt;
use std::path::PathBuf;

/// The result of anything in the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the server or a command could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file's contents are not what its format asks for.
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A file has an extension that stands for no format.
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// Two tables have one name.
    DuplicateTable {
        /// The name.
        name: String,
    },
    /// There is no such table.
    UnknownTable {
        /// The name.
        name: String,
        /// The tables that there are.
        available: Vec<String>,
    },
    /// A table is not here yet, or could not be read.
    Loading {
        /// The name.
        name: String,
        /// How far it is.
        reason: String,
    },
    /// A live table cannot be made so.
    Definition {
        /// What is wrong.
        reason: String,
    },
    /// Rows or a change do not fit their table.
    Rows {
        /// What is wrong, and where.
        reason: String,
    },
    /// A part of a live table that cannot be followed.
    View {
        /// Why.
        reason: String,
    },
    /// A plan could not be read.
    Plan(Box<wire::Error>),
    /// A plan could not be bound or run.
    Query(kernels::Error),
    /// A query cost more than it may.
    Budget {
        /// What it took too much of.
        what: &'static str,
        /// How much it may have.
        limit: String,
    },
    /// A batch could not be written.
    Output(String),
    /// The address cannot be listened on.
    Bind {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The address can be reached from other machines, and nobody said that this is meant.
    NotLoopback {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// An origin of the list is none.
    Origin {
        /// What stands in the list.
        origin: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Tokens could not be read. What stands in the line is not told.
    Tokens {
        /// The file, or the variable of the environment.
        place: String,
        /// The line, or zero when it is about all of it.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate or a key cannot be used.
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The settings are at fault, each in one place.
    Settings {
        /// Where, and what is wrong.
        faults: Vec<String>,
    },
    /// A thread of the server broke down; the request failed, the server lives on.
    Internal(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Format { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::UnknownFormat { path } => write!(
                f,
                "{}: unknown format; the extensions are .parquet, .arrow, .feather, .arrows, .csv, .json and .ndjson",
                path.display()
            ),
            Self::Definition { reason } => write!(f, "not a table's definition: {reason}"),
            Self::Rows { reason } | Self::View { reason } => f.write_str(reason),
            Self::DuplicateTable { name } => {
                write!(f, "two tables are called \"{name}\"; give one another name with --table NAME=PATH")
            }
            Self::UnknownTable { name, available } => {
                write!(f, "unknown table \"{name}\"; the tables are {}", available.join(", "))
            }
            Self::Loading { name, reason } => write!(f, "table \"{name}\" is not here yet: {reason}"),
            Self::Plan(error) => error.fmt(f),
            Self::Query(error) => error.fmt(f),
            Self::Budget { what, limit } => {
                write!(f, "the query took more {what} than it may: {limit}; a filter, fewer columns or a limit help")
            }
            Self::Output(reason) => f.write_str(reason),
            Self::Bind { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::NotLoopback { address } => write!(
                f,
                "{address} can be reached from other machines, and the server asks nobody who they are; add tokens \
                 (--tokens FILE), or, if it is meant so, --allow-non-loopback-without-authentication"
            ),
            Self::Origin { origin, reason } => write!(f, "origin \"{origin}\": {reason}"),
            Self::Tokens { place, line: 0, reason } => write!(f, "{place}: {reason}"),
            Self::Tokens { place, line, reason } => write!(f, "{place}, line {line}: {reason}"),
            Self::Tls { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Settings { faults } => f.write_str(&faults.join("\n")),
            Self::Internal(reason) => write!(f, "internal error: {reason}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Box<kernels::Error>> for Error {
    fn from(error: Box<kernels::Error>) -> Self {
        Self::Query(*error)
    }
}
