//! The kernels' tasks, timed in this process: natively, or in WASM under a WASI host.
//!
//! `speed ROWS RUNS` prints one JSON line for each task: the minimum of the runs in milliseconds, and a checksum.
//! `wasm/compare.mjs` builds it both ways and compares.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it fails"
)]

use std::hint::black_box;
use std::time::Instant;

use arrow_array::{Array, RecordBatch};
use benches::{floats, ints, number, words};
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Plan, Predicate, Scalar, SortBy, TextTest};
use kernels::{Backend, Indices};

fn compare(column: &str, op: CompareOp, value: Scalar) -> Plan {
    Plan { filter: Some(Predicate::Compare { column: column.into(), op, value }), ..Plan::default() }
}

fn sort(columns: &[&str], limit: Option<usize>) -> Plan {
    let key = |column: &&str| SortBy { column: (*column).into(), descending: false, nulls: Default::default() };
    Plan { sort: columns.iter().map(key).collect(), limit, ..Plan::default() }
}

fn group(keys: &[&str], aggregates: &[(AggregateFunction, &str)]) -> Plan {
    let aggregate = |(function, column): &(AggregateFunction, &str)| Aggregate {
        function: *function,
        column: Some((*column).into()),
        other: None,
        name: None,
    };
    Plan {
        group_by: keys.iter().map(|key| (*key).into()).collect(),
        aggregates: aggregates.iter().map(aggregate).collect(),
        ..Plan::default()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number_of = |at: usize, otherwise| arguments.get(at).map_or(otherwise, |text| text.parse().unwrap());
    let (rows, runs) = (number_of(0, 1_000_000), number_of(1, 5));
    let is_wanted = |task: &str| arguments.get(2).is_none_or(|part| task.contains(part.as_str()));
    let table = RecordBatch::try_from_iter([
        ("few", words(rows, 100)),
        ("many", words(rows, 100_000)),
        ("int", ints(rows, 100_000)),
        ("small", ints(rows, 50)),
        ("float", floats(rows)),
    ])
    .unwrap();
    let tables = [table.clone()];
    use AggregateFunction as F;
    let contains =
        Predicate::Text { column: "many".into(), test: TextTest::Contains, value: "42".into(), ignore_case: false };
    let plans = [
        ("filter float, 10 %", compare("float", CompareOp::Gt, Scalar::Float(90.0))),
        ("filter float, 99 %", compare("float", CompareOp::Gt, Scalar::Float(1.0))),
        ("filter text equal", compare("few", CompareOp::Eq, Scalar::Text("id042".into()))),
        ("filter text contains", Plan { filter: Some(contains), ..Plan::default() }),
        ("sort int", sort(&["int"], None)),
        ("sort float", sort(&["float"], None)),
        ("sort text", sort(&["many"], None)),
        ("sort text, float", sort(&["few", "float"], None)),
        ("sort float, first 100", sort(&["float"], Some(100))),
        ("group text, few", group(&["few"], &[(F::Sum, "int")])),
        ("group text, many", group(&["many"], &[(F::Sum, "int"), (F::Mean, "float")])),
        ("group int, many", group(&["int"], &[(F::Sum, "small"), (F::Min, "float")])),
        ("group two, median", group(&["few", "small"], &[(F::Median, "float"), (F::Stddev, "float")])),
    ];
    let report = |task: &str, milliseconds: f64, checksum: u64| {
        let line = serde_json::json!({
            "task": task, "ms_min": milliseconds, "rows_in": rows, "checksum": checksum,
            "backend": format!("{:?}", Backend::current()),
        });
        println!("{line}");
    };
    let least = |run: &dyn Fn() -> u64| -> (f64, u64) {
        let mut best = (f64::INFINITY, 0);
        for _ in 0..runs.max(1) {
            let begin = Instant::now();
            let checksum = black_box(run());
            best = (best.0.min(begin.elapsed().as_secs_f64() * 1e3), checksum);
        }
        best
    };
    for (task, plan) in plans.into_iter().filter(|(task, _)| is_wanted(task)) {
        let bound = plan.bind(&table.schema()).unwrap();
        let run = || -> u64 {
            if plan.sort.is_empty() || plan.limit.is_some() {
                return bound.execute(&tables).unwrap().num_rows() as u64;
            }
            let order = bound.select(&tables).unwrap();
            order.as_slice().iter().step_by(1_001).map(|&row| u64::from(row)).sum()
        };
        let (milliseconds, checksum) = least(&run);
        report(task, milliseconds, checksum);
    }
    // Row numbers alone, as a view takes them.
    for (task, column, value) in
        [("rows of ints, 10 %", "int", Scalar::Int(90_000)), ("rows of floats, 10 %", "float", Scalar::Float(90.0))]
    {
        if !is_wanted(task) {
            continue;
        }
        let bound = compare(column, CompareOp::Gt, value).bind(&table.schema()).unwrap();
        let run = || -> u64 { bound.select(&tables).unwrap().as_slice().len() as u64 };
        let (milliseconds, checksum) = least(&run);
        report(task, milliseconds, checksum);
    }
    let order: Vec<u32> = (0..rows).map(|row| number(row, 9, rows as u64) as u32).collect();
    let order = Indices::try_new(order, rows).unwrap();
    for (task, column) in [("take int", "int"), ("take float", "float"), ("take text", "many")] {
        if !is_wanted(task) {
            continue;
        }
        let column = table.column_by_name(column).unwrap();
        let run = || -> u64 { kernels::take(column.as_ref(), &order).unwrap().len() as u64 };
        let (milliseconds, checksum) = least(&run);
        report(task, milliseconds, checksum);
    }
}
