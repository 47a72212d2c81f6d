//! Followers of a part of a table, in both protocols, slow and fast: their copy is what a query gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt64Array};
use common::Served;
use edge_server::http::Tables;
use edge_server::live::Store;
use live::{Follower, Socket, change, closed, connect, definition, make, result, rows};
use serde_json::json;
use tungstenite::Message;
use wire::update::Change;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn batch(&mut self, most: u64) -> RecordBatch {
        const NAMES: [&str; 4] = ["ash", "birch", "cedar", "dogwood"];
        let all: Vec<_> = (0..=self.below(most))
            .map(|_| (self.below(40) as i64, NAMES[self.below(4) as usize], self.below(100) as f64))
            .collect();
        rows(&all)
    }
}

fn values(random: &mut Random, count: usize) -> RecordBatch {
    let cells: ArrayRef = Arc::new(Float64Array::from_iter_values((0..count).map(|_| random.below(100) as f64)));
    RecordBatch::try_from_iter([("value", cells)]).unwrap()
}

/// The queries that are followed; the first is the whole table.
const QUERIES: [&str; 5] = [
    "",
    "columns=value,id",
    "filter[value]gte=50",
    "columns=id,value&filter[name]in=ash,cedar&filter[value]lt=70",
    "filter[value]null=true",
];

fn followers(server: &Served, definition: &serde_json::Value) -> Vec<(&'static str, bool, Follower)> {
    let both = |query: &'static str| [(query, false), (query, true)];
    let follow = |(query, is_continuous): (&'static str, bool)| {
        let url = if query.is_empty() { String::new() } else { format!("?{query}") };
        (query, is_continuous, Follower::new(server, "t", definition, &url, is_continuous))
    };
    QUERIES.into_iter().flat_map(both).map(follow).collect()
}

#[test]
fn followers_by_key_hold_what_the_query_gives() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let definition = definition(true, json!({}));
    make(&server, "t", &definition);
    let mut random = Random(5);
    change(&server, "t", Change::Append(random.batch(30)));
    let mut all = followers(&server, &definition);
    for step in 0..70 {
        // Several at once now and then, so that they are merged.
        for _ in 0..=random.below(4) {
            let batch = random.batch(12);
            let count = server.get("/v1/tables/t").json()["rows"].as_u64().unwrap();
            change(
                &server,
                "t",
                match random.below(14) {
                    0..=3 => Change::Append(batch),
                    4 => Change::Upsert(batch.project(&[2, 0]).unwrap()),
                    5 => Change::Upsert(batch.project(&[0]).unwrap()),
                    6..=7 => Change::Delete(batch.project(&[0]).unwrap()),
                    8..=9 => Change::Exchange {
                        remove: random.batch(9).project(&[0]).unwrap(),
                        insert: batch.project(&[0, 1]).unwrap(),
                    },
                    10..=11 if count > 0 => {
                        let places: Vec<u64> = (0..5).map(|_| random.below(count)).collect();
                        Change::Patch { rows: UInt64Array::from(places), cells: values(&mut random, 5) }
                    }
                    12 if count > 3 => Change::Trim(random.below(3)),
                    13 if random.below(4) == 0 => Change::Replace(vec![batch]),
                    _ => Change::Upsert(batch),
                },
            );
        }
        let sequence = change(&server, "t", Change::Append(random.batch(3)))["sequence"].as_u64().unwrap();
        for (query, is_continuous, follower) in &mut all {
            follower.until(sequence);
            let context = format!("step {step}, ?{query}, {is_continuous}, {:?}", follower.kinds);
            if query.is_empty() {
                assert_eq!(follower.columns(), result(&server, "/v1/tables/t/data"), "{context}");
            }
            let sort = if query.contains("value,id") { "value,id" } else { "id" };
            if sort == "id" {
                let path = format!("/v1/tables/t/query?{query}&sort=id");
                assert_eq!(follower.sorted(), result(&server, &path), "{context}");
            } else {
                assert_eq!(follower.copy.rows(), result(&server, "/v1/tables/t/data")[0].len(), "{context}");
            }
        }
    }
    // Only a replacement of the table is one for its followers.
    let replaced = all[0].2.kinds.iter().filter(|kind| **kind == "replace").count();
    for (query, _, follower) in &all {
        assert!(follower.kinds.iter().filter(|kind| **kind == "replace").count() <= replaced, "{query}");
    }
}

