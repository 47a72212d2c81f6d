//! The words of a SQL text, looked through before they are parsed.
//!
//! Two things are easier to tell here than in the parsed query. Constructs that no plan has a place for are found by
//! their words, so that the error names them and their place however the grammar would have taken them (`LATEST` for
//! a name of the table, say). And the operators are counted: a chain of a thousand operators becomes a tree that is a
//! thousand deep, which must not be deeper than the stack when it is dropped.

use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::SqlError;

/// The most bytes of a text.
pub(super) const MAX_BYTES: usize = 64 << 10;
/// The most operators, keywords and brackets.
pub(super) const MAX_OPERATORS: usize = 2_000;
/// How deep brackets and signs may be nested.
pub(super) const MAX_NESTING: usize = 32;

/// The grammar: standard names and literals, and QuestDB's `LIMIT from, to`.
#[derive(Debug)]
pub(super) struct Grammar;

impl Dialect for Grammar {
    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter == '_'
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphanumeric() || letter == '_' || letter == '$'
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
}

/// Words one behind the other, and the construct that they stand for. `1` is any number.
const NO_PLACE: [(&[&str], &str); 24] = [
    (&["UNION"], "UNION"),
    (&["INTERSECT"], "INTERSECT"),
    (&["EXCEPT"], "EXCEPT"),
    (&["JOIN"], "a join"),
    (&["HAVING"], "HAVING: a plan has no filter behind its groups"),
    (&["QUALIFY"], "QUALIFY"),
    (&["SAMPLE", "BY"], "SAMPLE BY"),
    (&["LATEST", "ON"], "LATEST ON"),
    (&["LATEST", "BY"], "LATEST BY"),
    (&["ASOF", "JOIN"], "ASOF JOIN"),
    (&["OVER", "("], "a window (OVER)"),
    (&["CASE", "WHEN"], "CASE"),
    (&["EXISTS", "("], "EXISTS"),
    (&["SELECT", "TOP", "1"], "TOP; write LIMIT"),
    (&["(", "SELECT"], "a subquery"),
    (&["(", "WITH"], "a subquery"),
    (&["FROM", "("], "a table in brackets"),
    (&["GROUP", "BY", "ALL"], "GROUP BY ALL"),
    (&["ORDER", "BY", "ALL"], "ORDER BY ALL"),
    (&["["], "a square bracket"),
    (&["{"], "a curly bracket"),
    (&["FETCH"], "FETCH; write LIMIT"),
    (&["FOR", "UPDATE"], "FOR UPDATE"),
    (&["FOR", "SHARE"], "FOR SHARE"),
];

/// Cuts a text into words and refuses what cannot become a plan.
pub(super) fn read(text: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    if text.len() > MAX_BYTES {
        return Err(SqlError::TooLarge { what: format!("{} bytes of SQL, the limit is {MAX_BYTES}", text.len()) });
    }
    let mut tokens = Tokenizer::new(&Grammar, text)
        .tokenize_with_location()
        .map_err(|error| SqlError::syntax(error.message, error.location))?;
    // `top` is an aggregate of ours; for the parser it is a word of its own behind SELECT.
    for token in &mut tokens {
        if let Token::Word(word) = &mut token.token
            && word.keyword == Keyword::TOP
        {
            word.keyword = Keyword::NoKeyword;
        }
    }
    let words: Vec<&TokenWithSpan> =
        tokens.iter().filter(|word| !matches!(word.token, Token::Whitespace(_) | Token::EOF)).collect();
    begins_as_it_should(&words)?;
    for at in 0..words.len() {
        let rest = &words[at..];
        if let Some((_, what)) = NO_PLACE.iter().find(|(phrase, _)| begins(rest, phrase)) {
            return Err(SqlError::unsupported(*what, rest[0].span.start));
        }
    }
    let operators = (0..words.len()).filter(|&at| builds(&words, at)).count();
    if operators > MAX_OPERATORS {
        let what = format!("{operators} operators and keywords in one SQL text, the limit is {MAX_OPERATORS}");
        return Err(SqlError::TooLarge { what });
    }
    Ok(tokens)
}

/// One statement, and that a SELECT.
fn begins_as_it_should(words: &[&TokenWithSpan]) -> Result<(), SqlError> {
    let Some(first) = words.first() else {
        return Err(SqlError::syntax("the text holds no statement", Location::empty()));
    };
    match &first.token {
        Token::Word(word) if word.keyword == Keyword::SELECT => {}
        Token::Word(word) if word.keyword == Keyword::WITH => {
            return Err(SqlError::unsupported("WITH", first.span.start));
        }
        other => {
            let what = format!("a statement that begins with {}; only SELECT is", other);
            return Err(SqlError::unsupported(what, first.span.start));
        }
    }
    let end = words.iter().position(|word| word.token == Token::SemiColon).unwrap_or(words.len());
    match words[end..].iter().find(|word| word.token != Token::SemiColon) {
        Some(word) => Err(SqlError::unsupported("more than one statement", word.span.start)),
        None => Ok(()),
    }
}

fn begins(words: &[&TokenWithSpan], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, wanted)| is(&word.token, wanted))
}

fn is(token: &Token, wanted: &str) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted),
        Token::Number(..) => wanted == "1",
        Token::LParen => wanted == "(",
        Token::LBracket => wanted == "[",
        Token::LBrace => wanted == "{",
        _ => false,
    }
}

/// Whether a word can make the tree of an expression deeper. Names, literals and commas cannot, nor can a sign at
/// the beginning of an item of a list.
fn builds(words: &[&TokenWithSpan], at: usize) -> bool {
    match &words[at].token {
        Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => false,
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Minus => at == 0 || !matches!(words[at - 1].token, Token::Comma | Token::LParen),
        _ => true,
    }
}

/// Parses what [`read`] gave.
pub(super) fn parse(tokens: Vec<TokenWithSpan>) -> Result<Box<sqlparser::ast::Query>, SqlError> {
    let end = tokens.iter().rfind(|word| !matches!(word.token, Token::Whitespace(_) | Token::EOF));
    let end = end.map_or(Location::empty(), |word| word.span.end);
    let mut parser = Parser::new(&Grammar).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(tokens);
    let query = parser.parse_query().map_err(|error| failed(error, end))?;
    let rest = parser.peek_token();
    match rest.token {
        Token::EOF | Token::SemiColon => Ok(query),
        other => {
            let message = format!("expected the end of the statement, found {}", other);
            Err(SqlError::syntax(message, rest.span.start))
        }
    }
}

/// The parser writes the place of an error at the end of its text, but for errors at the end of the statement.
fn failed(error: ParserError, end: Location) -> SqlError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            return SqlError::TooLarge { what: "the expressions are nested too deep".to_owned() };
        }
    };
    let place = message.rsplit_once(" at Line: ").and_then(|(before, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((before, Location::new(line.parse().ok()?, column.parse().ok()?)))
    });
    match place {
        Some((before, at)) => SqlError::syntax(lowered(before), at),
        None if message.ends_with("EOF") => SqlError::syntax(lowered(&message), end),
        None => SqlError::syntax(lowered(&message), Location::empty()),
    }
}

/// `Expected: an expression, found: FROM` as the end of a sentence of ours.
fn lowered(message: &str) -> String {
    let rest = message.strip_prefix("Expected: ").or_else(|| message.strip_prefix("Expected "));
    let message = rest.map_or_else(|| message.to_owned(), |rest| ["expected ", rest].concat());
    message.replacen(", found: ", ", found ", 1)
}
