//! What is typed, and what it means.

use arrow_schema::TimeUnit;

use kernels::query::TextTest;

use super::*;

fn zones() -> Zones {
    Zones::new(Box::new(|_, _| Some(-4 * 3_600)))
}

fn json(data_type: &DataType, text: &str) -> String {
    match parse("c", data_type, text, &zones()) {
        Ok(Some(predicate)) => format!("{predicate:?}"),
        Ok(None) => "none".to_owned(),
        Err(error) => error,
    }
}

fn same(data_type: &DataType, text: &str, expected: &Predicate) {
    assert_eq!(json(data_type, text), format!("{expected:?}"), "{text}");
}

#[test]
fn numbers() {
    let int = DataType::Int32;
    let column = || "c".to_owned();
    same(&int, " 5 ", &compare("c", CompareOp::Eq, Scalar::Int(5)));
    same(&int, ">= -1_000", &compare("c", CompareOp::GtEq, Scalar::Int(-1000)));
    same(&int, "!=2.5", &compare("c", CompareOp::NotEq, Scalar::Float(2.5)));
    same(&int, "1..9", &Predicate::Between { column: column(), low: Scalar::Int(1), high: Scalar::Int(9) });
    same(&int, "..9", &compare("c", CompareOp::LtEq, Scalar::Int(9)));
    same(&int, "1, 2", &Predicate::In { column: column(), values: vec![Scalar::Int(1), Scalar::Int(2)] });
    same(
        &int,
        ">5 <=9",
        &Predicate::And(vec![
            compare("c", CompareOp::Gt, Scalar::Int(5)),
            compare("c", CompareOp::LtEq, Scalar::Int(9)),
        ]),
    );
    same(&int, "!NULL", &Predicate::IsNotNull { column: column() });
    for wrong in ["abc", ">", "1..x", "1,,2", "..", "inf", "> 5 6"] {
        assert!(json(&int, wrong).starts_with("expected a number"), "{wrong}");
    }
    assert_eq!(json(&int, "  "), "none");
}

#[test]
fn words() {
    let text = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let test = |test, value: &str| Predicate::Text { column: "c".into(), test, value: value.into(), ignore_case: true };
    same(&text, "jfk", &test(TextTest::Contains, "jfk"));
    same(&text, "^N7", &test(TextTest::BeginsWith, "N7"));
    same(&text, "AA$", &test(TextTest::EndsWith, "AA"));
    same(&text, "$", &test(TextTest::Contains, "$"));
    same(&text, "\"null\"", &test(TextTest::Contains, "null"));
    same(&text, "=JFK", &compare("c", CompareOp::Eq, Scalar::Text("JFK".into())));
    let values = vec![Scalar::Text("JFK".into()), Scalar::Text("LGA".into())];
    same(&text, "= JFK, LGA", &Predicate::In { column: "c".into(), values });
    same(&text, "null", &Predicate::IsNull { column: "c".into() });
    let values = vec![Scalar::Text("a, \"b\"".into()), Scalar::Text("c".into())];
    let one_of = Predicate::In { column: "c".into(), values };
    same(&text, "!= \"a, \"\"b\"\"\", c", &Predicate::Not(Box::new(one_of)));
}

#[test]
fn dates_are_stretches_of_time() {
    let text = |at: &str| Scalar::Text(at.to_owned());
    let stretch = |from: &str, before: &str| {
        Predicate::And(vec![compare("c", CompareOp::GtEq, text(from)), compare("c", CompareOp::Lt, text(before))])
    };
    same(&DataType::Date32, "2013-12", &stretch("2013-12-01T00:00:00.000000000Z", "2014-01-01T00:00:00.000000000Z"));
    let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("America/New_York".into()));
    same(&zoned, "2013-05-01", &stretch("2013-05-01T04:00:00.000000000Z", "2013-05-02T04:00:00.000000000Z"));
    let after = compare("c", CompareOp::GtEq, text("2013-05-01T16:31:00.000000000Z"));
    same(&zoned, ">2013-05-01 12:30", &after);
    assert!(json(&zoned, "yesterday").starts_with("expected a date"));
    assert!(json(&zoned, "2013-13").starts_with("expected a date"));
    assert!(json(&zoned, "2013-02-30").starts_with("expected a date"));
}

#[test]
fn what_is_left() {
    same(&DataType::Boolean, "T", &compare("c", CompareOp::Eq, Scalar::Boolean(true)));
    assert!(json(&DataType::Boolean, "maybe").starts_with("expected true"));
    let clock = DataType::Time32(TimeUnit::Second);
    same(&clock, ">=12:30", &compare("c", CompareOp::GtEq, Scalar::Text("12:30:00".into())));
    assert!(json(&DataType::Binary, "ff").starts_with("expected null"));
}

