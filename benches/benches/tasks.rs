//! Whole tasks on the db-benchmark's table (nine columns; `id1`..`id3` text, `id4`..`id6`, `v1`, `v2` 32-bit
//! integers, `v3` a float), as JSON lines: `{"task", "engine", "rows_in", "ms_min", "ms_median", "rows_out"}`.
//!
//! `ROWS=1e7 cargo bench -p benches --bench tasks [-- filter]`. Where arrow-rs has a kernel for the task, it runs
//! in turn with ours; the result's number of rows must agree.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it fails"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int32Array, RecordBatch, Scalar, StringArray, UInt32Array};
use arrow_ord::sort::SortColumn;
use benches::number;
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Plan, Predicate, Scalar as Literal, SortBy, TextTest};
use kernels::{Indices, SortOptions};

const RUNS: usize = 5;

/// The table: `rows` rows, 100 groups in `id1`, `id2`, `id4`, `id5`, a hundredth of the rows in `id3`, `id6`.
fn table(rows: usize) -> RecordBatch {
    let many = (rows as u64 / 100).max(1);
    let text = |salt: u64, kinds: u64, width: usize| -> ArrayRef {
        let value = |row| format!("id{:0width$}", number(row, salt, kinds) + 1);
        Arc::new(StringArray::from_iter_values((0..rows).map(value)))
    };
    let int = |salt: u64, kinds: u64| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values((0..rows).map(|row| number(row, salt, kinds) as i32 + 1)))
    };
    let float = (0..rows).map(|row| number(row, 9, 100_000_000) as f64 / 1e6);
    RecordBatch::try_from_iter([
        ("id1", text(1, 100, 3)),
        ("id2", text(2, 100, 3)),
        ("id3", text(3, many, 10)),
        ("id4", int(4, 100)),
        ("id5", int(5, 100)),
        ("id6", int(6, many)),
        ("v1", int(7, 5)),
        ("v2", int(8, 15)),
        ("v3", Arc::new(Float64Array::from_iter_values(float)) as ArrayRef),
    ])
    .unwrap()
}

struct Bench {
    only: Option<String>,
    rows: usize,
}

impl Bench {
    /// Runs a task by each engine in turn, and prints a line for each.
    fn task(&self, name: &str, engines: &mut [(&str, &mut dyn FnMut() -> usize)]) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let mut times = vec![Vec::new(); engines.len()];
        let mut out = vec![0; engines.len()];
        for _ in 0..RUNS {
            for (engine, (_, run)) in engines.iter_mut().enumerate() {
                let begin = Instant::now();
                out[engine] = black_box(run());
                times[engine].push(begin.elapsed().as_secs_f64() * 1e3);
            }
        }
        for ((engine, _), (times, rows_out)) in engines.iter().zip(times.iter_mut().zip(&out)) {
            assert_eq!(*rows_out, out[0], "{name}: {engine} gives another number of rows");
            times.sort_by(f64::total_cmp);
            println!(
                "{{\"task\":\"{name}\",\"engine\":\"{engine}\",\"rows_in\":{},\"ms_min\":{:.1},\"ms_median\":{:.1},\"rows_out\":{rows_out}}}",
                self.rows,
                times[0],
                times[RUNS / 2]
            );
        }
    }
}

fn compare(column: &str, op: CompareOp, value: Literal) -> Predicate {
    Predicate::Compare { column: column.into(), op, value }
}

fn filters(bench: &Bench, table: &RecordBatch) {
    let chunk = [table.clone()];
    let plan =
        |predicate: Predicate| Plan { filter: Some(predicate), ..Plan::default() }.bind(&table.schema()).unwrap();
    for (name, bound) in [("filter v3>99", 99.0), ("filter v3>90", 90.0), ("filter v3>50", 50.0), ("filter v3>1", 1.0)]
    {
        let plan = plan(compare("v3", CompareOp::Gt, Literal::Float(bound)));
        let scalar = Scalar::new(Float64Array::from(vec![bound]));
        bench.task(
            name,
            &mut [
                ("bodkin", &mut || plan.execute(&chunk).unwrap().num_rows()),
                ("arrow", &mut || {
                    let mask = arrow_ord::cmp::gt(table.column(8), &scalar).unwrap();
                    arrow_select::filter::filter_record_batch(table, &mask).unwrap().num_rows()
                }),
            ],
        );
    }
    let plan_text = plan(compare("id1", CompareOp::Eq, Literal::Text("id042".into())));
    let scalar = Scalar::new(StringArray::from(vec!["id042"]));
    bench.task(
        "filter id1=id042",
        &mut [
            ("bodkin", &mut || plan_text.execute(&chunk).unwrap().num_rows()),
            ("arrow", &mut || {
                let mask = arrow_ord::cmp::eq(table.column(0), &scalar).unwrap();
                arrow_select::filter::filter_record_batch(table, &mask).unwrap().num_rows()
            }),
        ],
    );
    let both = plan(Predicate::And(vec![
        compare("v3", CompareOp::Gt, Literal::Float(50.0)),
        compare("v1", CompareOp::Eq, Literal::Int(3)),
    ]));
    let (half, three) = (Scalar::new(Float64Array::from(vec![50.0])), Scalar::new(Int32Array::from(vec![3])));
    bench.task(
        "filter v3>50 and v1=3",
        &mut [
            ("bodkin", &mut || both.execute(&chunk).unwrap().num_rows()),
            ("arrow", &mut || {
                let mask = arrow_arith::boolean::and(
                    &arrow_ord::cmp::gt(table.column(8), &half).unwrap(),
                    &arrow_ord::cmp::eq(table.column(6), &three).unwrap(),
                )
                .unwrap();
                arrow_select::filter::filter_record_batch(table, &mask).unwrap().num_rows()
            }),
        ],
    );
    let contains = plan(Predicate::Text {
        column: "id3".into(),
        test: TextTest::Contains,
        value: "42".into(),
        ignore_case: false,
    });
    let needle = Scalar::new(StringArray::from(vec!["42"]));
    bench.task(
        "filter id3 contains 42",
        &mut [
            ("bodkin", &mut || contains.execute(&chunk).unwrap().num_rows()),
            ("arrow", &mut || {
                let mask = arrow_string::like::contains(table.column(2), &needle).unwrap();
                arrow_select::filter::filter_record_batch(table, &mask).unwrap().num_rows()
            }),
        ],
    );
}

