//! Tables that are large enough for clusters, partitions and threads, with one thread and with several.
#![cfg(not(miri))]
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, SortOptions as ArrowOptions};
use common::{Random, array};
use kernels::query::{Aggregate, AggregateFunction as F, CompareOp, Plan, Predicate, Scalar, SortBy};
use kernels::{Indices, Mask, SortKey, SortOptions};

const ROWS: usize = 600_000;

/// Runs with one thread and, where the feature is on, with three.
fn on_threads(run: impl Fn() + Sync) {
    #[cfg(feature = "parallel")]
    for threads in [1, 3] {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&run);
    }
    #[cfg(not(feature = "parallel"))]
    run();
}

/// Text of one length.
fn codes(random: &mut Random, length: usize, kinds: usize) -> ArrayRef {
    let code = |random: &mut Random| format!("{:0length$}", random.below(kinds));
    Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| code(random))))
}

fn columns(random: &mut Random) -> Vec<ArrayRef> {
    let types = [
        DataType::Boolean,
        DataType::UInt8,
        DataType::Int32,
        DataType::Float64,
        DataType::Decimal128(20, 3),
        DataType::Decimal256(50, 3),
        DataType::Utf8,
        DataType::Binary,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
    ];
    let mut columns: Vec<ArrayRef> = Vec::new();
    for data_type in &types {
        columns.push(array(random, data_type, ROWS, 0));
        columns.push(array(random, data_type, ROWS, 20));
    }
    for length in [1, 5, 8, 9, 12, 16, 17] {
        columns.push(codes(random, length, 10usize.pow(length.min(6) as u32)));
    }
    // Of nearly one length, and short text of any.
    let odd = |row: usize| if row == ROWS - 1 { "five!" } else { "four" };
    columns.push(Arc::new(StringArray::from_iter_values((0..ROWS).map(odd))));
    columns.push(Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| "x".repeat(random.below(9))))));
    columns
}

#[test]
fn rows_in_any_order_are_gathered() {
    let mut random = Random::new(3);
    let columns = columns(&mut random);
    let mut shuffled: Vec<u32> = (0..ROWS as u32).collect();
    (1..ROWS).rev().for_each(|row| shuffled.swap(row, random.below(row + 1)));
    let orders = [
        shuffled.clone(),
        shuffled.iter().map(|row| row / 7 * 7).chain(0..50_000).collect(),
        (0..ROWS as u32).rev().collect(),
        (0..ROWS as u32).filter(|row| row % 3 == 0).collect(),
    ];
    on_threads(|| {
        for order in &orders {
            let rows = Indices::try_new(order.clone(), ROWS).unwrap();
            let theirs = UInt32Array::from(order.clone());
            for column in &columns {
                let taken = kernels::take(column, &rows).unwrap();
                taken.to_data().validate_full().unwrap();
                let expected = arrow_select::take::take(column, &theirs, None).unwrap();
                assert!(taken.as_ref() == expected.as_ref(), "{:?}", column.data_type());
            }
        }
    });
}

