//! Many followers of one live table: how long an update takes from the sender's hand to each of them.
//!
//! `followers ADDRESS FOLLOWERS UPDATES_PER_SECOND SECONDS [SERVER'S PROCESS]` prints one line of JSON. Sender and followers
//! share this process and a clock: a row holds the moment when it was sent.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use futures_util::StreamExt;
use tokio::net::TcpStream as Socket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use wire::Limits;
use wire::update::{Change, Update};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const TABLE: &str = "followers_bench";

/// What all followers write into: counts of microseconds, by steps of 2 %.
struct Latencies(Vec<AtomicU64>);

impl Latencies {
    const STEP: f64 = 1.02;

    fn new() -> Self {
        Self((0..1_000).map(|_| AtomicU64::new(0)).collect())
    }

    fn add(&self, micros: u64) {
        let bucket = ((micros.max(1) as f64).ln() / Self::STEP.ln()) as usize;
        self.0[bucket.min(self.0.len() - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// The upper end of the bucket in which a share of all lies, in milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let bucket = counts.iter().position(|&count| {
            seen += count;
            seen >= wanted
        });
        Self::STEP.powi(bucket.unwrap_or(0) as i32 + 1) / 1e3
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// A request over a connection that stays open; the body of a JSON answer is not looked at.
fn ask(stream: &mut TcpStream, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<String, Failure> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part)?;
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if rest.len() >= length.unwrap_or(0) {
                return Ok(head.lines().next().unwrap_or("").to_owned());
            }
        }
        if read == 0 {
            return Err("the server closed the connection".into());
        }
    }
}

async fn follow(address: String, begin: Instant, all: Arc<Latencies>, ready: Arc<AtomicUsize>) -> Result<(), Failure> {
    let stream = Socket::connect(&address).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://{address}/v1/tables/{TABLE}/subscribe");
    let (mut socket, _) = client_async(url, stream).await?;
    while let Some(message) = socket.next().await {
        let Message::Binary(bytes) = message? else { continue };
        let now = begin.elapsed().as_nanos() as i64;
        match Update::from_message(bytes.into(), &Limits::default())?.change {
            Change::Append(batch) => {
                let sent = batch.column(0).as_primitive::<Int64Type>();
                sent.values().iter().for_each(|sent| all.add(((now - sent).max(0) / 1_000) as u64));
            }
            _ => drop(ready.fetch_add(1, Ordering::Relaxed)),
        }
    }
    Ok(())
}

/// Kilobytes in memory.
fn memory(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, followers, rate, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("followers ADDRESS FOLLOWERS UPDATES_PER_SECOND SECONDS [SERVER'S PROCESS]".into());
    };
    let (followers, rate, seconds): (usize, u32, u64) = (followers.parse()?, rate.parse()?, seconds.parse()?);
    let process = rest.first();
    let mut sender = TcpStream::connect(address)?;
    sender.set_nodelay(true)?;
    let path = format!("/v1/tables/{TABLE}");
    let definition = br#"{"columns": [{"name": "sent", "type": "Int64"}, {"name": "value", "type": "Float64"}]}"#;
    drop(ask(&mut sender, "DELETE", &path, "application/json", b"")?);
    let made = ask(&mut sender, "PUT", &path, "application/json", definition)?;
    if !made.contains("201") {
        return Err(made.into());
    }
    let before = process.and_then(|process| memory(process));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (all, ready, begin) = (Arc::new(Latencies::new()), Arc::new(AtomicUsize::new(0)), Instant::now());
    for _ in 0..followers {
        let (address, all, ready) = (address.clone(), all.clone(), ready.clone());
        runtime.spawn(async move {
            if let Err(error) = follow(address, begin, all, ready).await {
                let _closed = writeln!(std::io::stderr(), "a follower ended: {error}");
            }
        });
    }
    while ready.load(Ordering::Relaxed) < followers {
        std::thread::sleep(Duration::from_millis(20));
        if begin.elapsed() > Duration::from_secs(60) {
            return Err("the followers did not all come in a minute".into());
        }
    }
    let with = process.and_then(|process| memory(process));
    let start = Instant::now();
    let mut sent = 0u32;
    while start.elapsed() < Duration::from_secs(seconds) {
        let row = format!("{{\"sent\": {}, \"value\": 1.5}}\n", begin.elapsed().as_nanos());
        ask(&mut sender, "POST", &format!("{path}/rows"), "application/x-ndjson", row.as_bytes())?;
        sent += 1;
        let due = start + Duration::from_secs(1) * sent / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let took = start.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(1));
    let after = process.and_then(|process| memory(process));
    let per = |memory: Option<u64>| Some((memory? as f64 - before? as f64) / followers as f64);
    let line = serde_json::json!({
        "followers": followers, "updates_per_second": f64::from(sent) / took,
        "received": all.count(), "lost": u64::from(sent) * followers as u64 - all.count(),
        "p50_ms": all.quantile(0.5), "p99_ms": all.quantile(0.99), "max_ms": all.quantile(1.0),
        "server_kb_per_follower": per(with), "server_kb_per_follower_after": per(after),
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
