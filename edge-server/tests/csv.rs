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
