//! What the server bears: long heads, slow clients, idle ones, ten thousand of them, and queries that cost too much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::program::{Program, read_all};
use common::{Answer, Served, sample};
use edge_server::http::{Limits, Server, Tables};
use edge_server::run::Budget;
use edge_server::source::{self, Table};

fn tables() -> Tables {
    Tables::try_new(vec![Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() }]).unwrap()
}

fn limited(limits: Limits) -> Served {
    Served::of(Server::new(tables().with_limits(limits)))
}

/// How long the server waits until it closes, at most so long.
fn closes(stream: &mut TcpStream, patience: Duration) -> Option<Duration> {
    let begin = Instant::now();
    let (_bytes, closed) = read_all(stream, patience);
    closed.then(|| begin.elapsed())
}

#[test]
fn heads_have_a_length_and_a_number_of_lines() {
    let server = limited(Limits { header_bytes: 8_192, header_count: 20, ..Limits::default() });
    let with = |headers: &str| server.ask("GET", "/health", headers, b"").status;
    assert_eq!(with(&format!("x-long: {}\r\n", "a".repeat(5_000))), 200);
    assert_eq!(with(&format!("x-long: {}\r\n", "a".repeat(9_000))), 431);
    assert_eq!(with(&"x-one: 1\r\n".repeat(15)), 200);
    assert_eq!(with(&"x-one: 1\r\n".repeat(30)), 431);
    let path = format!("/{}", "a".repeat(9_000));
    assert!(matches!(server.get(&path).status, 414 | 431));
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn bodies_have_a_length_and_a_time() {
    let limits = Limits { body_bytes: 100, body_time: Duration::from_millis(300), ..Limits::default() };
    let server = limited(limits);
    let long = server.ask("POST", "/v1/tables/flights/query", "", &[b' '; 101]);
    assert_eq!((long.status, long.json()["limit"].as_u64()), (413, Some(100)));
    let head = "POST /v1/tables/flights/query HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\nconnection: close\r\n\r\n{";
    let begin = Instant::now();
    let answer = server.raw(head.as_bytes());
    assert_eq!((answer.status, answer.json()["title"].as_str()), (408, Some("body too slow")));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_head_that_comes_drop_by_drop_is_not_waited_for() {
    let limits =
        Limits { head_time: Duration::from_millis(400), idle_time: Duration::from_secs(60), ..Limits::default() };
    let server = limited(limits);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let begin = Instant::now();
    let mut was_closed = false;
    for byte in
        b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter().cycle()
    {
        was_closed = stream.write_all(&[*byte]).is_err() || begin.elapsed() > Duration::from_secs(20);
        if was_closed {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(was_closed && begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    // One that waits to hear why is told.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").unwrap();
    let (bytes, closed) = read_all(&mut stream, Duration::from_secs(10));
    let answer = Answer::parse(&bytes);
    assert_eq!((answer.status, answer.json()["title"].as_str()), (408, Some("too slow")));
    assert!(closed && answer.header("content-length") == Some(answer.body.len().to_string().as_str()));
    // Who speaks HTTP/2 would not understand; an idle connection has asked nothing.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").unwrap();
    let (bytes, closed) = read_all(&mut stream, Duration::from_secs(10));
    assert!(closed && !String::from_utf8_lossy(&bytes).contains("408"));
}

#[test]
fn idle_connections_are_closed_and_busy_ones_are_kept() {
    let limits = Limits { idle_time: Duration::from_millis(700), ..Limits::default() };
    let server = limited(limits);
    let mut silent = TcpStream::connect(server.address).unwrap();
    assert!(closes(&mut silent, Duration::from_secs(10)).is_some_and(|after| after >= Duration::from_millis(500)));
    let mut busy = TcpStream::connect(server.address).unwrap();
    for _ in 0..5 {
        busy.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = [0; 2_048];
        assert!(busy.read(&mut answer).unwrap() > 0, "it was closed between requests");
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(closes(&mut busy, Duration::from_secs(10)).is_some());
}

#[test]
fn an_answer_that_nobody_reads_is_cut() {
    let server = limited(Limits { write_time: Duration::from_millis(500), ..Limits::default() });
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/flights/data HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let told = |line: &str| String::from_utf8(server.get("/metrics").body).unwrap().lines().any(|found| found == line);
    let begin = Instant::now();
    while !told("bodkin_http_responses_cut_total 1") {
        assert!(begin.elapsed() < Duration::from_secs(20), "the answer is still waiting");
        std::thread::sleep(Duration::from_millis(100));
    }
    let (bytes, closed) = read_all(&mut stream, Duration::from_secs(10));
    assert!(closed && bytes.starts_with(b"HTTP/1.1 200") && !bytes.ends_with(b"0\r\n\r\n"));
    // A slow reader that reads at all gets everything.
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(b"GET /v1/tables/flights/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let mut part = vec![0; 4 << 20];
    loop {
        std::thread::sleep(Duration::from_millis(50));
        match slow.read(&mut part).unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
    assert!(Answer::parse(&bytes).whole);
}

#[test]
fn one_address_has_so_many_connections_and_all_have_so_many() {
    let server = limited(Limits { connections_per_client: Some(3), ..Limits::default() });
    let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let mut fourth = TcpStream::connect(server.address).unwrap();
    let _closed = fourth.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    let (bytes, closed) = read_all(&mut fourth, Duration::from_secs(5));
    assert!(closed && bytes.is_empty());
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.get("/health").status, 200);

    let server = limited(Limits { connections: 2, ..Limits::default() });
    let held: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let mut third = TcpStream::connect(server.address).unwrap();
    third.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let (bytes, closed) = read_all(&mut third, Duration::from_millis(500));
    assert!(!closed && bytes.is_empty(), "it waits for room");
    drop(held);
    assert_eq!(Answer::parse(&read_all(&mut third, Duration::from_secs(10)).0).status, 200);
}

#[test]
fn ten_thousand_idle_connections_leave_the_server_quick() {
    let room = rlimit::increase_nofile_limit(30_000).unwrap() as usize;
    let count = 10_000.min(room.saturating_sub(2_000));
    let sample = sample();
    let arguments = ["--idle-seconds", "600", "--log-level", "warn", sample.to_str().unwrap()];
    let program = Program::start(&arguments, &[]);
    let memory = || program.server.get("/status").json()["memoryBytes"].as_u64().unwrap();
    let before = memory();
    let mut idle: Vec<TcpStream> = (0..count).map(|_| TcpStream::connect(program.server.address).unwrap()).collect();
    // Half of them have asked once.
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    }
    for stream in idle.iter_mut().step_by(2) {
        let mut answer = [0; 1_024];
        assert!(stream.read(&mut answer).unwrap() > 100);
    }
    let begin = Instant::now();
    assert_eq!(program.server.get("/v1/tables/nycflights13/query?limit=10").status, 200);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let status = program.server.get("/status").json();
    assert!(status["connections"].as_u64().unwrap() > count as u64, "{status}");
    let each = memory().saturating_sub(before) / count as u64;
    assert!(each < 64 << 10, "{each} bytes for each connection");
    // Any of them can still ask.
    let last = idle.last_mut().unwrap();
    last.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = [0; 1_024];
    assert!(last.read(&mut answer).unwrap() > 100);
}

#[test]
fn a_query_that_costs_too_much_is_ended_and_counted() {
    let budget = Budget { time: Duration::from_millis(1), ..Budget::default() };
    let server = Served::of(Server::new(tables().with_budget(budget)));
    let costly = server.get("/v1/tables/flights/query?sort=tailnum,-dep_delay,dest&format=csv");
    assert_eq!((costly.status, costly.json()["title"].as_str()), (422, Some("query too costly")));
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    assert!(metrics.contains("bodkin_queries_total{end=\"over_budget\"} 1\n"), "{metrics}");
    assert!(metrics.contains("bodkin_queries_running 0\n"));
}

#[test]
fn a_query_that_nobody_waits_for_is_counted_as_cancelled() {
    let server = limited(Limits::default());
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /v1/tables/flights/query HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).unwrap();
    drop(stream);
    let begin = Instant::now();
    let cancelled = "bodkin_queries_total{end=\"cancelled\"} 1\n";
    while !String::from_utf8(server.get("/metrics").body).unwrap().contains(cancelled) {
        assert!(begin.elapsed() < Duration::from_secs(20), "the query was not noticed to be alone");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn http_2_is_told_its_limits_and_asked_whether_it_is_there() {
    let limits = Limits { streams: 7, header_bytes: 9_000, ping_time: Duration::from_millis(300), ..Limits::default() };
    let server = limited(limits);
    let mut stream = TcpStream::connect(server.address).unwrap();
    // The preface and empty settings; after that this client says nothing, not even to pings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let begin = Instant::now();
    let (bytes, closed) = read_all(&mut stream, Duration::from_secs(10));
    assert!(closed && begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    let (mut settings, mut pings) = (Vec::new(), 0);
    let mut rest = bytes.as_slice();
    while let [a, b, c, kind, _flags, _, _, _, _, after @ ..] = rest {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let (payload, next) = after.split_at(length);
        match kind {
            4 => settings.extend(payload.chunks(6).map(|one| {
                (u16::from_be_bytes([one[0], one[1]]), u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
            })),
            6 => pings += 1,
            _ => {}
        }
        rest = next;
    }
    assert!(settings.contains(&(3, 7)) && settings.contains(&(6, 9_000)), "{settings:?}");
    assert!(pings >= 1);
}
