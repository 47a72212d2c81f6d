//! Decoding one packed stream, timed: natively, or in WASM under a WASI host (`wasm/unpack.mjs`).
//!
//! `unpack FILE RUNS` prints one JSON line: the minimum of the runs in milliseconds, and rows.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it fails"
)]

use std::time::Instant;

use arrow_buffer::Buffer;
use wire::Limits;
use wire::stream::{Event, StreamDecoder};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bytes = Buffer::from(std::fs::read(&arguments[0]).unwrap().as_slice());
    let runs = arguments.get(1).map_or(3, |runs| runs.parse().unwrap());
    let (mut least, mut rows) = (f64::INFINITY, 0);
    for _ in 0..runs {
        let mut limits = Limits::default();
        limits.unpacked = 1 << 30;
        let mut decoder = StreamDecoder::new(limits);
        let begin = Instant::now();
        decoder.push(bytes.clone());
        rows = 0;
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.unwrap() {
                rows += batch.num_rows();
            }
        }
        least = least.min(begin.elapsed().as_secs_f64() * 1e3);
    }
    println!("{}", serde_json::json!({"file": arguments[0], "ms_min": least, "rows": rows}));
}
