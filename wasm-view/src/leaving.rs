//! Rows that leave: a window of the view, as any engine gives it, for scripts and for exports.
//!
//! Whoever holds the rows gives them as an Arrow stream, a piece at a time; here a piece becomes one batch. So an export
//! needs memory for one piece, nothing freezes, and it is the same whether the rows are here, in a worker or on the server.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use kernels::Indices;
use kernels::arrays::null_array;
use kernels::query::Plan;
use wire::file::FileWriter;
use wire::stream::StreamEncoder;

use crate::far::NUMBER;
use crate::format::key_of;
use crate::load;

/// The rows of a window as one batch, without their numbers.
pub(crate) fn read(stream: Vec<u8>) -> wire::Result<RecordBatch> {
    let (schema, mut batches) = load::read(stream)?;
    let mut whole = match batches.pop() {
        Some(only) if batches.is_empty() => only,
        last => {
            batches.extend(last);
            Plan::default().bind(&schema).and_then(|plan| plan.execute(&batches)).map_err(encode_error)?
        }
    };
    if schema.fields().first().is_some_and(|field| field.name() == NUMBER) {
        whole.remove_column(0);
    }
    Ok(whole)
}

fn encode_error(error: impl std::fmt::Display) -> Box<wire::Error> {
    wire::Error::encode(&error)
}

/// Some columns of a batch, by number. A file has one dictionary for a column, and pieces of a view have many: where
/// `plain`, values stand in their place.
fn part(batch: &RecordBatch, columns: &[usize], plain: bool) -> wire::Result<RecordBatch> {
    let schema = batch.schema();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for &column in columns.iter().filter(|&&column| column < batch.num_columns()) {
        let field = schema.field(column);
        let array = if plain { unpacked(batch.column(column))? } else { batch.column(column).clone() };
        fields.push(Field::new(field.name(), array.data_type().clone(), field.is_nullable()));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(encode_error)
}

/// The values of a dictionary column; any other as it is.
fn unpacked(array: &ArrayRef) -> wire::Result<ArrayRef> {
    let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(array.clone()) };
    let (keys, values) = (dictionary.keys(), dictionary.values());
    let null = null_array(values.data_type(), 1).map_err(encode_error)?;
    let key = |row| if keys.is_null(row) { values.len() } else { key_of(keys, row) } as u32;
    let rows = Indices::try_new((0..array.len()).map(key).collect(), values.len() + 1).map_err(encode_error)?;
    kernels::take_chunks(&[values.as_ref(), null.as_ref()], &rows).map_err(encode_error)
}

/// Bytes that a file's writer has written and nobody has taken yet.
#[derive(Debug, Default, Clone)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
enum Writer {
    /// No rows have come.
    Idle,
    Stream(StreamEncoder),
    File(FileWriter<Sink>, Sink),
}

/// The view on its way out as an Arrow file or stream.
#[derive(Debug)]
pub(crate) struct Export {
    writer: Writer,
    columns: Vec<usize>,
    file: bool,
}

impl Export {
    /// An export of some columns of the view's schema, by number.
    pub(crate) fn new(columns: Vec<usize>, file: bool) -> Self {
        Self { writer: Writer::Idle, columns, file }
    }

    /// Takes the next window and gives the next bytes.
    pub(crate) fn push(&mut self, stream: Vec<u8>) -> wire::Result<Vec<u8>> {
        let batch = part(&read(stream)?, &self.columns, self.file)?;
        if matches!(self.writer, Writer::Idle) {
            self.writer = if self.file {
                let sink = Sink::default();
                Writer::File(FileWriter::try_new(sink.clone(), &batch.schema())?, sink)
            } else {
                Writer::Stream(StreamEncoder::try_new(&batch.schema())?)
            };
        }
        match &mut self.writer {
            Writer::Idle => Ok(Vec::new()),
            Writer::Stream(encoder) => Ok(joined(&encoder.encode(&batch)?)),
            Writer::File(writer, sink) => {
                writer.write(&batch)?;
                Ok(sink.0.take())
            }
        }
    }

    /// What stands behind the last rows.
    pub(crate) fn end(&mut self) -> wire::Result<Vec<u8>> {
        match std::mem::replace(&mut self.writer, Writer::Idle) {
            Writer::Idle => Ok(Vec::new()),
            Writer::Stream(encoder) => Ok(joined(&encoder.finish()?)),
            Writer::File(writer, sink) => {
                writer.finish()?;
                Ok(sink.0.take())
            }
        }
    }
}

fn joined(parts: &[arrow_buffer::Buffer]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.as_slice()).copied().collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int32Type;
    use arrow_array::{DictionaryArray, Int64Array, StringArray, UInt32Array};
    use arrow_buffer::Buffer;

    use wire::Limits;

    use super::*;

    fn batch(from: i64, words: [Option<&str>; 3]) -> RecordBatch {
        let dictionary: DictionaryArray<Int32Type> = words.into_iter().collect();
        let numbers: ArrayRef = Arc::new(UInt32Array::from(vec![0, 1, 2]));
        RecordBatch::try_from_iter_with_nullable([
            (NUMBER, numbers, false),
            ("n", Arc::new(Int64Array::from_iter_values(from..from + 3)) as ArrayRef, false),
            ("t", Arc::new(StringArray::from(vec![Some("x"), None, Some("z")])) as ArrayRef, true),
            ("d", Arc::new(dictionary) as ArrayRef, true),
        ])
        .unwrap()
    }

    fn stream(batches: &[RecordBatch]) -> Vec<u8> {
        wire::discrete::write(&batches[0].schema(), batches, wire::Options::default()).unwrap()
    }

    #[test]
    fn a_window_is_one_batch_without_numbers() {
        let batches = [batch(0, [Some("a"), None, Some("b")]), batch(3, [Some("c"), Some("a"), None])];
        let whole = read(stream(&batches)).unwrap();
        assert_eq!((whole.num_rows(), whole.num_columns(), whole.schema().field(0).name().as_str()), (6, 3, "n"));
        assert_eq!(read(stream(&batches[..1])).unwrap().num_rows(), 3);
        assert_eq!(read(stream(&[batches[0].slice(0, 0)])).unwrap().num_rows(), 0);
    }

    #[test]
    fn an_export_is_read_back() {
        let windows = [batch(0, [Some("a"), None, Some("b")]), batch(3, [Some("c"), Some("a"), None])];
        for file in [false, true] {
            let mut export = Export::new(vec![2, 0], file);
            let mut bytes = Vec::new();
            for window in &windows {
                bytes.extend(export.push(stream(std::slice::from_ref(window))).unwrap());
            }
            bytes.extend(export.end().unwrap());
            assert_eq!(wire::file::is_file(&bytes), file);
            let (schema, batches) = wire::stream::read(Buffer::from_vec(bytes), &Limits::default()).unwrap();
            assert_eq!(
                (schema.field(0).name().as_str(), schema.field(1).name().as_str(), batches.len()),
                ("d", "n", 2)
            );
            for (read, window) in batches.iter().zip(&windows) {
                assert_eq!(read.column(1), window.column(1));
                let words = unpacked(read.column(0)).unwrap();
                assert_eq!(&words, &unpacked(window.column(3)).unwrap());
                assert_eq!(words.null_count(), 1);
            }
        }
    }
}
