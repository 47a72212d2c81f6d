//! Schemas: from flatbuffers to Arrow fields, and where their dictionaries are found.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_ipc::{DateUnit, Endianness, IntervalUnit as FbIntervalUnit, Precision, TimeUnit as FbTimeUnit, Type};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, SchemaRef, TimeUnit, UnionFields, UnionMode};

use crate::{Error, Limits, Result};

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

/// Reads a schema.
pub(crate) fn read(schema: arrow_ipc::Schema<'_>, offset: u64, limits: &Limits) -> Result<Layout> {
    if schema.endianness() != Endianness::Little {
        return Err(Error::BigEndian);
    }
    let mut reader = Reader { offset, limits, fields: 0 };
    let mut fields = Vec::new();
    let mut ids = Vec::new();
    for field in schema.fields().iter().flatten() {
        let (field, id) = reader.field(field, 0)?;
        fields.push(field);
        ids.push(id);
    }
    let metadata: HashMap<String, String> = schema
        .custom_metadata()
        .iter()
        .flatten()
        .filter_map(|pair| Some((pair.key()?.to_owned(), pair.value()?.to_owned())))
        .collect();
    Ok(Layout { schema: Arc::new(Schema::new_with_metadata(fields, metadata)), ids })
}

struct Reader<'a> {
    offset: u64,
    limits: &'a Limits,
    fields: usize,
}

