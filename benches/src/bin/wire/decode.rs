//! Decoding a continuous stream that lies in memory, aligned: what the checks cost, by kind of column.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use arrow_schema::DataType;
use benches::{floats, number, words};
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Limits, Trust};

use super::interleave;

fn ours(bytes: &Buffer, trust: Option<Trust>) -> u64 {
    let mut decoder = StreamDecoder::new(Limits::default());
    if let Some(trust) = trust {
        decoder = decoder.with_trust(trust);
    }
    decoder.push(bytes.clone());
    let mut rows = 0;
    while let Some(event) = decoder.next_event() {
        if let Event::Batch(batch) = event.unwrap() {
            rows += batch.num_rows() as u64;
        }
    }
    rows
}

fn by_arrow(bytes: &Buffer) -> u64 {
    // The decoder that borrows from its buffer, as ours does.
    let mut decoder = arrow_ipc::reader::StreamDecoder::new();
    let mut bytes = bytes.clone();
    let mut rows = 0;
    while !bytes.is_empty() {
        if let Some(batch) = decoder.decode(&mut bytes).unwrap() {
            rows += batch.num_rows() as u64;
        }
    }
    rows
}

pub(crate) fn run(rows: usize) {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter((0..rows).map(|row| (row % 10 > 0).then_some(row as i64))));
    let foreign = StringArray::from_iter_values((0..rows).map(|row| format!("Zürich {:03} …", number(row, 5, 1_000))));
    let codes =
        arrow_cast::cast(&words(rows, 100), &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)));
    let views = arrow_cast::cast(&words(rows, 100), &DataType::Utf8View);
    let columns = [
        ("f64", floats(rows)),
        ("i64 with nulls", numbers),
        ("ASCII text", words(rows, 100_000)),
        ("other text", Arc::new(foreign)),
        ("text views", views.unwrap()),
        ("codes", codes.unwrap()),
    ];
    for (name, column) in columns {
        for batch_rows in [rows, 8_192] {
            let whole = RecordBatch::try_from_iter([(name, column.clone())]).unwrap();
            let mut encoder = StreamEncoder::try_new(&whole.schema()).unwrap();
            let mut bytes = Vec::new();
            for start in (0..rows).step_by(batch_rows) {
                let slice = whole.slice(start, batch_rows.min(rows - start));
                encoder.encode(&slice).unwrap().iter().for_each(|part| bytes.extend_from_slice(part));
            }
            let bytes = Buffer::from(bytes.as_slice());
            // SAFETY: the bytes were written two lines before.
            #[allow(unsafe_code, reason = "what is measured is the promise")]
            let trust = unsafe { Trust::promise() };
            let (mut checked, mut trusted) = (|| ours(&bytes, None), || ours(&bytes, Some(trust)));
            let mut arrow = || by_arrow(&bytes);
            let least = interleave(
                9,
                &mut [("bodkin", &mut checked), ("bodkin on trust", &mut trusted), ("arrow-rs", &mut arrow)],
            );
            let text: usize = match column.data_type() {
                DataType::Utf8 => bytes.len() - 4 * rows,
                _ => 0,
            };
            println!(
                "{}",
                serde_json::json!({
                    "task": "decode", "column": name, "rows": rows, "batch": batch_rows, "bytes": bytes.len(), "text_bytes": text,
                    "bodkin_ms": least[0], "trust_ms": least[1], "arrow_ms": least[2],
                    "bodkin_gb_s": bytes.len() as f64 / least[0] / 1e6, "arrow_gb_s": bytes.len() as f64 / least[2] / 1e6,
                })
            );
        }
    }
    // What the validation of text costs at least.
    let text = foreign_bytes(rows);
    let mut simd = || u64::from(simdutf8::basic::from_utf8(&text).is_ok());
    let mut std = || u64::from(std::str::from_utf8(&text).is_ok());
    let mut ascii = || u64::from(text[..text.len() / 2].is_ascii());
    let least = interleave(9, &mut [("simdutf8", &mut simd), ("std", &mut std), ("is_ascii", &mut ascii)]);
    let speed = |ms: f64| text.len() as f64 / ms / 1e6;
    println!(
        "{}",
        serde_json::json!({"task": "validate other text", "bytes": text.len(), "simdutf8_gb_s": speed(least[0]), "std_gb_s": speed(least[1])})
    );
}

fn foreign_bytes(rows: usize) -> Vec<u8> {
    (0..rows).flat_map(|row| format!("Zürich {:03} …", number(row, 5, 1_000)).into_bytes()).collect()
}

/// One stream from a file, ours and arrow-rs's, as the comparison with pyarrow asks for it.
pub(crate) fn time(file: &str) {
    let bytes = Buffer::from(std::fs::read(file).unwrap().as_slice());
    let least = interleave(9, &mut [("bodkin", &mut || ours(&bytes, None)), ("arrow-rs", &mut || by_arrow(&bytes))]);
    println!("{}", serde_json::json!({"bytes": bytes.len(), "bodkin_ms": least[0], "arrow_ms": least[1]}));
}
