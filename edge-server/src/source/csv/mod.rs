//! CSV: types are inferred from a sample, or given; every field is checked when the file is opened.
//!
//! * [`pieces`] – the file cut into pieces of whole records.
//! * [`fields`] – where the fields of a piece end.
//! * [`record`] – a piece's records, to batches.
//! * [`number`] – digits to numbers, eight at a time.
//! * [`column`] – a column's fields, to an array.
//! * [`load`] – pieces on every core, batches in order.

mod column;
mod fields;
mod load;
mod number;
mod pieces;
mod record;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow_csv::reader::Format;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{Memory, Types, file_tag};
use crate::{Error, Result};

/// Rows that types are inferred from.
const SAMPLE_ROWS: usize = 10_000;
/// Bytes that they are looked for in.
const SAMPLE_BYTES: u64 = 8 << 20;

/// A file of records, of which the header has been read.
pub(super) struct Csv<R> {
    input: std::io::Chain<std::io::Cursor<Vec<u8>>, R>,
    schema: SchemaRef,
    delimiter: u8,
    path: std::path::PathBuf,
}

impl<R: Read + Send> Csv<R> {
    /// Reads the header and a sample.
    ///
    /// # Errors
    /// [`Error::Format`] when there is no header, or a type is given for a column that is not there.
    pub(super) fn try_new(mut input: R, path: &Path, delimiter: u8, types: &Types) -> Result<Self> {
        let malformed = |reason: String| Error::Format { path: path.to_owned(), reason };
        let mut sample = Vec::new();
        input.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample).map_err(|error| malformed(error.to_string()))?;
        // As other tools, without the mark of UTF-8.
        if sample.starts_with(b"\xef\xbb\xbf") {
            sample.drain(..3);
        }
        if (sample.len() as u64) < SAMPLE_BYTES && sample.last().is_some_and(|&last| last != b'\n') {
            sample.push(b'\n');
        }
        let ends = pieces::ends(&sample, delimiter);
        let Some(header) = ends.first else { return Err(malformed("no header line".to_owned())) };
        let format = Format::default().with_header(true).with_delimiter(delimiter);
        let inferred = format.infer_schema(&sample[..ends.last], Some(SAMPLE_ROWS));
        let (inferred, _rows) = inferred.map_err(|error| malformed(error.to_string()))?;
        let inferred = wire::distinct_schema(&Arc::new(inferred));
        let schema = Arc::new(given(&inferred, types).map_err(malformed)?);
        sample.drain(..header);
        let input = std::io::Cursor::new(sample).chain(input);
        Ok(Self { input, schema, delimiter, path: path.to_owned() })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads every record; the number of rows. `look` is called for each batch on the thread that has read it, `sink` for all
    /// in their order.
    ///
    /// # Errors
    /// [`Error::Format`] with the row and the column of what does not fit; what `sink` returns.
    pub(super) fn each<T: Send>(
        self,
        look: impl Fn(&arrow_array::RecordBatch) -> T + Sync,
        sink: impl FnMut(arrow_array::RecordBatch, T) -> Result<()>,
    ) -> Result<usize> {
        let fault = |reason: String| Error::Format { path: self.path.clone(), reason };
        load::each(self.input, self.delimiter, &self.schema, fault, look, sink)
    }

    /// All rows in memory.
    ///
    /// # Errors
    /// As [`Csv::each`].
    pub(super) fn into_memory(self) -> Result<Memory> {
        let (schema, path) = (self.schema.clone(), self.path.clone());
        let mut batches = Vec::new();
        self.each(
            |_| (),
            |batch, ()| {
                batches.push(batch);
                Ok(())
            },
        )?;
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Ok(Memory { schema, batches, bytes, tag: file_tag(&path) })
    }
}

/// The inferred columns with the types that were given.
fn given(inferred: &Schema, types: &Types) -> Result<Schema, String> {
    if let Some(unknown) = types.keys().find(|name| inferred.field_with_name(name).is_err()) {
        let names: Vec<&str> = inferred.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(format!("a type is given for column \"{unknown}\"; the columns are {}", names.join(", ")));
    }
    let fields = inferred.fields().iter().map(|field| {
        let data_type = types.get(field.name()).unwrap_or(field.data_type());
        // A column of which the sample has no value is taken for text.
        let data_type = if *data_type == DataType::Null { &DataType::Utf8 } else { data_type };
        Field::new(field.name(), data_type.clone(), true)
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}
