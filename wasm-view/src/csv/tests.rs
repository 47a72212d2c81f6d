//! Tables that are generated, written as CSV and read back in every cut, beside the reader of `arrow-csv`.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use arrow_schema::{DataType, TimeUnit};
use proptest::prelude::*;

use super::*;

/// All batches of a file, pushed in pieces of so many bytes, and how often it was read.
fn read(text: &[u8], piece: usize) -> Result<(SchemaRef, Vec<RecordBatch>, usize), Error> {
    let mut reader = Reader::new(0);
    for pass in 1.. {
        let mut batches = Vec::new();
        let mut again = false;
        for bytes in text.chunks(piece.max(1)) {
            batches.extend(reader.push(bytes)?);
            again = reader.again();
            if again {
                break;
            }
        }
        if !again {
            batches.extend(reader.end()?);
            again = reader.again();
        }
        if !again {
            return Ok((reader.schema().unwrap().clone(), batches, pass));
        }
        assert!(pass < 9, "read again and again");
    }
    unreachable!()
}

fn types(text: &str) -> Vec<(String, DataType)> {
    let (schema, batches, _) = read(text.as_bytes(), usize::MAX).unwrap();
    batches.iter().for_each(|batch| assert_eq!(batch.schema(), schema));
    schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn one(batches: &[RecordBatch], schema: &SchemaRef) -> RecordBatch {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let all = kernels::query::Plan::default().bind(schema).unwrap().execute(batches).unwrap();
    assert_eq!(all.num_rows(), rows);
    all
}

#[test]
fn types_are_those_of_the_values() {
    let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let found = types(
        "id,share,ok,day,at,zoned,code,mixed,empty,late\n\
         1,0.5,true,2024-01-31,2024-01-31T10:00:00,2024-01-31T10:00:00Z,007,1,,2024-01-01\n\
         -2,3,FALSE,2024-02-29,2024-02-29 11:30,2024-01-31T10:00:00.5+02:00,12,x,,2024-01-01 10:00\n\
         ,,,,,,,,,\n",
    );
    let expected = [
        DataType::Int64,
        DataType::Float64,
        DataType::Boolean,
        DataType::Date32,
        micros(None),
        micros(Some("UTC")),
        DataType::Utf8,
        DataType::Utf8,
        DataType::Utf8,
        micros(None),
    ];
    assert_eq!(found.iter().map(|(_, found)| found.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(types("a;b\n1;2,5\n")[1].1, DataType::Utf8);
    assert_eq!(types("9007199254740993\n0.5\n")[0].1, DataType::Utf8);
    assert_eq!(types("a\n2024-01-01 10:00:00.123456789\n")[0].1, DataType::Timestamp(TimeUnit::Nanosecond, None));
    // In nanoseconds there is no year 1.
    assert_eq!(types("a\n2024-01-01 10:00:00.123456789\n0001-01-01 10:00\n")[0].1, DataType::Utf8);
}

#[test]
fn no_text_is_lost_when_a_later_value_does_not_fit() {
    let mut text = "id,price,day\n".to_owned();
    for row in 0..150_000 {
        text.push_str(&[&row.to_string(), ",1.50,2024-01-01\n"].concat());
    }
    text.push_str("150000,on request,2024-01-01 10:00\n");
    for piece in [usize::MAX, 100_000] {
        let (schema, batches, passes) = read(text.as_bytes(), piece).unwrap();
        assert_eq!((batches.iter().map(RecordBatch::num_rows).sum::<usize>(), passes), (150_001, 2));
        assert!(batches.iter().all(|batch| batch.num_rows() <= ROWS));
        assert_eq!(*schema.field(1).data_type(), DataType::Utf8);
        assert_eq!(*schema.field(2).data_type(), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(batches[0].column(1).as_string::<i32>().value(3), "1.50");
    }
}

#[test]
fn all_values_decide_however_far_behind_they_are() {
    let long = "x".repeat(2_400_000);
    let of = |text: &str| types(text).into_iter().map(|(_, data_type)| data_type).collect::<Vec<_>>();
    assert_eq!(of(&["a,b\n1,\"", &long, "\"\n2,short\n"].concat()), [DataType::Int64, DataType::Utf8]);
    // Before the first whole row there is nothing to guess by.
    assert_eq!(of(&["1,", &long, "\n2,short\n"].concat()), [DataType::Int64, DataType::Utf8]);
    assert_eq!(of(&["1,", &long].concat()), [DataType::Int64, DataType::Utf8]);
    // Nulls alone tell nothing.
    let nulls = "1,,\n".repeat(500_000);
    let expected = [DataType::Int64, DataType::Float64, DataType::Utf8];
    assert_eq!(of(&["a,b,c\n", &nulls, "2,0.5,\n"].concat()), expected);
    assert_eq!(of(&["a,b,c\n", &nulls, "2,0.5,word\n3,7,8\n"].concat()), expected);
    let text = ["a,b\n", &"1,\n".repeat(500_000), "2,2024-01-01\n3,x\n"].concat();
    let (schema, batches, passes) = read(text.as_bytes(), 100_000).unwrap();
    assert_eq!((schema.field(1).data_type(), passes), (&DataType::Utf8, 1));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 500_002);
}

#[test]
fn a_null_alone_in_its_row_is_a_row() {
    for (text, data_type) in [("n\n1\n\"\"\n3\n", DataType::Int64), ("n\r\n\"\"\r\nx\r\n\"\"\r\n", DataType::Utf8)] {
        let (schema, batches, _) = read(text.as_bytes(), 3).unwrap();
        assert_eq!(schema.field(0).data_type(), &data_type);
        let all = one(&batches, &schema);
        assert_eq!((all.num_rows(), all.column(0).null_count()), (3, text.matches("\"\"").count()));
    }
}

#[test]
fn files_are_read_as_they_come() {
    let rows = |text: &[u8]| {
        let (_, batches, _) = read(text, 3).unwrap();
        batches.iter().map(RecordBatch::num_rows).sum::<usize>()
    };
    assert_eq!(types("\u{feff}a,b\r\n1,2\r\n").first().unwrap().0, "a");
    assert_eq!(rows(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4"), 2);
    assert_eq!(rows(b"a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n"), 1);
    assert_eq!(rows(b"a,b\n"), 0);
    assert_eq!(rows(b"5\n6\n"), 2);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |text: &[u8]| read(text, 7).unwrap_err().to_string();
    assert_eq!(error(b"a,b\n1,2\n1,2,3\n"), "line 3: more fields where the first row has 2");
    assert_eq!(error(b"a,b\n1,2\n\n7\n"), "line 4: 1 fields where the first row has 2");
    assert_eq!(error(b"a,b\n1,x\n2,\xff\n"), "line 3, column \"b\": text that is not UTF-8");
    assert_eq!(error(b""), "the file holds no rows");
    let open = |line: u32| format!("line {line}: a quote opens here and is not closed till the end");
    assert_eq!(error(b"a,b\n1,\"open\n2,3\n4,5\n"), open(2));
    assert_eq!(error(b"a,b\n1,\"x\ny\"\n4,\"\"\"5\n\n"), open(4));
    assert_eq!(error(b"\"a,b\n1,2"), open(1));
    // Far behind the sample, too.
    let far = ["a,b\n", &"1,2\n".repeat(400_000), "1,\"2\n3,4\n"].concat();
    assert_eq!(read(far.as_bytes(), 1 << 20).unwrap_err().to_string(), open(400_002));
    let error = read(b"a,b\n1,2\n1,2,3\n", usize::MAX).unwrap_err();
    assert_eq!((error.line, error.column), (3, None));
}

#[derive(Debug, Clone)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    delimiter: char,
    ending: &'static str,
    last: bool,
}

impl Table {
    fn text(&self) -> String {
        let field = |text: &String| {
            if text.contains([self.delimiter, '"', '\n', '\r']) {
                ["\"", &text.replace('"', "\"\""), "\""].concat()
            } else {
                text.clone()
            }
        };
        let row = |row: &Vec<String>| row.iter().map(field).collect::<Vec<_>>().join(&self.delimiter.to_string());
        let lines: Vec<String> = std::iter::once(&self.names).chain(&self.rows).map(row).collect();
        [lines.join(self.ending).as_str(), if self.last { self.ending } else { "" }].concat()
    }
}

fn field(kind: usize) -> BoxedStrategy<String> {
    let some = match kind {
        0 => any::<i64>().prop_map(|value| value.to_string()).boxed(),
        1 => (-1000i32..1000).prop_map(|value| value.to_string()).boxed(),
        2 => any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| value.to_string()).boxed(),
        3 => (-100_000i32..100_000, 0usize..5)
            .prop_map(|(v, d)| [&(v / 10).to_string(), ".", &"12345"[..=d]].concat())
            .boxed(),
        4 => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        5 => day().boxed(),
        6 => (day(), 0u32..24, 0u32..60, 0u32..60, 0u32..1_000_000)
            .prop_map(|(day, h, m, s, f)| {
                [&day, "T", &two(h), ":", &two(m), ":", &two(s), ".", &[&(f + 1_000_000).to_string()[1..]].concat()]
                    .concat()
            })
            .boxed(),
        7 => (day(), 0u32..24, 0u32..60, 0u32..13)
            .prop_map(|(day, h, m, z)| [&day, " ", &two(h), ":", &two(m), ":00+", &two(z), ":30"].concat())
            .boxed(),
        8 => "[a-zé \"\n,;]{0,8}[a-z]".boxed(),
        _ => prop_oneof![field(1), field(3), field(5), Just("x".to_owned())].boxed(),
    };
    prop_oneof![6 => some, 1 => Just(String::new())].boxed()
}

fn two(value: u32) -> String {
    (value + 100).to_string()[1..].to_owned()
}

fn day() -> impl Strategy<Value = String> {
    (1700u32..2200, 1u32..13, 1u32..29).prop_map(|(y, m, d)| [&y.to_string(), "-", &two(m), "-", &two(d)].concat())
}

fn table() -> impl Strategy<Value = Table> {
    let kinds = prop::collection::vec(0usize..10, 2..6);
    (kinds, prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')], any::<bool>(), any::<bool>()).prop_flat_map(
        |(kinds, delimiter, crlf, last)| {
            let row: Vec<_> = kinds.iter().map(|&kind| field(kind)).collect();
            let names = (0..kinds.len()).map(|column| ["n", &column.to_string()].concat()).collect::<Vec<_>>();
            prop::collection::vec(row, 1..20).prop_map(move |rows| Table {
                names: names.clone(),
                rows,
                delimiter,
                ending: if crlf { "\r\n" } else { "\n" },
                last,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_arrow_reads_it_in_every_cut(table in table(), piece in 1usize..64) {
        let text = table.text();
        let (schema, batches, _) = read(text.as_bytes(), piece).unwrap();
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        // A table in which everything is text may have names that look like rows; the generated ones do not.
        prop_assume!(names.iter().all(|name| name.starts_with('n')) && names.len() == table.names.len());
        let format = Format::default().with_header(true).with_delimiter(table.delimiter as u8);
        // Arrow's reader knows UTC by this name only.
        let utc = |field: &arrow_schema::FieldRef| match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                Field::new(field.name(), DataType::Timestamp(*unit, Some("+00:00".into())), true)
            }
            _ => field.as_ref().clone(),
        };
        let theirs = Arc::new(Schema::new(schema.fields().iter().map(utc).collect::<Vec<_>>()));
        let mut oracle =
            ReaderBuilder::new(theirs.clone()).with_format(format).with_batch_size(1 << 20).build(text.as_bytes()).unwrap();
        let expected = oracle.next().unwrap().unwrap();
        let ours = one(&batches, &schema);
        let columns = ours.columns().iter().map(|column| match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(moments) if moments.timezone().is_some() => Arc::new(moments.clone().with_timezone("+00:00")),
            _ => column.clone(),
        });
        prop_assert_eq!(RecordBatch::try_new(theirs, columns.collect()).unwrap(), expected);
        // And at once.
        let (whole, batches, _) = read(text.as_bytes(), usize::MAX).unwrap();
        prop_assert_eq!(&whole, &schema);
        prop_assert_eq!(one(&batches, &schema).num_rows(), table.rows.len());
    }
}
