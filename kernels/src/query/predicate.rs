//! Predicates: bound to columns, evaluated to three-valued truth.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::bind::column;
use super::{CompareOp, Predicate};
use crate::compare::{self, Test, Truth};
use crate::error::{WrongType, all};
use crate::{Error, Result, runs, types};

/// How deep predicates may be nested: a hostile plan must not exhaust the stack.
const MAX_DEPTH: usize = 100;

/// A predicate over numbered columns with typed literals.
#[derive(Debug, Clone)]
pub(super) enum BoundPredicate {
    Test {
        column: usize,
        test: Test,
    },
    /// A membership test whose list holds NULL: a miss is unknown.
    TestOrUnknown {
        column: usize,
        test: Test,
    },
    Columns {
        left: usize,
        op: CompareOp,
        right: usize,
    },
    IsNull(usize),
    IsNotNull(usize),
    And(Vec<BoundPredicate>),
    Or(Vec<BoundPredicate>),
    Not(Box<BoundPredicate>),
}

/// Binds a predicate and marks the columns that it reads.
pub(super) fn bind_predicate(predicate: &Predicate, schema: &Schema, used: &mut [bool]) -> Result<BoundPredicate> {
    bind(predicate, schema, used, 0)
}

fn bind(predicate: &Predicate, schema: &Schema, used: &mut [bool], depth: usize) -> Result<BoundPredicate> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid_plan("the filter is nested too deep", ""));
    }
    let mut find = |name: &str| -> Result<usize> {
        let index = column(schema, name)?;
        used[index] = true;
        Ok(index)
    };
    Ok(match predicate {
        Predicate::Compare { column, op, value } => {
            let index = find(column)?;
            let test = compare::bind_compare(column, schema.field(index).data_type(), *op, value)?;
            BoundPredicate::Test { column: index, test }
        }
        Predicate::Between { column, low, high } => {
            let index = find(column)?;
            let test = compare::bind_between(column, schema.field(index).data_type(), low, high)?;
            BoundPredicate::Test { column: index, test }
        }
        Predicate::In { column, values } => {
            let index = find(column)?;
            let (test, has_null) = compare::bind_in(column, schema.field(index).data_type(), values)?;
            if has_null {
                BoundPredicate::TestOrUnknown { column: index, test }
            } else {
                BoundPredicate::Test { column: index, test }
            }
        }
        Predicate::Text { column, test, value, ignore_case } => {
            let index = find(column)?;
            let data_type = schema.field(index).data_type();
            let test = compare::bind_text(column, data_type, *test, value, *ignore_case)?;
            BoundPredicate::Test { column: index, test }
        }
        Predicate::CompareColumns { left, op, right } => {
            let (left_index, right_index) = (find(left)?, find(right)?);
            let (left_type, right_type) = (schema.field(left_index).data_type(), schema.field(right_index).data_type());
            if left_type != right_type {
                return Err(Box::new(Error::WrongType(WrongType {
                    column: left.clone(),
                    data_type: left_type.clone(),
                    found: ["column \"", right, "\" of another type"].concat(),
                    expected: "a column of the same type",
                })));
            }
            if matches!(types::kind(runs::plain_type(left_type)), types::Kind::Nested) {
                return Err(types::unsupported("compare", left_type));
            }
            BoundPredicate::Columns { left: left_index, op: *op, right: right_index }
        }
        Predicate::IsNull { column } => BoundPredicate::IsNull(find(column)?),
        Predicate::IsNotNull { column } => BoundPredicate::IsNotNull(find(column)?),
        Predicate::And(parts) | Predicate::Or(parts) => {
            let bound = all(parts.iter().map(|part| bind(part, schema, used, depth + 1)))?;
            if matches!(predicate, Predicate::And(_)) { BoundPredicate::And(bound) } else { BoundPredicate::Or(bound) }
        }
        Predicate::Not(part) => BoundPredicate::Not(Box::new(bind(part, schema, used, depth + 1)?)),
    })
}

impl BoundPredicate {
    /// The answer for every row of a batch.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Result<Truth> {
        let rows = batch.num_rows();
        match self {
            Self::Test { column, test } => compare::run(batch.column(*column).as_ref(), test),
            Self::TestOrUnknown { column, test } => {
                Ok(compare::run(batch.column(*column).as_ref(), test)?.or(&Truth::unknown(rows)))
            }
            Self::Columns { left, op, right } => {
                compare::compare_columns(batch.column(*left).as_ref(), *op, batch.column(*right).as_ref())
            }
            Self::IsNull(column) => Ok(compare::is_null(batch.column(*column).as_ref())),
            Self::IsNotNull(column) => Ok(compare::is_null(batch.column(*column).as_ref()).not()),
            Self::And(parts) => parts.iter().try_fold(Truth::constant(rows, true), |truth, part| {
                if truth.is_never_true() { Ok(truth) } else { Ok(truth.and(&part.evaluate(batch)?)) }
            }),
            Self::Or(parts) => {
                parts.iter().try_fold(Truth::constant(rows, false), |truth, part| Ok(truth.or(&part.evaluate(batch)?)))
            }
            Self::Not(part) => Ok(part.evaluate(batch)?.not()),
        }
    }
}
