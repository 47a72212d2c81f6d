//! The live table against a naive one: a list of rows that every change is done to by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use common::Random;
use wire::table::{Snapshot, Table, TableOptions};
use wire::update::{Change, Update};
use wire::{Error, Limits, Options};

/// A row: a key, a number, a text and a flag.
type Row = (String, Option<i64>, Option<String>, Option<bool>);

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("number", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("code", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true),
    ]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let texts = StringArray::from_iter(rows.iter().map(|row| row.2.clone()));
    let codes: DictionaryArray<arrow_array::types::Int32Type> = texts.iter().collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1))),
        Arc::new(texts),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.3))),
        Arc::new(codes),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn rows_of(snapshot: &Snapshot) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in &snapshot.batches {
        let texts = arrow_cast::cast(batch.column(4), &DataType::Utf8).unwrap();
        assert_eq!(&texts, batch.column(2), "the code follows the text");
        batch.columns().iter().for_each(|column| column.to_data().validate_full().unwrap());
        let text = batch.column(2).as_string::<i32>();
        let number = batch.column(1).as_primitive::<Int64Type>();
        let flag = batch.column(3).as_boolean();
        for row in 0..batch.num_rows() {
            rows.push((
                batch.column(0).as_string::<i32>().value(row).to_owned(),
                number.is_valid(row).then(|| number.value(row)),
                text.is_valid(row).then(|| text.value(row).to_owned()),
                flag.is_valid(row).then(|| flag.value(row)),
            ));
        }
    }
    assert_eq!(rows.len(), snapshot.rows);
    rows
}

fn any_row(random: &mut Random, keys: usize) -> Row {
    let text = match random.below(4) {
        0 => None,
        1 => Some("same".to_owned()),
        _ => Some(format!("text {}", random.below(1_000))),
    };
    let number = (!random.chance(20)).then(|| random.next() as i64);
    (format!("k{}", random.below(keys)), number, text, (!random.chance(20)).then(|| random.chance(50)))
}

fn upsert(model: &mut Vec<Row>, rows: &[Row]) {
    for row in rows {
        match model.iter_mut().find(|known| known.0 == row.0) {
            Some(known) => *known = row.clone(),
            None => model.push(row.clone()),
        }
    }
}

/// The update, sent as a message and read again.
fn sent(update: &Update) -> Update {
    let message = update.to_message(Options::default()).unwrap();
    let read = Update::from_message(message.into(), &Limits::default()).unwrap();
    assert_eq!((read.epoch, read.sequence, read.change.name()), (update.epoch, update.sequence, update.change.name()));
    read
}

#[test]
fn every_change_does_what_a_list_of_rows_would() {
    for (seed, hot, chunk) in [(1, 8, 64), (2, 32, 100), (3, 3, 64), (4, 1_000, 4_000), (5, 64, 64)] {
        let mut random = Random::new(seed);
        let options =
            TableOptions::default().with_key(["key"]).with_hot(hot, Duration::from_secs(9)).with_chunk_rows(chunk);
        let mut table = Table::try_new(schema(), options).unwrap();
        let mut model: Vec<Row> = Vec::new();
        let mut kept: Vec<(Snapshot, Vec<Row>)> = Vec::new();
        for step in 0..400u64 {
            let count = if random.chance(10) { random.below(200) } else { random.below(6) };
            let rows: Vec<Row> = (0..count).map(|_| any_row(&mut random, 600)).collect();
            let change = match random.below(12) {
                0..=3 => {
                    upsert(&mut model, &rows);
                    Change::Append(batch(&rows))
                }
                4..=5 => {
                    upsert(&mut model, &rows);
                    Change::Upsert(batch(&rows))
                }
                6..=7 => {
                    model.retain(|row| rows.iter().all(|gone| gone.0 != row.0));
                    Change::Delete(batch(&rows).project(&[0]).unwrap())
                }
                8..=9 if !model.is_empty() => {
                    let places: Vec<u64> = rows.iter().map(|_| random.below(model.len()) as u64).collect();
                    for (&place, row) in places.iter().zip(&rows) {
                        let key = model[place as usize].0.clone();
                        model[place as usize] = (key, row.1, row.2.clone(), row.3);
                    }
                    Change::Patch { rows: places.into(), cells: batch(&rows).project(&[1, 2, 3, 4]).unwrap() }
                }
                10 => {
                    let gone: Vec<Row> = (0..random.below(20)).map(|_| any_row(&mut random, 600)).collect();
                    model.retain(|row| gone.iter().all(|gone| gone.0 != row.0));
                    upsert(&mut model, &rows);
                    Change::Exchange { remove: batch(&gone).project(&[0]).unwrap(), insert: batch(&rows) }
                }
                _ if random.chance(20) => {
                    model.clear();
                    upsert(&mut model, &rows);
                    Change::Replace(vec![batch(&rows)])
                }
                _ => continue,
            };
            let update = sent(&table.next(change));
            table.apply(&update, Duration::from_secs(step)).unwrap();
            if random.chance(30) {
                let snapshot = table.snapshot().unwrap();
                assert_eq!(rows_of(&snapshot), model, "seed {seed}, step {step}");
                kept.push((snapshot, model.clone()));
            }
            assert_eq!(table.rows(), model.len(), "seed {seed}, step {step}");
            assert!(table.chunks() <= 8 + 6 * model.len() / chunk, "{} chunks, {} rows", table.chunks(), model.len());
        }
        // What was read stays what it was.
        for (snapshot, rows) in &kept {
            assert_eq!(&rows_of(snapshot), rows);
        }
        assert!(kept.len() > 20);
    }
}

