//! Generated arrays of every type: nulls, extremes, NaN, signed zeros, empty and long text, odd slices.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{BooleanBuffer, NullBuffer, i256};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};

/// A small generator of repeatable numbers (xorshift64*).
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Every type that all kernels know.
pub(crate) fn types() -> Vec<DataType> {
    let text = || Box::new(DataType::Utf8);
    vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(TimeUnit::Millisecond),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("America/New_York".into())),
        DataType::Duration(TimeUnit::Millisecond),
        DataType::Decimal32(7, 2),
        DataType::Decimal64(15, 2),
        DataType::Decimal128(20, 3),
        DataType::Decimal256(60, 3),
        DataType::Null,
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::FixedSizeBinary(5),
        DataType::Dictionary(Box::new(DataType::Int8), text()),
        DataType::Dictionary(Box::new(DataType::UInt16), text()),
        DataType::Dictionary(Box::new(DataType::Int64), Box::new(DataType::Utf8View)),
    ]
}

fn nulls(random: &mut Random, rows: usize, percent: usize) -> Option<NullBuffer> {
    (percent > 0).then(|| NullBuffer::new(BooleanBuffer::collect_bool(rows, |_| !random.chance(percent))))
}

fn word(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << 63,
        3 => random.next(),
        _ => random.below(7) as u64,
    }
}

fn float(random: &mut Random) -> f64 {
    const ODD: [f64; 8] = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.5, -1.5, f64::MAX];
    match random.below(4) {
        0 => ODD[random.below(ODD.len())],
        1 => (random.next() >> 40) as f64 - 1e4,
        _ => random.below(9) as f64 - 4.0,
    }
}

fn text(random: &mut Random) -> String {
    const WORDS: [&str; 10] =
        ["", "a", "A", "aa", "abcdefgh", "abcdefghi", "abcdefgh\0", "ü€𝄞", "JFK", "jfk, New York"];
    match random.below(6) {
        0 => format!("prefix-of-many-bytes-{}", random.below(5)),
        1 => "long ".repeat(random.below(40)),
        _ => WORDS[random.below(WORDS.len())].to_owned(),
    }
}

/// An array of `rows` rows that is a slice with an odd offset of a larger one.
pub(crate) fn array(random: &mut Random, data_type: &DataType, rows: usize, null_percent: usize) -> ArrayRef {
    let (before, after) = (random.below(20), random.below(5));
    let whole = whole_array(random, data_type, before + rows + after, null_percent);
    whole.slice(before, rows)
}

fn whole_array(random: &mut Random, data_type: &DataType, rows: usize, null_percent: usize) -> ArrayRef {
    let nulls = nulls(random, rows, null_percent);
    macro_rules! primitive {
        ($t:ty, $make:expr) => {{
            let values: Vec<<$t as ArrowPrimitiveType>::Native> = (0..rows).map(|_| $make(random)).collect();
            Arc::new(PrimitiveArray::<$t>::new(values.into(), nulls).with_data_type(data_type.clone())) as ArrayRef
        }};
    }
    match data_type {
        DataType::Boolean => {
            Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(rows, |_| random.chance(40)), nulls))
        }
        DataType::Int8 => primitive!(Int8Type, |r| word(r) as i8),
        DataType::Int16 => primitive!(Int16Type, |r| word(r) as i16),
        DataType::Int32 => primitive!(Int32Type, |r| word(r) as i32),
        DataType::Int64 => primitive!(Int64Type, |r| word(r) as i64),
        DataType::UInt8 => primitive!(UInt8Type, |r| word(r) as u8),
        DataType::UInt16 => primitive!(UInt16Type, |r| word(r) as u16),
        DataType::UInt32 => primitive!(UInt32Type, |r| word(r) as u32),
        DataType::UInt64 => primitive!(UInt64Type, word),
        DataType::Float16 => {
            primitive!(Float16Type, |r| <Float16Type as ArrowPrimitiveType>::Native::from_f64(float(r)))
        }
        DataType::Float32 => primitive!(Float32Type, |r| float(r) as f32),
        DataType::Float64 => primitive!(Float64Type, float),
        DataType::Date32 => primitive!(Date32Type, |r| word(r) as i32),
        DataType::Date64 => primitive!(Date64Type, |r| word(r) as i64),
        DataType::Time32(_) => primitive!(Time32MillisecondType, |r: &mut Random| r.below(50) as i32),
        DataType::Time64(_) => primitive!(Time64NanosecondType, |r: &mut Random| r.below(50) as i64),
        DataType::Timestamp(TimeUnit::Second, _) => primitive!(TimestampSecondType, |r| word(r) as i64),
        DataType::Timestamp(..) => primitive!(TimestampMicrosecondType, |r| word(r) as i64),
        DataType::Duration(_) => primitive!(DurationMillisecondType, |r| word(r) as i64),
        DataType::Null => Arc::new(NullArray::new(rows)),
        DataType::Decimal32(..) => primitive!(Decimal32Type, |r| word(r) as i32 / 300),
        DataType::Decimal64(..) => primitive!(Decimal64Type, |r| word(r) as i64 / 300_000),
        DataType::Decimal128(..) => primitive!(Decimal128Type, |r| i128::from(word(r) as i64) * 3),
        DataType::Decimal256(..) => primitive!(Decimal256Type, |r| i256::from_i128(i128::from(word(r) as i64))),
        DataType::FixedSizeBinary(size) => {
            let values: Vec<u8> = (0..rows * *size as usize).map(|_| random.below(3) as u8).collect();
            Arc::new(FixedSizeBinaryArray::new(*size, values.into(), nulls))
        }
        _ => {
            let strings: StringArray = (0..rows)
                .map(|row| {
                    let value = text(random);
                    nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(value)
                })
                .collect();
            cast(&strings, data_type).unwrap()
        }
    }
}

/// An array cut into chunks of random lengths, empty ones among them.
pub(crate) fn cut(random: &mut Random, array: &ArrayRef) -> Vec<ArrayRef> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < array.len() {
        let rows = random.below(array.len() - start + 1);
        chunks.push(array.slice(start, rows));
        start += rows;
    }
    if chunks.is_empty() {
        chunks.push(array.clone());
    }
    chunks
}

/// A batch cut into batches of random lengths.
pub(crate) fn cut_batch(random: &mut Random, batch: &RecordBatch) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    let mut start = 0;
    while start < batch.num_rows() {
        let rows = 1 + random.below(batch.num_rows() - start);
        batches.push(batch.slice(start, rows));
        start += rows;
    }
    batches
}

pub(crate) fn refs(chunks: &[ArrayRef]) -> Vec<&dyn Array> {
    chunks.iter().map(|chunk| chunk.as_ref()).collect()
}
