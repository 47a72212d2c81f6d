//! Filter, take, sort and group-by beside arrow-rs.
//!
//! arrow-rs has no hash group-by; its nearest way is to sort, cut into runs and aggregate each run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make the functions; a benchmark stops where it fails"
)]

use std::hint::black_box;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, Scalar, StringArray, UInt32Array};
use arrow_ord::sort::SortColumn;
use benches::{ROWS, floats, ints, number, words};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Plan, Predicate, Scalar as Literal};
use kernels::{Indices, Mask, SortOptions};

fn table() -> RecordBatch {
    let columns: [(&str, ArrayRef); 3] = [("id", words(ROWS, 100)), ("v1", ints(ROWS, 1_000)), ("v3", floats(ROWS))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn pair<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    ours: &mut dyn FnMut(),
    theirs: &mut dyn FnMut(),
) -> BenchmarkGroup<'a, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20).measurement_time(Duration::from_secs(3));
    group.bench_function("kernels", |bencher| bencher.iter(&mut *ours));
    group.bench_function("arrow", |bencher| bencher.iter(&mut *theirs));
    group
}

fn compare_and_filter(criterion: &mut Criterion) {
    let table = table();
    for (name, bound) in [("filter/10 percent", 90.0), ("filter/99 percent", 1.0)] {
        let predicate = Predicate::Compare { column: "v3".into(), op: CompareOp::Gt, value: Literal::Float(bound) };
        let plan = Plan { filter: Some(predicate), ..Plan::default() }.bind(&table.schema()).unwrap();
        let chunk = [table.clone()];
        let scalar = Scalar::new(Float64Array::from(vec![bound]));
        pair(
            criterion,
            name,
            &mut || {
                black_box(plan.execute(&chunk).unwrap());
            },
            &mut || {
                let mask = arrow_ord::cmp::gt(table.column(2), &scalar).unwrap();
                black_box(arrow_select::filter::filter_record_batch(&table, &mask).unwrap());
            },
        )
        .finish();
    }
    let predicate = Predicate::Compare { column: "id".into(), op: CompareOp::Eq, value: Literal::Text("id042".into()) };
    let plan = Plan { filter: Some(predicate), ..Plan::default() }.bind(&table.schema()).unwrap();
    let chunk = [table.clone()];
    let scalar = Scalar::new(StringArray::from(vec!["id042"]));
    pair(
        criterion,
        "filter/text equal, 1 percent",
        &mut || {
            black_box(plan.execute(&chunk).unwrap());
        },
        &mut || {
            let mask = arrow_ord::cmp::eq(table.column(0), &scalar).unwrap();
            black_box(arrow_select::filter::filter_record_batch(&table, &mask).unwrap());
        },
    )
    .finish();
    // The compaction alone.
    let mask = arrow_ord::cmp::gt(table.column(2), &Scalar::new(Float64Array::from(vec![50.0]))).unwrap();
    let ours = Mask::new(mask.values().clone());
    for (name, column) in [("filter/ints by mask", 1), ("filter/text by mask", 0)] {
        pair(
            criterion,
            name,
            &mut || {
                black_box(kernels::filter(table.column(column), &ours).unwrap());
            },
            &mut || {
                black_box(arrow_select::filter::filter(table.column(column), &mask).unwrap());
            },
        )
        .finish();
    }
}

fn take(criterion: &mut Criterion) {
    let rows: Vec<u32> = (0..ROWS).map(|row| number(row, 9, ROWS as u64) as u32).collect();
    let theirs = UInt32Array::from(rows.clone());
    let ours = Indices::try_new(rows, ROWS).unwrap();
    for (name, array) in
        [("take/ints", ints(ROWS, 1_000)), ("take/floats", floats(ROWS)), ("take/text", words(ROWS, 100))]
    {
        pair(
            criterion,
            name,
            &mut || {
                black_box(kernels::take(&array, &ours).unwrap());
            },
            &mut || {
                black_box(arrow_select::take::take(&array, &theirs, None).unwrap());
            },
        )
        .finish();
    }
}

fn sort(criterion: &mut Criterion) {
    let arrays =
        [("sort/ints", ints(ROWS, 1 << 31)), ("sort/floats", floats(ROWS)), ("sort/text", words(ROWS, 100_000))];
    for (name, array) in arrays {
        pair(
            criterion,
            name,
            &mut || {
                black_box(kernels::sort_to_indices(&array, SortOptions::default(), None).unwrap());
            },
            &mut || {
                black_box(arrow_ord::sort::sort_to_indices(&array, None, None).unwrap());
            },
        )
        .finish();
    }
    let array = ints(ROWS, 1 << 31);
    pair(
        criterion,
        "sort/ints, first 100",
        &mut || {
            black_box(kernels::sort_to_indices(&array, SortOptions::default(), Some(100)).unwrap());
        },
        &mut || {
            black_box(arrow_ord::sort::sort_to_indices(&array, None, Some(100)).unwrap());
        },
    )
    .finish();
}

/// Sums per key the way that arrow-rs offers: sort, cut into runs, sum each run.
fn sums_by_sort(keys: &ArrayRef, values: &ArrayRef) -> usize {
    let column = |values: &ArrayRef| SortColumn { values: values.clone(), options: None };
    let order = arrow_ord::sort::lexsort_to_indices(&[column(keys)], None).unwrap();
    let keys = arrow_select::take::take(keys, &order, None).unwrap();
    let values = arrow_select::take::take(values, &order, None).unwrap();
    let values = arrow_cast::cast(&values, &arrow_schema::DataType::Int64).unwrap();
    let values = values.as_primitive::<Int64Type>();
    let runs = arrow_ord::partition::partition(&[keys]).unwrap().ranges();
    let sums = runs.iter().map(|run| arrow_arith::aggregate::sum(&values.slice(run.start, run.len())));
    sums.collect::<Vec<_>>().len()
}

fn group(criterion: &mut Criterion) {
    for (name, kinds) in [("group/100 text keys, sum", 100), ("group/100,000 text keys, sum", 100_000)] {
        let (keys, values) = (words(ROWS, kinds), ints(ROWS, 1_000));
        let table = RecordBatch::try_from_iter([("k", keys.clone()), ("v", values.clone())]).unwrap();
        let sum = Aggregate { function: AggregateFunction::Sum, column: Some("v".into()), other: None, name: None };
        let plan = Plan { group_by: vec!["k".into()], aggregates: vec![sum], ..Plan::default() };
        let plan = plan.bind(&table.schema()).unwrap();
        let chunk = [table];
        assert_eq!(plan.execute(&chunk).unwrap().num_rows(), sums_by_sort(&keys, &values));
        pair(
            criterion,
            name,
            &mut || {
                black_box(plan.execute(&chunk).unwrap());
            },
            &mut || {
                black_box(sums_by_sort(&keys, &values));
            },
        )
        .finish();
    }
}

criterion_group!(all, compare_and_filter, take, sort, group);
criterion_main!(all);
