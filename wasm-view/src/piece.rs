//! Rows of the view as batches: what exports and scripts are made of, a piece at a time.
//!
//! Whatever the view shows (all rows, those that a filter and a sort picked, or groups), a piece of it is gathered by the
//! kernel that sorts and filters use. So an export needs memory for one piece, and nothing freezes.

use std::io::Write;
use std::rc::Rc;
use std::{cell::RefCell, io};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use kernels::Indices;
use wire::file::FileWriter;
use wire::stream::StreamEncoder;

use crate::table::Table;
use crate::view::{Rows, View};

/// Some columns of the view's schema, by number.
pub(crate) fn schema_of(view: &View, table: &Table, columns: &[usize]) -> SchemaRef {
    let fields = view.schema(table).fields();
    Schema::new(columns.iter().filter_map(|&column| fields.get(column).cloned()).collect::<Vec<_>>()).into()
}

/// Rows `from..to` of the view, of some columns of its schema, as one batch.
pub(crate) fn rows(
    view: &View,
    table: &Table,
    columns: &[usize],
    from: usize,
    to: usize,
) -> kernels::Result<RecordBatch> {
    let to = to.min(view.len(table));
    let (source, picked) = match &view.rows {
        Rows::All => (table, None),
        Rows::Groups(groups) => (groups, None),
        Rows::Picked(indices) => (table, Some(indices)),
    };
    let numbers = match picked {
        Some(indices) => indices.as_slice().get(from..to).unwrap_or_default().to_vec(),
        None => (from..to).map(|row| row as u32).collect(),
    };
    let rows = numbers.len();
    let indices = Indices::try_new(numbers, source.rows())?;
    let schema = schema_of(view, table, columns);
    let part = |batch: &RecordBatch| {
        let arrays = columns.iter().filter_map(|&column| batch.columns().get(column).cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema.clone(), arrays, &options).ok()
    };
    if columns.is_empty() {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        return Ok(RecordBatch::try_new_with_options(schema, Vec::new(), &options)?);
    }
    kernels::take_batches(&schema, &source.batches.iter().filter_map(part).collect::<Vec<_>>(), &indices)
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
    Stream(StreamEncoder),
    File(FileWriter<Sink>, Sink),
}

/// The view on its way out as an Arrow file or stream.
#[derive(Debug)]
pub(crate) struct Export {
    writer: Writer,
    columns: Vec<usize>,
}

impl Export {
    pub(crate) fn new(view: &View, table: &Table, columns: Vec<usize>, file: bool) -> wire::Result<Self> {
        let schema = schema_of(view, table, &columns);
        let writer = if file {
            let sink = Sink::default();
            Writer::File(FileWriter::try_new(sink.clone(), &schema)?, sink)
        } else {
            Writer::Stream(StreamEncoder::try_new(&schema)?)
        };
        Ok(Self { writer, columns })
    }

    /// The bytes of the next rows.
    pub(crate) fn rows(&mut self, view: &View, table: &Table, from: usize, to: usize) -> wire::Result<Vec<u8>> {
        let batch = rows(view, table, &self.columns, from, to);
        let batch = batch.map_err(|error| wire::Error::Encode(error.to_string()))?;
        match &mut self.writer {
            Writer::Stream(encoder) => Ok(joined(&encoder.encode(&batch)?)),
            Writer::File(writer, sink) => {
                writer.write(&batch)?;
                Ok(sink.0.take())
            }
        }
    }

    /// What stands behind the last rows.
    pub(crate) fn end(self) -> wire::Result<Vec<u8>> {
        match self.writer {
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
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int32Type, Int64Type};
    use arrow_array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
    use arrow_buffer::Buffer;
    use kernels::query::{Nulls, SortBy};

    use super::*;

    fn table() -> Table {
        let batch = |from: i64, words: [&str; 3]| {
            let dictionary: DictionaryArray<Int32Type> = words.into_iter().collect();
            RecordBatch::try_from_iter([
                ("n", Arc::new(Int64Array::from_iter_values(from..from + 3)) as ArrayRef),
                ("t", Arc::new(StringArray::from(vec![Some("x"), None, Some("z")])) as ArrayRef),
                ("d", Arc::new(dictionary) as ArrayRef),
            ])
            .unwrap()
        };
        let mut table = Table::of(batch(0, ["a", "b", "a"]));
        table.push(batch(3, ["c", "a", "c"]));
        table
    }

    fn sorted(table: &Table) -> View {
        let mut view = View::default();
        view.set_sort(vec![SortBy { column: "n".to_owned(), descending: true, nulls: Nulls::Last }]);
        view.refresh(table).unwrap();
        view
    }

    #[test]
    fn pieces_are_rows_of_the_view() {
        let table = table();
        for (view, expected) in [(View::default(), [1i64, 2, 3, 4]), (sorted(&table), [4, 3, 2, 1])] {
            let batch = rows(&view, &table, &[2, 0], 1, 5).unwrap();
            assert_eq!(batch.schema().field(0).name(), "d");
            assert_eq!(batch.column(1).as_primitive::<Int64Type>().values(), &expected);
            assert_eq!(rows(&view, &table, &[0], 5, 99).unwrap().num_rows(), 1);
            assert_eq!(rows(&view, &table, &[], 0, 3).unwrap().num_rows(), 3);
        }
    }

    #[test]
    fn an_export_is_read_back_as_the_view() {
        let table = table();
        for view in [View::default(), sorted(&table)] {
            for file in [false, true] {
                let mut export = Export::new(&view, &table, vec![0, 1, 2], file).unwrap();
                let mut bytes = Vec::new();
                for from in [0, 2, 4] {
                    bytes.extend(export.rows(&view, &table, from, from + 2).unwrap());
                }
                bytes.extend(export.end().unwrap());
                assert_eq!(wire::file::is_file(&bytes), file);
                let (_, batches) = wire::stream::read(Buffer::from_vec(bytes), &wire::Limits::default()).unwrap();
                assert_eq!(batches.len(), 3);
                for (number, batch) in batches.iter().enumerate() {
                    let expected = rows(&view, &table, &[0, 1, 2], number * 2, number * 2 + 2).unwrap();
                    assert_eq!(*batch, expected);
                }
            }
        }
    }
}
