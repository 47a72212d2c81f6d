//! Columns of nulls alone through every operation: no rows, some, all in one chunk or in two; dictionaries without values and
//! runs without runs among them. An answer may be an error, where a type has no such thing; never a panic.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow_schema::DataType;
use common::types;
use kernels::partition::{hash_rows, parts_by_hash, parts_by_range, quantiles};
use kernels::query::{AggregateFunction, CompareOp, Nulls, Scalar, TextTest};
use kernels::statistics::{count_distinct, extent, histogram, summarize, unique, value_counts};
use kernels::{
    GroupBy, Indices, Mask, RowOrder, SortKey, SortOptions, compare, compare_columns, filter, is_null,
    sort_keys_to_indices, take, take_chunks, test_text,
};

/// Types and, of each that can be, dictionaries of it.
fn all_types() -> Vec<DataType> {
    let plain = types();
    let of = |values: &DataType| DataType::Dictionary(Box::new(DataType::Int16), Box::new(values.clone()));
    let dictionaries: Vec<DataType> =
        plain.iter().filter(|data_type| !matches!(data_type, DataType::Dictionary(..))).map(of).collect();
    plain.into_iter().chain(dictionaries).collect()
}

fn every_type(each: impl Fn(&DataType, &[&dyn Array], usize)) {
    for data_type in all_types() {
        for chunks in [vec![0], vec![1], vec![3, 0, 2]] {
            let arrays: Vec<ArrayRef> = chunks.iter().map(|&rows| new_null_array(&data_type, rows)).collect();
            let borrowed: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            each(&data_type, &borrowed, chunks.iter().sum());
        }
    }
}

#[test]
fn rows_are_taken_filtered_and_sorted() {
    every_type(|data_type, chunks, rows| {
        let all = Indices::identity(rows).unwrap();
        let is_hollow = |array: &dyn Array| array.len() == rows && array.logical_null_count() == rows;
        if let Ok(taken) = take_chunks(chunks, &all) {
            assert!(is_hollow(taken.as_ref()), "{data_type}");
        }
        for chunk in chunks {
            let mask = Mask::constant(chunk.len(), true);
            assert_eq!(filter(*chunk, &mask).unwrap().logical_null_count(), chunk.len(), "{data_type}");
            assert_eq!(is_null(*chunk).to_mask().selected(), chunk.len(), "{data_type}");
            let _ = take(*chunk, &Indices::identity(chunk.len()).unwrap());
            let _ = RowOrder::try_new(&[SortKey { chunks: vec![*chunk], options: SortOptions::default() }]);
        }
        let options = [SortOptions::default(), SortOptions { descending: true, nulls: Nulls::Last }];
        for options in options {
            let key = SortKey { chunks: chunks.to_vec(), options };
            if let Ok(sorted) = sort_keys_to_indices(&[key], None) {
                assert_eq!(sorted.as_slice(), all.as_slice(), "{data_type}");
            }
        }
    });
}

#[test]
fn nothing_compares_with_a_null() {
    every_type(|data_type, chunks, _| {
        for chunk in chunks {
            for value in [Scalar::Int(1), Scalar::Text("1".into()), Scalar::Boolean(true), Scalar::Null] {
                for op in [CompareOp::Eq, CompareOp::NotEq, CompareOp::Lt, CompareOp::GtEq] {
                    if let Ok(truth) = compare(*chunk, op, &value) {
                        assert_eq!(truth.to_mask().selected(), 0, "{data_type} {op:?} {value:?}");
                    }
                }
            }
            for test in [TextTest::Contains, TextTest::BeginsWith, TextTest::EndsWith] {
                if let Ok(truth) = test_text(*chunk, test, "", true) {
                    assert_eq!(truth.to_mask().selected(), 0, "{data_type} {test:?}");
                }
            }
            if let Ok(truth) = compare_columns(*chunk, CompareOp::Eq, *chunk) {
                assert_eq!(truth.to_mask().selected(), 0, "{data_type}");
            }
        }
    });
}

