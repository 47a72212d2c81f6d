//! Tables that keep so many rows, bytes or seconds, and logs that are written anew: with followers, restarts and kills.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;
#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use common::Served;
use edge_server::live::Store;
use live::{Follower, change, definition, make, result, rows};
use process::{Process, ask};
use serde_json::{Value, json};
use wire::update::Change;

fn served(folder: &Path) -> Served {
    Served::live(Store::open(folder).unwrap())
}

fn ids(server: &Served) -> Vec<i64> {
    result(server, "/v1/tables/t/data")[0].as_primitive::<Int64Type>().values().to_vec()
}

fn append(server: &Served, ids: impl IntoIterator<Item = i64>) -> u64 {
    let all: Vec<_> = ids.into_iter().map(|id| (id, "name", id as f64)).collect();
    change(server, "t", Change::Append(rows(&all)))["sequence"].as_u64().unwrap()
}

#[test]
fn a_table_keeps_so_many_rows() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let plain = definition(false, json!({"retain": {"rows": 1000}}));
    make(&server, "t", &plain);
    let mut follower = Follower::new(&server, "t", &plain, "", false);
    for round in 0..30 {
        append(&server, round * 130..(round + 1) * 130);
    }
    assert_eq!(ids(&server), (2_900..3_900).collect::<Vec<_>>());
    // One that is larger than the table may be.
    append(&server, 5_000..7_500);
    assert_eq!(ids(&server), (6_500..7_500).collect::<Vec<_>>());
    let last = change(&server, "t", Change::Trim(0))["sequence"].as_u64().unwrap();
    follower.until(last);
    assert_eq!(follower.columns(), result(&server, "/v1/tables/t/data"));
    assert!(follower.kinds.contains(&"trim") && follower.kinds.iter().filter(|kind| **kind == "replace").count() == 1);
    drop((server, follower));
    let server = served(folder.path());
    assert_eq!(ids(&server), (6_500..7_500).collect::<Vec<_>>());
    append(&server, [1]);
    assert_eq!((ids(&server).len(), ids(&server)[0]), (1_000, 6_501));
}

#[test]
fn what_was_cut_off_behind_rows_goes_when_the_table_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    make(&server, "t", &definition(false, json!({"retain": {"rows": 3}})));
    append(&server, [1, 2, 3]);
    append(&server, [4]);
    assert_eq!(ids(&server), [2, 3, 4]);
    drop(server);
    // The process was killed between the row and what says that the first one goes.
    let log = std::fs::OpenOptions::new().write(true).open(folder.path().join("t.bklog")).unwrap();
    log.set_len(log.metadata().unwrap().len() - 1).unwrap();
    drop(log);
    for _again in 0..2 {
        assert_eq!(ids(&served(folder.path())), [2, 3, 4]);
    }
}

#[test]
fn with_a_key_the_rows_that_were_not_touched_for_longest_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let keyed = definition(true, json!({"retain": {"rows": 3}}));
    make(&server, "t", &keyed);
    let mut follower = Follower::new(&server, "t", &keyed, "?columns=id", true);
    // The clock of rows ticks in tenths of a second.
    let wait = || std::thread::sleep(Duration::from_millis(150));
    for id in [1, 2, 3] {
        append(&server, [id]);
        wait();
    }
    append(&server, [1]);
    wait();
    let last = append(&server, [4]);
    assert_eq!(ids(&server), [1, 3, 4]);
    follower.until(last + 1);
    assert_eq!(follower.sorted()[0].as_primitive::<Int64Type>().values(), &[1, 3, 4]);
    drop((server, follower));
    let server = served(folder.path());
    wait();
    append(&server, [5]);
    assert_eq!(ids(&server), [1, 4, 5]);
}

#[test]
fn a_table_keeps_so_many_bytes() {
    for has_key in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let server = served(folder.path());
        let made = definition(has_key, json!({"retain": {"bytes": 100_000}}));
        make(&server, "t", &made);
        let mut follower = Follower::new(&server, "t", &made, "", false);
        for round in 0..40 {
            append(&server, round * 300..(round + 1) * 300);
        }
        let kept = ids(&server);
        // A row has two numbers, an offset and four letters: 24 bytes, and a few for each batch.
        assert!((3_900..=4_166).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept, (12_000 - kept.len() as i64..12_000).collect::<Vec<_>>());
        let last = append(&server, [20_000]);
        follower.until(last);
        std::thread::sleep(Duration::from_millis(50));
        let tail = if has_key { Change::Delete(rows(&[]).project(&[0]).unwrap()) } else { Change::Trim(0) };
        follower.until(change(&server, "t", tail)["sequence"].as_u64().unwrap());
        assert_eq!(follower.columns(), result(&server, "/v1/tables/t/data"));
    }
}

