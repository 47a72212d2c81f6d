//! Bytes that lie: about lengths, counts, places, dictionaries and what is packed. Each is an error that says where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use common::{batch, every_type};
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Codec, Error, Limits, Options};

fn stream(batches: &[RecordBatch], options: Options) -> Vec<u8> {
    let mut encoder = StreamEncoder::try_with_options(&batches[0].schema(), options).unwrap();
    let mut parts = Vec::new();
    batches.iter().for_each(|batch| parts.extend(encoder.encode(batch).unwrap()));
    parts.extend(encoder.finish().unwrap());
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

fn decode(bytes: Vec<u8>) -> wire::Result<Vec<RecordBatch>> {
    wire::stream::read(bytes.into(), &Limits::default()).map(|(_, batches)| batches)
}

/// Looks at everything that a batch holds.
fn look(batches: &[RecordBatch]) {
    for column in batches.iter().flat_map(RecordBatch::columns) {
        column.to_data().validate_full().unwrap();
    }
}

fn numbers(count: i64) -> RecordBatch {
    batch(vec![("n".into(), Arc::new(Int64Array::from_iter_values(0..count)))])
}

/// Every place where eight aligned bytes stand as a number.
fn places_of(bytes: &[u8], number: i64) -> Vec<usize> {
    (0..bytes.len() - 7).step_by(8).filter(|&at| bytes[at..at + 8] == number.to_le_bytes()).collect()
}

#[test]
fn lengths_of_any_size_are_errors() {
    // 1,237 rows of 8 bytes: both numbers stand where lengths do, and nowhere else in the metadata.
    let bytes = stream(&[numbers(1_237)], Options::default());
    let metadata_end = bytes.len() - 1_237 * 8 - 64;
    for lie in [i64::MAX, i64::MIN, -1, i64::from(i32::MAX), 1 << 40] {
        for number in [1_237, 1_237 * 8] {
            for at in places_of(&bytes[..metadata_end], number) {
                let mut damaged = bytes.clone();
                damaged[at..at + 8].copy_from_slice(&lie.to_le_bytes());
                let error = decode(damaged).unwrap_err();
                assert!(error.to_string().contains(" at byte "), "{error}");
            }
        }
    }
}

#[test]
fn no_flipped_byte_of_any_type_does_harm() {
    for options in
        [Options::default(), Options::default().with_codec(Codec::Lz4), Options::default().with_codec(Codec::Zstd)]
    {
        let bytes = stream(&[every_type(3, 3)], options);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            if let Ok(batches) = decode(damaged) {
                look(&batches);
            }
        }
    }
}

#[test]
fn every_early_end_is_an_error_or_between_messages() {
    let batches = [every_type(4, 2)];
    let bytes = stream(&batches, Options::default().with_codec(Codec::Lz4));
    for end in 0..bytes.len() {
        match decode(bytes[..end].to_vec()).map_err(|error| *error) {
            Ok(found) => assert!(found.is_empty() || found == batches),
            Err(Error::Truncated { .. }) => {}
            Err(other) => panic!("ended at {end}: {other}"),
        }
    }
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; (300 << 20) / 8]));
    let bytes = stream(&[batch(vec![("n".into(), zeros)])], Options::default().with_codec(Codec::Zstd));
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    let error = decode(bytes).unwrap_err();
    let expected = 300 << 20;
    assert!(matches!(*error, Error::Limit { what: "size of the unpacked buffers", found, .. } if found == expected));
}

#[test]
fn packed_buffers_that_lie_about_their_size_are_errors() {
    for codec in [Codec::Lz4, Codec::Zstd] {
        let words: ArrayRef = Arc::new(StringArray::from(vec!["the same again and again"; 3_000]));
        let bytes = stream(&[batch(vec![("t".into(), words)])], Options::default().with_codec(codec));
        let size = 3_000 * 24;
        let places = places_of(&bytes, size);
        // The text is the last buffer.
        let place = *places.last().unwrap();
        for lie in [size - 1, size + 1, size * 2, 0, -2, i64::MAX] {
            let mut damaged = bytes.clone();
            damaged[place..place + 8].copy_from_slice(&lie.to_le_bytes());
            let error = decode(damaged).unwrap_err();
            assert!(error.to_string().contains("at byte "), "{codec:?}, {lie}: {error}");
        }
    }
}

