//! The grid: where things are (`layout`), what lies under a point (`hit`), what colours they have (`theme`), how they
//! are drawn (`paint`, `head`).

mod head;
mod hit;
mod layout;
mod paint;
mod theme;

pub(crate) use head::{Head, Strip};
pub(crate) use hit::Hit;
pub(crate) use layout::{FILTER_HEIGHT, HEADER_HEIGHT, Layout, MIN_WIDTH, PROFILE_HEIGHT, ROW_HEIGHT};
pub(crate) use paint::{Columns, LABEL_SIZE, Manner, NAME_SIZE, Painter, Place, Scene};
pub(crate) use theme::{Colour, Theme};
