//! The module in two parts: what loads, shows and scrolls a table, and what answers all that is asked of it.
//!
//! The cut is made on the finished module, so the sources know nothing of it. Both parts have the same memory, the same tables
//! and the same stack; the first has them, the second imports them. A function of the second part that the first one calls, or
//! that is called by its address, has a place in the table of functions. Until the second part is there, that place holds a
//! *stand-in*, which calls the import [`MORE`], upon which the page puts the second part into the table, and calls the place
//! again. What the second part calls of the first it imports.
//!
//! The two belong together: memory is exported by a name made from the whole module's bytes, so that a part of another build is
//! refused when it is linked.
//!
//! [`whole`] takes a module apart, [`choose`] says which function goes where, [`write`] writes the two.

mod choose;
mod whole;
mod write;

use crate::Result;
pub use choose::Manifest;
use whole::Whole;

/// The import of the first part that brings the second: no arguments, no result.
pub const MORE: &str = "more";
/// The module that the second part imports the first one's functions from.
pub const FIRST: &str = "first";

/// A module in two parts, each with its names.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What is needed from the beginning.
    pub first: Vec<u8>,
    /// What is linked to it later.
    pub more: Vec<u8>,
}

/// Cuts a module in two. The first imports [`MORE`] from where it imports everything.
///
/// # Errors
/// [`crate::Error::Module`] when it cannot be read, or has what the cut cannot take or lacks an export that is to be
/// first.
pub fn split(module: &[u8], manifest: &Manifest) -> Result<Parts> {
    let whole = Whole::read(module)?;
    let is_first = choose::choose(&whole, manifest)?;
    write::write(module, &whole, &is_first)
}
