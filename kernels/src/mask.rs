//! A selection: one bit per row.

use arrow_buffer::BooleanBuffer;

/// The rows that a predicate selects, one bit per row, with their number counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    bits: BooleanBuffer,
    selected: usize,
}

impl Mask {
    /// Counts the bits. One pass over an eighth of a byte per row.
    #[must_use]
    pub fn new(bits: BooleanBuffer) -> Self {
        let selected = bits.count_set_bits();
        Self { bits, selected }
    }

    /// A mask that selects all of `rows` rows, or none of them.
    #[must_use]
    pub fn constant(rows: usize, value: bool) -> Self {
        let bits = if value { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        Self { bits, selected: if value { rows } else { 0 } }
    }

    /// The bits.
    #[must_use]
    pub fn bits(&self) -> &BooleanBuffer {
        &self.bits
    }

    /// Rows that the mask speaks of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// Whether the mask speaks of no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Rows that are selected.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.selected
    }
}
