//! Rows over WebSocket: every message is answered in its order, and what was answered well is on the disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;
#[path = "common/process.rs"]
mod process;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use common::Served;
use edge_server::live::Store;
use live::{Follower, Socket, closed, connect, definition, make, result, rows};
use process::{Process, ask};
use serde_json::{Value, json};
use tungstenite::Message;
use wire::Options;
use wire::update::{Change, Update};

/// The next answer.
fn answer(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

fn send(socket: &mut Socket, message: impl Into<Message>) {
    socket.send(message.into()).unwrap();
}

fn stream(batches: &[arrow_array::RecordBatch]) -> Message {
    Message::Binary(wire::discrete::write(&batches[0].schema(), batches, Options::default()).unwrap().into())
}

fn update(change: Change) -> Message {
    Message::Binary(Update::new(0, 0, change).to_message(Options::default()).unwrap().into())
}

#[test]
fn every_message_is_answered_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let made = definition(true, json!({}));
    make(&server, "t", &made);
    let (mut socket, _) = connect(&server, "/v1/tables/t/ingest", None);
    // All before the first answer is read.
    send(&mut socket, stream(&[rows(&[(1, "a", 1.0), (2, "b", 2.0)]), rows(&[(3, "c", 3.0)])]));
    send(&mut socket, "{\"id\": 4, \"name\": \"d\"}\n{\"id\": 1, \"value\": 9}\n");
    send(&mut socket, "{\"id\": \"many\"}");
    send(&mut socket, "{\"colour\": \"red\"}");
    send(&mut socket, update(Change::Delete(rows(&[(2, "", 0.0), (77, "", 0.0)]).project(&[0]).unwrap())));
    send(&mut socket, Message::Binary(b"no stream".to_vec().into()));
    send(&mut socket, stream(&[rows(&[(5, "e", 5.0)]).project(&[1]).unwrap()]));
    send(&mut socket, update(Change::Upsert(rows(&[(3, "", 33.0)]).project(&[2, 0]).unwrap())));
    send(&mut socket, "\n");
    let done = |sequence: u64, inserted: u64, updated: u64, removed: u64| json!({"sequence": sequence, "inserted": inserted, "updated": updated, "removed": removed});
    assert_eq!(answer(&mut socket), done(1, 3, 0, 0));
    assert_eq!(answer(&mut socket), done(2, 1, 1, 0));
    let refused = |socket: &mut Socket, expected: &str| {
        let answer = answer(socket);
        assert!(answer["error"].as_str().unwrap().contains(expected), "{answer}");
    };
    refused(&mut socket, "many");
    refused(&mut socket, "colour");
    assert_eq!(answer(&mut socket), done(3, 0, 0, 1));
    refused(&mut socket, "byte 0");
    refused(&mut socket, "part of the key");
    assert_eq!(answer(&mut socket), done(4, 0, 1, 0));
    assert_eq!(answer(&mut socket)["inserted"], 0);
    // It is open still.
    send(&mut socket, "{\"id\": 1, \"name\": \"new\", \"value\": 1}");
    assert_eq!(answer(&mut socket), done(5, 0, 1, 0));
    let expected = json!([
        {"id": 1, "name": "new", "value": 1.0},
        {"id": 3, "name": "c", "value": 33.0},
        {"id": 4, "name": "d", "value": null},
    ]);
    assert_eq!(server.get("/v1/tables/t/query?sort=id&format=json").json(), expected);
}

