//! A live table as an Arrow stream that does not end, read by arrow-rs batch by batch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;
#[path = "common/live.rs"]
mod live;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_ipc::reader::StreamReader;
use common::Served;
use edge_server::live::Store;
use live::{change, definition, make, rows};
use serde_json::json;
use wire::update::Change;

/// The body of a chunked answer, as it comes.
struct Chunked {
    stream: BufReader<TcpStream>,
    left: usize,
    /// Whether the last chunk has come.
    is_whole: bool,
}

impl Chunked {
    fn get(server: &Served, path: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
            assert!(!line.starts_with("HTTP/1.1") || line.contains("200"), "{line}");
        }
        Self { stream, left: 0, is_whole: false }
    }
}

impl Read for Chunked {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && !self.is_whole {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            self.left = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            self.is_whole = self.left == 0;
            self.left += 2 * usize::from(!self.is_whole);
        }
        let most = self.left.saturating_sub(2).min(bytes.len());
        let read = self.stream.read(&mut bytes[..most])?;
        self.left -= read;
        if self.left == 2 {
            self.stream.read_exact(&mut [0; 2])?;
            self.left = 0;
        }
        Ok(read)
    }
}

fn ids(batch: &RecordBatch) -> Vec<i64> {
    batch.column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn append(server: &Served, ids: &[i64]) {
    let all: Vec<_> = ids.iter().map(|&id| (id, "n", id as f64)).collect();
    change(server, "t", Change::Append(rows(&all)));
}

#[test]
fn rows_come_as_they_are_appended_until_the_table_goes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(false, json!({"retain": {"rows": 4}})));
    append(&server, &[1, 2, 3]);
    let mut all = StreamReader::try_new(Chunked::get(&server, "/v1/tables/t/stream"), None).unwrap();
    let some = "/v1/tables/t/stream?columns=id&filter[value]gte=3";
    let mut some = StreamReader::try_new(Chunked::get(&server, some), None).unwrap();
    assert_eq!(some.schema().fields().len(), 1);
    assert_eq!((ids(&all.next().unwrap().unwrap()), ids(&some.next().unwrap().unwrap())), (vec![1, 2, 3], vec![3]));
    // That old rows go is not told, and does not disturb.
    append(&server, &[4, 5, 6]);
    assert_eq!(ids(&all.next().unwrap().unwrap()), [4, 5, 6]);
    assert_eq!(ids(&some.next().unwrap().unwrap()), [4, 5, 6]);
    append(&server, &[0, 1]);
    append(&server, &[2, 7]);
    let mut next = Vec::new();
    while next.len() < 4 {
        next.extend(ids(&all.next().unwrap().unwrap()));
    }
    assert_eq!((next, ids(&some.next().unwrap().unwrap())), (vec![0, 1, 2, 7], vec![7]));
    assert_eq!(server.ask("DELETE", "/v1/tables/t", "", b"").status, 200);
    assert!(all.next().is_none() && some.next().is_none());
    assert!(all.get_ref().is_whole || all.get_mut().read(&mut [0; 8]).unwrap() == 0);
    assert_eq!(server.get("/v1/tables/t/stream").status, 404);
}

#[test]
fn by_key_the_rows_that_were_touched_come_whole_until_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "t", &definition(true, json!({})));
    let mut stream = StreamReader::try_new(Chunked::get(&server, "/v1/tables/t/stream"), None).unwrap();
    append(&server, &[1, 2]);
    assert_eq!(ids(&stream.next().unwrap().unwrap()), [1, 2]);
    change(&server, "t", Change::Delete(rows(&[(1, "", 0.0)]).project(&[0]).unwrap()));
    change(&server, "t", Change::Upsert(rows(&[(2, "", 22.0)]).project(&[0, 2]).unwrap()));
    let touched = stream.next().unwrap().unwrap();
    assert_eq!(touched, rows(&[(2, "n", 22.0)]).with_schema(touched.schema()).unwrap());
    let stopping = std::thread::spawn(move || drop(server));
    assert!(stream.next().is_none(), "the stream ends as it should");
    stopping.join().unwrap();
}
