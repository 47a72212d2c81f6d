//! Tests of text: `jfk`, `^N7`, `AA$`, each with `!` for its opposite and `'` where the case counts.

use kernels::query::{Predicate, TextTest};

/// A test of text, taken apart.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) negated: bool,
    /// Whether the case counts.
    pub(super) cased: bool,
    pub(super) test: TextTest,
    pub(super) value: String,
}

/// What follows a sign; a sign alone is a word.
fn behind(text: &str, sign: char) -> Option<&str> {
    text.strip_prefix(sign).filter(|rest| !rest.is_empty())
}

/// What stands in quotes, where two are one; or all of it.
pub(super) fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// Takes a test apart. Anything is one.
pub(super) fn read(text: &str) -> Words {
    let (negated, text) = behind(text, '!').map_or((false, text), |rest| (true, rest));
    let (cased, text) = behind(text, '\'').map_or((false, text), |rest| (true, rest));
    let (test, value) = match (behind(text, '^'), text.strip_suffix('$')) {
        (Some(value), _) => (TextTest::BeginsWith, value),
        (None, Some(value)) if !value.is_empty() => (TextTest::EndsWith, value),
        _ => (TextTest::Contains, text),
    };
    Words { negated, cased, test, value: unquoted(value) }
}

pub(super) fn predicate(column: &str, text: &str) -> Predicate {
    let Words { negated, cased, test, value } = read(text);
    let test = Predicate::Text { column: column.to_owned(), test, value, ignore_case: !cased };
    if negated { Predicate::Not(Box::new(test)) } else { test }
}
