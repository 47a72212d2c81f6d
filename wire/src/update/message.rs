//! Updates to bytes and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow_buffer::{BooleanBuffer, Buffer};
#[cfg(feature = "encode")]
use arrow_schema::Field;
use arrow_schema::{DataType, Metadata, Schema, SchemaRef};
use kernels::{Mask, arrays};

use super::{AFTER, Change, EPOCH, MORE, REMOVE, ROW, ROWS, SEQUENCE, UPDATE, Update};
use crate::stream::StreamDecoder;
use crate::{Error, Limits, Result, discrete};

impl Update {
    /// The metadata of this update, as it stands on the wire.
    #[must_use]
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (UPDATE, self.change.name().to_owned()),
            (EPOCH, self.epoch.to_string()),
            (SEQUENCE, self.sequence.to_string()),
        ];
        pairs.extend(self.after.map(|after| (AFTER, after.to_string())));
        if let Change::Trim(rows) = self.change {
            pairs.push((ROWS, rows.to_string()));
        }
        pairs
    }

    /// The update as a discrete message.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] when a type cannot be written; [`Error::Encode`] when the batches of a replacement
    /// differ in schema.
    #[cfg(feature = "encode")]
    pub fn to_message(&self, options: crate::Options) -> Result<Vec<u8>> {
        let batches = match &self.change {
            Change::Append(batch) | Change::Upsert(batch) | Change::Delete(batch) => vec![batch.clone()],
            Change::Replace(batches) => batches.clone(),
            Change::Patch { rows, cells } => {
                vec![with_first(cells, ROW, Arc::new(rows.clone()), |field| field.clone())?]
            }
            Change::Exchange { remove, insert } => vec![exchange(remove, insert)?],
            Change::Trim(_) => {
                let none = arrays::empty_batch(&Arc::new(Schema::empty()));
                vec![none.map_err(|error| Error::encode(&error))?]
            }
        };
        let Some(first) = batches.first() else {
            return Err(Box::new(Error::Encode("a replacement without a batch has no schema".to_owned())));
        };
        let schema = first.schema().as_ref().clone();
        let mut metadata = schema.metadata.clone();
        metadata.extend(self.metadata().into_iter().map(|(key, value)| (key.to_owned(), value)));
        discrete::write(&schema.with_metadata(metadata), &batches, options)
    }

    /// Reads a discrete message.
    ///
    /// # Errors
    /// Whatever can be wrong with its bytes; [`Error::Update`] when the stream is no update.
    pub fn from_message(message: Buffer, limits: &Limits) -> Result<Self> {
        Self::from_stream(discrete::read(message, limits)?)
    }

    /// As [`Update::from_message`]; columns of some types are left out: they are columns of nulls (see
    /// [`StreamDecoder::leaving_out`]).
    ///
    /// # Errors
    /// As [`Update::from_message`].
    pub fn from_message_without(message: Buffer, limits: &Limits, left_out: fn(&DataType) -> bool) -> Result<Self> {
        Self::from_stream(discrete::read_by(StreamDecoder::new(limits.clone()).leaving_out(left_out), message)?)
    }

    fn from_stream((schema, batches): (SchemaRef, Vec<RecordBatch>)) -> Result<Self> {
        // What the message says of itself is no part of the table's schema.
        let mut kept = BTreeMap::new();
        for (key, value) in schema.metadata() {
            if ![UPDATE, EPOCH, SEQUENCE, AFTER, ROWS].contains(&key.as_str()) {
                kept.insert(key.clone(), value.clone());
            }
        }
        let plain = Arc::new(Schema::new_with_metadata(schema.fields().clone(), Metadata::from(kept)));
        let batches = batches
            .into_iter()
            .map(|batch| {
                arrays::batch(plain.clone(), batch.columns().to_vec(), batch.num_rows())
                    .map_err(|error| Error::encode(&error))
            })
            .collect::<Result<Vec<_>>>()?;
        Self::from_batches(schema.metadata(), None, batches)
    }

    /// An update from a batch of a continuous stream and the metadata that came with it. Those of several batches are put
    /// together by [`Parts`](super::Parts).
    ///
    /// # Errors
    /// [`Error::Update`] when the metadata is none of an update, or more batches belong to it.
    pub fn from_batch(batch: RecordBatch, metadata: &Metadata) -> Result<Self> {
        if metadata.contains_key(MORE) {
            return Err(Error::update("one batch is not all of it, says", MORE));
        }
        Self::from_batches(metadata, None, vec![batch])
    }

    /// An update of the kind that the metadata says, or of the given one.
    pub(super) fn from_batches(metadata: &Metadata, kind: Option<&str>, mut batches: Vec<RecordBatch>) -> Result<Self> {
        let text = |key: &'static str| metadata.get(key).ok_or_else(|| Error::update("its metadata lacks", key));
        let number = |key: &'static str| {
            text(key)?.parse::<u64>().map_err(|_| Error::update("its metadata holds no number as", key))
        };
        let (epoch, sequence) = (number(EPOCH)?, number(SEQUENCE)?);
        let after = metadata.contains_key(AFTER).then(|| number(AFTER)).transpose()?;
        if after.is_some_and(|after| after >= sequence) {
            return Err(Error::update("it does not come behind its", AFTER));
        }
        let kind = kind.map_or_else(|| text(UPDATE).map(String::as_str), Ok)?;
        let change = if kind == "replace" {
            Change::Replace(batches)
        } else if kind == "trim" {
            Change::Trim(number(ROWS)?)
        } else {
            let (Some(batch), true) = (batches.pop(), batches.is_empty()) else {
                return Err(Error::update("there is not one batch in the", "stream"));
            };
            match kind {
                "append" => Change::Append(batch),
                "upsert" => Change::Upsert(batch),
                "delete" => Change::Delete(batch),
                "patch" => {
                    let (rows, cells) = split_first(&batch, ROW)?;
                    let rows = rows.as_any().downcast_ref::<UInt64Array>().filter(|rows| rows.null_count() == 0);
                    let wrong = || Error::update("it has no numbers without nulls as", ROW);
                    Change::Patch { rows: rows.ok_or_else(wrong)?.clone(), cells }
                }
                "exchange" => {
                    let (marks, rows) = split_first(&batch, REMOVE)?;
                    let marks = marks.as_any().downcast_ref::<BooleanArray>().filter(|marks| marks.null_count() == 0);
                    let wrong = || Error::update("it has no marks without nulls as", REMOVE);
                    let marks = marks.ok_or_else(wrong)?.values().clone();
                    let part = |bits: BooleanBuffer| {
                        kernels::filter_batch(&rows, &Mask::new(bits)).map_err(|error| Error::encode(&error))
                    };
                    Change::Exchange { insert: part(!&marks)?, remove: part(marks)? }
                }
                _ => return Err(Error::update("an unknown kind of", UPDATE)),
            }
        };
        Ok(Self { epoch, sequence, after, change })
    }
}

