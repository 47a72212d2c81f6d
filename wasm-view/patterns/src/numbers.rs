//! A kernel to be timed: the order of numbers that look random, as the server finds it natively.

use arrow_array::UInt32Array;
use kernels::{SortOptions, sort_to_indices};
use wasm_bindgen::prelude::*;

use crate::told;

/// Numbers to be sorted.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Numbers {
    values: UInt32Array,
}

#[wasm_bindgen]
impl Numbers {
    /// So many, the same ones every time.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(count: u32) -> Self {
        let mut state = 1u32;
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        Self { values: (0..count).map(next).collect::<Vec<u32>>().into() }
    }

    /// Finds their order, and gives a sum that tells orders apart.
    ///
    /// # Errors
    /// When there are more rows than numbers.
    pub fn sort(&self) -> Result<u32, JsError> {
        let order = sort_to_indices(&self.values, SortOptions::default(), None).map_err(told)?;
        let rows = order.as_slice().iter().zip(1u32..);
        Ok(rows.fold(0, |sum: u32, (&row, place)| sum.wrapping_add(row.wrapping_mul(place))))
    }
}
