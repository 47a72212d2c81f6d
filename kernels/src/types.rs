//! The one list of types, sorted by how their values lie in memory.
//!
//! Kernels are monomorphised by **byte width**, not by logical type: an `Int32`, a `Date32` and a
//! `Time32` are all four-byte words, and what differs between them – how the words are ordered – is a
//! field of [`Kind`], not a type parameter. Each kernel looks at the kind once per array.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{AnyDictionaryArray, Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use crate::arrays::aligned;
use crate::error::all;
pub(crate) use crate::word::Word;
use crate::{Error, Result, lanes};

/// Bytes of a fixed-width value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    W1,
    W2,
    W4,
    W8,
    W16,
    /// Sixteen bytes that are only aligned to eight (month-day-nano intervals).
    W16Interval,
    W32,
}

impl Width {
    /// The number of bytes.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::W1 => 1,
            Self::W2 => 2,
            Self::W4 => 4,
            Self::W8 => 8,
            Self::W16 | Self::W16Interval => 16,
            Self::W32 => 32,
        }
    }
}

/// How the words of a fixed-width type are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Unsigned,
    Signed,
    /// IEEE 754 total order.
    Float,
    /// Equality only (intervals of several units).
    None,
}

/// How the values of a type lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Fixed(Width, Order),
    /// Bytes behind 32-bit or 64-bit offsets, or views, or of one fixed length: see `bytes.rs`.
    Bytes,
    Dictionary,
    /// Lists, structs, maps, unions, run-end encoding.
    Nested,
}

/// The kind of a type.
pub(crate) fn kind(data_type: &DataType) -> Kind {
    use DataType as D;
    match data_type {
        D::Null => Kind::Null,
        D::Boolean => Kind::Boolean,
        D::UInt8 => Kind::Fixed(Width::W1, Order::Unsigned),
        D::UInt16 => Kind::Fixed(Width::W2, Order::Unsigned),
        D::UInt32 => Kind::Fixed(Width::W4, Order::Unsigned),
        D::UInt64 => Kind::Fixed(Width::W8, Order::Unsigned),
        D::Int8 => Kind::Fixed(Width::W1, Order::Signed),
        D::Int16 => Kind::Fixed(Width::W2, Order::Signed),
        D::Int32 | D::Date32 | D::Time32(_) | D::Decimal32(..) | D::Interval(IntervalUnit::YearMonth) => {
            Kind::Fixed(Width::W4, Order::Signed)
        }
        D::Int64 | D::Date64 | D::Time64(_) | D::Timestamp(..) | D::Duration(_) | D::Decimal64(..) => {
            Kind::Fixed(Width::W8, Order::Signed)
        }
        D::Decimal128(..) => Kind::Fixed(Width::W16, Order::Signed),
        D::Decimal256(..) => Kind::Fixed(Width::W32, Order::Signed),
        D::Float16 => Kind::Fixed(Width::W2, Order::Float),
        D::Float32 => Kind::Fixed(Width::W4, Order::Float),
        D::Float64 => Kind::Fixed(Width::W8, Order::Float),
        D::Interval(IntervalUnit::DayTime) => Kind::Fixed(Width::W8, Order::None),
        D::Interval(IntervalUnit::MonthDayNano) => Kind::Fixed(Width::W16Interval, Order::None),
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
            Kind::Bytes
        }
        D::Dictionary(..) => Kind::Dictionary,
        D::List(_)
        | D::LargeList(_)
        | D::ListView(_)
        | D::LargeListView(_)
        | D::FixedSizeList(..)
        | D::Struct(_)
        | D::Union(..)
        | D::Map(..)
        | D::RunEndEncoded(..) => Kind::Nested,
    }
}

/// The type of all chunks of a column; `None` without chunks.
pub(crate) fn one_type<'a>(chunks: &[&'a dyn Array]) -> Result<Option<&'a DataType>> {
    let Some(first) = chunks.first() else { return Ok(None) };
    let data_type = first.data_type();
    match chunks.iter().enumerate().find(|(_, chunk)| chunk.data_type() != data_type) {
        None => Ok(Some(data_type)),
        Some((column, odd)) => Err(Error::schema_mismatch(column, data_type, odd.data_type())),
    }
}

/// The chunks of a dictionary column.
pub(crate) fn dictionaries<'a>(
    chunks: &[&'a dyn Array],
    operation: &'static str,
) -> Result<Vec<&'a dyn AnyDictionaryArray>> {
    let one =
        |chunk: &&'a dyn Array| chunk.as_any_dictionary_opt().ok_or_else(|| unsupported(operation, chunk.data_type()));
    all(chunks.iter().map(one))
}

