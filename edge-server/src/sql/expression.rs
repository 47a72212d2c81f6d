//! WHERE: expressions to predicates of a plan, which know columns, literals, and the three-valued logic over them.

use kernels::query::{CompareOp, Predicate, Scalar};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use super::SqlError;
use super::like::like;
use super::operand::{Operand, Scope, bare, literal, not_here, place};

/// How deep a plan's predicates may be nested; `wire` refuses what is deeper.
const MAX_DEPTH: usize = 64;

/// The predicate that an expression stands for.
pub(super) fn predicate(expr: &Expr, scope: &Scope) -> Result<Predicate, SqlError> {
    build(expr, scope, 1)
}

fn build(expr: &Expr, scope: &Scope, depth: usize) -> Result<Predicate, SqlError> {
    if depth > MAX_DEPTH {
        return Err(SqlError::TooLarge { what: format!("conditions nested deeper than {MAX_DEPTH}") });
    }
    let expr = bare(expr);
    if let Some(column) = scope.column(expr)? {
        return Ok(is_true(column, true));
    }
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Boolean(value) => Ok(constant(*value)),
            Value::Null => Err(SqlError::unsupported("NULL as a condition", place(expr))),
            _ => Err(SqlError::invalid("a condition was expected, not a literal", place(expr))),
        },
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            let parts = chain(expr, op).into_iter().map(|part| build(part, scope, depth + 1));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            Ok(if *op == BinaryOperator::And { Predicate::And(parts) } else { Predicate::Or(parts) })
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => {
            Ok(Predicate::Not(Box::new(build(inner, scope, depth + 1)?)))
        }
        Expr::BinaryOp { left, op, right } => match comparison(op) {
            Some(comparison) => compare(scope.operand(left)?, comparison, scope.operand(right)?)
                .ok_or_else(|| SqlError::unsupported("a comparison of literals of these kinds", place(expr))),
            None => Err(no_condition(expr, op)),
        },
        Expr::IsNull(inner) => Ok(Predicate::IsNull { column: scope.must_be_column(inner)? }),
        Expr::IsNotNull(inner) => Ok(Predicate::IsNotNull { column: scope.must_be_column(inner)? }),
        Expr::IsTrue(inner) => Ok(certainly(scope.must_be_column(inner)?, true)),
        Expr::IsFalse(inner) => Ok(certainly(scope.must_be_column(inner)?, false)),
        Expr::IsNotTrue(inner) => Ok(not(certainly(scope.must_be_column(inner)?, true), true)),
        Expr::IsNotFalse(inner) => Ok(not(certainly(scope.must_be_column(inner)?, false), true)),
        Expr::InList { expr: inner, list, negated } => {
            let column = scope.must_be_column(inner)?;
            let values = list.iter().map(|item| literal(item)?.ok_or_else(|| in_list(item, scope)));
            Ok(not(Predicate::In { column, values: values.collect::<Result<_, _>>()? }, *negated))
        }
        Expr::Between { expr: inner, negated, low, high } => {
            let between = between(scope.operand(inner)?, scope.operand(low)?, scope.operand(high)?);
            let between =
                between.ok_or_else(|| SqlError::unsupported("BETWEEN of literals of these kinds", place(expr)))?;
            Ok(not(between, *negated))
        }
        Expr::Like { negated, any: false, expr: inner, pattern, escape_char } => {
            Ok(not(pattern_of(inner, pattern, escape_char.as_deref(), false, scope)?, *negated))
        }
        Expr::ILike { negated, any: false, expr: inner, pattern, escape_char } => {
            Ok(not(pattern_of(inner, pattern, escape_char.as_deref(), true, scope)?, *negated))
        }
        Expr::Like { .. } | Expr::ILike { .. } => Err(SqlError::unsupported("LIKE ANY", place(expr))),
        other => Err(not_here(other)),
    }
}

/// The parts that one operator joins, from left to right. The parser nests them to the left as deep as there are
/// parts, so they are walked, not called for.
fn chain<'a>(expr: &'a Expr, wanted: &BinaryOperator) -> Vec<&'a Expr> {
    let (mut parts, mut rest) = (Vec::new(), bare(expr));
    while let Expr::BinaryOp { left, op, right } = rest
        && op == wanted
    {
        parts.push(right.as_ref());
        rest = bare(left);
    }
    parts.push(rest);
    parts.reverse();
    parts
}

fn constant(value: bool) -> Predicate {
    if value { Predicate::And(Vec::new()) } else { Predicate::Or(Vec::new()) }
}

fn not(predicate: Predicate, negated: bool) -> Predicate {
    if negated { Predicate::Not(Box::new(predicate)) } else { predicate }
}

