//! The Arrow project's golden streams and files, found by `ARROW_TEST_DATA` (the `data` folder of
//! apache/arrow-testing): read as arrow-rs reads them, or refused with a typed error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says why it is skipped"
)]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use wire::file::FileReader;
use wire::stream::{Event, StreamDecoder};
use wire::{Error, Limits};

fn golden(extension: &str) -> Vec<PathBuf> {
    let Some(data) = std::env::var_os("ARROW_TEST_DATA") else {
        println!("skipped: ARROW_TEST_DATA is not set");
        return Vec::new();
    };
    let root = Path::new(&data).join("arrow-ipc-stream/integration");
    let folders = std::fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut files: Vec<PathBuf> = folders
        .map(|folder| folder.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no .{extension}", root.display());
    files
}

fn read_stream(bytes: &[u8], cut: usize) -> wire::Result<Vec<RecordBatch>> {
    let mut decoder = StreamDecoder::new(Limits::default());
    let mut batches = Vec::new();
    for piece in bytes.chunks(cut) {
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

fn read_file(bytes: &[u8]) -> wire::Result<Vec<RecordBatch>> {
    let mut reader = FileReader::try_new(Buffer::from(bytes), Limits::default())?;
    (0..reader.batches()).map(|index| reader.batch(index)).collect()
}

/// What arrow-rs reads; `None` where it fails.
fn by_arrow(path: &Path) -> Option<Vec<RecordBatch>> {
    let path = path.to_owned();
    catch_unwind(move || {
        let file = std::io::BufReader::new(std::fs::File::open(&path).ok()?);
        if path.extension()? == "stream" {
            arrow_ipc::reader::StreamReader::try_new(file, None).ok()?.collect::<Result<_, _>>().ok()
        } else {
            arrow_ipc::reader::FileReader::try_new(file, None).ok()?.collect::<Result<_, _>>().ok()
        }
    })
    .ok()
    .flatten()
}

fn check(extension: &str, read: impl Fn(&[u8]) -> wire::Result<Vec<RecordBatch>>) {
    let (mut equal, mut refused, mut alone) = (0, 0, Vec::new());
    for path in golden(extension) {
        let name = format!(
            "{}/{}",
            path.parent().unwrap().file_name().unwrap().to_string_lossy(),
            path.file_name().unwrap().to_string_lossy()
        );
        match read(&std::fs::read(&path).unwrap()).map_err(|error| *error) {
            Ok(batches) => match by_arrow(&path) {
                Some(expected) if expected == batches => equal += 1,
                _ => alone.push(name),
            },
            Err(Error::BigEndian) => refused += 1,
            Err(error) => panic!("{name}: {error}"),
        }
    }
    println!(
        "{extension}: {equal} equal to arrow-rs, {refused} big-endian ones refused; arrow-rs differs on {alone:?}"
    );
    assert!(alone.is_empty(), "arrow-rs differs on {alone:?}");
}

#[test]
fn streams() {
    check("stream", |bytes| {
        let whole = read_stream(bytes, bytes.len());
        for cut in [1, 7, 64, 65_536] {
            assert_eq!(read_stream(bytes, cut), whole, "in cuts of {cut}");
        }
        whole
    });
}

#[test]
fn files() {
    check("arrow_file", read_file);
}

/// Damage to what other writers wrote: an end at every byte, and every byte flipped.
#[test]
fn small_streams_that_are_damaged_do_no_harm() {
    let (mut streams, mut cuts) = (0, 0);
    for path in golden("stream") {
        let bytes = std::fs::read(&path).unwrap();
        if bytes.len() > 6_000
            || matches!(read_stream(&bytes, bytes.len()).map_err(|error| *error), Err(Error::BigEndian))
        {
            continue;
        }
        streams += 1;
        for at in 0..bytes.len() {
            cuts += usize::from(read_stream(&bytes[..at], at.max(1)).is_err());
            let mut damaged = bytes.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            let Ok(batches) = read_stream(&damaged, damaged.len()) else { continue };
            for column in batches.iter().flat_map(RecordBatch::columns) {
                arrow_array::Array::to_data(column).validate_full().unwrap();
            }
        }
    }
    println!("{streams} streams, {cuts} ends refused");
    assert!(streams == 0 || streams > 10 && cuts > 1_000, "{streams} {cuts}");
}
