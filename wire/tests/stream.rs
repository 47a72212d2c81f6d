//! The stream decoder against arrow-rs's reader and writer: every type, every cut, every kind of damage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../../kernels/tests/common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, Int32Array, ListArray, MapArray, RecordBatch, StringArray, StructArray};
use arrow_ipc::MetadataVersion;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use common::Random;
use proptest::prelude::*;
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Error, Limits};

/// A batch with a column of every type.
fn batch(seed: u64, rows: usize) -> RecordBatch {
    let mut random = Random::new(seed);
    let columns = common::types().into_iter().enumerate().map(|(column, data_type)| {
        let nulls = if column % 3 == 0 { 0 } else { 30 };
        (format!("c{column}"), common::array(&mut random, &data_type, rows, nulls))
    });
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn nested() -> RecordBatch {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some(vec![Some(4)]),
    ]);
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let pair = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int32, true)), numbers)]);
    let map = MapArray::new_from_strings(
        ["a", "b", "c"].into_iter(),
        &StringArray::from(vec!["1", "2", "3"]),
        &[0, 1, 1, 3, 3],
    )
    .unwrap();
    RecordBatch::try_from_iter([
        ("lists", Arc::new(lists) as ArrayRef),
        ("pair", Arc::new(pair) as ArrayRef),
        ("map", Arc::new(map) as ArrayRef),
    ])
    .unwrap()
}

fn encode(batches: &[RecordBatch]) -> Vec<u8> {
    let mut encoder = StreamEncoder::try_new(&batches[0].schema()).unwrap();
    let mut parts = Vec::new();
    batches.iter().for_each(|batch| parts.extend(encoder.encode(batch).unwrap()));
    parts.extend(encoder.finish().unwrap());
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

fn encode_by_arrow(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

/// Decodes pieces as they come.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> wire::Result<Vec<RecordBatch>> {
    let mut decoder = StreamDecoder::new(Limits::default());
    let mut batches = Vec::new();
    for piece in pieces {
        decoder.push(piece.to_vec());
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event? {
                batches.push(batch);
            }
        }
    }
    decoder.finish()?;
    Ok(batches)
}

#[test]
fn every_type_survives_in_every_cut() {
    for rows in [0, 1, 7, 300] {
        let batches = [batch(1, rows), batch(2, rows), batch(3, rows + 1)];
        let bytes = encode(&batches);
        for cut in [1, 7, 64, 65_536, usize::MAX] {
            assert_eq!(decode(bytes.chunks(cut.min(bytes.len()))).unwrap(), batches, "{rows} rows, cut {cut}");
        }
    }
    let bytes = encode(&[nested()]);
    assert_eq!(decode(bytes.chunks(5)).unwrap(), [nested()]);
}

#[test]
fn what_arrow_writes_is_read_and_what_is_written_arrow_reads() {
    let batches = [batch(4, 100), batch(5, 33)];
    for (alignment, legacy, version) in
        [(8, false, MetadataVersion::V5), (64, false, MetadataVersion::V5), (8, true, MetadataVersion::V4)]
    {
        let options = IpcWriteOptions::try_new(alignment, legacy, version).unwrap();
        let bytes = encode_by_arrow(&batches, options);
        assert_eq!(decode([bytes.as_slice()]).unwrap(), batches, "alignment {alignment}, legacy {legacy}");
    }
    let bytes = encode(&batches);
    let read: Vec<RecordBatch> = StreamReader::try_new(bytes.as_slice(), None).unwrap().map(Result::unwrap).collect();
    assert_eq!(read, batches);
}

#[test]
fn schema_metadata_and_field_metadata_are_kept() {
    let field = Field::new("n", DataType::Int32, false)
        .with_metadata([("unit".to_owned(), "minutes".to_owned())].into_iter().collect::<HashMap<_, _>>());
    let schema = Schema::new(vec![field])
        .with_metadata([("source".to_owned(), "ünïcode".to_owned())].into_iter().collect::<HashMap<_, _>>());
    let bytes =
        encode(&[RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::new(Int32Array::from(vec![1]))]).unwrap()]);
    assert_eq!(decode([bytes.as_slice()]).unwrap()[0].schema().as_ref(), &schema);
}

