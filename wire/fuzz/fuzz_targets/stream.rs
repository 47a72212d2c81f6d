//! Any bytes, in two cuts, to batches; what was read must hold what Arrow asks of it, and be written and read again.
#![no_main]

use arrow_array::{Array, RecordBatch};
use libfuzzer_sys::fuzz_target;
use wire::stream::{Event, StreamDecoder, StreamEncoder};

fn limits() -> wire::Limits {
    let mut limits = wire::Limits::default();
    limits.body = 16 << 20;
    limits.unpacked = 16 << 20;
    limits.fields = 500;
    limits
}

fn read(pieces: &[&[u8]]) -> Option<Vec<RecordBatch>> {
    let mut decoder = StreamDecoder::new(limits());
    let mut batches = Vec::new();
    for piece in pieces {
        decoder.push(piece.to_vec());
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.ok()? {
                batches.push(batch);
            }
        }
    }
    decoder.finish().ok()?;
    Some(batches)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(&[bytes]);
    let half = bytes.len() / 2;
    let cut = read(&[&bytes[..half], &bytes[half..]]);
    assert_eq!(whole.is_some(), cut.is_some());
    let Some(batches) = whole else { return };
    for column in batches.iter().flat_map(RecordBatch::columns) {
        column.to_data().validate_full().unwrap();
    }
    let Some(first) = batches.first() else { return };
    let Ok(mut encoder) = StreamEncoder::try_new(&first.schema()) else { return };
    let mut again = Vec::new();
    for batch in &batches {
        encoder.encode(batch).unwrap().iter().for_each(|part| again.extend_from_slice(part));
    }
    let back = read(&[&again]).unwrap();
    assert_eq!(back.len(), batches.len());
});
