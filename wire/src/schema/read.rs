//! From flatbuffers to Arrow fields.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, Metadata, Schema, TimeUnit, UnionFields, UnionMode};

use super::kinds as k;
use super::{Ids, Layout};
use crate::flat::Table;
use crate::{Error, Limits, Result};

/// Reads a schema.
pub(crate) fn read(schema: Table<'_>, offset: u64, limits: &Limits) -> Result<Layout> {
    if schema.i16(0, 0)? != 0 {
        return Err(Box::new(Error::BigEndian));
    }
    let mut reader = Reader { offset, limits, fields: 0, copied: Cell::new(0) };
    let mut fields = Vec::new();
    let mut ids = Vec::new();
    for field in schema.tables(1)? {
        let (field, id) = reader.field(field?, 0)?;
        fields.push(field);
        ids.push(id);
    }
    let metadata = reader.pairs(&schema, 2)?;
    Ok(Layout { schema: Arc::new(Schema::new_with_metadata(fields, metadata)), ids })
}

/// Reads key-value metadata.
pub(crate) fn read_pairs(table: &Table<'_>, number: usize, offset: u64, limits: &Limits) -> Result<Metadata> {
    Reader { offset, limits, fields: 0, copied: Cell::new(0) }.pairs(table, number)
}

struct Reader<'a> {
    offset: u64,
    limits: &'a Limits,
    fields: usize,
    /// Bytes of texts that have been copied: many fields may share one text, and each gets a copy.
    copied: Cell<usize>,
}

