//! Columns of every type of the format, the nested ones among them.
#![allow(dead_code, reason = "each test binary uses a part of this module")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "../../../kernels/tests/common/mod.rs"]
mod flat;

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeListBuilder, Int32Builder, LargeListBuilder, LargeListViewBuilder, ListBuilder, ListViewBuilder,
    MapBuilder, StringBuilder, StringRunBuilder,
};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::*;
use arrow_buffer::{BooleanBuffer, IntervalDayTime, IntervalMonthDayNano, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, UnionFields};
pub(crate) use flat::Random;

/// A column's name, which tells its type, and its rows.
pub(crate) type Named = (String, ArrayRef);

/// The types without children.
pub(crate) fn flat_columns(seed: u64, rows: usize) -> Vec<Named> {
    let mut random = Random::new(seed);
    let mut columns: Vec<Named> = flat::types()
        .into_iter()
        .enumerate()
        .map(|(at, data_type)| {
            let name = data_type.to_string().replace([' ', '"', ':', '/'], "");
            (name, flat::array(&mut random, &data_type, rows, if at % 3 == 0 { 0 } else { 30 }))
        })
        .collect();
    let mut number = || random.next() as i32;
    let months: Vec<_> = (0..rows).map(|_| number()).collect();
    columns.push(("IntervalYearMonth".into(), Arc::new(IntervalYearMonthArray::from(months))));
    let days: Vec<_> = (0..rows).map(|_| IntervalDayTime::new(number(), number())).collect();
    columns.push(("IntervalDayTime".into(), Arc::new(IntervalDayTimeArray::from(days))));
    let both: Vec<_> = (0..rows).map(|_| IntervalMonthDayNano::new(number(), number(), number().into())).collect();
    columns.push(("IntervalMonthDayNano".into(), Arc::new(IntervalMonthDayNanoArray::from(both))));
    let text = columns.iter().find(|(name, _)| name == "Utf8").unwrap().1.clone();
    for to in [DataType::LargeBinary, DataType::BinaryView] {
        columns.push((to.to_string(), arrow_cast::cast(&text, &to).unwrap()));
    }
    columns
}

