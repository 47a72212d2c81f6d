//! Any bytes as updates of a table with a key, one message behind the other.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use arrow_array::Array;
use arrow_schema::{DataType, Field, Schema};
use libfuzzer_sys::fuzz_target;
use wire::table::{Table, TableOptions};
use wire::update::Update;

fuzz_target!(|bytes: &[u8]| {
    let schema = Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("number", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
    ]);
    let options = TableOptions::default().with_key(["key"]).with_hot(4, Duration::from_secs(1)).with_chunk_rows(64);
    let mut table = Table::try_new(Arc::new(schema), options).unwrap();
    let mut limits = wire::Limits::default();
    limits.body = 1 << 20;
    limits.unpacked = 1 << 20;
    // Two bytes with a length before each message.
    let mut rest = bytes;
    while let [low, high, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(tail.len());
        if let Ok(update) = Update::from_message(tail[..length].to_vec().into(), &limits) {
            let rows = table.rows();
            let next = Update { epoch: table.epoch(), sequence: table.sequence() + 1, after: None, change: update.change };
            if table.apply(&next, Duration::from_secs(table.sequence())).is_err() {
                assert_eq!(table.rows(), rows);
            }
        }
        rest = &tail[length..];
    }
    let snapshot = table.snapshot().unwrap();
    assert_eq!(snapshot.batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), snapshot.rows);
    for column in snapshot.batches.iter().flat_map(|batch| batch.columns()) {
        column.to_data().validate_full().unwrap();
    }
});