#[test]
fn a_table_keeps_rows_for_so_many_seconds_and_over_a_restart() {
    for has_key in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let server = served(folder.path());
        let made = definition(has_key, json!({"retain": {"seconds": 3}}));
        make(&server, "t", &made);
        append(&server, 0..10);
        let begin = Instant::now();
        std::thread::sleep(Duration::from_millis(1_500));
        append(&server, 10..20);
        assert_eq!(ids(&server).len(), 20);
        drop(server);
        let server = served(folder.path());
        let mut follower = Follower::new(&server, "t", &made, "", false);
        assert!(follower.step());
        assert_eq!(ids(&server).len(), 20, "a restart makes nothing older");
        // Nobody sends anything, and rows go all the same: those of before the restart as they are due.
        while ids(&server).len() == 20 {
            assert!(begin.elapsed() < Duration::from_secs(8));
            std::thread::sleep(Duration::from_millis(20));
        }
        let first = begin.elapsed();
        assert_eq!(ids(&server), (10..20).collect::<Vec<_>>());
        assert!(first >= Duration::from_millis(2_800), "{first:?}");
        while !ids(&server).is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(12));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begin.elapsed() >= Duration::from_millis(4_300));
        while follower.copy.rows() > 0 {
            assert!(follower.step());
        }
        assert_eq!(
            follower.kinds,
            ["replace", if has_key { "delete" } else { "trim" }, if has_key { "delete" } else { "trim" }]
        );
    }
}

#[test]
fn what_no_table_can_keep_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    for retain in [json!({}), json!({"rows": 0}), json!({"minutes": 1}), json!({"rows": -1})] {
        let made = definition(false, json!({ "retain": retain }));
        let answer = server.ask("PUT", "/v1/tables/t", "", made.to_string().as_bytes());
        assert_eq!(
            (answer.status, answer.json()["title"].as_str()),
            (400, Some("not a table's definition")),
            "{retain}"
        );
    }
}