#[test]
fn groups_have_one_key_and_no_values() {
    every_type(|data_type, chunks, rows| {
        for function in AggregateFunction::ALL {
            let wants = vec![data_type.clone(); usize::from(function != AggregateFunction::Count)];
            for keys in [vec![], vec![data_type.clone()], vec![data_type.clone(), DataType::Utf8]] {
                let Ok(mut groups) = GroupBy::try_new(&keys, &[(function, wants.clone())]) else { continue };
                for chunk in chunks {
                    let text = StringArray::from(vec!["a"; chunk.len()]);
                    let columns: Vec<&dyn Array> = match keys.len() {
                        0 => vec![],
                        1 => vec![*chunk],
                        _ => vec![*chunk, &text],
                    };
                    if groups.update(chunk.len(), &columns, &[vec![*chunk; wants.len()]]).is_err() {
                        return;
                    }
                }
                let expected = usize::from(rows > 0 || keys.is_empty());
                let aggregates = groups.aggregate_arrays().unwrap();
                assert!(groups.key_arrays().unwrap().iter().all(|keys| keys.len() == aggregates[0].len()));
                assert!(aggregates[0].len() <= expected, "{data_type} {function:?}");
            }
        }
    });
}

#[test]
fn statistics_and_parts_count_nulls() {
    every_type(|data_type, chunks, rows| {
        assert_eq!(summarize(chunks).map(|summary| summary.nulls).unwrap_or(rows), rows, "{data_type}");
        let kinds = usize::from(rows > 0);
        assert_eq!(count_distinct(chunks).unwrap_or(kinds), kinds, "{data_type}");
        assert_eq!(unique(chunks).map_or(kinds, |values| values.len()), kinds, "{data_type}");
        assert_eq!(value_counts(chunks, None).map_or(kinds, |counts| counts.distinct), kinds, "{data_type}");
        assert!(extent(chunks).map_or(true, |extent| extent.is_none()), "{data_type}");
        if let Ok(found) = histogram(chunks, 3, None) {
            assert_eq!(found.nulls, rows as u64, "{data_type}");
        }
        for chunk in chunks {
            let Ok(hashes) = hash_rows(&[*chunk]) else { continue };
            assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{data_type}");
            assert_eq!(parts_by_hash(&[*chunk], 4).unwrap().len(), chunk.len());
            if let Ok(bounds) = quantiles(*chunk, 3) {
                assert_eq!(bounds.len(), 0, "{data_type}");
                let parts = parts_by_range(*chunk, bounds.as_ref(), 3, Nulls::Last).unwrap();
                assert_eq!(parts, vec![2; chunk.len()], "{data_type}");
            }
        }
    });
}

#[test]
fn plans_run_over_them() {
    use kernels::query::{Aggregate, Plan, Predicate, SortBy};
    every_type(|data_type, chunks, rows| {
        let batches: Vec<RecordBatch> = chunks
            .iter()
            .map(|chunk| {
                RecordBatch::try_from_iter_with_nullable([("c", arrow_array::make_array(chunk.to_data()), true)])
                    .unwrap()
            })
            .collect();
        let run = |plan: Plan| plan.bind(&batches[0].schema()).and_then(|plan| plan.execute(&batches));
        let sort = vec![SortBy { column: "c".into(), descending: true, nulls: Nulls::First }];
        assert_eq!(
            run(Plan { sort: sort.clone(), ..Plan::default() }).map_or(rows, |all| all.num_rows()),
            rows,
            "{data_type}"
        );
        let none = Predicate::Not(Box::new(Predicate::IsNull { column: "c".into() }));
        let kept = run(Plan { filter: Some(none), sort: sort.clone(), ..Plan::default() });
        assert_eq!(kept.map_or(0, |kept| kept.num_rows()), 0, "{data_type}");
        let count = Aggregate { function: AggregateFunction::Count, column: Some("c".into()), other: None, name: None };
        let groups = run(Plan { group_by: vec!["c".into()], aggregates: vec![count], sort, ..Plan::default() });
        let kinds = usize::from(rows > 0);
        assert_eq!(groups.map_or(kinds, |groups| groups.num_rows()), kinds, "{data_type}");
    });
}
