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
    let type_table = builder.table(&described.slots);
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
        let key = builder.table(&describe(field, key_type)?.slots);
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

/// A type's kind, and the fields of the table that says more.
struct Described {
    kind: u8,
    slots: Vec<Slot>,
}

fn describe(field: &Field, data_type: &DataType) -> Result<Described> {
    use DataType as D;
    let unit = |unit: &TimeUnit| {
        Slot::I16(match unit {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => 1,
            TimeUnit::Microsecond => 2,
            TimeUnit::Nanosecond => 3,
        })
    };
    let int = |bits: i32, signed: bool| (k::INT, vec![Slot::I32(bits), Slot::Bool(signed)]);
    let decimal = |precision: &u8, scale: &i8, bits: i32| {
        (k::DECIMAL, vec![Slot::I32((*precision).into()), Slot::I32((*scale).into()), Slot::I32(bits)])
    };
    let (kind, slots) = match data_type {
        D::Null => (k::NULL, vec![]),
        D::Boolean => (k::BOOL, vec![]),
        D::Int8 => int(8, true),
        D::Int16 => int(16, true),
        D::Int32 => int(32, true),
        D::Int64 => int(64, true),
        D::UInt8 => int(8, false),
        D::UInt16 => int(16, false),
        D::UInt32 => int(32, false),
        D::UInt64 => int(64, false),
        D::Float16 => (k::FLOATING_POINT, vec![Slot::I16(0)]),
        D::Float32 => (k::FLOATING_POINT, vec![Slot::I16(1)]),
        D::Float64 => (k::FLOATING_POINT, vec![Slot::I16(2)]),
        D::Decimal32(precision, scale) => decimal(precision, scale, 32),
        D::Decimal64(precision, scale) => decimal(precision, scale, 64),
        D::Decimal128(precision, scale) => decimal(precision, scale, 128),
        D::Decimal256(precision, scale) => decimal(precision, scale, 256),
        D::Date32 => (k::DATE, vec![Slot::I16(0)]),
        D::Date64 => (k::DATE, vec![Slot::I16(1)]),
        D::Time32(of) => (k::TIME, vec![unit(of), Slot::I32(32)]),
        D::Time64(of) => (k::TIME, vec![unit(of), Slot::I32(64)]),
        D::Timestamp(of, zone) => (k::TIMESTAMP, vec![unit(of), if zone.is_some() { Slot::Link } else { Slot::Out }]),
        D::Duration(of) => (k::DURATION, vec![unit(of)]),
        D::Interval(of) => (
            k::INTERVAL,
            vec![Slot::I16(match of {
                IntervalUnit::YearMonth => 0,
                IntervalUnit::DayTime => 1,
                IntervalUnit::MonthDayNano => 2,
            })],
        ),
        D::Utf8 => (k::UTF8, vec![]),
        D::LargeUtf8 => (k::LARGE_UTF8, vec![]),
        D::Utf8View => (k::UTF8_VIEW, vec![]),
        D::Binary => (k::BINARY, vec![]),
        D::LargeBinary => (k::LARGE_BINARY, vec![]),
        D::BinaryView => (k::BINARY_VIEW, vec![]),
        D::FixedSizeBinary(size) => (k::FIXED_SIZE_BINARY, vec![Slot::I32(*size)]),
        D::List(_) => (k::LIST, vec![]),
        D::LargeList(_) => (k::LARGE_LIST, vec![]),
        D::ListView(_) => (k::LIST_VIEW, vec![]),
        D::LargeListView(_) => (k::LARGE_LIST_VIEW, vec![]),
        D::FixedSizeList(_, size) => (k::FIXED_SIZE_LIST, vec![Slot::I32(*size)]),
        D::Struct(_) => (k::STRUCT, vec![]),
        D::Map(_, ordered) => (k::MAP, vec![Slot::Bool(*ordered)]),
        D::RunEndEncoded(..) => (k::RUN_END_ENCODED, vec![]),
        D::Union(_, mode) => (k::UNION, vec![Slot::I16(i16::from(*mode == UnionMode::Dense)), Slot::Link]),
        // The format has one dictionary for a field, not a dictionary of dictionaries.
        D::Dictionary(..) => {
            let what = "dictionary of dictionaries";
            return Err(Box::new(Error::UnsupportedType { field: field.name().clone(), what }));
        }
    };
    Ok(Described { kind, slots })
}
