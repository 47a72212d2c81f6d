//! Rows in a request's body: an Arrow stream, CSV or NDJSON, to one batch. However many batches a body holds, it is one
//! change: all of it is kept or nothing.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use kernels::Indices;
use wire::Limits;

use crate::{Error, Result};

/// Reads rows in the format that a media type names; an Arrow stream when there is none. Nothing when there is no row.
///
/// # Errors
/// [`Error::Rows`] with the place of the fault.
pub fn read(bytes: Vec<u8>, media_type: Option<&str>, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
    joined(read_batches(bytes, media_type, schema)?)
}

/// Several batches of one schema as one.
///
/// # Errors
/// [`Error::Rows`] when the rows are too many, or their text too long, for one batch.
pub fn joined(mut batches: Vec<RecordBatch>) -> Result<Option<RecordBatch>> {
    batches.retain(|batch| batch.num_rows() > 0);
    if batches.len() < 2 {
        return Ok(batches.pop());
    }
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let all = Indices::identity(rows).and_then(|all| kernels::take_batches(&batches[0].schema(), &batches, &all));
    all.map(Some).map_err(|error| Error::Rows { reason: error.to_string() })
}

fn read_batches(bytes: Vec<u8>, media_type: Option<&str>, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let wrong = |error: &dyn std::fmt::Display| Error::Rows { reason: error.to_string() };
    match media_type {
        None | Some("application/vnd.apache.arrow.stream" | "application/octet-stream") => {
            let read = wire::stream::read(bytes.into(), &Limits::default());
            read.map(|(_, batches)| batches).map_err(|error| wrong(&error))
        }
        Some("text/csv") => {
            let (header, _) = arrow_csv::reader::Format::default()
                .with_header(true)
                .infer_schema(bytes.as_slice(), Some(0))
                .map_err(|error| wrong(&error))?;
            // Columns may come in any order; the header says which.
            let fields = header.fields().iter().map(|field| schema.field_with_name(field.name()).cloned());
            let fields = fields.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| wrong(&error))?;
            let reader = arrow_csv::ReaderBuilder::new(Arc::new(Schema::new(fields))).with_header(true);
            let reader = reader.build(bytes.as_slice()).map_err(|error| wrong(&error))?;
            reader.collect::<std::result::Result<_, _>>().map_err(|error| wrong(&error))
        }
        Some("application/x-ndjson" | "application/jsonl") => {
            let reader = arrow_json::ReaderBuilder::new(schema.clone()).with_strict_mode(true);
            let reader = reader.build(bytes.as_slice()).map_err(|error| wrong(&error))?;
            reader.collect::<std::result::Result<_, _>>().map_err(|error| wrong(&error))
        }
        Some(other) => {
            let known = "application/vnd.apache.arrow.stream, text/csv and application/x-ndjson";
            Err(Error::Rows { reason: format!("rows come as {known}, not as {other}") })
        }
    }
}