#[test]
fn a_cut_at_every_byte_changes_nothing() {
    let batches = [batch(6, 3), batch(7, 2)];
    let bytes = encode(&batches);
    for at in 0..=bytes.len() {
        assert_eq!(decode([&bytes[..at], &bytes[at..]]).unwrap(), batches, "cut at {at}");
    }
}

#[test]
fn a_stream_that_ends_early_is_an_error_or_ends_between_messages() {
    let batches = [batch(8, 3), batch(9, 2)];
    let bytes = encode(&batches);
    let mut whole = 0;
    for end in 0..bytes.len() {
        match decode([&bytes[..end]]).map_err(|error| *error) {
            Ok(found) => {
                whole += 1;
                assert_eq!(found, batches[..found.len()], "ended at {end}");
            }
            Err(Error::Truncated { offset, missing }) => assert!(offset as usize <= end && missing > 0),
            Err(other) => panic!("ended at {end}: {other}"),
        }
    }
    // After the schema, after each dictionary and after each batch.
    assert!((3..=12).contains(&whole), "{whole} places");
}

/// Looks at everything that a batch holds.
fn look(batches: &[RecordBatch]) {
    for batch in batches {
        for column in batch.columns() {
            column.to_data().validate_full().unwrap();
            let _text = format!("{column:?}");
        }
    }
}

#[test]
fn no_flipped_byte_does_harm() {
    let bytes = [encode(&[batch(10, 4)]), encode(&[nested()])];
    for bytes in &bytes {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                if let Ok(batches) = decode([damaged.as_slice()]) {
                    look(&batches);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_does_no_harm(noise in proptest::collection::vec(any::<u8>(), 0..400), lead in 0usize..3) {
        let start: &[u8] = match lead {
            0 => &[],
            1 => &[0xff, 0xff, 0xff, 0xff],
            _ => &[0xff, 0xff, 0xff, 0xff, 0x40, 0, 0, 0],
        };
        if let Ok(batches) = decode([start, noise.as_slice()]) {
            look(&batches);
        }
    }

    #[test]
    fn damage_in_many_places_does_no_harm(
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        rows in 0usize..9,
    ) {
        let mut bytes = encode(&[batch(11, rows)]);
        for (place, value) in places {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(batches) = decode([bytes.as_slice()]) {
            look(&batches);
        }
    }
}

#[test]
fn limits_hold_before_anything_is_kept() {
    let huge = [[0xff; 4], i32::MAX.to_le_bytes()].concat();
    let error = decode([huge.as_slice()]).unwrap_err();
    assert!(matches!(*error, Error::Limit { offset: 0, found, .. } if found == i64::from(i32::MAX)), "{error}");
    let negative = [[0xff; 4], (-5i32).to_le_bytes()].concat();
    assert!(matches!(decode([negative.as_slice()]).map_err(|error| *error), Err(Error::Limit { found: -5, .. })));
    let mut small = Limits::default();
    small.body = 64;
    let mut decoder = StreamDecoder::new(small);
    decoder.push(encode(&[batch(13, 50)]));
    let found = std::iter::from_fn(|| decoder.next_event()).find_map(Result::err).unwrap();
    assert!(matches!(*found, Error::Limit { limit: 64, .. }), "{found}");
    // The error stays.
    decoder.push(vec![0; 8]);
    assert_eq!(decoder.next_event().unwrap().unwrap_err(), found);
    assert_eq!(decoder.finish().unwrap_err(), found);
}

#[test]
fn an_aligned_message_is_borrowed_not_copied() {
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10_000));
    let bytes = arrow_buffer::Buffer::from(encode(&[RecordBatch::try_from_iter([("n", numbers)]).unwrap()]).as_slice());
    let range = bytes.as_ptr() as usize..bytes.as_ptr() as usize + bytes.len();
    let mut decoder = StreamDecoder::new(Limits::default());
    decoder.push(bytes);
    let batch = std::iter::from_fn(|| decoder.next_event())
        .find_map(|event| match event.unwrap() {
            Event::Batch(batch) => Some(batch),
            _ => None,
        })
        .unwrap();
    let values = batch.column(0).to_data().buffers()[0].as_ptr() as usize;
    assert!(range.contains(&values));
}

/// Feeds a stream whose first `expected` bytes have a place of their own.
fn decode_into_room(bytes: &[u8], cut: usize, expected: usize) -> Vec<RecordBatch> {
    let mut decoder = StreamDecoder::new(Limits::default());
    decoder.expect(expected);
    let mut batches = Vec::new();
    for piece in bytes.chunks(cut) {
        match decoder.room(piece.len()) {
            Some(room) => {
                room.copy_from_slice(piece);
                decoder.filled();
            }
            None => decoder.push(piece.to_vec()),
        }
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.unwrap() {
                batches.push(batch);
            }
        }
    }
    decoder.finish().unwrap();
    batches
}

