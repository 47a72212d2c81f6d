//! The reader as the page sees it: bytes of a CSV file in, bytes of an Arrow stream out.
//!
//! The stream goes where every stream goes, so that nothing behind this knows of CSV.

use wasm_bindgen::prelude::*;
use wire::stream::StreamEncoder;

use super::Reader;
use crate::viewer::failed;

/// Reads a CSV file.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CsvReader {
    reader: Reader,
    encoder: Option<StreamEncoder>,
}

#[wasm_bindgen]
impl CsvReader {
    /// A reader. `delimiter` is the byte between fields; 0 when it is to be guessed.
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new(delimiter: u8) -> CsvReader {
        Self { reader: Reader::new(delimiter), encoder: None }
    }

    /// Takes the next bytes of the file and gives the next of the stream, often none.
    ///
    /// # Errors
    /// What is wrong with the file, with line and column.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, JsError> {
        let batches = self.reader.push(bytes).map_err(failed)?;
        self.encode(&batches)
    }

    /// Says that all bytes have come; gives the rest of the stream.
    ///
    /// # Errors
    /// As [`CsvReader::push`].
    pub fn end(&mut self) -> Result<Vec<u8>, JsError> {
        let batches = self.reader.end().map_err(failed)?;
        self.encode(&batches)
    }

    /// Whether a value did not fit its column's type: what came of the file till now is void, the column is wider, and all
    /// bytes are wanted again. Ask after each call.
    pub fn again(&mut self) -> bool {
        let again = self.reader.again();
        if again {
            self.encoder = None;
        }
        again
    }

    fn encode(&mut self, batches: &[arrow_array::RecordBatch]) -> Result<Vec<u8>, JsError> {
        let Some(schema) = self.reader.schema() else { return Ok(Vec::new()) };
        let mut parts = Vec::new();
        if self.encoder.is_none() {
            let mut encoder = StreamEncoder::try_new(schema).map_err(failed)?;
            parts.extend(encoder.schema().map_err(failed)?);
            self.encoder = Some(encoder);
        }
        if let Some(encoder) = &mut self.encoder {
            for batch in batches {
                parts.extend(encoder.encode(batch).map_err(failed)?);
            }
        }
        Ok(parts.iter().flat_map(|part| part.as_slice()).copied().collect())
    }
}