impl Reader<'_> {
    fn copy(&self, text: &str) -> Result<String> {
        self.copied.set(self.copied.get() + text.len() + 32);
        if self.copied.get() > self.limits.metadata {
            return Err(self.limit("size of names and metadata", self.copied.get(), self.limits.metadata));
        }
        Ok(text.to_owned())
    }

    /// Key-value metadata.
    fn pairs(&self, table: &Table<'_>, number: usize) -> Result<Metadata> {
        let mut pairs = BTreeMap::new();
        for pair in table.tables(number)? {
            let pair = pair?;
            if let (Some(key), Some(value)) = (pair.text(0)?, pair.text(1)?) {
                pairs.insert(self.copy(key)?, self.copy(value)?);
            }
        }
        Ok(pairs.into())
    }

    fn field(&mut self, field: Table<'_>, depth: usize) -> Result<(Field, Ids)> {
        self.fields += 1;
        if self.fields > self.limits.fields {
            return Err(self.limit("number of fields", self.fields, self.limits.fields));
        }
        if depth > self.limits.depth {
            return Err(self.limit("depth of fields", depth, self.limits.depth));
        }
        let name = self.copy(field.text(0)?.unwrap_or(""))?;
        let mut fields = Vec::new();
        let mut ids = Ids::default();
        for child in field.tables(5)? {
            let (child, id) = self.field(child?, depth + 1)?;
            fields.push(Arc::new(child));
            ids.children.push(id);
        }
        let mut data_type = self.data_type(&field, &name, fields)?;
        let mut ordered = false;
        if let Some(dictionary) = field.table(4)? {
            let key = match dictionary.table(1)? {
                Some(int) => self.int(&int)?,
                None => DataType::Int32,
            };
            ordered = dictionary.bool(2)?;
            ids.dictionary = Some(dictionary.i64(0)?);
            data_type = DataType::Dictionary(Box::new(key), Box::new(data_type));
        }
        let metadata = self.pairs(&field, 6)?;
        let made = Field::new(name, data_type, field.bool(1)?).with_metadata(metadata);
        Ok((made.with_dict_is_ordered(ordered), ids))
    }

    fn limit(&self, what: &'static str, found: usize, limit: usize) -> Box<Error> {
        Error::limit(self.offset, what, found as i64, limit)
    }

    fn malformed(&self, what: &'static str) -> Box<Error> {
        Error::metadata(self.offset, what)
    }

    fn int(&self, int: &Table<'_>) -> Result<DataType> {
        Ok(match (int.i32(0, 0)?, int.bool(1)?) {
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

    fn data_type(&self, field: &Table<'_>, name: &str, mut children: Vec<Arc<Field>>) -> Result<DataType> {
        const UNITS: [TimeUnit; 4] =
            [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
        let kind = field.u8(2)?;
        // What most kinds have at the front of their description: a choice of few, or a number.
        let chooses =
            matches!(kind, k::FLOATING_POINT | k::DATE | k::TIME | k::TIMESTAMP | k::DURATION | k::INTERVAL | k::UNION);
        let counts = matches!(kind, k::DECIMAL | k::FIXED_SIZE_BINARY | k::FIXED_SIZE_LIST);
        let described = match field.table(3)? {
            Some(described) => described,
            None if chooses || counts || matches!(kind, k::INT | k::MAP) => {
                return Err(self.malformed("a field lacks the description of its type"));
            }
            // Types that say no more than their kind have an empty table, or none.
            None => *field,
        };
        let default = i16::from(matches!(kind, k::DATE | k::TIME | k::DURATION));
        let choice = if chooses { described.i16(0, default)? } else { 0 };
        let size = if counts { described.i32(0, 0)? } else { 0 };
        if size < 0 && kind != k::DECIMAL {
            return Err(self.malformed("a fixed size is negative"));
        }
        Ok(match kind {
            k::NULL => DataType::Null,
            k::BOOL => DataType::Boolean,
            k::UTF8 => DataType::Utf8,
            k::LARGE_UTF8 => DataType::LargeUtf8,
            k::UTF8_VIEW => DataType::Utf8View,
            k::BINARY => DataType::Binary,
            k::LARGE_BINARY => DataType::LargeBinary,
            k::BINARY_VIEW => DataType::BinaryView,
            k::FIXED_SIZE_BINARY => DataType::FixedSizeBinary(size),
            k::INT => self.int(&described)?,
            k::FLOATING_POINT => match choice {
                0 => DataType::Float16,
                1 => DataType::Float32,
                2 => DataType::Float64,
                _ => return Err(self.malformed("an unknown floating-point precision")),
            },
            k::DATE => match choice {
                0 => DataType::Date32,
                1 => DataType::Date64,
                _ => return Err(self.malformed("an unknown date unit")),
            },
            k::INTERVAL => DataType::Interval(match choice {
                0 => IntervalUnit::YearMonth,
                1 => IntervalUnit::DayTime,
                2 => IntervalUnit::MonthDayNano,
                _ => return Err(self.malformed("an unknown interval unit")),
            }),
            k::TIME | k::TIMESTAMP | k::DURATION => {
                let Some(&unit) = UNITS.get(choice as usize) else {
                    return Err(self.malformed("an unknown time unit"));
                };
                match kind {
                    k::DURATION => DataType::Duration(unit),
                    k::TIMESTAMP => {
                        let zone = described.text(1)?.map(|zone| self.copy(zone)).transpose()?;
                        DataType::Timestamp(unit, zone.map(Into::into))
                    }
                    _ => match (described.i32(1, 32)?, choice) {
                        (32, 0 | 1) => DataType::Time32(unit),
                        (64, 2 | 3) => DataType::Time64(unit),
                        _ => return Err(self.malformed("a time's width does not fit its unit")),
                    },
                }
            }
            k::DECIMAL => {
                let bits = described.i32(2, 128)?;
                let most = match bits {
                    32 => 9,
                    64 => 18,
                    128 => 38,
                    256 => 76,
                    _ => return Err(self.malformed("a decimal is neither 32, 64, 128 nor 256 bits wide")),
                };
                let scale = described.i32(1, 0)?;
                if !(1..=most).contains(&size) || !(i8::MIN.into()..=size).contains(&scale) {
                    return Err(self.malformed("a decimal's precision or scale is out of range"));
                }
                let (precision, scale) = (size as u8, scale as i8);
                match bits {
                    32 => DataType::Decimal32(precision, scale),
                    64 => DataType::Decimal64(precision, scale),
                    128 => DataType::Decimal128(precision, scale),
                    _ => DataType::Decimal256(precision, scale),
                }
            }
            k::STRUCT => DataType::Struct(children.into()),
            k::LIST | k::LARGE_LIST | k::LIST_VIEW | k::LARGE_LIST_VIEW | k::FIXED_SIZE_LIST | k::MAP => {
                let (Some(child), true) = (children.pop(), children.is_empty()) else {
                    return Err(self.malformed("a list has not one child"));
                };
                match kind {
                    k::LIST => DataType::List(child),
                    k::LARGE_LIST => DataType::LargeList(child),
                    k::LIST_VIEW => DataType::ListView(child),
                    k::LARGE_LIST_VIEW => DataType::LargeListView(child),
                    k::FIXED_SIZE_LIST => DataType::FixedSizeList(child, size),
                    _ => self.map(&child, described.bool(0)?)?,
                }
            }
            k::RUN_END_ENCODED => {
                let (Some(values), Some(ends), true) = (children.pop(), children.pop(), children.is_empty()) else {
                    return Err(self.malformed("a run-end encoded field has not two children"));
                };
                DataType::RunEndEncoded(ends, values)
            }
            k::UNION => {
                let mode = if choice == 1 { UnionMode::Dense } else { UnionMode::Sparse };
                let mut ids: Vec<i8> = Vec::new();
                match described.vector(1, 4)? {
                    Some(numbers) => {
                        for index in 0..numbers.len().min(children.len() + 1) {
                            let id = i8::try_from(numbers.i32(index, 0)?);
                            ids.push(id.map_err(|_| self.malformed("a union's type id is out of range"))?);
                        }
                    }
                    None => ids.extend(0..children.len().min(127) as i8),
                }
                let fields = UnionFields::try_new(ids, children);
                DataType::Union(fields.map_err(|_| self.malformed("a union's type ids are wrong"))?, mode)
            }
            _ => return Err(Box::new(Error::UnsupportedType { field: name.to_owned(), what: "of an unknown number" })),
        })
    }

    fn map(&self, entries: &Field, ordered: bool) -> Result<DataType> {
        let fields: &[Arc<Field>] = match entries.data_type() {
            DataType::Struct(fields) => fields,
            _ => &[],
        };
        let [key, value] = fields else {
            return Err(self.malformed("a map's entries are not a struct of key and value"));
        };
        // Neither an entry nor a key is ever null, whatever a writer says of them.
        let key = Arc::new(key.as_ref().clone().with_nullable(false));
        let entries = entries.clone().with_data_type(DataType::Struct([key, value.clone()].into()));
        Ok(DataType::Map(Arc::new(entries.with_nullable(false)), ordered))
    }
}
