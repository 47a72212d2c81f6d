//! A table read by parts: serials name rows for as long as they live, and what updates touch is noted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use common::Random;
use wire::table::{Table, TableOptions};
use wire::update::Change;

/// A row's cells as text.
type Row = Vec<String>;

fn batch(rows: &[(usize, Option<i64>, Option<&str>)]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 3] = [
        ("key", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("k{}", row.0))))),
        ("number", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1)))),
        ("text", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.2)))),
    ];
    let columns = columns.into_iter().map(|(name, column)| (name, column, name != "key"));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn text(array: &dyn Array, row: usize) -> String {
    arrow_cast::display::array_value_to_string(array, row).unwrap()
}

/// The rows by their serials, as the parts have them; they stand in the order of the rows that a snapshot has.
fn by_serial(table: &mut Table) -> BTreeMap<u32, Row> {
    let mut rows = BTreeMap::new();
    let mut order = Vec::new();
    for part in table.parts().unwrap() {
        let mut live = 0;
        for row in 0..part.batch.num_rows() {
            assert_eq!(part.live_before(row), live);
            if part.is_removed(row) {
                continue;
            }
            assert_eq!((part.row_of(live), part.find(part.serial(row))), (row, Some(row)));
            live += 1;
            let cells: Row = part.batch.columns().iter().map(|column| text(column, row)).collect();
            order.push(cells.clone());
            assert!(rows.last_key_value().is_none_or(|(&last, _)| last < part.serial(row)), "serials ascend");
            rows.insert(part.serial(row), cells);
        }
        assert_eq!(live, part.live());
    }
    let snapshot = table.snapshot().unwrap();
    let all = snapshot.batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| text(column, row)).collect::<Row>())
    });
    assert_eq!(order, all.collect::<Vec<Row>>());
    rows
}

#[test]
fn what_updates_touch_is_noted_and_serials_stay() {
    for (seed, keyed, hot, chunk) in [(1, true, 8, 64), (2, false, 8, 64), (3, true, 100, 300), (4, false, 64, 64)] {
        let mut random = Random::new(seed);
        let options = TableOptions::default().with_hot(hot, Duration::from_secs(9)).with_chunk_rows(chunk);
        let options = if keyed { options.with_key(["key"]) } else { options };
        let mut table = Table::try_new(batch(&[]).schema(), options.with_serials()).unwrap();
        let mut before = BTreeMap::new();
        let mut cells_seen = 0;
        for step in 0..500 {
            let count = if random.chance(10) { random.below(200) } else { random.below(6) };
            let rows: Vec<_> = (0..count)
                .map(|_| (random.below(700), (!random.chance(20)).then(|| random.below(3) as i64), Some("a")))
                .collect();
            let rows = batch(&rows);
            let live = table.rows();
            let change = match random.below(9) {
                0..=2 => Change::Append(rows),
                3 if keyed => Change::Upsert(rows),
                4..=5 if keyed => Change::Delete(rows.project(&[0]).unwrap()),
                6 if keyed => {
                    Change::Exchange { remove: rows.project(&[0]).unwrap(), insert: rows.slice(0, count / 2) }
                }
                7 if live > 0 => {
                    let places = UInt64Array::from_iter_values((0..count).map(|_| random.below(live) as u64));
                    Change::Patch { rows: places, cells: rows.project(&[1, 2]).unwrap() }
                }
                8 if random.chance(30) => Change::Trim(random.below(live + 1) as u64),
                3 if random.chance(10) => Change::Replace(vec![rows]),
                _ => continue,
            };
            table.apply(&table.next(change), Duration::from_secs(step)).unwrap();
            let touched = table.take_touched();
            if random.chance(2) {
                table.renumber();
                assert!(table.take_touched().replaced && table.serials() as usize >= table.rows());
                before = by_serial(&mut table);
                continue;
            }
            let after = by_serial(&mut table);
            if touched.replaced {
                before = after;
                continue;
            }
            for (serial, row) in &after {
                match before.get(serial) {
                    None => assert!(touched.inserted.contains(serial), "{serial} came"),
                    Some(old) => {
                        for column in (0..3).filter(|&column| old[column] != row[column]) {
                            assert!(touched.updated.contains(serial), "{serial} has other cells");
                            assert!(touched.cells.contains(&(*serial, column as u32)));
                        }
                    }
                }
            }
            for &(serial, column) in touched.cells.iter().filter(|(serial, _)| before.contains_key(serial)) {
                if let Some(row) = after.get(&serial) {
                    assert_ne!(before[&serial][column as usize], row[column as usize], "seed {seed}, step {step}");
                    cells_seen += 1;
                }
            }
            for serial in before.keys().filter(|serial| !after.contains_key(serial)) {
                assert!(touched.removed.contains(serial), "{serial} went");
            }
            assert!(table.take_touched().is_empty());
            before = after;
        }
        assert!(cells_seen > 50, "{cells_seen}");
    }
}

#[test]
fn without_serials_nothing_is_noted() {
    let mut table = Table::try_new(batch(&[]).schema(), TableOptions::default().with_key(["key"])).unwrap();
    let rows = batch(&[(1, Some(1), None), (2, None, None)]);
    table.apply(&table.next(Change::Append(rows.clone())), Duration::ZERO).unwrap();
    table.apply(&table.next(Change::Upsert(rows)), Duration::ZERO).unwrap();
    assert!(table.take_touched().is_empty());
    assert_eq!(table.serials(), 0);
}
