//! Group-by against a plain map of formatted keys, for every key type, over chunks and merges.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use common::{Random, array, cut_batch, types};
use kernels::query::AggregateFunction as F;
use kernels::{Error, GroupBy};
use proptest::prelude::*;

/// The text of each row; equal values have equal texts (floats are made canonical).
fn texts(values: &ArrayRef) -> Vec<Option<String>> {
    let values = match values.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let wide = cast(values, &DataType::Float64).unwrap();
            let canonical: Float64Array =
                wide.as_primitive::<Float64Type>().unary(|v| if v.is_nan() { f64::NAN } else { v + 0.0 });
            Arc::new(canonical) as ArrayRef
        }
        DataType::Binary | DataType::FixedSizeBinary(_) => values.clone(),
        _ => values.clone(),
    };
    let options = FormatOptions::default();
    let raw = if values.data_type().is_temporal() && !matches!(values.data_type(), DataType::Date64) {
        cast(&values, &DataType::Int64).unwrap()
    } else {
        values.clone()
    };
    let formatter = ArrayFormatter::try_new(raw.as_ref(), &options).unwrap();
    let nulls = values.logical_nulls();
    (0..values.len())
        .map(|row| nulls.as_ref().is_none_or(|n| n.is_valid(row)).then(|| formatter.value(row).to_string()))
        .collect()
}

fn grouped(keys: &[ArrayRef]) -> (Vec<usize>, Vec<usize>) {
    let texts: Vec<_> = keys.iter().map(texts).collect();
    let mut seen: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    let mut firsts = Vec::new();
    let rows = keys.first().map_or(0, |key| key.len());
    let ids = (0..rows)
        .map(|row| {
            let key: Vec<_> = texts.iter().map(|column| column[row].clone()).collect();
            let next = seen.len();
            *seen.entry(key).or_insert_with(|| {
                firsts.push(row);
                next
            })
        })
        .collect();
    (ids, firsts)
}

