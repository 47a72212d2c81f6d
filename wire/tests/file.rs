//! The file reader and writer against arrow-rs, and against damage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../../kernels/tests/common/mod.rs"]
mod common;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use common::Random;
use wire::file::{Fetch, FileIndex, FileReader, FileWriter, is_file};
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

fn read(bytes: &[u8]) -> wire::Result<Vec<RecordBatch>> {
    let bytes = Buffer::from(bytes);
    let index = FileIndex::try_new(&bytes, bytes.len() as u64, Limits::default(), None)?;
    // Column by column too: that is another way through the same bytes.
    for (batch, column) in
        (0..index.batches()).flat_map(|batch| (0..index.schema().fields().len()).map(move |c| (batch, c)))
    {
        let _wrong = index.batch(&bytes, batch, Some(&[column]));
    }
    (0..index.batches()).map(|number| index.batch(&bytes, number, None)).collect()
}

#[test]
fn batches_are_read_in_any_order() {
    let bytes = written();
    assert!(is_file(&bytes));
    let mut reader = FileReader::try_new(Buffer::from(bytes.as_slice()), Limits::default()).unwrap();
    for index in [2, 0, 1, 2] {
        assert_eq!(reader.batch(index).unwrap(), batches()[index]);
    }
    assert_eq!(*reader.batch(3).unwrap_err(), Error::NoSuchBatch { index: 3, batches: 3 });
    let by_arrow = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
    assert_eq!(by_arrow.map(Result::unwrap).collect::<Vec<_>>(), batches());
}

/// Counts the bytes that are fetched.
struct Counted(Buffer, std::cell::Cell<u64>);

impl Fetch for Counted {
    fn fetch(&self, range: std::ops::Range<u64>) -> std::io::Result<Buffer> {
        self.1.set(self.1.get() + range.end - range.start);
        self.0.fetch(range)
    }
}

#[test]
fn columns_are_read_without_the_others() {
    let bytes = Counted(Buffer::from(written().as_slice()), 0.into());
    let total = bytes.0.len() as u64;
    let index = FileIndex::try_new(&bytes, total, Limits::default(), None).unwrap();
    assert_eq!(index.rows().collect::<Vec<_>>(), [10, 0, 30]);
    let count = index.schema().fields().len();
    let all: Vec<usize> = (0..count).collect();
    let mut sets: Vec<Vec<usize>> = all.iter().map(|&column| vec![column]).collect();
    sets.extend([all.clone(), Vec::new(), all.iter().copied().filter(|column| column % 3 == 1).collect()]);
    for columns in sets {
        for (number, batch) in batches().iter().enumerate() {
            bytes.1.set(0);
            let read = index.batch(&bytes, number, Some(&columns)).unwrap();
            assert_eq!(read, batch.project(&columns).unwrap(), "{columns:?}");
            assert!(columns.len() == count || bytes.1.get() < total / 4);
        }
    }
    let missing = index.batch(&bytes, 0, Some(&[count])).unwrap_err();
    assert_eq!(*missing, Error::NoSuchColumn { index: count, columns: count });
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
