//! What a message costs beside its rows: discrete and continuous, ours and arrow-rs's.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Limits, Options, discrete};

use super::interleave;

fn batch(rows: usize) -> RecordBatch {
    let times: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| 1_700_000_000_000 + row)));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("sensor-{}", row % 50))));
    let values =
        |salt: f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64 * salt))) };
    RecordBatch::try_from_iter([
        ("time", times),
        ("sensor", names),
        ("temperature", values(0.1)),
        ("pressure", values(0.2)),
        ("humidity", values(0.3)),
    ])
    .unwrap()
}

const TIMES: usize = 200;

pub(crate) fn run() {
    for rows in [1, 10, 100, 1_000] {
        let batch = batch(rows);
        let raw: usize = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap()).sum();
        let message = discrete::write(&batch.schema(), [&batch], Options::default()).unwrap();
        let mut encoder = StreamEncoder::try_new(&batch.schema()).unwrap();
        let schema: usize = encoder.schema().unwrap().iter().map(Buffer::len).sum();
        let frame: Vec<u8> = encoder.encode(&batch).unwrap().iter().flat_map(|part| part.iter().copied()).collect();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        let arrow_message = writer.into_inner().unwrap();

        let mut write_discrete = || {
            (0..TIMES)
                .map(|_| discrete::write(&batch.schema(), [&batch], Options::default()).unwrap().len() as u64)
                .sum()
        };
        let mut write_continuous = || {
            (0..TIMES)
                .map(|_| {
                    let parts = encoder.encode(&batch).unwrap();
                    let mut out = Vec::with_capacity(parts.iter().map(Buffer::len).sum());
                    parts.iter().for_each(|part| out.extend_from_slice(part));
                    out.len() as u64
                })
                .sum()
        };
        let mut write_arrow = || {
            (0..TIMES)
                .map(|_| {
                    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
                    writer.write(&batch).unwrap();
                    writer.into_inner().unwrap().len() as u64
                })
                .sum()
        };
        let mut read_discrete = || {
            (0..TIMES)
                .map(|_| discrete::read(Buffer::from(message.as_slice()), &Limits::default()).unwrap().1.len() as u64)
                .sum()
        };
        let mut decoder = StreamDecoder::default();
        let mut first = StreamEncoder::try_new(&batch.schema()).unwrap();
        first.schema().unwrap().into_iter().for_each(|part| decoder.push(part));
        assert!(matches!(decoder.next_event(), Some(Ok(Event::Schema(_)))));
        let mut read_continuous = || {
            (0..TIMES)
                .map(|_| {
                    decoder.push(Buffer::from(frame.as_slice()));
                    let Some(Ok(Event::Batch(batch))) = decoder.next_event() else { return 0 };
                    batch.num_rows() as u64
                })
                .sum()
        };
        let mut read_arrow = || {
            (0..TIMES)
                .map(|_| {
                    let reader = arrow_ipc::reader::StreamReader::try_new(arrow_message.as_slice(), None).unwrap();
                    reader.map(|batch| batch.unwrap().num_rows() as u64).sum::<u64>()
                })
                .sum()
        };
        let least = interleave(
            15,
            &mut [
                ("write discrete", &mut write_discrete),
                ("write continuous", &mut write_continuous),
                ("arrow-rs writes", &mut write_arrow),
                ("read discrete", &mut read_discrete),
                ("read continuous", &mut read_continuous),
                ("arrow-rs reads", &mut read_arrow),
            ],
        );
        let each: Vec<f64> = least.iter().map(|ms| ms * 1e3 / TIMES as f64).collect();
        println!(
            "{}",
            serde_json::json!({
                "task": "overhead", "rows": rows, "values_bytes": raw, "schema_bytes": schema, "continuous_bytes": frame.len(),
                "discrete_bytes": message.len(), "arrow_discrete_bytes": arrow_message.len(),
                "write_discrete_us": each[0], "write_continuous_us": each[1], "arrow_write_discrete_us": each[2],
                "read_discrete_us": each[3], "read_continuous_us": each[4], "arrow_read_discrete_us": each[5],
            })
        );
    }
}
