//! Gathering rows by number, from one array or from a column in chunks.
//!
//! [`Indices`] proves the bounds once; the loops rest on it. For chunked input each row number is first
//! turned into (chunk, row), once for all columns ([`Places`]).
//!
//! Bytes touched: 4 (or 8) per row number, the values once in and once out.

#[cfg(not(feature = "small"))]
mod cells;
#[cfg(not(feature = "small"))]
mod cluster;
mod dictionary;
#[cfg(feature = "nested")]
mod nested;
#[cfg(feature = "small")]
mod small;
#[cfg(feature = "unions")]
mod unions;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
#[cfg(not(feature = "small"))]
use arrow_buffer::ArrowNativeType;
#[cfg(not(feature = "small"))]
use arrow_buffer::Buffer;
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, SchemaRef};

#[cfg(not(feature = "small"))]
use crate::bytes::WindowBuilder;
use crate::bytes::{BytesColumn, make_bytes, make_view_array};
use crate::starts::Starts;
#[cfg(not(feature = "small"))]
use crate::types::by_width;
use crate::types::{self, Kind};
use crate::{Error, Indices, Result, arrays, bits, threads};

#[cfg(not(feature = "small"))]
use cluster::Clusters;
pub(crate) use dictionary::{dictionary_array, dictionary_from_codes};

/// Rows are gathered one by one where machine code is dear.
#[cfg(feature = "small")]
#[derive(Debug)]
pub(crate) enum Clusters {}

#[cfg(feature = "small")]
impl Clusters {
    fn try_new(_rows: &[u32], _bound: usize, _columns: usize) -> Option<Self> {
        None
    }
}

/// Where rows lie in a column of one or many chunks.
#[derive(Debug)]
pub(crate) enum Places<'a> {
    /// All in one chunk; in clusters too, when there are many and in no order.
    One(&'a [u32], Option<Clusters>),
    /// Chunk and row in it.
    Many(Vec<(u32, u32)>),
}

impl<'a> Places<'a> {
    /// Finds each row's chunk, for so many columns. `lengths` are the chunks' rows; the row numbers must be below their
    /// sum.
    fn locate(indices: &'a Indices, lengths: &[usize], columns: usize) -> Result<Self> {
        let total: usize = lengths.iter().sum();
        if indices.bound() > total {
            return Err(Error::length_mismatch(indices.bound(), total));
        }
        if lengths.len() == 1 {
            return Ok(Self::One(indices.as_slice(), Clusters::try_new(indices.as_slice(), total, columns)));
        }
        let starts = Starts::new(lengths.iter().copied());
        let places = indices.as_slice().iter().map(|&row| {
            let (chunk, row) = starts.locate(row as usize);
            (chunk as u32, row as u32)
        });
        Ok(Self::Many(places.collect()))
    }

    fn len(&self) -> usize {
        match self {
            Self::One(rows, _) => rows.len(),
            Self::Many(places) => places.len(),
        }
    }

    #[inline(always)]
    fn get(&self, position: usize) -> (usize, usize) {
        match self {
            Self::One(rows, _) => (0, rows[position] as usize),
            Self::Many(places) => (places[position].0 as usize, places[position].1 as usize),
        }
    }
}

/// The rows of `array` in the order of `indices`.
///
/// `O(indices)` plus the bytes of the values. A row number may come any number of times.
///
/// # Errors
/// [`Error::LengthMismatch`] when the indices' bound is above the array's length;
/// [`Error::UnsupportedType`]; [`Error::OffsetOverflow`] when gathered text outgrows 32-bit offsets.
pub fn take(array: &dyn Array, indices: &Indices) -> Result<ArrayRef> {
    take_chunks(&[array], indices)
}

/// As [`take`], from a column in chunks: row numbers run over all chunks, from the first one's first row.
/// All chunks must have one type.
///
/// # Errors
/// As [`take`], and [`Error::SchemaMismatch`] when the chunks' types differ.
pub fn take_chunks(chunks: &[&dyn Array], indices: &Indices) -> Result<ArrayRef> {
    let lengths: Vec<usize> = chunks.iter().map(|chunk| chunk.len()).collect();
    gather(chunks, &Places::locate(indices, &lengths, 1)?)
}

