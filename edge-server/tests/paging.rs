//! Pages of sorted and filtered tables against the kernels over all rows at once, from sources of every kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use common::Served;
use edge_server::live::Store;
use edge_server::run::{Budget, Knowledge, Query, Terms};
use edge_server::source::{self, Options, Source, Table};
use kernels::query::{CompareOp, Nulls, Plan, Predicate, Scalar, SortBy, TextTest};
use proptest::prelude::*;
use serde_json::json;

const ROWS: usize = 30_000;

/// Numbers with many equal ones, text of few values and of many, nulls in all of them.
fn rows() -> RecordBatch {
    let mixed = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let some = |row: usize, every: u64| !mixed(row).is_multiple_of(every);
    let number = (0..ROWS).map(|row| some(row, 11).then(|| (mixed(row) % 50) as i64));
    let value = (0..ROWS).map(|row| some(row + 7, 13).then(|| (mixed(row + 7) % 9_973) as f64 / 8.0));
    let word = (0..ROWS).map(|row| some(row, 17).then(|| ["ash", "beech", "elm", "oak"][mixed(row) as usize / 7 % 4]));
    let name = (0..ROWS).map(|row| Some(format!("n{}", mixed(row * 3) % 20_000)));
    let columns: [(&str, ArrayRef); 5] = [
        ("row", Arc::new(Int64Array::from_iter_values(0..ROWS as i64))),
        ("number", Arc::new(Int64Array::from_iter(number))),
        ("value", Arc::new(Float64Array::from_iter(value))),
        ("word", Arc::new(StringArray::from_iter(word))),
        ("name", Arc::new(StringArray::from_iter(name))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// The rows as files of each kind: Parquet, decoded anew and kept; Arrow in memory and on the disk; a folder.
fn sources(folder: &Path, rows: &RecordBatch) -> Vec<(&'static str, Arc<dyn Source>)> {
    let parquet = |name: &str, rows: &RecordBatch| -> PathBuf {
        let properties =
            parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(4_000)).build();
        let path = folder.join(name);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
        writer.write(rows).unwrap();
        writer.close().unwrap();
        path
    };
    let whole = parquet("whole.parquet", rows);
    let arrow = folder.join("whole.arrow");
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(std::fs::File::create(&arrow).unwrap(), &rows.schema()).unwrap();
    for start in (0..ROWS).step_by(1_700) {
        writer.write(&rows.slice(start, 1_700.min(ROWS - start))).unwrap();
    }
    writer.finish().unwrap();
    std::fs::create_dir(folder.join("parts")).unwrap();
    parquet("parts/1.parquet", &rows.slice(0, 17_000));
    parquet("parts/2.parquet", &rows.slice(17_000, ROWS - 17_000));
    let parts = format!("parts={}", folder.join("parts").display());
    let open = |path: &Path, memory: usize| source::open_with(path, &Options { memory, ..Options::default() }).unwrap();
    vec![
        ("Parquet, nothing kept", open(&whole, 0)),
        ("Parquet, kept", open(&whole, 1 << 30)),
        ("Arrow in memory", open(&arrow, 1 << 30)),
        ("Arrow on the disk", open(&arrow, 0)),
        ("a folder", source::open_one(&parts, &Options::default()).unwrap().source),
    ]
}

fn run(plan: &Plan, source: &Arc<dyn Source>, knowledge: &Knowledge) -> (RecordBatch, Option<usize>) {
    let query = Query::prepare(plan, source.as_ref()).unwrap();
    let (schema, total) = (query.schema(), query.total());
    let terms = Terms { knowledge, budget: Budget::default(), is_given_up: &|| false };
    let mut batches = Vec::new();
    query
        .run(source, terms, |batch| {
            batches.push(batch);
            Ok(true)
        })
        .unwrap();
    (arrow_select::concat::concat_batches(&schema, &batches).unwrap(), total.get().copied())
}

fn filter() -> impl Strategy<Value = Option<Predicate>> {
    let column = |name: &str| name.to_owned();
    let compare = move |name: &str, op, value| Predicate::Compare { column: column(name), op, value };
    let one = prop_oneof![
        (0i64..55).prop_map(move |value| compare("number", CompareOp::Gt, Scalar::Int(value))),
        (0i64..30_500).prop_map(move |value| compare("row", CompareOp::LtEq, Scalar::Int(value))),
        (0i64..1_300).prop_map(move |value| compare("value", CompareOp::GtEq, Scalar::Int(value))),
        prop_oneof!["ash", "elm", "oak", "fir"].prop_map(move |word| compare(
            "word",
            CompareOp::NotEq,
            Scalar::Text(word)
        )),
        "[a-n0-9]{1,2}".prop_map(|value| Predicate::Text {
            column: "name".to_owned(),
            test: TextTest::Contains,
            value,
            ignore_case: false
        }),
        Just(Predicate::IsNull { column: "word".to_owned() }),
    ];
    let one = one.boxed();
    prop_oneof![
        1 => Just(None),
        2 => one.clone().prop_map(Some),
        1 => (one.clone(), one.clone()).prop_map(|(a, b)| Some(Predicate::And(vec![a, b]))),
        1 => (one.clone(), one).prop_map(|(a, b)| Some(Predicate::Not(Box::new(Predicate::Or(vec![a, b]))))),
    ]
}

fn sort() -> impl Strategy<Value = Vec<SortBy>> {
    let key = (prop_oneof!["row", "number", "value", "word", "name"], any::<bool>(), any::<bool>());
    let key = key.prop_map(|(column, descending, first)| SortBy {
        column,
        descending,
        nulls: if first { Nulls::First } else { Nulls::Last },
    });
    proptest::collection::vec(key, 0..3)
}

fn columns() -> impl Strategy<Value = Option<Vec<String>>> {
    let names = || ["name", "row", "word", "value", "number"].map(str::to_owned).to_vec();
    prop_oneof![Just(None), proptest::sample::subsequence(names(), 1..4).prop_shuffle().prop_map(Some)]
}

#[test]
fn pages_are_windows_of_the_whole() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows());
    let sources = sources(folder.path(), &rows);
    let pages = proptest::collection::vec((0usize..33_000, 0usize..300), 1..4);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
    let knowledge = Knowledge::default();
    // One remembers all, one almost nothing, one nothing.
    let small = [Knowledge::default().with_room_for_orders(300 << 10), Knowledge::default().with_room_for_orders(0)];
    runner
        .run(&(filter(), sort(), columns(), pages), |(filter, sort, columns, pages)| {
            let view = Plan { filter, sort, columns, ..Plan::default() };
            let whole = view.bind(&rows.schema()).unwrap().execute(std::slice::from_ref(&rows)).unwrap();
            for (offset, limit) in pages {
                let plan = Plan { offset, limit: Some(limit), ..view.clone() };
                let begin = offset.min(whole.num_rows());
                let expected = whole.slice(begin, limit.min(whole.num_rows() - begin));
                for (what, source) in &sources {
                    for knowledge in [&knowledge, &small[0], &small[1]] {
                        let (page, total) = run(&plan, source, knowledge);
                        prop_assert_eq!(page.columns(), expected.columns(), "{}: {:?}", what, &plan);
                        prop_assert!(total.is_none_or(|total| total == whole.num_rows()), "{}: {:?}", what, &plan);
                    }
                }
            }
            // All that is known by now agrees with a count.
            let count = wire::plan::from_json(br#"{"aggregates": [{"function": "count"}]}"#).unwrap();
            let count = Plan { filter: view.filter.clone(), ..count };
            for (what, source) in &sources {
                let (counted, _) = run(&count, source, &knowledge);
                let counted = counted.column(0).as_primitive::<Int64Type>().value(0);
                prop_assert_eq!(counted, whole.num_rows() as i64, "{}: {:?}", what, &view);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_page_without_rows_says_nothing_of_the_view() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows());
    let plan = |limit: usize| {
        let filter = r#"{"compare": {"column": "number", "op": "<=", "value": 25}}"#;
        wire::plan::from_json(format!(r#"{{"filter": {filter}, "limit": {limit}}}"#).as_bytes()).unwrap()
    };
    let whole = plan(1_000_000).bind(&rows.schema()).unwrap().execute(std::slice::from_ref(&rows)).unwrap();
    for (what, source) in sources(folder.path(), &rows) {
        let knowledge = Knowledge::default();
        for limit in [0, 0, 10, 0] {
            let (page, total) = run(&plan(limit), &source, &knowledge);
            assert_eq!(page.num_rows(), limit, "{what}");
            assert!(total.is_none_or(|total| total == whole.num_rows()), "{what}: {total:?}");
        }
    }
}

#[test]
fn a_page_tells_how_long_its_view_is_and_the_next_is_at_hand() {
    let server = Served::sample();
    let view = "/v1/tables/flights/query?filter[origin]=JFK&sort=-dep_delay,time_hour&columns=carrier,dep_delay";
    let head = |url: &str| server.ask("HEAD", url, "", b"").header("x-bodkin-rows").map(str::to_owned);
    assert_eq!(head(&format!("{view}&limit=10")), None, "nobody has counted them");
    let explained = |more: &str| {
        let url = view.replace("/query?", "/explain?");
        String::from_utf8(server.get(&format!("{url}{more}")).body).unwrap()
    };
    assert!(explained("&limit=10").contains("order    made"), "{}", explained("&limit=10"));
    let first = server.get(&format!("{view}&limit=10"));
    assert_eq!(first.header("x-bodkin-rows"), Some("111279"));
    assert_eq!(first.batches()[0].num_rows(), 10);
    assert_eq!(head(&format!("{view}&limit=10")), Some("111279".to_owned()));
    assert!(explained("&limit=10&offset=20000").contains("order    remembered; 65536 of the view's 111279 rows"));
    // Behind the beginning the whole is sorted, once.
    assert!(explained("&limit=10&offset=100000").contains("order    made"));
    assert_eq!(server.get(&format!("{view}&limit=10&offset=100000")).header("x-bodkin-rows"), Some("111279"));
    assert!(explained("&limit=10&offset=111000").contains("order    remembered; 111279 of"));
    let none = server.get("/v1/tables/flights/query?limit=3");
    assert_eq!(none.header("x-bodkin-rows"), Some("336776"), "without a filter the table's rows are the view's");
    let count = server.get("/v1/tables/flights/query?aggregate=count&filter[origin]=JFK&format=json").json();
    assert_eq!(count[0]["count"], 111_279);
    assert_eq!(head("/v1/tables/flights/query?filter[origin]=JFK&limit=1"), Some("111279".to_owned()));
}

#[test]
fn a_live_table_s_pages_are_those_of_its_rows_now() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    live::make(&server, "t", &live::definition(true, json!({})));
    let page = || {
        let answer = server.get("/v1/tables/t/query?sort=-value&limit=2&columns=id&filter[value]gt=0");
        let ids: Vec<i64> = answer
            .batches()
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
            .collect();
        (ids, answer.header("x-bodkin-rows").map(str::to_owned))
    };
    let feed = |id: i64, value: f64| {
        let row = format!("id,name,value\n{id},x,{value}\n");
        let sent = server.ask("POST", "/v1/tables/t/rows", "content-type: text/csv\r\n", row.as_bytes());
        assert_eq!(sent.status, 200, "{}", sent.json());
    };
    (1..=4).for_each(|id| feed(id, id as f64));
    assert_eq!(page(), (vec![4, 3], Some("4".to_owned())));
    assert_eq!(page(), (vec![4, 3], Some("4".to_owned())));
    feed(1, 10.0);
    feed(9, -1.0);
    assert_eq!(page(), (vec![1, 4], Some("4".to_owned())));
}

#[test]
fn of_a_large_csv_it_is_known_at_once_what_a_column_of_few_values_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.csv");
    let mut text = String::from("row,word,number\n");
    let mut row = 0usize;
    while text.len() < 66 << 20 {
        let word = ["ash", "beech", "", "oak"][row / 3 % 4];
        let _infallible = writeln!(text, "{row},{word},{}", row % 1_000);
        row += 1;
    }
    std::fs::write(&path, &text).unwrap();
    let options = Options { cache: Some(folder.path().join("cache")), ..Options::default() };
    // As it is made, and as it is found again.
    for _ in 0..2 {
        let source = source::open_with(&path, &options).unwrap();
        let begin = std::time::Instant::now();
        while !std::fs::read_dir(folder.path().join("cache"))
            .unwrap()
            .flatten()
            .any(|entry| entry.path().extension().is_some_and(|extension| extension == "arrow"))
            && begin.elapsed().as_secs() < 20
        {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let server = Served::tables(vec![Table { name: "large".to_owned(), source }]);
        let head = |filter: &str| {
            let url = format!("/v1/tables/large/query?{filter}&limit=1");
            server.ask("HEAD", &url, "", b"").header("x-bodkin-rows").map(|rows| rows.parse::<usize>().unwrap())
        };
        let counted = |keeps: &dyn Fn(usize) -> bool| Some((0..row).filter(|&row| keeps(row)).count());
        assert_eq!(head("filter[word]=oak"), counted(&|row| row / 3 % 4 == 3));
        assert_eq!(head("filter[word]contains=b"), counted(&|row| row / 3 % 4 == 1));
        assert_eq!(head("filter[number]=7"), None, "a column of many values is looked at");
        let explained = |filter: &str| {
            String::from_utf8(server.get(&format!("/v1/tables/large/explain?{filter}&limit=5")).body).unwrap()
        };
        let text = explained(&format!("filter[row]gte={}", row - 10));
        assert!(text.contains("pieces   1 of"), "{text}");
        let last = server.get(&format!("/v1/tables/large/query?filter[word]=ash&offset={}&limit=5", row / 4 - 20));
        let first = last.batches()[0].column(0).as_primitive::<Int64Type>().value(0) as usize;
        assert_eq!(counted(&|at| at < first && at / 3 % 4 == 0), Some(row / 4 - 20));
        let count = server.get("/v1/tables/large/query?aggregate=count&filter[number]=7&format=json").json();
        assert_eq!(count[0]["count"].as_u64().map(|rows| rows as usize), counted(&|row| row % 1_000 == 7));
    }
}
