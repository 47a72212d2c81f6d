//! Each construct and each error once, then texts that nobody means.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use kernels::query::{AggregateFunction, CompareOp, Fraction, Nulls, Plan, Predicate, Scalar, SortBy, TextTest};

use super::{Statement, parse};

fn ok(text: &str) -> Statement {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn filter(condition: &str) -> Predicate {
    ok(&["SELECT * FROM t WHERE ", condition].concat()).plan.filter.unwrap()
}

fn compare(column: &str, op: CompareOp, value: Scalar) -> Predicate {
    Predicate::Compare { column: column.into(), op, value }
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

fn text(test: TextTest, value: &str, ignore_case: bool) -> Predicate {
    Predicate::Text { column: "a".into(), test, value: value.into(), ignore_case }
}

fn sort(column: &str, descending: bool, nulls: Nulls) -> SortBy {
    SortBy { column: column.into(), descending, nulls }
}

/// The numbers of the rows of a small table that a condition keeps.
fn kept(condition: &str) -> Vec<i64> {
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![0, 1, 2, 3, 4])) as ArrayRef),
        ("a", Arc::new(StringArray::from(vec![Some("Ab"), Some("aB"), Some("aBab"), None, Some("c_%")])) as ArrayRef),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true), None])) as ArrayRef),
    ])
    .unwrap();
    let plan = ok(&["SELECT n FROM t WHERE ", condition].concat()).plan;
    let result = plan.bind(&batch.schema()).unwrap().execute(&[batch]).unwrap();
    result.column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn columns_and_their_names() {
    let all = ok("select * from flights;");
    assert_eq!(all, Statement { table: "flights".into(), plan: Plan::default(), names: vec![] });
    assert_eq!(ok("SELECT f.* FROM flights f"), all);
    assert_eq!(ok("-- all\nSELECT * /* of it */ FROM 'flights'").table, "flights");

    let some = ok(r#"SELECT a, "Some Name" AS b, t.c, a FROM t"#);
    assert_eq!(some.plan.columns.unwrap(), ["a", "Some Name", "c", "a"]);
    assert_eq!(some.names, ["a", "b", "c", "a1"]);
    assert_eq!(ok(r#"SELECT "a.b" FROM "x.y" AS z"#).table, "x.y");

    let words =
        ok("SELECT timestamp, date, first, last, time, year, month, symbol FROM t WHERE timestamp > '2024-01-01'");
    assert_eq!(words.names, ["timestamp", "date", "first", "last", "time", "year", "month", "symbol"]);
    assert_eq!(ok("SELECT größe FROM maße").names, ["größe"]);
}

#[test]
fn aggregates() {
    use AggregateFunction as F;
    let statement = ok("SELECT count(*), count(), count(1), COUNT(a), count(DISTINCT a), count_distinct(a), sum(a), \
         avg(a), mean(a), min(a), max(a), stddev(a), stddev_samp(a), variance(a), var_samp(a), median(a), first(a), \
         last(a), any_value(a), quantile(a, 0.9), top(a, 3), array_agg(a), corr(a, b) FROM t");
    let functions: Vec<F> = statement.plan.aggregates.iter().map(|aggregate| aggregate.function).collect();
    let expected = [
        F::Count,
        F::Count,
        F::CountDistinct,
        F::Sum,
        F::Mean,
        F::Min,
        F::Max,
        F::Stddev,
        F::Variance,
        F::Median,
        F::First,
        F::Last,
        F::Any,
        F::Quantile(Fraction::new(0.9).unwrap()),
        F::Top(3),
        F::List,
        F::Correlation,
    ];
    assert_eq!(functions, expected);
    assert_eq!(statement.plan.aggregates[0].column, None);
    assert_eq!(statement.plan.aggregates[1].column.as_deref(), Some("a"));
    assert_eq!(statement.plan.aggregates[16].other.as_deref(), Some("b"));
    assert_eq!(statement.names[..8], ["count", "count1", "count2", "count3", "count4", "count_distinct", "sum", "avg"]);
    assert_eq!(ok("SELECT top(a, 3) FROM t").names, ["top"]);
    // What is asked twice is computed once.
    let columns = statement.plan.columns.unwrap();
    assert_eq!(columns[..8], ["count", "count", "count", "count3", "count4", "count4", "sum", "avg"]);
}

#[test]
fn groups() {
    let statement = ok("SELECT avg(delay) AS late, origin AS o, count(*) FROM t GROUP BY origin ORDER BY late, o DESC");
    assert_eq!(statement.names, ["late", "o", "count"]);
    assert_eq!(statement.plan.columns.unwrap(), ["late", "origin", "count"]);
    assert_eq!(statement.plan.group_by, ["origin"]);
    assert_eq!(statement.plan.sort, [sort("late", false, Nulls::Last), sort("origin", true, Nulls::Last)]);
    assert_eq!(ok("SELECT a, b AS c FROM t GROUP BY 1, c, t.a").plan.group_by, ["a", "b"]);
    assert_eq!(ok("SELECT a AS b, b AS a FROM t GROUP BY a, b").plan.group_by, ["a", "b"]);
    let distinct = ok("SELECT DISTINCT a, b FROM t ORDER BY b").plan;
    assert_eq!((distinct.group_by, distinct.aggregates.len()), (vec!["a".to_owned(), "b".to_owned()], 0));
    // An aggregate called like a key has another name in the plan, and the one of the statement in the result.
    let odd = ok("SELECT a, max(b) AS c, sum(b) FROM t GROUP BY a, c, sum");
    assert_eq!(odd.names, ["a", "c", "sum"]);
    assert_eq!(odd.plan.columns.unwrap(), ["a", "c1", "sum1"]);
    // An aggregate only to sort by is not in the result.
    let hidden = ok("SELECT a FROM t GROUP BY a ORDER BY count(*) DESC, sum(b)").plan;
    assert_eq!(hidden.columns.unwrap(), ["a"]);
    assert_eq!(hidden.aggregates.len(), 2);
    assert_eq!(hidden.sort[0], sort("count", true, Nulls::Last));
}

#[test]
fn order_and_window() {
    let plan =
        ok("SELECT a AS b, b AS c FROM t ORDER BY b DESC NULLS FIRST, t.b NULLS LAST, d ASC, 2 LIMIT 10 OFFSET 5").plan;
    let expected =
        [("a", true, Nulls::First), ("b", false, Nulls::Last), ("d", false, Nulls::Last), ("b", false, Nulls::Last)];
    assert_eq!(plan.sort, expected.map(|(column, descending, nulls)| sort(column, descending, nulls)));
    assert_eq!((plan.offset, plan.limit), (5, Some(10)));
    let window = |clause: &str| {
        let plan = ok(&["SELECT * FROM t ", clause].concat()).plan;
        (plan.offset, plan.limit)
    };
    assert_eq!(window("LIMIT 10, 15"), (10, Some(5)));
    assert_eq!(window("LIMIT 15, 10"), (15, Some(0)));
    assert_eq!(window("OFFSET 3 ROWS"), (3, None));
    assert_eq!(window("LIMIT ALL"), (0, None));
    assert_eq!(window("OFFSET 3 LIMIT 2"), (3, Some(2)));
}

#[test]
fn comparisons() {
    use CompareOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    let cases = [
        ("a = 1", Eq, Scalar::Int(1)),
        ("a <> -1", NotEq, Scalar::Int(-1)),
        ("a != +1", NotEq, Scalar::Int(1)),
        ("a < 1.5", Lt, Scalar::Float(1.5)),
        ("a <= -1e3", LtEq, Scalar::Float(-1e3)),
        ("(a) > (18446744073709551615)", Gt, Scalar::UInt(u64::MAX)),
        ("a >= -9223372036854775808", GtEq, Scalar::Int(i64::MIN)),
        ("5 < a", Gt, Scalar::Int(5)),
        ("5 >= t.a", LtEq, Scalar::Int(5)),
        ("'x' = a", Eq, Scalar::Text("x".into())),
        ("a = 'it''s'", Eq, Scalar::Text("it's".into())),
        ("a = true", Eq, Scalar::Boolean(true)),
        ("a = NULL", Eq, Scalar::Null),
        ("a", Eq, Scalar::Boolean(true)),
        ("a >= '2024-05-01T12:00:00Z'", GtEq, Scalar::Text("2024-05-01T12:00:00Z".into())),
        ("a > DATE '2024-05-01'", Gt, Scalar::Text("2024-05-01".into())),
        ("a > TIMESTAMP '2024-05-01 12:00'", Gt, Scalar::Text("2024-05-01 12:00".into())),
        ("a > '2024-05-01'::timestamp", Gt, Scalar::Text("2024-05-01".into())),
        ("a > CAST('2024-05-01' AS date)", Gt, Scalar::Text("2024-05-01".into())),
    ];
    for (condition, op, value) in cases {
        assert_eq!(filter(condition), compare("a", op, value), "{condition}");
    }
    let columns = Predicate::CompareColumns { left: "a".into(), op: Lt, right: "b".into() };
    assert_eq!(filter("a < b"), columns);
    for (condition, value) in
        [("1 = 1", true), ("1 > 2", false), ("'a' <= 'b'", true), ("true <> true", false), ("FALSE", false)]
    {
        let expected = if value { Predicate::And(vec![]) } else { Predicate::Or(vec![]) };
        assert_eq!(filter(condition), expected, "{condition}");
    }
}

#[test]
fn conditions() {
    let one = || compare("a", CompareOp::Eq, Scalar::Int(1));
    let two = || compare("b", CompareOp::Eq, Scalar::Int(2));
    assert_eq!(filter("a = 1 AND b = 2 AND a = 1"), Predicate::And(vec![one(), two(), one()]));
    assert_eq!(
        filter("a = 1 OR b = 2 AND NOT a = 1"),
        Predicate::Or(vec![one(), Predicate::And(vec![two(), not(one())])])
    );
    assert_eq!(filter("(a = 1 OR b = 2) AND a = 1"), Predicate::And(vec![Predicate::Or(vec![one(), two()]), one()]));

    let values = vec![Scalar::Int(1), Scalar::Int(-2), Scalar::Null, Scalar::Text("x".into())];
    let within = Predicate::In { column: "a".into(), values };
    assert_eq!(filter("a IN (1, -2, NULL, 'x')"), within);
    assert_eq!(filter("a NOT IN (1, -2, NULL, 'x')"), not(within));
    let between = Predicate::Between { column: "a".into(), low: Scalar::Int(1), high: Scalar::Int(5) };
    assert_eq!(filter("a BETWEEN 1 AND 5"), between);
    assert_eq!(filter("a NOT BETWEEN 1 AND 5"), not(between));
    let columns =
        |left: &str, op, right: &str| Predicate::CompareColumns { left: left.into(), op, right: right.into() };
    assert_eq!(
        filter("a BETWEEN b AND c"),
        Predicate::And(vec![columns("a", CompareOp::GtEq, "b"), columns("a", CompareOp::LtEq, "c")])
    );
    assert_eq!(
        filter("3 BETWEEN a AND b"),
        Predicate::And(vec![
            compare("a", CompareOp::LtEq, Scalar::Int(3)),
            compare("b", CompareOp::GtEq, Scalar::Int(3))
        ])
    );
    assert_eq!(filter("a IS NULL"), Predicate::IsNull { column: "a".into() });
    assert_eq!(filter("a IS NOT NULL"), Predicate::IsNotNull { column: "a".into() });
    assert_eq!(filter("NOT a IS NULL"), not(Predicate::IsNull { column: "a".into() }));
}

#[test]
fn patterns() {
    assert_eq!(filter("a LIKE 'x%'"), text(TextTest::BeginsWith, "x", false));
    assert_eq!(filter("a LIKE '%x'"), text(TextTest::EndsWith, "x", false));
    assert_eq!(filter("a NOT LIKE '%%x%'"), not(text(TextTest::Contains, "x", false)));
    assert_eq!(filter("a ILIKE '%X%'"), text(TextTest::Contains, "X", true));
    assert_eq!(filter("a LIKE '%'"), text(TextTest::Contains, "", false));
    assert_eq!(filter("a LIKE 'x'"), compare("a", CompareOp::Eq, Scalar::Text("x".into())));
    assert_eq!(filter(r"a LIKE '\_\%%'"), text(TextTest::BeginsWith, "_%", false));
    assert_eq!(filter("a LIKE '%!%' ESCAPE '!'"), text(TextTest::EndsWith, "%", false));
    assert_eq!(filter(r"a LIKE '%\' ESCAPE ''"), text(TextTest::EndsWith, r"\", false));
    let Predicate::In { values, .. } = filter("a ILIKE 'a1B'") else { panic!("a list was expected") };
    assert_eq!(values, ["a1b", "A1b", "a1B", "A1B"].map(|way| Scalar::Text(way.into())));
}

#[test]
fn meaning() {
    let cases: [(&str, &[i64]); 12] = [
        ("a ILIKE 'AB'", &[0, 1]),
        ("a NOT ILIKE 'ab'", &[2, 4]),
        (r"a LIKE '%\_\%'", &[4]),
        ("a LIKE '%'", &[0, 1, 2, 4]),
        ("b", &[0, 3]),
        ("NOT b", &[1]),
        ("b IS TRUE", &[0, 3]),
        ("b IS NOT TRUE", &[1, 2, 4]),
        ("b IS NOT FALSE", &[0, 2, 3, 4]),
        ("1 = 1 AND n > 2", &[3, 4]),
        ("NOT (n < 2 OR n > 3)", &[2, 3]),
        ("a NOT IN ('Ab', NULL)", &[]),
    ];
    for (condition, rows) in cases {
        assert_eq!(kept(condition), rows, "{condition}");
    }
}
