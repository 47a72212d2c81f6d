//! The data server: files in, Arrow over HTTP out, with the viewer's page inside.
//!
//! * [`source`] – Arrow files and streams, Parquet and CSV behind one trait that gives batches.
//! * [`output`] – batches to Arrow, Parquet, CSV and JSON.
//! * [`run`] – a plan over a source, batch by batch.
//! * [`http`] – the endpoints.
//! * [`live`] – tables that rows come into, each with a log on disk.
//! * [`handles`] – results that stay.
//! * [`sql`] – SQL to plans, and results in the shape of QuestDB.
//! * [`cli`] – the commands.
#![forbid(unsafe_code)]

pub mod cli;
mod error;
pub mod handles;
pub mod http;
pub mod live;
pub mod output;
pub mod run;
pub mod source;
pub mod sql;

pub use error::{Error, Result};

/// The Rust of the README, which is compiled so.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
