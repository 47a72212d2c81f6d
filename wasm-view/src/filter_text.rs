//! Filter boxes: what a person types, as a predicate.
//!
//! | typed | means |
//! |---|---|
//! | `jfk` | text that contains it, whatever the case; of a number, equal |
//! | `=JFK`, `!=JFK`, `=JFK, LGA`, `!=JFK, LGA` | equal; not equal; one of; none of |
//! | `^N7`, `AA$` | text that begins, ends with it |
//! | `!jfk`, `!^N7`, `!AA$` | text that does not contain it, not begin, not end with it |
//! | `'JFK`, `'^N7`, `!'AA$` | the same, and the case counts |
//! | `> 60`, `<= 9`, `>5 <9` | compared; several are joined by and |
//! | `< 0 | > 60`, `!=JFK | null` | one condition or another |
//! | `10..20`, `10..`, `..20` | from, to, both included |
//! | `2013-05`, `> 2013-05-01 12:00`, `2013-05..2013-06` | dates and times, of any part; in the column's zone |
//! | `null`, `!null` | nulls, or all but nulls |
//! | `"null"`, `"=x"`, `^"a|b"` | what is quoted is meant as it stands |

mod parts;
mod period;
mod words;

pub(crate) use parts::parts;

pub(crate) use period::days;

use arrow_schema::DataType;
use kernels::query::{CompareOp, Predicate, Scalar};

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

/// What kind of filter a column takes, in a word.
pub(crate) fn kind(data_type: &DataType) -> &'static str {
    match kind_of(data_type) {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Moment => "moment",
        Kind::Clock => "clock",
        Kind::Boolean => "boolean",
        Kind::NullsOnly => "nulls",
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
    let mut found = Vec::new();
    for part in alternatives(text) {
        found.push(one(column, data_type, part, zones)?);
    }
    Ok(if found.len() > 1 { Some(Predicate::Or(found)) } else { found.pop() })
}

/// What stands between bars, outside of quotes; what is empty is left out.
fn alternatives(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let bar = |c: char| {
        quoted ^= c == '"';
        c == '|' && !quoted
    };
    text.split(bar).map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn one(column: &str, data_type: &DataType, text: &str, zones: &Zones) -> Result<Predicate, String> {
    let named = || column.to_owned();
    match text.to_ascii_lowercase().as_str() {
        "null" => return Ok(Predicate::IsNull { column: named() }),
        "!null" => return Ok(Predicate::IsNotNull { column: named() }),
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
    predicate.ok_or_else(|| {
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
    match operator(text) {
        Some((op @ (CompareOp::Eq | CompareOp::NotEq), value)) => {
            one_of(column, op, items(value).into_iter().map(Scalar::Text).collect())
        }
        Some((op, value)) => compare(column, op, Scalar::Text(words::unquoted(value))),
        None => words::predicate(column, text),
    }
}

/// Equal to one of the values, or to none of them.
fn one_of(column: &str, op: CompareOp, mut values: Vec<Scalar>) -> Predicate {
    if values.len() == 1 {
        return compare(column, op, values.remove(0));
    }
    let one_of = Predicate::In { column: column.to_owned(), values };
    if op == CompareOp::Eq { one_of } else { Predicate::Not(Box::new(one_of)) }
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
    let plain = |c: char| !matches!(c, ',' | '"' | '<' | '>' | '=' | '!' | '|');
    if kind_of(data_type) != Kind::Text || !value.is_empty() && value.trim() == value && value.chars().all(plain) {
        return [sign, value].concat();
    }
    [sign, "\"", &value.replace('"', "\"\""), "\""].concat()
}

fn boolean(column: &str, text: &str) -> Option<Predicate> {
    let (op, words) = operator(text).unwrap_or((CompareOp::Eq, text));
    let truth = |word: &str| {
        let value = match word.trim().to_ascii_lowercase().as_str() {
            "" => return None,
            "1" => true,
            "0" => false,
            word if "true".starts_with(word) || "yes".starts_with(word) => true,
            word if "false".starts_with(word) || "no".starts_with(word) => false,
            _ => return None,
        };
        Some(Scalar::Boolean(value))
    };
    listed(column, op, words, &truth)
}

/// A value, or several between commas, of which one is equal or none is.
fn listed(column: &str, op: CompareOp, text: &str, literal: &dyn Fn(&str) -> Option<Scalar>) -> Option<Predicate> {
    let mut values = Vec::new();
    for part in text.split(',') {
        values.push(literal(part.trim())?);
    }
    let is_list = matches!(op, CompareOp::Eq | CompareOp::NotEq);
    (is_list || values.len() == 1).then(|| one_of(column, op, values))
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

/// `> 5 < 9`, `1..9`, `1, 2, 3`, `!=1, 2`, `5`.
fn compared(column: &str, text: &str, literal: &dyn Fn(&str) -> Option<Scalar>) -> Option<Predicate> {
    if operator(text).is_some() {
        let mut parts = Vec::new();
        for part in conditions(text) {
            let (op, value) = operator(part)?;
            parts.push(listed(column, op, value, literal)?);
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
    listed(column, CompareOp::Eq, text, literal)
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
    // One of several stretches, or of one.
    let within = |text: &str| {
        let mut any = Vec::new();
        for part in text.split(',') {
            let (start, end) = stretch(part)?;
            any.push(Predicate::And(vec![from(start), before(end)]));
        }
        if any.len() > 1 { Some(Predicate::Or(any)) } else { any.pop() }
    };
    if operator(text).is_some() {
        let mut parts = Vec::new();
        for part in conditions(text) {
            let (op, value) = operator(part)?;
            parts.push(match op {
                CompareOp::Gt => from(stretch(value)?.1),
                CompareOp::GtEq => from(stretch(value)?.0),
                CompareOp::Lt => before(stretch(value)?.0),
                CompareOp::LtEq => before(stretch(value)?.1),
                CompareOp::Eq => within(value)?,
                CompareOp::NotEq => Predicate::Not(Box::new(within(value)?)),
            });
        }
        return Some(if parts.len() == 1 { parts.remove(0) } else { Predicate::And(parts) });
    }
    let Some((low, high)) = text.split_once("..") else { return within(text) };
    match (low.trim(), high.trim()) {
        ("", "") => None,
        (low, "") => Some(from(stretch(low)?.0)),
        ("", high) => Some(before(stretch(high)?.1)),
        (low, high) => Some(Predicate::And(vec![from(stretch(low)?.0), before(stretch(high)?.1)])),
    }
}

#[cfg(test)]
mod tests;