impl Reader<'_> {
    fn field(&mut self, field: arrow_ipc::Field<'_>, depth: usize) -> Result<(Field, Ids)> {
        self.fields += 1;
        if self.fields > self.limits.fields {
            return Err(self.limit("number of fields", self.fields, self.limits.fields));
        }
        if depth > self.limits.depth {
            return Err(self.limit("depth of fields", depth, self.limits.depth));
        }
        let name = field.name().unwrap_or("");
        let mut fields = Vec::new();
        let mut ids = Ids::default();
        for child in field.children().iter().flatten() {
            let (child, id) = self.field(child, depth + 1)?;
            fields.push(Arc::new(child));
            ids.children.push(id);
        }
        let mut data_type = self.data_type(field, name, fields)?;
        if let Some(dictionary) = field.dictionary() {
            let key = match dictionary.indexType() {
                Some(int) => self.int(int)?,
                None => DataType::Int32,
            };
            ids.dictionary = Some(dictionary.id());
            data_type = DataType::Dictionary(Box::new(key), Box::new(data_type));
        }
        let metadata: HashMap<String, String> = field
            .custom_metadata()
            .iter()
            .flatten()
            .filter_map(|pair| Some((pair.key()?.to_owned(), pair.value()?.to_owned())))
            .collect();
        Ok((Field::new(name, data_type, field.nullable()).with_metadata(metadata), ids))
    }

    fn limit(&self, what: &'static str, found: usize, limit: usize) -> Error {
        Error::Limit { offset: self.offset, what, found: found as i64, limit }
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Metadata { offset: self.offset, what }
    }

    fn int(&self, int: arrow_ipc::Int<'_>) -> Result<DataType> {
        Ok(match (int.bitWidth(), int.is_signed()) {
            (8, true) => DataType::Int8,
            (8, false) => DataType::UInt8,
            (16, true) => DataType::Int16,
            (16, false) => DataType::UInt16,
            (32, true) => DataType::Int32,
            (32, false) => DataType::UInt32,
            (64, true) => DataType::Int64,
            (64, false) => DataType::UInt64,
            _ => return Err(self.malformed("an integer is neither 8, 16, 32 nor 64 bits wide")),
        })
    }

    fn unit(&self, unit: FbTimeUnit) -> Result<TimeUnit> {
        Ok(match unit {
            FbTimeUnit::SECOND => TimeUnit::Second,
            FbTimeUnit::MILLISECOND => TimeUnit::Millisecond,
            FbTimeUnit::MICROSECOND => TimeUnit::Microsecond,
            FbTimeUnit::NANOSECOND => TimeUnit::Nanosecond,
            _ => return Err(self.malformed("an unknown time unit")),
        })
    }

    fn data_type(&self, field: arrow_ipc::Field<'_>, name: &str, mut children: Vec<Arc<Field>>) -> Result<DataType> {
        let missing = || self.malformed("a field lacks the description of its type");
        let mut one = || -> Result<Arc<Field>> {
            match (children.pop(), children.is_empty()) {
                (Some(child), true) => Ok(child),
                _ => Err(Error::Metadata { offset: self.offset, what: "a list has not one child" }),
            }
        };
        Ok(match field.type_type() {
            Type::Null => DataType::Null,
            Type::Bool => DataType::Boolean,
            Type::Utf8 => DataType::Utf8,
            Type::LargeUtf8 => DataType::LargeUtf8,
            Type::Utf8View => DataType::Utf8View,
            Type::Binary => DataType::Binary,
            Type::LargeBinary => DataType::LargeBinary,
            Type::BinaryView => DataType::BinaryView,
            Type::Int => self.int(field.type_as_int().ok_or_else(missing)?)?,
            Type::FloatingPoint => match field.type_as_floating_point().ok_or_else(missing)?.precision() {
                Precision::HALF => DataType::Float16,
                Precision::SINGLE => DataType::Float32,
                Precision::DOUBLE => DataType::Float64,
                _ => return Err(self.malformed("an unknown floating-point precision")),
            },
            Type::Date => match field.type_as_date().ok_or_else(missing)?.unit() {
                DateUnit::DAY => DataType::Date32,
                DateUnit::MILLISECOND => DataType::Date64,
                _ => return Err(self.malformed("an unknown date unit")),
            },
            Type::Time => {
                let time = field.type_as_time().ok_or_else(missing)?;
                match (time.bitWidth(), self.unit(time.unit())?) {
                    (32, unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => DataType::Time32(unit),
                    (64, unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => DataType::Time64(unit),
                    _ => return Err(self.malformed("a time's width does not fit its unit")),
                }
            }
            Type::Timestamp => {
                let timestamp = field.type_as_timestamp().ok_or_else(missing)?;
                DataType::Timestamp(self.unit(timestamp.unit())?, timestamp.timezone().map(Into::into))
            }
            Type::Duration => DataType::Duration(self.unit(field.type_as_duration().ok_or_else(missing)?.unit())?),
            Type::Interval => DataType::Interval(match field.type_as_interval().ok_or_else(missing)?.unit() {
                FbIntervalUnit::YEAR_MONTH => IntervalUnit::YearMonth,
                FbIntervalUnit::DAY_TIME => IntervalUnit::DayTime,
                FbIntervalUnit::MONTH_DAY_NANO => IntervalUnit::MonthDayNano,
                _ => return Err(self.malformed("an unknown interval unit")),
            }),
            Type::Decimal => {
                let decimal = field.type_as_decimal().ok_or_else(missing)?;
                let bits = decimal.bitWidth();
                let most = match bits {
                    32 => 9,
                    64 => 18,
                    128 => 38,
                    256 => 76,
                    _ => return Err(self.malformed("a decimal is neither 32, 64, 128 nor 256 bits wide")),
                };
                let (Ok(precision), Ok(scale)) = (u8::try_from(decimal.precision()), i8::try_from(decimal.scale()))
                else {
                    return Err(self.malformed("a decimal's precision or scale is out of range"));
                };
                if precision == 0 || precision > most || i32::from(scale) > i32::from(precision) {
                    return Err(self.malformed("a decimal's precision or scale is out of range"));
                }
                match bits {
                    32 => DataType::Decimal32(precision, scale),
                    64 => DataType::Decimal64(precision, scale),
                    128 => DataType::Decimal128(precision, scale),
                    _ => DataType::Decimal256(precision, scale),
                }
            }
            Type::FixedSizeBinary => {
                let size = field.type_as_fixed_size_binary().ok_or_else(missing)?.byteWidth();
                if size < 0 {
                    return Err(self.malformed("a fixed size is negative"));
                }
                DataType::FixedSizeBinary(size)
            }
            Type::List => DataType::List(one()?),
            Type::LargeList => DataType::LargeList(one()?),
            Type::ListView => DataType::ListView(one()?),
            Type::LargeListView => DataType::LargeListView(one()?),
            Type::FixedSizeList => {
                let size = field.type_as_fixed_size_list().ok_or_else(missing)?.listSize();
                if size < 0 {
                    return Err(self.malformed("a fixed size is negative"));
                }
                DataType::FixedSizeList(one()?, size)
            }
            Type::Struct_ => DataType::Struct(children.into()),
            Type::Map => {
                let entries = one()?;
                match entries.data_type() {
                    DataType::Struct(fields) if fields.len() == 2 => {}
                    _ => return Err(self.malformed("a map's entries are not a struct of key and value")),
                }
                DataType::Map(entries, field.type_as_map().ok_or_else(missing)?.keysSorted())
            }
            Type::RunEndEncoded => {
                let (Some(values), Some(ends), true) = (children.pop(), children.pop(), children.is_empty()) else {
                    return Err(self.malformed("a run-end encoded field has not two children"));
                };
                DataType::RunEndEncoded(ends, values)
            }
            Type::Union => {
                let union = field.type_as_union().ok_or_else(missing)?;
                let mode =
                    if union.mode() == arrow_ipc::UnionMode::Dense { UnionMode::Dense } else { UnionMode::Sparse };
                let ids: Vec<i8> = match union.typeIds() {
                    Some(ids) => ids
                        .iter()
                        .map(i8::try_from)
                        .collect::<Result<_, _>>()
                        .map_err(|_| self.malformed("a union's type id is out of range"))?,
                    None => (0..children.len().min(127) as i8).collect(),
                };
                DataType::Union(
                    UnionFields::try_new(ids, children).map_err(|_| self.malformed("a union's type ids are wrong"))?,
                    mode,
                )
            }
            _ => return Err(Error::UnsupportedType { field: name.to_owned(), what: "of an unknown number" }),
        })
    }
}
