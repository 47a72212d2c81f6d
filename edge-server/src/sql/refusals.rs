//! What is refused, with which words and at which place; and that no text breaks the reader.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use proptest::prelude::*;

use super::tokens::{MAX_BYTES, MAX_OPERATORS};
use super::{SqlError, parse};

fn error(text: &str) -> SqlError {
    match parse(text) {
        Ok(statement) => panic!("{text}: {statement:?}"),
        Err(error) => error,
    }
}

#[test]
fn constructs_are_named_and_found() {
    let cases = [
        ("INSERT INTO t VALUES (1)", "begins with INSERT", 1),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "WITH", 1),
        ("(SELECT * FROM t)", "begins with (", 1),
        ("SELECT * FROM t; SELECT * FROM t", "more than one statement", 18),
        ("SELECT 1", "SELECT without FROM", 1),
        ("SELECT 1 FROM t", "a literal", 8),
        ("SELECT a", "SELECT without FROM", 1),
        ("SELECT * FROM a, b", "more than one table", 18),
        ("SELECT * FROM a LEFT JOIN b ON a.x = b.x", "a join", 22),
        ("SELECT * FROM a ASOF JOIN b", "ASOF JOIN", 17),
        ("SELECT * FROM a UNION SELECT * FROM b", "UNION", 17),
        ("SELECT * FROM (SELECT * FROM t)", "a table in brackets", 10),
        ("SELECT * FROM t WHERE a IN (SELECT b FROM u)", "a subquery", 28),
        ("SELECT * FROM t WHERE EXISTS (SELECT 1)", "EXISTS", 23),
        ("SELECT * FROM a.b", "points", 15),
        ("SELECT * FROM f(1)", "a function as a table", 15),
        ("SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1", "HAVING", 38),
        ("SELECT avg(a) FROM t SAMPLE BY 1h", "SAMPLE BY", 22),
        ("SELECT * FROM t LATEST ON ts PARTITION BY s", "LATEST ON", 17),
        ("SELECT sum(a) OVER (PARTITION BY b) FROM t", "a window (OVER)", 15),
        ("SELECT sum(a) FILTER (WHERE b) FROM t", "FILTER in sum", 8),
        ("SELECT sum(*) FROM t", "* in sum", 8),
        ("SELECT sum(DISTINCT a) FROM t", "DISTINCT in sum", 8),
        ("SELECT sum(a + 1) FROM t", "an expression with +", 12),
        ("SELECT lower(a) FROM t", "the function lower", 8),
        ("SELECT a + 1 FROM t", "an expression with +", 8),
        ("SELECT a::int FROM t", "CAST", 8),
        ("SELECT a[1] FROM t", "a square bracket", 9),
        ("SELECT CASE WHEN a THEN 1 END FROM t", "CASE", 8),
        ("SELECT *, a FROM t", "* beside other columns", 8),
        ("SELECT x.* FROM t", "* of anything but the table", 10),
        ("SELECT DISTINCT * FROM t", "SELECT DISTINCT *", 1),
        ("SELECT DISTINCT count(*) FROM t", "DISTINCT together with groups", 1),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON", 1),
        ("SELECT TOP 5 a FROM t", "TOP", 1),
        ("SELECT a FROM t GROUP BY ALL", "GROUP BY ALL", 17),
        ("SELECT * FROM t ORDER BY 1", "a number in ORDER BY with SELECT *", 26),
        ("SELECT * FROM t ORDER BY a + 1", "an expression with +", 26),
        ("SELECT * FROM t LIMIT -5", "a negative LIMIT", 24),
        ("SELECT * FROM t LIMIT 1 + 1", "an expression with +", 23),
        ("SELECT * FROM t FETCH FIRST 5 ROWS ONLY", "FETCH", 17),
        ("SELECT * FROM t FOR UPDATE", "FOR UPDATE", 17),
        ("SELECT * FROM t WHERE a + 1 > 2", "an expression with +", 23),
        ("SELECT * FROM t WHERE a > now()", "the function now", 27),
        ("SELECT * FROM t WHERE count(*) > 1", "the function count", 23),
        ("SELECT * FROM t WHERE 1 IS NULL", "a literal where a column is expected", 23),
        ("SELECT * FROM t WHERE a IN (b)", "a column in the list of IN", 29),
        ("SELECT * FROM t WHERE a LIKE 'x_'", "the wildcard _", 30),
        ("SELECT * FROM t WHERE a LIKE 'x%y'", "% inside", 30),
        ("SELECT * FROM t WHERE a LIKE b", "a pattern that is not text", 30),
        ("SELECT * FROM t WHERE a ILIKE 'abcdefghijk'", "more than ten letters", 31),
        ("SELECT * FROM t WHERE a SIMILAR TO 'x'", "SIMILAR TO", 23),
        ("SELECT * FROM t WHERE a = X'00'", "notation of a literal", 27),
        ("SELECT * FROM t WHERE a = ?", "a parameter", 27),
        ("SELECT * FROM t WHERE a = INTERVAL '1 day'", "INTERVAL", 36),
        ("SELECT * FROM t WHERE 1 = 'x'", "literals of these kinds", 23),
        ("SELECT * FROM t WHERE a || b", "the operator ||", 23),
        ("SELECT * FROM t WHERE NULL", "NULL as a condition", 23),
    ];
    for (text, words, column) in cases {
        let error = error(text);
        assert!(matches!(error, SqlError::Unsupported { .. }), "{text}: {error:?}");
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert_eq!(error.place().map_or(0, |(_, column)| column), column, "{text}: {error}");
    }
}