/// A batch with a column before its others.
#[cfg(feature = "encode")]
fn with_first(
    batch: &RecordBatch,
    name: &str,
    column: ArrayRef,
    field: impl Fn(&Field) -> Field,
) -> Result<RecordBatch> {
    let first = Field::new(name, column.data_type().clone(), false);
    let fields: Vec<Field> =
        std::iter::once(first).chain(batch.schema().fields().iter().map(|old| field(old))).collect();
    let columns = std::iter::once(column).chain(batch.columns().iter().cloned()).collect();
    let schema = Schema::new_with_metadata(fields, batch.schema().metadata().clone());
    arrays::batch(Arc::new(schema), columns, batch.num_rows()).map_err(|error| Error::encode(&error))
}

/// A batch without its first column, and that column, which must have the name.
fn split_first(batch: &RecordBatch, name: &'static str) -> Result<(ArrayRef, RecordBatch)> {
    let schema = batch.schema();
    if schema.fields().first().is_none_or(|field| field.name() != name) {
        return Err(Error::update("its first column is not", name));
    }
    let fields: Vec<_> = schema.fields().iter().skip(1).cloned().collect();
    let rest = Schema::new_with_metadata(fields, schema.metadata().clone());
    let rest = arrays::batch(Arc::new(rest), batch.columns()[1..].to_vec(), batch.num_rows())
        .map_err(|error| Error::encode(&error))?;
    Ok((batch.column(0).clone(), rest))
}

/// The rows that come and the keys of those that go, in one batch with a mark.
#[cfg(feature = "encode")]
fn exchange(remove: &RecordBatch, insert: &RecordBatch) -> Result<RecordBatch> {
    let failed = |error: Box<kernels::Error>| Error::encode(&error);
    let (gone, new) = (remove.num_rows(), insert.num_rows());
    let mut columns = Vec::with_capacity(insert.num_columns());
    for (position, field) in insert.schema().fields().iter().enumerate() {
        let data_type: &DataType = field.data_type();
        let head = match remove.column_by_name(field.name()) {
            Some(column) if column.data_type() == data_type => column.clone(),
            Some(_) => return Err(Box::new(Error::Encode(["column ", field.name(), " has two types"].concat()))),
            None => arrays::null_array(data_type, gone).map_err(failed)?,
        };
        let chunks = [head.as_ref(), insert.column(position).as_ref()];
        let all = kernels::Indices::identity(gone + new).map_err(failed)?;
        columns.push(kernels::take_chunks(&chunks, &all).map_err(failed)?);
    }
    let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
    let fields: Vec<Field> = insert.schema().fields().iter().map(nullable).collect();
    let schema = Schema::new_with_metadata(fields, insert.schema().metadata().clone());
    let rows = arrays::batch(Arc::new(schema), columns, gone + new).map_err(failed)?;
    let marks = BooleanArray::new(BooleanBuffer::collect_bool(gone + new, |row| row < gone), None);
    with_first(&rows, REMOVE, Arc::new(marks), Clone::clone)
}
