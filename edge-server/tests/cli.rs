//! The command line: the same engine over files, and what it says about files that are broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use common::{flights, sample};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edge-server")).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a command that must fail, and gives what it says.
fn fails(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn join(schema: &SchemaRef, batches: impl Iterator<Item = RecordBatch>) -> RecordBatch {
    arrow_select::concat::concat_batches(schema, &batches.collect::<Vec<_>>()).unwrap()
}

fn read_file(path: &Path) -> RecordBatch {
    let reader = arrow_ipc::reader::FileReader::try_new(fs::File::open(path).unwrap(), None).unwrap();
    join(&reader.schema(), reader.map(Result::unwrap))
}

fn read_stream(path: &Path) -> RecordBatch {
    let reader = arrow_ipc::reader::StreamReader::try_new(fs::File::open(path).unwrap(), None).unwrap();
    join(&reader.schema(), reader.map(Result::unwrap))
}

#[test]
fn conversions_keep_every_value() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let table = flights();
    succeeds(&["convert", text(&sample()), text(&at("a.arrow"))]);
    assert_eq!(read_file(&at("a.arrow")), table);
    succeeds(&["convert", text(&at("a.arrow")), text(&at("b.arrows"))]);
    assert_eq!(read_stream(&at("b.arrows")), table);
    succeeds(&["convert", text(&at("b.arrows")), text(&at("c.parquet"))]);
    succeeds(&["convert", text(&at("c.parquet")), text(&at("d.arrow"))]);
    assert_eq!(read_file(&at("d.arrow")).columns(), table.columns());
    // Through CSV the types are those that its text shows; the text itself stays.
    succeeds(&["convert", text(&at("d.arrow")), text(&at("e.csv"))]);
    succeeds(&["convert", text(&at("e.csv")), text(&at("f.arrow"))]);
    let back = read_file(&at("f.arrow"));
    let wide = arrow_cast::cast(table.column_by_name("dep_delay").unwrap(), &arrow_schema::DataType::Int64).unwrap();
    assert_eq!(back.column_by_name("dep_delay").unwrap(), &wide);
    assert_eq!(back.num_rows(), table.num_rows());
    succeeds(&["convert", text(&at("d.arrow")), text(&at("g.ndjson"))]);
    assert_eq!(fs::read_to_string(at("g.ndjson")).unwrap().lines().count(), table.num_rows());
    assert!(!at("g.ndjson.part").exists());
}

#[test]
fn a_query_answers_as_arrow_does() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, out) = (folder.path().join("plan.json"), folder.path().join("out.arrow"));
    fs::write(&plan, r#"{"filter": {"compare": {"column": "dep_delay", "op": ">", "value": 60}}}"#).unwrap();
    let table = ["t=", text(&sample())].concat();
    succeeds(&["query", "--table", &table, "--plan", text(&plan), "-o", text(&out)]);
    let flights = flights();
    let delay = flights.column_by_name("dep_delay").unwrap();
    let late = arrow_ord::cmp::gt(delay, &arrow_array::Int16Array::new_scalar(60)).unwrap();
    assert_eq!(read_file(&out), arrow_select::filter::filter_record_batch(&flights, &late).unwrap());
    // Without a file the rows are printed, and counted.
    let printed = succeeds(&["query", "--table", &table, "--plan", r#"{"group_by": ["origin"]}"#]);
    assert!(printed.contains("| EWR") && printed.ends_with("3 rows, 3 shown\n"), "{printed}");
}

#[test]
fn broken_input_is_told_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let out = at("out.arrow");
    let missing = fails(&["--table", "x=/nowhere/flights.parquet"]);
    assert!(missing.contains("/nowhere/flights.parquet: No such file or directory"), "{missing}");
    let whole = fs::read(sample()).unwrap();
    fs::write(at("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let cut = fails(&["convert", text(&at("cut.parquet")), text(&out)]);
    assert!(cut.contains("cut.parquet: not a whole Parquet file"), "{cut}");
    succeeds(&["query", "--table", text(&sample()), "--plan", r#"{"limit": 1000}"#, "-o", text(&at("s.arrows"))]);
    let stream = fs::read(at("s.arrows")).unwrap();
    fs::write(at("cut.arrows"), &stream[..stream.len() - 5_000]).unwrap();
    let cut = fails(&["convert", text(&at("cut.arrows")), text(&out)]);
    assert!(cut.contains("cut.arrows: the stream ends") && cut.contains("in the message at byte"), "{cut}");
    fs::write(at("bad.csv"), "a,b\n1,2\n3\n").unwrap();
    let bad = fails(&["convert", text(&at("bad.csv")), text(&out)]);
    assert!(bad.contains("bad.csv") && bad.contains("line 3"), "{bad}");
    let plan = r#"{"filter": {"compare": {"column": "delay", "op": ">", "value": 1}}}"#;
    let unknown = fails(&["query", "--table", text(&sample()), "--plan", plan, "-o", text(&out)]);
    assert!(unknown.contains("unknown column \"delay\"; the columns are year, month"), "{unknown}");
    let plan = r#"{"filter": {"compare": {"column": "origin", "op": ">", "value": 1}}}"#;
    let wrong = fails(&["query", "--table", text(&sample()), "--plan", plan, "-o", text(&out)]);
    assert!(wrong.contains("column \"origin\" of type Utf8 cannot be compared"), "{wrong}");
    let format = fails(&["convert", text(&sample()), text(&at("out.xlsx"))]);
    assert!(format.contains("unknown format"), "{format}");
    let twice = fails(&["--table", &["a=", text(&sample())].concat(), "--table", &["a=", text(&sample())].concat()]);
    assert!(twice.contains("two tables are called \"a\""), "{twice}");
    let public = fails(&["--addr", "0.0.0.0:0"]);
    assert!(public.contains("can be reached from other machines"), "{public}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("out")), "{left:?}");
}
