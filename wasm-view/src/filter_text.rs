//! Filter boxes: what a person types, as a predicate.
//!
//! | typed | means |
//! |---|---|
//! | `jfk` | text that contains it, whatever the case; of a number, equal |
//! | `=JFK`, `!=JFK`, `=JFK, LGA`, `!=JFK, LGA` | equal; not equal; one of; none of |
//! | `^N7`, `AA$` | text that begins, ends with it |
//! | `> 60`, `<= 9`, `>5 <9` | compared; several are joined by and |
//! | `10..20`, `10..`, `..20` | from, to, both included |
//! | `2013-05`, `> 2013-05-01 12:00`, `2013-05..2013-06` | dates and times, of any part; in the column's zone |
//! | `null`, `!null` | nulls, or all but nulls |
//! | `"null"`, `"=x"` | what is quoted is meant as it stands |

mod period;

pub(crate) use period::days;

use arrow_schema::DataType;
use kernels::query::{CompareOp, Predicate, Scalar, TextTest};

use crate::format::Zones;

/// What kind of text a column's box takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Moment,
    Clock,
    Boolean,
    NullsOnly,
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Dictionary(_, values) => kind_of(values),
        DataType::Boolean => Kind::Boolean,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Kind::Moment,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Clock,
        DataType::Decimal256(..) => Kind::NullsOnly,
        DataType::Duration(_) => Kind::Number,
        other if other.is_numeric() => Kind::Number,
        _ => Kind::NullsOnly,
    }
}

/// A short hint of what the box takes.
pub(crate) fn hint(data_type: &DataType) -> &'static str {
    match kind_of(data_type) {
        Kind::Text => "contains…",
        Kind::Number => "> 0",
        Kind::Moment => "2013-05",
        Kind::Clock => "> 12:00",
        Kind::Boolean => "true",
        Kind::NullsOnly => "!null",
    }
}

/// Reads a box. Nothing typed is no filter.
///
/// # Errors
/// Says what was expected.
pub(crate) fn parse(
    column: &str,
    data_type: &DataType,
    text: &str,
    zones: &Zones,
) -> Result<Option<Predicate>, String> {
    let text = text.trim();
    let named = || column.to_owned();
    match text.to_ascii_lowercase().as_str() {
        "" => return Ok(None),
        "null" => return Ok(Some(Predicate::IsNull { column: named() })),
        "!null" => return Ok(Some(Predicate::IsNotNull { column: named() })),
        _ => {}
    }
    let predicate = match kind_of(data_type) {
        Kind::Text => Some(of_text(column, text)),
        Kind::Boolean => boolean(column, text),
        Kind::Number => compared(column, text, &number),
        Kind::Clock => compared(column, text, &|text| {
            text.contains(':')
                .then(|| Scalar::Text(if text.len() == 5 { [text, ":00"].concat() } else { text.to_owned() }))
        }),
        Kind::Moment => {
            let zone = match data_type {
                DataType::Timestamp(_, zone) => zone.as_deref(),
                _ => None,
            };
            moments(column, text, zone, zones)
        }
        Kind::NullsOnly => None,
    };
    predicate.map(Some).ok_or_else(|| {
        let expected = match kind_of(data_type) {
            Kind::Number => "a number, > 5, <= 3, 1..9, a list 1, 2, 3, null or !null",
            Kind::Moment => "a date or time such as 2013-05-01, > 2013-05, 2013-05..2013-06, null or !null",
            Kind::Clock => "a time such as 12:30, > 12:30:00, null or !null",
            Kind::Boolean => "true, false, null or !null",
            Kind::Text | Kind::NullsOnly => "null or !null",
        };
        ["expected ", expected].concat()
    })
}

fn compare(column: &str, op: CompareOp, value: Scalar) -> Predicate {
    Predicate::Compare { column: column.to_owned(), op, value }
}