#[test]
fn many_rows_of_many_columns_are_gathered_by_clusters() {
    let rows = (1 << 22) + 5;
    let mut random = Random::new(31);
    let text = |length: usize| -> ArrayRef {
        let value = move |row: usize| format!("{row:08}")[..if length == 8 { row % 9 } else { length }].to_owned();
        Arc::new(StringArray::from_iter_values((0..rows).map(value)))
    };
    let ints = (0..rows).map(|row| (row % 11 != 0).then_some(row as i32)).collect::<Int32Array>();
    let floats = Float64Array::from_iter_values((0..rows).map(|row| row as f64));
    let columns = [("a", Arc::new(ints) as ArrayRef), ("b", Arc::new(floats)), ("c", text(5)), ("d", text(8))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let order: Vec<u32> = (0..rows).map(|_| random.below(rows) as u32).collect();
    let expected = arrow_select::take::take_record_batch(&batch, &UInt32Array::from(order.clone())).unwrap();
    let order = Indices::try_new(order, rows).unwrap();
    on_threads(|| {
        assert!(kernels::take_batches(&batch.schema(), std::slice::from_ref(&batch), &order).unwrap() == expected)
    });
}

#[test]
fn rows_are_filtered() {
    let mut random = Random::new(4);
    let columns = columns(&mut random);
    let fields = columns.iter().enumerate().map(|(number, column)| (number.to_string(), column.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(fields).unwrap();
    for kept in [1, 3, 10, 50, 99] {
        let bits = BooleanBuffer::collect_bool(ROWS, |row| random.chance(kept) && row / 10_000 % 9 != 0);
        let expected =
            arrow_select::filter::filter_record_batch(&batch, &BooleanArray::new(bits.clone(), None)).unwrap();
        let mask = Mask::new(bits);
        on_threads(|| {
            let filtered = kernels::filter_batch(&batch, &mask).unwrap();
            assert!(filtered == expected, "{kept} %");
        });
    }
}

#[test]
fn rows_are_sorted() {
    let mut random = Random::new(5);
    let number = |random: &mut Random, kinds: usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|_| random.below(kinds) as i64 - 100)))
    };
    let sorted: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| row / 3)));
    let broken: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| if row == 400_000 { 0 } else { row / 3 })));
    let keys: Vec<Vec<ArrayRef>> = vec![
        vec![array(&mut random, &DataType::Float64, ROWS, 10)],
        vec![array(&mut random, &DataType::Utf8, ROWS, 10)],
        vec![array(&mut random, &DataType::Decimal128(20, 3), ROWS, 0)],
        vec![codes(&mut random, 12, 1_000_000)],
        vec![number(&mut random, 3), codes(&mut random, 5, 1000), array(&mut random, &DataType::Float64, ROWS, 0)],
        vec![number(&mut random, usize::MAX / 2), array(&mut random, &DataType::Int64, ROWS, 50)],
        vec![number(&mut random, 1)],
        vec![number(&mut random, 900)],
        vec![sorted],
        vec![broken],
    ];
    for (keys, descending) in keys.iter().zip([false, true].into_iter().cycle()) {
        let options = SortOptions { descending, ..SortOptions::default() };
        let theirs = ArrowOptions { descending, nulls_first: options.nulls == kernels::query::Nulls::First };
        let compare: Vec<_> = keys.iter().map(|key| make_comparator(key, key, theirs).unwrap()).collect();
        let mut expected: Vec<u32> = (0..ROWS as u32).collect();
        expected.sort_by(|&a, &b| {
            let mut orders = compare.iter().map(|compare| compare(a as usize, b as usize));
            orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        on_threads(|| {
            // In two chunks, the second of which does not begin where vectors do.
            let cut = |key: &ArrayRef| [key.slice(0, 250_001), key.slice(250_001, ROWS - 250_001)];
            let chunks: Vec<[ArrayRef; 2]> = keys.iter().map(cut).collect();
            let chunked = chunks.iter().map(|chunks| vec![chunks[0].as_ref(), chunks[1].as_ref()]);
            let whole = keys.iter().map(|key| vec![key.as_ref()]);
            for (limit, keys) in
                [(None, chunked.clone().collect::<Vec<_>>()), (None, whole.collect()), (Some(100), chunked.collect())]
            {
                let keys: Vec<SortKey<'_>> = keys.into_iter().map(|chunks| SortKey { chunks, options }).collect();
                let order = kernels::sort_keys_to_indices(&keys, limit).unwrap();
                assert!(order.as_slice() == &expected[..limit.unwrap_or(ROWS)], "{:?}", keys[0].chunks[0].data_type());
            }
        });
    }
}

/// Few groups, many groups and as many groups as rows; in one batch and in many.
#[test]
fn rows_are_grouped() {
    let mut random = Random::new(6);
    let aggregate =
        |function, column: &str| Aggregate { function, column: Some(column.into()), other: None, name: None };
    for kinds in [5, 3_000, 50_000, 1 << 31] {
        let key: Vec<i64> = (0..ROWS).map(|_| random.below(kinds) as i64 * 1_000_003).collect();
        let value: Vec<i32> = (0..ROWS).map(|_| random.below(2_000) as i32 - 1_000).collect();
        let text: ArrayRef =
            Arc::new(StringArray::from_iter_values(key.iter().map(|key| format!("key {}", key % 999_983))));
        let float: Float64Array = value.iter().map(|&value| Some(f64::from(value) / 4.0)).collect();
        let batch = RecordBatch::try_from_iter([
            ("key", Arc::new(Int64Array::from(key.clone())) as ArrayRef),
            ("text", text),
            ("value", Arc::new(Int32Array::from(value.clone()))),
            ("float", Arc::new(float)),
        ])
        .unwrap();
        let functions = [F::Sum, F::Min, F::Max, F::First, F::Last, F::CountDistinct, F::Median];
        for filter in
            [None, Some(Predicate::Compare { column: "value".into(), op: CompareOp::GtEq, value: Scalar::Int(-500) })]
        {
            // The definition: keys in the order of their first rows, with their values.
            let mut groups: Vec<(i64, Vec<i32>)> = Vec::new();
            let mut numbers: HashMap<i64, usize> = HashMap::new();
            for (&key, &value) in key.iter().zip(&value).filter(|(_, value)| filter.is_none() || **value >= -500) {
                let number = *numbers.entry(key).or_insert_with(|| {
                    groups.push((key, Vec::new()));
                    groups.len() - 1
                });
                groups[number].1.push(value);
            }
            groups.iter_mut().for_each(|group| group.1.shrink_to_fit());
            let mut aggregates: Vec<Aggregate> =
                functions.iter().map(|&function| aggregate(function, "value")).collect();
            aggregates.push(Aggregate {
                function: F::Sum,
                column: Some("float".into()),
                other: None,
                name: Some("f".into()),
            });
            let plan = Plan { filter, group_by: vec!["key".into(), "text".into()], aggregates, ..Plan::default() };
            let bound = plan.bind(&batch.schema()).unwrap();
            let pieces: Vec<RecordBatch> =
                (0..ROWS).step_by(70_001).map(|start| batch.slice(start, 70_001.min(ROWS - start))).collect();
            on_threads(|| {
                for batches in [std::slice::from_ref(&batch), &pieces] {
                    let result = bound.execute(batches).unwrap();
                    assert_eq!(result.num_rows(), groups.len());
                    let keys = result.column(0).as_primitive::<Int64Type>().values();
                    assert!(keys.iter().eq(groups.iter().map(|group| &group.0)));
                    let column = |number: usize| cast(result.column(number), &DataType::Float64).unwrap();
                    let columns: Vec<ArrayRef> = (2..result.num_columns()).map(column).collect();
                    for (row, (_, values)) in groups.iter().enumerate() {
                        let mut ordered = values.clone();
                        ordered.sort_unstable();
                        let (least, greatest) = (ordered[0], ordered[ordered.len() - 1]);
                        let middle = f64::from(ordered[ordered.len() / 2] + ordered[(ordered.len() - 1) / 2]) / 2.0;
                        ordered.dedup();
                        let sum = f64::from(values.iter().sum::<i32>());
                        let ends = (f64::from(values[0]), f64::from(values[values.len() - 1]));
                        let expected = [
                            sum,
                            least.into(),
                            greatest.into(),
                            ends.0,
                            ends.1,
                            ordered.len() as f64,
                            middle,
                            sum / 4.0,
                        ];
                        for (column, expected) in columns.iter().zip(expected) {
                            assert_eq!(
                                column.as_primitive::<Float64Type>().value(row),
                                expected,
                                "{kinds} kinds, group {row}"
                            );
                        }
                    }
                }
            });
        }
    }
}

#[test]
fn a_plan_gives_the_same_rows_with_any_number_of_threads() {
    let mut random = Random::new(8);
    let columns = columns(&mut random);
    let fields = columns.iter().enumerate().map(|(number, column)| (format!("c{number}"), column.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(fields).unwrap();
    let at_least = |value| Predicate::Compare { column: "c4".into(), op: CompareOp::GtEq, value: Scalar::Int(value) };
    let plans = [
        Plan { filter: Some(at_least(3)), ..Plan::default() },
        Plan {
            filter: Some(Predicate::Not(Box::new(at_least(1)))),
            sort: vec![SortBy { column: "c6".into(), descending: false, nulls: Default::default() }],
            ..Plan::default()
        },
        Plan {
            sort: vec![SortBy { column: "c12".into(), descending: true, nulls: Default::default() }],
            limit: Some(1_000),
            offset: 17,
            ..Plan::default()
        },
    ];
    for plan in plans {
        let bound = plan.bind(&batch.schema()).unwrap();
        let expected = bound.select(std::slice::from_ref(&batch)).unwrap();
        let rows = kernels::take_batches(&batch.schema(), std::slice::from_ref(&batch), &expected).unwrap();
        on_threads(|| {
            assert_eq!(bound.select(std::slice::from_ref(&batch)).unwrap().as_slice(), expected.as_slice());
            assert!(bound.execute(std::slice::from_ref(&batch)).unwrap() == rows);
        });
    }
}
