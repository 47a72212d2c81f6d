//! Plans as a URL's query, for people and for links.
//!
//! ```text
//! columns=origin,dest & filter[month]=3 & filter[dep_delay]gte=60 & sort=-dep_delay,origin & limit=20 & offset=40
//! group=origin,month & aggregate=count,mean(dep_delay),quantile(dep_delay;0.9):p90
//! ```
//!
//! | operator behind `filter[column]` | means |
//! |---|---|
//! | none, `eq`, `ne`, `lt`, `lte`, `gt`, `gte` | compare |
//! | `in`, `between` | one of these; from the first to the second |
//! | `contains`, `begins`, `ends`; `icontains`, `ibegins`, `iends` | text; without regard to ASCII letters' case |
//! | `null` | `true` or `false` |
//!
//! Filters are joined by "and". A value is text when its column is (the schema says) or when it stands in double
//! quotes, else a number, `true`, `false` or `null` where it looks like one. A backslash takes the comma, colon,
//! semicolon, bracket or quote behind it for a letter.

use arrow_schema::{DataType, Schema};
use kernels::query::{
    Aggregate, AggregateFunction, CompareOp, Fraction, Nulls, Plan, Predicate, Scalar, SortBy, TextTest,
};

use super::{FUNCTIONS, check, check_length, wrong};
use crate::Result;

const COMPARISONS: [(&str, CompareOp); 7] = [
    ("", CompareOp::Eq),
    ("eq", CompareOp::Eq),
    ("ne", CompareOp::NotEq),
    ("lt", CompareOp::Lt),
    ("lte", CompareOp::LtEq),
    ("gt", CompareOp::Gt),
    ("gte", CompareOp::GtEq),
];
const TESTS: [(&str, TextTest); 3] =
    [("contains", TextTest::Contains), ("begins", TextTest::BeginsWith), ("ends", TextTest::EndsWith)];

/// Reads a URL's query (what stands behind `?`). Parameters of other names are errors, so that a slip is told.
///
/// # Errors
/// [`Error::Plan`](crate::Error::Plan) that names the parameter.
///
/// ```
/// let plan = wire::plan::from_url("filter[month]=3&sort=-dep_delay&limit=20", None)?;
/// assert_eq!((plan.limit, plan.sort[0].descending), (Some(20), true));
/// assert_eq!(wire::plan::to_url(&plan)?, "filter%5Bmonth%5D=3&sort=-dep_delay&limit=20");
/// # Ok::<(), Box<wire::Error>>(())
/// ```
pub fn from_url(query: &str, schema: Option<&Schema>) -> Result<Plan> {
    check_length(query.len())?;
    let mut plan = Plan::default();
    let mut filters = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "columns" => plan.columns = Some(names(&value)),
            "group" => plan.group_by = names(&value),
            "aggregate" => {
                plan.aggregates = split(&value, ',').iter().map(|part| aggregate(part)).collect::<Result<_>>()?;
            }
            "sort" => plan.sort = split(&value, ',').iter().map(|part| sort_key(part)).collect::<Result<_>>()?,
            "limit" => plan.limit = Some(number(&name, &value)?),
            "offset" => plan.offset = number(&name, &value)?,
            other => match other.strip_prefix("filter[").and_then(|rest| rest.rsplit_once(']')) {
                Some((column, operator)) => filters.push(filter(column, operator, &value, schema)?),
                None => return Err(wrong(&["unknown parameter \"", other, "\""])),
            },
        }
    }
    plan.filter = match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(Predicate::And(filters)),
    };
    check(plan)
}

/// Writes a plan as a URL's query.
///
/// # Errors
/// [`Error::Plan`](crate::Error::Plan) when the plan has a part that the notation cannot say, such as an "or".
pub fn to_url(plan: &Plan) -> Result<String> {
    let mut out = form_urlencoded::Serializer::new(String::new());
    if let Some(columns) = &plan.columns {
        out.append_pair("columns", &join(columns));
    }
    match &plan.filter {
        None => {}
        Some(Predicate::And(parts)) if parts.len() > 1 => {
            parts.iter().try_for_each(|part| write_filter(&mut out, part))?;
        }
        Some(one) => write_filter(&mut out, one)?,
    }
    if !plan.group_by.is_empty() {
        out.append_pair("group", &join(&plan.group_by));
    }
    if !plan.aggregates.is_empty() {
        let parts = plan.aggregates.iter().map(write_aggregate).collect::<Result<Vec<_>>>()?;
        out.append_pair("aggregate", &parts.join(","));
    }
    if !plan.sort.is_empty() {
        let key = |key: &SortBy| {
            let nulls = if key.nulls == Nulls::First { ":nulls_first" } else { "" };
            [if key.descending { "-" } else { "" }, &escape_key(&key.column), nulls].concat()
        };
        out.append_pair("sort", &plan.sort.iter().map(key).collect::<Vec<_>>().join(","));
    }
    if let Some(limit) = plan.limit {
        out.append_pair("limit", &limit.to_string());
    }
    if plan.offset > 0 {
        out.append_pair("offset", &plan.offset.to_string());
    }
    Ok(out.finish())
}

