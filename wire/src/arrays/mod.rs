//! Arrays over a message's body, and bodies from arrays.

#[cfg(feature = "nested")]
mod nested;
mod read;
mod skip;
#[cfg(feature = "unions")]
mod unions;
#[cfg(feature = "encode")]
mod write;
#[cfg(all(feature = "encode", feature = "nested"))]
mod write_nested;
#[cfg(all(feature = "encode", feature = "unions"))]
mod write_unions;

pub(crate) use read::{ArrayReader, Next};
#[cfg(feature = "encode")]
pub(crate) use write::Body;
