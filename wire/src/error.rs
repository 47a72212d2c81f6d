//! What can be wrong with bytes: one enum, each variant a way to fail with its numbers.

use std::fmt;

/// The result of reading or writing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bytes could not be read or a batch could not be written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes ended inside a message.
    Truncated {
        /// Byte offset in the stream where the message began.
        offset: u64,
        /// Bytes that were still missing, as far as known.
        missing: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { offset, missing } => {
                write!(f, "the message at byte {offset} ends {missing} bytes early")
            }
        }
    }
}

impl std::error::Error for Error {}