fn plain(rows: usize) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    RecordBatch::try_from_iter([("n", numbers)]).unwrap()
}

#[test]
fn rows_without_a_key_are_appended_and_patched() {
    let options = TableOptions::default().with_hot(100, Duration::from_secs(1)).with_chunk_rows(256);
    let mut table = Table::try_new(plain(0).schema(), options).unwrap();
    let mut expected = Vec::new();
    for round in 0..300usize {
        table.apply(&table.next(Change::Append(plain(round % 40))), Duration::ZERO).unwrap();
        expected.extend(0..(round % 40) as i64);
    }
    let places = UInt64Array::from_iter_values((0..expected.len() as u64).step_by(7));
    let cells: ArrayRef = Arc::new(Int64Array::from_iter_values((0..places.len() as i64).map(|cell| -cell)));
    let cells = RecordBatch::try_from_iter([("n", cells)]).unwrap();
    let before = table.snapshot().unwrap();
    table.apply(&table.next(Change::Patch { rows: places, cells }), Duration::ZERO).unwrap();
    let numbers = |snapshot: &Snapshot| -> Vec<i64> {
        let columns =
            snapshot.batches.iter().map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
        columns.collect::<Vec<_>>().concat()
    };
    assert_eq!(numbers(&before), expected);
    expected.iter_mut().step_by(7).enumerate().for_each(|(cell, number)| *number = -(cell as i64));
    assert_eq!(numbers(&table.snapshot().unwrap()), expected);
    let error = table.apply(&table.next(Change::Delete(plain(1))), Duration::ZERO).unwrap_err();
    assert_eq!(*error, Error::NoKey);
}

#[test]
fn cells_of_fixed_width_are_patched_in_place() {
    let mut table = Table::try_new(plain(0).schema(), TableOptions::default()).unwrap();
    table.apply(&table.next(Change::Append(plain(50_000))), Duration::ZERO).unwrap();
    let patch = |table: &mut Table, row: u64, cell: i64| {
        let cells: ArrayRef = Arc::new(Int64Array::from(vec![cell]));
        let cells = RecordBatch::try_from_iter([("n", cells)]).unwrap();
        table.apply(&table.next(Change::Patch { rows: vec![row].into(), cells }), Duration::ZERO).unwrap();
    };
    let place = |table: &mut Table| {
        let snapshot = table.snapshot().unwrap();
        snapshot.batches[0].column(0).as_primitive::<Int64Type>().values().as_ptr()
    };
    // The first patch moves the rows out of the message into memory of the chunk's own; then nothing moves.
    patch(&mut table, 3, -1);
    let first = place(&mut table);
    for row in 0..1_000 {
        patch(&mut table, row, -2);
    }
    assert_eq!(place(&mut table), first);
    // A reader keeps what it sees, at the price of one copy.
    let seen = table.snapshot().unwrap();
    patch(&mut table, 0, -3);
    assert_ne!(place(&mut table), first);
    assert_eq!(seen.batches[0].column(0).as_primitive::<Int64Type>().value(0), -2);
}

