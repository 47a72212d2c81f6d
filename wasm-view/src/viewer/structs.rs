//! Batches for scripts by the Arrow C data interface, over the module's own memory (as in `shared.rs`).

use wasm_bindgen::prelude::*;

use super::{Viewer, failed};
use crate::cdata::Described;

/// A batch described by the Arrow C data interface, until it is freed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ArrowStructs(Described);

#[wasm_bindgen]
impl ArrowStructs {
    /// The address of the `ArrowSchema`.
    pub fn schema(&self) -> usize {
        self.0.addresses().map_or(0, |(schema, _)| schema)
    }

    /// The address of the `ArrowArray`.
    pub fn array(&self) -> usize {
        self.0.addresses().map_or(0, |(_, array)| array)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// A chunk of the table by the Arrow C data interface.
    ///
    /// # Errors
    /// When there is no such chunk, or a type that is not described.
    #[wasm_bindgen(js_name = arrowStructs)]
    pub fn arrow_structs(&self, chunk: usize) -> Result<ArrowStructs, JsError> {
        let batch = self.table.as_ref().and_then(|table| table.batches.get(chunk));
        let batch = batch.ok_or_else(|| failed("there is no such chunk"))?;
        let described = Described::new(batch).ok_or_else(|| failed("a column has a type that is not described"))?;
        Ok(ArrowStructs(described))
    }
}