#[test]
fn followers_without_a_key_hold_what_the_query_gives() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let definition = definition(false, json!({"retain": {"rows": 60}}));
    make(&server, "t", &definition);
    let mut random = Random(9);
    change(&server, "t", Change::Append(random.batch(30)));
    let mut all = followers(&server, &definition);
    for step in 0..60 {
        for _ in 0..=random.below(4) {
            let batch = random.batch(12);
            change(
                &server,
                "t",
                match random.below(20) {
                    0 => {
                        let cells = values(&mut random, 3);
                        Change::Patch { rows: UInt64Array::from(vec![0, 2, 0]), cells }
                    }
                    1 => Change::Trim(random.below(3)),
                    2 if random.below(3) == 0 => Change::Replace(vec![batch.clone(), batch]),
                    3 => Change::Append(batch.project(&[0]).unwrap()),
                    _ => Change::Append(batch),
                },
            );
        }
        // Whoever has the last update has those that retire rows, too: they are in the same group.
        change(&server, "t", Change::Append(random.batch(5)));
        let sequence = change(&server, "t", Change::Trim(0))["sequence"].as_u64().unwrap();
        for (query, is_continuous, follower) in &mut all {
            follower.until(sequence);
            let path = format!("/v1/tables/t/query?{query}");
            let context = format!("step {step}, ?{query}, {is_continuous}, {:?}", follower.kinds);
            assert_eq!(follower.columns(), result(&server, &path), "{context}");
            assert!(follower.copy.rows() <= 60);
        }
    }
    let kinds = |at: usize| all[at].2.kinds.iter().filter(|kind| **kind == "replace").count();
    // With a filter a patch costs a replacement, too; retired rows do not.
    assert!(kinds(0) < kinds(4) && kinds(4) < 30, "{} {}", kinds(0), kinds(4));
}

#[test]
fn what_cannot_be_followed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(true, json!({})));
    let told = |query: &str, expected: &str| {
        let headers = "connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let head = format!("GET /v1/tables/t/subscribe?{query} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = server.raw(head.as_bytes());
        assert!(answer.status == 400 && answer.json()["detail"].as_str().unwrap().contains(expected), "{answer:?}");
    };
    told("columns=name", "part of the key");
    told("columns=id,id", "each once");
    told("columns=id,none", "none");
    told("sort=id", "nothing else");
    told("filter[none]=1", "none");
    told("from=x", "from=NUMBER");
    told("more=1", "unknown parameter");
    // A client that names no protocol that we know gets none.
    assert_eq!(
        connect(&server, "/v1/tables/t/subscribe", Some("other, bodkin.continuous")).1.unwrap(),
        "bodkin.continuous"
    );
    assert_eq!(connect(&server, "/v1/tables/t/subscribe", None).1, None);
}

/// Sends so many upserts of so many keys, each with a long text.
fn flood(server: &Served, updates: usize, keys: usize) -> u64 {
    let (mut socket, _) = connect(server, "/v1/tables/t/ingest", None);
    let text = "x".repeat(10_000);
    let mut sequence = 0;
    for first in (0..updates).step_by(200) {
        for number in first..(first + 200).min(updates) {
            let row = json!({"id": number % keys, "name": text, "value": number});
            socket.send(Message::Text(row.to_string().into())).unwrap();
        }
        for _ in first..(first + 200).min(updates) {
            let answer = loop {
                match socket.read().unwrap() {
                    Message::Text(answer) => break answer,
                    _ => continue,
                }
            };
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            sequence = answer["sequence"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        }
    }
    sequence
}

#[test]
fn a_slow_follower_gets_what_it_missed_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let definition = definition(true, json!({}));
    make(&server, "t", &definition);
    let mut slow: Vec<Follower> =
        [false, true].map(|is_continuous| Follower::new(&server, "t", &definition, "", is_continuous)).into();
    // 40 MB, more than sockets hold and less than the server keeps.
    let sequence = flood(&server, 4_000, 7);
    for follower in &mut slow {
        follower.until(sequence);
        assert!(follower.kinds.len() < 3_500, "{} messages", follower.kinds.len());
        assert!(follower.kinds.iter().filter(|kind| **kind == "replace").count() == 1);
        assert_eq!(follower.columns(), result(&server, "/v1/tables/t/data"));
    }
}

