//! Run-end encoded columns give what the written-out columns give.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::sync::Arc;

use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, RunArray, UInt32Array};
use arrow_schema::DataType;
use common::{Random, array};
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Plan, Predicate, Scalar, SortBy, TextTest};
use kernels::{SortOptions, sort_to_indices};
use proptest::prelude::*;

/// A run-end encoded array, a slice of a larger one, and its rows written out.
fn runs<R: RunEndIndexType>(random: &mut Random, data_type: &DataType, nulls: usize) -> (ArrayRef, ArrayRef)
where
    R::Native: TryFrom<i16>,
{
    let values = array(random, data_type, 1 + random.clone().below(20), nulls);
    let mut rows: Vec<u32> = Vec::new();
    let mut ends: Vec<i16> = Vec::new();
    for run in 0..values.len() as u32 {
        rows.resize(rows.len() + 1 + random.below(6), run);
        ends.push(rows.len() as i16);
    }
    let ends: PrimitiveArray<R> = ends.into_iter().map(|end| R::Native::try_from(end).ok()).collect();
    let encoded = RunArray::<R>::try_new(&ends, &values).unwrap();
    let (start, count) = (random.below(rows.len()), random.below(rows.len()));
    let count = count.min(rows.len() - start);
    let plain = arrow_select::take::take(&values, &UInt32Array::from(rows), None).unwrap();
    (Arc::new(encoded.slice(start, count)), plain.slice(start, count))
}

fn batch(key: ArrayRef) -> RecordBatch {
    let number: ArrayRef = Arc::new((0..key.len() as i32).map(Some).collect::<arrow_array::Int32Array>());
    RecordBatch::try_from_iter_with_nullable([("key", key, true), ("number", number, true)]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_give_what_rows_give(seed: u64, nulls in 0usize..2) {
        let mut random = Random::new(seed);
        for data_type in [DataType::Int32, DataType::Float64, DataType::Utf8, DataType::Boolean, DataType::Decimal128(20, 3)] {
            for (encoded, plain) in [
                runs::<Int16Type>(&mut random, &data_type, nulls * 30),
                runs::<Int32Type>(&mut random, &data_type, nulls * 30),
                runs::<Int64Type>(&mut random, &data_type, nulls * 30),
            ] {
                let order = |array: &ArrayRef| sort_to_indices(array, SortOptions::default(), None).unwrap().into_vec();
                prop_assert_eq!(order(&encoded), order(&plain));
                let keys = |array: &ArrayRef| {
                    let plan = Plan {
                        group_by: vec!["key".into()],
                        aggregates: vec![
                            Aggregate { function: AggregateFunction::Sum, column: Some("number".into()), other: None, name: None },
                            Aggregate { function: AggregateFunction::Max, column: Some("key".into()), other: None, name: None },
                        ],
                        sort: vec![SortBy { column: "key".into(), descending: true, nulls: Default::default() }],
                        ..Plan::default()
                    };
                    let batch = batch(array.clone());
                    plan.bind(&batch.schema()).unwrap().execute(&[batch]).unwrap()
                };
                prop_assert_eq!(keys(&encoded), keys(&plain));
                let filter = match data_type {
                    DataType::Utf8 => Predicate::Text { column: "key".into(), test: TextTest::Contains, value: "a".into(), ignore_case: false },
                    DataType::Boolean => Predicate::Compare { column: "key".into(), op: CompareOp::Eq, value: Scalar::Boolean(true) },
                    _ => Predicate::In { column: "key".into(), values: vec![Scalar::Int(1), Scalar::Int(3), Scalar::Int(0)] },
                };
                let plan = Plan { filter: Some(filter), columns: Some(vec!["number".into()]), ..Plan::default() };
                let kept = |array: &ArrayRef| {
                    let batch = batch(array.clone());
                    plan.bind(&batch.schema()).unwrap().execute(&[batch]).unwrap()
                };
                prop_assert_eq!(kept(&encoded), kept(&plain));
                let unknown = |array: &ArrayRef| kernels::is_null(array).to_mask();
                prop_assert_eq!(unknown(&encoded), unknown(&plain));
            }
        }
    }
}
