//! A batch by the Arrow C data interface: structs in the module's memory whose addresses a reader in JavaScript follows.
//!
//! Nothing is copied, but bits of validity that begin elsewhere than their values. Addresses are plain numbers here, since
//! it is not this module that follows them; so the structs are made without unsafe code. The batch is borrowed by what is
//! made of it, and all goes when that goes: the release callbacks do nothing, as whoever reads the memory from outside
//! cannot call them.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface.html>

use std::ffi::CString;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::{BooleanBuffer, Buffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

const NULLABLE: i64 = 2;

/// `struct ArrowSchema`.
#[repr(C)]
#[derive(Debug)]
struct CSchema {
    format: usize,
    name: usize,
    metadata: usize,
    flags: i64,
    n_children: i64,
    children: usize,
    dictionary: usize,
    release: usize,
    private_data: usize,
}

/// `struct ArrowArray`.
#[repr(C)]
#[derive(Debug)]
struct CArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: usize,
    children: usize,
    dictionary: usize,
    release: usize,
    private_data: usize,
}

extern "C" fn release(_: usize) {}

fn release_address() -> usize {
    let release: extern "C" fn(usize) = release;
    release as usize
}

/// A batch with the structs that describe it.
#[derive(Debug, Default)]
#[allow(clippy::vec_box, reason = "the structs are known by their addresses, and may not move")]
pub(crate) struct Described {
    schemas: Vec<Box<CSchema>>,
    arrays: Vec<Box<CArray>>,
    texts: Vec<CString>,
    lists: Vec<Box<[usize]>>,
    buffers: Vec<Buffer>,
}

/// The address of a struct or of a list's first element.
fn address<T>(place: &T) -> usize {
    std::ptr::from_ref(place) as usize
}

impl Described {
    /// Describes a batch as a struct of its columns; `None` when a type is not described.
    pub(crate) fn new(batch: &RecordBatch) -> Option<Self> {
        let mut described = Self::default();
        let fields = batch.schema();
        let (mut schemas, mut arrays) = (Vec::new(), Vec::new());
        for (field, column) in fields.fields().iter().zip(batch.columns()) {
            schemas.push(described.field(field)?);
            arrays.push(described.array(&column.to_data()));
        }
        described.schema("+s".to_owned(), "", false, schemas, 0)?;
        described.keep(batch.num_rows(), 0, 0, vec![0], arrays, 0);
        Some(described)
    }

    /// Addresses of the schema and the array.
    pub(crate) fn addresses(&self) -> Option<(usize, usize)> {
        Some((address(self.schemas.last()?.as_ref()), address(self.arrays.last()?.as_ref())))
    }

    fn text(&mut self, text: &str) -> Option<usize> {
        let text = CString::new(text).ok()?;
        let place = text.as_ptr() as usize;
        self.texts.push(text);
        Some(place)
    }

    fn list(&mut self, list: Vec<usize>) -> usize {
        let list = list.into_boxed_slice();
        let place = list.as_ptr() as usize;
        self.lists.push(list);
        place
    }

    fn schema(
        &mut self,
        format: String,
        name: &str,
        nullable: bool,
        children: Vec<usize>,
        dictionary: usize,
    ) -> Option<usize> {
        let schema = Box::new(CSchema {
            format: self.text(&format)?,
            name: self.text(name)?,
            metadata: 0,
            flags: if nullable { NULLABLE } else { 0 },
            n_children: children.len() as i64,
            children: self.list(children),
            dictionary,
            release: release_address(),
            private_data: 0,
        });
        let place = address(schema.as_ref());
        self.schemas.push(schema);
        Some(place)
    }

    fn field(&mut self, field: &Field) -> Option<usize> {
        let mut children = Vec::new();
        let mut dictionary = 0;
        match field.data_type() {
            DataType::Dictionary(_, values) => {
                dictionary = self.field(&Field::new("", values.as_ref().clone(), true))?;
            }
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::Map(item, _) => children.push(self.field(item)?),
            DataType::Struct(fields) => {
                for field in fields {
                    children.push(self.field(field)?);
                }
            }
            _ => {}
        }
        self.schema(format_of(field.data_type())?, field.name(), field.is_nullable(), children, dictionary)
    }

    fn array(&mut self, data: &ArrayData) -> usize {
        let offset = data.offset();
        let mut places = Vec::new();
        if *data.data_type() != DataType::Null {
            places.push(data.nulls().map_or(0, |nulls| {
                let bits = if nulls.offset() == offset {
                    nulls.buffer().clone()
                } else {
                    let bit = |row: usize| row < offset || nulls.is_valid(row - offset);
                    BooleanBuffer::collect_bool(offset + data.len(), bit).into_inner()
                };
                self.buffer(bits)
            }));
        }
        for buffer in data.buffers() {
            places.push(self.buffer(buffer.clone()));
        }
        if matches!(data.data_type(), DataType::Utf8View | DataType::BinaryView) {
            let lengths: Vec<i64> = data.buffers().iter().skip(1).map(|buffer| buffer.len() as i64).collect();
            places.push(self.buffer(Buffer::from_vec(lengths)));
        }
        let (mut children, mut dictionary) = (Vec::new(), 0);
        for child in data.child_data() {
            let child = self.array(child);
            if matches!(data.data_type(), DataType::Dictionary(..)) { dictionary = child } else { children.push(child) }
        }
        self.keep(data.len(), data.null_count(), offset, places, children, dictionary)
    }