fn run(
    batches: &[RecordBatch],
    keys: usize,
    aggregates: &[(F, Vec<DataType>)],
    merge: bool,
) -> (Vec<ArrayRef>, Vec<ArrayRef>) {
    let schema = batches[0].schema();
    let key_types: Vec<DataType> = (0..keys).map(|key| schema.field(key).data_type().clone()).collect();
    let mut state = GroupBy::try_new(&key_types, aggregates).unwrap();
    for batch in batches {
        let columns: Vec<&dyn Array> = batch.columns().iter().map(|column| column.as_ref()).collect();
        let values: Vec<Vec<&dyn Array>> =
            aggregates.iter().map(|(_, types)| columns[keys..][..types.len()].to_vec()).collect();
        if merge {
            let mut part = GroupBy::try_new(&key_types, aggregates).unwrap();
            part.update(batch.num_rows(), &columns[..keys], &values).unwrap();
            state.merge(&part).unwrap();
        } else {
            state.update(batch.num_rows(), &columns[..keys], &values).unwrap();
        }
    }
    let (keys, values) = (state.key_arrays().unwrap(), state.aggregate_arrays().unwrap());
    keys.iter().chain(&values).for_each(|array| array.to_data().validate_full().unwrap());
    (keys, values)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_of_every_type(seed: u64, rows in 1usize..300, nulls in 0usize..3, extra in 0usize..3, merge: bool) {
        let mut random = Random::new(seed);
        let all = types();
        for data_type in all.iter().chain([&DataType::Decimal256(50, 2), &DataType::Null]) {
            let mut keys = vec![if *data_type == DataType::Null {
                Arc::new(NullArray::new(rows)) as ArrayRef
            } else {
                array(&mut random, data_type, rows, nulls * 30)
            }];
            for _ in 0..extra {
                let other = &all[random.below(all.len())];
                keys.push(array(&mut random, other, rows, nulls * 30));
            }
            let values = array(&mut random, &DataType::Int32, rows, 20);
            let mut columns: Vec<(String, ArrayRef)> = keys.iter().enumerate().map(|(n, key)| (format!("k{n}"), key.clone())).collect();
            columns.push(("v".into(), values.clone()));
            let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
            let aggregates = [(F::Count, vec![]), (F::Count, vec![DataType::Int32]), (F::Sum, vec![DataType::Int32]), (F::Mean, vec![DataType::Int32])];
            let (ours, aggregated) = run(&cut_batch(&mut random, &batch), keys.len(), &aggregates, merge);

            let (ids, firsts) = grouped(&keys);
            let rows_of = UInt32Array::from(firsts.iter().map(|&row| row as u32).collect::<Vec<_>>());
            for (key, ours) in keys.iter().zip(&ours) {
                let expected = arrow_select::take::take(key, &rows_of, None).unwrap();
                prop_assert_eq!(ours.data_type(), key.data_type());
                prop_assert_eq!(texts(ours), texts(&expected), "keys of type {}", data_type);
            }
            let values = values.as_primitive::<Int32Type>();
            let mut expected = vec![(0i64, 0i64, 0i64); firsts.len()];
            for (row, &id) in ids.iter().enumerate() {
                expected[id].0 += 1;
                if values.is_valid(row) {
                    expected[id].1 += 1;
                    expected[id].2 += i64::from(values.value(row));
                }
            }
            let column = |n: usize| aggregated[n].as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
            prop_assert_eq!(column(0), expected.iter().map(|e| Some(e.0)).collect::<Vec<_>>());
            prop_assert_eq!(column(1), expected.iter().map(|e| Some(e.1)).collect::<Vec<_>>());
            prop_assert_eq!(column(2), expected.iter().map(|e| (e.1 > 0).then_some(e.2)).collect::<Vec<_>>());
            let means: Vec<_> = aggregated[3].as_primitive::<Float64Type>().iter().collect();
            prop_assert_eq!(means, expected.iter().map(|e| (e.1 > 0).then(|| e.2 as f64 / e.1 as f64)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn extremes_agree_with_arrow(seed: u64, rows in 1usize..200, nulls in 0usize..3, merge: bool) {
        let mut random = Random::new(seed);
        for data_type in types().into_iter().filter(|data_type| *data_type != DataType::Null) {
            let values = array(&mut random, &data_type, rows, nulls * 45);
            let batch = RecordBatch::try_from_iter_with_nullable([("v", values.clone(), true)]).unwrap();
            let aggregates = [(F::Min, vec![data_type.clone()]), (F::Max, vec![data_type.clone()])];
            let (_, ours) = run(&cut_batch(&mut random, &batch), 0, &aggregates, merge);
            let plain = match &data_type {
                DataType::Dictionary(_, inner) => cast(&values, inner).unwrap(),
                _ => values,
            };
            // The definition: the first and the last row in arrow-ord's order.
            let compare = arrow_ord::ord::make_comparator(&plain, &plain, arrow_schema::SortOptions::default()).unwrap();
            let valid: Vec<usize> = (0..rows).filter(|&row| plain.is_valid(row)).collect();
            for (ours, best) in ours.iter().zip([
                valid.iter().copied().min_by(|&a, &b| compare(a, b)),
                valid.iter().copied().max_by(|&a, &b| compare(a, b)),
            ]) {
                prop_assert_eq!(ours.data_type(), plain.data_type());
                match best {
                    None => prop_assert!(ours.is_null(0)),
                    Some(row) => prop_assert_eq!(&ours.to_data(), &plain.slice(row, 1).to_data(), "{}", data_type),
                }
            }
        }
    }
}

#[test]
fn sums_of_every_number_type() {
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(-5), Some(100)]));
    for data_type in [
        DataType::Int8,
        DataType::Int64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(10, 2),
        DataType::Decimal256(60, 2),
        DataType::Decimal64(12, 2),
        DataType::Decimal32(6, 1),
    ] {
        let values = cast(&ints, &data_type).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable([("v", values, true)]).unwrap();
        let aggregates = [(F::Sum, vec![data_type.clone()]), (F::Mean, vec![data_type.clone()])];
        let (_, ours) = run(&[batch], 0, &aggregates, false);
        let sum = cast(&ours[0], &DataType::Float64).unwrap();
        assert_eq!(sum.as_primitive::<Float64Type>().value(0), 96.0, "{data_type}");
        assert_eq!(ours[1].as_primitive::<Float64Type>().value(0), 32.0, "{data_type}");
    }
}

#[test]
fn an_overflowing_sum_is_an_error_and_order_does_not_matter() {
    let sum = |values: Vec<i64>| {
        let mut state = GroupBy::try_new(&[], &[(F::Sum, vec![DataType::Int64])]).unwrap();
        let array = Int64Array::from(values);
        state.update(array.len(), &[], &[vec![&array as &dyn Array]]).unwrap();
        state.aggregate_arrays().map(|arrays| arrays[0].as_primitive::<Int64Type>().value(0))
    };
    assert_eq!(sum(vec![i64::MAX, 1, -1]), Ok(i64::MAX));
    assert!(matches!(sum(vec![i64::MAX, 1]).map_err(|error| *error), Err(Error::Overflow { operation: "sum", .. })));
}

#[test]
fn no_rows_make_one_group_without_keys_and_none_with_keys() {
    let state = GroupBy::try_new(&[], &[(F::Count, vec![]), (F::Sum, vec![DataType::Int32])]).unwrap();
    let arrays = state.aggregate_arrays().unwrap();
    assert_eq!(arrays[0].as_primitive::<Int64Type>().value(0), 0);
    assert!(arrays[1].is_null(0));
    let state = GroupBy::try_new(&[DataType::Utf8], &[(F::Count, vec![])]).unwrap();
    assert_eq!((state.groups(), state.key_arrays().unwrap()[0].len()), (0, 0));
}

#[test]
fn aggregates_that_make_no_sense_are_refused() {
    for (function, data_type) in [(F::Mean, DataType::Utf8), (F::Sum, DataType::Boolean), (F::Mean, DataType::Date32)] {
        let error = GroupBy::try_new(&[], &[(function, vec![data_type])]).unwrap_err();
        assert!(matches!(*error, Error::UnsupportedAggregate { .. }), "{error}");
    }
}
