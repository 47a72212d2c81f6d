//! Small streams, files, plans and updates for the fuzz targets to begin with: `FUZZ_SEEDS=folder cargo test -p wire
//! --test seeds`. Without the variable the seeds are made and looked at, and not kept.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use kernels::query::{CompareOp, Plan, Predicate, Scalar};
use wire::file::FileWriter;
use wire::update::{Change, Update};
use wire::{Codec, Options, discrete, plan};

fn keep(target: &str, name: &str, bytes: &[u8]) {
    assert!(!bytes.is_empty());
    if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
        let folder = std::path::Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn seeds() {
    let plain = Options::default();
    for (codec, options) in
        [("none", plain), ("lz4", plain.with_codec(Codec::Lz4)), ("zstd", plain.with_codec(Codec::Zstd))]
    {
        for (name, column) in common::flat_columns(1, 5).into_iter().chain(common::nested_columns(2, 5)) {
            let batch = common::batch(vec![(name.clone(), column)]);
            let name = format!("{}-{codec}", name.replace(['(', ')', ',', 'µ'], "_"));
            keep("stream", &name, &discrete::write(&batch.schema(), [&batch], options).unwrap());
            let mut writer = FileWriter::try_with_options(Vec::new(), &batch.schema(), options).unwrap();
            writer.write(&batch).unwrap();
            keep("file", &name, &writer.finish().unwrap());
        }
    }
    let filter = Predicate::Compare { column: "month".into(), op: CompareOp::GtEq, value: Scalar::Int(3) };
    let plans = Plan { filter: Some(filter), limit: Some(20), ..Plan::default() };
    keep("plan", "bytes", &plan::to_bytes(&plans).unwrap());
    keep("plan", "json", plan::to_json(&plans).unwrap().as_bytes());
    keep(
        "plan",
        "url",
        b"filter[a]gte=3&filter[b]in=x,\"y\"&sort=-a,b&group=c&aggregate=count,quantile(a;0.5):q&limit=5",
    );
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("x"), Some("yy")]));
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("key", keys, false),
        ("number", numbers, true),
        ("text", texts, true),
    ])
    .unwrap();
    let key = rows.project(&[0]).unwrap().slice(1, 1);
    let cells = rows.project(&[1, 2]).unwrap().slice(0, 1);
    let mut all = Vec::new();
    for change in [
        Change::Append(rows.clone()),
        Change::Upsert(rows.clone()),
        Change::Patch { rows: vec![0].into(), cells },
        Change::Delete(key.clone()),
        Change::Exchange { remove: key, insert: rows.clone() },
        Change::Replace(vec![rows]),
    ] {
        let name = change.name();
        let message = Update::new(0, 1, change).to_message(plain).unwrap();
        let with_length = [&(message.len() as u16).to_le_bytes(), message.as_slice()].concat();
        keep("update", name, &with_length);
        all.extend(with_length);
    }
    keep("update", "all", &all);
}
