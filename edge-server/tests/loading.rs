//! A large CSV is read while the server answers for the other tables: it says how far it is, and is not ready before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use common::program::Program;
use common::{Answer, sample};
use serde_json::json;

/// A CSV that is read into a copy, with something behind its last row.
fn large(path: &std::path::Path, tail: &str) -> usize {
    let mut text = String::from("row,word\n");
    let mut rows = 0;
    while text.len() < 66 << 20 {
        writeln!(text, "{rows},some words that are longer than a number").unwrap();
        rows += 1;
    }
    std::fs::write(path, text + tail).unwrap();
    rows
}

fn until(program: &Program, is_so: impl Fn(&Answer) -> bool) -> Vec<Answer> {
    let (begin, mut seen) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_secs(120) {
        seen.push(program.server.get("/status"));
        if is_so(seen.last().unwrap()) {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{:?}", seen.last());
}

#[test]
fn the_others_are_served_while_one_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cache) = (folder.path().join("large.csv"), folder.path().join("cache"));
    let rows = large(&path, "");
    let arguments =
        [path.to_str().unwrap(), sample().to_str().unwrap(), "--cache", cache.to_str().unwrap()].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = Program::start(&arguments, &[]);
    let ready = program.server.get("/ready");
    assert_eq!((ready.status, ready.json()), (503, json!({"status": "loading", "tables": 1})));
    assert_eq!(program.server.get("/v1/tables/nycflights13/query?limit=1").status, 200);
    let early = program.server.get("/v1/tables/large/query?limit=1");
    assert_eq!((early.status, early.header("retry-after")), (503, Some("2")), "{}", early.json());
    assert!(early.json()["detail"].as_str().unwrap().contains("it is being read"));
    let told = until(&program, |status| status.json()["loading"] == json!([]));
    let percents: Vec<u64> = told.iter().filter_map(|status| status.json()["loading"][0]["percent"].as_u64()).collect();
    assert!(percents.is_sorted() && percents.first() < percents.last(), "{percents:?}");
    assert_eq!(program.server.get("/ready").status, 200);
    assert_eq!(program.server.get("/v1/tables/large").json()["rows"], rows);
    assert_eq!(program.server.get("/v1/tables").json()["tables"].as_array().unwrap().len(), 2);
    program.wait_for("is here");
    // The copy gets its name when the disk has it.
    let is_copy = |entry: std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "arrow");
    let begin = Instant::now();
    while !std::fs::read_dir(&cache).unwrap().flatten().any(is_copy) && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(program);
    // With the copy at hand nothing has to be waited for.
    let again = Program::start(&arguments, &[]);
    assert_eq!(again.server.get("/ready").status, 200);
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cache) = (folder.path().join("large.csv"), folder.path().join("cache"));
    let rows = large(&path, "many,words\n");
    let arguments =
        [path.to_str().unwrap(), sample().to_str().unwrap(), "--cache", cache.to_str().unwrap()].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = Program::start(&arguments, &[]);
    let told = until(&program, |status| status.json()["loading"][0]["state"] == "failed");
    let why = told.last().unwrap().json()["loading"][0]["detail"].as_str().unwrap().to_owned();
    assert!(why.contains(&format!("row {}: column \"row\"", rows + 1)), "{why}");
    program.wait_for(&why);
    assert_eq!(program.server.get("/ready").status, 503);
    let asked = program.server.get("/v1/tables/large/data");
    assert!(asked.status == 503 && asked.json()["detail"].as_str().unwrap().contains("could not be read"));
    assert_eq!(program.server.get("/v1/tables/nycflights13/query?limit=1").status, 200);
}