/// Whether a type holds text: strings, or a dictionary of strings.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Calls `$go!(pattern => ArrowType)` style arms for every fixed-width logical type.
macro_rules! for_each_fixed {
    ($subject:expr, |$t:ident| $body:expr, _ => $rest:expr) => {{
        use DataType as D;
        macro_rules! arm {
            ($name:ident) => {{
                type $t = $name;
                $body
            }};
        }
        match $subject {
            D::Int8 => arm!(Int8Type),
            D::Int16 => arm!(Int16Type),
            D::Int32 => arm!(Int32Type),
            D::Int64 => arm!(Int64Type),
            D::UInt8 => arm!(UInt8Type),
            D::UInt16 => arm!(UInt16Type),
            D::UInt32 => arm!(UInt32Type),
            D::UInt64 => arm!(UInt64Type),
            D::Float16 => arm!(Float16Type),
            D::Float32 => arm!(Float32Type),
            D::Float64 => arm!(Float64Type),
            D::Date32 => arm!(Date32Type),
            D::Date64 => arm!(Date64Type),
            D::Time32(TimeUnit::Second) => arm!(Time32SecondType),
            D::Time32(TimeUnit::Millisecond) => arm!(Time32MillisecondType),
            D::Time64(TimeUnit::Microsecond) => arm!(Time64MicrosecondType),
            D::Time64(TimeUnit::Nanosecond) => arm!(Time64NanosecondType),
            D::Timestamp(TimeUnit::Second, _) => arm!(TimestampSecondType),
            D::Timestamp(TimeUnit::Millisecond, _) => arm!(TimestampMillisecondType),
            D::Timestamp(TimeUnit::Microsecond, _) => arm!(TimestampMicrosecondType),
            D::Timestamp(TimeUnit::Nanosecond, _) => arm!(TimestampNanosecondType),
            D::Duration(TimeUnit::Second) => arm!(DurationSecondType),
            D::Duration(TimeUnit::Millisecond) => arm!(DurationMillisecondType),
            D::Duration(TimeUnit::Microsecond) => arm!(DurationMicrosecondType),
            D::Duration(TimeUnit::Nanosecond) => arm!(DurationNanosecondType),
            D::Interval(IntervalUnit::YearMonth) => arm!(IntervalYearMonthType),
            D::Interval(IntervalUnit::DayTime) => arm!(IntervalDayTimeType),
            D::Interval(IntervalUnit::MonthDayNano) => arm!(IntervalMonthDayNanoType),
            D::Decimal32(..) => arm!(Decimal32Type),
            D::Decimal64(..) => arm!(Decimal64Type),
            D::Decimal128(..) => arm!(Decimal128Type),
            D::Decimal256(..) => arm!(Decimal256Type),
            _ => $rest,
        }
    }};
}

/// Runs `$body` with `$t` bound to the native word of a width.
#[cfg(not(feature = "small"))]
macro_rules! by_width {
    ($width:expr, |$t:ident| $body:expr) => {{
        macro_rules! arm {
            ($name:ty) => {{
                type $t = $name;
                $body
            }};
        }
        match $width {
            $crate::types::Width::W1 => arm!(u8),
            $crate::types::Width::W2 => arm!(u16),
            $crate::types::Width::W4 => arm!(u32),
            $crate::types::Width::W8 => arm!(u64),
            $crate::types::Width::W16 => arm!(u128),
            $crate::types::Width::W16Interval => arm!(arrow_buffer::IntervalMonthDayNano),
            $crate::types::Width::W32 => arm!(arrow_buffer::i256),
        }
    }};
}
#[cfg(not(feature = "small"))]
pub(crate) use by_width;

/// The values of a fixed-width array as a buffer that begins at the array's first row.
pub(crate) fn fixed_buffer(array: &dyn Array) -> Option<&Buffer> {
    let any = array.as_any();
    for_each_fixed!(
        array.data_type(),
        |T| any.downcast_ref::<PrimitiveArray<T>>().map(|array| array.values().inner()),
        _ => None
    )
}

/// The values of a fixed-width array as words.
pub(crate) fn fixed_words<'a, T: ArrowNativeType>(array: &'a dyn Array, operation: &'static str) -> Result<&'a [T]> {
    match fixed_buffer(array) {
        Some(buffer) => Ok(&buffer.typed_data::<T>()[..array.len()]),
        None => Err(unsupported(operation, array.data_type())),
    }
}