#[test]
fn a_follower_that_does_not_read_is_closed_and_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::try_new(Vec::new()).unwrap().with_live(Store::open(folder.path()).unwrap()).unwrap();
    let server = Served::serve(tables.with_patience(Duration::from_secs(4)));
    let definition = definition(true, json!({}));
    make(&server, "t", &definition);
    let mut slow = Follower::new(&server, "t", &definition, "", false);
    // 30 MB, which merging makes no less. Then until the server has lost its patience, and still waits to say so.
    let begin = Instant::now();
    flood(&server, 3_000, 3_000);
    std::thread::sleep(Duration::from_millis(7_700).saturating_sub(begin.elapsed()));
    let (code, reason) = slow.close();
    assert_eq!((code, reason.as_str()), (1008, "too slow: a message was not read within 4 seconds"));
}

#[test]
fn a_server_that_stops_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    let definition = definition(false, json!({}));
    make(&server, "t", &definition);
    let mut followers = [false, true].map(|is_continuous| Follower::new(&server, "t", &definition, "", is_continuous));
    let (mut feeding, _) = connect(&server, "/v1/tables/t/ingest?milliseconds=300", None);
    followers.iter_mut().for_each(|follower| assert!(follower.step()));
    // The server stops while these messages are still gathered: those that it has read are written and answered.
    for id in 0..50 {
        feeding.send(Message::Text(json!({"id": id}).to_string().into())).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    let stopping = std::thread::spawn(move || drop(server));
    let mut acknowledged = 0;
    let end = loop {
        match feeding.read().unwrap() {
            Message::Text(answer) => {
                assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap()["inserted"], 1);
                acknowledged += 1;
            }
            Message::Close(frame) => break frame.unwrap(),
            _ => {}
        }
    };
    let _flushed = feeding.flush();
    assert_eq!((u16::from(end.code), end.reason.as_str(), acknowledged), (1001, "the server stops", 50));
    for follower in &mut followers {
        assert_eq!(closed(&mut follower.socket), (1001, "the server stops".to_owned()));
    }
    stopping.join().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.get("t").unwrap().snapshot().rows, 50);
}

#[test]
fn an_answer_says_where_its_rows_are_followed_from_and_a_line_says_that_it_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t-t", &definition(true, json!({})));
    change(&server, "t-t", Change::Append(rows(&[(1, "a", 1.0), (2, "b", 2.0)])));
    let answer = server.get("/v1/tables/t-t/data");
    let path = answer.header("x-bodkin-live").unwrap().to_owned();
    let (epoch, from) = path.strip_prefix("/v1/tables/t-t/subscribe?epoch=").unwrap().split_once('&').unwrap();
    assert_eq!((from, answer.header("x-bodkin-key")), ("from=1", Some("id")));
    let told = |sequence: u64| format!("{{\"epoch\":{epoch},\"sequence\":{sequence}}}");
    // Behind these rows nothing is missing, and nothing comes twice.
    let (mut socket, _) = connect(&server, &format!("{path}&heartbeat=1"), Some("bodkin.discrete"));
    let begin = Instant::now();
    for _ in 0..2 {
        match socket.read().unwrap() {
            Message::Text(text) => assert_eq!(text.as_str(), told(1)),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
    change(&server, "t-t", Change::Append(rows(&[(3, "c", 3.0)])));
    loop {
        match socket.read().unwrap() {
            Message::Binary(_) => break,
            other => assert!(!matches!(other, Message::Close(_)) && begin.elapsed() < Duration::from_secs(20)),
        }
    }
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            assert_eq!(text.as_str(), told(2));
            break;
        }
    }
    for heartbeat in ["0", "601", "x"] {
        let answer = server.get(&format!("/v1/tables/t-t/subscribe?heartbeat={heartbeat}"));
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    // Numbers beyond all bounds are behind nothing: all rows.
    let mut follower = Follower::new(&server, "t-t", &definition(true, json!({})), "?from=18446744073709551615", false);
    follower.until(2);
    assert_eq!(follower.kinds, ["replace"]);
}