fn is_true(column: String, value: bool) -> Predicate {
    Predicate::Compare { column, op: CompareOp::Eq, value: Scalar::Boolean(value) }
}

/// `column IS TRUE`: false, not unknown, where the column is null.
fn certainly(column: String, value: bool) -> Predicate {
    Predicate::And(vec![Predicate::IsNotNull { column: column.clone() }, is_true(column, value)])
}

fn comparison(op: &BinaryOperator) -> Option<CompareOp> {
    Some(match op {
        BinaryOperator::Eq => CompareOp::Eq,
        BinaryOperator::NotEq => CompareOp::NotEq,
        BinaryOperator::Lt => CompareOp::Lt,
        BinaryOperator::LtEq => CompareOp::LtEq,
        BinaryOperator::Gt => CompareOp::Gt,
        BinaryOperator::GtEq => CompareOp::GtEq,
        _ => return None,
    })
}

/// The comparison with its sides changed.
fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::LtEq => CompareOp::GtEq,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::GtEq => CompareOp::LtEq,
        same => same,
    }
}

/// `None` for literals that cannot be compared here.
fn compare(left: Operand, op: CompareOp, right: Operand) -> Option<Predicate> {
    Some(match (left, right) {
        (Operand::Column(column), Operand::Literal(value)) => Predicate::Compare { column, op, value },
        (Operand::Literal(value), Operand::Column(column)) => Predicate::Compare { column, op: turned(op), value },
        (Operand::Column(left), Operand::Column(right)) => Predicate::CompareColumns { left, op, right },
        // Programs write `1 = 1` where they have no condition.
        (Operand::Literal(left), Operand::Literal(right)) => {
            let order = match (&left, &right) {
                (Scalar::Int(left), Scalar::Int(right)) => left.cmp(right),
                (Scalar::Text(left), Scalar::Text(right)) => left.cmp(right),
                (Scalar::Boolean(left), Scalar::Boolean(right)) => left.cmp(right),
                _ => return None,
            };
            constant(match op {
                CompareOp::Eq => order.is_eq(),
                CompareOp::NotEq => order.is_ne(),
                CompareOp::Lt => order.is_lt(),
                CompareOp::LtEq => order.is_le(),
                CompareOp::Gt => order.is_gt(),
                CompareOp::GtEq => order.is_ge(),
            })
        }
    })
}

fn between(value: Operand, low: Operand, high: Operand) -> Option<Predicate> {
    match (value, low, high) {
        (Operand::Column(column), Operand::Literal(low), Operand::Literal(high)) => {
            Some(Predicate::Between { column, low, high })
        }
        (value, low, high) => {
            let again = match &value {
                Operand::Column(column) => Operand::Column(column.clone()),
                Operand::Literal(value) => Operand::Literal(value.clone()),
            };
            Some(Predicate::And(vec![compare(value, CompareOp::GtEq, low)?, compare(again, CompareOp::LtEq, high)?]))
        }
    }
}

fn in_list(item: &Expr, scope: &Scope) -> SqlError {
    match scope.column(item) {
        Ok(Some(_)) => SqlError::unsupported("a column in the list of IN", place(item)),
        Ok(None) => not_here(item),
        Err(error) => error,
    }
}

fn no_condition(expr: &Expr, op: &BinaryOperator) -> SqlError {
    let what = match op {
        BinaryOperator::PGRegexMatch
        | BinaryOperator::PGRegexIMatch
        | BinaryOperator::PGRegexNotMatch
        | BinaryOperator::PGRegexNotIMatch => {
            "a regular expression; LIKE takes a beginning, an end or a part".to_owned()
        }
        op => format!("the operator {op} in a condition"),
    };
    SqlError::unsupported(what, place(expr))
}

fn text_of<'a>(expr: &'a Expr, what: &str) -> Result<&'a str, SqlError> {
    match bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok(text),
            _ => Err(SqlError::unsupported(format!("{what} that is not text"), place(expr))),
        },
        _ => Err(SqlError::unsupported(format!("{what} that is not text"), place(expr))),
    }
}

fn pattern_of(
    column: &Expr,
    pattern: &Expr,
    escape: Option<&Expr>,
    ignore_case: bool,
    scope: &Scope,
) -> Result<Predicate, SqlError> {
    let column = scope.must_be_column(column)?;
    let text = text_of(pattern, "a pattern")?;
    let escape = match escape {
        None => Some('\\'),
        Some(expr) => {
            let mut letters = text_of(expr, "an escape character")?.chars();
            let first = letters.next();
            if letters.next().is_some() {
                return Err(SqlError::invalid("an escape is one character", place(expr)));
            }
            first
        }
    };
    like(column, text, escape, ignore_case).map_err(|what| SqlError::unsupported(what, place(pattern)))
}
