//! NDJSON: one object for each line. Types are inferred from a sample, then every line is read when the file is opened.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::reader::infer_json_schema;

use super::{BATCH_ROWS, Memory, file_tag};
use crate::{Error, Result};

/// Rows that types are inferred from.
const SAMPLE_ROWS: usize = 10_000;

/// Reads a file of JSON objects, one for each line.
pub(super) fn open(path: &Path) -> Result<Memory> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let malformed =
        |error: arrow_schema::ArrowError| Error::Format { path: path.to_owned(), reason: error.to_string() };
    let mut file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let (schema, _rows) = infer_json_schema(BufReader::new(&file), Some(SAMPLE_ROWS)).map_err(malformed)?;
    file.rewind().map_err(io)?;
    let schema = Arc::new(schema);
    let reader = ReaderBuilder::new(schema.clone()).with_batch_size(BATCH_ROWS).build(BufReader::new(file));
    let batches = reader.and_then(Iterator::collect).map_err(malformed)?;
    Ok(Memory { schema, batches, bytes, tag: file_tag(path) })
}
