//! What the machine's memory gives to one thread: the limit that `docs/performance.md` holds the kernels to.
#![allow(missing_docs, clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::Instant;

const BYTES: usize = 640_000_000;

fn least(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let begin = Instant::now();
        run();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let from: Vec<u64> = (0..BYTES as u64 / 8).collect();
    let mut to = vec![1u64; from.len()];
    let read = least(|| {
        let sums = from.chunks(32).fold([0u64; 32], |mut sums, chunk| {
            sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            sums
        });
        black_box(sums);
    });
    let copy = least(|| {
        to.copy_from_slice(black_box(&from));
        black_box(&to);
    });
    let gigabytes = |seconds: f64| BYTES as f64 / seconds / 1e9;
    println!("{{\"read_gb_s\": {:.1}, \"copy_gb_s\": {:.1}}}", gigabytes(read), gigabytes(copy));
}