#[test]
fn parts_that_do_not_fit() {
    let cases = [
        ("SELECT a, count(*) FROM t", "neither in GROUP BY nor in an aggregate", 8),
        ("SELECT count(*) FROM t GROUP BY 1", "not aggregates", 33),
        ("SELECT a FROM t GROUP BY 2", "a number from 1 to 1", 26),
        ("SELECT a FROM t ORDER BY 0", "a number from 1 to 1", 26),
        ("SELECT a FROM t ORDER BY count(*)", "needs GROUP BY", 26),
        ("SELECT a FROM t GROUP BY a ORDER BY b", "no column of the groups", 37),
        ("SELECT a AS x, b AS x FROM t", "two columns are called \"x\"", 16),
        ("SELECT u.a FROM t", "\"u\" before a point", 8),
        ("SELECT count(a, b) FROM t", "count takes", 8),
        ("SELECT avg(a, 1) FROM t", "one column", 8),
        ("SELECT quantile(a, 2) FROM t", "a fraction from 0 to 1", 8),
        ("SELECT top(a, -1) FROM t", "a number of values", 8),
        ("SELECT corr(a) FROM t", "two columns", 8),
        ("SELECT avg(1) FROM t", "one column", 8),
        ("SELECT * FROM t WHERE 5", "not a literal", 23),
        ("SELECT * FROM t WHERE a = 1e999", "too large", 27),
        ("SELECT * FROM t LIMIT 'x'", "a number of rows", 23),
    ];
    for (text, words, column) in cases {
        let error = error(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert_eq!(error.place(), Some((1, column)), "{text}: {error}");
    }
}

#[test]
fn syntax() {
    let cases = [
        ("SELECT", (1, 7)),
        ("SELECT FROM t", (1, 13)),
        ("SELECT a\nFROM t\nWHERE a =", (3, 10)),
        ("SELECT a FROM t WHERE a = 'x", (1, 27)),
        ("SELECT a FROM t)", (1, 16)),
        ("SELECT a FROM t WHERE a IN ()", (1, 29)),
    ];
    for (text, place) in cases {
        let error = error(text);
        assert!(matches!(error, SqlError::Syntax { .. }), "{text}: {error:?}");
        assert_eq!(error.place(), Some(place), "{text}: {error}");
    }
    for text in ["", "  -- nothing\n"] {
        assert_eq!(error(text).to_string(), "the text holds no statement");
    }
    let text = "SELECT ä,\n \"ö\" FROM t WHERE lower(x) = 1";
    assert_eq!(text.chars().skip(error(text).position(text)).collect::<String>(), "lower(x) = 1");
}

#[test]
fn what_is_too_large_is_refused_with_little_stack() {
    let work = || {
        let repeated = |before: &str, part: &str, behind: &str, times: usize| {
            parse(&["SELECT a FROM t WHERE ", before, &part.repeat(times), behind].concat())
        };
        // Just below the limit of operators: each a level of the tree.
        let most = MAX_OPERATORS - 10;
        assert!(repeated("a = 1", " OR a = 1", "", most / 2 - 5).is_ok());
        assert!(repeated("a", " AND b", "", most).is_ok());
        for part in [" + 1", " IS NULL", " = 1", "::int", " - 'x'", " COLLATE x", " AT TIME ZONE 'x'"] {
            assert!(repeated("a", part, "", most / 4).is_err(), "{part}");
            assert!(repeated("a", part, " )", most / 4).is_err(), "{part}");
        }
        assert!(repeated("a", " + 1", "", most).is_err());
        for (before, behind) in
            [("(", ")"), ("NOT ", ""), ("- ", ""), ("f(", ")"), ("CASE ", " END"), ("INTERVAL ", "")]
        {
            for depth in [20, 100, 900, 20_000] {
                let text = ["SELECT a FROM t WHERE ", &before.repeat(depth), "a = 1", &behind.repeat(depth)].concat();
                let answer = parse(&text);
                assert!(answer.is_err() || depth == 20, "{before} {depth}");
            }
        }
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();

    let items = vec!["-1"; 20_000].join(",");
    assert!(parse(&format!("SELECT a FROM t WHERE a IN ({items})")).is_ok());
    assert!(matches!(
        error(&format!("SELECT a FROM t WHERE a = 0{}", " OR a = 1".repeat(2_000))),
        SqlError::TooLarge { .. }
    ));
    assert!(matches!(error(&" ".repeat(MAX_BYTES + 1)), SqlError::TooLarge { .. }));
    let long = format!("SELECT a FROM t WHERE \"{}\"(1)", "x".repeat(50_000));
    assert!(error(&long).to_string().len() < 1_000);
}

const WORDS: [&str; 64] = [
    "SELECT",
    "DISTINCT",
    "*",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "IS",
    "NULL",
    "LIKE",
    "ILIKE",
    "ESCAPE",
    "AS",
    "ASC",
    "DESC",
    "NULLS",
    "FIRST",
    "LAST",
    "a",
    "b",
    "t",
    "\"c d\"",
    "count",
    "sum",
    "quantile",
    "(",
    ")",
    "(",
    ")",
    ",",
    ".",
    ";",
    "=",
    "<>",
    "<",
    ">=",
    "-",
    "+",
    "||",
    "::",
    "1",
    "2.5",
    "0",
    "'x%'",
    "'_'",
    "'2024-01-01'",
    "TRUE",
    "DATE",
    "TIMESTAMP",
    "CAST",
    "INTERVAL",
    "CASE",
    "EXTRACT",
    "ROWS",
    "ALL",
    "--\n",
];

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.position(&text) <= text.chars().count());
        }
        let _ = parse(&["SELECT ", &text].concat());
        let _ = parse(&["SELECT a FROM t WHERE ", &text].concat());
    }

    #[test]
    fn no_words_break_the_reader(
        start in 0usize..4,
        words in prop::collection::vec(0..WORDS.len(), 0..40),
    ) {
        let start = ["SELECT ", "SELECT a FROM t WHERE ", "SELECT a, count(*) FROM t GROUP BY ", "SELECT * FROM t ORDER BY "][start];
        let words: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        let text = [start, &words.join(" ")].concat();
        match parse(&text) {
            Ok(statement) => {
                let columns = statement.plan.columns.map_or(0, |columns| columns.len());
                prop_assert_eq!(statement.names.len(), columns);
            }
            Err(error) => {
                prop_assert!(error.position(&text) <= text.chars().count());
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
