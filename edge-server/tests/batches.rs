//! Parts and batches against the table itself, from sources of every kind: each row is in one part and in one batch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use common::Served;
use edge_server::live::Store;
use edge_server::run::{Budget, Knowledge, Method, Part, Reach, Reading, Terms};
use edge_server::source::{self, Options, Source, Table};
use kernels::query::{CompareOp, Plan, Predicate, Scalar};
use proptest::prelude::*;
use serde_json::json;

const ROWS: usize = 20_000;

fn rows() -> RecordBatch {
    let mixed = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let some = |row: usize, every: u64| !mixed(row).is_multiple_of(every);
    let columns: [(&str, ArrayRef); 4] = [
        ("row", Arc::new(Int64Array::from_iter_values(0..ROWS as i64))),
        (
            "number",
            Arc::new(Int64Array::from_iter((0..ROWS).map(|row| some(row, 11).then(|| (mixed(row) % 50) as i64)))),
        ),
        (
            "value",
            Arc::new(Float64Array::from_iter((0..ROWS).map(|row| some(row, 13).then(|| mixed(row) as f64 / 8.0)))),
        ),
        (
            "word",
            Arc::new(StringArray::from_iter(
                (0..ROWS).map(|row| some(row, 17).then(|| ["ash", "elm", "oak"][row % 3])),
            )),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// The rows as Parquet, decoded anew and kept; as Arrow in memory and on the disk; as CSV; as a folder.
fn sources(folder: &Path, rows: &RecordBatch) -> Vec<(&'static str, Arc<dyn Source>)> {
    let parquet = folder.join("whole.parquet");
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(3_000)).build();
    let file = std::fs::File::create(&parquet).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    let arrow = folder.join("whole.arrow");
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(std::fs::File::create(&arrow).unwrap(), &rows.schema()).unwrap();
    for start in (0..ROWS).step_by(1_700) {
        writer.write(&rows.slice(start, 1_700.min(ROWS - start))).unwrap();
    }
    writer.finish().unwrap();
    let csv = folder.join("whole.csv");
    arrow_csv::Writer::new(std::fs::File::create(&csv).unwrap()).write(rows).unwrap();
    let open = |path: &Path, memory: usize| source::open_with(path, &Options { memory, ..Options::default() }).unwrap();
    std::fs::create_dir(folder.join("parts")).unwrap();
    std::fs::copy(&arrow, folder.join("parts/1.arrow")).unwrap();
    let parts = format!("parts={}", folder.join("parts").display());
    vec![
        ("Parquet, nothing kept", open(&parquet, 0)),
        ("Parquet, kept", open(&parquet, 1 << 30)),
        ("Arrow, in memory", open(&arrow, 1 << 30)),
        ("Arrow, on the disk", open(&arrow, 0)),
        ("CSV", open(&csv, 0)),
        ("a folder", source::open_one(&parts, &Options::default()).unwrap().source),
    ]
}

fn reading(size: usize) -> Reading {
    let columns = Some(vec!["row".to_owned(), "word".to_owned()]);
    let plan = Plan { columns, ..Plan::default() };
    Reading { plan, part: None, size, shuffle: None, epoch: 0, from: 0, sample: None, drops_last: false }
}

fn read(reading: &Reading, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Vec<RecordBatch> {
    let terms = Terms { knowledge, budget: Budget::default(), is_given_up: &|| false };
    let mut batches = Vec::new();
    reading
        .run(source, terms, |batch| {
            batches.push(batch);
            Ok(true)
        })
        .unwrap();
    batches
}

/// The numbers of the rows; their words are checked to have come with them.
fn numbers(batches: &[RecordBatch], table: &RecordBatch) -> Vec<i64> {
    let mut all = Vec::new();
    let words = table.column(3).as_string::<i32>();
    for batch in batches {
        let (rows, found) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
        for (&row, word) in rows.values().iter().zip(found) {
            let expected = words.is_valid(row as usize).then(|| words.value(row as usize));
            assert_eq!(word, expected, "row {row}");
            all.push(row);
        }
    }
    all
}

fn passing(filter: Option<i64>, table: &RecordBatch) -> Vec<i64> {
    let numbers = table.column(1).as_primitive::<Int64Type>();
    let passes = |number: Option<i64>| filter.is_none_or(|most| number.is_some_and(|number| number < most));
    numbers.iter().zip(0..).filter(|(number, _)| passes(*number)).map(|(_, row)| row).collect()
}

fn with_filter(reading: Reading, filter: Option<i64>) -> Reading {
    let filter = filter.map(|most| Predicate::Compare {
        column: "number".to_owned(),
        op: CompareOp::Lt,
        value: Scalar::Int(most),
    });
    Reading { plan: Plan { filter, ..reading.plan }, ..reading }
}

fn part() -> impl Strategy<Value = Option<(Vec<String>, Method)>> {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    prop_oneof![
        Just(None),
        Just(Some((Vec::new(), Method::Hash))),
        Just(Some((names(&["word", "number"]), Method::Hash))),
        Just(Some((names(&["value"]), Method::Hash))),
        prop_oneof!["row", "number", "value", "word"].prop_map(|name| Some((vec![name], Method::Range))),
    ]
}

#[test]
fn every_row_is_in_one_part_and_one_batch() {
    let (folder, table) = (tempfile::tempdir().unwrap(), rows());
    let sources = sources(folder.path(), &table);
    let knowledge = Knowledge::default();
    let asked = (
        part(),
        1usize..6,
        prop_oneof![Just(1usize), 2..400usize, Just(30_000)],
        proptest::option::of(any::<u64>()),
        proptest::option::of(0i64..55),
        proptest::option::of((0usize..25_000, any::<u64>())),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    runner
        .run(&asked, |(by, parts, size, shuffle, filter, sample)| {
            let size = if size == 1 { 97 } else { size };
            let expected = passing(filter, &table);
            let all = with_filter(Reading { shuffle, sample, ..reading(size) }, filter);
            let mut sampled: Option<BTreeSet<i64>> = None;
            for (what, source) in &sources {
                let mut union = Vec::new();
                let parts = if by.is_some() { parts } else { 1 };
                for part in 0..parts {
                    let part = by.clone().map(|(by, method)| Part { by, method, parts, part });
                    let asked = Reading { part, ..all.clone() };
                    let batches = read(&asked, source, &knowledge);
                    let (last, full) = batches.split_last().map_or((None, &[][..]), |(last, full)| (Some(last), full));
                    prop_assert!(full.iter().all(|batch| batch.num_rows() == size), "{}: {:?}", what, &asked);
                    prop_assert!(last.is_none_or(|last| (1..=size).contains(&last.num_rows())));
                    let found = numbers(&batches, &table);
                    if let Some(rows) = asked.rows(source.as_ref()) {
                        prop_assert_eq!(rows, found.len(), "{}: {:?}", what, &asked);
                    }
                    if shuffle.is_none() {
                        prop_assert!(found.is_sorted());
                    }
                    // The same again, and from a batch in the middle.
                    let from = batches.len() / 2;
                    let rest = read(&Reading { from, ..asked.clone() }, source, &Knowledge::default());
                    prop_assert_eq!(&numbers(&rest, &table), &found[(from * size).min(found.len())..], "{}", what);
                    let whole = read(&Reading { drops_last: true, ..asked.clone() }, source, &knowledge);
                    prop_assert_eq!(whole.len(), found.len() / size);
                    union.extend(found);
                }
                let set: BTreeSet<i64> = union.iter().copied().collect();
                prop_assert_eq!(set.len(), union.len(), "{}: a row came twice", what);
                match sample {
                    None => prop_assert!(set.iter().eq(&expected), "{}: rows are missing", what),
                    Some((rows, _)) => {
                        prop_assert_eq!(set.len(), rows.min(expected.len()));
                        prop_assert!(set.iter().all(|row| expected.binary_search(row).is_ok()));
                        let first = sampled.get_or_insert_with(|| set.clone());
                        prop_assert_eq!(&*first, &set, "{}: another sample", what);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

/// Rows so wide that a window does not hold the table.
#[test]
fn a_table_that_no_window_holds_is_shuffled_in_windows() {
    struct Wide(Arc<dyn Source>);
    impl Source for Wide {
        fn schema(&self) -> &arrow_schema::SchemaRef {
            self.0.schema()
        }
        fn rows(&self) -> usize {
            self.0.rows()
        }
        fn bytes(&self) -> u64 {
            u64::MAX
        }
        fn tag(&self) -> u64 {
            self.0.tag()
        }
        fn pieces(&self) -> Vec<usize> {
            self.0.pieces()
        }
        fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> edge_server::Result<source::Batches> {
            self.0.scan(columns, pieces)
        }
    }
    const MANY: i64 = 400_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.arrow");
    let batch = |start: i64| {
        let rows: ArrayRef = Arc::new(Int64Array::from_iter_values(start..start + 1_000));
        RecordBatch::try_from_iter([("row", rows)]).unwrap()
    };
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(std::fs::File::create(&path).unwrap(), &batch(0).schema()).unwrap();
    (0..MANY).step_by(1_000).for_each(|start| writer.write(&batch(start)).unwrap());
    writer.finish().unwrap();
    let source: Arc<dyn Source> = Arc::new(Wide(source::open(&path).unwrap()));
    let asked = Reading { shuffle: Some(5), plan: Plan::default(), ..reading(1_024) };
    assert_eq!(asked.reach(source.as_ref()), Reach::Windows(65_536));
    let knowledge = Knowledge::default();
    let of = |asked: &Reading| -> Vec<i64> {
        let batches = read(asked, &source, &knowledge);
        assert!(batches[..batches.len() - 1].iter().all(|batch| batch.num_rows() == 1_024));
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    };
    let first = of(&asked);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..MANY), "each row once");
    assert!(first == of(&asked), "the same for the same seed");
    assert!(first != of(&Reading { epoch: 1, ..asked.clone() }), "another epoch");
    assert!(first != of(&Reading { shuffle: Some(6), ..asked.clone() }), "another seed");
    for from in [1, 64, 200, 390] {
        assert!(of(&Reading { from, ..asked.clone() }) == first[from * 1_024..], "from {from}");
    }
    // A batch holds rows of many places: stretches of the table meet in each.
    let places: BTreeSet<i64> = first[..1_024].iter().map(|row| row / 4_096).collect();
    assert!(places.len() >= 12, "{places:?}");
}

fn served() -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("live")).unwrap();
    let flights = Table { name: "flights".to_owned(), source: source::open(&common::sample()).unwrap() };
    let tables = edge_server::http::Tables::try_new(vec![flights]).unwrap().with_live(store).unwrap();
    (folder, Served::serve(tables))
}

fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[test]
fn workers_read_their_parts_over_http() {
    let (_folder, server) = served();
    let table = common::flights();
    let place = |name: &str| table.schema().index_of(name).unwrap();
    for by in ["by=carrier,origin", "by=time_hour&method=range", "by=tailnum&method=range", "by=dep_delay"] {
        let mut rows = 0;
        for part in 0..8 {
            let url = format!("/v1/tables/flights/batches?{by}&parts=8&part={part}&columns=carrier,origin");
            let answer = server.get(&url);
            assert_eq!((answer.status, answer.whole), (200, true), "{url}: {}", answer.head);
            assert_eq!(answer.header("x-bodkin-part"), Some(format!("{part}/8").as_str()));
            rows += count(&answer.batches());
        }
        assert_eq!(rows, table.num_rows(), "{by}");
    }
    // What the kernels say of the whole table is what a worker gets.
    let keys = [table.column(place("carrier")).as_ref(), table.column(place("origin")).as_ref()];
    let expected = kernels::partition::partition_by_hash(&keys, 8).unwrap()[3].len();
    let answer = server.get("/v1/tables/flights/batches?by=carrier,origin&parts=8&part=3&format=csv");
    assert_eq!(String::from_utf8(answer.body).unwrap().lines().count(), expected + 1);
    let tag = answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let again = server.ask(
        "GET",
        "/v1/tables/flights/batches?by=carrier,origin&parts=8&part=3&format=csv",
        &format!("if-none-match: {tag}\r\n"),
        b"",
    );
    assert_eq!(again.status, 304);

    // A handle, and a live table as it is at this moment.
    let handle =
        server.ask("POST", "/v1/handles", "", br#"{"table": "flights", "plan": {"columns": ["month"]}}"#).json();
    let id = handle["id"].as_str().unwrap();
    let of = |part: usize| server.get(&format!("/v1/handles/{id}/batches?by=month&parts=3&part={part}")).batches();
    assert_eq!((0..3).map(|part| count(&of(part))).sum::<usize>(), table.num_rows());
    live::make(&server, "prices", &live::definition(true, json!({})));
    let rows: Vec<(i64, &str, f64)> = (0..500).map(|id| (id, "a", id as f64)).collect();
    let inserted = live::rows(&rows);
    let change = wire::update::Change::Append(inserted);
    live::change(&server, "prices", change);
    let of = |part: usize| {
        let url = format!("/v1/tables/prices/batches?by=id&method=range&parts=4&part={part}&size=50&shuffle=1");
        server.get(&url).batches()
    };
    assert!((0..4).all(|part| count(&of(part)) == 125 && of(part)[0].num_rows() == 50));
}

#[test]
fn batches_are_told_and_wrong_questions_refused() {
    let (_folder, server) = served();
    let url = "/v1/tables/flights/batches?size=1024&shuffle=7&epoch=2&columns=dep_delay,distance&drop_last=true";
    let answer = server.get(url);
    let told = ["x-bodkin-rows", "x-bodkin-batches", "x-bodkin-batch-rows", "x-bodkin-shuffle"];
    assert_eq!(told.map(|name| answer.header(name).unwrap()), ["336776", "328", "1024", "whole"]);
    let batches = answer.batches();
    assert!(batches.len() == 328 && batches.iter().all(|batch| batch.num_rows() == 1_024));
    let rest = server.get(&format!("{url}&from=300"));
    assert_eq!(rest.batches()[0], batches[300]);
    let sample =
        server.get("/v1/tables/flights/batches?sample=1000&filter[origin]=JFK&columns=origin&seed=3&format=csv");
    let lines = String::from_utf8(sample.body).unwrap();
    assert!(lines.lines().count() == 1_001 && lines.lines().skip(1).all(|origin| origin == "JFK"));
    for (question, said) in [
        ("size=0", "size=0: expected from 1 to 1048576 rows"),
        ("parts=8", "parts means nothing without part"),
        ("parts=8&part=8", "part=8: expected a number from 0 and below parts"),
        ("by=carrier", "by means nothing without parts"),
        ("by=nowhere&parts=2&part=0", "unknown column \\\"nowhere\\\""),
        ("by=carrier,origin&method=range&parts=2&part=0", "one column"),
        ("by=carrier&method=magic&parts=2&part=0", "method=magic: expected hash or range"),
        ("epoch=1", "epoch means nothing without shuffle"),
        ("sort=month", "sort: batches have columns and filter"),
        ("size=5&size=6", "size stands twice"),
        ("columns=nowhere", "nowhere"),
        ("drop_last=1", "drop_last=1: expected true or false"),
    ] {
        let answer = server.get(&format!("/v1/tables/flights/batches?{question}"));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 400 && text.contains(said), "{question}: {} {text}", answer.status);
    }
    assert_eq!(server.ask("POST", "/v1/tables/flights/batches", "", b"").status, 405);
}
