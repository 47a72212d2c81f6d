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

/// What an aggregate computes of the non-null values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AggregateFunction {
    /// Number of rows, or of non-null values when a column is named. `Int64`.
    Count,
    /// Sum: `Int64` of signed and `UInt64` of unsigned integers, overflow being an error; `Float64`
    /// of floats.
    Sum,
    /// Least value, in the column's type.
    Min,
    /// Greatest value, in the column's type.
    Max,
    /// Arithmetic mean, `Float64`.
    Mean,
}

impl AggregateFunction {
    /// Every function, for menus.
    pub const ALL: [Self; 5] = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::Mean];

    /// The name in a plan, such as `"mean"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
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
    /// The name of the result; when absent `count`, or `mean(dep_delay)`.
    #[cfg_attr(feature = "serde", serde(default, rename = "as", skip_serializing_if = "Option::is_none"))]
    pub name: Option<String>,
}

impl Aggregate {
    /// The name of the result column.
    #[must_use]
    pub fn output_name(&self) -> String {
        match (&self.name, &self.column) {
            (Some(name), _) => name.clone(),
            (None, Some(column)) => [self.function.name(), "(", column, ")"].concat(),
            (None, None) => self.function.name().to_owned(),
        }
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
