//! Every aggregate against its definition, over chunks and merged states.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use common::{Random, array, cut_batch, types};
use kernels::query::{Aggregate, AggregateFunction as F, Fraction, Plan};
use kernels::{Error, GroupBy};
use proptest::prelude::*;

/// Runs one aggregate over a table of a key and the aggregate's columns; `merge` makes a state for each batch.
fn run(batches: &[RecordBatch], function: F, merge: bool) -> ArrayRef {
    let schema = batches[0].schema();
    let keys = [schema.field(0).data_type().clone()];
    let inputs: Vec<DataType> = schema.fields()[1..].iter().map(|field| field.data_type().clone()).collect();
    let aggregates = [(function, inputs)];
    let mut state = GroupBy::try_new(&keys, &aggregates).unwrap();
    for batch in batches {
        let columns: Vec<&dyn Array> = batch.columns().iter().map(|column| column.as_ref()).collect();
        let values = [columns[1..].to_vec()];
        if merge {
            let mut part = GroupBy::try_new(&keys, &aggregates).unwrap();
            part.update(batch.num_rows(), &columns[..1], &values).unwrap();
            state.merge(&part).unwrap();
        } else {
            state.update(batch.num_rows(), &columns[..1], &values).unwrap();
        }
    }
    let result = state.aggregate_arrays().unwrap().remove(0);
    result.to_data().validate_full().unwrap();
    result
}

/// The rows of each group in the order of the groups' first rows.
fn groups(keys: &Int32Array) -> Vec<Vec<usize>> {
    let mut order: Vec<Option<i32>> = Vec::new();
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for (row, key) in keys.iter().enumerate() {
        let group = order.iter().position(|other| *other == key).unwrap_or_else(|| {
            order.push(key);
            rows.push(Vec::new());
            order.len() - 1
        });
        rows[group].push(row);
    }
    rows
}

fn numbers(array: &ArrayRef) -> Vec<Option<f64>> {
    cast(array, &DataType::Float64).unwrap().as_primitive::<Float64Type>().iter().collect()
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.to_bits() == b.to_bits()
                || a.is_nan() && b.is_nan()
                || (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
        }
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn variance(values: &[f64]) -> Option<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.len() >= 2).then(|| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
}

fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let xy: f64 = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let xx: f64 = pairs.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let yy: f64 = pairs.iter().map(|p| (p.1 - my).powi(2)).sum();
    (pairs.len() >= 2 && xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

fn quantile(values: &[f64], fraction: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = fraction * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(if low == high { low } else { low + (high - low) * (place - place.floor()) })
}

/// Small whole numbers of any numeric type: sums of them are exact.
fn small(random: &mut Random, data_type: &DataType, rows: usize, nulls: usize) -> ArrayRef {
    let values: Int32Array =
        (0..rows).map(|_| (random.below(100) >= nulls).then(|| random.below(100) as i32)).collect();
    cast(&values, data_type).unwrap()
}

fn numeric() -> Vec<DataType> {
    use DataType as D;
    let whole = [D::Int8, D::Int16, D::Int32, D::Int64, D::UInt8, D::UInt16, D::UInt32, D::UInt64];
    let others = [
        D::Float16,
        D::Float32,
        D::Float64,
        D::Decimal32(9, 2),
        D::Decimal64(18, 3),
        D::Decimal128(38, 4),
        D::Decimal256(76, 5),
    ];
    whole.into_iter().chain(others).collect()
}

fn batches(random: &mut Random, columns: Vec<ArrayRef>) -> Vec<RecordBatch> {
    let named = columns.into_iter().enumerate().map(|(n, column)| (format!("c{n}"), column, true));
    cut_batch(random, &RecordBatch::try_from_iter_with_nullable(named).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_of_numbers(seed: u64, rows in 1usize..300, kinds in 1usize..40, nulls in 0usize..3, merge: bool) {
        let mut random = Random::new(seed);
        let keys: Int32Array = (0..rows).map(|_| Some(random.below(kinds) as i32)).collect();
        let groups = groups(&keys);
        let keys: ArrayRef = Arc::new(keys);
        for data_type in numeric() {
            let (x, y) = (small(&mut random, &data_type, rows, nulls * 40), small(&mut random, &DataType::Int16, rows, nulls * 40));
            let (xs, ys) = (numbers(&x), numbers(&y));
            let of = |group: &[usize]| group.iter().filter_map(|&row| xs[row]).collect::<Vec<f64>>();
            type Oracle<'a> = &'a dyn Fn(&[f64]) -> Option<f64>;
            let cases: [(F, Oracle<'_>); 6] = [
                (F::Variance, &variance),
                (F::Stddev, &|values| variance(values).map(f64::sqrt)),
                (F::Median, &|values| quantile(values, 0.5)),
                (F::Quantile(Fraction::new(0.9).unwrap()), &|values| quantile(values, 0.9)),
                (F::Quantile(Fraction::new(0.0).unwrap()), &|values| quantile(values, 0.0)),
                (F::Quantile(Fraction::new(1.0).unwrap()), &|values| quantile(values, 1.0)),
            ];
            for (function, oracle) in cases {
                let ours = run(&batches(&mut random, vec![keys.clone(), x.clone()]), function, merge);
                let ours = numbers(&ours);
                for (group, ours) in groups.iter().zip(ours) {
                    let expected = oracle(&of(group));
                    prop_assert!(close(ours, expected), "{} of {}: {:?}, expected {:?}", function.name(), data_type, ours, expected);
                }
            }
            let ours = run(&batches(&mut random, vec![keys.clone(), x.clone(), y.clone()]), F::Correlation, merge);
            for (group, ours) in groups.iter().zip(numbers(&ours)) {
                let pairs: Vec<(f64, f64)> = group.iter().filter_map(|&row| xs[row].zip(ys[row])).collect();
                prop_assert!(close(ours, correlation(&pairs)), "{:?} {:?}", ours, correlation(&pairs));
            }
        }
    }

    #[test]
    fn values_of_any_type(seed: u64, rows in 1usize..200, kinds in 1usize..20, nulls in 0usize..4, merge: bool) {
        let mut random = Random::new(seed);
        let keys: Int32Array = (0..rows).map(|_| Some(random.below(kinds) as i32)).collect();
        let groups = groups(&keys);
        let keys: ArrayRef = Arc::new(keys);
        for data_type in types() {
            let values = array(&mut random, &data_type, rows, nulls * 33);
            let options = FormatOptions::default();
            let text = |array: &ArrayRef| -> Vec<Option<String>> {
                let array = if array.data_type().is_temporal() { cast(array, &DataType::Int64).or_else(|_| cast(array, &DataType::Int32)).unwrap() } else { array.clone() };
                let formatter = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
                let valid = array.logical_nulls();
                (0..array.len()).map(|row| valid.as_ref().is_none_or(|n| n.is_valid(row)).then(|| formatter.value(row).to_string())).collect()
            };
            let texts = text(&values);
            let table = |random: &mut Random| batches(random, vec![keys.clone(), values.clone()]);
            for (function, last) in [(F::First, false), (F::Any, false), (F::Last, true)] {
                let ours = run(&table(&mut random), function, merge);
                prop_assert_eq!(ours.data_type(), &data_type);
                let expected: Vec<Option<String>> = groups.iter().map(|group| {
                    let mut present = group.iter().filter_map(|&row| texts[row].clone());
                    if last { present.next_back() } else { present.next() }
                }).collect();
                prop_assert_eq!(text(&ours), expected, "{} of {}", function.name(), data_type);
            }
            let ours = run(&table(&mut random), F::List, merge);
            let lists = ours.as_list::<i32>();
            for (group, rows) in groups.iter().enumerate() {
                let expected: Vec<Option<String>> = rows.iter().map(|&row| texts[row].clone()).collect();
                prop_assert_eq!(text(&lists.value(group)), expected, "list of {}", data_type);
            }
            if !data_type.is_floating() {
                let ours = run(&table(&mut random), F::CountDistinct, merge);
                let expected: Vec<i64> = groups.iter().map(|group| group.iter().filter_map(|&row| texts[row].clone()).collect::<HashSet<_>>().len() as i64).collect();
                prop_assert_eq!(ours.as_primitive::<Int64Type>().values().to_vec(), expected, "{}", data_type);
            }
        }
    }

    #[test]
    fn the_greatest(seed: u64, rows in 1usize..300, kinds in 1usize..20, most in 1u32..5, merge: bool) {
        let mut random = Random::new(seed);
        let keys: Int32Array = (0..rows).map(|_| Some(random.below(kinds) as i32)).collect();
        let groups = groups(&keys);
        let keys: ArrayRef = Arc::new(keys);
        for data_type in numeric().into_iter().filter(|data_type| !matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))) {
            let values = small(&mut random, &data_type, rows, 30);
            let xs = numbers(&values);
            let ours = run(&batches(&mut random, vec![keys.clone(), values]), F::Top(most), merge);
            let lists = ours.as_list::<i32>();
            for (group, rows) in groups.iter().enumerate() {
                let mut expected: Vec<f64> = rows.iter().filter_map(|&row| xs[row]).collect();
                expected.sort_by(|a, b| b.total_cmp(a));
                expected.truncate(most as usize);
                let ours: Vec<f64> = numbers(&lists.value(group)).into_iter().flatten().collect();
                prop_assert_eq!(ours, expected, "{}", data_type);
            }
        }
    }
}

#[test]
fn variance_far_from_zero_keeps_its_digits() {
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..1_000).map(|row| 1e9 + f64::from(row % 10))));
    let keys: ArrayRef = Arc::new(Int32Array::from(vec![0; 1_000]));
    let batch = RecordBatch::try_from_iter([("k", keys), ("v", values)]).unwrap();
    let halves = [batch.slice(0, 300), batch.slice(300, 700)];
    for merge in [false, true] {
        let ours = run(&halves, F::Variance, merge);
        let expected = 8.25 * 1_000.0 / 999.0;
        assert!((ours.as_primitive::<Float64Type>().value(0) - expected).abs() < 1e-9);
    }
}

