//! From Arrow fields to flatbuffers.

use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit, UnionMode};

use super::{Ids, children, kinds as k};
use crate::build::{Builder, Place, Slot};
use crate::{Error, Result};

/// Numbers the dictionaries of a schema, in the order of a walk over its fields.
pub(crate) fn assign_ids(schema: &Schema) -> Vec<Ids> {
    fn assign(field: &Field, next: &mut i64) -> Ids {
        let (dictionary, data_type) = match field.data_type() {
            DataType::Dictionary(_, values) => {
                *next += 1;
                (Some(*next - 1), values.as_ref())
            }
            other => (None, other),
        };
        Ids { dictionary, children: children(data_type).into_iter().map(|child| assign(child, next)).collect() }
    }
    let mut next = 0;
    schema.fields().iter().map(|field| assign(field, &mut next)).collect()
}

/// Adds a schema to a flatbuffer.
pub(crate) fn build(builder: &mut Builder, schema: &Schema, ids: &[Ids]) -> Result<Place> {
    let metadata = if schema.metadata().is_empty() { Slot::Out } else { Slot::Link };
    let table = builder.table(&[Slot::I16(0), Slot::Link, metadata]);
    let fields = builder.links(schema.fields().len());
    builder.link(table, 1, fields);
    for (index, (field, ids)) in schema.fields().iter().zip(ids).enumerate() {
        let field = build_field(builder, field, ids)?;
        builder.link_element(fields, index, field);
    }
    if !schema.metadata().is_empty() {
        let pairs = schema.metadata().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        builder.pairs(table, 2, sorted(pairs).into_iter());
    }
    Ok(table)
}

/// Maps have no order of their own; the same schema shall give the same bytes.
fn sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

fn build_field(builder: &mut Builder, field: &Field, ids: &Ids) -> Result<Place> {
    let (key_type, data_type) = match field.data_type() {
        DataType::Dictionary(key, values) => (Some(key.as_ref()), values.as_ref()),
        other => (None, other),
    };
    let link_if = |wanted: bool| if wanted { Slot::Link } else { Slot::Out };
    let described = describe(field, data_type)?;
    let table = builder.table(&[
        Slot::Link,
        Slot::Bool(field.is_nullable()),
        Slot::U8(described.kind),
        Slot::Link,
        link_if(key_type.is_some()),
        Slot::Link,
        link_if(!field.metadata().is_empty()),
    ]);
    let name = builder.text(field.name());
    builder.link(table, 0, name);
    let type_table = builder.table(described.slots());
    builder.link(table, 3, type_table);
    if let DataType::Timestamp(_, Some(zone)) = data_type {
        let zone = builder.text(zone);
        builder.link(type_table, 1, zone);
    }
    if let DataType::Union(fields, _) = data_type {
        let numbers: Vec<i32> = fields.iter().map(|(id, _)| id.into()).collect();
        let numbers = builder.ints(numbers.into_iter());
        builder.link(type_table, 1, numbers);
    }
    if let Some(key_type) = key_type {
        let ordered = field.dict_is_ordered().unwrap_or(false);
        let dictionary =
            builder.table(&[Slot::I64(ids.dictionary.unwrap_or(0)), Slot::Link, Slot::Bool(ordered), Slot::I16(0)]);
        builder.link(table, 4, dictionary);
        let key = builder.table(describe(field, key_type)?.slots());
        builder.link(dictionary, 1, key);
    }
    let below = children(data_type);
    let list = builder.links(below.len());
    builder.link(table, 5, list);
    for (index, (child, ids)) in below.into_iter().zip(&ids.children).enumerate() {
        let child = build_field(builder, child, ids)?;
        builder.link_element(list, index, child);
    }
    if !field.metadata().is_empty() {
        let pairs = field.metadata().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        builder.pairs(table, 6, sorted(pairs).into_iter());
    }
    Ok(table)
}

/// A type's kind, and the table that says more.
struct Described {
    kind: u8,
    slots: [Slot; 3],
    count: usize,
}

impl Described {
    fn slots(&self) -> &[Slot] {
        &self.slots[..self.count]
    }
}

