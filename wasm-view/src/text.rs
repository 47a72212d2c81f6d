//! Rectangles of cells as text: tabs for the clipboard, a table for documents, commas for files.

/// How cells are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Tabs between cells, as spreadsheets paste them.
    Tabs,
    /// Rows of an HTML table.
    Html,
    /// Comma-separated values (RFC 4180).
    Commas,
}

impl Form {
    /// Begins a row, or ends it. In a file a row of one empty cell is written in quotes: an empty line is no row.
    pub(crate) fn row(self, out: &mut String, begins: bool) {
        // A line break that a cell ends with stands in quotes.
        if self == Self::Commas && !begins && (out.is_empty() || out.ends_with('\n')) {
            out.push_str("\"\"");
        }
        out.push_str(match (self, begins) {
            (Self::Html, true) => "<tr>",
            (Self::Html, false) => "</tr>\n",
            (_, true) => "",
            (Self::Tabs, false) => "\n",
            (Self::Commas, false) => "\r\n",
        });
    }

    /// Adds a cell. A null is empty; in a file an empty text is quoted, so that the two differ.
    pub(crate) fn cell(self, value: Option<&str>, first: bool, out: &mut String) {
        let text = value.unwrap_or("");
        let separator = match self {
            Self::Html => {
                out.push_str("<td>");
                for c in text.chars() {
                    match c {
                        '&' => out.push_str("&amp;"),
                        '<' => out.push_str("&lt;"),
                        '>' => out.push_str("&gt;"),
                        '\n' => out.push_str("<br>"),
                        c => out.push(c),
                    }
                }
                out.push_str("</td>");
                return;
            }
            Self::Tabs => '\t',
            Self::Commas => ',',
        };
        if !first {
            out.push(separator);
        }
        let empty = self == Self::Commas && value == Some("");
        if empty || text.contains([separator, '"', '\n', '\r']) {
            out.push('"');
            for c in text.chars() {
                out.push_str(if c == '"' { "\"" } else { "" });
                out.push(c);
            }
            out.push('"');
        } else {
            out.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(form: Form, cells: &[Option<&str>]) -> String {
        let mut out = String::new();
        form.row(&mut out, true);
        cells.iter().enumerate().for_each(|(place, cell)| form.cell(*cell, place == 0, &mut out));
        form.row(&mut out, false);
        out
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let cells = [Some("a,b"), None, Some(""), Some("\"q\""), Some("x\ty\nz")];
        assert_eq!(row(Form::Commas, &cells), "\"a,b\",,\"\",\"\"\"q\"\"\",\"x\ty\nz\"\r\n");
        // A reader goes over an empty line.
        assert_eq!([row(Form::Commas, &[None]), row(Form::Commas, &[Some("")])], ["\"\"\r\n"; 2]);
        assert_eq!(row(Form::Tabs, &[None]), "\n");
        assert_eq!(row(Form::Tabs, &cells), "a,b\t\t\t\"\"\"q\"\"\"\t\"x\ty\nz\"\n");
        assert_eq!(row(Form::Html, &[Some("<a&b>"), None]), "<tr><td>&lt;a&amp;b&gt;</td><td></td></tr>\n");
    }
}
