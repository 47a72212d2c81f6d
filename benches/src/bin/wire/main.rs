//! The wire's figures: decoding beside arrow-rs, the overhead of a message, codecs on real data, updates of live tables.
//!
//! ```text
//! wire decode [ROWS]        decoding a stream: ours, ours on trust, arrow-rs with and without validation
//! wire overhead             bytes and time of a message of 1 to 1,000 rows, discrete and continuous
//! wire codecs FILE...       Arrow or Parquet files packed by each codec, and as Parquet with zstd
//! wire pack FILE CODEC OUT   one file as a packed stream (none, lz4, zstd)
//! wire time FILE            decoding one stream: ours and arrow-rs
//! wire updates              updates of tables of 1e4 to 1e7 rows
//! ```
//!
//! One JSON line for each figure; times are minima of interleaved runs.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it fails"
)]

mod codecs;
mod decode;
mod overhead;
mod updates;

use std::time::Instant;

/// The least time of each side in milliseconds, the sides taking turns.
fn interleave(runs: usize, sides: &mut [(&str, &mut dyn FnMut() -> u64)]) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; sides.len()];
    for _ in 0..runs {
        for ((_, side), least) in sides.iter_mut().zip(&mut least) {
            let begin = Instant::now();
            std::hint::black_box(side());
            *least = least.min(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    least
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("decode") => decode::run(arguments.get(1).map_or(4_000_000, |rows| rows.parse().unwrap())),
        Some("overhead") => overhead::run(),
        Some("codecs") => codecs::run(&arguments[1..]),
        Some("pack") => codecs::pack(&arguments[1], &arguments[2], &arguments[3]),
        Some("time") => decode::time(&arguments[1]),
        Some("updates") => updates::run(),
        _ => println!("usage: wire decode|overhead|codecs FILE...|pack FILE CODEC OUT|time FILE|updates"),
    }
}
