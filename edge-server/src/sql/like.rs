//! Patterns of LIKE, where they are no more than a text at the beginning, at the end, anywhere, or the whole value.

use kernels::query::{CompareOp, Predicate, Scalar, TextTest};

/// An exact ILIKE becomes a list of the ways to write the text; this many letters make a thousand of them.
const MAX_LETTERS: usize = 10;

/// The condition that a column is like a pattern. `%` stands for any text; `escape`, if any, takes the letter behind
/// it for itself.
pub(super) fn like(
    column: String,
    pattern: &str,
    escape: Option<char>,
    ignore_case: bool,
) -> Result<Predicate, &'static str> {
    let (mut body, mut leads, mut ends) = (String::new(), false, false);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let literal = match letter {
            _ if Some(letter) == escape => letters.next().ok_or("a pattern that ends with the escape character")?,
            '%' if body.is_empty() => {
                leads = true;
                continue;
            }
            '%' => {
                ends = true;
                continue;
            }
            '_' => return Err("the wildcard _ in a pattern; an underscore is written \\_"),
            other => other,
        };
        if ends {
            return Err("a pattern with % inside; it may stand at the beginning and at the end");
        }
        body.push(literal);
    }
    let test = match (leads, ends) {
        // A pattern of nothing but % is any text.
        (true, _) if body.is_empty() => TextTest::Contains,
        (true, true) => TextTest::Contains,
        (true, false) => TextTest::EndsWith,
        (false, true) => TextTest::BeginsWith,
        (false, false) if ignore_case => return any_case(column, &body),
        (false, false) => {
            return Ok(Predicate::Compare { column, op: CompareOp::Eq, value: Scalar::Text(body) });
        }
    };
    Ok(Predicate::Text { column, test, value: body, ignore_case })
}

/// The column equals the text in some mixture of capitals and small letters (of ASCII, as in the other tests).
fn any_case(column: String, text: &str) -> Result<Predicate, &'static str> {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters > MAX_LETTERS {
        return Err("ILIKE without % for a text of more than ten letters");
    }
    let ways = (0..1u32 << letters).map(|capitals| {
        let mut letter = 0;
        let way = text.chars().map(|char| {
            if !char.is_ascii_alphabetic() {
                return char;
            }
            letter += 1;
            if capitals >> (letter - 1) & 1 == 1 { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() }
        });
        Scalar::Text(way.collect())
    });
    Ok(Predicate::In { column, values: ways.collect() })
}