/// An operator and what follows it.
fn operator(text: &str) -> Option<(CompareOp, &str)> {
    const OPERATORS: [(&str, CompareOp); 8] = [
        (">=", CompareOp::GtEq),
        ("<=", CompareOp::LtEq),
        ("!=", CompareOp::NotEq),
        ("<>", CompareOp::NotEq),
        ("==", CompareOp::Eq),
        (">", CompareOp::Gt),
        ("<", CompareOp::Lt),
        ("=", CompareOp::Eq),
    ];
    OPERATORS.iter().find_map(|&(sign, op)| Some((op, text.strip_prefix(sign)?.trim())))
}

fn of_text(column: &str, text: &str) -> Predicate {
    let test = |test: TextTest, value: &str| Predicate::Text {
        column: column.to_owned(),
        test,
        value: value.to_owned(),
        ignore_case: true,
    };
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return test(TextTest::Contains, inner);
    }
    if let Some((op, value)) = operator(text) {
        let mut values = items(value);
        return match (op, values.len()) {
            (CompareOp::Eq | CompareOp::NotEq, 2..) => {
                let one_of =
                    Predicate::In { column: column.to_owned(), values: values.into_iter().map(Scalar::Text).collect() };
                if op == CompareOp::Eq { one_of } else { Predicate::Not(Box::new(one_of)) }
            }
            (_, 1) => compare(column, op, Scalar::Text(values.remove(0))),
            _ => compare(column, op, Scalar::Text(value.to_owned())),
        };
    }
    if let Some(value) = text.strip_prefix('^') {
        return test(TextTest::BeginsWith, value);
    }
    match text.strip_suffix('$') {
        Some(value) if !value.is_empty() => test(TextTest::EndsWith, value),
        _ => test(TextTest::Contains, text),
    }
}

/// `JFK, "a, b"`: values between commas; in quotes a comma is a comma, and two quotes are one.
fn items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = text.trim();
    loop {
        let mut item = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut chars = quoted.char_indices().peekable();
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                if c == '"' && chars.next_if(|&(_, next)| next == '"').is_none() {
                    end = at + 1;
                    break;
                }
                item.push(c);
            }
            rest = quoted[end..].trim_start();
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            item.push_str(rest[..end].trim_end());
            rest = &rest[end..];
        }
        items.push(item);
        // What follows a closing quote without a comma is left aside.
        match rest.find(',') {
            Some(at) => rest = rest[at + 1..].trim_start(),
            None => return items,
        }
    }
}

/// What to type to find a value, given as its exact text, or all other values; `None` is a null.
pub(crate) fn of_value(data_type: &DataType, value: Option<&str>, exclude: bool) -> String {
    let Some(value) = value else { return if exclude { "!null" } else { "null" }.to_owned() };
    let sign = if exclude { "!=" } else { "=" };
    let plain = |c: char| !matches!(c, ',' | '"' | '<' | '>' | '=' | '!');
    if kind_of(data_type) != Kind::Text || !value.is_empty() && value.trim() == value && value.chars().all(plain) {
        return [sign, value].concat();
    }
    [sign, "\"", &value.replace('"', "\"\""), "\""].concat()
}

fn boolean(column: &str, text: &str) -> Option<Predicate> {
    let (op, word) = operator(text).unwrap_or((CompareOp::Eq, text));
    let word = word.to_ascii_lowercase();
    let value = match word.as_str() {
        "1" => true,
        "0" => false,
        word if "true".starts_with(word) || "yes".starts_with(word) => true,
        word if "false".starts_with(word) || "no".starts_with(word) => false,
        _ => return None,
    };
    Some(compare(column, op, Scalar::Boolean(value)))
}

fn number(text: &str) -> Option<Scalar> {
    let text = text.trim();
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    if let Ok(value) = digits.parse::<i64>() {
        return Some(Scalar::Int(value));
    }
    if let Ok(value) = digits.parse::<u64>() {
        return Some(Scalar::UInt(value));
    }
    // Words that Rust reads as floats are none that a person means, but for NaN.
    let worded = digits.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E'));
    match float(&digits) {
        Some(value) if !worded || value.is_nan() => Some(Scalar::Float(value)),
        _ => None,
    }
}

