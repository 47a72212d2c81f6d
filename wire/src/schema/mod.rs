//! Schemas: Arrow fields from flatbuffers and to them, and where their dictionaries are found.

mod distinct;
mod read;
#[cfg(feature = "encode")]
mod write;

use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef};

pub use distinct::{distinct_names, distinct_schema};
pub(crate) use read::{read, read_pairs};
#[cfg(feature = "encode")]
pub(crate) use write::{assign_ids, build};

/// The kinds of types, by their numbers in `Schema.fbs`.
pub(crate) mod kinds {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const INT: u8 = 2;
    pub(crate) const FLOATING_POINT: u8 = 3;
    pub(crate) const BINARY: u8 = 4;
    pub(crate) const UTF8: u8 = 5;
    pub(crate) const BOOL: u8 = 6;
    pub(crate) const DECIMAL: u8 = 7;
    pub(crate) const DATE: u8 = 8;
    pub(crate) const TIME: u8 = 9;
    pub(crate) const TIMESTAMP: u8 = 10;
    pub(crate) const INTERVAL: u8 = 11;
    pub(crate) const LIST: u8 = 12;
    pub(crate) const STRUCT: u8 = 13;
    pub(crate) const UNION: u8 = 14;
    pub(crate) const FIXED_SIZE_BINARY: u8 = 15;
    pub(crate) const FIXED_SIZE_LIST: u8 = 16;
    pub(crate) const MAP: u8 = 17;
    pub(crate) const DURATION: u8 = 18;
    pub(crate) const LARGE_BINARY: u8 = 19;
    pub(crate) const LARGE_UTF8: u8 = 20;
    pub(crate) const LARGE_LIST: u8 = 21;
    pub(crate) const RUN_END_ENCODED: u8 = 22;
    pub(crate) const BINARY_VIEW: u8 = 23;
    pub(crate) const UTF8_VIEW: u8 = 24;
    pub(crate) const LIST_VIEW: u8 = 25;
    pub(crate) const LARGE_LIST_VIEW: u8 = 26;
}

/// A field's dictionary number, and those of its children: a tree beside the field's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    pub(crate) dictionary: Option<i64>,
    pub(crate) children: Vec<Ids>,
}

/// A schema with its dictionaries' numbers.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) schema: SchemaRef,
    pub(crate) ids: Vec<Ids>,
}

impl Layout {
    /// The field whose values a dictionary holds (its type is the values' type), and the numbers below it.
    pub(crate) fn dictionary_field(&self, id: i64) -> Option<(&Field, &Ids)> {
        fn find<'a>(field: &'a Field, ids: &'a Ids, id: i64) -> Option<(&'a Field, &'a Ids)> {
            if ids.dictionary == Some(id) {
                return Some((field, ids));
            }
            let data_type = match field.data_type() {
                DataType::Dictionary(_, values) => values.as_ref(),
                other => other,
            };
            children(data_type).into_iter().zip(&ids.children).find_map(|(field, ids)| find(field, ids, id))
        }
        self.schema.fields().iter().zip(&self.ids).find_map(|(field, ids)| find(field, ids, id))
    }
}

/// The child fields of a nested type.
fn children(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => vec![child],
        DataType::Struct(fields) => fields.iter().map(Arc::as_ref).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.as_ref()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends, values],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use arrow_ipc::Type;

    use super::kinds as k;

    #[test]
    fn kinds_have_the_numbers_of_the_format() {
        let pairs = [
            (k::NULL, Type::Null),
            (k::INT, Type::Int),
            (k::FLOATING_POINT, Type::FloatingPoint),
            (k::BINARY, Type::Binary),
            (k::UTF8, Type::Utf8),
            (k::BOOL, Type::Bool),
            (k::DECIMAL, Type::Decimal),
            (k::DATE, Type::Date),
            (k::TIME, Type::Time),
            (k::TIMESTAMP, Type::Timestamp),
            (k::INTERVAL, Type::Interval),
            (k::LIST, Type::List),
            (k::STRUCT, Type::Struct_),
            (k::UNION, Type::Union),
            (k::FIXED_SIZE_BINARY, Type::FixedSizeBinary),
            (k::FIXED_SIZE_LIST, Type::FixedSizeList),
            (k::MAP, Type::Map),
            (k::DURATION, Type::Duration),
            (k::LARGE_BINARY, Type::LargeBinary),
            (k::LARGE_UTF8, Type::LargeUtf8),
            (k::LARGE_LIST, Type::LargeList),
            (k::RUN_END_ENCODED, Type::RunEndEncoded),
            (k::BINARY_VIEW, Type::BinaryView),
            (k::UTF8_VIEW, Type::Utf8View),
            (k::LIST_VIEW, Type::ListView),
            (k::LARGE_LIST_VIEW, Type::LargeListView),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(ours, theirs.0, "{theirs:?}");
        }
    }
}
