//! The file reader and writer against arrow-rs, and against damage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../../kernels/tests/common/mod.rs"]
mod common;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use common::Random;
use wire::file::{FileReader, FileWriter, is_file};
use wire::{Error, Limits};

fn batches() -> Vec<RecordBatch> {
    let mut random = Random::new(21);
    let columns = common::types()
        .into_iter()
        .enumerate()
        .map(|(column, data_type)| (format!("c{column}"), common::array(&mut random, &data_type, 40, 20), true));
    let whole = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    // Slices share their dictionaries, of which a file holds one per column.
    vec![whole.slice(0, 10), whole.slice(10, 0), whole.slice(10, 30)]
}

fn written() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &batches()[0].schema()).unwrap();
    batches().iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, Error> {
    let mut reader = FileReader::try_new(Buffer::from(bytes), Limits::default())?;
    (0..reader.batches()).map(|index| reader.batch(index)).collect()
}

#[test]
fn batches_are_read_in_any_order() {
    let bytes = written();
    assert!(is_file(&bytes));
    let mut reader = FileReader::try_new(Buffer::from(bytes.as_slice()), Limits::default()).unwrap();
    for index in [2, 0, 1, 2] {
        assert_eq!(reader.batch(index).unwrap(), batches()[index]);
    }
    assert_eq!(reader.batch(3).unwrap_err(), Error::NoSuchBatch { index: 3, batches: 3 });
    let by_arrow = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
    assert_eq!(by_arrow.map(Result::unwrap).collect::<Vec<_>>(), batches());
}

#[test]
fn a_file_that_is_cut_is_an_error() {
    let bytes = written();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn no_flipped_byte_does_harm() {
    let bytes = written();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x81;
        if let Ok(batches) = read(&damaged) {
            for column in batches.iter().flat_map(RecordBatch::columns) {
                column.to_data().validate_full().unwrap();
            }
        }
    }
}
