//! Builds the viewer's bundle and weighs it; weighs the bundles of other projects.
//!
//! * [`bundle`] – the module and the scripts, to two files. The server's build script calls it, so that the page is
//!   inside the server. `recipe.rs` is how the module is made: cargo, wasm-bindgen and wasm-opt.
//! * [`measure`] – bytes raw, gzipped and brotli-compressed; [`module`] – what a module is made of: functions, what
//!   they retain, generics, crates; [`names`] – names as people write them.
//! * [`budget`] – the limits in `budget.toml`; [`growth`] – what has grown since `baseline.json`; [`features`] – what
//!   each feature costs.
//! * [`report`] – all of it and the verdict; [`text`] – the report as people read it.
//! * [`patterns`] – the module of the pattern page, built by the same recipe and weighed by nobody.
//! * [`package`] – the bundle as a folder for npm.
//! * [`mod@silence`] – takes away text of `Debug` that the compiler leaves in; [`mod@merge`] – functions that do the same
//!   are one; [`mod@order`] – functions that begin alike stand beside each other.
//! * [`mod@split`] – the module in two parts, the second of which comes later.
//! * [`mod@reproduce`] – whether the same sources give the same bytes elsewhere.

pub mod budget;
pub mod bundle;
mod error;
pub mod features;
mod glue;
pub mod growth;
mod kept;
pub mod measure;
pub mod merge;
mod minify;
pub mod module;
pub mod names;
mod optimise;
pub mod order;
pub mod package;
pub mod patterns;
mod recipe;
pub mod report;
pub mod reproduce;
mod rewrite;
pub mod silence;
pub mod split;
pub mod text;

pub use error::{Error, Result};
