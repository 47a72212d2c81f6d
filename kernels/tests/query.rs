//! Plans: binding, the ways to run one, and their agreement with each other and with a plain loop.
#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

mod common;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use common::{Random, array, cut_batch};
use kernels::Error;
use kernels::query::*;
use proptest::prelude::*;

fn table(random: &mut Random, rows: usize) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("int", array(random, &DataType::Int32, rows, 10), true),
        ("float", array(random, &DataType::Float64, rows, 10), true),
        ("text", array(random, &DataType::Utf8, rows, 10), true),
        (
            "dictionary",
            array(random, &DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8)), rows, 10),
            true,
        ),
        ("flag", array(random, &DataType::Boolean, rows, 10), true),
    ])
    .unwrap()
}

fn compare(column: &str, op: CompareOp, value: Scalar) -> Predicate {
    Predicate::Compare { column: column.into(), op, value }
}

fn filters() -> Vec<Option<Predicate>> {
    vec![
        None,
        Some(compare("int", CompareOp::Gt, Scalar::Int(2))),
        Some(Predicate::And(vec![
            compare("int", CompareOp::LtEq, Scalar::Int(5)),
            Predicate::Or(vec![
                Predicate::Text {
                    column: "text".into(),
                    test: TextTest::Contains,
                    value: "a".into(),
                    ignore_case: true,
                },
                Predicate::IsNull { column: "float".into() },
            ]),
        ])),
        Some(Predicate::Not(Box::new(Predicate::In {
            column: "dictionary".into(),
            values: vec![Scalar::Text("JFK".into()), Scalar::Text("a".into())],
        }))),
        Some(Predicate::Not(Box::new(Predicate::In {
            column: "int".into(),
            values: vec![Scalar::Int(1), Scalar::Null],
        }))),
        Some(Predicate::Between { column: "float".into(), low: Scalar::Float(-2.0), high: Scalar::Int(1) }),
        Some(Predicate::CompareColumns { left: "int".into(), op: CompareOp::Eq, right: "int".into() }),
        Some(Predicate::And(vec![])),
        Some(Predicate::Or(vec![])),
    ]
}