#[test]
fn messages_that_come_together_are_one_update() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let made = definition(false, json!({"ingest": {"rows": 1000, "milliseconds": 5000}}));
    make(&server, "t", &made);
    let mut follower = Follower::new(&server, "t", &made, "", false);
    let (mut socket, _) = connect(&server, "/v1/tables/t/ingest", None);
    // A thousand rows in 400 messages of different lengths: written when the last one has come, not after five seconds.
    let begin = std::time::Instant::now();
    let mut next = 0;
    for message in 0..400i64 {
        let count = 1 + message % 4;
        let lines: String = (next..next + count).map(|id| format!("{{\"id\": {id}}}\n")).collect();
        send(&mut socket, lines);
        next += count;
    }
    for message in 0..400i64 {
        let answer = answer(&mut socket);
        assert_eq!(answer, json!({"sequence": 1, "inserted": 1 + message % 4, "updated": 0, "removed": 0}));
    }
    assert!(begin.elapsed().as_millis() < 4_500, "{:?}", begin.elapsed());
    follower.until(1);
    assert_eq!(follower.columns()[0].as_primitive::<Int64Type>().values(), &(0..1000).collect::<Vec<_>>());
    // By the URL, at once; a bad one among them changes nothing for the others.
    let (mut socket, _) = connect(&server, "/v1/tables/t/ingest?milliseconds=0&rows=5", None);
    send(&mut socket, "{\"id\": 2000}");
    send(&mut socket, "{\"it\": 2000}");
    send(&mut socket, "{\"name\": \"x\"}");
    assert_eq!(answer(&mut socket)["inserted"], 1);
    assert!(answer(&mut socket)["error"].is_string());
    assert_eq!(answer(&mut socket)["inserted"], 1);
    assert_eq!(result(&server, "/v1/tables/t/data")[0].len(), 1_002);
    drop(server);
    assert_eq!(Store::open(folder.path()).unwrap().get("t").unwrap().snapshot().rows, 1_002);
}

#[test]
fn what_is_too_long_or_from_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(false, json!({})));
    let shake = |path: &str, more: &str| {
        let headers = "connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        server.raw(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{headers}{more}\r\n", server.address).as_bytes()).status
    };
    assert_eq!(shake("/v1/tables/t/ingest", "origin: https://elsewhere.example\r\n"), 403);
    assert_eq!(shake("/v1/tables/none/ingest", ""), 404);
    assert_eq!(shake("/v1/tables/t/ingest?rows=0", ""), 400);
    assert_eq!(shake("/v1/tables/t/ingest?lines=4", ""), 400);
    assert_eq!(server.get("/v1/tables/t/ingest").status, 426);
    let (mut socket, _) = connect(&server, "/v1/tables/t/ingest?milliseconds=10000", None);
    // What came before the one that is too long is still written and answered.
    send(&mut socket, "{\"id\": 1}");
    let _cut = socket.send(Message::Text("x".repeat(17 << 20).into()));
    assert_eq!(answer(&mut socket)["inserted"], 1);
    assert_eq!(closed(&mut socket), (1009, "a message longer than 16 MB".to_owned()));
    // A table that goes ends those who feed it.
    let (mut socket, _) = connect(&server, "/v1/tables/t/ingest", None);
    assert_eq!(server.ask("DELETE", "/v1/tables/t", "", b"").status, 200);
    assert_eq!(closed(&mut socket), (1001, "the table has gone".to_owned()));
}

#[test]
fn what_was_answered_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = 0i64;
    let mut next = 0i64;
    for round in 0..4 {
        let mut process = Process::start(folder.path());
        let made = json!({"columns": [{"name": "id", "type": "Int64"}]}).to_string();
        assert!(ask(&process.address, "PUT", "/v1/tables/t", &made).unwrap().starts_with("HTTP/1.1 20"));
        let (mut socket, _) = tungstenite::connect(format!("ws://{}/v1/tables/t/ingest", process.address)).unwrap();
        let first = next;
        for _ in 0..2_000 {
            if socket.send(Message::Text(format!("{{\"id\": {next}}}").into())).is_err() {
                break;
            }
            next += 1;
        }
        for id in first..next - 100 * (round + 1) {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["inserted"], 1);
                    answered = id + 1;
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        process.child.kill().unwrap();
        drop(process);
        let table = Store::open(folder.path()).unwrap().get("t").unwrap();
        let ids = |batch: &arrow_array::RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        let found: Vec<i64> = table.snapshot().batches.iter().flat_map(ids).collect();
        // Rows are there in the order in which they were sent, each once; those that were answered are all there.
        let here: Vec<i64> = found.iter().copied().filter(|&id| id >= first).collect();
        assert!(here.iter().copied().eq(first..first + here.len() as i64), "{here:?}");
        assert!(first + here.len() as i64 >= answered, "{} {answered}", here.len());
        next = first + here.len() as i64;
        table.close();
    }
    assert!(answered > 1_000, "{answered}");
}
