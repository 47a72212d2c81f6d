//! Plans there and back in all notations, and plans that are meant to do harm.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use arrow_schema::{DataType, Field, Schema};
use kernels::query::{
    Aggregate, AggregateFunction, CompareOp, Fraction, Nulls, Plan, Predicate, Scalar, SortBy, TextTest,
};
use proptest::prelude::*;
use wire::plan::{from_bytes, from_json, from_url, to_bytes, to_json, to_url};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}",
        Just("with, comma".to_owned()),
        Just("a:nulls_first".to_owned()),
        Just("-\\:;(\"]ü&=%+ ".to_owned()),
        Just(String::new())
    ]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Boolean),
        any::<i64>().prop_map(Scalar::Int),
        (i64::MAX as u64 + 1..=u64::MAX).prop_map(Scalar::UInt),
        // JSON writes 5.0 as 5.0, and has no infinities.
        (-1e300..1e300f64).prop_map(Scalar::Float),
        name().prop_map(Scalar::Text),
        Just(Scalar::Text("17".into())),
    ]
}

fn operation() -> impl Strategy<Value = CompareOp> {
    use CompareOp as C;
    prop_oneof![Just(C::Eq), Just(C::NotEq), Just(C::Lt), Just(C::LtEq), Just(C::Gt), Just(C::GtEq)]
}

