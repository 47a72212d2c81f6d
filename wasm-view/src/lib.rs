//! The viewer: an Arrow stream to a table on a canvas.
//!
//! Rust holds the state, the data and the pixels; `js/element.js` holds what only a page can: the custom
//! element, the fetch, and the boxes that people type into. The two meet in [`Viewer`].
//!
//! * `load` – bytes to batches, with progress.
//! * `live` – tables that change: rows, orders and groups kept up to date.
//! * `csv` – a CSV file as an Arrow stream.
//! * `leaving`, `cdata` – rows that leave, and batches by the Arrow C data interface.
//! * `table` – the batches, and any row of them.
//! * `view` – filters, sort and grouping as a plan, and the rows that it gives; `work` – finding them in slices.
//! * `far` – windows of rows that a worker or the server holds.
//! * `filter_text` – what is typed into a filter box, as a predicate.
//! * `format` – values as text.
//! * `grid` – where things are, and how they are painted.
//! * `chart` – bars, lines and points of a question's answer, on a canvas of their own.
//! * `groups` – groups as a tree.
//! * `viewer` – the exported class: calls in, numbers and text out.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(all(feature = "cdata", feature = "charts", feature = "csv", feature = "live")),
    allow(dead_code, unused_imports, reason = "what only a part that is left out would call is left out with it")
)]

mod arrange;
#[cfg(feature = "cdata")]
mod cdata;
#[cfg(feature = "charts")]
mod chart;
#[cfg(feature = "csv")]
mod csv;
mod far;
mod filter_text;
mod find;
mod format;
mod grid;
mod groups;
mod leaving;
mod live;
mod load;
mod numbers;
mod profile;
mod selection;
mod table;
mod text;
mod view;
mod viewer;
mod work;

#[cfg(feature = "charts")]
pub use chart::Chart;
#[cfg(feature = "csv")]
pub use csv::CsvReader;
#[cfg(feature = "cdata")]
pub use viewer::ArrowStructs;
pub use viewer::{ArrowExport, Viewer};
