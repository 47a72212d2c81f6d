//! The grid: where things are (`layout`), what colours they have (`theme`), how they are drawn (`paint`).

mod layout;
mod paint;
mod theme;

pub(crate) use layout::{FILTER_HEIGHT, HEADER_HEIGHT, Hit, Layout, MIN_WIDTH, ROW_HEIGHT};
pub(crate) use paint::{Columns, Head, Painter, Place};
pub(crate) use theme::Theme;