/// The next text message.
fn text(socket: &mut Socket) -> serde_json::Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_keeps_no_rows_is_told_in_numbers_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(true, json!({})));
    change(&server, "t", Change::Append(rows(&[(1, "a", 1.0), (2, "b", 2.0)])));
    let path = "/v1/tables/t/subscribe?rows=none";
    let (mut socket, _) = connect(&server, path, Some("bodkin.discrete"));
    // What was before is not known.
    let first = text(&mut socket);
    assert_eq!((&first["rows"], first.get("inserted")), (&json!(2), None));
    let done = |told: &serde_json::Value| {
        ["rows", "inserted", "updated", "removed"].map(|name| told[name].as_u64().expect("a number"))
    };
    let keys = |keys: &[i64]| rows(&keys.iter().map(|&id| (id, "", 0.0)).collect::<Vec<_>>()).project(&[0]).unwrap();
    change(&server, "t", Change::Upsert(rows(&[(2, "b", 3.0), (3, "c", 3.0), (4, "d", 4.0)])));
    assert_eq!(done(&text(&mut socket)), [4, 2, 1, 0]);
    change(&server, "t", Change::Delete(keys(&[1, 9, 3])));
    assert_eq!(done(&text(&mut socket)), [2, 0, 0, 2]);
    // Who comes back hears of all that he missed at once.
    let from = format!("{path}&epoch={}&from={}", first["epoch"], first["sequence"]);
    let (mut socket, _) = connect(&server, &from, Some("bodkin.discrete"));
    assert_eq!(done(&text(&mut socket)), [2, 2, 1, 2]);
    change(&server, "t", Change::Replace(vec![rows(&[(7, "x", 1.0)])]));
    assert_eq!(done(&text(&mut socket)), [1, 1, 0, 2]);
    // A server that has begun anew does not know.
    drop(server);
    let server = Served::live(Store::open(folder.path()).unwrap());
    let (mut socket, _) = connect(&server, &from, Some("bodkin.discrete"));
    let told = text(&mut socket);
    assert_eq!((&told["rows"], told.get("inserted")), (&json!(1), None));
}

#[test]
fn who_keeps_no_rows_is_told_of_changes_and_a_table_made_anew_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(true, json!({})));
    change(&server, "t", Change::Append(rows(&[(1, "a", 1.0)])));
    let position = |server: &Served| {
        let path = server.get("/v1/tables/t/data").header("x-bodkin-live").unwrap().to_owned();
        path.split_once("epoch=").unwrap().1.replace("&from=", " ")
    };
    let (mut socket, _) = connect(&server, "/v1/tables/t/subscribe?rows=none", Some("bodkin.discrete"));
    let mut told = || {
        let told = text(&mut socket);
        format!("{} {}", told["epoch"], told["sequence"])
    };
    // Without a position, where the table is; then each change, and never a row.
    assert_eq!(told(), position(&server));
    for id in 2..5 {
        change(&server, "t", Change::Append(rows(&[(id, "b", 2.0)])));
        let now = position(&server);
        while told() != now {}
    }
    // A table of the same name counts its updates in an epoch of its own, also after a restart.
    let before = position(&server);
    assert_eq!(server.ask("DELETE", "/v1/tables/t", "", b"").status, 200);
    make(&server, "t", &definition(true, json!({})));
    for id in 1..5 {
        change(&server, "t", Change::Append(rows(&[(id, "c", 3.0)])));
    }
    let after = position(&server);
    assert_ne!(after, before);
    assert_eq!(after.split(' ').nth(1), before.split(' ').nth(1));
    drop(server);
    let server = Served::live(Store::open(folder.path()).unwrap());
    assert_eq!(position(&server), after);
}
