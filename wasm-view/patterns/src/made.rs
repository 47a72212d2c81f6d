//! Rows and updates, made here and sent to the server: streams of rows and discrete messages, as any client writes them.
//!
//! The table of the page has three columns: `id` (`Int64`, the key), `name` (`Utf8`) and `value` (`Float64`).

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use wasm_bindgen::prelude::*;
use wire::stream::StreamEncoder;
use wire::update::{Change, Update};
use wire::{Options, Result};

use crate::told;

const NAMES: [&str; 4] = ["ash", "birch", "cedar", "dogwood"];

/// The columns.
pub(crate) fn schema() -> SchemaRef {
    let fields = [("id", DataType::Int64), ("name", DataType::Utf8), ("value", DataType::Float64)];
    Arc::new(Schema::new(fields.map(|(name, data_type)| Field::new(name, data_type, name != "id")).to_vec()))
}

/// Rows of these ids, all with one value.
fn rows(ids: &[u32], value: f64) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids.iter().map(|&id| i64::from(id)))),
        Arc::new(StringArray::from_iter_values(ids.iter().map(|&id| NAMES[id as usize % NAMES.len()]))),
        Arc::new(Float64Array::from_iter_values(ids.iter().map(|&id| value + f64::from(id % 1_000) / 1_000.0))),
    ];
    batch(schema(), columns)
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    // The columns are as long as each other and of the schema's types.
    Ok(RecordBatch::try_new(schema.clone(), columns).unwrap_or_else(|_| RecordBatch::new_empty(schema)))
}

fn projected(batch: &RecordBatch, columns: &[usize]) -> RecordBatch {
    batch.project(columns).unwrap_or_else(|_| batch.clone())
}

fn message(change: Result<Change>) -> std::result::Result<Vec<u8>, JsError> {
    change.and_then(|change| Update::new(0, 0, change).to_message(Options::default())).map_err(told)
}

/// An Arrow stream of so many rows, from an id on.
///
/// # Errors
/// When they cannot be written.
#[wasm_bindgen(js_name = rowsStream)]
pub fn rows_stream(from: u32, count: u32, value: f64) -> std::result::Result<Vec<u8>, JsError> {
    stream(&(from..from + count).collect::<Vec<_>>(), value).map_err(told)
}

/// An Arrow stream of words by their codes, one of which is null.
///
/// # Errors
/// As [`rows_stream`].
#[wasm_bindgen(js_name = wordsStream)]
pub fn words_stream() -> std::result::Result<Vec<u8>, JsError> {
    let words: DictionaryArray<Int32Type> =
        [Some(NAMES[0]), None, Some(NAMES[1]), Some(NAMES[0])].into_iter().collect();
    let schema = Arc::new(Schema::new(vec![Field::new("word", words.data_type().clone(), true)]));
    batch(schema, vec![Arc::new(words)]).and_then(|words| written(&words)).map_err(told)
}

fn stream(ids: &[u32], value: f64) -> Result<Vec<u8>> {
    written(&rows(ids, value)?)
}

fn written(rows: &RecordBatch) -> Result<Vec<u8>> {
    let mut encoder = StreamEncoder::try_new(&rows.schema())?;
    let mut parts = encoder.encode(rows)?;
    parts.extend(encoder.finish()?);
    Ok(parts.iter().flat_map(|part| part.as_slice()).copied().collect())
}

/// Rows that come, or take the place of those with their keys.
///
/// # Errors
/// When the message cannot be written.
#[wasm_bindgen]
pub fn upsert(ids: &[u32], value: f64) -> std::result::Result<Vec<u8>, JsError> {
    message(rows(ids, value).map(Change::Upsert))
}

/// Other values for rows by their keys; the other columns keep theirs.
///
/// # Errors
/// As [`upsert`].
#[wasm_bindgen(js_name = upsertValues)]
pub fn upsert_values(ids: &[u32], value: f64) -> std::result::Result<Vec<u8>, JsError> {
    message(rows(ids, value).map(|rows| Change::Upsert(projected(&rows, &[0, 2]))))
}

/// Other values for rows by their numbers.
///
/// # Errors
/// As [`upsert`].
#[wasm_bindgen(js_name = patchRows)]
pub fn patch_rows(numbers: &[u32], value: f64) -> std::result::Result<Vec<u8>, JsError> {
    message(patch(numbers, value))
}

pub(crate) fn patch(numbers: &[u32], value: f64) -> Result<Change> {
    let cells = projected(&rows(numbers, value)?, &[2]);
    Ok(Change::Patch { rows: UInt64Array::from_iter_values(numbers.iter().map(|&row| u64::from(row))), cells })
}

/// Rows that go, by their keys.
///
/// # Errors
/// As [`upsert`].
#[wasm_bindgen(js_name = removeRows)]
pub fn remove_rows(ids: &[u32]) -> std::result::Result<Vec<u8>, JsError> {
    message(rows(ids, 0.0).map(|rows| Change::Delete(projected(&rows, &[0]))))
}

/// Rows that go and rows that come, at once.
///
/// # Errors
/// As [`upsert`].
#[wasm_bindgen]
pub fn exchange(remove: &[u32], insert: &[u32], value: f64) -> std::result::Result<Vec<u8>, JsError> {
    let change = || Ok(Change::Exchange { remove: projected(&rows(remove, 0.0)?, &[0]), insert: rows(insert, value)? });
    message(change())
}

/// The whole table anew: so many rows, from an id on.
///
/// # Errors
/// As [`upsert`].
#[wasm_bindgen]
pub fn replace(from: u32, count: u32, value: f64) -> std::result::Result<Vec<u8>, JsError> {
    message(rows(&(from..from + count).collect::<Vec<_>>(), value).map(|rows| Change::Replace(vec![rows])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_meant() -> Result<()> {
        let made = [
            (upsert(&[1, 2], 0.5), "upsert", 2),
            (upsert_values(&[1], 0.5), "upsert", 1),
            (patch_rows(&[7], 0.5), "patch", 1),
            (remove_rows(&[1, 2, 3]), "delete", 3),
            (replace(0, 5, 1.0), "replace", 5),
        ];
        for (message, name, expected) in made {
            let message = message.unwrap_or_default();
            let update = Update::from_message(message.into(), &wire::Limits::default())?;
            let found = match &update.change {
                Change::Upsert(rows) | Change::Delete(rows) => rows.num_rows(),
                Change::Patch { rows, .. } => rows.len(),
                Change::Replace(batches) => batches.iter().map(RecordBatch::num_rows).sum(),
                _ => 0,
            };
            assert_eq!((update.change.name(), found), (name, expected));
        }
        Ok(())
    }
}
