//! What columns hold at a glance: histograms and the most frequent values, as a plain walk over the rows finds them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int16Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use common::{Served, flights};
use edge_server::http::Tables;
use edge_server::run::Budget;
use edge_server::source::{self, Table};
use serde_json::{Value, json};

fn profile(server: &Served, query: &str) -> Value {
    let answer = server.get(&format!("/v1/tables/flights/profile?{query}"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{query}");
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn numbers_have_bins_and_text_has_values() {
    let server = Served::sample();
    let table = flights();
    let found = profile(&server, "column=dep_delay&bins=10");
    let delay = table.column_by_name("dep_delay").unwrap().as_primitive::<Int16Type>();
    let (low, high) = (-43.0, 1301.0);
    let mut counts = [0u64; 10];
    for value in delay.iter().flatten() {
        counts[(((f64::from(value) - low) * 10.0 / (high - low)) as usize).min(9)] += 1;
    }
    let expected = json!({
        "column": "dep_delay", "rows": delay.len(), "nulls": delay.null_count(), "low": low, "high": high, "counts": counts,
    });
    assert_eq!(found, expected);
    // Few whole numbers have a bin each.
    let found = profile(&server, "column=month");
    assert_eq!(
        (&found["low"], &found["high"], found["counts"].as_array().unwrap().len()),
        (&json!(0.5), &json!(12.5), 12)
    );

    let carrier = table.column_by_name("carrier").unwrap().as_string::<i32>();
    let mut counted = BTreeMap::<&str, u64>::new();
    carrier.iter().flatten().for_each(|value| *counted.entry(value).or_default() += 1);
    let found = profile(&server, "column=carrier&bins=3");
    let mut largest: Vec<_> = counted.iter().collect();
    largest.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let expected: Vec<Value> =
        largest.iter().take(3).map(|(value, count)| json!({ "value": value, "count": count })).collect();
    assert_eq!(found["values"], json!(expected));
    assert_eq!((&found["distinct"], &found["nulls"]), (&json!(counted.len()), &json!(0)));
    let moments = profile(&server, "column=time_hour");
    assert_eq!(moments["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(), delay.len() as u64);
}

#[test]
fn answers_have_tags_and_mistakes_are_told() {
    let server = Served::sample();
    let path = "/v1/tables/flights/profile?column=dest";
    let tag = server.get(path).header("etag").unwrap().to_owned();
    let again = server.ask("GET", path, &format!("if-none-match: {tag}\r\n"), b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = server.ask("GET", &format!("{path}&bins=3"), &format!("if-none-match: {tag}\r\n"), b"");
    assert_eq!(other.status, 200);
    for (query, expected) in [
        ("", "expected column=NAME"),
        ("column=dst", "unknown column"),
        ("column=dest&bins=0", "bins=1 to 1000"),
        ("column=dest&limit=3", "expected column=NAME, bins="),
    ] {
        let answer = server.get(&format!("/v1/tables/flights/profile?{query}"));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 400 && text.contains(expected), "{query}: {} {text}", answer.status);
    }
    assert_eq!(server.get("/v1/tables/nothing/profile?column=a").status, 404);
    assert_eq!(server.ask("POST", path, "", b"").status, 405);
}

#[test]
fn it_is_a_query_within_limits() {
    let table = Table { name: "flights".to_owned(), source: source::open(&common::sample()).unwrap() };
    let budget = Budget { time: std::time::Duration::ZERO, ..Budget::default() };
    let server = Served::serve(Tables::try_new(vec![table]).unwrap().with_budget(budget));
    let answer = server.get("/v1/tables/flights/profile?column=dep_delay");
    assert!(answer.status >= 400, "{}", answer.status);
    assert!(String::from_utf8(answer.body).unwrap().contains("time"));
}

#[test]
fn every_kind_of_column_has_an_answer() {
    let list =
        ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>((0..30_000).map(|_| Some([Some(1)])));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("whole", Arc::new(Int64Array::from(vec![7; 30_000])) as ArrayRef, true),
        ("none", Arc::new(Float64Array::from(vec![None; 30_000])) as ArrayRef, true),
        (
            "odd",
            Arc::new(Float64Array::from_iter_values((0..30_000).map(|row| [f64::NAN, 1.0, f64::INFINITY][row % 3])))
                as ArrayRef,
            true,
        ),
        (
            "yes",
            Arc::new(BooleanArray::from_iter((0..30_000).map(|row| (row % 4 > 0).then_some(row % 4 > 1)))) as ArrayRef,
            true,
        ),
        ("id", Arc::new(StringArray::from_iter_values((0..30_000).map(|row| row.to_string()))) as ArrayRef, true),
        ("list", Arc::new(list) as ArrayRef, true),
    ])
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.arrow");
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(std::fs::File::create(&path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let server = Served::tables(vec![Table { name: "flights".to_owned(), source: source::open(&path).unwrap() }]);
    let found = profile(&server, "column=whole");
    assert_eq!((&found["low"], &found["counts"]), (&json!(6.5), &json!([30_000])));
    assert_eq!(profile(&server, "column=none"), json!({"column": "none", "rows": 30_000, "nulls": 30_000}));
    let found = profile(&server, "column=odd&bins=1");
    assert_eq!((&found["low"], &found["counts"]), (&json!(0.5), &json!([10_000])));
    let found = profile(&server, "column=yes");
    let values = json!([{"value": true, "count": 15_000}, {"value": false, "count": 7_500}]);
    assert_eq!((&found["values"], &found["distinct"], &found["nulls"]), (&values, &json!(3), &json!(7_500)));
    let found = profile(&server, "column=id");
    assert_eq!((&found["values"], &found["distinct"]), (&json!([]), &Value::Null));
    assert_eq!(profile(&server, "column=list"), json!({"column": "list", "rows": 30_000, "nulls": 0}));
}
