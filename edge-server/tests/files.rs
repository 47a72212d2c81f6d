//! Original files by range, and that no path leads out of the tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use common::program::read_all;
use common::{Answer, Served, sample};
use edge_server::http::{Server, Tables};
use edge_server::live::Store;
use edge_server::source::{self, Options};

fn served(arguments: &[&str]) -> Served {
    let (mut tables, mut files) = (Vec::new(), BTreeMap::new());
    for named in arguments.iter().flat_map(|argument| source::named(argument).unwrap()) {
        files.extend(named.file().map(|file| (named.name.clone(), file.to_owned())));
        tables.push(named.open(&Options::default()).unwrap());
    }
    Served::of(Server::new(Tables::try_new(tables).unwrap().with_files(files)))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_file_comes_whole_or_in_parts_and_only_when_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my prices.csv");
    let contents = b"symbol,price\nA,1\nB,2\n";
    std::fs::write(&path, contents).unwrap();
    let server = served(&[&format!("prices={}", text(&path))]);
    let get = |headers: &str| server.ask("GET", "/v1/tables/prices/file", headers, b"");
    let whole = get("");
    assert_eq!((whole.status, whole.body.as_slice()), (200, contents.as_slice()));
    assert_eq!(whole.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(whole.header("content-length"), Some("21"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"my_prices.csv\""));
    let tag = whole.header("etag").unwrap().to_owned();
    let date = whole.header("last-modified").unwrap().to_owned();
    assert!(tag.starts_with('"') && date.ends_with(" GMT"));

    let part = get("range: bytes=7-11\r\n");
    assert_eq!((part.status, part.body.as_slice()), (206, &contents[7..12]));
    assert_eq!(part.header("content-range"), Some("bytes 7-11/21"));
    assert_eq!((part.header("content-length"), part.header("etag")), (Some("5"), Some(tag.as_str())));
    assert_eq!(get("range: bytes=-4\r\n").body, &contents[17..]);
    assert_eq!(get("range: bytes=13-\r\n").body, &contents[13..]);
    let beyond = get("range: bytes=21-\r\n");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */21")));
    assert_eq!(beyond.header("content-type"), Some("application/problem+json"));
    // Several ranges, and what is none, are answered with everything.
    assert_eq!(get("range: bytes=0-1,4-5\r\n").status, 200);
    assert_eq!(get("range: lines=0-1\r\n").status, 200);

    let known = |name: &str, value: &str| get(&format!("{name}: {value}\r\n")).status;
    assert_eq!((known("if-none-match", &tag), known("if-modified-since", &date)), (304, 304));
    assert_eq!(
        (known("if-none-match", "\"x\""), known("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT")),
        (200, 200)
    );
    let rest = |known: &str| get(&format!("range: bytes=7-\r\nif-range: {known}\r\n")).status;
    assert_eq!((rest(&tag), rest(&date), rest("\"other\""), rest("W/\"weak\"")), (206, 206, 200, 200));
    assert_eq!(rest("Sat, 01 Jan 2000 00:00:00 GMT"), 200);
    let head = server.ask("HEAD", "/v1/tables/prices/file", "range: bytes=7-11\r\n", b"");
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (206, 0, Some("5")));
    // Changed, it is another file.
    std::fs::write(&path, b"symbol,price\nA,1\nB,2\nC,3\n").unwrap();
    assert_eq!((known("if-none-match", &tag), rest(&tag)), (200, 200));
    assert_eq!(server.ask("POST", "/v1/tables/prices/file", "", b"").status, 405);
}

#[test]
fn a_large_file_is_streamed_byte_for_byte() {
    let path = sample();
    let server = served(&[text(&path)]);
    let contents = std::fs::read(&path).unwrap();
    let whole = server.get("/v1/tables/nycflights13/file");
    assert_eq!(whole.header("content-type"), Some("application/vnd.apache.parquet"));
    assert!(whole.body == contents);
    let end = contents.len();
    let part = server.ask("GET", "/v1/tables/nycflights13/file", "range: bytes=1000001-4000000\r\n", b"");
    assert!(part.status == 206 && part.body == contents[1_000_001..=4_000_000]);
    // As readers of Parquet ask: the footer first.
    let tail = server.ask("GET", "/v1/tables/nycflights13/file", "range: bytes=-8\r\n", b"");
    assert_eq!(
        (&tail.body[4..], tail.header("content-range").unwrap().ends_with(&format!("/{end}"))),
        (&b"PAR1"[..], true)
    );
}

#[test]
fn what_is_not_one_file_has_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "x\n1\n").unwrap();
    std::fs::write(folder.path().join("b.csv"), "x\n2\n").unwrap();
    let server = served(&[&format!("all={}", text(folder.path()))]);
    let none = server.get("/v1/tables/all/file");
    assert_eq!((none.status, none.json()["title"].as_str()), (404, Some("no file")));
    assert_eq!(server.get("/v1/tables/none/file").status, 404);
    // A folder without a name is a table for each file.
    let server = served(&[text(folder.path())]);
    assert_eq!(server.get("/v1/tables/b/file").body, b"x\n2\n");
    let live = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(live.path()).unwrap());
    let made = server.ask("PUT", "/v1/tables/t", "", br#"{"columns": [{"name": "a", "type": "Int8"}]}"#);
    assert_eq!((made.status, server.get("/v1/tables/t/file").status), (201, 404));
}

#[test]
fn no_path_leads_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.csv"), "x\ntop-secret\n").unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("t.csv"), "x\n1\n").unwrap();
    let server = served(&[text(&inside)]);
    let secret = text(folder.path()).trim_start_matches('/').to_owned() + "/secret.csv";
    let paths = [
        "/v1/tables/../secret.csv/file".to_owned(),
        "/v1/tables/..%2Fsecret.csv/file".to_owned(),
        "/v1/tables/%2e%2e%2fsecret/file".to_owned(),
        "/v1/tables/%2e%2e/secret.csv".to_owned(),
        "/v1/tables/t/file/../../../secret.csv".to_owned(),
        "/v1/tables/t%00/file".to_owned(),
        "/v1/tables/..%5Csecret/file".to_owned(),
        format!("/v1/tables/%2F{}/file", secret.replace('/', "%2F")),
        format!("/v1/tables/file:%2F%2F%2F{}/file", secret.replace('/', "%2F")),
        format!("/{secret}"),
        format!("//{secret}"),
        format!("/viewer/../../../../{secret}"),
        "/viewer/..%2f..%2fCargo.toml".to_owned(),
        "/viewer/%2e%2e/page.js".to_owned(),
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/v1/tables/%c0%ae%c0%ae%c0%afsecret/file".to_owned(),
        "/../../../../etc/passwd".to_owned(),
        "http://elsewhere/../../etc/passwd".to_owned(),
        "*".to_owned(),
        "..".to_owned(),
    ];
    for path in paths {
        for method in ["GET", "PUT", "DELETE"] {
            let mut stream = TcpStream::connect(server.address).unwrap();
            let request =
                format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let (bytes, _) = read_all(&mut stream, Duration::from_secs(10));
            let said = String::from_utf8_lossy(&bytes).into_owned();
            assert!(!said.contains("top-secret") && !said.contains("root:"), "{method} {path}: {said}");
            let status = Answer::parse(&bytes).status;
            assert!((400..=501).contains(&status), "{method} {path}: {said}");
        }
    }
    assert!(folder.path().join("secret.csv").exists());
}
