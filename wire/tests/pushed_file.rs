//! Arrow files through the stream decoder: in every cut, cut short, and as arrow-rs writes them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, types::Int32Type};
use wire::file::FileWriter;
use wire::stream::{Event, StreamDecoder};
use wire::{Error, Limits};

fn batch(from: i64) -> RecordBatch {
    let words: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    let numbers = Int64Array::from_iter_values(from..from + 3);
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef), ("w", Arc::new(words) as ArrayRef)]).unwrap()
}

fn ours() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &batch(0).schema()).unwrap();
    (0..3).for_each(|number| writer.write(&batch(number)).unwrap());
    writer.finish().unwrap();
    bytes
}

fn theirs() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch(0).schema()).unwrap();
    (0..3).for_each(|number| writer.write(&batch(number)).unwrap());
    writer.finish().unwrap();
    drop(writer);
    bytes
}

/// The bytes without the end marker, as some writers leave it out.
fn unmarked(bytes: &[u8]) -> Vec<u8> {
    let marker = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    let at = bytes.windows(8).rposition(|window| window == marker).unwrap();
    [&bytes[..at], &bytes[at + 8..]].concat()
}

fn pushed(bytes: &[u8], piece: usize) -> wire::Result<Vec<RecordBatch>> {
    let mut decoder = StreamDecoder::new(Limits::default());
    let mut batches = Vec::new();
    for piece in bytes.chunks(piece) {
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
fn a_file_is_read_while_it_comes() {
    let expected: Vec<RecordBatch> = (0..3).map(batch).collect();
    for bytes in [ours(), theirs(), unmarked(&ours()), unmarked(&theirs())] {
        for piece in [1, 3, 7, 64, 1000, bytes.len()] {
            assert_eq!(pushed(&bytes, piece).unwrap(), expected, "{piece}");
        }
    }
}

#[test]
fn a_file_that_is_cut_short_is_told() {
    let bytes = unmarked(&ours());
    let footer = i32::from_le_bytes(bytes[bytes.len() - 10..bytes.len() - 6].try_into().unwrap());
    let messages = bytes.len() - 10 - usize::try_from(footer).unwrap();
    for length in 0..messages {
        assert!(pushed(&bytes[..length], 64).is_err(), "{length}");
    }
    let what = "the footer; the file may be cut short";
    assert_eq!(pushed(&bytes[..messages], 64), Err(Box::new(Error::NotAFile { what })));
    assert!(matches!(pushed(b"ARROW2\0\0", 3).map_err(|error| *error), Err(Error::NotAFile { .. })));
    assert!(pushed(b"PAR1....", 8).is_err());
}

#[test]
fn a_footer_that_comes_ahead_gives_the_schema() {
    let expected: Vec<RecordBatch> = (0..3).map(batch).collect();
    for bytes in [ours(), theirs(), unmarked(&theirs())] {
        let tail = bytes.len() - 10;
        let footer = usize::try_from(i32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap())).unwrap();
        // Without the schema's message, as some writers leave it out: it ends where the first dictionary begins.
        let first = bytes.windows(4).position(|window| window == [0xff; 4]).unwrap();
        let length = usize::try_from(u32::from_le_bytes(bytes[first + 4..first + 8].try_into().unwrap())).unwrap();
        let bare = [&bytes[..8], &bytes[first + 8 + length..]].concat();
        assert!(pushed(&bare, 64).is_err());
        for file in [&bytes, &bare] {
            let mut decoder = StreamDecoder::new(Limits::default());
            decoder.push_footer(&bytes[tail - footer..tail]).unwrap();
            let (mut schemas, mut batches) = (0, Vec::new());
            for piece in file.chunks(13) {
                decoder.push(piece.to_vec());
                while let Some(event) = decoder.next_event() {
                    match event.unwrap() {
                        Event::Schema(_) => schemas += 1,
                        Event::Batch(batch) => batches.push(batch),
                        Event::End => {}
                    }
                }
            }
            decoder.finish().unwrap();
            assert_eq!((schemas, &batches), (1, &expected));
        }
    }
    assert!(StreamDecoder::new(Limits::default()).push_footer(b"no footer at all").is_err());
}
