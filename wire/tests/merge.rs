//! Updates merged by key, cut in parts, and rows that go because they are old; against applying one update after the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use common::Random;
use wire::stream::{Event, StreamDecoder, StreamEncoder};
use wire::table::{Table, TableOptions};
use wire::update::{Change, Merged, Parts, Update, merge};
use wire::{Error, Limits, Options};

fn schema(nullable: bool) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, nullable), Field::new("key", DataType::Int64, false)]))
}

fn batch(rows: &[(i64, String)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
    ];
    RecordBatch::try_new(schema(false), columns).unwrap()
}

fn any(random: &mut Random, most: usize) -> RecordBatch {
    let rows: Vec<_> =
        (0..random.below(most)).map(|_| (random.below(30) as i64, format!("t{}", random.below(1_000)))).collect();
    batch(&rows)
}

fn keys(batch: &RecordBatch) -> RecordBatch {
    batch.project(&[1]).unwrap()
}

fn any_change(random: &mut Random) -> Change {
    let rows = any(random, 8);
    match random.below(6) {
        0 => Change::Append(rows),
        1..=2 => Change::Upsert(rows),
        3..=4 => Change::Delete(keys(&rows)),
        _ => Change::Exchange { remove: keys(&any(random, 8)), insert: rows },
    }
}

fn empty(keyed: bool) -> Table {
    let options = TableOptions::default().with_hot(16, Duration::from_secs(9)).with_chunk_rows(64);
    Table::try_new(schema(false), if keyed { options.with_key(["key"]) } else { options }).unwrap()
}

fn rows(table: &mut Table) -> Vec<(i64, String)> {
    let snapshot = table.snapshot().unwrap();
    let of = |batch: &RecordBatch| -> Vec<(i64, String)> {
        let (texts, keys) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        (0..batch.num_rows()).map(|row| (keys.value(row), texts.value(row).to_owned())).collect()
    };
    snapshot.batches.iter().flat_map(of).collect()
}

#[test]
fn a_merged_update_does_what_all_of_them_do_and_in_the_same_order() {
    let mut random = Random::new(3);
    for _ in 0..300 {
        let (mut each, mut once) = (empty(true), empty(true));
        let first = Change::Append(any(&mut random, 25));
        for table in [&mut each, &mut once] {
            table.apply(&table.next(first.clone()), Duration::ZERO).unwrap();
        }
        let changes: Vec<Change> = (0..1 + random.below(9)).map(|_| any_change(&mut random)).collect();
        for change in &changes {
            each.apply(&each.next(change.clone()), Duration::ZERO).unwrap();
        }
        let merged = merge(&schema(false), &["key".to_owned()], &changes).unwrap().into_change();
        let update = Update::new(0, each.sequence(), merged).with_after(1);
        let message = update.to_message(Options::default()).unwrap();
        let read = Update::from_message(message.into(), &Limits::default()).unwrap();
        assert_eq!((read.after, read.sequence), (update.after, each.sequence()));
        once.apply(&read, Duration::ZERO).unwrap();
        assert_eq!((rows(&mut once), once.sequence()), (rows(&mut each), each.sequence()), "{changes:?}");
        assert!(once.apply(&read, Duration::ZERO).unwrap().repeated);
    }
}

#[test]
fn a_merged_update_comes_behind_the_one_that_it_names() {
    let mut table = empty(true);
    table.apply(&table.next(Change::Append(any(&mut Random::new(1), 9))), Duration::ZERO).unwrap();
    let update = |after, sequence| Update::new(0, sequence, Change::Append(batch(&[]))).with_after(after);
    assert_eq!(*table.apply(&update(3, 9), Duration::ZERO).unwrap_err(), Error::Gap { expected: 2, found: 4 });
    assert_eq!(*table.apply(&update(0, 9), Duration::ZERO).unwrap_err(), Error::Gap { expected: 2, found: 1 });
    table.apply(&update(1, 9), Duration::ZERO).unwrap();
    assert_eq!(table.sequence(), 9);
    let wrong = Update { after: Some(9), ..update(8, 9) }.to_message(Options::default()).unwrap();
    let error = Update::from_message(wrong.into(), &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("bodkin.after"), "{error}");
    // What is no change by key, or lacks a column, is not merged.
    let key = ["key".to_owned()];
    let told = |change: Change| merge(&schema(false), &key, &[change]).unwrap_err().to_string();
    assert!(told(Change::Trim(1)).contains("a trim is no change by key"));
    assert!(told(Change::Upsert(keys(&batch(&[])))).contains("the rows to be merged lack it"));
    assert_eq!(*merge(&schema(false), &[], &[]).unwrap_err(), Error::NoKey);
    let nothing = merge(&schema(false), &key, &[]).unwrap();
    assert_eq!(nothing, Merged { remove: keys(&batch(&[])), insert: batch(&[]) });
}