#[test]
fn many_fields_and_deep_ones_are_limited() {
    let many: Vec<Field> = (0..20_000).map(|number| Field::new(number.to_string(), DataType::Null, true)).collect();
    let encoder = StreamEncoder::try_new(&Schema::new(many)).unwrap();
    let bytes: Vec<u8> = encoder.finish().unwrap().iter().flat_map(|part| part.iter().copied()).collect();
    let error = decode(bytes).unwrap_err();
    assert!(matches!(*error, Error::Limit { what: "number of fields", .. }), "{error}");
    // A million are more metadata than a message may have, which is seen before any of it is read.
    let million: Vec<Field> = (0..1_000_000).map(|_| Field::new("", DataType::Null, true)).collect();
    let encoder = StreamEncoder::try_new(&Schema::new(million)).unwrap();
    let bytes: Vec<u8> = encoder.finish().unwrap().iter().flat_map(|part| part.iter().copied()).collect();
    let error = decode(bytes).unwrap_err();
    assert!(matches!(*error, Error::Limit { what: "metadata length", offset: 0, .. }), "{error}");
    let mut deep = DataType::Int8;
    for _ in 0..100 {
        deep = DataType::List(Arc::new(Field::new_list_field(deep, true)));
    }
    let encoder = StreamEncoder::try_new(&Schema::new(vec![Field::new("deep", deep, true)])).unwrap();
    let bytes: Vec<u8> = encoder.finish().unwrap().iter().flat_map(|part| part.iter().copied()).collect();
    let error = decode(bytes).unwrap_err();
    assert!(matches!(*error, Error::Limit { what: "depth of fields", .. }), "{error}");
}

#[test]
fn dictionaries_that_do_not_exist_are_errors() {
    let coded = batch(vec![("c".into(), common::coded(&["a", "b"], &[Some(0), Some(1)]))]);
    let mut encoder = StreamEncoder::try_new(&coded.schema()).unwrap();
    let schema = encoder.schema().unwrap();
    let parts = encoder.encode(&coded).unwrap();
    // Every frame begins with a marker; the first one of the parts is the dictionary's, the last the batch's.
    let heads: Vec<usize> = (0..parts.len()).filter(|&at| parts[at].starts_with(&[0xff; 4])).collect();
    let batch_only = schema.iter().chain(&parts[heads[1]..]).flat_map(|part| part.iter().copied()).collect();
    let error = decode(batch_only).unwrap_err();
    assert!(matches!(*error, Error::MissingDictionary { id: 0, .. }), "{error}");
}

/// Found by fuzzing: Arrow's own check refuses maps whose entries or keys are said to be nullable.
#[test]
fn entries_and_keys_of_maps_are_not_nullable_whatever_a_writer_says() {
    let (_, map) = common::nested_columns(3, 5).into_iter().find(|(name, _)| name == "Map").unwrap();
    let DataType::Map(entries, ordered) = map.data_type() else { unreachable!("a map is a map") };
    let DataType::Struct(fields) = entries.data_type() else { unreachable!("entries are a struct") };
    let fields = fields.iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
    let loose = entries.as_ref().clone().with_data_type(DataType::Struct(fields.collect())).with_nullable(true);
    let claimed = DataType::Map(Arc::new(loose), *ordered);
    let mut encoder = StreamEncoder::try_new(&Schema::new(vec![Field::new("m", claimed, true)])).unwrap();
    let mut decoder = StreamDecoder::default();
    encoder.schema().unwrap().into_iter().for_each(|part| decoder.push(part));
    decoder.next_event().unwrap().unwrap();
    assert_eq!(decoder.schema().unwrap().field(0).data_type(), map.data_type());
}

#[test]
fn trust_reads_the_same() {
    // SAFETY: the bytes below come from our own writer.
    #[allow(unsafe_code, reason = "a promise about bytes that were just written")]
    let trust = unsafe { wire::Trust::promise() };
    let batches = [every_type(9, 500), every_type(10, 3)];
    let mut decoder = StreamDecoder::new(Limits::default()).with_trust(trust);
    decoder.push(stream(&batches, Options::default()));
    let mut found = Vec::new();
    while let Some(event) = decoder.next_event() {
        if let Event::Batch(batch) = event.unwrap() {
            found.push(batch);
        }
    }
    assert_eq!(found, batches);
    look(&found);
}
