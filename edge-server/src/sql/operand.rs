//! The leaves of expressions: columns of the one table, and literals.

use kernels::query::Scalar;
use sqlparser::ast::{DataType, Expr, Ident, Spanned, TypedString, UnaryOperator, Value};
use sqlparser::tokenizer::Location;

use super::SqlError;

/// The table of the statement, and what else it may be called.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) table: String,
    pub(super) alias: Option<String>,
}

/// What a comparison stands between.
#[derive(Debug)]
pub(super) enum Operand {
    Column(String),
    Literal(Scalar),
}

/// Where an expression begins (without a sign before it, and without the name of what it does where that is no
/// function), or nowhere. Trees may be deep, so it is walked to the left, not called for.
pub(super) fn place(mut expr: &Expr) -> Location {
    loop {
        expr = match expr {
            Expr::Identifier(name) => return name.span.start,
            Expr::CompoundIdentifier(parts) => return parts.first().map_or(Location::empty(), |part| part.span.start),
            Expr::Value(value) => return value.span.start,
            Expr::TypedString(text) => return text.value.span.start,
            Expr::Function(function) => return function.name.span().start,
            Expr::Case { case_token, .. } => return case_token.0.span.start,
            Expr::Tuple(parts) => match parts.first() {
                Some(part) => part,
                None => return Location::empty(),
            },
            Expr::Interval(interval) => &interval.value,
            Expr::Nested(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::IsDistinctFrom(inner, _)
            | Expr::IsNotDistinctFrom(inner, _)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::BinaryOp { left: inner, .. }
            | Expr::AnyOp { left: inner, .. }
            | Expr::AllOp { left: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::InUnnest { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::SimilarTo { expr: inner, .. }
            | Expr::RLike { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Convert { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::Position { expr: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. }
            | Expr::Overlay { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::AtTimeZone { timestamp: inner, .. } => inner,
            _ => return Location::empty(),
        };
    }
}

/// Without brackets around it.
pub(super) fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

impl Scope {
    /// Whether a name before a point means the table.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.alias.as_ref().unwrap_or(&self.table))
    }

    /// The name of a column, if the expression is one.
    pub(super) fn column(&self, expr: &Expr) -> Result<Option<String>, SqlError> {
        match bare(expr) {
            Expr::Identifier(name) => Ok(Some(name.value.clone())),
            Expr::CompoundIdentifier(parts) => self.qualified(parts).map(Some),
            _ => Ok(None),
        }
    }

    fn qualified(&self, parts: &[Ident]) -> Result<String, SqlError> {
        match parts {
            [table, column] if self.is_called(&table.value) => Ok(column.value.clone()),
            [first, ..] => {
                let message = format!("\"{}\" before a point is not the table of the statement", first.value);
                Err(SqlError::invalid(message, first.span.start))
            }
            [] => Err(SqlError::syntax("a name was expected", Location::empty())),
        }
    }

    /// A column or a literal.
    pub(super) fn operand(&self, expr: &Expr) -> Result<Operand, SqlError> {
        if let Some(column) = self.column(expr)? {
            return Ok(Operand::Column(column));
        }
        match literal(expr)? {
            Some(value) => Ok(Operand::Literal(value)),
            None => Err(not_here(expr)),
        }
    }

    /// A column, and nothing else.
    pub(super) fn must_be_column(&self, expr: &Expr) -> Result<String, SqlError> {
        self.column(expr)?.ok_or_else(|| match literal(expr) {
            Ok(Some(_)) => SqlError::unsupported("a literal where a column is expected", place(expr)),
            _ => not_here(expr),
        })
    }
}

/// A literal's value, if the expression is one.
pub(super) fn literal(expr: &Expr) -> Result<Option<Scalar>, SqlError> {
    match bare(expr) {
        Expr::Value(value) => scalar(&value.value, value.span.start).map(Some),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => match bare(inner) {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => number(&["-", digits].concat(), place(expr)).map(Some),
                _ => Ok(None),
            },
            _ => Ok(None),
        },
        Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => match bare(inner) {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => {
                scalar(&value.value, value.span.start).map(Some)
            }
            _ => Ok(None),
        },
        Expr::TypedString(TypedString { data_type, value, .. }) if is_moment(data_type) => {
            scalar(&value.value, value.span.start).map(Some)
        }
        Expr::Cast { expr: inner, data_type, .. } if is_moment(data_type) => match bare(inner) {
            Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => {
                scalar(&value.value, value.span.start).map(Some)
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Types whose literals a plan takes as text.
fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Time(..) | DataType::Timestamp(..) | DataType::Datetime(_))
}

fn scalar(value: &Value, at: Location) -> Result<Scalar, SqlError> {
    match value {
        Value::Number(digits, _) => number(digits, at),
        Value::SingleQuotedString(text) => Ok(Scalar::Text(text.clone())),
        Value::Boolean(value) => Ok(Scalar::Boolean(*value)),
        Value::Null => Ok(Scalar::Null),
        Value::Placeholder(_) => Err(SqlError::unsupported("a parameter; write the value", at)),
        _ => Err(SqlError::unsupported("this notation of a literal", at)),
    }
}

fn number(digits: &str, at: Location) -> Result<Scalar, SqlError> {
    if let Ok(value) = digits.parse() {
        return Ok(Scalar::Int(value));
    }
    if let Ok(value) = digits.parse() {
        return Ok(Scalar::UInt(value));
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Scalar::Float(value)),
        _ => Err(SqlError::invalid("a number that is too large", at)),
    }
}

/// The error of an expression that stands where a plan only takes a column or a literal.
pub(super) fn not_here(expr: &Expr) -> SqlError {
    let what = match bare(expr) {
        Expr::Function(function) => format!("the function {} here", function.name),
        Expr::BinaryOp { op, .. } => format!("an expression with {op} here; a plan takes columns and literals"),
        Expr::UnaryOp { op, .. } => format!("an expression with {op} here; a plan takes columns and literals"),
        other => construct(other).to_owned(),
    };
    SqlError::unsupported(what, place(expr))
}

/// What an expression is called.
fn construct(expr: &Expr) -> &'static str {
    match expr {
        Expr::Case { .. } => "CASE",
        Expr::Cast { .. } | Expr::Convert { .. } => "a conversion (CAST) of anything but a date or time in quotes",
        Expr::Extract { .. } => "EXTRACT",
        Expr::Interval(_) => "INTERVAL",
        Expr::Substring { .. } => "SUBSTRING",
        Expr::Trim { .. } => "TRIM",
        Expr::Ceil { .. } => "CEIL",
        Expr::Floor { .. } => "FLOOR",
        Expr::Position { .. } => "POSITION",
        Expr::Overlay { .. } => "OVERLAY",
        Expr::Collate { .. } => "COLLATE",
        Expr::AtTimeZone { .. } => "AT TIME ZONE",
        Expr::Tuple(_) => "a list in brackets here",
        Expr::Array(_) => "an array",
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => "a subquery",
        Expr::SimilarTo { .. } => "SIMILAR TO",
        Expr::RLike { .. } => "a regular expression",
        Expr::AnyOp { .. } => "ANY",
        Expr::AllOp { .. } => "ALL",
        Expr::InUnnest { .. } => "UNNEST",
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => "IS DISTINCT FROM",
        Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => "IS UNKNOWN; write IS NULL",
        Expr::IsNull(_) | Expr::IsNotNull(_) => "IS NULL here",
        Expr::InList { .. } => "IN here",
        Expr::Between { .. } => "BETWEEN here",
        Expr::Like { .. } | Expr::ILike { .. } => "LIKE here",
        Expr::TypedString(_) => "a literal of this type",
        Expr::CompoundFieldAccess { .. } | Expr::JsonAccess { .. } => "a part of a value",
        _ => "this expression",
    }
}
