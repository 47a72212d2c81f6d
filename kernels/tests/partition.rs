//! Parts against plain definitions: the same value is in one part in every layout, rows keep their order, none is lost.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float32Array, Float64Array, Int32Array, StringArray, new_null_array,
};
use arrow_cast::cast;
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, SortOptions};
use common::{Random, array, cut, types};
use kernels::Indices;
use kernels::partition::{
    Permutation, hash_rows, partition_by_hash, partition_by_range, parts_by_hash, parts_by_range, quantiles, split,
};
use kernels::query::Nulls;
use proptest::prelude::*;

/// Equal as values: −0.0 is 0.0, NaN is NaN, null is null.
fn plain(array: &ArrayRef) -> ArrayRef {
    let array = match array.data_type() {
        DataType::Dictionary(_, values) => cast(array, values).unwrap(),
        _ => array.clone(),
    };
    match array.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let doubles = cast(&array, &DataType::Float64).unwrap();
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            Arc::new(arrow_array::cast::AsArray::as_primitive::<Float64Type>(&doubles).unary::<_, Float64Type>(one))
        }
        _ => array,
    }
}

fn scattered(parts: &[u32], count: usize) -> Vec<Vec<u32>> {
    let of = |part: u32| (0..parts.len() as u32).filter(|&row| parts[row as usize] == part).collect();
    (0..count as u32).map(of).collect()
}

fn lists(parts: Vec<Indices>) -> Vec<Vec<u32>> {
    parts.into_iter().map(Indices::into_vec).collect()
}

#[test]
fn a_dictionary_without_values_has_nulls_only() {
    for rows in [0, 3] {
        let column = new_null_array(&DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), rows);
        let nulls = new_null_array(&DataType::Utf8, rows);
        assert_eq!(hash_rows(&[column.as_ref()]).unwrap(), hash_rows(&[nulls.as_ref()]).unwrap());
        assert_eq!(quantiles(column.as_ref(), 3).unwrap().len(), 0);
        let bounds = StringArray::from(vec!["m"]);
        assert_eq!(parts_by_range(column.as_ref(), &bounds, 2, Nulls::Last).unwrap(), vec![1; rows]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 48 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_values_hash_alike_in_any_cut(seed: u64, rows in 0usize..200, nulls in 0usize..2) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let column = array(&mut random, &data_type, rows, nulls * 30);
            let hashes = hash_rows(&[column.as_ref()]).unwrap();
            let values = plain(&column);
            prop_assert_eq!(&hash_rows(&[values.as_ref()]).unwrap(), &hashes, "{} without its layout", &data_type);
            let chunks: Vec<u64> =
                cut(&mut random, &column).iter().flat_map(|chunk| hash_rows(&[chunk.as_ref()]).unwrap()).collect();
            prop_assert_eq!(&chunks, &hashes, "{} in chunks", &data_type);
            if values.data_type() == &DataType::Null {
                continue;
            }
            let compare = make_comparator(&values, &values, SortOptions::default()).unwrap();
            for _ in 0..rows {
                let (left, right) = (random.below(rows), random.below(rows));
                let is_equal = compare(left, right) == Ordering::Equal;
                prop_assert_eq!(hashes[left] == hashes[right], is_equal, "{} {} {}", &data_type, left, right);
            }
        }
    }

    #[test]
    fn parts_are_the_rows_of_a_plain_definition(seed: u64, rows in 0usize..200, count in 1usize..9, nulls in 0usize..2) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let column = array(&mut random, &data_type, rows, nulls * 30);
            let other = array(&mut random, &DataType::Int32, rows, 10);
            let keys: [&dyn Array; 2] = [column.as_ref(), other.as_ref()];
            let parts = parts_by_hash(&keys, count).unwrap();
            prop_assert!(parts.iter().all(|&part| (part as usize) < count));
            prop_assert_eq!(lists(partition_by_hash(&keys, count).unwrap()), scattered(&parts, count));

            let bounds = quantiles(column.as_ref(), count).unwrap();
            let values = plain(&column);
            let place = if random.chance(50) { Nulls::First } else { Nulls::Last };
            let parts = parts_by_range(column.as_ref(), bounds.as_ref(), count, place).unwrap();
            prop_assert_eq!(
                lists(partition_by_range(column.as_ref(), bounds.as_ref(), count, place).unwrap()),
                scattered(&parts, count)
            );
            let cuts = plain(&bounds);
            for (row, &part) in parts.iter().enumerate() {
                let expected = if values.is_null(row) || values.data_type() == &DataType::Null {
                    if place == Nulls::First { 0 } else { count - 1 }
                } else {
                    let compare = make_comparator(&cuts, &values, SortOptions::default()).unwrap();
                    (0..cuts.len()).filter(|&bound| compare(bound, row) != Ordering::Greater).count()
                };
                prop_assert_eq!(part as usize, expected, "{} {}", &data_type, row);
            }
        }
    }

    #[test]
    fn a_permutation_is_one(bound in 0u64..3_000, seed: u64) {
        let order = Permutation::new(bound, &[seed]);
        let mut numbers: Vec<u64> = (0..bound).map(|place| order.at(place)).collect();
        numbers.sort_unstable();
        prop_assert!(numbers.into_iter().eq(0..bound));
    }
}

