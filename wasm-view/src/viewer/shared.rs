//! The module's memory for scripts, without copying: addresses of a column's values.
//!
//! An address is good as long as the table is that was asked, which its stamp tells, and as long as the memory does not
//! grow, which the script beside this sees by itself (`js/data.js`).

use arrow_array::Array;
use kernels::arrays::fixed_values;
use wasm_bindgen::prelude::*;

use super::script::class;
use super::{Viewer, failed};

#[wasm_bindgen]
impl Viewer {
    /// Takes an Arrow file's footer ahead of its bytes, where it can be had.
    ///
    /// # Errors
    /// When it is none.
    #[wasm_bindgen(js_name = pushFooter)]
    pub fn push_footer(&mut self, footer: &[u8]) -> Result<(), JsError> {
        self.load.footer(footer).map_err(failed)
    }

    /// A number that no other table has; 0 without a table.
    #[wasm_bindgen(js_name = tableStamp)]
    pub fn table_stamp(&self) -> u32 {
        self.table.as_ref().map_or(0, |table| table.stamp)
    }

    /// Rows of each chunk of the table.
    #[wasm_bindgen(js_name = chunkRows)]
    pub fn chunk_rows(&self) -> Vec<usize> {
        let batches = self.table.as_ref().map_or(&[][..], |table| &table.batches);
        batches.iter().map(arrow_array::RecordBatch::num_rows).collect()
    }

    /// Where a chunk of a column of the table lies: address and number of its values, address of its validity (0 when
    /// nothing is null) and the bit at which that begins; nothing when the values are no plain numbers.
    #[wasm_bindgen(js_name = columnPlace)]
    pub fn column_place(&self, name: &str, chunk: usize) -> Vec<usize> {
        let find = || {
            let batch = self.table.as_ref()?.batches.get(chunk)?;
            let array = batch.column_by_name(name)?;
            let values = fixed_values(array.as_ref()).filter(|_| !class(array.data_type()).is_empty())?;
            let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
            let bits = nulls.map_or(0, |nulls| nulls.buffer().as_ptr() as usize);
            Some(vec![values.as_ptr() as usize, array.len(), bits, nulls.map_or(0, |nulls| nulls.offset())])
        };
        find().unwrap_or_default()
    }

    /// The class of JavaScript over a column of the table.
    #[wasm_bindgen(js_name = tableClass)]
    pub fn table_class(&self, name: &str) -> Option<String> {
        let schema = &self.table.as_ref()?.schema;
        let field = schema.fields().iter().find(|field| field.name() == name)?;
        Some(class(field.data_type()).to_owned())
    }
}
