//! The plan: what a query asks for, as plain data.
//!
//! A plan is built by the viewer, carried by `wire` and run here on either end. It names columns by
//! name and holds literals untyped ([`Scalar`]); [`Plan::bind`] checks both against a schema, so that
//! a plan that binds can only fail on what the data holds (an overflowing sum).

/// A literal in a plan. Its meaning comes from the column that it is compared with: text compared with
/// a timestamp is read as RFC 3339, a number compared with a date as days.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum Scalar {
    /// SQL's NULL: a comparison with it is unknown.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer that fits 64 bits with sign.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// Text; also dates, times, timestamps and decimals in their written form.
    Text(String),
}

/// How a column is compared with a value or with another column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CompareOp {
    /// Equal.
    #[cfg_attr(feature = "serde", serde(rename = "=", alias = "==", alias = "eq"))]
    Eq,
    /// Not equal.
    #[cfg_attr(feature = "serde", serde(rename = "!=", alias = "<>", alias = "ne"))]
    NotEq,
    /// Less than.
    #[cfg_attr(feature = "serde", serde(rename = "<", alias = "lt"))]
    Lt,
    /// Less than or equal.
    #[cfg_attr(feature = "serde", serde(rename = "<=", alias = "lte"))]
    LtEq,
    /// Greater than.
    #[cfg_attr(feature = "serde", serde(rename = ">", alias = "gt"))]
    Gt,
    /// Greater than or equal.
    #[cfg_attr(feature = "serde", serde(rename = ">=", alias = "gte"))]
    GtEq,
}

impl CompareOp {
    /// Whether two values that stand so to each other pass.
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::NotEq => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::LtEq => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::GtEq => ordering.is_ge(),
        }
    }
}

/// A test of a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum TextTest {
    /// The value holds the text anywhere.
    Contains,
    /// The value begins with the text.
    BeginsWith,
    /// The value ends with the text.
    EndsWith,
}

/// A condition on a row, with SQL's three-valued logic: a row is kept when the answer is true, not
/// when it is unknown.
///
/// In JSON each predicate is an object with one key:
/// `{"compare": {"column": "month", "op": "=", "value": 3}}`, `{"and": [ … ]}`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Predicate {
    /// A column against a literal.
    Compare {
        /// Name of the column.
        column: String,
        /// The comparison.
        op: CompareOp,
        /// The literal.
        value: Scalar,
    },
    /// A column against a column of the same type.
    CompareColumns {
        /// Name of the left column.
        left: String,
        /// The comparison.
        op: CompareOp,
        /// Name of the right column.
        right: String,
    },
    /// `low <= column <= high`, both ends included.
    Between {
        /// Name of the column.
        column: String,
        /// The least value that is kept.
        low: Scalar,
        /// The greatest value that is kept.
        high: Scalar,
    },
    /// The column equals one of the literals.
    In {
        /// Name of the column.
        column: String,
        /// The literals.
        values: Vec<Scalar>,
    },
    /// The column is null.
    IsNull {
        /// Name of the column.
        column: String,
    },
    /// The column is not null.
    IsNotNull {
        /// Name of the column.
        column: String,
    },
    /// A test of the column's text.
    Text {
        /// Name of the column.
        column: String,
        /// The test.
        test: TextTest,
        /// The text that is looked for.
        value: String,
        /// Compare without regard to ASCII letters' case.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
        ignore_case: bool,
    },
    /// All of these; true when empty.
    And(Vec<Predicate>),
    /// Any of these; false when empty.
    Or(Vec<Predicate>),
    /// The opposite; unknown stays unknown.
    Not(Box<Predicate>),
}

/// Where nulls stand in a sorted result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Nulls {
    /// Before all values, whatever the direction.
    First,
    /// After all values, whatever the direction.
    #[default]
    Last,
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SortBy {
    /// Name of the column; in a grouped query, of a key or an aggregate.
    pub column: String,
    /// From the greatest to the least.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub descending: bool,
    /// Where nulls stand.
    #[cfg_attr(feature = "serde", serde(default))]
    pub nulls: Nulls,
}

/// A number from 0 to 1: which quantile.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "f64", into = "f64"))]
pub struct Fraction(f64);