/// The browser reads floats as exactly as Rust does, and is there already.
#[cfg(target_family = "wasm")]
fn float(digits: &str) -> Option<f64> {
    let value = wasm_bindgen::JsValue::from_str(digits).unchecked_into_f64();
    (!digits.is_empty() && (!value.is_nan() || digits.eq_ignore_ascii_case("nan"))).then_some(value)
}

#[cfg(not(target_family = "wasm"))]
fn float(digits: &str) -> Option<f64> {
    digits.parse().ok()
}

/// `> 5 < 9`, `1..9`, `1, 2, 3`, `5`.
fn compared(column: &str, text: &str, literal: &dyn Fn(&str) -> Option<Scalar>) -> Option<Predicate> {
    if operator(text).is_some() {
        let mut parts = Vec::new();
        for part in conditions(text) {
            let (op, value) = operator(part)?;
            parts.push(compare(column, op, literal(value)?));
        }
        return Some(if parts.len() == 1 { parts.remove(0) } else { Predicate::And(parts) });
    }
    if let Some((low, high)) = text.split_once("..") {
        return match (low.trim(), high.trim()) {
            ("", "") => None,
            (low, "") => Some(compare(column, CompareOp::GtEq, literal(low)?)),
            ("", high) => Some(compare(column, CompareOp::LtEq, literal(high)?)),
            (low, high) => {
                Some(Predicate::Between { column: column.to_owned(), low: literal(low)?, high: literal(high)? })
            }
        };
    }
    if text.contains(',') {
        let values = text.split(',').map(|part| literal(part.trim())).collect::<Option<Vec<_>>>()?;
        return Some(Predicate::In { column: column.to_owned(), values });
    }
    Some(compare(column, CompareOp::Eq, literal(text)?))
}

/// Cuts `>5 <9` before each operator.
fn conditions(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        let begins = matches!(byte, b'<' | b'>' | b'!' | b'=') && !matches!(before, b'<' | b'>' | b'!' | b'=');
        if begins && at > start {
            parts.push(text[start..at].trim());
            start = at;
        }
        before = byte;
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty() && *part != "&");
    parts
}

/// As [`compared`], where each literal is a stretch of time.
fn moments(column: &str, text: &str, zone: Option<&str>, zones: &Zones) -> Option<Predicate> {
    let stretch = |text: &str| period::parse(text, zone, zones);
    let from = |at: i128| compare(column, CompareOp::GtEq, Scalar::Text(period::written(at)));
    let before = |at: i128| compare(column, CompareOp::Lt, Scalar::Text(period::written(at)));
    if operator(text).is_some() {
        let mut parts = Vec::new();
        for part in conditions(text) {
            let (op, value) = operator(part)?;
            let (start, end) = stretch(value)?;
            parts.push(match op {
                CompareOp::Gt => from(end),
                CompareOp::GtEq => from(start),
                CompareOp::Lt => before(start),
                CompareOp::LtEq => before(end),
                CompareOp::Eq => Predicate::And(vec![from(start), before(end)]),
                CompareOp::NotEq => Predicate::Or(vec![before(start), from(end)]),
            });
        }
        return Some(if parts.len() == 1 { parts.remove(0) } else { Predicate::And(parts) });
    }
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    match (low.trim(), high.trim()) {
        ("", "") => None,
        (low, "") => Some(from(stretch(low)?.0)),
        ("", high) => Some(before(stretch(high)?.1)),
        (low, high) => Some(Predicate::And(vec![from(stretch(low)?.0), before(stretch(high)?.1)])),
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::TimeUnit;

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
        let test =
            |test, value: &str| Predicate::Text { column: "c".into(), test, value: value.into(), ignore_case: true };
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
        same(
            &DataType::Date32,
            "2013-12",
            &stretch("2013-12-01T00:00:00.000000000Z", "2014-01-01T00:00:00.000000000Z"),
        );
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
}
