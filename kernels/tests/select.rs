//! filter and take against arrow-select, for every type, with odd slices and chunks.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use common::{Random, array, cut, cut_batch, refs, types};
use kernels::{Error, Indices, Mask};
use proptest::prelude::*;

fn same(ours: &ArrayRef, theirs: &ArrayRef) {
    ours.to_data().validate_full().unwrap();
    assert_eq!(ours.data_type(), theirs.data_type());
    assert_eq!(ours.as_ref(), theirs.as_ref());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 48 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filter_agrees_with_arrow(seed: u64, rows in 0usize..400, nulls in 0usize..3, kept in prop::sample::select(vec![0, 1, 10, 50, 90, 99, 100])) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let values = array(&mut random, &data_type, rows, nulls * 40);
            let offset = random.below(70);
            let bits = BooleanBuffer::collect_bool(rows + offset, |_| random.chance(kept)).slice(offset, rows);
            let theirs = arrow_select::filter::filter(&values, &BooleanArray::new(bits.clone(), None)).unwrap();
            same(&kernels::filter(&values, &Mask::new(bits)).unwrap(), &theirs);
        }
    }

    #[test]
    fn batches_are_filtered_into_one(seed: u64, rows in 1usize..400, nulls in 0usize..3, kept in prop::sample::select(vec![0, 1, 10, 50, 90, 99, 100])) {
        let mut random = Random::new(seed);
        let columns = types().into_iter().enumerate().map(|(number, data_type)| {
            (number.to_string(), array(&mut random, &data_type, rows, nulls * 40), true)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap();
        let bits = BooleanBuffer::collect_bool(rows, |_| random.chance(kept));
        let expected = arrow_select::filter::filter_record_batch(&batch, &BooleanArray::new(bits.clone(), None)).unwrap();
        let batches = cut_batch(&mut random, &batch);
        let mut start = 0;
        let masks: Vec<Mask> = batches.iter().map(|batch| {
            let mask = Mask::new(bits.slice(start, batch.num_rows()));
            start += batch.num_rows();
            mask
        }).collect();
        let ours = kernels::filter_batches(&batch.schema(), &batches, &masks).unwrap();
        ours.columns().iter().for_each(|column| column.to_data().validate_full().unwrap());
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn take_agrees_with_arrow(seed: u64, rows in 1usize..300, nulls in 0usize..3, taken in 0usize..400) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let values = array(&mut random, &data_type, rows, nulls * 40);
            let indices: Vec<u32> = (0..taken).map(|_| random.below(rows) as u32).collect();
            let theirs = arrow_select::take::take(&values, &UInt32Array::from(indices.clone()), None).unwrap();
            let indices = Indices::try_new(indices, rows).unwrap();
            same(&kernels::take(&values, &indices).unwrap(), &theirs);
            let chunks = cut(&mut random, &values);
            same(&kernels::take_chunks(&refs(&chunks), &indices).unwrap(), &theirs);
        }
    }
}

#[test]
fn dictionaries_of_several_chunks_are_merged() {
    use arrow_array::DictionaryArray;
    use arrow_array::types::Int8Type;
    let one: DictionaryArray<Int8Type> = [Some("a"), None, Some("b")].into_iter().collect();
    let two: DictionaryArray<Int8Type> = [Some("b"), Some("c"), None].into_iter().collect();
    let rows = Indices::try_new(vec![5, 4, 3, 2, 1, 0], 6).unwrap();
    let taken = kernels::take_chunks(&[&one, &two], &rows).unwrap();
    let taken = taken.as_any().downcast_ref::<DictionaryArray<Int8Type>>().unwrap();
    assert_eq!(taken.values().len(), 3, "equal values are kept once");
    let text = arrow_cast::cast(taken, &arrow_schema::DataType::Utf8).unwrap();
    let expected: arrow_array::StringArray =
        [None, Some("c"), Some("b"), Some("b"), None, Some("a")].into_iter().collect();
    assert_eq!(text.as_ref(), &expected as &dyn Array);

    // 200 distinct values do not fit eight-bit keys: an error, not a wrong key.
    let words = |from: usize| -> DictionaryArray<Int8Type> {
        let words: Vec<String> = (from..from + 100).map(|n| n.to_string()).collect();
        words.iter().map(|word| Some(word.as_str())).collect()
    };
    let (one, two) = (words(0), words(100));
    let all = Indices::identity(200).unwrap();
    assert!(matches!(kernels::take_chunks(&[&one, &two], &all).map_err(|error| *error), Err(Error::Overflow { .. })));
}

#[test]
fn nested_columns_pass_through() {
    use arrow_array::types::Int32Type;
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some(vec![Some(4)]),
    ]);
    let rows = Indices::try_new(vec![3, 3, 1, 0], 4).unwrap();
    let theirs = arrow_select::take::take(&list, &UInt32Array::from(vec![3, 3, 1, 0]), None).unwrap();
    assert_eq!(kernels::take(&list, &rows).unwrap().as_ref(), theirs.as_ref());
}

#[test]
fn wrong_lengths_and_numbers_are_errors() {
    let values: ArrayRef = std::sync::Arc::new(UInt32Array::from(vec![1, 2, 3]));
    assert_eq!(
        kernels::filter(&values, &Mask::constant(4, true)),
        Err(Box::new(Error::LengthMismatch { expected: 4, found: 3 }))
    );
    assert_eq!(
        Indices::try_new(vec![0, 3], 3),
        Err(Box::new(Error::IndexOutOfBounds { position: 1, index: 3, bound: 3 }))
    );
    let wide = Indices::try_new(vec![0, 3], 4).unwrap();
    assert_eq!(kernels::take(&values, &wide), Err(Box::new(Error::LengthMismatch { expected: 4, found: 3 })));
}

#[test]
fn an_empty_table_gives_empty_columns_of_every_type() {
    for data_type in types() {
        let schema = std::sync::Arc::new(arrow_schema::Schema::new(vec![arrow_schema::Field::new(
            "c",
            data_type.clone(),
            true,
        )]));
        let batch: RecordBatch = kernels::take_batches(&schema, &[], &Indices::default()).unwrap();
        assert_eq!((batch.num_rows(), batch.column(0).data_type()), (0, &data_type));
        batch.column(0).to_data().validate_full().unwrap();
    }
}
