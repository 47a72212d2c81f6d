//! Loading: bytes in any cut to batches, with numbers for a progress bar.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use wire::stream::{Event, StreamDecoder};
use wire::{Limits, Result};

use crate::table::Table;

/// Types whose columns are named, and not read: those that the build leaves out, and what has one of them within.
pub(crate) fn is_unread(data_type: &DataType) -> bool {
    match data_type {
        DataType::RunEndEncoded(..) | DataType::Union(..) | DataType::ListView(_) | DataType::LargeListView(_) => true,
        other if !cfg!(feature = "nested") => other.is_nested(),
        DataType::Struct(fields) => fields.iter().any(|field| is_unread(field.data_type())),
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => is_unread(child.data_type()),
        DataType::Dictionary(_, values) => is_unread(values),
        _ => false,
    }
}

/// A decoder for what this module reads: no two columns have the same name.
pub(crate) fn decoder() -> StreamDecoder {
    StreamDecoder::new(Limits::default()).leaving_out(is_unread).with_distinct_names()
}

/// A whole stream, as this module reads it: columns that it cannot read are columns of nulls.
pub(crate) fn read(stream: Vec<u8>) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let mut decoder = decoder();
    decoder.push(stream);
    let mut batches = Vec::new();
    let mut schema = Arc::new(Schema::empty());
    while let Some(event) = decoder.next_event() {
        match event? {
            Event::Schema(found) => schema = found,
            Event::Batch(batch) => batches.push(batch),
            Event::End => break,
        }
    }
    decoder.finish()?;
    Ok((schema, batches))
}

/// A table that is coming in.
#[derive(Debug, Default)]
pub(crate) struct Load {
    decoder: StreamDecoder,
    /// Bytes that have come.
    pub(crate) bytes: usize,
}

/// What a piece of the stream brought.
#[derive(Debug, Default, Clone)]
pub(crate) struct News {
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) batches: usize,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { decoder: decoder(), bytes: 0 }
    }

    /// Takes the next bytes, or those that were written into the memory that was made for them; whole batches go to the table,
    /// which the schema begins.
    pub(crate) fn push(&mut self, bytes: Option<Vec<u8>>, table: &mut Option<Table>) -> Result<News> {
        match bytes {
            Some(bytes) => {
                self.bytes += bytes.len();
                self.decoder.push(bytes);
            }
            None => self.decoder.filled(),
        }
        let mut news = News::default();
        while let Some(event) = self.decoder.next_event() {
            match event? {
                Event::Schema(schema) => {
                    let mut begun = Table::new(schema.clone());
                    begun.original = self.decoder.schema().cloned().unwrap_or_else(|| schema.clone());
                    *table = Some(begun);
                    news.schema = Some(schema);
                }
                Event::Batch(batch) => {
                    if let Some(table) = table {
                        table.push(batch);
                        news.batches += 1;
                    }
                }
                Event::End => break,
            }
        }
        Ok(news)
    }

    /// Makes one allocation for the bytes that will come.
    pub(crate) fn expect(&mut self, bytes: usize) {
        self.decoder.expect(bytes);
    }

    /// Where the next bytes are to be written in the module's memory; 0 when they are to be pushed.
    pub(crate) fn room(&mut self, bytes: usize) -> usize {
        let Some(room) = self.decoder.room(bytes) else { return 0 };
        self.bytes += bytes;
        room.as_ptr().addr()
    }

    /// Takes a file's footer ahead of its bytes.
    pub(crate) fn footer(&mut self, footer: &[u8]) -> Result<()> {
        self.decoder.push_footer(footer)
    }

    /// Says that all bytes have come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.decoder.finish()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn columns_of_the_same_name_are_told_apart() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1, 2])),
            Arc::new(StringArray::from(vec!["x", "y"])),
            Arc::new(Float64Array::from(vec![0.5, 1.5])),
        ];
        let named =
            |names: [&str; 3]| RecordBatch::try_from_iter(names.into_iter().zip(columns.iter().cloned())).unwrap();
        let (same, told) = (named(["a", "a", "a"]), named(["a", "a_2", "a_3"]));
        let stream = wire::discrete::write(&same.schema(), [&same], wire::Options::default()).unwrap();
        let mut table = None;
        let news = Load::new().push(Some(stream.clone()), &mut table).unwrap();
        let table = table.unwrap();
        assert_eq!(
            (&news.schema, &table.schema, &table.original),
            (&Some(told.schema()), &told.schema(), &told.schema())
        );
        assert_eq!(table.batches, std::slice::from_ref(&told));
        // Windows and groups come this way.
        assert_eq!(read(stream).unwrap(), (told.schema(), vec![told.clone()]));
        // A file's footer may come ahead.
        let mut writer = wire::file::FileWriter::try_new(Vec::new(), &same.schema()).unwrap();
        writer.write(&same).unwrap();
        let file = writer.finish().unwrap();
        let mut table = None;
        let mut load = Load::new();
        load.push(Some(file), &mut table).unwrap();
        assert_eq!(table.unwrap().batches, [told]);
    }

    #[test]
    #[cfg(feature = "nested")]
    fn what_has_an_unread_type_within_is_not_read() {
        use arrow_schema::Field;

        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        let view = DataType::ListView(Arc::new(Field::new("item", DataType::Int8, true)));
        assert!(is_unread(&view) && is_unread(&list(view.clone())) && is_unread(&list(list(view.clone()))));
        let pair =
            |other| DataType::Struct(vec![Field::new("a", DataType::Utf8, true), Field::new("b", other, true)].into());
        assert!(is_unread(&pair(view)) && !is_unread(&pair(list(DataType::Utf8))));
    }
}
