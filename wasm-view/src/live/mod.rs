//! Live tables: updates to the rows, to the order that is shown, to groups, and to what the reader sees; each at the cost of
//! the update.
//!
//! A row is named by its serial number, which it keeps for as long as it lives (`wire::table`). So an order is a list of
//! serials that survives whatever moves in memory: rows that were touched leave it by their serials, and those that pass the
//! filter come in again where they belong now.
//!
//! * `rows` – the rows: messages in; `parts` – where each lies, by serial.
//! * `order` – a long list of serials in blocks, with a way back from a serial to its place.
//! * `kept` – filter and sort, kept up to date in such a list.
//! * `groups` – groups: what is appended is added to them, all else makes them anew now and then.
//! * `flash` – which cells have just changed, and how much of their colour is left.
//! * `anchor` – what stays in sight when rows come and go around it.
//! * `anew` – all this for rows that stay on the server, of which there are two windows: of before and of now.
//!
//! Nothing here knows of a page or a canvas; time comes from outside, in milliseconds.

mod anchor;
mod anew;
mod flash;
mod groups;
mod kept;
mod order;
mod parts;
mod rows;

#[cfg(test)]
mod tests;

pub(crate) use anchor::{Anchor, Place};
pub(crate) use anew::{Anew, names};
pub(crate) use flash::{Flashes, LASTS, ROW};
pub(crate) use groups::KeptGroups;
pub(crate) use kept::Kept;
pub(crate) use rows::LiveRows;
