//! A filter taken apart, for the panel beside its box: what is typed by hand is found there again.

use arrow_schema::DataType;
use kernels::query::{CompareOp, TextTest};

use super::{Kind, alternatives, items, kind_of, operator, words};

/// Nulls as well (`null` or nothing), the kind of the condition, and its values:
///
/// | kind | values |
/// |---|---|
/// | nothing | no condition |
/// | `!null` | no condition but that |
/// | `=`, `!=` | equal to one of them, to none of them |
/// | `has`, `^`, `$`, behind `!` for the opposite and `'` where the case counts | the text |
/// | `range` | what is typed |
/// | `?` | what is typed: more than a panel shows |
pub(crate) fn parts(data_type: &DataType, text: &str) -> Vec<String> {
    let mut conditions = alternatives(text);
    let all = conditions.len();
    conditions.retain(|part| !part.eq_ignore_ascii_case("null"));
    let mut parts = vec![if conditions.len() < all { "null" } else { "" }.to_owned()];
    let (kind, values) = match *conditions.as_slice() {
        [] => ("".to_owned(), Vec::new()),
        [one] if one.eq_ignore_ascii_case("!null") => ("!null".to_owned(), Vec::new()),
        [one] => condition(kind_of(data_type), one),
        _ => ("?".to_owned(), vec![text.to_owned()]),
    };
    parts.push(kind);
    parts.extend(values);
    parts
}

fn condition(kind: Kind, text: &str) -> (String, Vec<String>) {
    // A second operator makes it a range: `>5 <9`.
    let values = |op: &str, list: &str| (op.to_owned(), items(list));
    match operator(text) {
        Some((op @ (CompareOp::Eq | CompareOp::NotEq), list)) if kind == Kind::Text || operator_free(list) => {
            return values(if op == CompareOp::Eq { "=" } else { "!=" }, list);
        }
        None if kind == Kind::Text => {
            let words = words::read(text);
            let kind = [
                if words.negated { "!" } else { "" },
                if words.cased { "'" } else { "" },
                match words.test {
                    TextTest::Contains => "has",
                    TextTest::BeginsWith => "^",
                    TextTest::EndsWith => "$",
                },
            ];
            return (kind.concat(), vec![words.value]);
        }
        None if kind == Kind::Boolean || !text.contains("..") && (kind != Kind::Moment || text.contains(',')) => {
            return values("=", text);
        }
        _ => {}
    }
    let kind = if kind == Kind::Text || text.contains("!=") { "?" } else { "range" };
    (kind.to_owned(), vec![text.to_owned()])
}

fn operator_free(text: &str) -> bool {
    !text.contains(['<', '>', '=', '!'])
}
