//! A CSV reader: bytes in any cut to batches, with types that the file's own values decide.
//!
//! A sample from the file's beginning, of two rows at least, tells the delimiter, the names and a type for each column: the
//! narrowest of boolean, 64-bit integer, float, date and timestamp that fits all values, or text. From there on a block of rows at a time is
//! split (`rows`) and read column by column (`columns`); no field is a value of its own. An empty field is null.
//!
//! **A later value that does not fit** makes its column wider, at last text. A number, once read, no longer knows how it
//! was written (`1.50`), so what was read before is read *again* from the file, which whoever pushes the bytes still has:
//! no text is lost, and none is kept in memory in case it might be needed. Near the beginning that happens at once; behind
//! 64 MB the rest of the file is first looked through for more of the kind, so that nothing is read more than twice.
//!
//! Not taken: keeping the text of all numbers (twice the memory), turning what was read into text (loses how it was
//! written), a second look at every file (half the speed).

mod columns;
mod guess;
mod page;
mod rows;
mod value;

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};

use columns::Trouble;
pub use page::CsvReader;
use rows::Rows;

/// Bytes that names and types are guessed by; more where two rows are longer.
const SAMPLE: usize = 1 << 20;
/// Rows of a batch, at most; fewer when the table is wide.
const ROWS: usize = 65_536;
/// Fields of a batch, at most.
const FIELDS: usize = 2 << 20;
/// Bytes of fields that end a batch.
const BYTES: usize = 32 << 20;
/// Bytes that are read again without a look at the rest of the file.
const AGAIN: usize = 64 << 20;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    /// The line, counted from one; 0 when no line is to blame.
    pub(crate) line: u32,
    pub(crate) column: Option<String>,
    pub(crate) what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            f.write_str("line ")?;
            f.write_str(&self.line.to_string())?;
        }
        if let Some(column) = &self.column {
            f.write_str(", column \"")?;
            f.write_str(column)?;
            f.write_str("\"")?;
        }
        if self.line > 0 {
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The file's beginning is being gathered.
    Sampling,
    Reading,
    /// Some column must be wider: the rest of the file is only looked at.
    Surveying,
    /// All is known that is needed to begin again.
    Stopped,
}

/// A CSV file that is coming in.
#[derive(Debug)]
pub(crate) struct Reader {
    state: State,
    /// The delimiter; 0 until it has been guessed.
    delimiter: u8,
    sample: Vec<u8>,
    /// Bytes that the sample is to have.
    wanted: usize,
    rows: Rows,
    names: Vec<String>,
    named: bool,
    /// Kinds of values that each column has shown.
    seen: Vec<u16>,
    schema: Option<SchemaRef>,
    /// Bytes of this pass, and of all that were given up.
    read: usize,
    lost: usize,
}

