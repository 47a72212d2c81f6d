//! The viewer.
use wasm_bindgen::prelude::*;

/// A first export.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
