//! Arrow IPC framing without I/O: bytes in, batches out, and the other way round.
#![forbid(unsafe_code)]

mod error;
pub mod stream;

pub use error::{Error, Result};