fn number(name: &str, value: &str) -> Result<usize> {
    value.parse().map_err(|_| wrong(&[name, " is not a number of rows: ", value]))
}

/// Parts between separators; a backslash and what is behind it stay together, and so do quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if letter == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Without backslashes.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | ',' | ':' | ';' | '(' | ')' | '"') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// As [`escape`], and not to be taken for a descending key.
fn escape_key(text: &str) -> String {
    let escaped = escape(text);
    if escaped.starts_with('-') { ["\\", &escaped].concat() } else { escaped }
}

fn names(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { split(text, ',').into_iter().map(plain).collect() }
}

fn join(names: &[String]) -> String {
    // A list of one name without letters is not an empty list.
    if names.len() == 1 && names[0].is_empty() {
        return "\\".to_owned();
    }
    names.iter().map(|name| escape(name)).collect::<Vec<_>>().join(",")
}

fn sort_key(text: &str) -> Result<SortBy> {
    let (text, nulls) = match split(text, ':').as_slice() {
        [text] => (*text, Nulls::Last),
        [text, "nulls_first"] => (*text, Nulls::First),
        _ => return Err(wrong(&["sort key \"", text, "\": behind a colon only nulls_first may stand"])),
    };
    let (descending, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    Ok(SortBy { column: plain(text), descending, nulls })
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn scalar(text: &str, column: &str, schema: Option<&Schema>) -> Scalar {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Scalar::Text(plain(quoted));
    }
    let field = schema.and_then(|schema| schema.field_with_name(column).ok());
    if text == "null" {
        return Scalar::Null;
    }
    if field.is_some_and(|field| is_text(field.data_type())) {
        return Scalar::Text(plain(text));
    }
    if let Ok(value) = text.parse() {
        return Scalar::Int(value);
    }
    if let Ok(value) = text.parse() {
        return Scalar::UInt(value);
    }
    match text {
        "true" | "false" => Scalar::Boolean(text == "true"),
        _ => match text.parse::<f64>() {
            Ok(value) => Scalar::Float(value),
            Err(_) => Scalar::Text(plain(text)),
        },
    }
}

fn write_scalar(value: &Scalar) -> String {
    match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        // With a point or an exponent, so that it is no integer.
        Scalar::Float(value) => format!("{value:?}"),
        Scalar::Text(value) => ["\"", &escape(value), "\""].concat(),
    }
}

fn filter(column: &str, operator: &str, value: &str, schema: Option<&Schema>) -> Result<Predicate> {
    let bad = |what: &str| wrong(&["filter[", column, "]", operator, ": ", what]);
    let owned = column.to_owned();
    if let Some((_, op)) = COMPARISONS.iter().find(|(name, _)| *name == operator) {
        return Ok(Predicate::Compare { column: owned, op: *op, value: scalar(value, column, schema) });
    }
    let (ignore_case, test) = match operator.strip_prefix('i') {
        Some(rest) if TESTS.iter().any(|(name, _)| *name == rest) => (true, rest),
        _ => (false, operator),
    };
    if let Some((_, test)) = TESTS.iter().find(|(name, _)| *name == test) {
        return Ok(Predicate::Text { column: owned, test: *test, value: value.to_owned(), ignore_case });
    }
    let values = || split(value, ',').into_iter().map(|part| scalar(part, column, schema)).collect::<Vec<_>>();
    match (operator, value) {
        ("null", "true") => Ok(Predicate::IsNull { column: owned }),
        ("null", "false") => Ok(Predicate::IsNotNull { column: owned }),
        ("null", _) => Err(bad("expected true or false")),
        ("in", "") => Ok(Predicate::In { column: owned, values: Vec::new() }),
        ("in", _) => Ok(Predicate::In { column: owned, values: values() }),
        ("between", _) => match <[Scalar; 2]>::try_from(values()) {
            Ok([low, high]) => Ok(Predicate::Between { column: owned, low, high }),
            Err(_) => Err(bad("expected two values with a comma between")),
        },
        _ => Err(bad("unknown operator")),
    }
}