#[test]
fn unchanged_chunks_are_shared_with_the_version_before() {
    let mut table = Table::try_new(plain(0).schema(), TableOptions::default()).unwrap();
    for _ in 0..10 {
        table.apply(&table.next(Change::Append(plain(65_536))), Duration::ZERO).unwrap();
    }
    let before = table.snapshot().unwrap();
    table.apply(&table.next(Change::Append(plain(3))), Duration::ZERO).unwrap();
    let after = table.snapshot().unwrap();
    assert_eq!((before.batches.len(), after.batches.len()), (10, 11));
    for (a, b) in before.batches.iter().zip(&after.batches) {
        assert!(Arc::ptr_eq(a.column(0), b.column(0)));
    }
    // Hot rows are read at once, and share memory from one snapshot to the next.
    let place = |snapshot: &Snapshot| snapshot.batches[10].column(0).as_primitive::<Int64Type>().values().as_ptr();
    table.apply(&table.next(Change::Append(plain(3))), Duration::ZERO).unwrap();
    let later = table.snapshot().unwrap();
    assert_eq!((later.rows, place(&after)), (10 * 65_536 + 6, place(&later)));
}

#[test]
fn the_hot_chunk_is_closed_by_rows_and_by_age() {
    let options = TableOptions::default().with_hot(1_000, Duration::from_secs(5));
    let mut table = Table::try_new(plain(0).schema(), options).unwrap();
    let at = |table: &mut Table, rows: usize, seconds: u64| {
        table.apply(&table.next(Change::Append(plain(rows))), Duration::from_secs(seconds)).unwrap();
    };
    at(&mut table, 10, 0);
    at(&mut table, 10, 4);
    assert_eq!(table.chunks(), 1);
    table.tick(Duration::from_secs(5)).unwrap();
    at(&mut table, 10, 6);
    assert_eq!((table.chunks(), table.rows()), (2, 30));
}

