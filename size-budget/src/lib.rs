//! Builds the viewer's bundle and weighs it.
//!
//! * [`bundle`] – cargo, wasm-bindgen and wasm-opt, to two files: one WASM module and one JS module. The
//!   server's build script calls it, so that the page is inside the server.
//! * [`measure`] – bytes raw, gzipped and brotli-compressed, and what they are made of.
//! * [`package`] – the bundle as a folder for npm.
//! * [`budget`] – the limits in `budget.toml`, and the verdict.

pub mod budget;
pub mod bundle;
mod error;
pub mod measure;
mod optimise;
pub mod package;

pub use error::{Error, Result};
