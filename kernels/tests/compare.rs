//! Comparisons and text tests against arrow-ord, arrow-string and a plain loop.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::*;
use arrow_cast::cast;
use arrow_ord::cmp;
use arrow_schema::DataType;
use common::{Random, array, types};
use kernels::query::{CompareOp, Scalar, TextTest};
use kernels::{Truth, compare, test_text};
use proptest::prelude::*;

const OPS: [CompareOp; 6] =
    [CompareOp::Eq, CompareOp::NotEq, CompareOp::Lt, CompareOp::LtEq, CompareOp::Gt, CompareOp::GtEq];

fn same(truth: &Truth, expected: impl IntoIterator<Item = Option<bool>>, context: &dyn std::fmt::Debug) {
    let ours: Vec<_> = (0..truth.len()).map(|row| truth.get(row)).collect();
    assert_eq!(ours, expected.into_iter().collect::<Vec<_>>(), "{context:?}");
}

fn holds(op: CompareOp, ordering: Ordering) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::NotEq => ordering.is_ne(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::LtEq => ordering.is_le(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::GtEq => ordering.is_ge(),
    }
}

fn arrow(op: CompareOp, left: &dyn Datum, right: &dyn Datum) -> BooleanArray {
    match op {
        CompareOp::Eq => cmp::eq(left, right),
        CompareOp::NotEq => cmp::neq(left, right),
        CompareOp::Lt => cmp::lt(left, right),
        CompareOp::LtEq => cmp::lt_eq(left, right),
        CompareOp::Gt => cmp::gt(left, right),
        CompareOp::GtEq => cmp::gt_eq(left, right),
    }
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 48 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_and_moments(seed: u64, rows in 0usize..200, nulls in 0usize..3, literal in prop_oneof![Just(i64::MIN), Just(i64::MAX), -300i64..300, any::<i64>()]) {
        let mut random = Random::new(seed);
        let fixed = types().into_iter().filter(|t| t.is_integer() || (t.is_temporal() && cast_to_int(t)));
        for data_type in fixed {
            let values = array(&mut random, &data_type, rows, nulls * 40);
            let wide: Vec<Option<i128>> = if data_type == DataType::UInt64 {
                values.as_primitive::<types::UInt64Type>().iter().map(|v| v.map(i128::from)).collect()
            } else {
                let values = cast(&values, &DataType::Int64).unwrap();
                values.as_primitive::<Int64Type>().iter().map(|v| v.map(i128::from)).collect()
            };
            for op in OPS {
                let truth = compare(&values, op, &Scalar::Int(literal)).unwrap();
                same(&truth, wide.iter().map(|v| v.map(|v| holds(op, v.cmp(&literal.into())))), &(&data_type, op, literal));
                let half = (literal >> 12) as f64 + 0.5;
                let truth = compare(&values, op, &Scalar::Float(half)).unwrap();
                let against = |v: i128| holds(op, if v <= i128::from(literal >> 12) { Ordering::Less } else { Ordering::Greater });
                same(&truth, wide.iter().map(|v| v.map(against)), &(&data_type, op, half));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "the oracle's casts give NaN any sign there")]
    fn floats(seed: u64, rows in 0usize..200, nulls in 0usize..3, literal in prop_oneof![Just(0.0), Just(-0.0), Just(1.5), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.1), -5.0f64..5.0]) {
        let mut random = Random::new(seed);
        for data_type in [DataType::Float16, DataType::Float32, DataType::Float64] {
            let values = array(&mut random, &data_type, rows, nulls * 40);
            let wide = cast(&values, &DataType::Float64).unwrap();
            for op in OPS {
                let truth = compare(&values, op, &Scalar::Float(literal)).unwrap();
                // Zeros are one value; otherwise the total order.
                let zero = |v: f64| if v == 0.0 { 0.0 } else { v };
                let expected = wide.as_primitive::<Float64Type>().iter().map(|v| v.map(|v| holds(op, zero(v).total_cmp(&zero(literal)))));
                same(&truth, expected, &(&data_type, op, literal));
            }
        }
    }

    #[test]
    fn text(seed: u64, rows in 0usize..200, nulls in 0usize..3) {
        let mut random = Random::new(seed);
        for data_type in types().into_iter().filter(|t| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..))) {
            let values = array(&mut random, &data_type, rows, nulls * 40);
            let plain = cast(&values, &DataType::Utf8).unwrap();
            let plain = plain.as_string::<i32>();
            for literal in ["", "a", "abcdefgh", "abcdefgh\0", "JFK", "long long ", "ü", "zzz"] {
                let scalar = StringArray::new_scalar(literal);
                for op in OPS {
                    let truth = compare(&values, op, &Scalar::Text(literal.into())).unwrap();
                    same(&truth, arrow(op, plain, &scalar).iter(), &(&data_type, op, literal));
                }
                let contains = test_text(&values, TextTest::Contains, literal, false).unwrap();
                same(&contains, arrow_string::like::contains(plain, &scalar).unwrap().iter(), &("contains", literal));
                let begins = test_text(&values, TextTest::BeginsWith, literal, false).unwrap();
                same(&begins, arrow_string::like::starts_with(plain, &scalar).unwrap().iter(), &("begins", literal));
                let ends = test_text(&values, TextTest::EndsWith, literal, false).unwrap();
                same(&ends, arrow_string::like::ends_with(plain, &scalar).unwrap().iter(), &("ends", literal));
                let lower = literal.to_ascii_lowercase();
                let folded = |test: fn(&str, &str) -> bool| plain.iter().map(|v| v.map(|v| test(&v.to_ascii_lowercase(), &lower))).collect::<Vec<_>>();
                for (test, definition) in [
                    (TextTest::Contains, (|v, w| v.contains(w)) as fn(&str, &str) -> bool),
                    (TextTest::BeginsWith, |v, w| v.starts_with(w)),
                    (TextTest::EndsWith, |v, w| v.ends_with(w)),
                ] {
                    let truth = test_text(&values, test, &literal.to_ascii_uppercase(), true).unwrap();
                    if literal.is_ascii() {
                        same(&truth, folded(definition), &(test, literal));
                    }
                }
            }
        }
    }
}

