//! What we write is read by pyarrow, Polars, DuckDB and arrow-js, and what they write of it is read by us: equal values
//! for every type that both know.
//!
//! The peers are found under the target folder (`interop/venv`, `interop/node_modules`), where `.ci/test` puts them.
//! Without them the test says so and passes, unless `INTEROP` is `required`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and shows its table"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, IntervalDayTimeArray, IntervalMonthDayNanoArray, RecordBatch};
use arrow_buffer::{Buffer, IntervalDayTime, IntervalMonthDayNano};
use wire::file::{FileReader, FileWriter, is_file};
use wire::stream::StreamEncoder;
use wire::{Codec, Limits, Options};

fn workshop() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let folder = target.join("interop");
    if folder.join("venv/bin/python").exists() && folder.join("node_modules/apache-arrow").exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("INTEROP").is_none_or(|value| value != "required"), "no peers in {}", folder.display());
    println!("skipped: no peers in {}; `.ci/test` installs them", folder.display());
    None
}

fn run(program: &Path, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

fn stream(batches: &[RecordBatch], options: Options) -> Vec<u8> {
    let mut encoder = StreamEncoder::try_with_options(&batches[0].schema(), options).unwrap();
    let mut parts: Vec<Buffer> = batches.iter().flat_map(|batch| encoder.encode(batch).unwrap()).collect();
    parts.extend(encoder.finish().unwrap());
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

fn file(batches: &[RecordBatch], options: Options) -> Vec<u8> {
    let mut writer = FileWriter::try_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap()
}

fn read(bytes: Vec<u8>) -> wire::Result<Vec<RecordBatch>> {
    if is_file(&bytes) {
        let mut reader = FileReader::try_new(Buffer::from(bytes), Limits::default())?;
        return (0..reader.batches()).map(|index| reader.batch(index)).collect();
    }
    wire::stream::read(bytes.into(), &Limits::default()).map(|(_, batches)| batches)
}

/// The column of all batches as one array of a type; a peer may have widened it.
fn column(batches: &[RecordBatch], as_in: &RecordBatch) -> Option<ArrayRef> {
    let columns: Vec<ArrayRef> = batches.iter().map(|batch| batch.column(0).clone()).collect();
    let parts: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    let whole = arrow_select::concat::concat(&parts).ok()?;
    let wanted = as_in.column(0).data_type();
    if whole.data_type() == wanted { Some(whole) } else { Some(arrow_cast::cast(&whole, wanted).unwrap_or(whole)) }
}

/// How each row shows: the same for all types that mean the same.
fn shown(array: &dyn Array) -> Vec<String> {
    let options = arrow_cast::display::FormatOptions::default().with_null("null");
    let formatter = arrow_cast::display::ArrayFormatter::try_new(array, &options);
    match formatter {
        Ok(formatter) => (0..array.len()).map(|row| formatter.value(row).try_to_string().unwrap_or_default()).collect(),
        Err(_) => (0..array.len()).map(|row| format!("{:?}", array.slice(row, 1))).collect(),
    }
}

/// Values that every peer's types can hold: days in this age, lists of different keys, a union's parts from zero on.
fn tame(name: &str, array: ArrayRef) -> ArrayRef {
    use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
    let rows = array.len() as i64;
    let small = |unit: i64| {
        let values = (0..rows).map(|row| (row % 7 != 3).then_some(row * unit));
        Int64Array::from_iter(values)
    };
    let of = |unit: i64| arrow_cast::cast(&small(unit), array.data_type()).unwrap();
    match name {
        "Date64" => of(86_400_000),
        "Timestamp(s)" | "Duration(ms)" => of(1_000),
        "IntervalMonthDayNano" => {
            let value = |row: i64| IntervalMonthDayNano::new(row as i32, row as i32, row * 1_000_000);
            Arc::new(IntervalMonthDayNanoArray::from_iter_values((0..rows).map(value)))
        }
        "IntervalDayTime" => {
            let value = |row: i64| IntervalDayTime::new(row as i32, row as i32 * 1_000);
            Arc::new(IntervalDayTimeArray::from_iter_values((0..rows).map(value)))
        }
        "Map" => {
            let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
            for row in 0..rows {
                for key in 0..row % 4 {
                    map.keys().append_value(format!("k{key}"));
                    map.values().append_option((row % 5 > 0).then_some(row as i32));
                }
                map.append(true).unwrap();
            }
            Arc::new(map.finish())
        }
        _ => array,
    }
}

/// What a peer does not know, by the type's name or a part of the file's. Everything else must be equal.
fn unknown(peer: &str) -> &'static [&'static str] {
    match peer {
        "polars" => &["Decimal256", "Delta", "Union", "Interval", "ListView", "RunEndEncoded"],
        // Its unions count their parts from zero; months and days come back as one kind of interval.
        "duckdb" => &["Decimal256", "Union", "Float16", "IntervalYearMonth", "IntervalDayTime"],
        // Packed buffers need a codec that the page brings.
        "arrow-js" => &["lz4", "zstd", "ListView", "RunEndEncoded"],
        _ => &[],
    }
}

#[test]
fn peers_read_what_we_write_and_we_read_what_they_write() {
    let Some(workshop) = workshop() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("ours");
    std::fs::create_dir_all(&source).unwrap();
    let plain = Options::default();
    let mut expected = BTreeMap::new();
    let columns = common::flat_columns(7, 40).into_iter().chain(common::nested_columns(8, 40));
    for (name, array) in columns {
        let whole = common::batch(vec![(name.clone(), tame(&name, array))]);
        let batches = [whole.slice(0, 25), whole.slice(25, 15)];
        for (form, bytes) in [
            ("stream.none", stream(&batches, plain)),
            ("stream.lz4", stream(&batches, plain.with_codec(Codec::Lz4))),
            ("file.none", file(&batches, plain)),
            ("file.zstd", file(&batches, plain.with_codec(Codec::Zstd))),
        ] {
            let name = format!("{name}.{form}");
            std::fs::write(source.join(&name), bytes).unwrap();
            expected.insert(name, whole.clone());
        }
    }
    // A dictionary that grows by a delta and one that is replaced.
    let growing = [
        common::batch(vec![("c".into(), common::coded(&["a", "b"], &[Some(0), Some(1), None]))]),
        common::batch(vec![("c".into(), common::coded(&["a", "b", "c"], &[Some(2), Some(0)]))]),
    ];
    let whole =
        common::batch(vec![("c".into(), common::coded(&["a", "b", "c"], &[Some(0), Some(1), None, Some(2), Some(0)]))]);
    for (name, bytes) in [
        ("Delta.stream.none", stream(&growing, plain.with_deltas())),
        ("Delta.file.none", file(&growing, plain)),
        ("Replacement.stream.none", stream(&growing, plain)),
    ] {
        std::fs::write(source.join(name), bytes).unwrap();
        expected.insert(name.to_owned(), whole.clone());
    }
    let python = workshop.join("venv/bin/python");
    for peer in ["pyarrow", "polars", "duckdb", "arrow-js"] {
        let out = folder.path().join(peer);
        if peer == "arrow-js" {
            run(Path::new("node"), &[&script("peer.mjs"), &workshop.join("node_modules"), &source, &out]);
        } else {
            run(&python, &[&script("peers.py"), Path::new(peer), &source, &out]);
        }
        let (mut equal, mut refused) = (0, Vec::new());
        for (name, whole) in &expected {
            if unknown(peer).iter().any(|part| name.contains(part)) {
                refused.push(name.as_str());
                continue;
            }
            let said = std::fs::read_to_string(out.join(format!("{name}.error")));
            assert!(said.is_err(), "{peer} does not read {name}: {}", said.unwrap_or_default());
            let back = read(std::fs::read(out.join(name)).unwrap());
            let back = back.unwrap_or_else(|error| panic!("{peer} wrote {name}: {error}"));
            let found = column(&back, whole).unwrap();
            assert_eq!(shown(&found), shown(whole.column(0)), "{peer}, {name}");
            equal += 1;
        }
        println!("{peer}: {equal} equal, {} that it does not know: {refused:?}", refused.len());
    }
}

#[test]
fn golden_files_written_again_are_to_pyarrow_what_they_were() {
    let Some(workshop) = workshop() else { return };
    let Some(data) = std::env::var_os("ARROW_TEST_DATA") else {
        println!("skipped: ARROW_TEST_DATA is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (golden, ours) = (folder.path().join("golden"), folder.path().join("ours"));
    std::fs::create_dir_all(&golden).unwrap();
    std::fs::create_dir_all(&ours).unwrap();
    let (mut written, mut refused) = (0, Vec::new());
    let root = Path::new(&data).join("arrow-ipc-stream/integration");
    for place in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for path in std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()) {
            let Some(extension) = path.extension().filter(|&found| found == "stream" || found == "arrow_file") else {
                continue;
            };
            let place = place.file_name().unwrap().to_string_lossy().into_owned();
            let name = format!("{place}-{}", path.file_name().unwrap().to_string_lossy());
            let bytes = std::fs::read(&path).unwrap();
            let batches = match read(bytes.clone()) {
                Ok(batches) => batches,
                Err(error) => {
                    refused.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let schema = schema_of(bytes.clone());
            let again = if extension == "stream" {
                let mut encoder = StreamEncoder::try_new(&schema).unwrap();
                let mut parts: Vec<Buffer> = batches.iter().flat_map(|batch| encoder.encode(batch).unwrap()).collect();
                parts.extend(encoder.finish().unwrap());
                parts.iter().flat_map(|part| part.iter().copied()).collect()
            } else {
                let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
                batches.iter().for_each(|batch| writer.write(batch).unwrap());
                writer.finish().unwrap()
            };
            std::fs::write(golden.join(&name), bytes).unwrap();
            std::fs::write(ours.join(&name), again).unwrap();
            written += 1;
        }
    }
    run(&workshop.join("venv/bin/python"), &[&script("peers.py"), Path::new("compare"), &golden, &ours]);
    let errors: Vec<String> = std::fs::read_dir(&ours)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "error"))
        .map(|path| format!("{}: {}", path.display(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    println!("{written} golden files written again, {} refused, {} differ", refused.len(), errors.len());
    // The format has 44 big-endian ones among its 182; nothing else is refused.
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(refused.iter().all(|reason| reason.contains("big-endian")), "{refused:?}");
    assert!(written > 100, "{written}");
}

fn schema_of(bytes: Vec<u8>) -> arrow_schema::SchemaRef {
    if is_file(&bytes) {
        return FileReader::try_new(Buffer::from(bytes), Limits::default()).unwrap().schema().clone();
    }
    wire::stream::read(bytes.into(), &Limits::default()).unwrap().0
}
