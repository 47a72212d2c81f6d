//! Filter, sort, take and group-by over **borrowed** Arrow arrays.
//!
//! Every kernel takes `&dyn Array` (or a slice of them: a column in chunks) and returns either a new
//! Arrow array or one of two small types that cannot be wrong:
//!
//! * [`Mask`] – one bit per row, the rows that a predicate selects;
//! * [`Indices`] – row numbers (`u32`), each proven to be below a stated bound.
//!
//! The [`query`] module strings the kernels together: a small, serialisable [`query::Plan`] that a
//! server and a browser run by the same code.
#![allow(
    unsafe_code,
    reason = "the one crate of the workspace whose inner loops may argue with the compiler; every block carries its proof"
)]

mod error;
mod indices;
mod mask;
pub mod query;

pub use error::{Error, Result};
pub use indices::Indices;
pub use mask::Mask;