#[test]
fn no_rows_give_nulls_counts_and_empty_lists() {
    let functions = [F::Median, F::Variance, F::First, F::Last, F::CountDistinct, F::List, F::Top(3)];
    let aggregates: Vec<(F, Vec<DataType>)> =
        functions.iter().map(|&function| (function, vec![DataType::Int32])).collect();
    let results = GroupBy::try_new(&[], &aggregates).unwrap().aggregate_arrays().unwrap();
    for (function, result) in functions.iter().zip(&results) {
        assert_eq!(result.len(), 1, "{}", function.name());
        match function {
            F::CountDistinct => assert_eq!(result.as_primitive::<Int64Type>().value(0), 0),
            F::List | F::Top(_) => assert_eq!(result.as_list::<i32>().value_length(0), 0),
            _ => assert!(result.is_null(0), "{}", function.name()),
        }
    }
}

#[test]
fn what_an_aggregate_cannot_do_is_told_when_it_is_bound() {
    let text = DataType::Utf8;
    for function in [F::Variance, F::Median, F::Top(2)] {
        let error = GroupBy::try_new(&[], &[(function, vec![text.clone()])]).unwrap_err();
        assert!(matches!(*error, Error::UnsupportedAggregate { .. }), "{error}");
    }
    let error = GroupBy::try_new(&[], &[(F::Correlation, vec![DataType::Int32])]).unwrap_err();
    assert_eq!(error.to_string(), "a correlation needs two columns: correlation");
    assert_eq!(Fraction::new(1.5), None);
    assert_eq!(Fraction::new(f64::NAN), None);
}

#[test]
fn plans_in_json_name_their_results() {
    let json = r#"{"group_by": ["k"], "aggregates": [
        {"function": {"quantile": 0.9}, "column": "x"},
        {"function": {"top": 2}, "column": "x"},
        {"function": "correlation", "column": "x", "other": "y"},
        {"function": "count_distinct", "column": "y", "as": "kinds"}]}"#;
    let plan: Plan = serde_json::from_str(json).unwrap();
    let names: Vec<String> = plan.aggregates.iter().map(Aggregate::output_name).collect();
    assert_eq!(names, ["quantile(x, 0.9)", "top(x, 2)", "correlation(x, y)", "kinds"]);
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again, plan);
    assert!(serde_json::from_str::<Plan>(r#"{"aggregates": [{"function": {"quantile": 2}, "column": "x"}]}"#).is_err());
}