impl Reader {
    /// A reader; the delimiter is guessed when it is 0.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            state: State::Sampling,
            delimiter,
            sample: Vec::new(),
            wanted: SAMPLE,
            rows: Rows::new(b',', 0, false),
            names: Vec::new(),
            named: false,
            seen: Vec::new(),
            schema: None,
            read: 0,
            lost: 0,
        }
    }

    /// The schema, once it is known.
    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Takes the next bytes and gives what is whole.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        self.read += bytes.len();
        if self.state == State::Sampling {
            self.sample.extend_from_slice(bytes);
            // In a second pass all is known, but for the mark that a file may begin with.
            if self.sample.len() >= self.wanted {
                self.begin(false, &mut batches)?;
            }
        } else {
            self.take(bytes, &mut batches)?;
        }
        Ok(batches)
    }

    /// Says that all bytes have come, and gives the rest.
    pub(crate) fn end(&mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        if self.state == State::Sampling {
            self.begin(true, &mut batches)?;
        }
        if self.state != State::Stopped {
            self.rows.finish()?;
            self.flush(&mut batches)?;
        }
        if self.state == State::Surveying {
            self.state = State::Stopped;
        }
        Ok(batches)
    }

    /// Whether some column must be wider than it was: the reader then stands at the file's beginning, and wants all bytes
    /// anew. All batches before are void.
    pub(crate) fn again(&mut self) -> bool {
        let again = self.state == State::Stopped;
        if again {
            self.state = State::Sampling;
            self.lost += self.read;
            self.read = 0;
            self.schema = None;
        }
        again
    }

    /// Reads the sample, which may be the whole file.
    fn begin(&mut self, is_whole: bool, batches: &mut Vec<RecordBatch>) -> Result<(), Error> {
        let sample = std::mem::take(&mut self.sample);
        if self.seen.is_empty() && !self.guess(&sample, is_whole)? {
            self.wanted = 2 * sample.len();
            self.sample = sample;
            return Ok(());
        }
        self.wanted = 4;
        self.rows = Rows::new(self.delimiter, self.names.len(), self.named);
        let field = |(name, &seen): (&String, &u16)| Field::new(name, columns::type_of(seen), true);
        let fields: Vec<Field> = self.names.iter().zip(&self.seen).map(field).collect();
        self.schema = Some(Arc::new(Schema::new(fields)));
        self.state = State::Reading;
        self.take(&sample, batches)?;
        // The first rows are to be seen at once.
        self.flush(batches)
    }

    /// Guesses by a sample; `false` when it is too short to tell.
    fn guess(&mut self, sample: &[u8], is_whole: bool) -> Result<bool, Error> {
        let delimiter = if self.delimiter == 0 { guess::delimiter(sample) } else { self.delimiter };
        let mut rows = Rows::new(delimiter, 0, false);
        rows.push(sample, ROWS, usize::MAX)?;
        if is_whole {
            rows.finish()?;
            if rows.width == 0 {
                return Err(Error { line: 0, column: None, what: "the file holds no rows".to_owned() });
            }
        } else if rows.len() < 2 {
            return Ok(false);
        }
        self.delimiter = delimiter;
        self.named = guess::has_names(&rows);
        self.names = guess::names(&rows, self.named);
        let first = usize::from(self.named);
        let kinds =
            |column| (first..rows.len()).fold(value::NULL, |seen, row| seen | value::kind(rows.field(row, column)));
        self.seen = (0..rows.width).map(kinds).collect();
        Ok(true)
    }

    fn take(&mut self, mut bytes: &[u8], batches: &mut Vec<RecordBatch>) -> Result<(), Error> {
        let most = (FIELDS / self.names.len().max(1)).clamp(1_024, ROWS);
        while !bytes.is_empty() && self.state != State::Stopped {
            let taken = self.rows.push(bytes, most, BYTES)?;
            bytes = &bytes[taken..];
            if self.rows.len() >= most || self.rows.bytes() >= BYTES {
                self.flush(batches)?;
            }
        }
        Ok(())
    }

    /// Makes a batch of the rows that are here.
    fn flush(&mut self, batches: &mut Vec<RecordBatch>) -> Result<(), Error> {
        let Some(schema) = self.schema.clone().filter(|_| self.rows.len() > 0) else { return Ok(()) };
        if self.state == State::Reading {
            let mut arrays = Vec::with_capacity(self.names.len());
            for (column, field) in schema.fields().iter().enumerate() {
                if self.seen[column] == value::NULL {
                    // Till now the column held nothing: these values are the first that tell its type.
                    self.seen[column] = columns::survey(&self.rows, column, value::NULL);
                    if columns::type_of(self.seen[column]) != *field.data_type() {
                        continue;
                    }
                }
                match columns::build(&self.rows, column, field.data_type()) {
                    Ok(array) => arrays.push(array),
                    Err(Trouble::Misfit) => {
                        self.seen[column] = columns::survey(&self.rows, column, self.seen[column]);
                        if columns::type_of(self.seen[column]) == *field.data_type() {
                            // Of the right kind, but out of range.
                            self.seen[column] |= value::TEXT;
                        }
                    }
                    Err(Trouble::NotText(row)) => {
                        let column = Some(self.names[column].clone());
                        return Err(Error {
                            line: self.rows.line_of(row),
                            column,
                            what: "text that is not UTF-8".to_owned(),
                        });
                    }
                }
            }
            if arrays.len() < self.names.len() {
                self.state = if self.lost + self.read <= AGAIN { State::Stopped } else { State::Surveying };
            } else {
                let batch = RecordBatch::try_new(schema, arrays);
                batches.push(batch.map_err(|error| Error { line: 0, column: None, what: error.to_string() })?);
            }
        } else {
            for (column, seen) in self.seen.iter_mut().enumerate() {
                *seen = columns::survey(&self.rows, column, *seen);
            }
        }
        self.rows.clear();
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
