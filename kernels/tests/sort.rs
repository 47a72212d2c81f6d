//! sort_to_indices against a stable sort by arrow-ord's comparator, for every type.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, SortOptions as ArrowOptions};
use common::{Random, array, cut, refs, types};
use kernels::query::Nulls;
use kernels::{RowOrder, SortKey, SortOptions, SortSteps};
use proptest::prelude::*;

fn options(random: &mut Random) -> SortOptions {
    SortOptions { descending: random.chance(50), nulls: if random.chance(50) { Nulls::First } else { Nulls::Last } }
}

/// The definition: rows in their order, stably sorted.
fn oracle(keys: &[(ArrayRef, SortOptions)], rows: usize) -> Vec<u32> {
    let comparators: Vec<_> = keys
        .iter()
        .map(|(array, options)| {
            let options = ArrowOptions { descending: options.descending, nulls_first: options.nulls == Nulls::First };
            make_comparator(array.as_ref(), array.as_ref(), options).unwrap()
        })
        .collect();
    let mut order: Vec<u32> = (0..rows as u32).collect();
    order.sort_by(|&a, &b| {
        comparators.iter().map(|compare| compare(a as usize, b as usize)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
    order
}

fn check(keys: &[(ArrayRef, SortOptions)], rows: usize, random: &mut Random) {
    let expected = oracle(keys, rows);
    for limit in [None, Some(0), Some(1), Some(rows / 20), Some(rows / 2), Some(rows + 5)] {
        let chunks: Vec<Vec<ArrayRef>> = keys.iter().map(|(array, _)| cut(random, array)).collect();
        let sort_keys: Vec<SortKey<'_>> = keys
            .iter()
            .zip(&chunks)
            .map(|((_, options), chunks)| SortKey { chunks: refs(chunks), options: *options })
            .collect();
        let ours = kernels::sort_keys_to_indices(&sort_keys, limit).unwrap();
        let mut steps = SortSteps::new(limit);
        let most = rows / 40 + (1 << random.below(12));
        let mut part = 0.0;
        while !steps.step(&sort_keys, 1 + random.below(most)).unwrap() {
            assert!(steps.part() >= part && steps.part() < 1.0, "{} behind {part}", steps.part());
            part = steps.part();
        }
        assert!(steps.step(&sort_keys, 1).unwrap());
        assert_eq!(steps.finish().unwrap(), ours, "in steps of at most {most}, limit {limit:?}");
        let expected = &expected[..limit.unwrap_or(rows).min(rows)];
        let described: Vec<_> = keys.iter().map(|(array, options)| (array.data_type(), options)).collect();
        assert_eq!(ours.as_slice(), expected, "{described:?} limit {limit:?}");
        if limit.is_none() && !described.iter().any(|(data_type, _)| matches!(data_type, DataType::RunEndEncoded(..))) {
            check_rows(&RowOrder::try_new(&sort_keys).unwrap(), expected, random);
        }
    }
}

/// Row against row it is the same order.
fn check_rows(order: &RowOrder<'_>, expected: &[u32], random: &mut Random) {
    for pair in expected.windows(2) {
        let compared = order.compare(pair[0], pair[1]);
        assert!(compared.is_lt() || compared.is_eq() && pair[0] < pair[1]);
        assert_eq!(order.compare(pair[1], pair[0]), compared.reverse());
    }
    for _ in 0..expected.len().min(50) {
        let (a, b) = (random.below(expected.len()), random.below(expected.len()));
        assert!(a > b || order.compare(expected[a], expected[b]).is_le());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_key(seed: u64, rows in prop::sample::select(vec![0usize, 1, 2, 37, 300, 1000]), nulls in 0usize..3) {
        let mut random = Random::new(seed);
        for data_type in types().into_iter().chain([DataType::Decimal256(50, 2)]) {
            let key = (array(&mut random, &data_type, rows, nulls * 40), options(&mut random));
            check(&[key], rows, &mut random);
        }
    }

    #[test]
    fn several_keys(seed: u64, rows in 0usize..600, nulls in 0usize..3, keys in 2usize..5) {
        let mut random = Random::new(seed);
        let types = types();
        let keys: Vec<_> = (0..keys)
            .map(|_| {
                let data_type = &types[random.below(types.len())];
                (array(&mut random, data_type, rows, nulls * 40), options(&mut random))
            })
            .collect();
        check(&keys, rows, &mut random);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rows for an interpreter")]
fn long_columns_take_the_radix_path() {
    let mut random = Random::new(7);
    for data_type in [DataType::Int64, DataType::Float64, DataType::Utf8, DataType::UInt8] {
        let key = (array(&mut random, &data_type, 20_000, 5), SortOptions::default());
        check(&[key], 20_000, &mut random);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rows for an interpreter")]
fn the_first_of_many_ties_are_told_apart_by_other_keys() {
    let mut random = Random::new(11);
    let rows = 20_000;
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    for types in [
        vec![DataType::Boolean],
        vec![DataType::Boolean, DataType::Int64],
        vec![dictionary, DataType::Boolean, DataType::Float64],
        vec![DataType::Null, DataType::Utf8],
    ] {
        for nulls in [0, 5, 99] {
            let key = |data_type| (array(&mut random, data_type, rows, nulls), SortOptions::default());
            let mut keys: Vec<_> = types.iter().map(key).collect();
            check(&keys, rows, &mut random);
            keys.iter_mut().for_each(|key| key.1 = options(&mut random));
            check(&keys, rows, &mut random);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rows for an interpreter")]
fn many_rows_of_close_codes_are_put_off() {
    let rows = 600_000;
    let mut random = Random::new(5);
    let mut numbers = |most: usize| -> Vec<i64> { (0..rows).map(|_| random.below(most) as i64).collect() };
    let (small, large) = (numbers(1_000_000), numbers(1 << 30));
    // One number that is far from all others; each scale the same number of times; long equal beginnings; few first keys.
    let far: Vec<i64> = small.iter().enumerate().map(|(row, &n)| if row == 7 { i64::MAX / 3 } else { n }).collect();
    let scales: Vec<i64> = large.iter().zip(&small).map(|(n, scale)| n << (scale % 32) >> (scale % 29)).collect();
    let text: Vec<String> = small.iter().map(|n| format!("{}-and-then-much-more-{n}", n % 2)).collect();
    let few: Vec<bool> = large.iter().map(|n| n % 10 > 1).collect();
    let arrays: [ArrayRef; 4] = [
        Arc::new(Int64Array::from(far)),
        Arc::new(Int64Array::from(scales)),
        Arc::new(StringArray::from(text)),
        Arc::new(BooleanArray::from(few)),
    ];
    let [far, scales, text, few] = &arrays;
    for keys in [vec![far], vec![scales], vec![text], vec![few, text], vec![few, far, scales]] {
        let keys: Vec<_> = keys.into_iter().map(|key| (key.clone(), SortOptions::default())).collect();
        let expected = oracle(&keys, rows);
        let keys: Vec<_> = keys.iter().map(|(key, options)| SortKey { chunks: vec![key], options: *options }).collect();
        assert!(kernels::sort_keys_to_indices(&keys, None).unwrap().as_slice() == expected);
        for limit in [None, Some(300)] {
            let mut steps = SortSteps::new(limit);
            while !steps.step(&keys, 10_000).unwrap() {}
            assert!(steps.finish().unwrap().as_slice() == &expected[..limit.unwrap_or(rows)]);
        }
    }
}

#[test]
fn a_sort_in_steps_says_what_is_wrong() {
    let (short, long) = (Int64Array::from(vec![1]), Int64Array::from(vec![2, 1]));
    let key = |array| SortKey { chunks: vec![array as &dyn Array], options: SortOptions::default() };
    assert!(SortSteps::new(None).step(&[], 1).is_err());
    assert!(SortSteps::new(None).step(&[key(&long), key(&short)], 1).is_err());
    let mut steps = SortSteps::new(None);
    assert!(!steps.step(&[key(&long)], 1).unwrap());
    assert!(steps.finish().unwrap_err().to_string().contains("not all rows are in order"));
}

#[test]
fn nested_keys_are_refused() {
    let list = arrow_array::ListArray::new_null(Arc::new(arrow_schema::Field::new("item", DataType::Int32, true)), 3);
    let error = kernels::sort_to_indices(&list, SortOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("sort is not supported for type List"), "{error}");
    assert_eq!(list.len(), 3);
}
