//! Lists, structs and maps, in each other and in chunks, against arrow-rs: taken, filtered, sorted along, compared.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeListArray, GenericListArray, Int32Array, ListArray, MapArray,
    OffsetSizeTrait, RecordBatch, StructArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema};
use common::{Random, array, cut, refs};
use kernels::query::{Nulls, Plan, SortBy};
use kernels::{Error, Indices, Mask, arrays};
use proptest::prelude::*;

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

fn fields(types: &[(&str, DataType)]) -> Fields {
    types.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
}

fn map_of(value: DataType) -> DataType {
    let entries = vec![Field::new("key", DataType::Utf8, false), Field::new("value", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries.into()), false)), false)
}

fn types() -> Vec<DataType> {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let point = DataType::Struct(fields(&[("x", DataType::Float64), ("name", DataType::Utf8)]));
    vec![
        list_of(DataType::Int32),
        list_of(DataType::Utf8),
        list_of(DataType::Boolean),
        list_of(DataType::Null),
        DataType::LargeList(item(DataType::Decimal256(60, 3))),
        DataType::LargeList(item(DataType::Utf8View)),
        list_of(list_of(DataType::Int64)),
        list_of(point.clone()),
        list_of(dictionary),
        DataType::FixedSizeList(item(DataType::Float32), 3),
        DataType::FixedSizeList(item(DataType::Utf8), 2),
        DataType::FixedSizeList(item(DataType::Int8), 0),
        DataType::FixedSizeList(item(list_of(DataType::Utf8)), 2),
        DataType::Struct(fields(&[("l", list_of(DataType::Int16)), ("p", point.clone())])),
        DataType::Struct(Fields::empty()),
        map_of(DataType::Int32),
        map_of(list_of(point)),
    ]
}

fn offsets<O: OffsetSizeTrait>(lengths: &[usize]) -> OffsetBuffer<O> {
    OffsetBuffer::from_lengths(lengths.iter().copied())
}

/// An array of so many rows, a slice of a larger one.
fn nested(random: &mut Random, data_type: &DataType, rows: usize, percent: usize) -> ArrayRef {
    fn lists<O: OffsetSizeTrait>(
        field: &Arc<Field>,
        lengths: &[usize],
        values: ArrayRef,
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        Arc::new(GenericListArray::<O>::try_new(field.clone(), offsets(lengths), values, nulls).unwrap())
    }
    let (before, behind) = (random.below(4), random.below(4));
    let all = before + rows + behind;
    let nulls = (percent > 0).then(|| NullBuffer::new(BooleanBuffer::collect_bool(all, |_| !random.chance(percent))));
    let lengths: Vec<usize> = (0..all).map(|_| random.below(5)).collect();
    let total = lengths.iter().sum();
    let made: ArrayRef = match data_type {
        DataType::List(field) => {
            lists::<i32>(field, &lengths, nested(random, field.data_type(), total, percent), nulls)
        }
        DataType::LargeList(field) => {
            lists::<i64>(field, &lengths, nested(random, field.data_type(), total, percent), nulls)
        }
        DataType::FixedSizeList(field, size) => {
            let values = nested(random, field.data_type(), all * *size as usize, percent);
            Arc::new(FixedSizeListArray::try_new_with_length(field.clone(), *size, values, nulls, all).unwrap())
        }
        DataType::Struct(fields) => {
            let children = fields.iter().map(|field| {
                let percent = if field.is_nullable() { percent } else { 0 };
                nested(random, field.data_type(), all, percent)
            });
            let children = children.collect();
            Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, all).unwrap())
        }
        DataType::Map(field, ordered) => {
            let entries = nested(random, field.data_type(), total, 0);
            let entries = entries.as_any().downcast_ref::<StructArray>().unwrap().clone();
            Arc::new(MapArray::try_new(field.clone(), offsets(&lengths), entries, nulls, *ordered).unwrap())
        }
        other => array(random, other, all, percent),
    };
    made.slice(before, rows)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_those_of_arrow(seed in any::<u64>(), rows in 1usize..60, percent in 0usize..60) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let percent = if random.chance(30) { 0 } else { percent };
            let whole = nested(&mut random, &data_type, rows, percent);
            // Chunks of one array, or with children of their own.
            let chunks = match random.below(3) {
                0 => vec![whole],
                1 => cut(&mut random, &whole),
                _ => {
                    let other = nested(&mut random, &data_type, rows, 0);
                    vec![whole.slice(0, rows / 2), other, whole.slice(rows / 2, rows - rows / 2)]
                }
            };
            let whole = arrow_select::concat::concat(&refs(&chunks)).unwrap();
            let picked: Vec<u32> = (0..random.below(80)).map(|_| random.below(whole.len()) as u32).collect();
            let theirs = arrow_select::take::take(&whole, &UInt32Array::from(picked.clone()), None).unwrap();
            let indices = Indices::try_new(picked, whole.len()).unwrap();
            let ours = kernels::take_chunks(&refs(&chunks), &indices).unwrap();
            prop_assert_eq!(ours.as_ref(), theirs.as_ref());
            ours.to_data().validate_full().unwrap();
            prop_assert!(arrays::equal(ours.as_ref(), theirs.as_ref()));

            let bits = BooleanBuffer::collect_bool(whole.len(), |_| random.chance(40));
            let theirs = arrow_select::filter::filter(&whole, &BooleanArray::new(bits.clone(), None)).unwrap();
            let mask = Mask::new(bits);
            let ours = kernels::filter(&whole, &mask).unwrap();
            prop_assert_eq!(ours.as_ref(), theirs.as_ref());
        }
    }

    #[test]
    fn arrays_are_equal_where_arrow_says_so(seed in any::<u64>(), percent in 0usize..60) {
        let mut random = Random::new(seed);
        for data_type in types() {
            let one = nested(&mut random, &data_type, 3, percent);
            let all: Vec<ArrayRef> = (0..3).flat_map(|_| [nested(&mut random, &data_type, 2, percent), one.slice(0, 2), one.slice(1, 2)]).collect();
            for a in &all {
                for b in &all {
                    prop_assert_eq!(arrays::equal(a.as_ref(), b.as_ref()), a == b, "{:?} and {:?}", a, b);
                }
            }
        }
    }
}

