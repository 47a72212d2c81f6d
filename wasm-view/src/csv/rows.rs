//! Bytes in any cut to rows of fields: unescaped, one behind the other, with the place where each ends.
//!
//! No field is a value of its own: a block of rows is two buffers that are used again for the next block.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::Error;

/// A row that is longer has a quote that is not closed.
const LONGEST: usize = 64 << 20;
/// Room for fields that there is at least before a row is read.
const ROOM: usize = 4096;

/// Rows that have been read.
#[derive(Debug)]
pub(crate) struct Rows {
    core: csv_core::Reader,
    bytes: Vec<u8>,
    used: usize,
    /// Where fields end: of whole rows in `bytes`, of the row in hand behind `start`.
    ends: Vec<usize>,
    ended: usize,
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
        let core = ReaderBuilder::new().delimiter(delimiter).build();
        Self {
            core,
            bytes: Vec::new(),
            used: 0,
            ends: Vec::new(),
            ended: 0,
            start: (0, 0),
            lines: Vec::new(),
            width,
            skips,
        }
    }

    /// Reads at most so many rows, or so many bytes of fields, in all; gives the bytes that were taken.
    pub(crate) fn push(&mut self, mut input: &[u8], most: usize, bytes: usize) -> Result<usize, Error> {
        let whole = input.len();
        while !input.is_empty() && self.len() < most && self.used < bytes {
            let (read, _) = self.step(input)?;
            input = &input[read..];
        }
        Ok(whole - input.len())
    }

    /// Says that there are no more bytes: the last row may have no end of its own.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        while !self.step(&[])?.1 {}
        Ok(())
    }

    /// Reads a row or a part of one; gives the bytes that were taken, and whether the end was met.
    fn step(&mut self, input: &[u8]) -> Result<(usize, bool), Error> {
        if self.bytes.len() < self.used + ROOM {
            self.bytes.resize((self.used + ROOM).max(self.bytes.len() * 3 / 2).next_multiple_of(ROOM), 0);
        }
        // One more than there may be, so that too many are seen.
        let room = if self.width == 0 { 256 } else { (self.width + 1).saturating_sub(self.ended - self.start.1) };
        if self.ends.len() < self.ended + room {
            self.ends.resize((self.ended + room).max(self.ends.len() * 3 / 2), 0);
        }
        let ends = &mut self.ends[self.ended..self.ended + room];
        let (result, read, written, found) = self.core.read_record(input, &mut self.bytes[self.used..], ends);
        self.used += written;
        self.ended += found;
        let fields = self.ended - self.start.1;
        if self.used - self.start.0 > LONGEST {
            return Err(self.wrong(input, read, "a row of more than 64 MB: is a quote not closed?".to_owned()));
        }
        match result {
            ReadRecordResult::End => return Ok((read, true)),
            ReadRecordResult::OutputEndsFull if self.width > 0 => return Err(self.uneven(input, read, fields)),
            ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
            ReadRecordResult::Record => {
                if self.width == 0 {
                    self.width = fields;
                }
                if fields != self.width {
                    return Err(self.uneven(input, read, fields));
                }
                if self.skips {
                    self.skips = false;
                    (self.used, self.ended) = self.start;
                } else {
                    let (start, first) = self.start;
                    self.ends[first..self.ended].iter_mut().for_each(|end| *end += start);
                    self.lines.push(self.line(input, read));
                    self.start = (self.used, self.ended);
                }
            }
        }
        Ok((read, false))
    }

    /// The line on which the row in hand ends, or has come to.
    fn line(&self, input: &[u8], read: usize) -> u32 {
        let past = read > 0 && input[read - 1] == b'\n';
        (self.core.line() as u32).saturating_sub(past.into())
    }

    fn wrong(&self, input: &[u8], read: usize, what: String) -> Error {
        Error { line: self.line(input, read), column: None, what }
    }

    fn uneven(&self, input: &[u8], read: usize, fields: usize) -> Error {
        let width = self.width.to_string();
        let found = if fields > self.width { "more".to_owned() } else { fields.to_string() };
        self.wrong(input, read, [&found, " fields where the first row has ", &width].concat())
    }

    /// Whole rows.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Bytes of fields.
    pub(crate) fn bytes(&self) -> usize {
        self.used
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
        self.bytes.copy_within(bytes..self.used, 0);
        self.ends.copy_within(ends..self.ended, 0);
        self.used -= bytes;
        self.ended -= ends;
        self.start = (0, 0);
        self.lines.clear();
    }
}