#[test]
fn updates_of_several_batches_travel_in_a_continuous_stream() {
    let mut random = Random::new(4);
    // Rows that go have nothing in the other columns.
    let mut encoder = StreamEncoder::try_new(&schema(true)).unwrap();
    let (mut decoder, mut parts) = (StreamDecoder::default(), Parts::default());
    let (mut source, mut copy) = (empty(true), empty(true));
    for _ in 0..120 {
        let change = match random.below(8) {
            0 => Change::Replace((0..random.below(4)).map(|_| any(&mut random, 9)).collect()),
            1 if source.rows() > 3 => Change::Trim(2),
            _ => any_change(&mut random),
        };
        let update = source.next(change);
        source.apply(&update, Duration::ZERO).unwrap();
        encoder.encode_update(&update).unwrap().into_iter().for_each(|part| decoder.push(part));
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.unwrap()
                && let Some(update) = parts.push(batch, &decoder.metadata().clone()).unwrap()
            {
                copy.apply(&update, Duration::ZERO).unwrap();
            }
        }
        assert_eq!((rows(&mut copy), copy.sequence()), (rows(&mut source), source.sequence()), "{update:?}");
    }
    // A batch that says that more comes, and then another update.
    let more = [("bodkin.update", "replace"), ("bodkin.epoch", "0"), ("bodkin.sequence", "7"), ("bodkin.more", "true")];
    let mut metadata: arrow_schema::Metadata =
        more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert!(Update::from_batch(batch(&[]), &metadata).unwrap_err().to_string().contains("bodkin.more"));
    assert_eq!(parts.push(batch(&[]), &metadata).unwrap(), None);
    metadata.insert("bodkin.sequence".to_owned(), "8".to_owned());
    assert!(parts.push(batch(&[]), &metadata).is_err());
}

#[test]
fn the_first_rows_go() {
    for keyed in [false, true] {
        let mut random = Random::new(6);
        let (mut table, mut model) = (empty(keyed), Vec::<(i64, String)>::new());
        let mut next = 0;
        for step in 0..600 {
            let change = if random.chance(60) {
                let count = if random.chance(5) { 150 } else { random.below(9) };
                let rows: Vec<_> = (next..next + count as i64).map(|key| (key, format!("t{key}"))).collect();
                next += count as i64;
                model.extend(rows.clone());
                Change::Append(batch(&rows))
            } else {
                let count = random.below(12).min(model.len());
                model.drain(..count);
                Change::Trim(count as u64)
            };
            let message = table.next(change).to_message(Options::default()).unwrap();
            let update = Update::from_message(message.into(), &Limits::default()).unwrap();
            table.apply(&update, Duration::from_secs(step)).unwrap();
            assert_eq!(rows(&mut table), model, "step {step}");
        }
        assert!(table.chunks() <= 8 + 2 * table.rows() / 64, "{} chunks of {} rows", table.chunks(), table.rows());
        let many = table.rows() as u64 + 1;
        let error = table.apply(&table.next(Change::Trim(many)), Duration::ZERO).unwrap_err();
        assert_eq!(*error, Error::NoSuchRow { row: many - 1, rows: model.len() });
        if keyed {
            // A key that went is new when it comes again.
            let gone = batch(&[(0, "again".to_owned())]);
            assert_eq!(table.apply(&table.next(Change::Upsert(gone)), Duration::ZERO).unwrap().inserted, 1);
        }
    }
}

#[test]
fn trimmed_rows_are_left_out_without_a_copy() {
    let mut table = Table::try_new(schema(false), TableOptions::default()).unwrap();
    let all: Vec<_> = (0..50_000).map(|key| (key, String::new())).collect();
    table.apply(&table.next(Change::Append(batch(&all))), Duration::ZERO).unwrap();
    let place = |table: &mut Table| {
        let snapshot = table.snapshot().unwrap();
        snapshot.batches[0].column(1).as_primitive::<Int64Type>().values().as_ptr() as usize
    };
    let first = place(&mut table);
    table.apply(&table.next(Change::Trim(1_000)), Duration::ZERO).unwrap();
    assert_eq!(place(&mut table), first + 8_000);
}

#[test]
fn rows_know_when_they_came() {
    let options = TableOptions::default().with_hot(8, Duration::from_secs(9)).with_chunk_rows(64);
    let mut random = Random::new(7);
    let mut table = Table::try_new(schema(false), options.with_key(["key"]).with_times()).unwrap();
    let mut model: Vec<(i64, u64)> = Vec::new();
    for step in 1..400u64 {
        let rows = any(&mut random, 7);
        let touched = rows.column(1).as_primitive::<Int64Type>().values().to_vec();
        let change = match random.below(5) {
            0 => {
                model.retain(|row| !touched.contains(&row.0));
                Change::Delete(keys(&rows))
            }
            1 => {
                let count = random.below(3).min(model.len());
                model.drain(..count);
                Change::Trim(count as u64)
            }
            _ => {
                for key in touched {
                    match model.iter_mut().find(|row| row.0 == key) {
                        Some(row) => row.1 = step,
                        None => model.push((key, step)),
                    }
                }
                Change::Upsert(rows)
            }
        };
        table.apply(&table.next(change), Duration::from_millis(step)).unwrap();
        assert_eq!(table.times(), model.iter().map(|row| row.1).collect::<Vec<_>>(), "step {step}");
        assert_eq!(table.oldest(), model.iter().map(|row| row.1).min());
    }
    // Times can be given, as a log has them.
    let times: Vec<u64> = (0..table.rows() as u64).rev().collect();
    table.set_times(0, &times);
    assert_eq!(table.times(), times);
    table.set_times(2, &[77]);
    assert_eq!(table.times()[2], 77);
    // Whole rows of keys that are there.
    let wanted = RecordBatch::try_from_iter([(
        "key",
        Arc::new(Int64Array::from(vec![model[2].0, 999, model[0].0])) as ArrayRef,
    )]);
    let found = table.rows_of(&wanted.unwrap()).unwrap();
    assert_eq!(found.column(1).as_primitive::<Int64Type>().values(), &[model[2].0, model[0].0]);
    assert_eq!(found.column(0).null_count(), 0);
}
