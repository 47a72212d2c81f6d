//! Frames: a message's metadata and body as bytes that follow one another.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_schema::Schema;

use crate::arrays::Body;
use crate::build::{Builder, Place, Slot};
use crate::codec::Codec;
use crate::message::{DICTIONARY_BATCH, RECORD_BATCH, SCHEMA};
use crate::ordered::Ordered;
use crate::schema::{Ids, assign_ids, build as build_schema};
use crate::{Error, Result};

/// V5, by its number.
const VERSION: i16 = 4;
/// Bodies from here on begin and lay out their buffers at whole cache lines; smaller ones at 8 bytes.
const LARGE: usize = 4096;

/// How batches are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How buffers are packed; not at all when absent.
    pub codec: Option<Codec>,
    /// Zstandard's level: −7 (fast) to 22 (small), 0 for its default.
    pub level: i32,
    /// A dictionary that has only grown is sent as what is new (a delta). Off by default, as some
    /// readers know no deltas; a file always uses them, as it knows no replacement.
    pub deltas: bool,
}

impl Options {
    /// Packs buffers.
    #[must_use]
    pub const fn with_codec(mut self, codec: Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Sets Zstandard's level.
    #[must_use]
    pub const fn with_level(mut self, level: i32) -> Self {
        self.level = level;
        self
    }

    /// Sends what is new of a grown dictionary.
    #[must_use]
    pub const fn with_deltas(mut self) -> Self {
        self.deltas = true;
        self
    }
}

/// Where a frame came to lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) start: u64,
    pub(crate) metadata: usize,
    pub(crate) body: usize,
}

/// Writes frames one after the other, and knows where it is.
#[derive(Debug)]
pub(crate) struct FrameWriter {
    pub(crate) schema: Schema,
    /// The schema's metadata, until it is written.
    message: Vec<u8>,
    pub(crate) ids: Vec<Ids>,
    pub(crate) position: u64,
    options: Options,
    /// The dictionaries as they were last sent.
    sent: Ordered<ArrayRef>,
    /// Whether a dictionary may be sent anew.
    replaces: bool,
}

/// The parts of frames that are ready.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    pub(crate) parts: Vec<Buffer>,
    pub(crate) dictionaries: Vec<Block>,
    pub(crate) batches: Vec<Block>,
}

impl FrameWriter {
    pub(crate) fn try_new(schema: &Schema, options: Options, replaces: bool) -> Result<Self> {
        if let Some(codec) = options.codec
            && !packs(codec)
        {
            return Err(Box::new(Error::UnsupportedCompression { offset: 0, codec: codec.name() }));
        }
        let ids = assign_ids(schema);
        // A type that cannot be written is told before the first byte.
        let mut builder = Builder::new();
        let root = message(&mut builder, SCHEMA, 0, false);
        let built = build_schema(&mut builder, schema, &ids)?;
        builder.link(root, 2, built);
        let message = builder.finish(root);
        Ok(Self { schema: schema.clone(), message, ids, position: 0, options, sent: Ordered::default(), replaces })
    }

    /// The schema's frame; once.
    pub(crate) fn schema(&mut self, frames: &mut Frames) {
        let message = std::mem::take(&mut self.message);
        self.frame(&message, Vec::new(), 0, frames);
    }

    /// A batch's frames: the dictionaries that are new, and the batch.
    pub(crate) fn batch(&mut self, batch: &RecordBatch, metadata: &[(&str, &str)], frames: &mut Frames) -> Result<()> {
        let types_differ = |(a, b): (&ArrayRef, &arrow_schema::FieldRef)| a.data_type() != b.data_type();
        if batch.num_columns() != self.schema.fields().len()
            || batch.columns().iter().zip(self.schema.fields()).any(types_differ)
        {
            return Err(Box::new(Error::Encode("the batch has another schema than the stream".to_owned())));
        }
        let mut found = Vec::new();
        for (column, ids) in batch.columns().iter().zip(&self.ids) {
            dictionaries(column.as_ref(), ids, &mut found);
        }
        for (id, values) in found {
            self.dictionary(id, values, frames)?;
        }
        let mut body = Body::default();
        batch.columns().iter().try_for_each(|column| body.push(column.as_ref()))?;
        let block = self.body(RECORD_BATCH, body, batch.num_rows(), None, metadata, frames);
        frames.batches.push(block);
        Ok(())
    }

