//! Discrete messages: each a complete little stream of schema, dictionaries and batches, that any reader opens by itself.
//!
//! What a message costs beside a batch in a continuous stream is the schema's frame and the end marker; in
//! return a message can be lost, repeated, stored or handed on alone, and a reader may join at any of them.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::stream::StreamDecoder;
use crate::{Error, Limits, Result};

/// Writes one message.
///
/// # Errors
/// [`Error::Encode`] when a batch does not have the schema, [`Error::UnsupportedType`] when a type cannot be written.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int32Array, RecordBatch};
/// let batch = RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef)])?;
/// let message = wire::discrete::write(&batch.schema(), [&batch], wire::Options::default())?;
/// let (schema, batches) = wire::discrete::read(message.into(), &wire::Limits::default())?;
/// assert_eq!((schema, batches), (batch.schema(), vec![batch]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "encode")]
pub fn write<'a>(
    schema: &arrow_schema::Schema,
    batches: impl IntoIterator<Item = &'a RecordBatch>,
    options: crate::Options,
) -> Result<Vec<u8>> {
    let mut encoder = crate::stream::StreamEncoder::try_with_options(schema, options)?;
    let mut parts = Vec::new();
    for batch in batches {
        parts.extend(encoder.encode(batch)?);
    }
    parts.extend(encoder.finish()?);
    let mut bytes = Vec::with_capacity(parts.iter().map(arrow_buffer::Buffer::len).sum());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Ok(bytes)
}

/// Reads one message, whole.
///
/// # Errors
/// Whatever can be wrong with its bytes; [`Error::Truncated`] when it ends early, and [`Error::UnexpectedMessage`] when
/// bytes follow its end.
pub fn read(message: arrow_buffer::Buffer, limits: &Limits) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    read_by(StreamDecoder::new(limits.clone()), message)
}

/// As [`read`], by a decoder that is set up otherwise.
pub(crate) fn read_by(
    mut decoder: StreamDecoder,
    message: arrow_buffer::Buffer,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let read = decoder.read_all(message)?;
    if decoder.left() > 0 {
        return Err(Error::unexpected(decoder.position(), "rest of bytes", "nothing behind the end"));
    }
    Ok(read)
}
