//! Summaries, histograms and counts of values against their definitions, for every type, over chunks.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::*;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use common::{Random, array, cut, refs, types};
use kernels::Error;
use kernels::query::{
    Aggregate, AggregateFunction, CompareOp, Nulls, Plan, Predicate, Scalar as Literal, SortBy, TextTest,
};
use kernels::statistics::{Histogram, count_distinct, histogram, summarize, unique, value_counts};
use proptest::prelude::*;

fn float(array: &dyn Array) -> Vec<Option<f64>> {
    cast(array, &DataType::Float64).unwrap().as_primitive::<Float64Type>().iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 32 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_are_counted(seed: u64, rows in 1usize..300, nulls in 0usize..3, limit in prop::option::of(0usize..20)) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let column = array(&mut random, &data_type, rows, nulls * 40);
            let chunks = cut(&mut random, &column);
            let found = value_counts(&refs(&chunks), None).unwrap();
            // Each value comes as often as rows are equal to it, and all rows are counted.
            prop_assert_eq!(found.values.data_type(), &data_type);
            prop_assert_eq!(found.counts.values().iter().sum::<i64>(), rows as i64);
            prop_assert!(found.counts.values().is_sorted_by(|a, b| a >= b));
            let different = unique(&refs(&chunks)).unwrap();
            prop_assert_eq!(found.distinct, different.len());
            prop_assert_eq!(count_distinct(&refs(&chunks)).unwrap(), different.len());
            prop_assert_eq!(unique(&[different.as_ref()]).unwrap().len(), different.len());
            let limited = value_counts(&refs(&chunks), limit).unwrap();
            let kept = limit.unwrap_or(usize::MAX).min(different.len());
            prop_assert_eq!(limited.counts.values(), &found.counts.values()[..kept]);
            prop_assert_eq!(limited.distinct, different.len());
            if matches!(data_type, DataType::Int32) {
                for (value, count) in float(&found.values).into_iter().zip(found.counts.values()) {
                    prop_assert_eq!(float(&column).into_iter().filter(|other| *other == value).count() as i64, *count);
                }
            }
        }
    }

    #[test]
    fn summaries_agree_with_arrow(seed: u64, rows in 0usize..300, nulls in 0usize..3) {
        let mut random = Random::new(seed);
        let column = array(&mut random, &DataType::Int16, rows, nulls * 40);
        let summary = summarize(&refs(&cut(&mut random, &column))).unwrap();
        let values: Vec<f64> = float(&column).into_iter().flatten().collect();
        prop_assert_eq!((summary.rows, summary.nulls), (rows, rows - values.len()));
        let of = |array: Option<ArrayRef>| float(&array.unwrap())[0];
        prop_assert_eq!(of(summary.min), values.iter().copied().reduce(f64::min));
        prop_assert_eq!(of(summary.max), values.iter().copied().reduce(f64::max));
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        prop_assert_eq!(summary.mean, mean);
        for data_type in types() {
            let column = array(&mut random, &data_type, rows, nulls * 40);
            prop_assert_eq!(summarize(&[column.as_ref()]).unwrap().nulls, column.logical_null_count());
        }
    }

    #[test]
    fn bins_hold_what_lies_between_their_edges(seed: u64, rows in 0usize..300, nulls in 0usize..3, bins in 1usize..20) {
        let mut random = Random::new(seed);
        for data_type in [DataType::Float64, DataType::Int32, DataType::Decimal128(20, 3), DataType::Date32, DataType::Float16] {
            let column = array(&mut random, &data_type, rows, nulls * 40);
            let chunks = cut(&mut random, &column);
            for range in [None, Some(-2.0..=3.0)] {
                let Histogram { low, high, counts, below, above, nan, nulls } = histogram(&refs(&chunks), bins, range).unwrap();
                prop_assert_eq!(nulls, column.null_count() as u64);
                prop_assert_eq!(counts.iter().sum::<u64>() + below + above + nan + nulls, rows as u64);
                let plain = if data_type == DataType::Date32 { cast(&column, &DataType::Int32).unwrap() } else { column.clone() };
                let values: Vec<f64> = float(&plain).into_iter().flatten().collect();
                prop_assert_eq!(nan, values.iter().filter(|value| value.is_nan()).count() as u64);
                // Arrow divides decimals in another way, which may differ in the last digit.
                let slack = if data_type.is_decimal() { 1e-9 * (1.0 + low.abs().max(high.abs())) } else { 0.0 };
                prop_assert_eq!(below, values.iter().filter(|value| **value < low - slack).count() as u64);
                prop_assert_eq!(above, values.iter().filter(|value| **value > high + slack).count() as u64);
                let width = high / counts.len() as f64 - low / counts.len() as f64;
                for (bin, &count) in counts.iter().enumerate() {
                    // A value that rounding puts to a neighbour's edge may be counted there.
                    let (from, to) = (low + width * bin as f64, low + width * (bin + 1) as f64);
                    let slack = width * 1e-9 + low.abs().max(high.abs()) * f64::EPSILON;
                    let inner = values.iter().filter(|value| **value > from + slack && **value < to - slack).count() as u64;
                    let outer = values.iter().filter(|value| **value >= from - slack && **value <= to + slack).count() as u64;
                    prop_assert!((inner..=outer).contains(&count));
                }
            }
        }
    }
}

