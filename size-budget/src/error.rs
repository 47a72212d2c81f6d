//! What can go wrong, each with its remedy.

use std::fmt;
use std::path::PathBuf;

/// The result of building or weighing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the bundle could not be built or weighed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A tool is not there.
    MissingTool {
        /// What is missing.
        tool: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A tool failed.
    Tool {
        /// The tool.
        tool: &'static str,
        /// What it said.
        output: String,
    },
    /// The module is not WASM that can be read.
    Module(String),
    /// The budget file is wrong.
    Budget {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file that this program has written is not as it wrote it.
    Baseline {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::MissingTool { tool, remedy } => write!(f, "{tool} is missing. To install it: {remedy}"),
            Self::Tool { tool, output } => write!(f, "{tool} failed:\n{output}"),
            Self::Module(reason) => write!(f, "the module cannot be read: {reason}"),
            Self::Budget { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Baseline { path, reason } => {
                write!(f, "{}: {reason} (it can be written anew: see --help)", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}

/// Names the file in an I/O error.
pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.to_owned(), source }
}