fn sorts(bench: &Bench, table: &RecordBatch) {
    for (name, column) in [("argsort id6", 5), ("argsort v3", 8), ("argsort id1", 0), ("argsort id3", 2)] {
        let array = table.column(column);
        bench.task(
            name,
            &mut [
                ("bodkin", &mut || kernels::sort_to_indices(array, SortOptions::default(), None).unwrap().len()),
                ("arrow", &mut || arrow_ord::sort::sort_to_indices(array, None, None).unwrap().len()),
            ],
        );
    }
    let two = |names: [&str; 2]| Plan {
        sort: names.map(|name| SortBy { column: name.into(), descending: false, nulls: Default::default() }).into(),
        ..Plan::default()
    };
    let plan = two(["id1", "v3"]).bind(&table.schema()).unwrap();
    let chunk = [table.clone()];
    let column = |index: usize| SortColumn { values: table.column(index).clone(), options: None };
    bench.task(
        "argsort id1, v3",
        &mut [
            ("bodkin", &mut || plan.select(&chunk).unwrap().len()),
            ("arrow", &mut || arrow_ord::sort::lexsort_to_indices(&[column(0), column(8)], None).unwrap().len()),
        ],
    );
    let top = Plan { limit: Some(100), sort: two(["v3", "v1"]).sort[..1].to_vec(), ..Plan::default() };
    let top = top.bind(&table.schema()).unwrap();
    bench.task(
        "top 100 by v3",
        &mut [
            ("bodkin", &mut || top.execute(&chunk).unwrap().num_rows()),
            ("arrow", &mut || {
                let order = arrow_ord::sort::sort_to_indices(table.column(8), None, Some(100)).unwrap();
                arrow_select::take::take_record_batch(table, &order).unwrap().num_rows()
            }),
        ],
    );
}

fn takes(bench: &Bench, table: &RecordBatch) {
    let rows = bench.rows;
    let mut shuffled: Vec<(u64, u32)> = (0..rows).map(|row| (number(row, 77, u64::MAX), row as u32)).collect();
    shuffled.sort_unstable();
    let order: Vec<u32> = shuffled.into_iter().map(|(_, row)| row).collect();
    let theirs = UInt32Array::from(order.clone());
    let ours = Indices::try_new(order, rows).unwrap();
    let batches = [table.clone()];
    bench.task(
        "take nine columns, random",
        &mut [
            ("bodkin", &mut || kernels::take_batches(&table.schema(), &batches, &ours).unwrap().num_rows()),
            ("arrow", &mut || arrow_select::take::take_record_batch(table, &theirs).unwrap().num_rows()),
        ],
    );
}

/// A question's name, its keys and its aggregates.
type Question<'a> = (&'a str, &'a [&'a str], &'a [(AggregateFunction, &'a str)]);

fn groups(bench: &Bench, table: &RecordBatch) {
    use AggregateFunction::{Count, Max, Mean, Min, Sum};
    let questions: [Question; 8] = [
        ("q1 id1: sum v1", &["id1"], &[(Sum, "v1")]),
        ("q2 id1,id2: sum v1", &["id1", "id2"], &[(Sum, "v1")]),
        ("q3 id3: sum v1, mean v3", &["id3"], &[(Sum, "v1"), (Mean, "v3")]),
        ("q4 id4: mean v1,v2,v3", &["id4"], &[(Mean, "v1"), (Mean, "v2"), (Mean, "v3")]),
        ("q5 id6: sum v1,v2,v3", &["id6"], &[(Sum, "v1"), (Sum, "v2"), (Sum, "v3")]),
        ("q7 id3: max v1, min v2", &["id3"], &[(Max, "v1"), (Min, "v2")]),
        ("q9 id2,id4: sum v1, sum v2", &["id2", "id4"], &[(Sum, "v1"), (Sum, "v2")]),
        ("q10 id1..id6: sum v3, count", &["id1", "id2", "id3", "id4", "id5", "id6"], &[(Sum, "v3"), (Count, "v1")]),
    ];
    let chunk = [table.clone()];
    for (name, keys, aggregates) in questions {
        let plan = Plan {
            group_by: keys.iter().map(|&key| key.to_owned()).collect(),
            aggregates: aggregates
                .iter()
                .map(|&(function, column)| Aggregate { function, column: Some(column.into()), name: None })
                .collect(),
            ..Plan::default()
        };
        let plan = plan.bind(&table.schema()).unwrap();
        bench.task(name, &mut [("bodkin", &mut || plan.execute(&chunk).unwrap().num_rows())]);
    }
}

fn main() {
    let rows =
        std::env::var("ROWS").ok().and_then(|rows| rows.parse::<f64>().ok()).map_or(1_000_000, |rows| rows as usize);
    // cargo gives the bench harness's own flag.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let bench = Bench { only, rows };
    let table = table(rows);
    filters(&bench, &table);
    takes(&bench, &table);
    sorts(&bench, &table);
    groups(&bench, &table);
}
