//! The continuous stream: schema once, then dictionaries and batches, then an optional end marker.

mod assemble;
mod decode;
#[cfg(feature = "encode")]
mod encode;

pub use decode::{Event, StreamDecoder, read};
#[cfg(feature = "encode")]
pub use encode::StreamEncoder;
