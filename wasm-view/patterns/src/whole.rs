//! Chunks over a socket that become one Arrow stream, in one allocation of the announced size, read where it lies.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::Buffer;
use wasm_bindgen::prelude::*;
use wire::Limits;
use wire::assembly::Assembly;

use crate::{Received, told};

/// A thing that is being put together.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Whole {
    assembly: Assembly,
}

#[wasm_bindgen]
impl Whole {
    /// Makes room for what is announced, if it is within the limit.
    ///
    /// # Errors
    /// When the announcement is none, or of more bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(announcement: &[u8], limit: usize) -> Result<Self, JsError> {
        Assembly::try_new(announcement, limit).map(|assembly| Self { assembly }).map_err(told)
    }

    /// Takes a chunk, which lies at the beginning of what came; gives the bytes so far and those in all.
    ///
    /// # Errors
    /// When it is short, long, repeated or not one of those announced.
    pub fn push(&mut self, chunk: &Received, length: usize) -> Result<Vec<usize>, JsError> {
        let bytes = chunk.bytes.as_slice().get(..length).ok_or_else(|| told("a chunk longer than its place"))?;
        let progress = self.assembly.push(bytes).map_err(told)?;
        Ok(vec![progress.received, progress.total])
    }

    /// Reads the whole as an Arrow stream: rows, the sum of the first column, and how many of its columns lie where
    /// the chunks were put, and how many there are.
    ///
    /// # Errors
    /// When a chunk is missing, or it is no stream of whole numbers.
    pub fn finish(self) -> Result<Vec<f64>, JsError> {
        read(self.assembly.finish().map_err(told)?)
    }
}

#[wasm_bindgen]
impl Received {
    /// As [`Whole::finish`], of bytes that came in one piece.
    ///
    /// # Errors
    /// When they are no stream of whole numbers.
    #[wasm_bindgen(js_name = readStream)]
    pub fn read_stream(self) -> Result<Vec<f64>, JsError> {
        read(self.bytes.into())
    }
}

/// Rows, the sum of the first column, columns that lie in the bytes, and columns in all.
fn read(whole: Buffer) -> Result<Vec<f64>, JsError> {
    let within = whole.as_ptr_range();
    let (_, batches) = wire::stream::read(whole, &Limits::default()).map_err(told)?;
    let (mut rows, mut sum, mut borrowed, mut columns) = (0, 0.0, 0, 0);
    for batch in &batches {
        let numbers = batch.column(0).as_primitive_opt::<Int64Type>().ok_or_else(|| told("no whole numbers"))?;
        sum += numbers.values().iter().map(|&value| value as f64).sum::<f64>();
        rows += batch.num_rows();
        columns += batch.num_columns();
        borrowed += batch
            .columns()
            .iter()
            .filter(|column| column.to_data().buffers().iter().all(|buffer| within.contains(&buffer.as_ptr())))
            .count();
    }
    Ok(vec![rows as f64, sum, borrowed as f64, columns as f64])
}