#[test]
fn gaps_repeats_and_other_epochs_are_noticed() {
    let mut table = Table::try_new(plain(0).schema(), TableOptions::default()).unwrap();
    let one = Update { epoch: 0, sequence: 1, after: None, change: Change::Append(plain(1)) };
    assert!(!table.apply(&one, Duration::ZERO).unwrap().repeated);
    assert!(table.apply(&one, Duration::ZERO).unwrap().repeated);
    assert_eq!(table.rows(), 1);
    let three = Update { sequence: 3, ..one.clone() };
    assert_eq!(*table.apply(&three, Duration::ZERO).unwrap_err(), Error::Gap { expected: 2, found: 3 });
    let other = Update { epoch: 9, sequence: 2, ..one };
    assert_eq!(*table.apply(&other, Duration::ZERO).unwrap_err(), Error::Epoch { expected: 0, found: 9 });
    // A replacement closes any gap.
    let anew = Update { epoch: 9, sequence: 40, after: None, change: Change::Replace(vec![plain(5)]) };
    table.apply(&anew, Duration::ZERO).unwrap();
    assert_eq!((table.rows(), table.epoch(), table.sequence()), (5, 9, 40));
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut table = Table::try_new(schema(), TableOptions::default().with_key(["key"])).unwrap();
    let rows = [("a".to_owned(), Some(1), None, None), ("b".to_owned(), Some(2), None, None)];
    table.apply(&table.next(Change::Append(batch(&rows))), Duration::ZERO).unwrap();
    let check = |change: Change, expected: &str, table: &mut Table| {
        let error = table.apply(&table.next(change), Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!((table.sequence(), rows_of(&table.snapshot().unwrap())), (1, rows.to_vec()));
    };
    let null_key: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let null_key = RecordBatch::try_from_iter([("key", null_key)]).unwrap();
    check(Change::Delete(null_key.clone()), "column \"key\" must not be null, and is in row 1", &mut table);
    let exchange = Change::Exchange { remove: batch(&rows).project(&[0]).unwrap(), insert: null_key };
    check(exchange, "must not be null", &mut table);
    let wrong: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let wrong = RecordBatch::try_from_iter([("key", wrong)]).unwrap();
    check(Change::Upsert(wrong), "it is Int64, the table's is Utf8", &mut table);
    check(Change::Upsert(plain(1)), "the table has no such column", &mut table);
    check(Change::Upsert(batch(&rows).project(&[1]).unwrap()), "it is part of the key", &mut table);
    let cells = batch(&rows[..1]).project(&[1]).unwrap();
    check(Change::Patch { rows: vec![2].into(), cells: cells.clone() }, "no row 2; the table has 2", &mut table);
    check(Change::Patch { rows: vec![0, 1].into(), cells }, "not as many rows", &mut table);
    let keys = batch(&rows[..1]).project(&[0]).unwrap();
    check(Change::Patch { rows: vec![0].into(), cells: keys }, "names a row and stays", &mut table);
}

#[test]
fn updates_travel_in_a_continuous_stream_too() {
    use wire::stream::{Event, StreamDecoder, StreamEncoder};
    let mut source = Table::try_new(schema(), TableOptions::default().with_key(["key"])).unwrap();
    let mut copy = Table::try_new(schema(), TableOptions::default().with_key(["key"])).unwrap();
    let mut encoder = StreamEncoder::try_new(&schema()).unwrap();
    let mut decoder = StreamDecoder::default();
    let mut random = Random::new(8);
    for step in 0..50 {
        let rows: Vec<Row> = (0..random.below(9)).map(|_| any_row(&mut random, 60)).collect();
        let change = match step % 3 {
            0 => Change::Append(batch(&rows)),
            1 => Change::Upsert(batch(&rows)),
            _ => Change::Delete(batch(&rows)),
        };
        let update = source.next(change);
        for part in encoder.encode_update(&update).unwrap() {
            decoder.push(part);
        }
        source.apply(&update, Duration::ZERO).unwrap();
        while let Some(event) = decoder.next_event() {
            if let Event::Batch(batch) = event.unwrap() {
                let update = Update::from_batch(batch, decoder.metadata()).unwrap();
                copy.apply(&update, Duration::ZERO).unwrap();
            }
        }
    }
    assert_eq!(rows_of(&source.snapshot().unwrap()), rows_of(&copy.snapshot().unwrap()));
    assert_eq!(copy.sequence(), 50);
    let patch = source.next(Change::Patch { rows: Vec::<u64>::new().into(), cells: batch(&[]) });
    assert!(matches!(encoder.encode_update(&patch).map_err(|error| *error), Err(Error::Encode(_))));
}

#[test]
fn any_reader_opens_an_update() {
    let rows = [("a".to_owned(), Some(1), Some("x".to_owned()), None)];
    let exchange = Change::Exchange { remove: batch(&rows).project(&[0]).unwrap(), insert: batch(&rows) };
    let update = Update { epoch: 7, sequence: 4, after: None, change: exchange };
    let message = update.to_message(Options::default()).unwrap();
    let reader = arrow_ipc::reader::StreamReader::try_new(message.as_slice(), None).unwrap();
    let schema = reader.schema();
    assert_eq!(schema.metadata()["bodkin.update"], "exchange");
    assert_eq!((&*schema.metadata()["bodkin.sequence"], &*schema.metadata()["bodkin.epoch"]), ("4", "7"));
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(
        batches[0].column_by_name("bodkin.remove").unwrap().as_boolean(),
        &BooleanArray::from(vec![true, false])
    );
    let told = |message: Vec<u8>| Update::from_message(message.into(), &Limits::default()).unwrap_err().to_string();
    let plain = wire::discrete::write(&batch(&rows).schema(), [&batch(&rows)], Options::default()).unwrap();
    assert!(told(plain).contains("its metadata lacks bodkin.epoch"));
}

#[test]
fn keys_that_come_and_go_do_not_pile_up() {
    let mut table = Table::try_new(schema(), TableOptions::default().with_key(["key"])).unwrap();
    let mut largest = 0;
    for round in 0..200 {
        let rows: Vec<Row> = (0..200).map(|row| (format!("r{round}-{row}"), None, None, None)).collect();
        table.apply(&table.next(Change::Append(batch(&rows))), Duration::ZERO).unwrap();
        if round > 0 {
            let gone: Vec<Row> = (0..200).map(|row| (format!("r{}-{row}", round - 1), None, None, None)).collect();
            table.apply(&table.next(Change::Delete(batch(&gone))), Duration::ZERO).unwrap();
        }
        largest = largest.max(table.memory());
    }
    assert_eq!(table.rows(), 200);
    assert!(table.chunks() < 4 && table.memory() <= largest);
}