fn describe(field: &Field, data_type: &DataType) -> Result<Described> {
    let (kind, [a, b, c]) = numbers(field, data_type)?;
    let link_if = |wanted: i32| if wanted == 1 { Slot::Link } else { Slot::Out };
    let (count, slots) = match kind {
        k::INT => (2, [Slot::I32(a), Slot::Bool(b == 1), Slot::Out]),
        k::DECIMAL => (3, [Slot::I32(a), Slot::I32(b), Slot::I32(c)]),
        k::FIXED_SIZE_BINARY | k::FIXED_SIZE_LIST => (1, [Slot::I32(a), Slot::Out, Slot::Out]),
        k::MAP => (1, [Slot::Bool(a == 1), Slot::Out, Slot::Out]),
        k::TIME => (2, [Slot::I16(a as i16), Slot::I32(b), Slot::Out]),
        k::TIMESTAMP | k::UNION => (2, [Slot::I16(a as i16), link_if(b), Slot::Out]),
        k::FLOATING_POINT | k::DATE | k::DURATION | k::INTERVAL => (1, [Slot::I16(a as i16), Slot::Out, Slot::Out]),
        _ => (0, [Slot::Out; 3]),
    };
    Ok(Described { kind, slots, count })
}

/// A type's kind, and the numbers and flags that say more, in the order of the format's fields.
fn numbers(field: &Field, data_type: &DataType) -> Result<(u8, [i32; 3])> {
    use DataType as D;
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    Ok(match data_type {
        D::Null => (k::NULL, [0; 3]),
        D::Boolean => (k::BOOL, [0; 3]),
        D::Int8 => (k::INT, [8, 1, 0]),
        D::Int16 => (k::INT, [16, 1, 0]),
        D::Int32 => (k::INT, [32, 1, 0]),
        D::Int64 => (k::INT, [64, 1, 0]),
        D::UInt8 => (k::INT, [8, 0, 0]),
        D::UInt16 => (k::INT, [16, 0, 0]),
        D::UInt32 => (k::INT, [32, 0, 0]),
        D::UInt64 => (k::INT, [64, 0, 0]),
        D::Float16 => (k::FLOATING_POINT, [0; 3]),
        D::Float32 => (k::FLOATING_POINT, [1, 0, 0]),
        D::Float64 => (k::FLOATING_POINT, [2, 0, 0]),
        D::Decimal32(precision, scale) => (k::DECIMAL, [(*precision).into(), (*scale).into(), 32]),
        D::Decimal64(precision, scale) => (k::DECIMAL, [(*precision).into(), (*scale).into(), 64]),
        D::Decimal128(precision, scale) => (k::DECIMAL, [(*precision).into(), (*scale).into(), 128]),
        D::Decimal256(precision, scale) => (k::DECIMAL, [(*precision).into(), (*scale).into(), 256]),
        D::Date32 => (k::DATE, [0; 3]),
        D::Date64 => (k::DATE, [1, 0, 0]),
        D::Time32(of) => (k::TIME, [unit(of), 32, 0]),
        D::Time64(of) => (k::TIME, [unit(of), 64, 0]),
        D::Timestamp(of, zone) => (k::TIMESTAMP, [unit(of), i32::from(zone.is_some()), 0]),
        D::Duration(of) => (k::DURATION, [unit(of), 0, 0]),
        D::Interval(IntervalUnit::YearMonth) => (k::INTERVAL, [0; 3]),
        D::Interval(IntervalUnit::DayTime) => (k::INTERVAL, [1, 0, 0]),
        D::Interval(IntervalUnit::MonthDayNano) => (k::INTERVAL, [2, 0, 0]),
        D::Utf8 => (k::UTF8, [0; 3]),
        D::LargeUtf8 => (k::LARGE_UTF8, [0; 3]),
        D::Utf8View => (k::UTF8_VIEW, [0; 3]),
        D::Binary => (k::BINARY, [0; 3]),
        D::LargeBinary => (k::LARGE_BINARY, [0; 3]),
        D::BinaryView => (k::BINARY_VIEW, [0; 3]),
        D::FixedSizeBinary(size) => (k::FIXED_SIZE_BINARY, [*size, 0, 0]),
        D::List(_) => (k::LIST, [0; 3]),
        D::LargeList(_) => (k::LARGE_LIST, [0; 3]),
        D::ListView(_) => (k::LIST_VIEW, [0; 3]),
        D::LargeListView(_) => (k::LARGE_LIST_VIEW, [0; 3]),
        D::FixedSizeList(_, size) => (k::FIXED_SIZE_LIST, [*size, 0, 0]),
        D::Struct(_) => (k::STRUCT, [0; 3]),
        D::Map(_, ordered) => (k::MAP, [i32::from(*ordered), 0, 0]),
        D::RunEndEncoded(..) => (k::RUN_END_ENCODED, [0; 3]),
        D::Union(_, mode) => (k::UNION, [i32::from(*mode == UnionMode::Dense), 1, 0]),
        // The format has one dictionary for a field, not a dictionary of dictionaries.
        D::Dictionary(..) => {
            let what = "dictionary of dictionaries";
            return Err(Box::new(Error::UnsupportedType { field: field.name().clone(), what }));
        }
    })
}
