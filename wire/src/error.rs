//! What can be wrong with bytes: one enum, each variant a way to fail with its numbers.

use std::fmt;

/// The result of reading or writing. Errors are rare and have much to tell, so they stand in a box: a result is then
/// as small as what it holds, and handing an error on costs a word.
pub type Result<T, E = Box<Error>> = std::result::Result<T, E>;

/// Why bytes could not be read or a batch could not be written.
///
/// `offset` is always the place in the whole stream or file where the message begins.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes ended inside a message.
    Truncated {
        /// Where the message began.
        offset: u64,
        /// Bytes that were still missing, as far as known.
        missing: u64,
    },
    /// A length is negative or beyond its limit.
    Limit {
        /// Where the message began.
        offset: u64,
        /// What is too large.
        what: &'static str,
        /// The size that was found.
        found: i64,
        /// The greatest size that is accepted.
        limit: usize,
    },
    /// The metadata is not a valid flatbuffer, or lacks a part that it must have.
    Metadata {
        /// Where the message began.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A message of a kind that may not stand here.
    UnexpectedMessage {
        /// Where the message began.
        offset: u64,
        /// The kind that was found.
        found: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// The stream was written on a big-endian machine.
    BigEndian,
    /// The metadata is older than version 4.
    Version {
        /// The number that the flatbuffer holds (3 is version 4).
        found: i16,
    },
    /// A field has a type that this build does not read.
    UnsupportedType {
        /// The field.
        field: String,
        /// Its type.
        what: &'static str,
    },
    /// The body is compressed, and this build has no decoder for it.
    UnsupportedCompression {
        /// Where the message began.
        offset: u64,
        /// The codec.
        codec: &'static str,
    },
    /// A buffer does not lie in its message's body.
    BufferOutOfBounds {
        /// Where the message began.
        offset: u64,
        /// The column.
        column: String,
        /// Where the buffer begins in the body.
        start: i64,
        /// The buffer's length.
        length: i64,
        /// The body's length.
        body: usize,
    },
    /// A buffer is too short for its rows.
    BufferTooShort {
        /// Where the message began.
        offset: u64,
        /// The column.
        column: String,
        /// Bytes that are needed.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// An offset into values is negative, falls, or points behind the end.
    InvalidOffset {
        /// Where the message began.
        offset: u64,
        /// The column.
        column: String,
        /// The row whose end is wrong.
        row: usize,
    },
    /// The number of rows of a column is not the batch's.
    RowCount {
        /// Where the message began.
        offset: u64,
        /// The column.
        column: String,
        /// Rows of the batch.
        expected: i64,
        /// Rows of the column.
        found: i64,
    },
    /// Values that the type forbids: text that is not UTF-8, a view or a key out of range.
    InvalidValues {
        /// Where the message began.
        offset: u64,
        /// The column.
        column: String,
        /// What is wrong, in Arrow's words.
        reason: String,
    },
    /// A dictionary is used or extended that has not come.
    MissingDictionary {
        /// Where the message began.
        offset: u64,
        /// The dictionary's number.
        id: i64,
    },
    /// The bytes are not an Arrow file.
    NotAFile {
        /// What is missing.
        what: &'static str,
    },
    /// The file has no batch of this number.
    NoSuchBatch {
        /// The number asked for.
        index: usize,
        /// Batches that there are.
        batches: usize,
    },
    /// The schema has no column of this number.
    NoSuchColumn {
        /// The number asked for.
        index: usize,
        /// Columns that there are.
        columns: usize,
    },
    /// A plan is not the JSON of a plan.
    Plan {
        /// What is wrong, with line and column.
        reason: String,
    },
    /// The stream is no update.
    Update {
        /// What is wrong.
        what: &'static str,
        /// With which key or column.
        name: &'static str,
    },
    /// An update is not the one that comes next: some were lost. A snapshot of the table closes the gap.
    Gap {
        /// The sequence number that was to come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// An update of another life of the table.
    Epoch {
        /// The table's.
        expected: u64,
        /// The update's.
        found: u64,
    },
    /// An update by key of a table that has none.
    NoKey,
    /// A batch does not fit the table.
    Mismatch {
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A cell that must not be null.
    NullCell {
        /// The column.
        column: String,
        /// The row of the batch.
        row: usize,
    },
    /// A patch names a row that the table does not have.
    NoSuchRow {
        /// The row.
        row: u64,
        /// Rows that there are.
        rows: usize,
    },
    /// A chunk, or the announcement of chunks, is not what was announced.
    Assembly {
        /// What is wrong.
        what: &'static str,
        /// The number of the chunk.
        chunk: u64,
        /// What was announced.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// Bytes are no struct of a fixed layout, or a change does not fit it.
    Record {
        /// What is wrong.
        what: &'static str,
        /// What was expected.
        expected: usize,
        /// What was found.
        found: usize,
    },
    /// Bytes are no archive of the struct.
    Archive {
        /// What is wrong, in rkyv's words.
        reason: String,
    },
    /// A batch could not be written.
    Encode(String),
    /// Bytes could not be read.
    Source {
        /// Why.
        reason: String,
    },
    /// What is written to took no more bytes.
    Sink {
        /// What it said.
        reason: String,
    },
}

/// All values, or the first error: a plain loop, where the standard library's `collect` brings machinery of its own for every
/// kind of iterator.
#[inline(always)]
pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut values = Vec::new();
    for result in results {
        values.push(result?);
    }
    Ok(values)
}

/// Errors that are made in many places, each put together in one.
impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn metadata(offset: u64, what: &'static str) -> Box<Self> {
        Box::new(Self::Metadata { offset, what })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn limit(offset: u64, what: &'static str, found: i64, limit: usize) -> Box<Self> {
        Box::new(Self::Limit { offset, what, found, limit })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn unexpected(offset: u64, found: &'static str, expected: &'static str) -> Box<Self> {
        Box::new(Self::UnexpectedMessage { offset, found, expected })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn update(what: &'static str, name: &'static str) -> Box<Self> {
        Box::new(Self::Update { what, name })
    }

    /// A batch that does not fit.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn mismatch(column: &str, reason: &str) -> Box<Self> {
        Box::new(Self::Mismatch { column: column.to_owned(), reason: reason.to_owned() })
    }

    /// What could not be written, in the words of another error.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn encode(why: &dyn fmt::Display) -> Box<Self> {
        Box::new(Self::Encode(why.to_string()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { offset, missing } => {
                write!(f, "the stream ends {missing} bytes early, in the message at byte {offset}")
            }
            Self::Limit { offset, what, found, limit } => {
                write!(f, "the {what} of the message at byte {offset} is {found}, which is not within 0 and {limit}")
            }
            Self::Metadata { offset, what } => write!(f, "the message at byte {offset} is malformed: {what}"),
            Self::UnexpectedMessage { offset, found, expected } => {
                write!(f, "the message at byte {offset} is a {found}, expected {expected}")
            }
            Self::BigEndian => f.write_str("the data is big-endian, which is not supported"),
            Self::Version { found } => write!(f, "metadata version {} is not supported, expected 4 or 5", found + 1),
            Self::UnsupportedType { field, what } => write!(f, "field \"{field}\" has the unsupported type {what}"),
            Self::UnsupportedCompression { offset, codec } => {
                write!(f, "the message at byte {offset} is compressed with {codec}, which this build does not read")
            }
            Self::BufferOutOfBounds { offset, column, start, length, body } => write!(
                f,
                "a buffer of column \"{column}\" in the message at byte {offset} claims {length} bytes from {start} of a body of {body}"
            ),
            Self::BufferTooShort { offset, column, expected, found } => write!(
                f,
                "a buffer of column \"{column}\" in the message at byte {offset} has {found} bytes, expected {expected}"
            ),
            Self::InvalidOffset { offset, column, row } => write!(
                f,
                "the offset of row {row} of column \"{column}\" in the message at byte {offset} is out of order or range"
            ),
            Self::RowCount { offset, column, expected, found } => {
                write!(f, "column \"{column}\" in the message at byte {offset} has {found} rows, expected {expected}")
            }
            Self::InvalidValues { offset, column, reason } => {
                write!(f, "column \"{column}\" in the message at byte {offset}: {reason}")
            }
            Self::MissingDictionary { offset, id } => {
                write!(f, "the message at byte {offset} needs dictionary {id}, which has not come")
            }
            Self::NotAFile { what } => write!(f, "not an Arrow file: {what}"),
            Self::NoSuchBatch { index, batches } => write!(f, "no batch {index}; the file has {batches}"),
            Self::NoSuchColumn { index, columns } => write!(f, "no column {index}; there are {columns}"),
            Self::Plan { reason } => write!(f, "not a query plan: {reason}"),
            Self::Update { what, name } => write!(f, "not an update: {what} {name}"),
            Self::Gap { expected, found } => write!(f, "update {found} came, expected {expected}: some were lost"),
            Self::Epoch { expected, found } => {
                write!(f, "an update of epoch {found} came to a table of epoch {expected}")
            }
            Self::NoKey => f.write_str("an update by key, but the table has no key"),
            Self::Mismatch { column, reason } => write!(f, "column \"{column}\" does not fit the table: {reason}"),
            Self::NullCell { column, row } => {
                write!(f, "column \"{column}\" must not be null, and is in row {row} of the update")
            }
            Self::NoSuchRow { row, rows } => write!(f, "no row {row}; the table has {rows}"),
            Self::Assembly { what, chunk, expected, found } => {
                write!(f, "{what} of chunk {chunk}: expected {expected}, found {found}")
            }
            Self::Record { what, expected, found } => write!(f, "{what}: expected {expected}, found {found}"),
            Self::Archive { reason } => write!(f, "not an archive of the struct: {reason}"),
            Self::Encode(reason) => f.write_str(reason),
            Self::Source { reason } => write!(f, "reading failed: {reason}"),
            Self::Sink { reason } => write!(f, "writing failed: {reason}"),
        }
    }
}

impl std::error::Error for Error {}
