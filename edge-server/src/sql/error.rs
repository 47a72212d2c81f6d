//! What can be wrong with a SQL text, each with its place in the text where that is known.

use std::fmt;

use sqlparser::tokenizer::Location;

/// Why a SQL text does not become a plan.
///
/// Lines and columns count from 1, columns in characters; both are 0 where the place is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlError {
    /// The text is not SQL.
    Syntax {
        /// What was expected and what was found.
        message: String,
        /// The line.
        line: u64,
        /// The column in the line.
        column: u64,
    },
    /// The text is SQL, but a plan has no place for a part of it.
    Unsupported {
        /// The part.
        what: String,
        /// The line.
        line: u64,
        /// The column in the line.
        column: u64,
    },
    /// The parts of the text do not fit together, such as a column that is neither grouped nor aggregated.
    Invalid {
        /// What does not fit.
        message: String,
        /// The line.
        line: u64,
        /// The column in the line.
        column: u64,
    },
    /// The text is larger than any that is meant.
    TooLarge {
        /// What there is too much of, and the limit.
        what: String,
    },
    /// The text could not be read, for a reason that is not in the text.
    Internal {
        /// Why.
        reason: String,
    },
}

impl SqlError {
    pub(super) fn syntax(message: impl Into<String>, at: Location) -> Self {
        Self::Syntax { message: shortened(message.into()), line: at.line, column: at.column }
    }

    pub(super) fn unsupported(what: impl Into<String>, at: Location) -> Self {
        Self::Unsupported { what: shortened(what.into()), line: at.line, column: at.column }
    }

    pub(super) fn invalid(message: impl Into<String>, at: Location) -> Self {
        Self::Invalid { message: shortened(message.into()), line: at.line, column: at.column }
    }

    /// The line and the column, where they are known.
    #[must_use]
    pub fn place(&self) -> Option<(u64, u64)> {
        match self {
            Self::Syntax { line, column, .. }
            | Self::Unsupported { line, column, .. }
            | Self::Invalid { line, column, .. }
                if *line > 0 =>
            {
                Some((*line, *column))
            }
            _ => None,
        }
    }

    /// The place as a number of characters from the beginning of the text, as QuestDB tells it; 0 where it is not
    /// known.
    ///
    /// ```
    /// let text = "SELECT *\nFROM t WHERE a + 1 > 2";
    /// let error = edge_server::sql::parse(text).unwrap_err();
    /// assert_eq!(error.place(), Some((2, 14)));
    /// assert_eq!(&text[error.position(text)..], "a + 1 > 2");
    /// ```
    #[must_use]
    pub fn position(&self, text: &str) -> usize {
        let Some(place) = self.place() else { return 0 };
        let (mut line, mut column) = (1, 1);
        for (position, letter) in text.chars().enumerate() {
            if (line, column) >= place {
                return position;
            }
            (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        text.chars().count()
    }
}

/// A message does not grow with the names and words that it is about.
fn shortened(text: String) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => [&text[..end], " …"].concat(),
        None => text,
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, .. } | Self::Invalid { message, .. } => f.write_str(message)?,
            Self::Unsupported { what, .. } => write!(f, "not supported: {what}")?,
            Self::TooLarge { what } => f.write_str(what)?,
            Self::Internal { reason } => write!(f, "internal error: {reason}")?,
        }
        match self.place() {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlError {}
