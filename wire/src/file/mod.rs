//! The Arrow file format: a footer names every batch, so that any of them can be read alone.

mod index;
mod read;
#[cfg(feature = "encode")]
mod write;

pub use index::{Fetch, FileIndex};
pub use read::FileReader;
#[cfg(feature = "encode")]
pub use write::FileWriter;

const MAGIC: &[u8; 6] = b"ARROW1";

/// Whether bytes begin as an Arrow file does.
#[must_use]
pub fn is_file(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}
