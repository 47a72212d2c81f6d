//! What can go wrong: one enum, each variant a way to fail with its numbers.
//!
//! It comes in a box: an error is on its way through almost every function, and each of them carries the code that moves it.

use std::fmt;

use arrow_schema::DataType;

/// The result of a kernel.
pub type Result<T, E = Box<Error>> = std::result::Result<T, E>;

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

/// Why a kernel or a plan could not run.
///
/// No variant is ever returned after a partial result: a kernel gives all of its answer or none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The kernel has no code for this type.
    UnsupportedType {
        /// What was to be done, such as `"sort"`.
        operation: &'static str,
        /// The type that was given.
        data_type: DataType,
    },
    /// Two inputs that must have the same number of rows do not.
    LengthMismatch {
        /// Rows that were expected.
        expected: usize,
        /// Rows that were found.
        found: usize,
    },
    /// A row number is not below the bound.
    IndexOutOfBounds {
        /// Position of the offending row number in the list.
        position: usize,
        /// The row number.
        index: u32,
        /// The number of rows that it must be below.
        bound: usize,
    },
    /// More rows than a `u32` row number can name.
    TooManyRows {
        /// The number of rows.
        rows: usize,
    },
    /// A plan names a column that the table does not have.
    UnknownColumn(UnknownColumn),
    /// A plan compares a column with a value that its type cannot be compared with.
    WrongType(WrongType),
    /// An aggregate that is not defined for this type, such as the mean of a string.
    UnsupportedAggregate(UnsupportedAggregate),
    /// The plan contradicts itself.
    InvalidPlan {
        /// What is wrong, in words.
        reason: &'static str,
        /// The part of the plan that is meant, such as a column's name; may be empty.
        detail: String,
    },
    /// An integer or decimal sum left the range of its result type.
    Overflow {
        /// The aggregate or kernel, such as `"sum"`.
        operation: &'static str,
        /// The column; empty when it is not known.
        column: String,
    },
    /// A batch does not have the schema that the query was bound to.
    SchemaMismatch {
        /// The number of the column that differs.
        column: usize,
        /// The type that was bound.
        expected: DataType,
        /// The type of the batch's column.
        found: DataType,
    },
    /// The values of a result do not fit the 32-bit offsets of its type.
    OffsetOverflow {
        /// Bytes that the values take.
        bytes: usize,
    },
    /// An offset into values is negative, falls, or points behind their end.
    InvalidOffset {
        /// The row that it is the start or the end of.
        row: usize,
    },
    /// A text is not UTF-8.
    InvalidText {
        /// Its row.
        row: usize,
    },
    /// Arrow refused an array that a kernel built.
    Arrow(String),
}

/// A column that the table does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownColumn {
    /// The name in the plan.
    pub name: String,
    /// The columns that there are.
    pub available: Vec<String>,
}

/// A value that a column cannot be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongType {
    /// The column.
    pub column: String,
    /// The type of the column.
    pub data_type: DataType,
    /// What the plan gave, such as `text "abc"`.
    pub found: String,
    /// What would be right, such as `a number`.
    pub expected: &'static str,
}

/// An aggregate that a type does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsupportedAggregate {
    /// The aggregate, such as `"mean"`.
    pub function: &'static str,
    /// The column.
    pub column: String,
    /// The type of the column.
    pub data_type: DataType,
}

/// Errors that are made in many places, each put together in one.
impl Error {
    /// [`Error::InvalidPlan`]: what is wrong, and the part of the plan that is meant.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn invalid_plan(reason: &'static str, detail: &str) -> Box<Self> {
        Box::new(Self::InvalidPlan { reason, detail: detail.to_owned() })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn schema_mismatch(column: usize, expected: &DataType, found: &DataType) -> Box<Self> {
        Box::new(Self::SchemaMismatch { column, expected: expected.clone(), found: found.clone() })
    }

    /// [`Error::Overflow`] of a column that is not known here.
    #[cold]
    #[inline(never)]
    pub(crate) fn overflow(operation: &'static str) -> Box<Self> {
        Box::new(Self::Overflow { operation, column: String::new() })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn length_mismatch(expected: usize, found: usize) -> Box<Self> {
        Box::new(Self::LengthMismatch { expected, found })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn index_out_of_bounds(position: usize, index: u32, bound: usize) -> Box<Self> {
        Box::new(Self::IndexOutOfBounds { position, index, bound })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn too_many_rows(rows: usize) -> Box<Self> {
        Box::new(Self::TooManyRows { rows })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn offset_overflow(bytes: usize) -> Box<Self> {
        Box::new(Self::OffsetOverflow { bytes })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_offset(row: usize) -> Box<Self> {
        Box::new(Self::InvalidOffset { row })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_text(row: usize) -> Box<Self> {
        Box::new(Self::InvalidText { row })
    }

    /// What Arrow refused.
    #[cold]
    #[inline(never)]
    pub(crate) fn arrow(why: &dyn fmt::Display) -> Box<Self> {
        Box::new(Self::Arrow(why.to_string()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedType { operation, data_type } => {
                write!(f, "{operation} is not supported for type {data_type}")
            }
            Self::LengthMismatch { expected, found } => {
                write!(f, "expected {expected} rows, found {found}")
            }
            Self::IndexOutOfBounds { position, index, bound } => {
                write!(f, "row number {index} at position {position} is not below {bound}")
            }
            Self::TooManyRows { rows } => {
                write!(f, "{rows} rows are more than a 32-bit row number can name")
            }
            Self::UnknownColumn(unknown) => {
                write!(f, "unknown column \"{}\"; the columns are ", unknown.name)?;
                for (position, column) in unknown.available.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    f.write_str(column)?;
                }
                Ok(())
            }
            Self::WrongType(wrong) => {
                let WrongType { column, data_type, found, expected } = wrong;
                write!(
                    f,
                    "column \"{column}\" of type {data_type} cannot be compared with {found}; expected {expected}"
                )
            }
            Self::UnsupportedAggregate(unsupported) => {
                let UnsupportedAggregate { function, column, data_type } = unsupported;
                write!(f, "{function} is not defined for column \"{column}\" of type {data_type}")
            }
            Self::InvalidPlan { reason, detail } if detail.is_empty() => f.write_str(reason),
            Self::InvalidPlan { reason, detail } => write!(f, "{reason}: {detail}"),
            Self::Overflow { operation, column } => {
                f.write_str(operation)?;
                if !column.is_empty() {
                    write!(f, " of column \"{column}\"")?;
                }
                f.write_str(" overflows its result type")
            }
            Self::SchemaMismatch { column, expected, found } => {
                write!(f, "column {column} has type {found}, the query was bound to {expected}")
            }
            Self::OffsetOverflow { bytes } => {
                write!(f, "{bytes} bytes of values do not fit 32-bit offsets")
            }
            Self::InvalidOffset { row } => write!(f, "the offset of row {row} is out of order or range"),
            Self::InvalidText { row } => write!(f, "the text of row {row} is not UTF-8"),
            Self::Arrow(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl From<arrow_schema::ArrowError> for Box<Error> {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Error::arrow(&error)
    }
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        *Self::arrow(&error)
    }
}

/// For functions that give the error itself.
impl From<Box<Error>> for Error {
    fn from(error: Box<Error>) -> Self {
        *error
    }
}