#[test]
fn whole_numbers_have_bins_of_their_own_when_they_are_few() {
    let months = Int32Array::from(vec![1, 1, 2, 12]);
    let found = histogram(&[&months], 40, None).unwrap();
    assert_eq!((found.low, found.high, found.counts.len()), (0.5, 12.5, 12));
    assert_eq!((found.counts[0], found.counts[1], found.counts[11]), (2, 1, 1));
    let same = Float64Array::from(vec![7.0; 3]);
    assert_eq!(histogram(&[&same], 1, None).unwrap().counts, [3]);
    let none = Float64Array::from(vec![f64::NAN, f64::INFINITY]);
    let found = histogram(&[&none], 2, None).unwrap();
    assert_eq!((found.counts, found.nan, found.above), (vec![0, 0], 1, 1));
}

#[test]
fn a_histogram_reaches_as_far_as_numbers_do() {
    let counts = |values: &[f64], bins| histogram(&[&Float64Array::from(values.to_vec())], bins, None).unwrap();
    // The width is more than an `f64` holds.
    let all = counts(&[f64::MIN, f64::MIN / 4.0, 0.0, 1.0, f64::MAX], 4);
    assert_eq!((all.low, all.high, all.counts), (f64::MIN, f64::MAX, vec![1, 1, 2, 1]));
    // Bins for each unit of width are.
    let least = f64::from_bits(1);
    let small = counts(&[0.0, least, least * 2.0, least * 3.0, least * 4.0], 4);
    assert_eq!((small.high, small.counts), (least * 4.0, vec![1, 1, 1, 2]));
    // There is no room around the greatest.
    let edge = counts(&[f64::MAX; 3], 2);
    assert_eq!((edge.high, edge.counts.iter().sum::<u64>()), (f64::MAX, 3));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let text = StringArray::from(vec!["a"]);
    assert!(matches!(histogram(&[&text], 5, None).map_err(|error| *error), Err(Error::UnsupportedType { .. })));
    let number = Int32Array::from(vec![1]);
    assert!(matches!(histogram(&[&number], 0, None).map_err(|error| *error), Err(Error::InvalidPlan { .. })));
    assert!(matches!(
        histogram(&[&number], 5, Some(1.0..=1.0)).map_err(|error| *error),
        Err(Error::InvalidPlan { .. })
    ));
    assert!(matches!(
        histogram(&[&number], 5, Some(f64::NAN..=1.0)).map_err(|error| *error),
        Err(Error::InvalidPlan { .. })
    ));
    assert!(matches!(value_counts(&[], None).map_err(|error| *error), Err(Error::InvalidPlan { .. })));
    assert!(matches!(
        summarize(&[&text, &number]).map_err(|error| *error),
        Err(Error::SchemaMismatch { column: 1, .. })
    ));
    let list: ArrayRef = Arc::new(ListArray::new_null(Arc::new(Field::new("item", DataType::Int32, true)), 1));
    assert!(matches!(unique(&[&list]).map_err(|error| *error), Err(Error::UnsupportedType { .. })));
    assert_eq!(summarize(&[&list]).unwrap().nulls, 1);
}

#[test]
fn a_plan_can_be_read() {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let schema = Schema::new(vec![
        field("origin", DataType::Utf8),
        field("dep delay", DataType::Float64),
        field("month", DataType::Int32),
        field("day", DataType::Int32),
    ]);
    let plan = Plan {
        filter: Some(Predicate::And(vec![
            Predicate::Compare { column: "dep delay".into(), op: CompareOp::GtEq, value: Literal::Float(10.0) },
            Predicate::Or(vec![
                Predicate::Text {
                    column: "origin".into(),
                    test: TextTest::BeginsWith,
                    value: "O'".into(),
                    ignore_case: true,
                },
                Predicate::Not(Box::new(Predicate::In {
                    column: "month".into(),
                    values: vec![Literal::Int(1), Literal::Null],
                })),
            ]),
        ])),
        group_by: vec!["origin".into()],
        aggregates: vec![Aggregate {
            function: AggregateFunction::Mean,
            column: Some("dep delay".into()),
            other: None,
            name: None,
        }],
        sort: vec![SortBy { column: "origin".into(), descending: false, nulls: Nulls::First }],
        offset: 5,
        ..Plan::default()
    };
    assert_eq!(
        plan.explain(&schema).unwrap(),
        "window   all rows from row 5\n\
         sort     by origin, nulls first\n\
         group    by origin with mean(dep delay)\n\
         filter   \"dep delay\" >= 10.0 and (origin begins with 'O''' in any case or not (month in (1, null)))\n\
         read     3 of 4 columns: origin, \"dep delay\", month"
    );
    let unknown = Plan { columns: Some(vec!["x".into()]), ..Plan::default() };
    assert!(matches!(unknown.explain(&schema).map_err(|error| *error), Err(Error::UnknownColumn { .. })));
}
