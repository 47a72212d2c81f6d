//! What the server tells of itself: its state, its numbers as Prometheus reads them, and ids of requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Served, sample};
use edge_server::http::{Server, Tables};
use edge_server::live::Store;
use edge_server::source::{self, Table};

/// A sample: its labels and its value.
type Sample = (BTreeMap<String, String>, f64);

/// A family of samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    has_help: bool,
    samples: BTreeMap<String, Vec<Sample>>,
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_' || letter == ':');
    begins && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
}

/// `name="value",…}` and what follows it.
fn labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label in {rest:?}"));
        assert!(is_name(name) && !name.contains(':'), "{name:?} is no label");
        let (mut value, mut letters) = (String::new(), after.char_indices());
        let end = loop {
            match letters.next().expect("the value ends") {
                (at, '"') => break at,
                (_, '\\') => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    letter @ ('\\' | '"') => letter,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "label {name} comes twice");
        let after = &after[end + 1..];
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, after.strip_prefix('}').expect("the labels end")),
        }
    }
}

/// Reads the text format, strictly: each family in one piece, with help and type before it, no series twice.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        assert!(!line.is_empty() && line.trim() == line, "{line:?}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(is_name(name) && !words.is_empty() && !families.contains_key(name), "{line}");
            families.entry(name.to_owned()).or_default().has_help = true;
            current = name.to_owned();
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(name == current && matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            let family = families.get_mut(name).unwrap();
            assert!(family.kind.is_empty() && family.samples.is_empty());
            family.kind = kind.to_owned();
            continue;
        }
        assert!(!line.starts_with('#'), "{line}");
        let end = line.find(['{', ' ']).unwrap();
        let name = &line[..end];
        let (labels, value) = match line[end..].strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (BTreeMap::new(), &line[end..]),
        };
        let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
        let family = families.get_mut(&current).unwrap();
        let suffixes: &[&str] = if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(is_name(name) && suffixes.iter().any(|suffix| name == [&current, *suffix].concat()), "{line}");
        assert!(seen.insert((name.to_owned(), labels.clone())), "{line} comes twice");
        assert!(family.kind != "counter" || (value >= 0.0 && name.ends_with("_total")), "{line}");
        family.samples.entry(name.to_owned()).or_default().push((labels, value));
    }
    for (name, family) in &families {
        assert!(family.has_help && !family.kind.is_empty(), "{name}");
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
    families
}

/// Buckets grow with their bounds, and the last one has everything.
fn check_histogram(name: &str, family: &Family) {
    let all = |suffix: &str| family.samples.get(&[name, suffix].concat()).cloned().unwrap_or_default();
    for (labels, count) in all("_count") {
        let mut buckets: Vec<(f64, f64)> = all("_bucket")
            .into_iter()
            .filter(|(found, _)| labels.iter().all(|(label, value)| found.get(label) == Some(value)))
            .map(|(found, value)| (found["le"].parse().unwrap(), value))
            .collect();
        assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{buckets:?}");
        assert_eq!(buckets.pop(), Some((f64::INFINITY, count)));
        assert_eq!(all("_sum").iter().filter(|(found, _)| *found == labels).count(), 1);
    }
}

fn served(folder: &std::path::Path) -> Served {
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let tables = Tables::try_new(vec![flights]).unwrap().with_live(Store::open(folder).unwrap()).unwrap();
    Served::of(Server::new(tables))
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let definition = br#"{"columns": [{"name": "id", "type": "Int64"}], "key": ["id"]}"#;
    assert_eq!(server.ask("PUT", "/v1/tables/t", "", definition).status, 201);
    assert_eq!(server.ask("POST", "/v1/tables/t/rows", "content-type: text/csv\r\n", b"id\n1\n2\n").status, 200);
    let sent = server.get("/v1/tables/flights/data").body.len() as f64;
    for _ in 0..3 {
        assert_eq!(server.get("/v1/tables/flights/query?limit=1").status, 200);
    }
    assert_eq!(server.get("/v1/tables/secret-name/query").status, 404);
    assert_eq!(server.get("/secret/path\"%0a").status, 404);
    let answer = server.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.contains("secret"), "paths of requests are no labels");
    let families = parse(&text);
    let value = |name: &str, labels: &[(&str, &str)]| {
        let family = families.values().find_map(|family| family.samples.get(name)).unwrap_or_else(|| panic!("{name}"));
        let wanted = |found: &BTreeMap<String, String>| {
            found.len() == labels.len() && labels.iter().all(|(label, value)| found.get(*label).unwrap() == value)
        };
        family.iter().find(|(found, _)| wanted(found)).unwrap_or_else(|| panic!("{name} {labels:?}\n{text}")).1
    };
    let query = "/v1/tables/{table}/query";
    assert_eq!(value("bodkin_http_requests_total", &[("route", query), ("status", "200")]), 3.0);
    assert_eq!(value("bodkin_http_requests_total", &[("route", query), ("status", "404")]), 1.0);
    assert_eq!(value("bodkin_http_requests_total", &[("route", "other"), ("status", "404")]), 1.0);
    assert_eq!(value("bodkin_http_request_duration_seconds_count", &[("route", query)]), 4.0);
    assert!(value("bodkin_http_response_bytes_total", &[]) > sent);
    assert_eq!(value("bodkin_live_rows", &[("table", "t")]), 2.0);
    assert_eq!(value("bodkin_live_sequence", &[("table", "t")]), 1.0);
    assert!(value("bodkin_live_log_bytes", &[("table", "t")]) > 10.0);
    assert_eq!(value("bodkin_queries_total", &[("end", "whole")]), 3.0);
    assert_eq!((value("bodkin_queries_running", &[]), value("bodkin_followers", &[])), (0.0, 0.0));
    assert_eq!((value("bodkin_tables", &[]), value("bodkin_ready", &[])), (2.0, 1.0));
    assert!(value("bodkin_connections", &[]) >= 1.0 && value("process_resident_memory_bytes", &[]) > 1e6);
}

#[test]
fn status_is_for_people_and_ready_for_balancers() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    assert_eq!(server.get("/ready").json()["status"], "ready");
    let status = server.get("/status").json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&status["ready"], &status["followers"], &status["runningQueries"]),
        (&true.into(), &0.into(), &0.into())
    );
    let table = &status["tables"][0];
    assert_eq!((&table["name"], &table["rows"], &table["live"]), (&"flights".into(), &336_776.into(), &false.into()));
    assert!(status["memoryBytes"].as_u64().unwrap() > 1 << 20 && status["uptimeSeconds"].is_u64());
    assert_eq!(server.ask("POST", "/ready", "", b"").status, 405);
}

#[test]
fn a_request_has_an_id_that_also_stands_in_its_problem() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path());
    let asked = |id: &str| server.ask("GET", "/v1/tables/none", &format!("x-request-id: {id}\r\n"), b"");
    let given = asked("abc-123");
    assert_eq!(given.header("x-request-id"), Some("abc-123"));
    assert_eq!(given.json()["requestId"], "abc-123");
    let odd = asked("{\"a\": 1}");
    let made = odd.header("x-request-id").unwrap();
    assert!(made.len() > 16 && !made.contains('{') && odd.json()["requestId"] == made);
    let (one, two) = (server.get("/health"), server.get("/"));
    assert!(one.header("x-request-id").is_some() && one.header("x-request-id") != two.header("x-request-id"));
}
