//! Arrow IPC without I/O: bytes in any cut to record batches, and batches to bytes.
//!
//! * [`mod@stream`] – one continuous stream: schema once, then dictionaries and batches.
//! * [`mod@discrete`] – single messages, each a complete little stream.
//! * [`mod@file`] – the Arrow file format, with random access to any batch.
//! * [`mod@plan`] – query plans as bytes, as JSON and as a URL's query.
//! * [`mod@update`] and [`mod@table`] – changes of a live table, and the table that both ends keep.
//! * [`mod@ordered`] – things by number.
//! * [`mod@record`] and [`mod@assembly`] – shared structs, and large things in chunks.
//!
//! Reading goes neither through the reader of `arrow-ipc` nor through its flatbuffer accessors, whose weight
//! a browser would have to carry. Every length, offset, key and string is checked before it is used; errors
//! say where in the bytes they were met. Batches borrow from the bytes when the alignment allows.

mod arrays;
pub mod assembly;
#[cfg(feature = "encode")]
mod build;
mod codec;
pub mod discrete;
mod error;
pub mod file;
mod flat;
#[cfg(feature = "encode")]
mod frame;
mod message;
pub mod ordered;
pub mod plan;
pub mod record;
mod schema;
pub mod stream;
pub mod table;
pub mod update;

pub use codec::Codec;
pub use error::{Error, Result};
#[cfg(feature = "encode")]
pub use frame::Options;
pub use kernels::arrays::Trust;
pub use schema::{distinct_names, distinct_schema};

/// Sizes that a reader accepts, checked before anything is allocated for them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The greatest size of one message's metadata, in bytes.
    pub metadata: usize,
    /// The greatest size of one message's body, in bytes.
    pub body: usize,
    /// The greatest size of one message's buffers once they are unpacked, in bytes; or 64 times the packed body, if that
    /// is more.
    pub unpacked: usize,
    /// The greatest number of fields in a schema, nested ones counted.
    pub fields: usize,
    /// The greatest depth of nesting.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { metadata: 16 << 20, body: 1 << 30, unpacked: 256 << 20, fields: 10_000, depth: 64 }
    }
}
