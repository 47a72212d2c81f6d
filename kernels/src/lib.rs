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
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![allow(
    unsafe_code,
    reason = "the one crate of the workspace whose inner loops may argue with the compiler; every block carries its proof"
)]

pub mod arrays;
mod backend;
mod bitcode;
mod bits;
mod bytes;
mod compare;
mod error;
mod filter;
mod group;
pub mod growing;
mod indices;
mod lanes;
mod mask;
mod moment;
pub mod partition;
mod prefetch;
pub mod query;
mod runs;
mod sort;
mod starts;
pub mod statistics;
mod take;
mod threads;
mod types;
mod wide;
mod widest;
mod word;

pub use backend::Backend;
pub use compare::{Truth, compare, compare_columns, is_null, test_text};
pub use error::{Error, Result, UnknownColumn, UnsupportedAggregate, WrongType};
pub use filter::{Filter, filter, filter_batch, filter_batches, mask_to_indices};
pub use group::{GroupBy, KeyNumbers};
pub use indices::Indices;
pub use mask::Mask;
pub use sort::{RowOrder, SortKey, SortOptions, SortSteps, sort_keys_to_indices, sort_to_indices};
pub use take::{take, take_batches, take_chunks};
