//! What a file does not say of itself: what stands between its fields, and whether its first row holds names.

use super::rows::Rows;
use super::value::{self, NULL, TEXT};

/// What may stand between fields; of two that fit as well, the one that comes first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Rows and bytes that a delimiter is judged by.
const ROWS: usize = 200;
const BYTES: usize = 256 << 10;

/// The delimiter that gives the most rows as many fields as the first row, and more than one.
pub(crate) fn delimiter(sample: &[u8]) -> u8 {
    let sample = &sample[..sample.len().min(BYTES)];
    let mut best = (0, 0, b',');
    for delimiter in DELIMITERS {
        // Rows are of one width, or reading stops: what was read till then is what fits.
        let mut rows = Rows::new(delimiter, 0, false);
        let _uneven = rows.push(sample, ROWS, usize::MAX).and_then(|_| rows.finish());
        let score = (rows.len(), rows.width, delimiter);
        if rows.width > 1 && (score.0, score.1) > (best.0, best.1) {
            best = score;
        }
    }
    best.2
}

/// Whether the first row holds names: where it is text above what is none, or text that does not come twice above text.
pub(crate) fn has_names(rows: &Rows) -> bool {
    if rows.len() == 0 {
        return false;
    }
    let (mut texts, mut others) = (0, 0);
    for column in 0..rows.width {
        let first = value::kind(rows.field(0, column));
        let below = (1..rows.len()).fold(NULL, |seen, row| seen | value::kind(rows.field(row, column)));
        match first {
            TEXT if below != NULL && below & TEXT == 0 => return true,
            TEXT => texts += 1,
            NULL => {}
            _ => others += 1,
        }
    }
    let fields: Vec<&[u8]> = (0..rows.width).map(|column| rows.field(0, column)).collect();
    texts > 0 && others == 0 && fields.iter().enumerate().all(|(place, field)| !fields[..place].contains(field))
}

/// Names for columns, each once: from the first row, or by number.
pub(crate) fn names(rows: &Rows, named: bool) -> Vec<String> {
    let name = |column| {
        let given =
            if named { String::from_utf8_lossy(rows.field(0, column)).trim().to_owned() } else { String::new() };
        if given.is_empty() { ["column_", &(column + 1).to_string()].concat() } else { given }
    };
    let mut names: Vec<String> = (0..rows.width).map(name).collect();
    wire::distinct_names(&mut names);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, delimiter: u8) -> Rows {
        let mut rows = Rows::new(delimiter, 0, false);
        assert_eq!(rows.push(text.as_bytes(), usize::MAX, usize::MAX), Ok(text.len()));
        rows.finish().unwrap();
        rows
    }

    #[test]
    fn delimiters_are_guessed() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
            ("a\tb\n1\t2, 3\n", b'\t'),
            ("a|b|c\nx, y|2|3\n", b'|'),
            ("\"a;b\",c\n1,2\n", b','),
            ("only\none\n", b','),
            ("", b','),
            ("name,note\nx,\"a; b; c\"\ny,\"d; e\"\n", b','),
        ] {
            assert_eq!(delimiter(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn names_are_guessed() {
        for (text, expected) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("name,city\nAnn,Bern\n", true),
            ("2013,total\n1,2\n", true),
            (",a,b\n0,1,2\n", true),
            ("x,x\nx,y\n", false),
            ("a,b\n", true),
            ("Ann,2013-01-01\nBob,2014-01-01\n", false),
        ] {
            assert_eq!(has_names(&rows(text, b',')), expected, "{text}");
        }
        assert_eq!(names(&rows("a, a ,,a_2\n", b','), true), ["a", "a_3", "column_3", "a_2"]);
        assert_eq!(names(&rows("1,2\n", b','), false), ["column_1", "column_2"]);
    }
}
