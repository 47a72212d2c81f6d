//! CSV against arrow-csv on generated data, and what is said of files that do not fit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use edge_server::source::{Options, Source, open_with};
use proptest::prelude::*;

fn all(source: &Arc<dyn Source>) -> RecordBatch {
    let batches: Vec<RecordBatch> = source.scan(None, None).unwrap().map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(source.schema(), &batches).unwrap()
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn read(text: &str, options: &Options) -> Result<RecordBatch, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "t.csv", text);
    open_with(&path, options).map(|source| all(&source)).map_err(|error| error.to_string())
}

fn by_arrow(text: &str) -> RecordBatch {
    let format = arrow_csv::reader::Format::default().with_header(true);
    let (schema, _) = format.infer_schema(text.as_bytes(), None).unwrap();
    let reader = arrow_csv::ReaderBuilder::new(Arc::new(schema)).with_format(format).build(text.as_bytes()).unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// A field as it is written, and never an empty one in quotes: arrow-csv takes that for null.
fn field(kind: u8) -> BoxedStrategy<String> {
    match kind {
        0 => prop_oneof![
            Just(String::new()),
            any::<i64>().prop_map(|n| n.to_string()),
            (-999i64..999).prop_map(|n| n.to_string())
        ]
        .boxed(),
        1 => prop_oneof![
            Just(String::new()),
            any::<f32>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| x.to_string()),
            (-1000.0..1000.0).prop_map(|x: f64| x.to_string()),
            (0u32..9, -20i32..20).prop_map(|(a, b)| format!("{a}.5e{b}"))
        ]
        .boxed(),
        2 => prop_oneof![Just("true".to_owned()), Just("FALSE".to_owned()), Just(String::new())].boxed(),
        3 => (1900i32..2100, 1u32..13, 1u32..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}")).boxed(),
        4 => (1970i32..2100, 0u32..24, 0u32..60, 0u32..60)
            .prop_map(|(y, h, m, s)| format!("{y}-01-02T{h:02}:{m:02}:{s:02}"))
            .boxed(),
        _ => prop_oneof![
            Just(String::new()),
            "[a-z é]{1,20}",
            "[a-z,\n\r\"é]{1,20}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
        ]
        .boxed(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_table_is_what_arrow_csv_reads(
        (kinds, rows) in prop::collection::vec(0u8..6, 1..7).prop_flat_map(|kinds| {
            let row: Vec<BoxedStrategy<String>> = kinds.iter().map(|&kind| field(kind)).collect();
            (Just(kinds), prop::collection::vec(row, 1..60))
        }),
        windows: bool,
    ) {
        // A file of one column may not have an empty line, which arrow-csv goes over.
        let mut text: String = (0..=kinds.len()).map(|column| format!("c{column},")).collect::<String>();
        text.pop();
        for row in rows {
            let _ = write!(text, "{}1,{}", if windows { "\r\n" } else { "\n" }, row.join(","));
        }
        let expected = by_arrow(&text);
        let found = read(&text, &Options::default()).unwrap();
        prop_assert_eq!(found.num_rows(), expected.num_rows());
        for (found, expected) in found.columns().iter().zip(expected.columns()) {
            if expected.data_type() == &DataType::Null {
                prop_assert_eq!(found.null_count(), found.len());
            } else {
                prop_assert_eq!(found, expected);
            }
        }
    }
}

#[test]
fn empty_fields_and_empty_texts_are_not_the_same() {
    let batch = read("a,b\n1,\"\"\n2,\n", &Options::default()).unwrap();
    assert!(batch.column(1).is_valid(0) && batch.column(1).is_null(1));
}

#[test]
fn digits_are_numbers_and_floats_the_nearest() {
    let of = |value: &str| {
        let batch = read(&format!("n,m\n{value},1\n"), &Options::default()).unwrap();
        (batch.column(0).data_type().clone(), arrow_cast::display::array_value_to_string(batch.column(0), 0).unwrap())
    };
    assert_eq!(of("007"), (DataType::Int64, "7".to_owned()));
    assert_eq!(of("12345678901234567890"), (DataType::Utf8, "12345678901234567890".to_owned()));
    for text in ["12345678901234567890.125", "0.1234567890123456789", "1e23"] {
        let (data_type, shown) = of(text);
        assert_eq!((data_type, shown.parse::<f64>()), (DataType::Float64, text.parse::<f64>()), "{text}");
    }
}

#[test]
fn a_quote_that_is_not_closed_is_told() {
    let said = |text: &str, expected: &str| {
        let found = read(text, &Options::default()).unwrap_err();
        assert!(found.ends_with(expected), "{text}: {found}");
    };
    let open =
        |row: usize, column: &str| format!("row {row}: column \"{column}\": a quote opens here and is not closed");
    said("a,b\n1,\"open\n2,3\n4,5\n", &open(1, "b"));
    said("a,b\n1,\"x\ny\"\n\"\"\"4,5", &open(2, "a"));
    let far = ["a,b\n", &"1,2\n".repeat(600_000), "1,\"2\n3,4\n"].concat();
    said(&far, &open(600_001, "b"));
}

#[test]
fn a_column_of_its_own_comes_back_whole() {
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    let columns: [ArrayRef; 2] = [
        Arc::new(Int64Array::from(vec![None, Some(1), None, Some(3), None])),
        Arc::new(StringArray::from(vec![None, Some("x"), None, Some("y"), None])),
    ];
    for column in columns {
        let batch = RecordBatch::try_from_iter_with_nullable([("n", column, true)]).unwrap();
        let mut text = Vec::new();
        let mut writer =
            edge_server::output::Writer::try_new(edge_server::output::Format::Csv, &mut text, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.matches("\n\"\"\n").count(), 3, "{text}");
        assert_eq!(read(&text, &Options::default()).unwrap(), batch, "{text}");
        // As the viewer writes it; and lines that are empty are no rows.
        assert_eq!(read(&text.replace('\n', "\r\n"), &Options::default()).unwrap(), batch);
    }
    for text in ["n\n1\n\n2\n\n", "n\r\n1\r\n\r\n2\r\n\r\n", "n\n1\n\n\"2\"\n"] {
        let batch = read(text, &Options::default()).unwrap();
        assert_eq!((batch.num_rows(), batch.column(0).null_count()), (2, 0), "{text}");
    }
    // Two quotes are a null of a column that has no texts, given or not.
    let types = [("b".to_owned(), DataType::UInt8)];
    let options = Options { types: types.into(), ..Options::default() };
    let batch = read("a,b\n1,2\n\"\",\"\"\n", &options).unwrap();
    assert!(batch.columns().iter().all(|column| column.is_null(1)));
}

#[test]
fn columns_of_the_same_name_are_told_apart() {
    let batch = read("a,a,a_2,a\n1,x,true,0.5\n", &Options::default()).unwrap();
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["a", "a_3", "a_2", "a_4"]);
    let options = Options { types: [("a_3".to_owned(), DataType::LargeUtf8)].into(), ..Options::default() };
    assert_eq!(read("a,a,a_2\n1,x,true\n", &options).unwrap().column(1).data_type(), &DataType::LargeUtf8);
}

#[test]
fn types_that_are_given_come_before_those_that_are_inferred() {
    let types = [
        ("id".to_owned(), DataType::UInt8),
        ("price".to_owned(), DataType::Decimal128(10, 2)),
        ("at".to_owned(), DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
        ("code".to_owned(), DataType::Utf8),
    ];
    let options = Options { types: types.clone().into(), ..Options::default() };
    let text = "id,price,at,code\n1,2.50,2026-01-02T03:04:05Z,007\n255,,,8\n";
    let batch = read(text, &options).unwrap();
    for (name, data_type) in types {
        assert_eq!(batch.schema().field_with_name(&name).unwrap().data_type(), &data_type);
    }
    let shown = arrow_cast::pretty::pretty_format_batches(&[batch]).unwrap().to_string();
    assert!(shown.contains("| 1   | 2.50  | 2026-01-02T03:04:05Z | 007  |"), "{shown}");
    let wrong = read("id,price,at,code\n1,2,,\n256,1,,\n", &options).unwrap_err();
    assert!(wrong.ends_with("row 2: column \"id\": \"256\" is not UInt8"), "{wrong}");
    let unknown = read("id\n1\n", &options).unwrap_err();
    assert!(unknown.contains("a type is given for column \"at\"; the columns are id"), "{unknown}");
}

#[test]
fn what_does_not_fit_is_told_with_row_and_column() {
    // Far behind the sample and the first piece.
    let mut text = "when,count\n".to_owned();
    for row in 0..400_000 {
        writeln!(text, "2026-01-02,{row}").unwrap();
    }
    let wrong = |line: &str| read(&format!("{text}{line}\n"), &Options::default()).unwrap_err();
    let said = |line: &str, expected: &str| {
        let found = wrong(line);
        assert!(found.ends_with(expected), "{line}: {found}");
    };
    said("2026-01-02,many", "row 400001: column \"count\": \"many\" is not Int64");
    said("tomorrow,1", "row 400001: column \"when\": \"tomorrow\" is not Date32");
    said("2026-01-02,99999999999999999999", "row 400001: column \"count\": \"99999999999999999999\" is not Int64");
    said("2026-01-02", "row 400001: 1 fields, 2 were expected");
    said("2026-01-02,1,2", "row 400001: more than 2 fields");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, b"name\nAnn\n\xff\n").unwrap();
    let wrong = open_with(&path, &Options::default()).err().unwrap().to_string();
    assert!(wrong.ends_with("row 2: column \"name\": \"\u{fffd}\" is not Utf8") || wrong.contains("UTF-8"), "{wrong}");
    std::fs::write(&path, b"").unwrap();
    assert!(open_with(&path, &Options::default()).err().unwrap().to_string().ends_with("no header line"));
}

#[test]
fn a_large_file_is_read_once_and_its_copy_used_until_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let options = Options { cache: Some(cache.clone()), ..Options::default() };
    let mut text = "id,name,value\n".to_owned();
    for row in 0..2_500_000 {
        writeln!(text, "{row},name {row},{}.25", row % 1000).unwrap();
    }
    assert!(text.len() > 64 << 20);
    let path = written(folder.path(), "large.csv", &text);
    let copies = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&cache).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().unwrap() == "arrow").collect()
    };
    let first = open_with(&path, &options).unwrap();
    assert_eq!(first.rows(), 2_500_000);
    assert!(first.pieces().len() > 10);
    // The copy gets its name when the disk has it.
    for _ in 0..200 {
        if !copies().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let kept = copies();
    assert_eq!(kept.len(), 1);
    let time = std::fs::metadata(&kept[0]).unwrap().modified().unwrap();
    let second = open_with(&path, &options).unwrap();
    assert_eq!(std::fs::metadata(&kept[0]).unwrap().modified().unwrap(), time);
    assert_eq!(all(&second), all(&first));
    assert_eq!(second.tag(), first.tag());
    let piece = second.scan(Some(&[1]), Some(&[3])).unwrap().next().unwrap().unwrap();
    assert_eq!((piece.num_columns(), piece.num_rows()), (1, second.pieces()[3]));

    // Another file of the name: the copy is made anew, and the old one is gone.
    text.push_str("1,x,2\n");
    std::fs::write(&path, &text).unwrap();
    let third = open_with(&path, &options).unwrap();
    assert_eq!(third.rows(), 2_500_001);
    assert_ne!(third.tag(), first.tag());
    assert!(!kept[0].exists());
    // What was open before is still whole.
    assert_eq!(all(&first).num_rows(), 2_500_000);
}
