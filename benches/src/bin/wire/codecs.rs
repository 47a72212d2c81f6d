//! Real tables packed by each codec, per buffer and as a whole, and as Parquet.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::{Codec, Limits, Options};

use super::interleave;

fn read(path: &str) -> (SchemaRef, Vec<RecordBatch>) {
    let bytes = std::fs::read(path).unwrap();
    if path.ends_with(".parquet") {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
        let schema = reader.schema().clone();
        return (schema, reader.with_batch_size(65_536).build().unwrap().map(Result::unwrap).collect());
    }
    let mut reader = wire::file::FileReader::try_new(Buffer::from(bytes), Limits::default()).unwrap();
    let batches = (0..reader.batches()).map(|index| reader.batch(index).unwrap()).collect();
    (reader.schema().clone(), batches)
}

fn write(schema: &Schema, batches: &[RecordBatch], options: Options) -> Vec<u8> {
    let mut encoder = StreamEncoder::try_with_options(schema, options).unwrap();
    let mut bytes = Vec::new();
    for batch in batches {
        encoder.encode(batch).unwrap().iter().for_each(|part| bytes.extend_from_slice(part));
    }
    bytes
}

fn decode(bytes: &Buffer) -> u64 {
    let mut limits = Limits::default();
    limits.unpacked = 1 << 30;
    let mut decoder = StreamDecoder::new(limits);
    decoder.push(bytes.clone());
    let mut rows = 0;
    while let Some(event) = decoder.next_event() {
        if let Event::Batch(batch) = event.unwrap() {
            rows += batch.num_rows() as u64;
        }
    }
    rows
}

fn to_parquet(schema: &SchemaRef, batches: &[RecordBatch], level: i32) -> Vec<u8> {
    let compression = Compression::ZSTD(ZstdLevel::try_new(level).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn from_parquet(bytes: &bytes::Bytes) -> u64 {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    reader.with_batch_size(65_536).build().unwrap().map(|batch| batch.unwrap().num_rows() as u64).sum()
}

pub(crate) fn run(files: &[String]) {
    let plain = Options::default();
    let lz4 = plain.with_codec(Codec::Lz4);
    let zstd = |level| plain.with_codec(Codec::Zstd).with_level(level);
    for file in files {
        let (schema, batches) = read(file);
        let raw = write(&schema, &batches, plain).len();
        let name = Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
        let report = |form: &str, bytes: usize, encode: f64, decode: f64| {
            println!(
                "{}",
                serde_json::json!({
                    "task": "codec", "file": name, "form": form, "bytes": bytes, "ratio": raw as f64 / bytes as f64,
                    "encode_ms": encode, "decode_ms": decode,
                    "encode_mb_s": raw as f64 / encode / 1e3, "decode_mb_s": raw as f64 / decode / 1e3,
                })
            );
        };
        for (form, options) in [
            ("Arrow", plain),
            ("Arrow, lz4", lz4),
            ("Arrow, zstd 1", zstd(1)),
            ("Arrow, zstd 3", zstd(3)),
            ("Arrow, zstd 9", zstd(9)),
        ] {
            let bytes = write(&schema, &batches, options);
            let bytes = Buffer::from(bytes.as_slice());
            let least = interleave(
                3,
                &mut [
                    ("encode", &mut || write(&schema, &batches, options).len() as u64),
                    ("decode", &mut || decode(&bytes)),
                ],
            );
            report(form, bytes.len(), least[0], least[1]);
        }
        // The stream as a whole, as a server's content encoding packs it and the browser unpacks it.
        let stream = write(&schema, &batches, plain);
        let gzip = || -> Vec<u8> {
            use std::io::Write;
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(&stream).unwrap();
            encoder.finish().unwrap()
        };
        let packed = gzip();
        let ungzip = || {
            use std::io::Read;
            let mut out = Vec::with_capacity(stream.len());
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut out).unwrap();
            decode(&Buffer::from(out))
        };
        let least = interleave(2, &mut [("encode", &mut || gzip().len() as u64), ("decode", &mut || ungzip())]);
        report("Arrow in gzip 6", packed.len(), least[0], least[1]);
        let whole = |level: i32| zstd::bulk::compress(&stream, level).unwrap();
        let packed = whole(3);
        let unpack = || decode(&Buffer::from(zstd::bulk::decompress(&packed, stream.len()).unwrap()));
        let least = interleave(3, &mut [("encode", &mut || whole(3).len() as u64), ("decode", &mut || unpack())]);
        report("Arrow in zstd 3", packed.len(), least[0], least[1]);
        for level in [1, 3] {
            let bytes = bytes::Bytes::from(to_parquet(&schema, &batches, level));
            let least = interleave(
                3,
                &mut [
                    ("encode", &mut || to_parquet(&schema, &batches, level).len() as u64),
                    ("decode", &mut || from_parquet(&bytes)),
                ],
            );
            report(&format!("Parquet, zstd {level}"), bytes.len(), least[0], least[1]);
        }
    }
}

pub(crate) fn pack(file: &str, codec: &str, out: &str) {
    let (schema, batches) = read(file);
    let plain = Options::default();
    let options = match codec {
        "lz4" => plain.with_codec(Codec::Lz4),
        "zstd" => plain.with_codec(Codec::Zstd).with_level(3),
        _ => plain,
    };
    std::fs::write(out, write(&schema, &batches, options)).unwrap();
}
