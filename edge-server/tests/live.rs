//! Live tables: fed in every format, changed by key, refused with a reason; and killed again and again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use common::{Answer, Served};
use edge_server::live::Store;
use process::{Process, ask};
use serde_json::{Value, json};
use wire::table::{Table, TableOptions};
use wire::update::{Change, Update};
use wire::{Limits, Options};

fn definition() -> String {
    json!({"columns": [
        {"name": "id", "type": "Int64"},
        {"name": "name", "type": "Utf8"},
        {"name": "value", "type": "Float64"},
    ], "key": ["id"]})
    .to_string()
}

fn served(folder: &Path) -> Served {
    Served::live(Store::open(folder).unwrap())
}

fn rows(server: &Served) -> Vec<Value> {
    let answer = server.get("/v1/tables/t/query?sort=id&format=json");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().unwrap().clone()
}

fn batch(ids: &[i64], name: &str) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef),
        ("name", Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("{name}{id}"))))),
        ("value", Arc::new(Float64Array::from_iter_values(ids.iter().map(|&id| id as f64 / 2.0)))),
    ])
    .unwrap()
}

#[test]
fn a_table_is_made_fed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let put = || server.ask("PUT", "/v1/tables/t", "", definition().as_bytes());
    let made = put();
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/tables/t")));
    assert_eq!(put().status, 200);
    let post =
        |kind: &str, body: &[u8]| server.ask("POST", "/v1/tables/t/rows", &format!("content-type: {kind}\r\n"), body);
    let stream = wire::discrete::write(&batch(&[1, 2], "a").schema(), [&batch(&[1, 2], "a")], Options::default());
    let answer = post("application/vnd.apache.arrow.stream", &stream.unwrap());
    assert_eq!(answer.json(), json!({"inserted": 2, "updated": 0, "removed": 0, "sequence": 1}));
    // Columns in another order, one of them left out.
    assert_eq!(post("text/csv", b"name,id\nc3,3\n\"d, 4\",4\n").json()["inserted"], 2);
    let lines = b"{\"id\": 5, \"value\": 2.5}\n{\"id\": 1, \"name\": \"new\", \"value\": 9}\n";
    assert_eq!(
        post("application/x-ndjson", lines).json(),
        json!({"inserted": 1, "updated": 1, "removed": 0, "sequence": 3})
    );
    let update = |change: Change| {
        let message = Update::new(0, 1, change).to_message(Options::default()).unwrap();
        server.ask("POST", "/v1/tables/t/updates", "", &message).json()
    };
    assert_eq!(update(Change::Delete(batch(&[2, 77], "").project(&[0]).unwrap()))["removed"], 1);
    let expected = json!([
        {"id": 1, "name": "new", "value": 9.0},
        {"id": 3, "name": "c3", "value": null},
        {"id": 4, "name": "d, 4", "value": null},
        {"id": 5, "name": null, "value": 2.5},
    ]);
    assert_eq!(json!(rows(&server)), expected);
    // It is a table like any other.
    let tables = server.get("/v1/tables").json();
    assert_eq!((tables["tables"][0]["name"].as_str(), tables["tables"][0]["rows"].as_u64()), (Some("t"), Some(4)));
    let first = server.get("/v1/tables/t/data");
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(server.ask("GET", "/v1/tables/t/data", &format!("if-none-match: {tag}\r\n"), b"").status, 304);
    post("text/csv", b"id\n6\n");
    assert_eq!(server.ask("GET", "/v1/tables/t/data", &format!("if-none-match: {tag}\r\n"), b"").status, 200);
    drop(server);
    // Another process finds it as it was.
    let server = served(folder.path());
    assert_eq!(rows(&server).len(), 5);
    assert_eq!(json!(rows(&server)[..4]), expected);
    assert_eq!(server.ask("DELETE", "/v1/tables/t", "", b"").status, 200);
    assert_eq!(server.get("/v1/tables/t").status, 404);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn rows_in_several_batches_are_one_change() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    server.ask("PUT", "/v1/tables/t", "", definition().as_bytes());
    let post =
        |kind: &str, body: &[u8]| server.ask("POST", "/v1/tables/t/rows", &format!("content-type: {kind}\r\n"), body);
    let text = |rows: std::ops::Range<i64>| -> String { rows.map(|id| format!("{id},a,{id}\n")).collect() };
    // Readers of CSV and NDJSON give a batch for every thousand lines.
    let answer = post("text/csv", format!("id,name,value\n{}", text(0..5_000)).as_bytes());
    assert_eq!(answer.json(), json!({"inserted": 5_000, "updated": 0, "removed": 0, "sequence": 1}));
    let lines: String = (4_000..8_000).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let answer = post("application/x-ndjson", lines.as_bytes());
    assert_eq!(answer.json(), json!({"inserted": 3_000, "updated": 1_000, "removed": 0, "sequence": 2}));
    let batches = [batch(&[9_001, 9_002], "a"), batch(&[9_003], "b"), batch(&[9_001], "c")];
    let stream = wire::discrete::write(&batches[0].schema(), &batches, Options::default()).unwrap();
    assert_eq!(post("", &stream).json(), json!({"inserted": 3, "updated": 0, "removed": 0, "sequence": 3}));
    // What is wrong at the end keeps the beginning out, too.
    assert_eq!(post("text/csv", format!("id,name,value\n{}x,y,z\n", text(10_000..14_000)).as_bytes()).status, 422);
    let broken = [batch(&[20_000], "a"), batch(&[20_001], "b")];
    let mut stream = wire::discrete::write(&broken[0].schema(), &broken, Options::default()).unwrap();
    stream.truncate(stream.len() - 100);
    assert_eq!(post("", &stream).status, 422);
    assert_eq!(server.get("/v1/tables/t").json()["rows"], 8_003);
    drop(server);
    assert_eq!(served(folder.path()).get("/v1/tables/t").json()["rows"], 8_003);
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let told = |answer: Answer, status: u16, expected: &str| {
        let text = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == status && text.contains(expected), "{} {text}", answer.status);
    };
    let put =
        |name: &str, definition: &str| server.ask("PUT", &format!("/v1/tables/{name}"), "", definition.as_bytes());
    told(put("..%2Fetc", &definition()), 400, "is no name");
    told(put("t", r#"{"columns": []}"#), 400, "at least one column");
    told(put("t", r#"{"columns": [{"name": "a", "type": "Number"}]}"#), 400, "the type of column \"a\"");
    told(
        put("t", r#"{"columns": [{"name": "a", "type": "Int8"}, {"name": "a", "type": "Int8"}]}"#),
        400,
        "comes twice",
    );
    told(put("t", r#"{"columns": [{"name": "a", "type": "Int8"}], "key": ["b"]}"#), 400, "no such column");
    assert_eq!(put("t", &definition()).status, 201);
    told(put("t", r#"{"columns": [{"name": "a", "type": "Int8"}]}"#), 400, "another definition");
    let post =
        |kind: &str, body: &[u8]| server.ask("POST", "/v1/tables/t/rows", &format!("content-type: {kind}\r\n"), body);
    told(post("text/csv", b"id,name\n1,a\nmany,b\n"), 422, "'many' as type 'Int64'");
    told(post("text/csv", b"id,colour\n1,red\n"), 422, "colour");
    told(post("text/csv", b"name\nnobody\n"), 422, "it is part of the key, and the update leaves it out");
    told(post("application/x-ndjson", b"{\"id\": null}\n"), 422, "id");
    told(post("application/x-ndjson", b"{\"id\": 1, \"size\": 2}\n"), 422, "size");
    told(post("image/png", b"x"), 422, "rows come as");
    told(post("", b"no stream"), 422, "byte 0");
    told(server.ask("POST", "/v1/tables/t/updates", "", b"x"), 422, "early");
    told(server.ask("POST", "/v1/tables/none/rows", "", b""), 404, "unknown table");
    assert_eq!(server.get("/v1/tables/t").json()["rows"], 0);
    let still = Served::sample();
    told(still.ask("POST", "/v1/tables/flights/rows", "", b""), 409, "is a file");
    told(still.ask("PUT", "/v1/tables/x", "", b"{}"), 501, "--live FOLDER");
}

/// The next update that a socket gives; pings are passed over.
fn next_update<S: Read + Write>(socket: &mut tungstenite::WebSocket<S>) -> Update {
    loop {
        if let tungstenite::Message::Binary(bytes) = socket.read().unwrap() {
            return Update::from_message(bytes.to_vec().into(), &Limits::default()).unwrap();
        }
    }
}

#[test]
fn followers_get_the_rows_and_then_every_update() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    assert_eq!(server.ask("PUT", "/v1/tables/t", "", definition().as_bytes()).status, 201);
    let post = |text: &str| {
        let answer = server.ask("POST", "/v1/tables/t/rows", "content-type: text/csv\r\n", text.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    post("id,name\n1,a\n2,b\n");
    let url = |query: &str| format!("ws://{}/v1/tables/t/subscribe{query}", server.address);
    let made: edge_server::live::Definition = serde_json::from_str(&definition()).unwrap();
    let mut copy = Table::try_new(Arc::new(made.schema().unwrap()), TableOptions::default().with_key(["id"])).unwrap();
    let (mut socket, _) = tungstenite::connect(url("")).unwrap();
    let mut follow = |socket: &mut tungstenite::WebSocket<_>| {
        let update = next_update(socket);
        copy.apply(&update, Duration::ZERO).unwrap();
        (update.change.name(), copy.rows(), copy.sequence())
    };
    assert_eq!(follow(&mut socket), ("replace", 2, 1));
    post("id,name\n3,c\n");
    assert_eq!(follow(&mut socket), ("append", 3, 2));
    post("id,name\n3,changed\n");
    let message =
        Update { epoch: 0, sequence: 0, after: None, change: Change::Delete(batch(&[1], "").project(&[0]).unwrap()) };
    server.ask("POST", "/v1/tables/t/updates", "", &message.to_message(Options::default()).unwrap());
    assert_eq!(follow(&mut socket), ("append", 3, 3));
    assert_eq!(follow(&mut socket), ("delete", 2, 4));
    let path = server.get("/v1/tables/t/data").header("x-bodkin-live").unwrap().to_owned();
    assert!(path.ends_with("&from=4"), "{path}");
    drop(socket);
    // Back again, with what was missed and no more.
    post("id,name\n5,e\n");
    post("id,name\n6,f\n");
    let (mut socket, _) = tungstenite::connect(format!("ws://{}{path}", server.address)).unwrap();
    assert_eq!(follow(&mut socket), ("append", 3, 5));
    assert_eq!(follow(&mut socket), ("append", 4, 6));
    // From a position that is not at hand, all rows.
    let (mut other, _) = tungstenite::connect(url("?epoch=7&from=2")).unwrap();
    assert_eq!(next_update(&mut other).change.name(), "replace");
    let found: Vec<i64> = {
        use arrow_array::cast::AsArray;
        let snapshot = copy.snapshot().unwrap();
        let ids =
            |batch: &RecordBatch| batch.column(0).as_primitive::<arrow_array::types::Int64Type>().values().to_vec();
        snapshot.batches.iter().flat_map(ids).collect()
    };
    assert_eq!(found, [2, 3, 5, 6]);
    // A table that goes says so.
    assert_eq!(server.ask("DELETE", "/v1/tables/t", "", b"").status, 200);
    let ended = loop {
        match socket.read().unwrap() {
            tungstenite::Message::Close(frame) => break frame.unwrap(),
            _ => continue,
        }
    };
    assert_eq!((u16::from(ended.code), ended.reason.as_str()), (1001, "the table has gone"));
}

#[test]
fn handshakes_that_are_none_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    server.ask("PUT", "/v1/tables/t", "", definition().as_bytes());
    let path = "/v1/tables/t/subscribe";
    assert_eq!(server.get(path).status, 426);
    let shake = |more: &str| {
        let key = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n", server.address);
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "{head}{key}{more}\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    assert!(shake("").starts_with("HTTP/1.1 101"));
    assert!(shake(&format!("origin: http://{}\r\n", server.address)).starts_with("HTTP/1.1 101"));
    assert!(shake("origin: https://elsewhere.example\r\n").starts_with("HTTP/1.1 403"));
    let (mut socket, _) = tungstenite::connect(format!("ws://{}{path}", server.address)).unwrap();
    socket.send(tungstenite::Message::Binary(vec![0; 10_000].into())).unwrap();
    let code = loop {
        match socket.read() {
            Ok(tungstenite::Message::Close(frame)) => break frame.map(|frame| u16::from(frame.code)),
            Ok(_) => continue,
            Err(_) => break None,
        }
    };
    assert_eq!(code, Some(1009));
}

#[test]
fn what_was_acknowledged_outlives_any_number_of_kills() {
    const WRITERS: u64 = 4;
    let folder = tempfile::tempdir().unwrap();
    // Every writer counts; a row without a key, so that a row that came twice would be seen.
    let definition =
        json!({"columns": [{"name": "writer", "type": "Int64"}, {"name": "number", "type": "Int64"}]}).to_string();
    let acknowledged: Vec<AtomicU64> = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    let next: Vec<AtomicU64> = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    for round in 0..6u64 {
        let mut process = Process::start(folder.path());
        assert!(ask(&process.address, "PUT", "/v1/tables/t", &definition).unwrap().starts_with("HTTP/1.1 20"));
        let stop = Instant::now() + Duration::from_millis(150 + 50 * round);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS as usize {
                let (address, acknowledged, next) = (&process.address, &acknowledged[writer], &next[writer]);
                scope.spawn(move || {
                    while Instant::now() < stop + Duration::from_millis(100) {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        let body = format!("writer,number\n{writer},{number}\n");
                        match ask(address, "POST", "/v1/tables/t/rows", &body) {
                            Some(answer) if answer.starts_with("HTTP/1.1 200") => {
                                acknowledged.fetch_add(1, Ordering::SeqCst);
                            }
                            // Killed: whether the row is there nobody has said.
                            _ => return,
                        }
                    }
                });
            }
            std::thread::sleep(stop.saturating_duration_since(Instant::now()));
            process.child.kill().unwrap();
        });
        drop(process);
        // Half a record behind the rest, as a machine that loses its power may leave it.
        let log = folder.path().join("t.bklog");
        let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
        file.write_all(&[200, 0, 0, 0, 1, 2, 3]).unwrap();
    }
    let process = Process::start(folder.path());
    let answer = ask(&process.address, "GET", "/v1/tables/t/query?group=writer,number&aggregate=count&format=csv", "");
    let text = answer.unwrap();
    let lines: Vec<&str> =
        text.lines().filter(|line| line.split(',').count() == 3 && !line.starts_with("writer")).collect();
    let mut found = vec![0u64; WRITERS as usize];
    for line in lines {
        let cells: Vec<u64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(cells[2], 1, "row {line} came more than once");
        found[cells[0] as usize] += 1;
    }
    let total: u64 = acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    assert!(total > 12, "{total} rows were acknowledged");
    for (writer, found) in found.iter().enumerate() {
        let (least, most) = (acknowledged[writer].load(Ordering::SeqCst), next[writer].load(Ordering::SeqCst));
        assert!((least..=most).contains(found), "writer {writer}: {found} rows, {least} acknowledged, {most} sent");
    }
}

#[test]
fn a_log_that_cannot_be_written_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A file size limit stands for a full disk.
    let mut child = Command::new("bash")
        .args(["-c", "ulimit -f 64; trap '' XFSZ; exec \"$0\" --addr 127.0.0.1:0 --live \"$1\""])
        .arg(env!("CARGO_BIN_EXE_edge-server"))
        .arg(folder.path())
        .env("RUST_LOG", "off")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let process =
        Process { child, address: line.trim().split("http://").nth(1).expect(&line).trim_end_matches('/').to_owned() };
    let definition = json!({"columns": [{"name": "n", "type": "Int64"}, {"name": "text", "type": "Utf8"}]}).to_string();
    assert!(ask(&process.address, "PUT", "/v1/tables/t", &definition).unwrap().starts_with("HTTP/1.1 201"));
    let mut kept = 0;
    let mut refused = None;
    for number in 0..40 {
        let body = format!("n,text\n{number},{}\n", "x".repeat(4_000));
        let answer = ask(&process.address, "POST", "/v1/tables/t/rows", &body).unwrap();
        if answer.starts_with("HTTP/1.1 200") {
            assert!(refused.is_none());
            kept += 1;
        } else {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert!(kept >= 5 && refused.starts_with("HTTP/1.1 507"), "{kept} {refused}");
    let count = |address: &str| {
        let answer = ask(address, "GET", "/v1/tables/t/query?aggregate=count&format=csv", "").unwrap();
        answer.lines().skip_while(|line| *line != "count").nth(1).unwrap().parse::<usize>().unwrap()
    };
    // A small row may still fit; readers see what is kept.
    assert_eq!(count(&process.address), kept);
    drop(process);
    let process = Process::start(folder.path());
    assert_eq!(count(&process.address), kept);
}