#[test]
fn a_value_has_one_hash_whatever_its_type_is() {
    let words = ["", "JFK", "a longer text than eight"];
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some(words[0]), Some(words[1]), None, Some(words[2])]));
    let expected = hash_rows(&[text.as_ref()]).unwrap();
    for layout in [
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
    ] {
        assert_eq!(hash_rows(&[cast(&text, &layout).unwrap().as_ref()]).unwrap(), expected, "{layout}");
    }
    // Other codes, and a null among the values.
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some(words[2]), None, Some(words[0]), Some(words[1])]));
    let other = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![2, 3, 1, 0]), values);
    assert_eq!(hash_rows(&[&other]).unwrap(), expected);

    let zeros = hash_rows(&[&Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.5])]).unwrap();
    assert!(zeros[0] == zeros[1] && zeros[2] == zeros[3]);
    assert_eq!(hash_rows(&[&Float32Array::from(vec![0.0, -0.0, f32::NAN, -f32::NAN, 1.5])]).unwrap(), zeros);
    let parts =
        parts_by_range(&Float64Array::from(vec![-0.0, f64::NAN]), &Float64Array::from(vec![0.0]), 2, Nulls::Last);
    assert_eq!(parts.unwrap(), [1, 1]);
}

#[test]
fn parts_are_about_equal() {
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..100_000));
    for parts in [2, 7, 64] {
        let sizes: Vec<usize> = partition_by_hash(&[ids.as_ref()], parts).unwrap().iter().map(Indices::len).collect();
        let mean = 100_000.0 / parts as f64;
        let far = sizes.iter().map(|&size| (size as f64 - mean).abs()).fold(0.0, f64::max);
        assert!(far < 6.0 * mean.sqrt(), "{parts} parts: {sizes:?}");
        let bounds = quantiles(ids.slice(0, 100_000).as_ref(), parts).unwrap();
        let ranges = partition_by_range(&ids, bounds.as_ref(), parts, Nulls::Last).unwrap();
        assert!(ranges.iter().all(|rows| (rows.len() as f64 - mean).abs() <= 1.0));
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let (values, text) = (Int32Array::from(vec![1, 2]), StringArray::from(vec!["a"]));
    assert!(hash_rows(&[]).is_err() && hash_rows(&[&values, &text]).is_err());
    for parts in [0, 65_537] {
        assert!(parts_by_hash(&[&values], parts).is_err() && split(&[], parts).is_err());
    }
    assert!(split(&[0, 3], 3).is_err());
    let by = |bounds: Vec<Option<i32>>, parts| parts_by_range(&values, &Int32Array::from(bounds), parts, Nulls::Last);
    assert!(by(vec![Some(2), Some(1)], 3).is_err(), "descending");
    assert!(by(vec![Some(1), Some(2)], 2).is_err(), "too many");
    assert!(by(vec![None], 2).is_err(), "null");
    assert!(parts_by_range(&values, &text, 2, Nulls::Last).is_err(), "another type");
    assert_eq!(by(vec![Some(2)], 5).unwrap(), [0, 1]);
}
