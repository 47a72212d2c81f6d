//! Columns that only grow, and whose readers share the bytes so far.
//!
//! A [`GrowingColumn`] owns memory with room to spare. New rows are written behind the ones that are there; an array
//! made of it ([`GrowingColumn::array`]) borrows the rows so far and is never touched again, however much comes
//! behind it. So rows at the hot end of a live table can be read at once, and a dictionary can grow by deltas without being
//! copied for each of them. Only when the room is used up do all bytes move to twice as much, which costs a constant
//! for each row in the long run.
//!
//! Cells of fixed width can also be changed in place ([`GrowingColumn::patch`]). An array that is still alive
//! keeps what it saw: the memory is copied first.

mod column;
mod incoming;
mod memory;

pub use column::GrowingColumn;
pub use incoming::Incoming;
