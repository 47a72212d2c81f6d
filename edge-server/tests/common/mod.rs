//! A server for a test, and the sample as arrow-rs reads it.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod program;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use edge_server::http::{Server, Tables};
use edge_server::live::Store;
use edge_server::source::{self, Table};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The sample's file.
pub(crate) fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample/nycflights13.parquet")
}

/// The sample as one batch, read by arrow-rs alone.
pub(crate) fn flights() -> RecordBatch {
    let file = std::fs::File::open(sample()).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// A server on a free port of loopback; it stops when this is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub(crate) fn sample() -> Self {
        Self::tables(vec![Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() }])
    }

    pub(crate) fn tables(tables: Vec<Table>) -> Self {
        Self::with(tables, false)
    }

    /// Tables whose answers are packed, if the client takes it.
    pub(crate) fn with(tables: Vec<Table>, encodes: bool) -> Self {
        Self::serve(Tables::try_new(tables).unwrap().with_content_encoding(encodes))
    }

    /// Live tables.
    pub(crate) fn live(store: Store) -> Self {
        Self::serve(Tables::try_new(Vec::new()).unwrap().with_live(store).unwrap())
    }

    pub(crate) fn serve(tables: Tables) -> Self {
        Self::of(Server::new(tables))
    }

    /// What listens at an address already.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, stop: None, thread: None }
    }

    /// A server as it is.
    pub(crate) fn of(server: Server) -> Self {
        Self::of_at(server, "127.0.0.1:0")
    }

    /// A server at an address, such as the one that another has just left.
    pub(crate) fn of_at(server: Server, address: &str) -> Self {
        let address = address.to_owned();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async {
                    let _dropped = stopped.await;
                };
                server.run(listener, stopped).await;
            });
        });
        Self { address: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request as it is, and gives the whole answer of a connection that then ends.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // The server may answer and close before it has read everything.
        let _early = stream.write_all(request);
        let mut bytes = Vec::new();
        let _reset = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    /// A request with more header lines (each with its line break) and a body.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// A response, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a response has a head") + 4;
        // Names are compared in lower case; values are as they came.
        let head = String::from_utf8_lossy(&bytes[..end]);
        let head = head.lines().map(|line| match line.split_once(':') {
            Some((name, value)) => [&name.to_ascii_lowercase(), ":", value, "\n"].concat(),
            None => [line, "\n"].concat(),
        });
        let head: String = head.collect();
        let status = head[9..12].parse().unwrap();
        let rest = &bytes[end..];
        let (body, whole) =
            if head.contains("transfer-encoding: chunked") { unchunk(rest) } else { (rest.to_vec(), true) };
        Self { status, head, body, whole }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The batches of an Arrow stream, read by arrow-rs.
    pub(crate) fn batches(&self) -> Vec<RecordBatch> {
        let reader = arrow_ipc::reader::StreamReader::try_new(self.body.as_slice(), None).unwrap();
        reader.map(Result::unwrap).collect()
    }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else { return (body, false) };
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap().trim(), 16).unwrap();
        let start = line + 2;
        if length == 0 {
            return (body, true);
        }
        if rest.len() < start + length + 2 {
            return (body, false);
        }
        body.extend_from_slice(&rest[start..start + length]);
        rest = &rest[start + length + 2..];
    }
}
