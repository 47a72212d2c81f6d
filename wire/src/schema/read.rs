//! From flatbuffers to Arrow fields.

use std::cell::Cell;
use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, Metadata, Schema, TimeUnit, UnionFields, UnionMode};

use super::kinds as k;
use super::{Ids, Layout};
use crate::flat::{Malformed, Table};
use crate::message::malformed;
use crate::{Error, Limits, Result};

/// Reads a schema.
pub(crate) fn read(schema: Table<'_>, offset: u64, limits: &Limits) -> Result<Layout> {
    let bad = malformed(offset);
    if schema.i16(0, 0).map_err(&bad)? != 0 {
        return Err(Box::new(Error::BigEndian));
    }
    let mut reader = Reader { offset, limits, fields: 0, copied: Cell::new(0) };
    let mut fields = Vec::new();
    let mut ids = Vec::new();
    for field in schema.tables(1).map_err(&bad)? {
        let (field, id) = reader.field(field.map_err(&bad)?, 0)?;
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
    fn bad(&self, error: Malformed) -> Box<Error> {
        malformed(self.offset)(error)
    }

    fn copy(&self, text: &str) -> Result<String> {
        self.copied.set(self.copied.get() + text.len() + 32);
        if self.copied.get() > self.limits.metadata {
            return Err(self.limit("size of names and metadata", self.copied.get(), self.limits.metadata));
        }
        Ok(text.to_owned())
    }

    /// Key-value metadata.
    fn pairs(&self, table: &Table<'_>, number: usize) -> Result<Metadata> {
        let mut pairs = Vec::new();
        for pair in table.tables(number).map_err(|error| self.bad(error))? {
            let pair = pair.map_err(|error| self.bad(error))?;
            let text = |number: usize| pair.text(number).map_err(|error| self.bad(error));
            if let (Some(key), Some(value)) = (text(0)?, text(1)?) {
                let (key, value) = (self.copy(key)?, self.copy(value)?);
                pairs.push((key, value));
            }
        }
        Ok(pairs.into_iter().collect())
    }

    fn field(&mut self, field: Table<'_>, depth: usize) -> Result<(Field, Ids)> {
        self.fields += 1;
        if self.fields > self.limits.fields {
            return Err(self.limit("number of fields", self.fields, self.limits.fields));
        }
        if depth > self.limits.depth {
            return Err(self.limit("depth of fields", depth, self.limits.depth));
        }
        let bad = malformed(self.offset);
        let name = self.copy(field.text(0).map_err(&bad)?.unwrap_or(""))?;
        let mut fields = Vec::new();
        let mut ids = Ids::default();
        for child in field.tables(5).map_err(&bad)? {
            let (child, id) = self.field(child.map_err(&bad)?, depth + 1)?;
            fields.push(Arc::new(child));
            ids.children.push(id);
        }
        let mut data_type = self.data_type(&field, &name, fields)?;
        let mut ordered = false;
        if let Some(dictionary) = field.table(4).map_err(&bad)? {
            let key = match dictionary.table(1).map_err(&bad)? {
                Some(int) => self.int(&int)?,
                None => DataType::Int32,
            };
            ordered = dictionary.bool(2).map_err(&bad)?;
            ids.dictionary = Some(dictionary.i64(0).map_err(&bad)?);
            data_type = DataType::Dictionary(Box::new(key), Box::new(data_type));
        }
        let metadata = self.pairs(&field, 6)?;
        let made = Field::new(name, data_type, field.bool(1).map_err(&bad)?).with_metadata(metadata);
        Ok((made.with_dict_is_ordered(ordered), ids))
    }

    fn limit(&self, what: &'static str, found: usize, limit: usize) -> Box<Error> {
        Error::limit(self.offset, what, found as i64, limit)
    }

    fn malformed(&self, what: &'static str) -> Box<Error> {
        Error::metadata(self.offset, what)
    }

    fn int(&self, int: &Table<'_>) -> Result<DataType> {
        let bad = malformed(self.offset);
        Ok(match (int.i32(0, 0).map_err(&bad)?, int.bool(1).map_err(&bad)?) {
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

    fn unit(&self, number: i16) -> Result<TimeUnit> {
        Ok(match number {
            0 => TimeUnit::Second,
            1 => TimeUnit::Millisecond,
            2 => TimeUnit::Microsecond,
            3 => TimeUnit::Nanosecond,
            _ => return Err(self.malformed("an unknown time unit")),
        })
    }

    fn data_type(&self, field: &Table<'_>, name: &str, mut children: Vec<Arc<Field>>) -> Result<DataType> {
        let bad = malformed(self.offset);
        let kind = field.u8(2).map_err(&bad)?;
        // Types that say no more than their kind have an empty table, or none.
        let described = field.table(3).map_err(&bad)?;
        let missing = || self.malformed("a field lacks the description of its type");
        let word = |number: usize, default: i16| described.ok_or_else(missing)?.i16(number, default).map_err(&bad);
        let long = |number: usize, default: i32| described.ok_or_else(missing)?.i32(number, default).map_err(&bad);
        let flag = |number: usize| described.ok_or_else(missing)?.bool(number).map_err(&bad);
        let mut one = || -> Result<Arc<Field>> {
            match (children.pop(), children.is_empty()) {
                (Some(child), true) => Ok(child),
                _ => Err(Error::metadata(self.offset, "a list has not one child")),
            }
        };
        Ok(match kind {
            k::NULL => DataType::Null,
            k::BOOL => DataType::Boolean,
            k::UTF8 => DataType::Utf8,
            k::LARGE_UTF8 => DataType::LargeUtf8,
            k::UTF8_VIEW => DataType::Utf8View,
            k::BINARY => DataType::Binary,
            k::LARGE_BINARY => DataType::LargeBinary,
            k::BINARY_VIEW => DataType::BinaryView,
            k::INT => self.int(&described.ok_or_else(missing)?)?,
            k::FLOATING_POINT => match word(0, 0)? {
                0 => DataType::Float16,
                1 => DataType::Float32,
                2 => DataType::Float64,
                _ => return Err(self.malformed("an unknown floating-point precision")),
            },
            k::DATE => match word(0, 1)? {
                0 => DataType::Date32,
                1 => DataType::Date64,
                _ => return Err(self.malformed("an unknown date unit")),
            },
            k::TIME => match (long(1, 32)?, self.unit(word(0, 1)?)?) {
                (32, unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => DataType::Time32(unit),
                (64, unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => DataType::Time64(unit),
                _ => return Err(self.malformed("a time's width does not fit its unit")),
            },
            k::TIMESTAMP => {
                let unit = self.unit(word(0, 0)?)?;
                let zone = described.ok_or_else(missing)?.text(1).map_err(&bad)?;
                DataType::Timestamp(unit, zone.map(|zone| self.copy(zone)).transpose()?.map(Into::into))
            }
            k::DURATION => DataType::Duration(self.unit(word(0, 1)?)?),
            k::INTERVAL => DataType::Interval(match word(0, 0)? {
                0 => IntervalUnit::YearMonth,
                1 => IntervalUnit::DayTime,
                2 => IntervalUnit::MonthDayNano,
                _ => return Err(self.malformed("an unknown interval unit")),
            }),
            k::DECIMAL => {
                let bits = long(2, 128)?;
                let most = match bits {
                    32 => 9,
                    64 => 18,
                    128 => 38,
                    256 => 76,
                    _ => return Err(self.malformed("a decimal is neither 32, 64, 128 nor 256 bits wide")),
                };
                let (Ok(precision), Ok(scale)) = (u8::try_from(long(0, 0)?), i8::try_from(long(1, 0)?)) else {
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
            k::FIXED_SIZE_BINARY => {
                let size = long(0, 0)?;
                if size < 0 {
                    return Err(self.malformed("a fixed size is negative"));
                }
                DataType::FixedSizeBinary(size)
            }
            k::LIST => DataType::List(one()?),
            k::LARGE_LIST => DataType::LargeList(one()?),
            k::LIST_VIEW => DataType::ListView(one()?),
            k::LARGE_LIST_VIEW => DataType::LargeListView(one()?),
            k::FIXED_SIZE_LIST => {
                let size = long(0, 0)?;
                if size < 0 {
                    return Err(self.malformed("a fixed size is negative"));
                }
                DataType::FixedSizeList(one()?, size)
            }
            k::STRUCT => DataType::Struct(children.into()),
            k::MAP => {
                let entries = one()?;
                let fields: &[Arc<Field>] = match entries.data_type() {
                    DataType::Struct(fields) => fields,
                    _ => &[],
                };
                let [key, value] = fields else {
                    return Err(self.malformed("a map's entries are not a struct of key and value"));
                };
                // Neither an entry nor a key is ever null, whatever a writer says of them.
                let key = Arc::new(key.as_ref().clone().with_nullable(false));
                let entries = entries.as_ref().clone().with_data_type(DataType::Struct([key, value.clone()].into()));
                let entries = Arc::new(entries.with_nullable(false));
                DataType::Map(entries, flag(0)?)
            }
            k::RUN_END_ENCODED => {
                let (Some(values), Some(ends), true) = (children.pop(), children.pop(), children.is_empty()) else {
                    return Err(self.malformed("a run-end encoded field has not two children"));
                };
                DataType::RunEndEncoded(ends, values)
            }
            k::UNION => {
                let mode = if word(0, 0)? == 1 { UnionMode::Dense } else { UnionMode::Sparse };
                let ids: Vec<i8> = match described.ok_or_else(missing)?.vector(1, 4).map_err(&bad)? {
                    Some(ids) => (0..ids.len().min(children.len() + 1))
                        .map(|index| {
                            let id = ids.i32(index, 0).map_err(&bad)?;
                            i8::try_from(id).map_err(|_| self.malformed("a union's type id is out of range"))
                        })
                        .collect::<Result<_>>()?,
                    None => (0..children.len().min(127) as i8).collect(),
                };
                DataType::Union(
                    UnionFields::try_new(ids, children).map_err(|_| self.malformed("a union's type ids are wrong"))?,
                    mode,
                )
            }
            _ => return Err(Box::new(Error::UnsupportedType { field: name.to_owned(), what: "of an unknown number" })),
        })
    }
}