fn sorts() -> Vec<Vec<SortBy>> {
    let by = |column: &str, descending, nulls| SortBy { column: column.into(), descending, nulls };
    vec![
        vec![],
        vec![by("float", true, Nulls::Last)],
        vec![by("dictionary", false, Nulls::First), by("int", true, Nulls::Last), by("text", false, Nulls::Last)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 12 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_to_run_a_plan_agrees(seed: u64, rows in 1usize..300, offset in 0usize..20, limit in prop::option::of(0usize..50)) {
        let mut random = Random::new(seed);
        let batch = table(&mut random, rows);
        let batches = cut_batch(&mut random, &batch);
        for filter in filters() {
            for sort in sorts() {
                let plan = Plan { filter: filter.clone(), sort, offset, limit, columns: Some(vec!["text".into(), "int".into()]), ..Plan::default() };
                let bound = plan.bind(&batch.schema()).unwrap();
                let whole = bound.execute(std::slice::from_ref(&batch)).unwrap();
                let chunked = bound.execute(&batches).unwrap();
                prop_assert_eq!(&whole, &chunked);
                // The definition: selected rows of the projected table.
                let selected = bound.select(&batches).unwrap();
                let rows = UInt32Array::from(selected.as_slice().to_vec());
                for (name, column) in [("text", 0), ("int", 1)] {
                    let expected = arrow_select::take::take(batch.column_by_name(name).unwrap(), &rows, None).unwrap();
                    prop_assert_eq!(expected.as_ref(), whole.column(column).as_ref());
                }
                // Pushed batch by batch.
                let mut running = Execution::try_new(bound.clone()).unwrap();
                let mut parts = Vec::new();
                for batch in &batches {
                    let (flow, part) = running.push(batch).unwrap();
                    parts.extend(part);
                    if flow == Flow::Done {
                        break;
                    }
                }
                parts.extend(running.finish().unwrap());
                prop_assert_eq!(&concat_batches(bound.output_schema(), &parts).unwrap(), &whole);
            }
        }
    }

    #[test]
    fn filters_keep_what_sql_keeps(seed: u64, rows in 1usize..200) {
        let mut random = Random::new(seed);
        let batch = table(&mut random, rows);
        let int = batch.column(0).as_primitive::<Int32Type>();
        let float = batch.column(1).as_primitive::<Float64Type>();
        let keep = |filter: &Predicate| {
            let plan = Plan { filter: Some(filter.clone()), ..Plan::default() };
            plan.bind(&batch.schema()).unwrap().select(std::slice::from_ref(&batch)).unwrap().into_vec()
        };
        let expected = |test: &dyn Fn(usize) -> bool| (0..rows).filter(|&row| test(row)).map(|row| row as u32).collect::<Vec<_>>();
        let filters = filters();
        let some = |n: usize| filters[n].clone().unwrap();
        prop_assert_eq!(keep(&some(1)), expected(&|row| int.is_valid(row) && int.value(row) > 2));
        // not in (1, null): a miss is unknown, a hit is false, so nothing is kept.
        prop_assert_eq!(keep(&some(4)), Vec::<u32>::new());
        prop_assert_eq!(keep(&some(5)), expected(&|row| float.is_valid(row) && float.value(row) >= -2.0 && float.value(row) <= 1.0));
        prop_assert_eq!(keep(&some(6)), expected(&|row| int.is_valid(row)));
        prop_assert_eq!(keep(&some(7)).len(), rows);
        prop_assert_eq!(keep(&some(8)).len(), 0);
    }
}

#[test]
fn a_grouped_plan_filters_groups_sorts_and_projects() {
    let batch = RecordBatch::try_from_iter([
        ("origin", Arc::new(StringArray::from(vec!["JFK", "LGA", "JFK", "EWR", "LGA"])) as ArrayRef),
        ("delay", Arc::new(Float64Array::from(vec![Some(1.0), Some(8.0), Some(3.0), None, Some(100.0)])) as ArrayRef),
    ])
    .unwrap();
    let plan = Plan {
        filter: Some(Predicate::Not(Box::new(compare("delay", CompareOp::Gt, Scalar::Int(50))))),
        group_by: vec!["origin".into()],
        aggregates: vec![
            Aggregate { function: AggregateFunction::Mean, column: Some("delay".into()), other: None, name: None },
            Aggregate { function: AggregateFunction::Count, column: None, other: None, name: Some("n".into()) },
        ],
        sort: vec![SortBy { column: "mean(delay)".into(), descending: true, nulls: Nulls::Last }],
        columns: Some(vec!["n".into(), "origin".into()]),
        ..Plan::default()
    };
    let bound = plan.bind(&batch.schema()).unwrap();
    assert_eq!(bound.input_columns(), [0, 1]);
    let result = bound.execute(&[batch]).unwrap();
    assert_eq!(result.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["LGA", "JFK"]);
    assert_eq!(result.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
}

#[test]
fn plans_that_do_not_fit_the_table_say_why() {
    let schema = table(&mut Random::new(1), 1).schema();
    let check = |plan: Plan, expected: &str| {
        let error = plan.bind(&schema).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let filter = |filter| Plan { filter: Some(filter), ..Plan::default() };
    check(
        filter(compare("nope", CompareOp::Eq, Scalar::Int(1))),
        "unknown column \"nope\"; the columns are int, float, text, dictionary, flag",
    );
    check(
        filter(compare("int", CompareOp::Eq, Scalar::Text("x".into()))),
        "column \"int\" of type Int32 cannot be compared with text \"x\"; expected a number",
    );
    check(filter(compare("flag", CompareOp::Eq, Scalar::Int(1))), "expected true or false");
    check(
        filter(Predicate::CompareColumns { left: "int".into(), op: CompareOp::Lt, right: "float".into() }),
        "expected a column of the same type",
    );
    check(Plan { columns: Some(vec!["x".into()]), ..Plan::default() }, "unknown column \"x\"");
    let mean = Aggregate { function: AggregateFunction::Mean, column: Some("text".into()), other: None, name: None };
    check(Plan { aggregates: vec![mean], ..Plan::default() }, "mean is not defined for column \"text\" of type Utf8");
    let count = Aggregate { function: AggregateFunction::Count, column: None, other: None, name: Some("int".into()) };
    check(
        Plan { group_by: vec!["int".into()], aggregates: vec![count], ..Plan::default() },
        "two columns of the result have the same name: int",
    );
    let mut deep = compare("int", CompareOp::Eq, Scalar::Int(1));
    for _ in 0..2_000 {
        deep = Predicate::Not(Box::new(deep));
    }
    check(filter(deep), "nested too deep");
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let batch = table(&mut Random::new(1), 3);
    let bound = Plan::default().bind(&batch.schema()).unwrap();
    let other = RecordBatch::try_from_iter([("int", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    assert!(matches!(
        bound.execute(&[other]).map_err(|error| *error),
        Err(Error::LengthMismatch { expected: 5, found: 1 })
    ));
}

#[test]
fn plans_are_json() {
    let text = r#"{"filter":{"and":[{"compare":{"column":"month","op":"=","value":3}},{"in":{"column":"carrier","values":["AA","UA"]}}]},"group_by":["origin"],"aggregates":[{"function":"mean","column":"dep_delay","as":"delay"}],"sort":[{"column":"delay","descending":true,"nulls":"last"}],"limit":10}"#;
    let plan: Plan = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&plan).unwrap(), text);
    assert!(
        serde_json::from_str::<Plan>(r#"{"filters":[]}"#).unwrap_err().to_string().contains("unknown field `filters`")
    );
}

#[test]
fn an_overflow_names_its_column() {
    let huge = 10i128.pow(38) - 1;
    let decimals = Decimal128Array::from(vec![huge, huge]).with_precision_and_scale(38, 0).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("number", Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX]))),
        ("price", Arc::new(decimals)),
    ])
    .unwrap();
    let sum = |column: &str| Aggregate {
        function: AggregateFunction::Sum,
        column: Some(column.to_owned()),
        other: None,
        name: Some("total".to_owned()),
    };
    for column in ["number", "price"] {
        let aggregates = vec![Aggregate { name: None, ..sum("id") }, sum(column)];
        let plan = Plan { aggregates, ..Plan::default() }.bind(&batch.schema()).unwrap();
        let expected = format!("sum of column \"{column}\" overflows its result type");
        let found = plan.execute(std::slice::from_ref(&batch)).unwrap_err();
        assert_eq!(found.to_string(), expected);
        // In steps, too.
        let mut execution = Execution::try_new(plan).unwrap();
        let steps = execution.push(&batch).and_then(|_| {
            let mut finishing = execution.finishing()?;
            while !finishing.step(100)? {}
            Ok(())
        });
        assert_eq!(steps.unwrap_err().to_string(), expected);
    }
    // Where nobody has named the column.
    let mut state = kernels::GroupBy::try_new(&[], &[(AggregateFunction::Sum, vec![DataType::Int64])]).unwrap();
    state.update(2, &[], &[vec![batch.column(1).as_ref()]]).unwrap();
    assert_eq!(state.aggregate_arrays().unwrap_err().to_string(), "sum overflows its result type");
}
