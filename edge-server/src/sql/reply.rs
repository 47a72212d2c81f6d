//! Results in the shape of QuestDB's `/exec`, written batch by batch.
//!
//! ```json
//! {"query":"…","columns":[{"name":"…","type":"LONG"}],"timestamp":-1,"dataset":[[1],[2]],"count":2}
//! ```

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};

use super::values::{quoted, values};
use crate::{Error, Result};

/// The buffer goes to the sink when it is larger.
const FULL: usize = 64 << 10;

/// A reply in the making.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int64Array, RecordBatch};
/// use edge_server::sql::reply::ReplyWriter;
/// # let batch = RecordBatch::try_from_iter([("count(x)", Arc::new(Int64Array::from(vec![7])) as ArrayRef)])?;
/// let mut reply = ReplyWriter::begin(Vec::new(), "SELECT count(x) AS n FROM t", &batch.schema(), &["n".into()])?;
/// reply.batch(&batch)?;
/// let text = String::from_utf8(reply.end()?)?;
/// assert!(text.ends_with(r#""columns":[{"name":"n","type":"LONG"}],"timestamp":-1,"dataset":[[7]],"count":1}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ReplyWriter<W: Write> {
    sink: W,
    columns: usize,
    rows: u64,
    buffer: Vec<u8>,
}

impl<W: Write> ReplyWriter<W> {
    /// Writes what stands before the rows. The columns are called by `names`, or as in the schema when there are none.
    ///
    /// # Errors
    /// [`Error::Output`] when the names are not as many as the columns, or the sink fails.
    pub fn begin(sink: W, query: &str, schema: &Schema, names: &[String]) -> Result<Self> {
        let columns = schema.fields().len();
        if !names.is_empty() && names.len() != columns {
            return Err(Error::Output(format!("{} names for {columns} columns", names.len())));
        }
        let mut buffer = b"{\"query\":".to_vec();
        quoted(query, &mut buffer);
        buffer.extend_from_slice(b",\"columns\":[");
        for (number, field) in schema.fields().iter().enumerate() {
            buffer.extend_from_slice(if number == 0 { b"{\"name\":" } else { b",{\"name\":" });
            quoted(names.get(number).unwrap_or(field.name()), &mut buffer);
            buffer.extend_from_slice(b",\"type\":");
            let (name, dimensions) = type_of(field.data_type());
            if dimensions == 0 {
                quoted(&name, &mut buffer);
            } else {
                buffer.extend_from_slice(format!("\"ARRAY\",\"dim\":{dimensions},\"elemType\":").as_bytes());
                quoted(&name, &mut buffer);
            }
            buffer.push(b'}');
        }
        buffer.extend_from_slice(b"],\"timestamp\":-1,\"dataset\":[");
        let mut reply = Self { sink, columns, rows: 0, buffer };
        reply.pass_on()?;
        Ok(reply)
    }

    /// Writes rows.
    ///
    /// # Errors
    /// [`Error::Output`] when the batch has other columns than the reply, a type has no text, or the sink fails.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.columns {
            let reason = format!("a batch of {} columns in a reply of {}", batch.num_columns(), self.columns);
            return Err(Error::Output(reason));
        }
        let columns = batch.columns().iter().map(|column| values(column.as_ref()));
        let columns =
            columns.collect::<Result<Vec<_>, ArrowError>>().map_err(|error| Error::Output(error.to_string()))?;
        for row in 0..batch.num_rows() {
            self.buffer.extend_from_slice(if self.rows == 0 { b"[" } else { b",[" });
            for (number, write) in columns.iter().enumerate() {
                if number > 0 {
                    self.buffer.push(b',');
                }
                write(row, &mut self.buffer);
            }
            self.buffer.push(b']');
            self.rows += 1;
            if self.buffer.len() >= FULL {
                self.pass_on()?;
            }
        }
        self.pass_on()
    }

    /// Writes what stands behind the rows, and gives the sink back.
    ///
    /// # Errors
    /// [`Error::Output`] when the sink fails.
    pub fn end(mut self) -> Result<W> {
        self.buffer.extend_from_slice(format!("],\"count\":{}}}", self.rows).as_bytes());
        self.pass_on()?;
        self.sink.flush().map_err(|error| Error::Output(error.to_string()))?;
        Ok(self.sink)
    }

    fn pass_on(&mut self) -> Result<()> {
        self.sink.write_all(&self.buffer).map_err(|error| Error::Output(error.to_string()))?;
        self.buffer.clear();
        Ok(())
    }
}