fn leaf() -> impl Strategy<Value = Predicate> {
    let test = prop_oneof![Just(TextTest::Contains), Just(TextTest::BeginsWith), Just(TextTest::EndsWith)];
    prop_oneof![
        (name(), operation(), scalar()).prop_map(|(column, op, value)| Predicate::Compare { column, op, value }),
        (name(), scalar(), scalar()).prop_map(|(column, low, high)| Predicate::Between { column, low, high }),
        (name(), prop::collection::vec(scalar(), 0..4)).prop_map(|(column, values)| Predicate::In { column, values }),
        name().prop_map(|column| Predicate::IsNull { column }),
        name().prop_map(|column| Predicate::IsNotNull { column }),
        (name(), test, name(), any::<bool>()).prop_map(|(column, test, value, ignore_case)| Predicate::Text {
            column,
            test,
            value,
            ignore_case
        }),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let columns = (name(), operation(), name());
    let leaf = prop_oneof![leaf(), columns.prop_map(|(left, op, right)| Predicate::CompareColumns { left, op, right })];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let function = prop_oneof![
        (0..AggregateFunction::ALL.len()).prop_map(|at| AggregateFunction::ALL[at]),
        (0.0..=1.0).prop_map(|fraction| AggregateFunction::Quantile(Fraction::new(fraction).unwrap())),
        any::<u32>().prop_map(AggregateFunction::Top),
        Just(AggregateFunction::Correlation),
        Just(AggregateFunction::List),
        Just(AggregateFunction::Any),
    ];
    (function, name(), name(), prop::option::of(name())).prop_map(|(function, column, other, name)| Aggregate {
        function,
        column: Some(column),
        other: (function == AggregateFunction::Correlation).then_some(other),
        name,
    })
}

fn plan(filter: impl Strategy<Value = Option<Predicate>>) -> impl Strategy<Value = Plan> {
    let nulls = prop_oneof![Just(Nulls::First), Just(Nulls::Last)];
    let key =
        (name(), any::<bool>(), nulls).prop_map(|(column, descending, nulls)| SortBy { column, descending, nulls });
    let names = || prop::collection::vec("[a-z,]{1,4}", 0..4);
    (
        prop::option::of(prop::collection::vec("[a-z,]{1,4}", 1..4)),
        filter,
        names(),
        prop::collection::vec(aggregate(), 0..3),
        prop::collection::vec(key, 0..3),
        any::<u32>(),
        prop::option::of(any::<u32>()),
    )
        .prop_map(|(columns, filter, group_by, aggregates, sort, offset, limit)| Plan {
            columns,
            filter,
            group_by,
            aggregates,
            sort,
            offset: offset as usize,
            limit: limit.map(|limit| limit as usize),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_and_json_say_every_plan(plan in plan(prop::option::of(predicate()))) {
        prop_assert_eq!(&from_bytes(&to_bytes(&plan).unwrap()).unwrap(), &plan);
        prop_assert_eq!(&from_json(to_json(&plan).unwrap().as_bytes()).unwrap(), &plan);
    }

    #[test]
    fn urls_say_every_plan_without_or(
        plan in plan(prop::collection::vec(leaf(), 0..4).prop_map(|mut parts| match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(Predicate::And(parts)),
        }))
    ) {
        let url = to_url(&plan).unwrap();
        prop_assert_eq!(&from_url(&url, None).unwrap(), &plan, "{}", url);
    }

    #[test]
    fn damaged_bytes_are_errors_or_plans(
        plan in plan(prop::option::of(predicate())),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = to_bytes(&plan).unwrap();
        for (place, value) in places {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(plan) = from_bytes(&bytes) {
            prop_assert!(from_bytes(&to_bytes(&plan).unwrap()).is_ok());
        }
    }

    #[test]
    fn noise_is_an_error_or_a_plan(noise in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
        let _bytes = from_bytes(&noise);
        let _bytes = from_bytes(&[&[1], noise.as_slice()].concat());
        let _url = from_url(&text, None);
    }
}

#[test]
fn every_early_end_is_an_error() {
    let plan = Plan {
        columns: Some(vec!["a".into()]),
        filter: Some(Predicate::Not(Box::new(Predicate::In { column: "b".into(), values: vec![Scalar::Int(-5)] }))),
        limit: Some(3),
        ..Plan::default()
    };
    let bytes = to_bytes(&plan).unwrap();
    assert!(bytes.len() < 20, "{}", bytes.len());
    for end in 0..bytes.len() {
        let error = from_bytes(&bytes[..end]).unwrap_err().to_string();
        assert!(error.contains("at byte"), "{error}");
    }
    let error = from_bytes(&[bytes.as_slice(), &[0]].concat()).unwrap_err().to_string();
    assert!(error.contains("bytes follow the end"), "{error}");
}

#[test]
fn hostile_bytes_are_refused_at_once() {
    let told = |bytes: &[u8]| from_bytes(bytes).unwrap_err().to_string();
    assert!(told(&[2, 0]).contains("version 2, this reader knows 1"));
    // A list that claims a billion items.
    assert!(told(&[1, 1, 0x80, 0x94, 0xeb, 0xdc, 3]).contains("the bytes end early"));
    assert!(told(&[1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).contains("more than 64 bits"));
    // A thousand times "not".
    assert!(told(&[&[1, 2], vec![9; 1_000].as_slice()].concat()).contains("nested deeper than 64"));
    // Two hundred thousand empty names.
    let many = [&[1u8, 1, 0xc0, 0x9a, 0x0c], vec![0; 200_000].as_slice()].concat();
    assert!(told(&many).contains("too many parts"));
    assert!(told(&vec![1; 9 << 20]).contains("the limit is"));
}

#[test]
fn urls_as_people_write_them() {
    let schema = Schema::new(vec![
        Field::new("zip", DataType::Utf8, true),
        Field::new("code", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), true),
        Field::new("n", DataType::Int32, true),
    ]);
    let one = |url: &str| from_url(url, Some(&schema)).unwrap().filter.unwrap();
    let compare = |column: &str, value: Scalar| Predicate::Compare { column: column.into(), op: CompareOp::Eq, value };
    assert_eq!(one("filter[zip]=01234"), compare("zip", Scalar::Text("01234".into())));
    assert_eq!(one("filter%5Bcode%5D=7"), compare("code", Scalar::Text("7".into())));
    assert_eq!(one("filter[n]=7"), compare("n", Scalar::Int(7)));
    assert_eq!(one("filter[n]=7.5"), compare("n", Scalar::Float(7.5)));
    assert_eq!(one("filter[when]=2013-01-01T05:00:00Z"), compare("when", Scalar::Text("2013-01-01T05:00:00Z".into())));
    let parts = from_url("filter[n]gte=3&filter[n]lt=9&filter[zip]icontains=a,b&filter[n]null=false", Some(&schema));
    let Some(Predicate::And(parts)) = parts.unwrap().filter else { unreachable!("four filters are an and") };
    assert_eq!(parts.len(), 4);
    let plan =
        from_url("group=origin,month&aggregate=count,quantile(d;0.9):p90,mean(d)&sort=-p90,origin", None).unwrap();
    assert_eq!(plan.aggregates[1].output_name(), "p90");
    assert_eq!(plan.aggregates[2].output_name(), "mean(d)");
    assert!(plan.sort[0].descending && !plan.sort[1].descending);
    // Found by fuzzing: one name without letters is not no name.
    let odd = Plan { group_by: vec![String::new()], columns: Some(vec![String::new()]), ..Plan::default() };
    assert_eq!(from_url(&to_url(&odd).unwrap(), None).unwrap(), odd);
    for (url, expected) in [
        ("sort=a:up", "only nulls_first may stand"),
        ("sorted=a", "unknown parameter \"sorted\""),
        ("limit=many", "limit is not a number of rows: many"),
        ("filter[a]like=b", "filter[a]like: unknown operator"),
        ("filter[a]between=1", "filter[a]between: expected two values"),
        ("filter[a]null=maybe", "expected true or false"),
        ("aggregate=mean(a", "expected a closing bracket"),
        ("aggregate=quantile(a;2)", "expected a fraction from 0 to 1"),
        ("aggregate=average(a)", "unknown function"),
    ] {
        let error = from_url(url, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
}
