//! The writers against arrow-rs's readers, and against our own: every type, packed and not, with dictionaries that change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::Cursor;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use common::{batch, coded, every_type, run_widths};
use wire::file::{FileReader, FileWriter};
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Codec, Error, Limits, Options};

fn options() -> [Options; 4] {
    let plain = Options::default();
    [plain, plain.with_codec(Codec::Lz4), plain.with_codec(Codec::Zstd), plain.with_codec(Codec::Zstd).with_level(19)]
}

fn stream(batches: &[RecordBatch], options: Options) -> Vec<u8> {
    let mut encoder = StreamEncoder::try_with_options(&batches[0].schema(), options).unwrap();
    let mut parts = Vec::new();
    batches.iter().for_each(|batch| parts.extend(encoder.encode(batch).unwrap()));
    parts.extend(encoder.finish().unwrap());
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

fn file(batches: &[RecordBatch], options: Options) -> wire::Result<Vec<u8>> {
    let mut writer = FileWriter::try_with_options(Vec::new(), &batches[0].schema(), options)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

fn read(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let mut decoder = StreamDecoder::default();
    decoder.push(bytes);
    let mut batches = Vec::new();
    while let Some(event) = decoder.next_event() {
        if let Event::Batch(batch) = event.unwrap() {
            batches.push(batch);
        }
    }
    decoder.finish().unwrap();
    batches
}

fn read_file(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let mut reader = FileReader::try_new(Buffer::from(bytes), Limits::default()).unwrap();
    (0..reader.batches()).map(|index| reader.batch(index).unwrap()).collect()
}

fn by_arrow(bytes: &[u8]) -> Vec<RecordBatch> {
    arrow_ipc::reader::StreamReader::try_new(bytes, None).unwrap().map(Result::unwrap).collect()
}

fn file_by_arrow(bytes: Vec<u8>) -> Vec<RecordBatch> {
    arrow_ipc::reader::FileReader::try_new(Cursor::new(bytes), None).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_type_is_read_back_and_read_by_arrow() {
    for rows in [0, 1, 9, 700] {
        for options in options() {
            let batches = [every_type(1, rows), every_type(2, rows), every_type(3, rows + 1)];
            let bytes = stream(&batches, options);
            assert_eq!(by_arrow(&bytes), batches, "{rows} rows, {options:?}");
            assert_eq!(read(bytes), batches, "{rows} rows, {options:?}");
            // A file has one dictionary for a column, so its batches are slices of one.
            let whole = every_type(4, rows + 8);
            let batches = [whole.slice(0, 3), whole.slice(3, 0), whole.slice(3, rows + 5)];
            let bytes = file(&batches, options).unwrap();
            assert_eq!(file_by_arrow(bytes.clone()), batches, "{rows} rows, {options:?}");
            assert_eq!(read_file(bytes), batches, "{rows} rows, {options:?}");
        }
    }
}

#[test]
fn runs_of_all_widths_and_slices() {
    let batches = [run_widths(), run_widths().slice(0, 0), run_widths().slice(2, 2)];
    let bytes = stream(&batches, Options::default());
    assert_eq!(read(bytes.clone()), batches);
    let by_arrow = by_arrow(&bytes);
    assert_eq!(by_arrow, batches);
}

#[test]
fn what_arrow_packs_is_unpacked() {
    for codec in [arrow_ipc::CompressionType::LZ4_FRAME, arrow_ipc::CompressionType::ZSTD] {
        let batches = [every_type(5, 300)];
        let options = arrow_ipc::writer::IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        let mut writer =
            arrow_ipc::writer::StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
        writer.write(&batches[0]).unwrap();
        assert_eq!(read(writer.into_inner().unwrap()), batches);
    }
}

fn changing() -> [RecordBatch; 4] {
    [
        batch(vec![("c".into(), coded(&["a", "b"], &[Some(0), Some(1), None]))]),
        batch(vec![("c".into(), coded(&["a", "b"], &[Some(1)]))]),
        batch(vec![("c".into(), coded(&["a", "b", "c", "d"], &[Some(3), Some(0)]))]),
        batch(vec![("c".into(), coded(&["x"], &[Some(0)]))]),
    ]
}

#[test]
fn dictionaries_are_kept_grown_and_replaced() {
    let batches = changing();
    let plain = stream(&batches, Options::default());
    assert_eq!(read(plain.clone()), batches);
    assert_eq!(by_arrow(&plain), batches);
    let deltas = stream(&batches, Options::default().with_deltas());
    assert_eq!(read(deltas.clone()), batches);
    assert!(deltas.len() < plain.len(), "{} {}", deltas.len(), plain.len());
    assert_eq!(by_arrow(&deltas), batches);
    // The second batch brings no dictionary.
    let one = stream(&batches[..1], Options::default()).len();
    let two = stream(&batches[..2], Options::default()).len();
    assert!(two - one < 250, "{}", two - one);
    // A file can only grow.
    assert_eq!(read_file(file(&batches[..3], Options::default()).unwrap()), batches[..3]);
    let error = file(&batches, Options::default()).unwrap_err();
    assert!(matches!(&*error, Error::Encode(reason) if reason.contains("one dictionary")), "{error}");
}

#[test]
fn a_thousand_deltas_cost_what_they_bring() {
    // Every batch brings ten values more; were all copied with each, this would copy five million texts.
    let words: Vec<String> = (0..10_000).map(|number| format!("value number {number}")).collect();
    let mut encoder = None;
    let mut decoder = StreamDecoder::default();
    for known in (10..=words.len()).step_by(10) {
        let values = arrow_array::StringArray::from_iter_values(&words[..known]);
        let keys = arrow_array::Int32Array::from(vec![known as i32 - 1, 0]);
        let column = arrow_array::DictionaryArray::new(keys, std::sync::Arc::new(values));
        let batch = batch(vec![("c".into(), std::sync::Arc::new(column))]);
        let encoder = encoder.get_or_insert_with(|| {
            StreamEncoder::try_with_options(&batch.schema(), Options::default().with_deltas()).unwrap()
        });
        let parts = encoder.encode(&batch).unwrap();
        let bytes: usize = parts.iter().map(Buffer::len).sum();
        assert!(known == 10 || bytes < 1_500, "{bytes} bytes");
        parts.into_iter().for_each(|part| decoder.push(part));
        let mut found = None;
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.unwrap() {
                found = Some(batch);
            }
        }
        assert_eq!(found.unwrap(), batch);
    }
}

#[test]
fn metadata_of_a_batch_is_given_with_it() {
    let batches = changing();
    let mut encoder = StreamEncoder::try_new(&batches[0].schema()).unwrap();
    let mut decoder = StreamDecoder::default();
    for (number, batch) in batches.iter().enumerate() {
        let number = number.to_string();
        let parts = encoder.encode_with(batch, &[("sequence", &number), ("empty", "")]).unwrap();
        parts.into_iter().for_each(|part| decoder.push(part));
        let mut seen = false;
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(found) = event.unwrap() {
                assert_eq!(found, *batch);
                assert_eq!(decoder.metadata()["sequence"], number);
                assert_eq!(decoder.metadata()["empty"], "");
                seen = true;
            }
        }
        assert!(seen);
    }
}

#[test]
fn buffers_of_large_batches_begin_at_cache_lines() {
    let batches = [every_type(6, 3_000)];
    let mut encoder = StreamEncoder::try_new(&batches[0].schema()).unwrap();
    let mut position = encoder.schema().unwrap().iter().map(Buffer::len).sum::<usize>();
    for part in encoder.encode(&batches[0]).unwrap() {
        assert!(part.len() < 64 || position % 64 == 0 || part.starts_with(&[0xff; 4]), "{position}");
        position += part.len();
    }
}

#[test]
fn views_leave_behind_what_no_row_shows() {
    use arrow_array::StringViewArray;
    let text = "a text that is longer than twelve bytes";
    let views = StringViewArray::from_iter_values((0..10_000).map(|row| format!("{text} {row}")));
    let slice = batch(vec![("v".into(), std::sync::Arc::new(views.slice(9_990, 5)))]);
    let bytes = stream(std::slice::from_ref(&slice), Options::default());
    assert!(bytes.len() < 2_000, "{}", bytes.len());
    assert_eq!(read(bytes), [slice]);
}

#[test]
fn another_schema_is_an_error() {
    let batches = changing();
    let mut encoder = StreamEncoder::try_new(&every_type(1, 1).schema()).unwrap();
    assert!(matches!(encoder.encode(&batches[0]).map_err(|error| *error), Err(Error::Encode(_))));
}