/// The rows of a table in batches, gathered into one batch of the given schema.
///
/// # Errors
/// As [`take_chunks`].
pub fn take_batches(schema: &SchemaRef, batches: &[RecordBatch], indices: &Indices) -> Result<RecordBatch> {
    let lengths: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    let places = Places::locate(indices, &lengths, schema.fields().len())?;
    let column = |column: usize| {
        let chunks: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        if chunks.is_empty() { empty(schema.field(column).data_type()) } else { gather(&chunks, &places) }
    };
    let columns = threads::try_map_if(indices.len(), (0..schema.fields().len()).collect(), column)?;
    arrays::batch(schema.clone(), columns, indices.len())
}

/// An array of no rows.
pub(crate) fn empty(data_type: &DataType) -> Result<ArrayRef> {
    blank(data_type, 0)
}

/// An array of no rows, or of one, which is null.
pub(crate) fn blank(data_type: &DataType, rows: usize) -> Result<ArrayRef> {
    let nulls = (rows > 0).then(|| NullBuffer::new_null(rows));
    match types::kind(data_type) {
        Kind::Null => Ok(arrays::nothing(rows)),
        Kind::Boolean => arrays::boolean_array(BooleanBuffer::new_unset(rows), nulls),
        Kind::Fixed(width, _) => {
            types::make_fixed_buffer(data_type, vec![0u8; rows * width.bytes()].into(), nulls, "take")
        }
        Kind::Bytes => make_bytes(data_type, rows, nulls, "take", |_| &[]),
        Kind::Dictionary => match data_type {
            DataType::Dictionary(key_type, values) => {
                dictionary_from_codes(key_type, vec![0; rows], nulls, empty(values)?)
            }
            _ => Err(types::unsupported("take", data_type)),
        },
        #[cfg(feature = "nested")]
        Kind::Nested => nested::blank(data_type, rows, nulls),
        #[cfg(not(feature = "nested"))]
        Kind::Nested => Err(types::unsupported("take", data_type)),
    }
}

fn gather(chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    let Some(data_type) = types::one_type(chunks)? else {
        return Err(Error::length_mismatch(1, 0));
    };
    match types::kind(data_type) {
        Kind::Null => Ok(arrays::nothing(places.len())),
        Kind::Boolean => {
            let values: Vec<&BooleanBuffer> = chunks.iter().map(|chunk| chunk.as_boolean().values()).collect();
            let bits = gather_bits(&values, places);
            arrays::boolean_array(bits, gather_nulls(chunks, places))
        }
        Kind::Fixed(width, _) => {
            #[cfg(feature = "small")]
            let buffer = small::gather_words(chunks, width.bytes(), places)?;
            #[cfg(not(feature = "small"))]
            let buffer = by_width!(width, |T| {
                Buffer::from_vec(gather_words(&types::chunk_words::<T>(chunks, "take")?, places))
            });
            types::make_fixed_buffer(data_type, buffer, gather_nulls(chunks, places), "take")
        }
        Kind::Bytes => gather_bytes(data_type, chunks, places),
        Kind::Dictionary => dictionary::gather(data_type, chunks, places),
        #[cfg(feature = "nested")]
        Kind::Nested => nested::gather(data_type, chunks, places),
        #[cfg(not(feature = "nested"))]
        Kind::Nested => Err(types::unsupported("take", data_type)),
    }
}

#[cfg(not(feature = "small"))]
fn gather_words<T: ArrowNativeType>(chunks: &[&[T]], places: &Places<'_>) -> Vec<T> {
    match places {
        Places::One(_, Some(clusters)) => clusters.gather(chunks[0]),
        Places::One(rows, None) => {
            let words = chunks[0];
            rows.iter().map(|&row| words[row as usize]).collect()
        }
        Places::Many(places) => places.iter().map(|&(chunk, row)| chunks[chunk as usize][row as usize]).collect(),
    }
}

