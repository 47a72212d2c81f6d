//! Structs that both ends share, besides tables.
//!
//! * [`mod@pod`] (feature `pod`) – structs of a fixed layout, read and changed in the bytes that came.
//! * [`mod@archive`] (feature `archive`) – structs with text, lists and nesting, by rkyv: checked once, then read in place.
//! * [`mod@list`] – changes of a list inside a struct: push and splice.
//! * [`mod@example`] (both features) – a struct of each kind, as the tests of server and viewer use them.

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(all(feature = "archive", feature = "pod"))]
pub mod example;
pub mod list;
#[cfg(feature = "pod")]
pub mod pod;
