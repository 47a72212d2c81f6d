//! Updates of live tables of many sizes: the cost is the update's, not the table's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use benches::number;
use wire::table::{Table, TableOptions};
use wire::update::Change;

/// Rows with keys from a list: a key, two numbers and a text.
fn rows(keys: &[i64], salt: usize) -> RecordBatch {
    let values = |add: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(keys.iter().map(|&key| (key as usize + add + salt) as f64)))
    };
    let text = StringArray::from_iter_values(keys.iter().map(|key| format!("text {}", (*key as usize + salt) % 1_000)));
    RecordBatch::try_from_iter([
        ("key", Arc::new(Int64Array::from(keys.to_vec())) as ArrayRef),
        ("a", values(1)),
        ("b", values(2)),
        ("text", Arc::new(text)),
    ])
    .unwrap()
}

pub(crate) fn run() {
    const UPDATES: usize = 200;
    const EACH: usize = 100;
    for size in [10_000usize, 100_000, 1_000_000, 10_000_000] {
        let options = TableOptions::default().with_key(["key"]);
        let mut table = Table::try_new(rows(&[], 0).schema(), options).unwrap();
        let mut loaded = 0;
        while loaded < size {
            let keys: Vec<i64> = (loaded..(loaded + 65_536).min(size)).map(|key| key as i64).collect();
            table.apply(&table.next(Change::Append(rows(&keys, 0))), Duration::ZERO).unwrap();
            loaded += keys.len();
        }
        let mut fresh = size as i64;
        let mut gone = 0i64;
        let pick = |salt: usize| -> Vec<i64> {
            (0..EACH).map(|row| number(row, salt as u64, (size / 2) as u64) as i64 + (size / 2) as i64).collect()
        };
        let mut kinds: Vec<(&str, Box<dyn FnMut(usize) -> Change>)> = vec![
            (
                "append",
                Box::new(|_| {
                    fresh += EACH as i64;
                    Change::Append(rows(&(fresh - EACH as i64..fresh).collect::<Vec<_>>(), 0))
                }),
            ),
            ("upsert numbers", Box::new(|salt| Change::Upsert(rows(&pick(salt), salt).project(&[0, 1, 2]).unwrap()))),
            (
                "upsert the same text",
                Box::new(|salt| {
                    let keys: Vec<i64> = (0..EACH)
                        .map(|row| number(row, salt as u64, (size / 2) as u64) as i64 + (size / 2) as i64)
                        .collect();
                    Change::Upsert(rows(&keys, 0).project(&[0, 3]).unwrap())
                }),
            ),
            (
                "patch",
                Box::new(|salt| {
                    let keys: Vec<u64> = (0..EACH).map(|row| number(row, salt as u64, (size / 2) as u64)).collect();
                    let cells =
                        rows(&keys.iter().map(|&key| key as i64).collect::<Vec<_>>(), salt).project(&[1]).unwrap();
                    Change::Patch { rows: keys.into(), cells }
                }),
            ),
            (
                "delete",
                Box::new(|_| {
                    gone += 10;
                    Change::Delete(rows(&(gone - 10..gone).collect::<Vec<_>>(), 0).project(&[0]).unwrap())
                }),
            ),
            (
                "upsert other text",
                Box::new(|salt| {
                    let keys: Vec<i64> = (0..EACH)
                        .map(|row| number(row, salt as u64, (size / 2) as u64) as i64 + (size / 2) as i64)
                        .collect();
                    Change::Upsert(rows(&keys, salt + 1).project(&[0, 3]).unwrap())
                }),
            ),
        ];
        for (kind, make) in &mut kinds {
            let mut times: Vec<f64> = Vec::with_capacity(UPDATES);
            for round in 0..UPDATES {
                let update = table.next(make(round));
                let begin = Instant::now();
                table.apply(&update, Duration::from_millis(round as u64)).unwrap();
                times.push(begin.elapsed().as_secs_f64() * 1e6);
            }
            times.sort_by(f64::total_cmp);
            println!(
                "{}",
                serde_json::json!({
                    "task": "update", "table": size, "kind": kind, "rows": EACH, "median_us": times[UPDATES / 2],
                    "p99_us": times[UPDATES * 99 / 100], "max_us": times[UPDATES - 1],
                })
            );
        }
        let mut times: Vec<f64> = (0..UPDATES)
            .map(|_| {
                let begin = Instant::now();
                std::hint::black_box(table.snapshot().unwrap());
                begin.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{}",
            serde_json::json!({"task": "snapshot", "table": size, "chunks": table.chunks(), "median_us": times[UPDATES / 2]})
        );
    }
}
