//! Calls of functions in the select list and behind ORDER BY: the aggregates that a plan knows, by the names that SQL,
//! QuestDB and the plan have for them.

use kernels::query::{Aggregate, AggregateFunction, Fraction, Scalar};
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, ObjectNamePart,
};

use super::SqlError;
use super::operand::{Operand, Scope, bare, place};

/// Functions of one column and nothing else.
const SIMPLE: [(&str, AggregateFunction); 18] = [
    ("sum", AggregateFunction::Sum),
    ("avg", AggregateFunction::Mean),
    ("mean", AggregateFunction::Mean),
    ("min", AggregateFunction::Min),
    ("max", AggregateFunction::Max),
    ("stddev", AggregateFunction::Stddev),
    ("stddev_samp", AggregateFunction::Stddev),
    ("variance", AggregateFunction::Variance),
    ("var_samp", AggregateFunction::Variance),
    ("median", AggregateFunction::Median),
    ("first", AggregateFunction::First),
    ("last", AggregateFunction::Last),
    ("any", AggregateFunction::Any),
    ("any_value", AggregateFunction::Any),
    ("list", AggregateFunction::List),
    ("array_agg", AggregateFunction::List),
    ("count", AggregateFunction::Count),
    ("count_distinct", AggregateFunction::CountDistinct),
];

/// An aggregate, and the name that the text has for its function.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) aggregate: Aggregate,
    pub(super) written: String,
}

impl Call {
    /// Whether both compute the same.
    pub(super) fn is(&self, other: &Aggregate) -> bool {
        let Aggregate { function, column, other: second, name: _ } = &self.aggregate;
        *function == other.function && *column == other.column && *second == other.other
    }
}

/// The one name of a table or function.
pub(super) fn plain_name(name: &ObjectName) -> Option<&str> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(part)] => Some(&part.value),
        _ => None,
    }
}

/// The aggregate that an expression calls; `None` where it is no call.
pub(super) fn call(expr: &Expr, scope: &Scope) -> Result<Option<Call>, SqlError> {
    let Expr::Function(function) = bare(expr) else { return Ok(None) };
    let at = place(expr);
    let written = plain_name(&function.name).unwrap_or("").to_ascii_lowercase();
    let (arguments, distinct) = arguments(function, expr, scope)?;
    let made = |function, column: Option<String>, other: Option<String>| {
        let aggregate = Aggregate { function, column, other, name: None };
        Ok(Some(Call { aggregate, written: written.clone() }))
    };
    let wrong = |expected: &str| Err(SqlError::invalid(format!("{written} takes {expected}"), at));
    if distinct && written != "count" {
        return Err(SqlError::unsupported(format!("DISTINCT in {}", function.name), at));
    }
    let mut arguments = arguments.into_iter();
    match (written.as_str(), arguments.next(), arguments.next(), arguments.next()) {
        ("count", None, None, None) if !distinct => made(AggregateFunction::Count, None, None),
        ("count", Some(Operand::Column(column)), None, None) if distinct => {
            made(AggregateFunction::CountDistinct, Some(column), None)
        }
        ("count", Some(Operand::Literal(value)), None, None) if !distinct && value != Scalar::Null => {
            made(AggregateFunction::Count, None, None)
        }
        ("count", first, None, None) if distinct || !matches!(first, Some(Operand::Column(_))) => {
            wrong("*, a column, or DISTINCT and a column")
        }
        ("quantile" | "quantile_cont", Some(Operand::Column(column)), Some(Operand::Literal(fraction)), None) => {
            match number(&fraction).and_then(Fraction::new) {
                Some(fraction) => made(AggregateFunction::Quantile(fraction), Some(column), None),
                None => wrong("a column and a fraction from 0 to 1"),
            }
        }
        ("quantile" | "quantile_cont", ..) => wrong("a column and a fraction from 0 to 1"),
        ("top", Some(Operand::Column(column)), Some(Operand::Literal(Scalar::Int(most))), None) => {
            match u32::try_from(most) {
                Ok(most) => made(AggregateFunction::Top(most), Some(column), None),
                Err(_) => wrong("a column and a number of values"),
            }
        }
        ("top", ..) => wrong("a column and a number of values"),
        ("corr" | "correlation", Some(Operand::Column(left)), Some(Operand::Column(right)), None) => {
            made(AggregateFunction::Correlation, Some(left), Some(right))
        }
        ("corr" | "correlation", ..) => wrong("two columns"),
        (name, first, second, _) => match (SIMPLE.iter().find(|(known, _)| *known == name), first, second) {
            (Some((_, function)), Some(Operand::Column(column)), None) => made(*function, Some(column), None),
            (Some(_), ..) => wrong("one column"),
            (None, ..) => Err(SqlError::unsupported(format!("the function {}", function.name), at)),
        },
    }
}

fn number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Int(value) => Some(*value as f64),
        Scalar::Float(value) => Some(*value),
        _ => None,
    }
}

/// The arguments, none for `count(*)`, and whether DISTINCT stands before them.
fn arguments(function: &Function, expr: &Expr, scope: &Scope) -> Result<(Vec<Operand>, bool), SqlError> {
    let refused = |what: &str| Err(SqlError::unsupported(format!("{what} in {}", function.name), place(expr)));
    let Function { name: _, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } = function;
    let parts = [
        (*uses_odbc_syntax, "a curly bracket"),
        (!matches!(parameters, FunctionArguments::None), "a second list of arguments"),
        (!within_group.is_empty(), "WITHIN GROUP"),
        (filter.is_some(), "FILTER"),
        (null_treatment.is_some(), "RESPECT or IGNORE NULLS"),
        (over.is_some(), "a window (OVER)"),
    ];
    if let Some((_, what)) = parts.iter().find(|(is_there, _)| *is_there) {
        return refused(what);
    }
    let list = match args {
        FunctionArguments::List(list) => list,
        FunctionArguments::None => return Err(SqlError::unsupported(function.name.to_string(), place(expr))),
        FunctionArguments::Subquery(_) => return refused("a subquery"),
    };
    if !list.clauses.is_empty() {
        return refused("a clause behind the arguments");
    }
    let is_count = plain_name(&function.name).is_some_and(|name| name.eq_ignore_ascii_case("count"));
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let mut operands = Vec::new();
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => operands.push(scope.operand(expr)?),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if is_count && list.args.len() == 1 && !distinct => {}
            FunctionArg::Unnamed(_) => return refused("*"),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => return refused("an argument with a name"),
        }
    }
    Ok((operands, distinct))
}