impl Fraction {
    /// `None` when the number is not from 0 to 1.
    #[must_use]
    pub fn new(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Fraction {}

impl From<Fraction> for f64 {
    fn from(fraction: Fraction) -> Self {
        fraction.0
    }
}

impl TryFrom<f64> for Fraction {
    type Error = &'static str;

    fn try_from(fraction: f64) -> Result<Self, Self::Error> {
        Self::new(fraction).ok_or("a fraction from 0 to 1 was expected")
    }
}

/// What an aggregate computes of the non-null values of a group. Where there is no such value the result is null,
/// unless it is a count or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AggregateFunction {
    /// Number of rows, or of non-null values when a column is named. `Int64`.
    Count,
    /// Number of different values. `Int64`.
    CountDistinct,
    /// Sum: `Int64` of signed and `UInt64` of unsigned integers, `Decimal128` of decimals (`Decimal256` of those), overflow being an
    /// error; `Float64` of floats.
    Sum,
    /// Least value, in the column's type.
    Min,
    /// Greatest value, in the column's type.
    Max,
    /// Arithmetic mean, `Float64`.
    Mean,
    /// Sample variance (divided by one less than the count; null for a single value), `Float64`.
    Variance,
    /// The root of the sample variance, `Float64`.
    Stddev,
    /// The middle value, or the mean of the two middle ones, `Float64`.
    Median,
    /// The value below which this fraction of the values lies, on a straight line between neighbours, `Float64`.
    Quantile(Fraction),
    /// The value of the first row, in the column's type.
    First,
    /// The value of the last row, in the column's type.
    Last,
    /// Some value, in the column's type: the first.
    Any,
    /// The so many greatest values, the greatest first: a list of the column's type, which must be a number, a date
    /// or a time of at most 64 bits. Needs the feature `nested`.
    Top(u32),
    /// All values in the order of their rows, nulls among them: a list of the column's type. Needs the feature
    /// `nested`.
    List,
    /// Pearson's correlation of two columns, over the rows where both have a value, `Float64`; null for fewer than
    /// two of them, or where a column does not vary.
    Correlation,
}

impl AggregateFunction {
    /// Every function of one column that needs nothing else, for menus.
    pub const ALL: [Self; 11] = [
        Self::Count,
        Self::CountDistinct,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Median,
        Self::Stddev,
        Self::Variance,
        Self::First,
        Self::Last,
    ];

    /// The name in a plan, such as `"mean"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Variance => "variance",
            Self::Stddev => "stddev",
            Self::Median => "median",
            Self::Quantile(_) => "quantile",
            Self::First => "first",
            Self::Last => "last",
            Self::Any => "any",
            Self::Top(_) => "top",
            Self::List => "list",
            Self::Correlation => "correlation",
        }
    }
}

/// One aggregate of a grouped query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Aggregate {
    /// What is computed.
    pub function: AggregateFunction,
    /// Of which column; none only for a count of rows.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub column: Option<String>,
    /// The second column of a correlation.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub other: Option<String>,
    /// The name of the result; when absent `count`, or `mean(dep_delay)`, or `quantile(dep_delay, 0.9)`.
    #[cfg_attr(feature = "serde", serde(default, rename = "as", skip_serializing_if = "Option::is_none"))]
    pub name: Option<String>,
}

impl Aggregate {
    /// The name of the result column.
    #[must_use]
    pub fn output_name(&self) -> String {
        let Some(column) = &self.column else {
            return self.name.clone().unwrap_or_else(|| self.function.name().to_owned());
        };
        let second = match self.function {
            AggregateFunction::Quantile(fraction) => Some(fraction.get().to_string()),
            AggregateFunction::Top(most) => Some(most.to_string()),
            _ => self.other.clone(),
        };
        match (&self.name, second) {
            (Some(name), _) => name.clone(),
            (None, None) => [self.function.name(), "(", column, ")"].concat(),
            (None, Some(second)) => [self.function.name(), "(", column, ", ", &second, ")"].concat(),
        }
    }

    /// The columns that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &String> {
        self.column.iter().chain(&self.other)
    }
}

/// A query over one table: filter, then group, then sort, then offset and limit, then choose columns.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Plan {
    /// The result's columns in their order; all when absent. In a grouped query the names are those of
    /// keys and aggregates.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub columns: Option<Vec<String>>,
    /// Which rows are kept; all when absent.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub filter: Option<Predicate>,
    /// Keys to group by. With aggregates and no keys the whole table is one group.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub group_by: Vec<String>,
    /// Aggregates of each group.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub aggregates: Vec<Aggregate>,
    /// Sort keys, the most significant first. Without keys, rows keep their order and groups stand in
    /// the order of their first row.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub sort: Vec<SortBy>,
    /// Rows of the result to skip.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_zero"))]
    pub offset: usize,
    /// The most rows to return; all when absent.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub limit: Option<usize>,
}

impl Plan {
    /// Whether the result is one row per group rather than rows of the table.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty() || !self.aggregates.is_empty()
    }
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(offset: &usize) -> bool {
    *offset == 0
}