/// The length of the table's log once it is less than this.
fn shrunk(folder: &Path, below: u64) -> u64 {
    let begin = Instant::now();
    loop {
        let length = std::fs::metadata(folder.join("t.bklog")).unwrap().len();
        if length < below {
            return length;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the log has {length} bytes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_log_that_is_too_long_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let keyed = definition(true, json!({"retain": {"rows": 50, "seconds": 3600}}));
    make(&server, "t", &keyed);
    let mut follower = Follower::new(&server, "t", &keyed, "", false);
    let text = "y".repeat(40_000);
    let mut last = 0;
    let post = |number: i64| {
        let all: Vec<_> = (0..10).map(|row| ((number * 7 + row) % 60, text.as_str(), number as f64)).collect();
        change(&server, "t", Change::Append(rows(&all)))["sequence"].as_u64().unwrap()
    };
    // 400 kB each; 25 MB in all, and some more while the log is written anew.
    for number in 0..64 {
        last = post(number);
    }
    let length = shrunk(folder.path(), 12_000_000);
    last = last.max(post(64));
    follower.until(last);
    let before = result(&server, "/v1/tables/t/query?sort=id");
    assert_eq!(before[0].len(), 50);
    let (epoch, reached) = (follower.copy.epoch(), follower.copy.sequence());
    let told = server.get("/v1/tables").json()["tables"][0]["bytes"].as_u64().unwrap();
    assert!(told < 12_000_000 && length > 1_000_000, "{told} {length}");
    drop((server, follower));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let server = served(folder.path());
    assert_eq!(result(&server, "/v1/tables/t/query?sort=id"), before);
    // A follower of before goes on where it was.
    let resumed = format!("?epoch={epoch}&from={reached}");
    let mut back = Follower::new(&server, "t", &keyed, &resumed, false);
    back.copy.set_position(epoch, reached);
    let next = append(&server, [7_000]);
    assert!(next > reached);
    back.until(next);
    assert!(!back.kinds.contains(&"replace"), "{:?}", back.kinds);
}

/// What one writer has sent and been told.
#[derive(Default)]
struct Sent {
    next: i64,
    acknowledged: Vec<i64>,
}

/// All rows of a query, as lines of CSV without the header.
fn lines(address: &str, path: &str) -> Vec<Vec<i64>> {
    let answer = ask(address, "GET", path, "").unwrap();
    let numbers = |line: &str| line.split(',').map(|cell| cell.trim().parse().ok()).collect::<Option<Vec<i64>>>();
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    body.lines().filter(|line| line.contains(',')).filter_map(numbers).collect()
}

#[test]
fn kills_while_rows_go_and_logs_are_written_anew_lose_nothing() {
    const WRITERS: usize = 4;
    const KEPT: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let columns = json!([
        {"name": "writer", "type": "Int64"}, {"name": "number", "type": "Int64"}, {"name": "text", "type": "Utf8"}
    ]);
    let queue = json!({"columns": columns, "retain": {"rows": KEPT, "seconds": 3600}}).to_string();
    let latest = json!({"columns": columns, "key": ["writer"]}).to_string();
    let text = "z".repeat(250_000);
    let sent: Vec<Mutex<Sent>> = (0..2 * WRITERS).map(|_| Mutex::default()).collect();
    let (mut rewritten, mut left_over) = (0, 0);
    for round in 0..8u64 {
        let mut process = Process::start(folder.path());
        for (name, definition) in [("queue", &queue), ("latest", &latest)] {
            assert!(
                ask(&process.address, "PUT", &format!("/v1/tables/{name}"), definition)
                    .unwrap()
                    .starts_with("HTTP/1.1 20")
            );
        }
        let longest = Mutex::new([0u64; 2]);
        std::thread::scope(|scope| {
            for (number, sent) in sent.iter().enumerate() {
                let (address, text) = (&process.address, &text);
                scope.spawn(move || {
                    let (table, writer) =
                        if number < WRITERS { ("queue", number) } else { ("latest", number - WRITERS) };
                    let path = format!("/v1/tables/{table}/rows");
                    loop {
                        let mut sent = sent.lock().unwrap();
                        let next = sent.next;
                        sent.next += 1;
                        let body = format!("writer,number,text\n{writer},{next},{text}\n");
                        match ask(address, "POST", &path, &body) {
                            Some(answer) if answer.starts_with("HTTP/1.1 200") => sent.acknowledged.push(next),
                            // Killed: whether the row is there nobody has said.
                            _ => return,
                        }
                    }
                });
            }
            // Until logs have been written anew, and then at any moment.
            let begin = Instant::now();
            let patience = Duration::from_secs(if round < 2 { 20 } else { 2 });
            let mut seen = 0;
            while begin.elapsed() < patience && seen < 2 {
                std::thread::sleep(Duration::from_millis(5));
                for (at, name) in ["queue", "latest"].iter().enumerate() {
                    let length =
                        std::fs::metadata(folder.path().join(format!("{name}.bklog"))).map_or(0, |file| file.len());
                    let longest = &mut longest.lock().unwrap()[at];
                    if length < *longest {
                        (seen, rewritten) = (seen + 1, rewritten + 1);
                        *longest = 0;
                    }
                    *longest = length.max(*longest);
                }
            }
            std::thread::sleep(Duration::from_millis(37 * (round % 4)));
            process.child.kill().unwrap();
        });
        drop(process);
        left_over +=
            ["queue", "latest"].iter().filter(|name| folder.path().join(format!("{name}.rewrite")).exists()).count();
        let process = Process::start(folder.path());
        check(&process.address, &sent, WRITERS, KEPT);
        assert!(!folder.path().join("queue.rewrite").exists() && !folder.path().join("latest.rewrite").exists());
    }
    assert!(rewritten >= 3, "{rewritten} logs were written anew, {left_over} of them cut short");
}

/// No acknowledged row is missing, none is there twice.
fn check(address: &str, sent: &[Mutex<Sent>], writers: usize, kept: usize) {
    let queue = lines(address, "/v1/tables/queue/query?columns=writer,number&format=csv");
    let acknowledged: usize = sent[..writers].iter().map(|sent| sent.lock().unwrap().acknowledged.len()).sum();
    assert!(queue.len() == kept || queue.len() >= acknowledged && queue.len() < kept, "{}", queue.len());
    for (writer, sent) in sent[..writers].iter().enumerate() {
        let sent = sent.lock().unwrap();
        let found: Vec<i64> = queue.iter().filter(|row| row[0] == writer as i64).map(|row| row[1]).collect();
        // In the order in which they were sent, each once.
        assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
        if let Some(&first) = found.first() {
            let missing = sent.acknowledged.iter().filter(|&&number| number >= first && !found.contains(&number));
            assert_eq!(missing.count(), 0, "writer {writer}: {found:?} of {:?}", sent.acknowledged);
        } else if acknowledged <= kept {
            assert!(sent.acknowledged.is_empty());
        }
    }
    let latest = lines(address, "/v1/tables/latest/query?columns=writer,number&format=csv");
    for (writer, sent) in sent[writers..].iter().enumerate() {
        let sent = sent.lock().unwrap();
        let found: Vec<i64> = latest.iter().filter(|row| row[0] == writer as i64).map(|row| row[1]).collect();
        if let Some(&last) = sent.acknowledged.last() {
            assert!(found.len() == 1 && (last..sent.next).contains(&found[0]), "{found:?}, {last}");
        }
    }
}

/// What the definition says is what the table is told to be.
#[test]
fn a_definition_is_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let made = definition(true, json!({"retain": {"rows": 5}, "ingest": {"rows": 10, "milliseconds": 1}}));
    make(&server, "t", &made);
    assert_eq!(server.get("/v1/tables/t").json()["key"], json!(["id"]));
    drop(server);
    let server = served(folder.path());
    let answer = server.ask("PUT", "/v1/tables/t", "", made.to_string().as_bytes());
    assert_eq!((answer.status, answer.json()["created"].clone()), (200, Value::Bool(false)));
}