    fn buffer(&mut self, buffer: Buffer) -> usize {
        let place = buffer.as_ptr() as usize;
        self.buffers.push(buffer);
        place
    }

    fn keep(
        &mut self,
        length: usize,
        null_count: usize,
        offset: usize,
        buffers: Vec<usize>,
        children: Vec<usize>,
        dictionary: usize,
    ) -> usize {
        let array = Box::new(CArray {
            length: length as i64,
            null_count: null_count as i64,
            offset: offset as i64,
            n_buffers: buffers.len() as i64,
            n_children: children.len() as i64,
            buffers: self.list(buffers),
            children: self.list(children),
            dictionary,
            release: release_address(),
            private_data: 0,
        });
        let place = address(array.as_ref());
        self.arrays.push(array);
        place
    }
}

/// The interface's word for a type.
fn format_of(data_type: &DataType) -> Option<String> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "m",
        TimeUnit::Microsecond => "u",
        TimeUnit::Nanosecond => "n",
    };
    let plain = match data_type {
        DataType::Null => "n",
        DataType::Boolean => "b",
        DataType::Int8 => "c",
        DataType::UInt8 => "C",
        DataType::Int16 => "s",
        DataType::UInt16 => "S",
        DataType::Int32 => "i",
        DataType::UInt32 => "I",
        DataType::Int64 => "l",
        DataType::UInt64 => "L",
        DataType::Float16 => "e",
        DataType::Float32 => "f",
        DataType::Float64 => "g",
        DataType::Utf8 => "u",
        DataType::LargeUtf8 => "U",
        DataType::Utf8View => "vu",
        DataType::Binary => "z",
        DataType::LargeBinary => "Z",
        DataType::BinaryView => "vz",
        DataType::Date32 => "tdD",
        DataType::Date64 => "tdm",
        DataType::Interval(IntervalUnit::YearMonth) => "tiM",
        DataType::Interval(IntervalUnit::DayTime) => "tiD",
        DataType::Interval(IntervalUnit::MonthDayNano) => "tin",
        DataType::List(_) => "+l",
        DataType::LargeList(_) => "+L",
        DataType::Struct(_) => "+s",
        DataType::Map(..) => "+m",
        DataType::Time32(u) | DataType::Time64(u) => return Some(["tt", unit(u)].concat()),
        DataType::Duration(u) => return Some(["tD", unit(u)].concat()),
        DataType::Timestamp(u, zone) => return Some(["ts", unit(u), ":", zone.as_deref().unwrap_or("")].concat()),
        DataType::FixedSizeBinary(width) => return Some(["w:", &width.to_string()].concat()),
        DataType::FixedSizeList(_, width) => return Some(["+w:", &width.to_string()].concat()),
        DataType::Decimal32(p, s) => return Some(decimal(*p, *s, ",32")),
        DataType::Decimal64(p, s) => return Some(decimal(*p, *s, ",64")),
        DataType::Decimal128(p, s) => return Some(decimal(*p, *s, "")),
        DataType::Decimal256(p, s) => return Some(decimal(*p, *s, ",256")),
        DataType::Dictionary(keys, _) => return format_of(keys),
        _ => return None,
    };
    Some(plain.to_owned())
}

fn decimal(precision: u8, scale: i8, width: &str) -> String {
    ["d:", &precision.to_string(), ",", &scale.to_string(), width].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn structs_lie_as_the_interface_wants_them() {
        let word = size_of::<usize>();
        assert_eq!(size_of::<CSchema>(), if word == 8 { 72 } else { 48 });
        assert_eq!(size_of::<CArray>(), if word == 8 { 80 } else { 64 });
    }

    #[test]
    fn a_batch_is_described_without_copying() {
        let words: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        let numbers = Int64Array::from(vec![Some(1), None, Some(3)]);
        let values = numbers.values().as_ptr() as usize;
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as ArrayRef),
            ("b", Arc::new(BooleanArray::from(vec![true; 19]).slice(9, 3)) as ArrayRef),
            ("w", Arc::new(words) as ArrayRef),
            ("v", Arc::new(StringViewArray::from(vec!["x", "a text that is longer than twelve", ""])) as ArrayRef),
        ])
        .unwrap();
        let described = Described::new(&batch).unwrap();
        let (schema, array) = described.addresses().unwrap();
        assert!(schema != 0 && array != 0);
        let top = described.arrays.last().unwrap();
        assert_eq!((top.length, top.n_children, top.n_buffers), (3, 4, 1));
        assert_eq!(
            (described.arrays[0].null_count, described.lists.iter().any(|list| list.contains(&values))),
            (1, true)
        );
        assert_eq!((described.arrays[1].offset, described.arrays[1].n_buffers), (9, 2));
        let formats: Vec<&str> = described.texts.iter().step_by(2).map(|text| text.to_str().unwrap()).collect();
        assert_eq!(formats, ["l", "b", "u", "i", "vu", "+s"]);
        // The view's buffers: validity, views, data, and the lengths of data.
        assert_eq!(described.arrays[4].n_buffers, 4);
        assert_ne!(described.arrays[3].dictionary, 0);
    }
}
