//! The endpoints, over a real socket: what they give, and what they say to bad requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use arrow_schema::SchemaRef;
use common::{Served, flights};
use edge_server::http::Tables;
use edge_server::run::Budget;
use edge_server::source::{Batches, Source, Table};
use serde_json::{Value, json};

const ARROW: &str = "application/vnd.apache.arrow.stream";

#[test]
fn tables_are_listed_and_described() {
    let server = Served::sample();
    let list = server.get("/v1/tables");
    assert_eq!((list.status, list.header("content-type")), (200, Some("application/json")));
    let table = &list.json()["tables"][0];
    assert_eq!((table["name"].as_str(), table["rows"].as_u64()), (Some("flights"), Some(336_776)));
    let one = server.get("/v1/tables/flights").json();
    assert_eq!(one["bytes"], 5_123_180);
    assert_eq!(one["columns"][0], json!({"name": "year", "type": "Int16", "nullable": true}));
    assert_eq!(one["columns"].as_array().unwrap().len(), 19);
    assert_eq!(server.get("/health").json(), json!({"status": "ok"}));
}

#[test]
fn data_is_the_whole_table_as_arrow_reads_it() {
    let server = Served::sample();
    let answer = server.get("/v1/tables/flights/data");
    assert_eq!((answer.status, answer.header("content-type"), answer.whole), (200, Some(ARROW), true));
    assert_eq!(answer.header("x-bodkin-rows"), Some("336776"));
    let batches = answer.batches();
    assert!(batches[0].num_rows() <= 2_048, "the first batch is small");
    // What a viewer makes room for: about what comes.
    let told: usize = answer.header("x-bodkin-bytes").unwrap().parse().unwrap();
    assert!(
        (answer.body.len() * 3 / 4..=answer.body.len() * 21 / 20).contains(&told),
        "{told} of {} bytes",
        answer.body.len()
    );
    assert_eq!(arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap(), flights());
    let head = server.ask("HEAD", "/v1/tables/flights/data", "", b"");
    assert_eq!((head.status, head.body.len(), head.header("x-bodkin-rows")), (200, 0, Some("336776")));
}

#[test]
fn queries_answer_in_every_representation() {
    let server = Served::sample();
    let plan = json!({
        "filter": {"compare": {"column": "dest", "op": "=", "value": "LAX"}},
        "group_by": ["origin"],
        "aggregates": [{"function": "count"}, {"function": "max", "column": "dep_delay", "as": "worst"}],
        "sort": [{"column": "count", "descending": true}],
    })
    .to_string();
    let query = |accept: &str| server.ask("POST", "/v1/tables/flights/query", accept, plan.as_bytes());
    let batches = query("").batches();
    let rows = query("accept: application/json\r\n").json();
    // Counted by hand with arrow-rs's own filter.
    let table = flights();
    let text = |name: &str| table.column_by_name(name).unwrap().clone();
    let count = |airport: &str| {
        use arrow_array::cast::AsArray;
        let (origin, dest) = (text("origin"), text("dest"));
        let (origin, dest) = (origin.as_string::<i32>(), dest.as_string::<i32>());
        (0..table.num_rows()).filter(|&row| origin.value(row) == airport && dest.value(row) == "LAX").count()
    };
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    assert_eq!(rows[0]["origin"], "JFK");
    assert_eq!(rows[0]["count"], count("JFK"));
    assert_eq!(rows[1]["count"], count("EWR"));
    let csv = query("accept: text/csv\r\n");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(String::from_utf8(csv.body).unwrap().starts_with("origin,count,worst\nJFK,"));
    let lines = query("accept: application/x-ndjson\r\n");
    assert_eq!(String::from_utf8(lines.body).unwrap().lines().count(), 2);
    assert_eq!(query("accept: image/png\r\n").status, 406);
    // A row query streams, in order, with its window.
    let window = server.ask(
        "POST",
        "/v1/tables/flights/query",
        "",
        br#"{"columns": ["flight"], "offset": 100000, "limit": 70000}"#,
    );
    let batches = window.batches();
    let found = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap();
    assert_eq!(found.column(0), &table.column_by_name("flight").unwrap().slice(100_000, 70_000));
}