fn gather_bits(chunks: &[&BooleanBuffer], places: &Places<'_>) -> BooleanBuffer {
    if let (Places::One(rows, _), [bits]) = (places, chunks) {
        return gather_bits_of(bits, rows);
    }
    bits::collect(places.len(), |position| {
        let (chunk, row) = places.get(position);
        chunks[chunk].value(row)
    })
}

/// Bits of one chunk, a word of 64 rows at a time.
fn gather_bits_of(from: &BooleanBuffer, rows: &[u32]) -> BooleanBuffer {
    let (bytes, offset) = (from.values(), from.offset());
    let words = rows.chunks(64).map(|rows| {
        rows.iter().enumerate().fold(0u64, |word, (bit, &row)| {
            let at = offset + row as usize;
            word | u64::from(bytes[at / 8] >> (at % 8) & 1) << bit
        })
    });
    bits::from_words(words.collect(), rows.len())
}

/// The validity of gathered rows; `None` when all are valid.
fn gather_nulls(chunks: &[&dyn Array], places: &Places<'_>) -> Option<NullBuffer> {
    let nulls: Vec<Option<&NullBuffer>> =
        chunks.iter().map(|chunk| chunk.nulls().filter(|nulls| nulls.null_count() > 0)).collect();
    if nulls.iter().all(Option::is_none) {
        return None;
    }
    if let (Places::One(rows, _), [Some(nulls)]) = (places, nulls.as_slice()) {
        return bits::nulls_from_bits(gather_bits_of(nulls.inner(), rows));
    }
    bits::nulls_from_bits(bits::collect(places.len(), |position| {
        let (chunk, row) = places.get(position);
        nulls[chunk].is_none_or(|nulls| nulls.is_valid(row))
    }))
}

fn gather_bytes(data_type: &DataType, chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    let columns = BytesColumn::of_chunks(chunks, "take")?;
    let nulls = gather_nulls(chunks, places);
    if let Some(array) = gather_views(data_type, &columns, places, nulls.as_ref()) {
        return Ok(array);
    }
    #[cfg(not(feature = "small"))]
    if let (Places::One(rows, clusters), [column], None) = (places, columns.as_slice(), &nulls)
        && let Some(array) = gather_short(data_type, *column, rows, clusters.as_ref())
    {
        return Ok(array);
    }
    make_bytes(data_type, places.len(), nulls, "take", |position| {
        let (chunk, row) = places.get(position);
        columns[chunk].get(row)
    })
}

/// Views are gathered as words and keep pointing into the buffers that they came from.
fn gather_views(
    data_type: &DataType,
    columns: &[BytesColumn<'_>],
    places: &Places<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<ArrayRef> {
    // Chunk after chunk, each chunk's buffers are appended, and its views' buffer numbers moved up.
    let mut buffers = Vec::new();
    let mut first_buffer = Vec::with_capacity(columns.len());
    for column in columns {
        let BytesColumn::View { buffers: of_chunk, .. } = column else { return None };
        first_buffer.push(buffers.len() as u128);
        buffers.extend(of_chunk.iter().cloned());
    }
    let views = (0..places.len()).map(|position| {
        let (chunk, row) = places.get(position);
        let BytesColumn::View { views, .. } = columns[chunk] else { return 0 };
        if nulls.is_some_and(|nulls| nulls.is_null(position)) {
            return 0;
        }
        let view = views[row];
        if view as u32 > 12 { view + (first_buffer[chunk] << 64) } else { view }
    });
    Some(make_view_array(data_type, views.collect(), buffers, nulls.cloned()))
}

/// Text of one length, or short text that clusters have been made for; `None` of others.
#[cfg(not(feature = "small"))]
fn gather_short(
    data_type: &DataType,
    column: BytesColumn<'_>,
    rows: &[u32],
    clusters: Option<&Clusters>,
) -> Option<ArrayRef> {
    let (offsets, values) = column.offsets()?;
    if let Some(array) = cells::gather(data_type, offsets, values, rows, clusters) {
        return Some(array);
    }
    let mut builder = WindowBuilder::new(data_type, rows.len());
    clusters?.short_text(&column, |windows| builder.extend(windows))?;
    builder.finish()
}
