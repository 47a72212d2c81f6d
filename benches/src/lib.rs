//! Benchmarks: each kernel beside arrow-rs's kernel for the same job, on the same arrays.
//!
//! `cargo bench -p benches` runs them all; `cargo bench -p benches -- sort` those whose name holds `sort`.
//! Both sides of a pair stand in one group, so that criterion prints them one after the other.

pub mod charts;
pub mod results;

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, StringArray};

/// Rows of every benchmark.
pub const ROWS: usize = 1_000_000;

/// A repeatable number in `0..bound` for a row (SplitMix64).
#[must_use]
pub fn number(row: usize, salt: u64, bound: u64) -> u64 {
    let mut z = (row as u64).wrapping_add(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % bound
}

/// Integers below a bound, every tenth row null.
#[must_use]
pub fn ints(rows: usize, bound: u64) -> ArrayRef {
    let values = (0..rows).map(|row| (number(row, 1, 10) != 0).then(|| number(row, 2, bound) as i32));
    Arc::new(values.collect::<Int32Array>())
}

/// Floats from 0 to 100, without nulls.
#[must_use]
pub fn floats(rows: usize) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values((0..rows).map(|row| number(row, 3, 1 << 40) as f64 / 1.1e10)))
}

/// Strings such as `id042`, of so many kinds.
#[must_use]
pub fn words(rows: usize, kinds: u64) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("id{:03}", number(row, 4, kinds)))))
}
