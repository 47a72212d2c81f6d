//! Pieces in which no row can pass a filter, by what their values lie between.
//!
//! The filter becomes a question about pieces: `x > 5` may hold in a piece whose greatest x is above 5. That question is a
//! filter again, over a little table with a row for each piece, and the kernels answer it; so types and orders are the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use kernels::query::{CompareOp, Plan, Predicate, Scalar, TextTest};

use crate::source::Bounds;

/// Whether each piece may hold a row that passes; none when nothing is known.
pub(super) fn candidates(
    filter: &Predicate,
    pieces: usize,
    bounds: impl Fn(&str) -> Option<Bounds>,
) -> Option<Vec<bool>> {
    let mut columns = Columns { known: BTreeMap::new(), bounds: &bounds };
    let question = columns.may(filter, false);
    let mut arrays: Vec<(String, ArrayRef)> =
        vec![("piece".to_owned(), Arc::new(UInt32Array::from_iter_values(0..pieces as u32)))];
    for (name, known) in columns.known {
        let Some(Bounds { min, max, nulls, known }) = known else { continue };
        let parts: [(&str, ArrayRef); 4] =
            [("min", min), ("max", max), ("nulls", Arc::new(nulls)), ("known", Arc::new(known))];
        arrays.extend(parts.into_iter().map(|(part, array)| (named(part, &name), array)));
    }
    if arrays.len() == 1 {
        return None;
    }
    let table =
        RecordBatch::try_from_iter_with_nullable(arrays.into_iter().map(|(name, array)| (name, array, true))).ok()?;
    let plan = Plan { columns: Some(vec!["piece".to_owned()]), filter: Some(question), ..Plan::default() };
    // A question that cannot be asked leaves every piece in.
    let kept = plan.bind(table.schema_ref()).ok()?.execute(&[table]).ok()?;
    let mut may = vec![false; pieces];
    for &piece in kept.column(0).as_primitive::<UInt32Type>().values() {
        may[piece as usize] = true;
    }
    Some(may)
}

fn named(part: &str, column: &str) -> String {
    [part, " of ", column].concat()
}

struct Columns<'a, F> {
    known: BTreeMap<String, Option<Bounds>>,
    bounds: &'a F,
}

/// True of every piece.
const ANY: Predicate = Predicate::And(Vec::new());

impl<F: Fn(&str) -> Option<Bounds>> Columns<'_, F> {
    /// The question whether a row of a piece may pass, or with `not`, may pass the opposite.
    fn may(&mut self, filter: &Predicate, not: bool) -> Predicate {
        match filter {
            Predicate::And(parts) if !not => Predicate::And(self.each(parts, not)),
            Predicate::Or(parts) if not => Predicate::And(self.each(parts, not)),
            Predicate::And(parts) | Predicate::Or(parts) => Predicate::Or(self.each(parts, not)),
            Predicate::Not(part) => self.may(part, !not),
            Predicate::Compare { column, op, value } => {
                let op = if not { opposite(*op) } else { *op };
                self.leaf(column, |min, max| compared(min, max, op, value))
            }
            Predicate::Between { column, low, high } if !not => self.leaf(column, |min, max| {
                Predicate::And(vec![compare(max, CompareOp::GtEq, low), compare(min, CompareOp::LtEq, high)])
            }),
            Predicate::In { column, values } if !not => self.leaf(column, |min, max| {
                Predicate::Or(values.iter().map(|value| compared(min, max, CompareOp::Eq, value)).collect())
            }),
            Predicate::Text { column, test: TextTest::BeginsWith, value, ignore_case: false } if !not => {
                let text = Scalar::Text(value.clone());
                let begins = |min: &str| Predicate::Text {
                    column: min.to_owned(),
                    test: TextTest::BeginsWith,
                    value: value.clone(),
                    ignore_case: false,
                };
                self.leaf(column, |min, max| {
                    let low = Predicate::Or(vec![compare(min, CompareOp::LtEq, &text), begins(min)]);
                    Predicate::And(vec![compare(max, CompareOp::GtEq, &text), low])
                })
            }
            Predicate::IsNull { column } if !not => self.null(column),
            Predicate::IsNotNull { column } if not => self.null(column),
            _ => ANY,
        }
    }

    fn each(&mut self, parts: &[Predicate], not: bool) -> Vec<Predicate> {
        parts.iter().map(|part| self.may(part, not)).collect()
    }

    fn is_known(&mut self, column: &str) -> bool {
        let bounds = self.bounds;
        self.known.entry(column.to_owned()).or_insert_with(|| bounds(column)).is_some()
    }

    /// A question about a column's bounds, which holds as well where they are not known.
    fn leaf(&mut self, column: &str, question: impl Fn(&str, &str) -> Predicate) -> Predicate {
        if !self.is_known(column) {
            return ANY;
        }
        let unknown = compare(&named("known", column), CompareOp::Eq, &Scalar::Boolean(false));
        Predicate::Or(vec![question(&named("min", column), &named("max", column)), unknown])
    }

    fn null(&mut self, column: &str) -> Predicate {
        if !self.is_known(column) {
            return ANY;
        }
        let nulls = named("nulls", column);
        Predicate::Or(vec![compare(&nulls, CompareOp::Gt, &Scalar::Int(0)), Predicate::IsNull { column: nulls }])
    }
}

fn compare(column: &str, op: CompareOp, value: &Scalar) -> Predicate {
    Predicate::Compare { column: column.to_owned(), op, value: value.clone() }
}

fn compared(min: &str, max: &str, op: CompareOp, value: &Scalar) -> Predicate {
    use CompareOp as C;
    match op {
        C::Eq => Predicate::And(vec![compare(min, C::LtEq, value), compare(max, C::GtEq, value)]),
        C::NotEq => Predicate::Or(vec![compare(min, C::NotEq, value), compare(max, C::NotEq, value)]),
        C::Lt | C::LtEq => compare(min, op, value),
        C::Gt | C::GtEq => compare(max, op, value),
    }
}

fn opposite(op: CompareOp) -> CompareOp {
    use CompareOp as C;
    match op {
        C::Eq => C::NotEq,
        C::NotEq => C::Eq,
        C::Lt => C::GtEq,
        C::LtEq => C::Gt,
        C::Gt => C::LtEq,
        C::GtEq => C::Lt,
    }
}
