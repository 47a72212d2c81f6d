//! Bytes in any cut to rows of fields: unescaped, one behind the other, with the place where each ends.
//!
//! No field is a value of its own: a block of rows is two buffers that are used again for the next block.

use super::Error;

/// A row that is longer has a quote that is not closed, most likely.
const LONGEST: usize = 64 << 20;
/// What a file may begin with, though it says nothing: the mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A new row. Empty lines are none.
    Row,
    /// A new field of the row in hand.
    Field,
    /// A field without quotes, or what stands behind them.
    Plain,
    Quoted,
    /// A quote in quotes: their end, or the first of two that mean one.
    Quote,
}

/// Rows that have been read.
#[derive(Debug)]
pub(crate) struct Rows {
    delimiter: u8,
    at: At,
    /// The line that is read; 0 before the first byte.
    line: u32,
    /// The line on which the last quote opened.
    opened: u32,
    bytes: Vec<u8>,
    /// Where fields end in `bytes`.
    ends: Vec<usize>,
    /// Where in `bytes` and in `ends` the row in hand begins.
    start: (usize, usize),
    /// The line on which each row ends.
    lines: Vec<u32>,
    /// Fields of each row; 0 until the first has been read.
    pub(crate) width: usize,
    /// The first row holds names.
    skips: bool,
}

impl Rows {
    pub(crate) fn new(delimiter: u8, width: usize, skips: bool) -> Self {
        Self {
            delimiter,
            at: At::Row,
            line: 0,
            opened: 0,
            bytes: Vec::new(),
            ends: Vec::new(),
            start: (0, 0),
            lines: Vec::new(),
            width,
            skips,
        }
    }

    /// Reads at most so many rows, or so many bytes of whole rows, in all; gives the bytes that were taken.
    pub(crate) fn push(&mut self, input: &[u8], most: usize, bytes: usize) -> Result<usize, Error> {
        let mut taken = 0;
        if self.line == 0 {
            self.line = 1;
            taken = if input.starts_with(MARK) { MARK.len() } else { 0 };
        }
        while taken < input.len() && self.len() < most && self.start.0 < bytes {
            taken += self.step(&input[taken..])?;
            if self.bytes.len() - self.start.0 > LONGEST {
                return Err(if self.at == At::Quoted {
                    self.open("within 64 MB")
                } else {
                    self.wrong("a row of more than 64 MB".to_owned())
                });
            }
        }
        Ok(taken)
    }

    /// Says that there are no more bytes: the last row may have no end of its own.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if self.at == At::Quoted {
            return Err(self.open("till the end"));
        }
        if self.at != At::Row {
            self.end_field()?;
            self.end_row()?;
            self.at = At::Row;
        }
        Ok(())
    }

    /// Reads a field or a part of one from bytes of which there is one at least; gives those that were taken.
    fn step(&mut self, input: &[u8]) -> Result<usize, Error> {
        let is_quoted = self.at == At::Quoted;
        if input[0] == b'"' && !is_quoted && self.at != At::Plain {
            if self.at == At::Quote {
                self.bytes.push(b'"');
            } else {
                self.opened = self.line;
            }
            self.at = At::Quoted;
            return Ok(1);
        }
        let delimiter = self.delimiter;
        let ends =
            |byte: u8| if is_quoted { byte == b'"' } else { byte == delimiter || byte == b'\n' || byte == b'\r' };
        let end = input.iter().position(|&byte| ends(byte));
        let text = &input[..end.unwrap_or(input.len())];
        self.bytes.extend_from_slice(text);
        if is_quoted {
            self.line += text.iter().filter(|&&byte| byte == b'\n').count() as u32;
        } else if !text.is_empty() {
            self.at = At::Plain;
        }
        let Some(end) = end else { return Ok(input.len()) };
        if is_quoted {
            self.at = At::Quote;
        } else if input[end] == delimiter {
            self.end_field()?;
            self.at = At::Field;
        } else {
            self.finish()?;
            self.line += u32::from(input[end] == b'\n');
        }
        Ok(end + 1)
    }

    fn end_field(&mut self) -> Result<(), Error> {
        self.ends.push(self.bytes.len());
        if self.width > 0 && self.ends.len() - self.start.1 > self.width {
            return Err(self.uneven("more".to_owned()));
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Error> {
        let fields = self.ends.len() - self.start.1;
        if self.width == 0 {
            self.width = fields;
        }
        if fields < self.width {
            return Err(self.uneven(fields.to_string()));
        }
        if self.skips {
            self.skips = false;
            self.bytes.truncate(self.start.0);
            self.ends.truncate(self.start.1);
        } else {
            self.lines.push(self.line);
            self.start = (self.bytes.len(), self.ends.len());
        }
        Ok(())
    }

    fn wrong(&self, what: String) -> Error {
        Error { line: self.line, column: None, what }
    }

    /// A quote that is not closed.
    fn open(&self, till: &str) -> Error {
        let what = ["a quote opens here and is not closed ", till].concat();
        Error { line: self.opened, column: None, what }
    }

    fn uneven(&self, found: String) -> Error {
        self.wrong([&found, " fields where the first row has ", &self.width.to_string()].concat())
    }

    /// Whole rows.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Bytes of their fields.
    pub(crate) fn bytes(&self) -> usize {
        self.start.0
    }

    /// The line on which a row ends.
    pub(crate) fn line_of(&self, row: usize) -> u32 {
        self.lines.get(row).copied().unwrap_or(0)
    }

    /// A field of a whole row.
    pub(crate) fn field(&self, row: usize, column: usize) -> &[u8] {
        let place = row * self.width + column;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.bytes[start..self.ends[place]]
    }

    /// All fields of a column.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(move |row| self.field(row, column))
    }

    /// Drops the whole rows; the one in hand stays.
    pub(crate) fn clear(&mut self) {
        let (bytes, ends) = self.start;
        self.bytes.drain(..bytes);
        self.ends.drain(..ends);
        self.ends.iter_mut().for_each(|end| *end -= bytes);
        self.start = (0, 0);
        self.lines.clear();
    }
}