#[test]
fn expected_bytes_are_read_where_they_were_written() {
    let batches = [batch(21, 300), batch(22, 5), batch(23, 301)];
    let bytes = encode(&batches);
    for cut in [1, 3, 64, 1000, bytes.len()] {
        for expected in [0, 10, bytes.len() / 2, bytes.len() - 1, bytes.len(), 2 * bytes.len()] {
            assert_eq!(decode_into_room(&bytes, cut, expected), batches, "cut {cut}, {expected} expected");
        }
    }
    // All of fixed width lie in the one allocation that was made for them.
    let numbers: Vec<RecordBatch> = (0..9)
        .map(|n| RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![n; 1000])) as ArrayRef)]).unwrap())
        .collect();
    let bytes = encode(&numbers);
    let found = decode_into_room(&bytes, 777, bytes.len());
    assert_eq!(found, numbers);
    let places: Vec<usize> = found.iter().map(|b| b.column(0).to_data().buffers()[0].data_ptr().addr().get()).collect();
    assert!(places.iter().all(|&place| place == places[0]), "{places:?}");
}

#[test]
fn packed_batches_do_not_keep_the_memory_of_their_bytes() {
    let number: ArrayRef = Arc::new(Int32Array::from(vec![7; 5000]));
    let numbers = vec![RecordBatch::try_from_iter([("n", number)]).unwrap(); 3];
    let options = IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::LZ4_FRAME)).unwrap();
    let bytes = encode_by_arrow(&numbers, options);
    assert_eq!(decode_into_room(&bytes, 100, bytes.len()), numbers);
}

#[test]
fn columns_that_are_left_out_hide_no_others() {
    let (plain, deep) = (batch(6, 4), nested());
    let named = |batch: &RecordBatch| {
        let (schema, columns) = (batch.schema(), batch.columns().to_vec());
        columns.into_iter().enumerate().map(move |(place, array)| (schema.field(place).name().clone(), array, true))
    };
    let mixed = named(&deep).chain(named(&plain)).collect::<Vec<_>>();
    let whole = RecordBatch::try_from_iter_with_nullable(mixed).unwrap();
    let mut decoder = StreamDecoder::new(Limits::default()).leaving_out(DataType::is_nested);
    decoder.push(encode(std::slice::from_ref(&whole)));
    let Some(Ok(Event::Schema(schema))) = decoder.next_event() else { panic!("no schema") };
    let Some(Ok(Event::Batch(batch))) = decoder.next_event() else { panic!("no batch") };
    assert_eq!(batch.schema(), schema);
    assert_eq!(decoder.schema().unwrap().fields(), whole.schema().fields());
    assert_eq!(batch.num_rows(), whole.num_rows());
    for (column, field) in whole.schema().fields().iter().enumerate() {
        if field.data_type().is_nested() {
            assert_eq!(batch.column(column).data_type(), &DataType::Null, "{}", field.name());
        } else {
            assert_eq!(batch.column(column), whole.column(column), "{}", field.name());
        }
    }
}