    fn dictionary(&mut self, id: i64, values: ArrayRef, frames: &mut Frames) -> Result<()> {
        let mut is_delta = false;
        let mut new = values.clone();
        if let Some(sent) = self.sent.get(id as u64) {
            let known = sent.len();
            let grown = values.len() >= known && kernels::arrays::equal(sent, &values.slice(0, known));
            if grown && values.len() == known {
                return Ok(());
            }
            is_delta = grown && (self.options.deltas || !self.replaces);
            if is_delta {
                new = values.slice(known, values.len() - known);
            } else if !self.replaces {
                return Err(Box::new(Error::Encode(
                    "a file holds one dictionary for a column, and this batch brings another".into(),
                )));
            }
        }
        let mut body = Body::default();
        body.push(new.as_ref())?;
        let block = self.body(DICTIONARY_BATCH, body, new.len(), Some((id, is_delta)), &[], frames);
        frames.dictionaries.push(block);
        self.sent.insert(id as u64, values);
        Ok(())
    }

    fn body(
        &mut self,
        kind: u8,
        body: Body,
        rows: usize,
        dictionary: Option<(i64, bool)>,
        metadata: &[(&str, &str)],
        frames: &mut Frames,
    ) -> Block {
        let Body { nodes, buffers, variadic } = body;
        #[cfg(feature = "pack")]
        let (buffers, pieces) = match self.options.codec {
            Some(codec) => (buffers.iter().flat_map(|buffer| pack(buffer, codec, self.options.level)).collect(), 2),
            None => (buffers, 1),
        };
        #[cfg(not(feature = "pack"))]
        let pieces = 1;
        let total: usize = buffers.iter().map(Buffer::len).sum();
        let align = if total < LARGE { 8 } else { 64 };
        let (mut places, mut parts, mut length) = (Vec::with_capacity(2 * buffers.len()), Vec::new(), 0usize);
        for pieces in buffers.chunks(pieces) {
            let bytes: usize = pieces.iter().map(Buffer::len).sum();
            places.extend([length as i64, bytes as i64]);
            parts.extend(pieces.iter().filter(|piece| !piece.is_empty()).cloned());
            let padding = bytes.next_multiple_of(align) - bytes;
            if padding > 0 {
                parts.push(zeros(padding));
            }
            length += bytes + padding;
        }
        let mut builder = Builder::new();
        let message = message(&mut builder, kind, length as i64, !metadata.is_empty());
        let slot_if = |wanted: bool| if wanted { Slot::Link } else { Slot::Out };
        let header = match dictionary {
            None => message,
            Some((id, is_delta)) => {
                let header = builder.table(&[Slot::I64(id), Slot::Link, Slot::Bool(is_delta)]);
                builder.link(message, 2, header);
                header
            }
        };
        let batch = builder.table(&[
            Slot::I64(rows as i64),
            Slot::Link,
            Slot::Link,
            slot_if(cfg!(feature = "pack") && self.options.codec.is_some()),
            slot_if(!variadic.is_empty()),
        ]);
        builder.link(header, if dictionary.is_some() { 1 } else { 2 }, batch);
        let vector = builder.longs(&nodes, 2);
        builder.link(batch, 1, vector);
        let vector = builder.longs(&places, 2);
        builder.link(batch, 2, vector);
        #[cfg(feature = "pack")]
        if let Some(codec) = self.options.codec {
            let table = builder.table(&[Slot::U8(codec.number()), Slot::U8(0)]);
            builder.link(batch, 3, table);
        }
        if !variadic.is_empty() {
            let vector = builder.longs(&variadic, 1);
            builder.link(batch, 4, vector);
        }
        if !metadata.is_empty() {
            builder.pairs(message, 4, metadata.iter().copied());
        }
        self.frame(&builder.finish(message), parts, length, frames)
    }

    /// Prefix, metadata, padding and body.
    fn frame(&mut self, metadata: &[u8], body: Vec<Buffer>, length: usize, frames: &mut Frames) -> Block {
        let align = if length < LARGE { 8 } else { 64 };
        let start = self.position;
        let end = (start as usize + 8 + metadata.len()).next_multiple_of(align);
        let size = end - start as usize;
        let mut head = Vec::with_capacity(size);
        head.extend([0xff; 4]);
        head.extend(((size - 8) as i32).to_le_bytes());
        head.extend(metadata);
        head.resize(size, 0);
        frames.parts.push(Buffer::from_vec(head));
        frames.parts.extend(body);
        self.position += (size + length) as u64;
        Block { start, metadata: size, body: length }
    }