/// The types with children, each a slice of something longer.
pub(crate) fn nested_columns(seed: u64, rows: usize) -> Vec<Named> {
    let mut random = Random::new(seed);
    let total = rows + 7;
    let validity =
        |random: &mut Random| Some(NullBuffer::new(BooleanBuffer::collect_bool(total, |_| !random.chance(20))));
    let mut columns: Vec<Named> = Vec::new();
    let mut list = ListBuilder::new(Int32Builder::new());
    let mut large = LargeListBuilder::new(StringBuilder::new());
    let mut view = ListViewBuilder::new(Int32Builder::new());
    let mut large_view = LargeListViewBuilder::new(StringBuilder::new());
    let mut fixed = FixedSizeListBuilder::new(Int32Builder::new(), 3);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    let mut runs = StringRunBuilder::<Int32Type>::new();
    let mut word = "a".to_owned();
    for _ in 0..total {
        let valid = !random.chance(20);
        for _ in 0..random.below(4) {
            let number = (!random.chance(20)).then(|| random.next() as i32);
            let text = (!random.chance(20)).then(|| format!("text number {}", random.below(50)));
            list.values().append_option(number);
            view.values().append_option(number);
            large.values().append_option(text.as_deref());
            large_view.values().append_option(text.as_deref());
            map.keys().append_value(format!("k{}", random.below(5)));
            map.values().append_option(number);
        }
        (0..3).for_each(|_| fixed.values().append_value(random.next() as i32));
        list.append(valid);
        view.append(valid);
        large.append(valid);
        large_view.append(valid);
        fixed.append(valid);
        map.append(true).unwrap();
        if random.chance(30) {
            word = format!("run {}", random.below(9));
        }
        runs.append_option((word != "run 3").then_some(&word));
    }
    columns.push(("List".into(), Arc::new(list.finish())));
    columns.push(("LargeList".into(), Arc::new(large.finish())));
    columns.push(("ListView".into(), Arc::new(view.finish())));
    columns.push(("LargeListView".into(), Arc::new(large_view.finish())));
    columns.push(("FixedSizeList".into(), Arc::new(fixed.finish())));
    columns.push(("Map".into(), Arc::new(map.finish())));
    columns.push(("RunEndEncoded".into(), Arc::new(runs.finish())));
    let numbers: ArrayRef = flat::array(&mut random, &DataType::Int64, total, 20);
    let texts: ArrayRef = flat::array(&mut random, &DataType::Utf8, total, 20);
    let codes = flat::array(
        &mut random,
        &DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
        total,
        20,
    );
    let fields = vec![
        Arc::new(Field::new("n", DataType::Int64, true)),
        Arc::new(Field::new("t", DataType::Utf8, true)),
        Arc::new(Field::new("d", codes.data_type().clone(), true)),
    ];
    let nulls = validity(&mut random);
    let plain = StructArray::new(fields[..2].to_vec().into(), vec![numbers.clone(), texts.clone()], nulls.clone());
    columns.push(("Struct".into(), Arc::new(plain)));
    let pair = StructArray::new(fields.into(), vec![numbers.clone(), texts.clone(), codes.clone()], nulls);
    columns.push(("StructOfDictionary".into(), Arc::new(pair)));
    let offsets = arrow_buffer::OffsetBuffer::<i32>::from_lengths((0..total).map(|_| 1));
    let item = Arc::new(Field::new_list_field(codes.data_type().clone(), true));
    columns.push(("ListOfDictionary".into(), Arc::new(ListArray::new(item, offsets, codes, None))));
    let union_fields = UnionFields::try_new(
        [3, 5],
        [Field::new("number", DataType::Int64, true), Field::new("text", DataType::Utf8, true)],
    )
    .unwrap();
    let ids: Vec<i8> = (0..total).map(|_| if random.chance(50) { 3 } else { 5 }).collect();
    let children = vec![numbers, texts];
    let sparse =
        UnionArray::try_new(union_fields.clone(), ScalarBuffer::from(ids.clone()), None, children.clone()).unwrap();
    columns.push(("SparseUnion".into(), Arc::new(sparse)));
    let places: Vec<i32> = (0..total).map(|_| random.below(total) as i32).collect();
    let dense =
        UnionArray::try_new(union_fields, ScalarBuffer::from(ids), Some(ScalarBuffer::from(places)), children).unwrap();
    columns.push(("DenseUnion".into(), Arc::new(dense)));
    columns.into_iter().map(|(name, array)| (name, array.slice(5, rows))).collect()
}

/// One batch of named columns.
pub(crate) fn batch(columns: Vec<Named>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// A batch with a column of every type.
pub(crate) fn every_type(seed: u64, rows: usize) -> RecordBatch {
    batch(flat_columns(seed, rows).into_iter().chain(nested_columns(seed, rows)).collect())
}

/// Numbers of all widths as runs' ends.
pub(crate) fn run_widths() -> RecordBatch {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("z")]));
    let short = RunArray::<Int16Type>::try_new(&Int16Array::from(vec![2, 3, 7]), values.as_ref()).unwrap();
    let long = RunArray::<Int64Type>::try_new(&Int64Array::from(vec![1, 2, 7]), values.as_ref()).unwrap();
    batch(vec![("short".into(), Arc::new(short.slice(1, 4))), ("long".into(), Arc::new(long.slice(1, 4)))])
}

/// A dictionary column of these texts, with these values behind it.
pub(crate) fn coded(values: &[&str], keys: &[Option<i8>]) -> ArrayRef {
    let keys = PrimitiveArray::<Int8Type>::from(keys.to_vec());
    Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from(values.to_vec()))).unwrap())
}