/// An array of a fixed-width type from its words.
pub(crate) fn make_fixed<T: ArrowNativeType>(
    data_type: &DataType,
    words: Vec<T>,
    nulls: Option<NullBuffer>,
    operation: &'static str,
) -> Result<ArrayRef> {
    make_fixed_buffer(data_type, Buffer::from_vec(words), nulls, operation)
}

/// The word that has a key (see [`Word::to_key`]), of any width up to 64 bits.
#[inline(always)]
pub(crate) fn word_of(key: u64, width: Width, order: Order) -> u64 {
    let top = 1 << (8 * width.bytes() - 1);
    match order {
        Order::Unsigned | Order::None => key,
        Order::Signed => key ^ top,
        Order::Float => key ^ if key < top { top | (top - 1) } else { top },
    }
}

/// An array of a type whose words have at most 64 bits, from the low bits of the given ones.
pub(crate) fn make_narrow(
    data_type: &DataType,
    width: Width,
    words: impl Iterator<Item = u64>,
    nulls: Option<NullBuffer>,
    operation: &'static str,
) -> Result<ArrayRef> {
    if cfg!(feature = "small") {
        // One loop for all that give words, and one for each width.
        let words: Vec<u64> = words.collect();
        return make_fixed_buffer(data_type, narrowed(data_type, width, &words, operation)?, nulls, operation);
    }
    let buffer = by_narrow_width!(width, operation, data_type, |T| {
        Buffer::from_vec(words.map(|word| T::narrow(word.into())).collect::<Vec<T>>())
    });
    make_fixed_buffer(data_type, buffer, nulls, operation)
}

fn narrowed(data_type: &DataType, width: Width, words: &[u64], operation: &'static str) -> Result<Buffer> {
    Ok(by_narrow_width!(width, operation, data_type, |T| {
        Buffer::from_vec(words.iter().map(|&word| T::narrow(word.into())).collect::<Vec<T>>())
    }))
}

/// As [`make_fixed`], over a buffer. What can be wrong is looked at once for all types, so that each type's own code only
/// puts the parts together.
pub(crate) fn make_fixed_buffer(
    data_type: &DataType,
    buffer: Buffer,
    nulls: Option<NullBuffer>,
    operation: &'static str,
) -> Result<ArrayRef> {
    let Kind::Fixed(width, _) = kind(data_type) else { return Err(unsupported(operation, data_type)) };
    let rows = buffer.len() / width.bytes();
    if let Some(nulls) = &nulls
        && nulls.len() != rows
    {
        return Err(Error::length_mismatch(rows, nulls.len()));
    }
    // No word is aligned to more than sixteen bytes.
    let buffer = aligned(&buffer, buffer.len(), width.bytes().min(16));
    for_each_fixed!(
        data_type,
        |T| {
            // SAFETY: the buffer is aligned to the width, or to sixteen bytes, and no word needs more.
            let values = unsafe { ScalarBuffer::<<T as ArrowPrimitiveType>::Native>::new_unchecked(buffer) };
            // SAFETY: the validity has one bit for each value, as was compared above.
            let array = unsafe { PrimitiveArray::<T>::new_unchecked(values, nulls) };
            if has_parameters(data_type) {
                Ok(Arc::new(array.with_data_type(data_type.clone())))
            } else {
                Ok(Arc::new(array))
            }
        },
        _ => Err(unsupported(operation, data_type))
    )
}

/// Whether types of this kind differ in more than the kind: a time zone, or a precision and scale.
#[inline(always)]
fn has_parameters(data_type: &DataType) -> bool {
    use DataType as D;
    matches!(data_type, D::Timestamp(..) | D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..))
}

/// The values of each chunk of a fixed-width column as words.
#[cfg(not(feature = "small"))]
pub(crate) fn chunk_words<'a, T: ArrowNativeType>(
    chunks: &[&'a dyn Array],
    operation: &'static str,
) -> Result<Vec<&'a [T]>> {
    let mut words = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        words.push(fixed_words(*chunk, operation)?);
    }
    Ok(words)
}

/// The error for a type that a kernel does not know.
#[cold]
#[inline(never)]
pub(crate) fn unsupported(operation: &'static str, data_type: &DataType) -> Box<Error> {
    Box::new(Error::UnsupportedType { operation, data_type: data_type.clone() })
}

/// Runs `$body` with `$t` bound to the word of a width that has an order, or returns an error.
macro_rules! by_ordered_width {
    ($width:expr, $operation:expr, $data_type:expr, |$t:ident| $body:expr) => {
        $crate::types::by_word!($width, $operation, $data_type, |$t| $body, $crate::types::Width::W16 => u128)
    };
}
pub(crate) use by_ordered_width;