    /// The end-of-stream marker.
    pub(crate) fn end(&mut self, frames: &mut Frames) {
        self.position += 8;
        frames.parts.push(Buffer::from_vec(vec![0xffu8, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    }
}

/// A message's table; its header is linked at field 2, its metadata at field 4.
fn message(builder: &mut Builder, kind: u8, body: i64, has_metadata: bool) -> Place {
    let metadata = if has_metadata { Slot::Link } else { Slot::Out };
    builder.table(&[Slot::I16(VERSION), Slot::U8(kind), Slot::Link, Slot::I64(body), metadata])
}

fn zeros(count: usize) -> Buffer {
    static ZEROS: std::sync::LazyLock<Buffer> = std::sync::LazyLock::new(|| Buffer::from_vec(vec![0u8; 64]));
    ZEROS.slice_with_length(0, count.min(64))
}

/// Whether this build packs by a codec.
#[cfg(feature = "pack")]
fn packs(codec: Codec) -> bool {
    codec.pack(&[0; 256], 0).is_some()
}

/// Whether this build packs by a codec.
#[cfg(not(feature = "pack"))]
fn packs(_: Codec) -> bool {
    false
}

/// A buffer packed, in its two pieces, either of which may be empty; one of no bytes stays so.
#[cfg(feature = "pack")]
fn pack(buffer: &Buffer, codec: Codec, level: i32) -> [Buffer; 2] {
    let head = |length: i64| Buffer::from_vec(length.to_le_bytes().to_vec());
    if buffer.is_empty() {
        return [Buffer::default(), Buffer::default()];
    }
    match codec.pack(buffer, level) {
        Some(packed) => [head(buffer.len() as i64), Buffer::from_vec(packed)],
        None => [head(-1), buffer.clone()],
    }
}

/// The dictionaries of a column, inner ones before those that use them.
fn dictionaries(array: &dyn Array, ids: &Ids, found: &mut Vec<(i64, ArrayRef)>) {
    use arrow_array::cast::AsArray;
    use arrow_schema::DataType;
    if ids.dictionary.is_none() && ids.children.is_empty() {
        return;
    }
    let mut child = |array: &dyn Array, position: usize| {
        if let Some(ids) = ids.children.get(position) {
            dictionaries(array, ids, found);
        }
    };
    match array.data_type() {
        DataType::Dictionary(..) => {
            let values = array.as_any_dictionary().values();
            // The numbers below belong to the values' type.
            dictionaries(values.as_ref(), &Ids { dictionary: None, children: ids.children.clone() }, found);
            found.extend(ids.dictionary.map(|id| (id, values.clone())));
        }
        DataType::Struct(_) => {
            array.as_struct().columns().iter().enumerate().for_each(|(at, column)| child(column.as_ref(), at));
        }
        #[cfg(feature = "unions")]
        DataType::ListView(_) => child(array.as_list_view::<i32>().values().as_ref(), 0),
        #[cfg(feature = "unions")]
        DataType::LargeListView(_) => child(array.as_list_view::<i64>().values().as_ref(), 0),
        #[cfg(feature = "unions")]
        DataType::Union(fields, _) => {
            let array = array.as_union();
            fields.iter().enumerate().for_each(|(at, (id, _))| child(array.child(id).as_ref(), at));
        }
        #[cfg(feature = "unions")]
        DataType::RunEndEncoded(ends, _) => {
            use arrow_array::types::{Int16Type, Int32Type, Int64Type};
            match ends.data_type() {
                DataType::Int16 => child(array.as_run::<Int16Type>().values().as_ref(), 1),
                DataType::Int32 => child(array.as_run::<Int32Type>().values().as_ref(), 1),
                _ => child(array.as_run::<Int64Type>().values().as_ref(), 1),
            }
        }
        #[cfg(feature = "nested")]
        _ => {
            if let Some(values) = kernels::arrays::list_values(array) {
                child(values, 0);
            }
        }
        #[cfg(not(feature = "nested"))]
        _ => {}
    }
}