fn write_filter(out: &mut form_urlencoded::Serializer<'_, String>, predicate: &Predicate) -> Result<()> {
    let mut pair = |column: &str, operator: &str, value: &str| {
        out.append_pair(&["filter[", column, "]", operator].concat(), value);
    };
    let list = |values: &[Scalar]| values.iter().map(write_scalar).collect::<Vec<_>>().join(",");
    match predicate {
        Predicate::Compare { column, op, value } => {
            let name = COMPARISONS.iter().find(|(_, known)| known == op).map_or("", |(name, _)| name);
            pair(column, name, &write_scalar(value));
        }
        Predicate::Between { column, low, high } => {
            pair(column, "between", &[write_scalar(low), write_scalar(high)].join(","));
        }
        Predicate::In { column, values } => pair(column, "in", &list(values)),
        Predicate::IsNull { column } => pair(column, "null", "true"),
        Predicate::IsNotNull { column } => pair(column, "null", "false"),
        Predicate::Text { column, test, value, ignore_case } => {
            let name = TESTS.iter().find(|(_, known)| known == test).map_or("", |(name, _)| name);
            pair(column, &[if *ignore_case { "i" } else { "" }, name].concat(), value);
        }
        Predicate::CompareColumns { .. } | Predicate::And(_) | Predicate::Or(_) | Predicate::Not(_) => {
            return Err(wrong(&["a URL has no words for \"or\", \"not\", nested \"and\" and comparisons of columns"]));
        }
    }
    Ok(())
}

/// `count`, `mean(dep_delay)`, `quantile(dep_delay;0.9)`, `correlation(a;b)`, each perhaps with `:name`.
fn aggregate(text: &str) -> Result<Aggregate> {
    let bad = |what: &str| wrong(&["aggregate \"", text, "\": ", what]);
    let (call, name) = match split(text, ':').as_slice() {
        [call] => (*call, None),
        [call, name] => (*call, Some(plain(name))),
        _ => return Err(bad("more than one name")),
    };
    let (function, parameters) = match split(call, '(').as_slice() {
        [function] => (*function, Vec::new()),
        [function, rest] => {
            let inner = rest.strip_suffix(')').ok_or_else(|| bad("expected a closing bracket"))?;
            (*function, split(inner, ';').into_iter().map(plain).collect())
        }
        _ => return Err(bad("more than one opening bracket")),
    };
    let mut parameters = parameters.into_iter();
    let column = parameters.next();
    let second = parameters.next();
    let (function, other) = match (function, second) {
        ("quantile", Some(second)) => {
            let fraction = second.parse().ok().and_then(Fraction::new);
            (AggregateFunction::Quantile(fraction.ok_or_else(|| bad("expected a fraction from 0 to 1"))?), None)
        }
        ("top", Some(second)) => {
            (AggregateFunction::Top(second.parse().map_err(|_| bad("expected a number of values"))?), None)
        }
        ("quantile" | "top", None) => return Err(bad("expected a column and a number")),
        (function, second) => {
            let known = FUNCTIONS.iter().find(|known| known.name() == function);
            (*known.ok_or_else(|| bad("unknown function"))?, second)
        }
    };
    if parameters.next().is_some() {
        return Err(bad("more than two parameters"));
    }
    Ok(Aggregate { function, column, other, name })
}

fn write_aggregate(aggregate: &Aggregate) -> Result<String> {
    let second = match aggregate.function {
        AggregateFunction::Quantile(fraction) => Some(fraction.get().to_string()),
        AggregateFunction::Top(most) => Some(most.to_string()),
        function if FUNCTIONS.contains(&function) => aggregate.other.as_deref().map(escape),
        function => return Err(wrong(&["a URL has no word for ", function.name()])),
    };
    let mut out = aggregate.function.name().to_owned();
    if let Some(column) = &aggregate.column {
        out.push('(');
        out.push_str(&escape(column));
        if let Some(second) = second {
            out.push(';');
            out.push_str(&second);
        }
        out.push(')');
    }
    if let Some(name) = &aggregate.name {
        out.push(':');
        out.push_str(&escape(name));
    }
    Ok(out)
}