/// As [`by_ordered_width`], of words of at most 64 bits.
macro_rules! by_narrow_width {
    ($width:expr, $operation:expr, $data_type:expr, |$t:ident| $body:expr) => {
        $crate::types::by_word!($width, $operation, $data_type, |$t| $body,)
    };
}
pub(crate) use by_narrow_width;

/// As [`by_ordered_width`], with the widths beyond 64 bits that are named.
macro_rules! by_word {
    ($width:expr, $operation:expr, $data_type:expr, |$t:ident| $body:expr, $($wide:pat => $word:ident)?) => {{
        macro_rules! arm {
            ($name:ty) => {{
                type $t = $name;
                $body
            }};
        }
        match $width {
            $crate::types::Width::W1 => arm!(u8),
            $crate::types::Width::W2 => arm!(u16),
            $crate::types::Width::W4 => arm!(u32),
            $crate::types::Width::W8 => arm!(u64),
            $($wide => arm!($word),)?
            _ => return Err($crate::types::unsupported($operation, $data_type)),
        }
    }};
}
pub(crate) use by_word;

/// The rows at `at` of a column of words of at most 64 bits, with zeros above them.
pub(crate) fn load_words(array: &dyn Array, at: usize, words: &mut [u64], operation: &'static str) -> Result<()> {
    match (kind(array.data_type()), fixed_buffer(array)) {
        (Kind::Fixed(width @ (Width::W1 | Width::W2 | Width::W4 | Width::W8), _), Some(buffer)) => {
            widen(buffer, width, at, words);
            Ok(())
        }
        _ => Err(unsupported(operation, array.data_type())),
    }
}

/// Where the value of each row stands among a dictionary's values; of a null anywhere, and of all rows at zero when there are
/// no values (then all are null, and Arrow will not say).
pub(crate) fn value_places(dictionary: &dyn AnyDictionaryArray) -> Vec<usize> {
    if dictionary.values().is_empty() { vec![0; dictionary.len()] } else { dictionary.normalized_keys() }
}

/// The words at `at` of a buffer of words of at most 64 bits, with zeros above them.
pub(crate) fn widen(buffer: &Buffer, width: Width, at: usize, words: &mut [u64]) {
    fn each<T: ArrowNativeType + Into<u64>>(buffer: &Buffer, at: usize, words: &mut [u64]) {
        let from = &buffer.typed_data::<T>()[at..at + words.len()];
        words.iter_mut().zip(from).for_each(|(word, &from)| *word = from.into());
    }
    match width {
        Width::W1 => each::<u8>(buffer, at, words),
        Width::W2 => each::<u16>(buffer, at, words),
        Width::W4 => lanes::widen_u32(&buffer.typed_data()[at..at + words.len()], words),
        _ => words.copy_from_slice(&buffer.typed_data()[at..at + words.len()]),
    }
}

/// One word of a buffer of words of at most 64 bits, with zeros above it.
#[inline(always)]
pub(crate) fn word_at(buffer: &[u8], width: Width, row: usize) -> u64 {
    fn bytes<const N: usize>(buffer: &[u8], row: usize) -> [u8; N] {
        buffer[N * row..].first_chunk().copied().unwrap_or([0; N])
    }
    match width {
        Width::W1 => buffer[row].into(),
        Width::W2 => u16::from_le_bytes(bytes(buffer, row)).into(),
        Width::W4 => u32::from_le_bytes(bytes(buffer, row)).into(),
        _ => u64::from_le_bytes(bytes(buffer, row)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_its_bytes_are() {
        let buffer = Buffer::from_vec(vec![0x0807_0605_0403_0201u64, u64::MAX, 3]);
        for (width, row, word) in
            [(Width::W1, 2, 3), (Width::W2, 1, 0x0403), (Width::W4, 1, 0x0807_0605), (Width::W8, 2, 3)]
        {
            let mut one = [0];
            widen(&buffer, width, row, &mut one);
            assert_eq!((word_at(&buffer, width, row), one[0]), (word, word));
        }
    }

    #[test]
    fn keys_are_ordered_as_the_values_are() {
        let floats = [f64::from_bits(u64::MAX), f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN];
        let keys: Vec<u64> = floats.iter().map(|v| v.to_bits().to_key(Order::Float)).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] < pair[1]));
        for (value, key) in floats.iter().zip(&keys) {
            assert_eq!(key.to_word(Order::Float), value.to_bits());
        }
        let signed: Vec<u8> = [-128i8, -1, 0, 127].iter().map(|v| (*v as u8).to_key(Order::Signed)).collect();
        assert_eq!(signed, [0, 127, 128, 255]);
    }
}
