//! Finding: every shown cell whose text holds what is looked for, row by row, in steps that a page can afford.
//!
//! A cell is found by what is shown of it, and by its exact value; numbers by their digits, whatever separates groups of
//! them. Case does not matter for ASCII letters.

/// Matches beyond this many are not kept.
const MOST: usize = 100_000;

/// A running or finished search.
#[derive(Debug, Default)]
pub(crate) struct Find {
    /// What is looked for, in lower case; empty when nothing is.
    needle: String,
    /// The same without separators.
    digits: String,
    /// Rows and columns of the schema, in the order of rows and then of columns on the screen.
    pub(crate) matches: Vec<(u32, u32)>,
    /// The row where the search goes on.
    pub(crate) next_row: usize,
    /// The row of the view that row 0 is, where rows are here a piece at a time.
    pub(crate) first: usize,
    /// Whether there is more to be searched.
    pub(crate) running: bool,
}

impl Find {
    /// Begins a search; an empty text ends it.
    pub(crate) fn new(text: &str) -> Self {
        let needle = text.to_ascii_lowercase();
        let digits = needle.chars().filter(|&c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’')).collect();
        Self { running: !needle.is_empty(), needle, digits, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.needle.is_empty()
    }

    /// Whether a text holds what is looked for; of a number, its digits.
    pub(crate) fn finds(&self, text: &str, number: bool) -> bool {
        if self.needle.is_empty() {
            return false;
        }
        if number && !self.digits.is_empty() {
            return holds(text, &self.digits);
        }
        holds(text, &self.needle)
    }

    /// Takes a match; gives `false` when there are enough.
    pub(crate) fn add(&mut self, row: usize, column: usize) -> bool {
        self.matches.push(((self.first + row) as u32, column as u32));
        self.running = !self.is_enough();
        self.running
    }

    /// Whether no more matches are kept.
    pub(crate) fn is_enough(&self) -> bool {
        self.matches.len() >= MOST
    }
}

/// Whether a text holds a needle, which has no capital ASCII letters.
fn holds(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some((first, rest)) = needle.split_first() else { return true };
    let Some(last) = text.len().checked_sub(needle.len()) else { return false };
    (0..=last)
        .any(|at| text[at].to_ascii_lowercase() == *first && text[at + 1..=at + rest.len()].eq_ignore_ascii_case(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_whatever_its_case_and_numbers_whatever_their_separators() {
        let find = Find::new("JfK");
        assert!(find.finds("at jFk", false) && !find.finds("jf", false) && !find.finds("", false));
        let find = Find::new("12,3");
        assert!(find.finds("412345", true) && !find.finds("12345", false) && find.finds("12,3", false));
        assert!(!Find::new("").finds("", false));
        assert!(Find::new("ü").finds("grün", false));
        assert!(Find::new(",").finds("1,5", true));
    }

    #[test]
    fn there_is_an_end_to_matches() {
        let mut find = Find::new("x");
        assert!((1..MOST).all(|row| find.add(row, 0)) && !find.add(MOST, 0) && !find.running);
    }
}
