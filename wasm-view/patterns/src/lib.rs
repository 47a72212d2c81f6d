//! The module of the pattern page: what Rust in a browser does with the wire's structs, updates and chunks, where the viewer
//! has no use for it and must not carry it.
//!
//! The page writes what came into the memory of this module ([`Received`]), and from there on nothing is copied. Each class
//! does one thing of the library and gives what proves it: addresses, counts of allocations, values.
//!
//! * [`counting`] – an allocator that counts.
//! * [`received`] – bytes that came, and the structs in them: an archive, or one of fixed layout.
//! * [`panel`] – a struct with text and lists, owned and merged field by field.
//! * [`follower`] – a table that takes updates in, and where its columns lie.
//! * [`made`] – rows and updates, as messages for the server.
//! * [`whole`] – chunks that become one thing.
//! * [`numbers`] – a kernel to be timed.
//! * [`plan`] – a request as bytes.

pub mod counting;
pub mod follower;
pub mod made;
pub mod numbers;
pub mod panel;
pub mod plan;
pub mod received;
pub mod whole;

pub use received::Received;

/// An error as scripts get it.
#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn told(error: impl std::fmt::Display) -> wasm_bindgen::JsError {
    wasm_bindgen::JsError::new(&error.to_string())
}
