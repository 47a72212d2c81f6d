//! Loading: bytes in any cut to batches, with numbers for a progress bar.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use wire::stream::{Event, StreamDecoder};
use wire::{Limits, Result};

use crate::table::Table;

/// Types whose columns are named, and not read.
pub(crate) fn is_unread(data_type: &DataType) -> bool {
    match data_type {
        DataType::RunEndEncoded(..) | DataType::Union(..) | DataType::ListView(_) | DataType::LargeListView(_) => true,
        other => !cfg!(feature = "nested") && other.is_nested(),
    }
}

/// A whole stream, as this module reads it: columns that it cannot read are columns of nulls.
pub(crate) fn read(stream: Vec<u8>) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let mut decoder = StreamDecoder::new(Limits::default()).leaving_out(is_unread);
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
        Self { decoder: StreamDecoder::new(Limits::default()).leaving_out(is_unread), bytes: 0 }
    }

    /// Takes the next bytes; whole batches go to the table, which the schema begins.
    pub(crate) fn push(&mut self, bytes: Vec<u8>, table: &mut Option<Table>) -> Result<News> {
        self.bytes += bytes.len();
        self.decoder.push(bytes);
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

    /// Takes a file's footer ahead of its bytes.
    pub(crate) fn footer(&mut self, footer: &[u8]) -> Result<()> {
        self.decoder.push_footer(footer)
    }

    /// Says that all bytes have come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.decoder.finish()
    }
}
