//! CSV: types are inferred from a sample, then every row is read and checked when the file is opened.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;

use super::{BATCH_ROWS, Memory, file_tag};
use crate::{Error, Result};

/// Rows that types are inferred from.
const SAMPLE_ROWS: usize = 10_000;

/// Reads a CSV file with a header line.
pub(super) fn open(path: &Path, delimiter: u8) -> Result<Memory> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let malformed =
        |error: arrow_schema::ArrowError| Error::Format { path: path.to_owned(), reason: error.to_string() };
    let mut file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (schema, _rows) = format.infer_schema(BufReader::new(&file), Some(SAMPLE_ROWS)).map_err(malformed)?;
    file.rewind().map_err(io)?;
    let schema = Arc::new(schema);
    let reader = ReaderBuilder::new(schema.clone())
        .with_format(format)
        .with_batch_size(BATCH_ROWS)
        .build(BufReader::new(file))
        .map_err(malformed)?;
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(malformed)?;
    Ok(Memory { schema, batches, bytes, tag: file_tag(path) })
}