#[test]
fn tables_of_no_rows_and_columns_of_nulls_have_every_type() {
    for data_type in types() {
        let empty = arrays::empty_array(&data_type).unwrap();
        assert_eq!((empty.len(), empty.data_type()), (0, &data_type));
        empty.to_data().validate_full().unwrap();
        let nulls = arrays::null_array(&data_type, 5).unwrap();
        assert_eq!((nulls.len(), nulls.null_count(), nulls.data_type()), (5, 5, &data_type));
        nulls.to_data().validate_full().unwrap();
    }
}

#[test]
fn a_table_is_sorted_with_its_lists() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None, Some(vec![])]);
    let key: ArrayRef = Arc::new(Int32Array::from(vec![2, 3, 1]));
    let batch = RecordBatch::try_from_iter([("key", key), ("list", Arc::new(list.clone()) as ArrayRef)]).unwrap();
    let schema: &Schema = &batch.schema();
    let plan = Plan {
        sort: vec![SortBy { column: "key".into(), descending: false, nulls: Nulls::default() }],
        ..Plan::default()
    };
    let sorted = plan.bind(&Arc::new(schema.clone())).unwrap().execute(&[batch]).unwrap();
    let theirs = arrow_select::take::take(&list, &UInt32Array::from(vec![2, 0, 1]), None).unwrap();
    assert_eq!(sorted.column(1), &theirs);
}

#[test]
fn lists_that_outgrow_their_offsets_are_an_error() {
    // A list of nothing has no bytes, whatever its length.
    let values: ArrayRef = Arc::new(arrow_array::NullArray::new(1 << 20));
    let field = Arc::new(Field::new("item", DataType::Null, true));
    let list = ListArray::try_new(field, offsets(&[1 << 20]), values, None).unwrap();
    let take = |times| kernels::take(&list, &Indices::try_new(vec![0; times], 1).unwrap());
    assert_eq!(take(2).unwrap().len(), 2);
    assert_eq!(take(2048), Err(Box::new(Error::OffsetOverflow { bytes: 1 << 31 })));
}