fn cast_to_int(data_type: &DataType) -> bool {
    arrow_cast::can_cast_types(data_type, &DataType::Int64) && !matches!(data_type, DataType::Date64)
}

#[test]
fn booleans() {
    let values = BooleanArray::from(vec![Some(true), Some(false), None]);
    for op in OPS {
        for literal in [false, true] {
            let truth = compare(&values, op, &Scalar::Boolean(literal)).unwrap();
            same(&truth, arrow(op, &values, &BooleanArray::new_scalar(literal)).iter(), &(op, literal));
        }
    }
}

#[test]
fn a_nan_equals_itself_and_null_is_unknown() {
    let values = Float64Array::from(vec![f64::NAN, 1.0]);
    same(&compare(&values, CompareOp::Eq, &Scalar::Float(f64::NAN)).unwrap(), [Some(true), Some(false)], &"nan");
    same(&compare(&values, CompareOp::Gt, &Scalar::Float(f64::INFINITY)).unwrap(), [Some(true), Some(false)], &"inf");
    same(&compare(&values, CompareOp::Eq, &Scalar::Null).unwrap(), [None, None], &"null");
}

#[test]
fn wrong_types_say_what_is_expected() {
    let values: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let error = compare(&values, CompareOp::Eq, &Scalar::Text("JFK".into())).unwrap_err();
    assert_eq!(error.to_string(), "column \"\" of type Int32 cannot be compared with text \"JFK\"; expected a number");
    let error = test_text(&values, TextTest::Contains, "1", false).unwrap_err();
    assert!(error.to_string().ends_with("expected a text column for a text test"), "{error}");
}