/// Checks that an answer is a problem document, and gives it.
fn problem(answer: &common::Answer, status: u16, said: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let document = answer.json();
    assert_eq!(document["status"], status);
    assert!(document["detail"].as_str().unwrap().contains(said), "{document}");
    document
}

#[test]
fn bad_requests_are_told_what_is_wrong() {
    let server = Served::sample();
    let query = |plan: &str| server.ask("POST", "/v1/tables/flights/query", "", plan.as_bytes());
    let column = query(r#"{"filter": {"compare": {"column": "delay", "op": ">", "value": 1}}}"#);
    let document = problem(&column, 400, "unknown column \"delay\"");
    assert!(document["columns"].as_array().unwrap().contains(&json!("dep_delay")));
    let wrong = query(r#"{"filter": {"compare": {"column": "dep_delay", "op": ">", "value": "late"}}}"#);
    let document = problem(&wrong, 400, "cannot be compared with text \"late\"");
    assert_eq!((document["columnType"].as_str(), document["expected"].as_str()), (Some("Int16"), Some("a number")));
    problem(&query(r#"{"limit": "#), 400, "line 1 column");
    problem(&query(r#"{"limits": 1}"#), 400, "unknown field `limits`");
    problem(&query(r#"{"aggregates": [{"function": "mean", "column": "origin"}]}"#), 400, "mean is not defined");
    let document = problem(&server.get("/v1/tables/trains"), 404, "unknown table \"trains\"");
    assert_eq!(document["tables"], json!(["flights"]));
    problem(&server.get("/v1/tables/trains/data"), 404, "unknown table");
    problem(&server.get("/nothing"), 404, "nothing at /nothing");
    problem(&server.get("/v1/tables/%zz"), 400, "percent escape");
    let method = server.ask("DELETE", "/v1/tables", "", b"");
    problem(&method, 405, "does not take DELETE");
    assert_eq!(method.header("allow"), Some("GET, HEAD"));
    problem(&server.ask("DELETE", "/v1/tables/flights/query", "", b""), 405, "it takes GET, HEAD, POST");
    // The server lives on.
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_body_that_is_too_long_is_refused_by_its_length_or_while_it_comes() {
    let server = Served::sample();
    let head = format!(
        "POST /v1/tables/flights/query HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n",
        server.address
    );
    problem(&server.raw(head.as_bytes()), 413, "longer than 1048576 bytes");
    let mut chunked = format!(
        "POST /v1/tables/flights/query HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        server.address
    )
    .into_bytes();
    for _ in 0..17 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b' '; 65_536]);
        chunked.extend_from_slice(b"\r\n");
    }
    problem(&server.raw(&chunked), 413, "longer than 1048576 bytes");
}

#[test]
fn the_page_and_the_bundle_are_served_compressed_and_safe() {
    let server = Served::sample();
    let page = server.get("/");
    assert!(String::from_utf8_lossy(&page.body).contains("<bodkin-table"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'") && !policy.contains("unsafe-inline"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let plain = server.get("/viewer/bodkin.wasm");
    assert_eq!((plain.header("content-type"), &plain.body[..4]), (Some("application/wasm"), &b"\0asm"[..]));
    let brotli = server.ask("GET", "/viewer/bodkin.wasm", "accept-encoding: gzip, br\r\n", b"");
    assert_eq!(brotli.header("content-encoding"), Some("br"));
    assert!(brotli.body.len() * 2 < plain.body.len());
    let gzip = server.ask("GET", "/viewer/bodkin.js", "accept-encoding: gzip, br;q=0\r\n", b"");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let tag = plain.header("etag").unwrap();
    let again = server.ask("GET", "/viewer/bodkin.wasm", &format!("if-none-match: {tag}\r\n"), b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
}

/// A source whose batches come when the test lets them.
struct Gated {
    schema: SchemaRef,
    gate: std::sync::Mutex<Option<Receiver<Result<RecordBatch, String>>>>,
    read: Arc<AtomicUsize>,
}

impl Source for Gated {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }
    fn rows(&self) -> usize {
        0
    }
    fn bytes(&self) -> u64 {
        0
    }
    fn tag(&self) -> u64 {
        0
    }

    fn scan(&self, _columns: Option<&[usize]>, _pieces: Option<&[usize]>) -> edge_server::Result<Batches> {
        let gate = self.gate.lock().unwrap().take().unwrap();
        let read = self.read.clone();
        Ok(Box::new(gate.into_iter().map(move |batch| {
            read.fetch_add(1, Ordering::SeqCst);
            batch.map_err(edge_server::Error::Internal)
        })))
    }
}

fn gated() -> (Served, Sender<Result<RecordBatch, String>>, Arc<AtomicUsize>, RecordBatch) {
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..100_000));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let (open, gate) = channel();
    let read = Arc::new(AtomicUsize::new(0));
    let source = Gated { schema: batch.schema(), gate: std::sync::Mutex::new(Some(gate)), read: read.clone() };
    let server = Served::tables(vec![Table { name: "slow".to_owned(), source: Arc::new(source) }]);
    (server, open, read, batch)
}

#[test]
fn the_first_batch_leaves_before_the_last_is_read() {
    let (server, open, _read, batch) = gated();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/slow/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    open.send(Ok(batch.clone())).unwrap();
    // The second batch is not there, and yet the first one comes: 400 kB of it.
    let mut received = vec![0; 300_000];
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut received).unwrap();
    open.send(Ok(batch)).unwrap();
    drop(open);
    stream.read_to_end(&mut received).unwrap();
    assert!(received.ends_with(b"0\r\n\r\n"));
}

#[test]
fn a_source_that_fails_midway_cuts_the_body() {
    let (server, open, _read, batch) = gated();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/slow/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    open.send(Ok(batch)).unwrap();
    let mut received = vec![0; 300_000];
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut received).unwrap();
    assert!(received.starts_with(b"HTTP/1.1 200"));
    open.send(Err("the disk is gone".to_owned())).unwrap();
    let _reset = stream.read_to_end(&mut received);
    assert!(!received.ends_with(b"0\r\n\r\n"), "the body looks whole");
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_source_that_fails_at_once_is_a_status() {
    let (server, open, _read, _batch) = gated();
    open.send(Err("secret path".to_owned())).unwrap();
    let answer = server.get("/v1/tables/slow/data");
    problem(&answer, 500, "its log says why");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
}

#[test]
fn a_client_that_stops_reading_stops_the_source() {
    let (server, open, read, batch) = gated();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/slow/data HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    for _ in 0..1_000 {
        open.send(Ok(batch.clone())).unwrap();
    }
    std::thread::sleep(Duration::from_millis(500));
    // 400 MB are waiting; a handful of batches fills the channel and the socket's buffers.
    assert!(read.load(Ordering::SeqCst) < 100, "{} batches were read", read.load(Ordering::SeqCst));
    drop(stream);
    drop(open);
}

#[test]
fn a_query_ends_when_its_client_goes_or_its_time_is_over() {
    // A grouping says nothing before its end, and yet it ends.
    let (server, open, read, batch) = gated();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/slow/query?aggregate=count HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    open.send(Ok(batch.clone())).unwrap();
    while read.load(Ordering::SeqCst) < 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stream);
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..1_000 {
        // The channel's end goes with the query.
        let _ended = open.send(Ok(batch.clone()));
        std::thread::sleep(Duration::from_micros(200));
    }
    assert!(read.load(Ordering::SeqCst) < 5, "{} batches were read", read.load(Ordering::SeqCst));

    let table = Table { name: "flights".to_owned(), source: edge_server::source::open(&common::sample()).unwrap() };
    let budget = |time: Duration, memory: usize| {
        let tables = Tables::try_new(vec![table.clone()]).unwrap();
        Served::serve(tables.with_budget(Budget { time, memory }))
    };
    let hurried = budget(Duration::ZERO, usize::MAX);
    problem(&hurried.get("/v1/tables/flights/query?group=origin&aggregate=count"), 422, "more time than it may: 0 s");
    let poor = budget(Duration::MAX, 1 << 20);
    problem(&poor.get("/v1/tables/flights/query?sort=dep_delay"), 422, "more memory than it may: 1 MB");
    // Groups are counted, and values that they keep; few groups are not.
    problem(
        &poor.get("/v1/tables/flights/query?group=flight,tailnum,day&aggregate=count"),
        422,
        "more memory than it may: 1 MB",
    );
    problem(&poor.get("/v1/tables/flights/query?group=origin&aggregate=median(dep_delay)"), 422, "more memory");
    assert_eq!(poor.get("/v1/tables/flights/query?group=origin&aggregate=count").status, 200);
}