#[test]
fn a_value_finds_its_rows() {
    use std::sync::Arc;

    use arrow_array::*;
    use kernels::query::Plan;

    use crate::format::{self, Formats};

    let odd = ["JFK", "a, b", "say \"x\"", "", "=1", " lead", "!null", "a\",b", "> 5 < 9", "null"];
    let zone = "America/New_York";
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(odd)),
        Arc::new(Int64Array::from(vec![i64::MIN, -1, 0, 7, i64::MAX])),
        Arc::new(UInt64Array::from(vec![0, u64::MAX])),
        Arc::new(Float64Array::from(vec![0.1, -1e300, 1e-9, 15.10795435218885])),
        Arc::new(Decimal128Array::from(vec![-1_234_567, 10, 1]).with_precision_and_scale(12, 2).unwrap()),
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Date32Array::from(vec![0, 19_000, -1])),
        Arc::new(Time32SecondArray::from(vec![0, 45_000])),
        Arc::new(Time64MicrosecondArray::from(vec![1, 45_000_000_001])),
        Arc::new(TimestampSecondArray::from(vec![0, 1_400_000_000])),
        Arc::new(TimestampNanosecondArray::from(vec![1, 1_400_000_000_123_456_789])),
        Arc::new(TimestampMillisecondArray::from(vec![0, 1_400_000_000_123]).with_timezone(zone)),
        Arc::new(StringArray::from(vec![Some("x"), None])),
    ];
    for column in columns {
        let formats = Formats { zones: zones(), separator: ',' };
        let batch = RecordBatch::try_from_iter_with_nullable([("c", column.clone(), true)]).unwrap();
        for row in 0..column.len() {
            let mut text = String::new();
            let there = format::write(column.as_ref(), row, None, &formats, &mut text);
            for exclude in [false, true] {
                let typed = of_value(column.data_type(), there.then_some(text.as_str()), exclude);
                let filter = parse("c", column.data_type(), &typed, &formats.zones)
                    .map_err(|error| [&typed, ": ", &error].concat())
                    .unwrap();
                let plan = Plan { filter, ..Plan::default() }.bind(&batch.schema()).unwrap();
                let found = plan.select(std::slice::from_ref(&batch)).unwrap();
                let has = found.as_slice().contains(&(row as u32));
                assert_eq!(has, !exclude, "{typed} of {:?}: {:?}", column.data_type(), found.as_slice());
                assert!(exclude || found.len() == 1, "{typed}: {:?}", found.as_slice());
            }
        }
    }
}

#[test]
fn opposites_case_and_alternatives() {
    let text = DataType::Utf8;
    let test =
        |test, value: &str, ignore_case| Predicate::Text { column: "c".into(), test, value: value.into(), ignore_case };
    let not = |predicate| Predicate::Not(Box::new(predicate));
    same(&text, "!jfk", &not(test(TextTest::Contains, "jfk", true)));
    same(&text, "!^N7", &not(test(TextTest::BeginsWith, "N7", true)));
    same(&text, "!AA$", &not(test(TextTest::EndsWith, "AA", true)));
    same(&text, "'JFK", &test(TextTest::Contains, "JFK", false));
    same(&text, "!'^N7", &not(test(TextTest::BeginsWith, "N7", false)));
    same(&text, "^\"a|\"\"b\"", &test(TextTest::BeginsWith, "a|\"b", true));
    for alone in ["!", "'", "^", "$"] {
        same(&text, alone, &test(TextTest::Contains, alone, true));
    }
    let null = || Predicate::IsNull { column: "c".into() };
    let other = compare("c", CompareOp::NotEq, Scalar::Text("JFK".into()));
    same(&text, "!=JFK | null", &Predicate::Or(vec![other, null()]));
    same(&text, "a | ", &test(TextTest::Contains, "a", true));
    let int = |op, value| compare("c", op, Scalar::Int(value));
    same(&DataType::Int8, "<0|>60", &Predicate::Or(vec![int(CompareOp::Lt, 0), int(CompareOp::Gt, 60)]));
    let two = Predicate::In { column: "c".into(), values: vec![Scalar::Int(1), Scalar::Int(2)] };
    same(&DataType::Int8, "!=1, 2", &not(two));
    assert!(json(&DataType::Int8, "1 | x").starts_with("expected a number"));
    assert!(json(&DataType::Int8, "> 1, 2").starts_with("expected a number"));
    let truths = vec![Scalar::Boolean(true), Scalar::Boolean(false)];
    same(&DataType::Boolean, "=true, false", &Predicate::In { column: "c".into(), values: truths });
    assert!(json(&DataType::Date32, "2013-05, 2013-07").starts_with("Or([And"));
    assert!(json(&DataType::Date32, "!=2013-05, 2013-07").starts_with("Not(Or([And"));
}

#[test]
fn a_filter_is_taken_apart() {
    let check = |data_type: &DataType, text: &str, expected: &str| {
        assert_eq!(parts(data_type, text).join(";"), expected, "{text}");
    };
    let (text, int, date) = (DataType::Utf8, DataType::Int64, DataType::Date32);
    check(&text, "", ";");
    check(&text, "null", "null;");
    check(&text, "!null", ";!null");
    check(&text, "=JFK, \"a|b\"|null", "null;=;JFK;a|b");
    check(&text, "!=JFK", ";!=;JFK");
    check(&text, "!'^N7", ";!'^;N7");
    check(&text, "jfk", ";has;jfk");
    check(&text, "AA$", ";$;AA");
    check(&text, "> b", ";?;> b");
    check(&text, "a | b", ";?;a | b");
    check(&int, "1, 2", ";=;1;2");
    check(&int, "!=1, 2", ";!=;1;2");
    check(&int, "5 | null", "null;=;5");
    check(&int, ">5 <=9", ";range;>5 <=9");
    check(&int, "10..20", ";range;10..20");
    check(&int, "=1 !=2", ";?;=1 !=2");
    check(&date, "2013-05", ";range;2013-05");
    check(&date, "2013-05, 2013-07", ";=;2013-05;2013-07");
    check(&DataType::Boolean, "true", ";=;true");
}