/// The reply to a query that failed, with the place of the error in characters from the beginning.
#[must_use]
pub fn failure(query: &str, error: &str, position: usize) -> String {
    let mut out = b"{\"query\":".to_vec();
    quoted(query, &mut out);
    out.extend_from_slice(b",\"error\":");
    quoted(error, &mut out);
    out.extend_from_slice(format!(",\"position\":{position}}}").as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

/// QuestDB's name of a type, or of the elements of a list and how deep the lists are nested.
///
/// Unsigned integers have the name of the next wider type with sign; those of 64 bits are LONG, and their greatest
/// values are numbers that a reader of 64 bits with sign does not take. What QuestDB has no type for is text.
fn type_of(data_type: &DataType) -> (String, usize) {
    let name = match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "BYTE",
        DataType::Int16 | DataType::UInt8 => "SHORT",
        DataType::Int32 | DataType::UInt16 => "INT",
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "LONG",
        DataType::Float16 | DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "TIMESTAMP_NS",
        DataType::Timestamp(..) => "TIMESTAMP",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "BINARY",
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => return (format!("DECIMAL({precision},{scale})"), 0),
        DataType::Dictionary(_, values) => match type_of(values) {
            (name, 0) if name == "VARCHAR" => "SYMBOL",
            other => return other,
        },
        DataType::RunEndEncoded(_, values) => return type_of(values.data_type()),
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            let (name, inner) = type_of(field.data_type());
            return (name, inner + 1);
        }
        _ => "VARCHAR",
    };
    (name.to_owned(), 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::sync::Arc;

    use arrow_array::types::{Float64Type, Int32Type};
    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray, Float32Array,
        Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray, ListArray, NullArray, RunArray,
        StringArray, StringViewArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow_schema::Field;
    use serde_json::{Value, json};

    use super::*;

    fn reply(query: &str, batches: &[RecordBatch], names: &[String]) -> Value {
        let mut reply = ReplyWriter::begin(Vec::new(), query, &batches[0].schema(), names).unwrap();
        batches.iter().for_each(|batch| reply.batch(batch).unwrap());
        serde_json::from_slice(&reply.end().unwrap()).unwrap()
    }

    /// The type and the values of a column.
    fn column(array: impl arrow_array::Array + 'static) -> (Value, Value) {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", Arc::new(array) as ArrayRef, true)]).unwrap();
        let mut reply = reply("", &[batch], &[]);
        let rows = reply["dataset"].as_array().unwrap().iter().map(|row| row[0].clone()).collect();
        (reply["columns"][0]["type"].take(), rows)
    }

    #[test]
    fn types_and_values() {
        let cases = [
            (column(BooleanArray::from(vec![Some(true), None])), "BOOLEAN", json!([true, null])),
            (column(Int8Array::from(vec![-1])), "BYTE", json!([-1])),
            (column(Int16Array::from(vec![-1])), "SHORT", json!([-1])),
            (column(Int32Array::from(vec![-1])), "INT", json!([-1])),
            (column(Int64Array::from(vec![Some(i64::MIN), None])), "LONG", json!([i64::MIN, null])),
            (column(UInt64Array::from(vec![u64::MAX])), "LONG", json!([u64::MAX])),
            (column(Float32Array::from(vec![0.1, f32::NAN])), "FLOAT", json!([0.1, null])),
            (column(Float64Array::from(vec![0.1, f64::INFINITY, 1e300])), "DOUBLE", json!([0.1, null, 1e300])),
            (column(StringArray::from(vec!["\"\n\u{1}ä"])), "VARCHAR", json!(["\"\n\u{1}ä"])),
            (column(LargeStringArray::from(vec![None, Some("")])), "VARCHAR", json!([null, ""])),
            (column(StringViewArray::from(vec!["x"])), "VARCHAR", json!(["x"])),
            (column(NullArray::new(2)), "VARCHAR", json!([null, null])),
            (
                column(vec![Some("x"), None, Some("x")].into_iter().collect::<DictionaryArray<Int32Type>>()),
                "SYMBOL",
                json!(["x", null, "x"]),
            ),
            (column(DictionaryArray::<Int32Type>::from_iter([None::<&str>])), "SYMBOL", json!([null])),
            (
                column(vec![Some("x"), Some("x"), None].into_iter().collect::<RunArray<Int32Type>>()),
                "VARCHAR",
                json!(["x", "x", null]),
            ),
            (column(TimestampSecondArray::from(vec![-1])), "TIMESTAMP", json!(["1969-12-31T23:59:59.000000Z"])),
            (
                column(TimestampMillisecondArray::from(vec![951_782_400_001])),
                "TIMESTAMP",
                json!(["2000-02-29T00:00:00.001000Z"]),
            ),
            (
                column(TimestampMicrosecondArray::from(vec![1_714_564_800_123_456]).with_timezone("+02:00")),
                "TIMESTAMP",
                json!(["2024-05-01T12:00:00.123456Z"]),
            ),
            (
                column(TimestampNanosecondArray::from(vec![1, -1])),
                "TIMESTAMP_NS",
                json!(["1970-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z"]),
            ),
            (column(Date32Array::from(vec![-719_162])), "DATE", json!(["0001-01-01T00:00:00.000Z"])),
            (column(Date64Array::from(vec![1])), "DATE", json!(["1970-01-01T00:00:00.001Z"])),
            (
                column(Decimal128Array::from(vec![-115]).with_precision_and_scale(10, 2).unwrap()),
                "DECIMAL(10,2)",
                json!(["-1.15"]),
            ),
            (column(BinaryArray::from(vec![b"\x00\xff".as_slice()])), "BINARY", json!(["00ff"])),
            (column(Time64MicrosecondArray::from(vec![1])), "VARCHAR", json!(["00:00:00.000001"])),
        ];
        for ((name, values), expected_name, expected) in cases {
            assert_eq!(name, expected_name);
            assert_eq!(values, expected, "{expected_name}");
        }
        // Moments that no calendar has still are text.
        for extreme in [i64::MIN, i64::MAX] {
            assert!(column(TimestampSecondArray::from(vec![extreme])).1[0].is_string());
        }
    }

    #[test]
    fn lists_and_structs() {
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>([
            Some(vec![Some(1.5), None, Some(f64::NAN)]),
            None,
            Some(vec![]),
        ]);
        let fields = vec![Field::new("x", DataType::Int32, true)];
        let inner = vec![Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef];
        let parts = StructArray::new(fields.into(), inner, None);
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("list", Arc::new(list) as ArrayRef, true),
            ("parts", Arc::new(parts) as ArrayRef, true),
        ])
        .unwrap();
        let reply = reply("", &[batch.slice(0, 1), batch.slice(1, 2)], &[]);
        assert_eq!(reply["columns"][0], json!({"name": "list", "type": "ARRAY", "dim": 1, "elemType": "DOUBLE"}));
        assert_eq!(reply["dataset"], json!([[[1.5, null, null], "{x: 1}"], [null, "{x: 2}"], [[], "{x: 3}"]]));
    }

    #[test]
    fn the_shape() {
        let one = RecordBatch::try_from_iter([("a", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]).unwrap();
        let names = ["n\"".to_owned()];
        let mut writer = ReplyWriter::begin(Vec::new(), "SELECT \"a\"", &one.schema(), &names).unwrap();
        writer.batch(&one).unwrap();
        writer.batch(&one.slice(0, 0)).unwrap();
        writer.batch(&one.slice(1, 1)).unwrap();
        assert_eq!(
            String::from_utf8(writer.end().unwrap()).unwrap(),
            r#"{"query":"SELECT \"a\"","columns":[{"name":"n\"","type":"LONG"}],"timestamp":-1,"dataset":[[1],[2],[2]],"count":3}"#
        );
        let none = reply("", &[one.slice(0, 0)], &[]);
        assert_eq!((&none["dataset"], &none["count"]), (&json!([]), &json!(0)));
        assert!(ReplyWriter::begin(Vec::new(), "", &one.schema(), &["a".into(), "b".into()]).is_err());
        assert_eq!(failure("x\"", "no \"t\"", 4), r#"{"query":"x\"","error":"no \"t\"","position":4}"#);
    }
}
