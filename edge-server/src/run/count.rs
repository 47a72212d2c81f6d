//! Counting before reading: how many rows of each piece pass a filter, by the filter's own columns alone.
//!
//! A page of a filtered table shows a hundred rows of all columns, but where it begins only the filter's columns tell. They are
//! read first, on every core, as far as the page reaches; then of all columns the few pieces that the page lies in. Who asks
//! for nothing but the number of rows gets it in the same way. What was counted is remembered, and of several who ask for the
//! same filter one counts while the others wait.

use std::sync::{Arc, PoisonError};

use arrow_array::{Int64Array, RecordBatch};
use kernels::query::{AggregateFunction, Plan, Predicate};

use super::sweep::sweep;
use super::{Clock, Query, Terms, tally};
use crate::source::Source;
use crate::{Error, Result};

/// Tables of fewer pieces are read as they are.
const FEW: usize = 4;

/// Counts as far as the query's window reaches; nothing when that would save nothing.
pub(super) fn ahead(query: &Query, source: &Arc<dyn Source>, terms: &Terms<'_>, clock: &Clock<'_>) -> Result<()> {
    let Some(filter) = query.plan.filter.as_ref().filter(|_| query.is_stream()) else { return Ok(()) };
    let total = source.pieces().len();
    let is_window = query.plan.offset > 0 || query.plan.limit.is_some();
    if total < FEW || !is_window || !source.lasts() {
        return Ok(());
    }
    let end = query.plan.offset.saturating_add(query.plan.limit.unwrap_or(usize::MAX));
    let plan = counting(filter);
    if plan.bind(source.schema())?.input_columns().len() >= query.columns.len() {
        return Ok(());
    }
    count(query, filter, source, terms, clock, end).map(drop)
}

/// The answer of a plan that asks for the number of rows, of all or of those that pass its filter; none of another plan.
pub(super) fn whole(
    query: &Query,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
) -> Result<Option<RecordBatch>> {
    let plan = &query.plan;
    let asks = match plan.aggregates.as_slice() {
        [only] => only.function == AggregateFunction::Count && only.column.is_none(),
        _ => false,
    };
    let is_plain =
        plan.group_by.is_empty() && plan.offset == 0 && plan.limit != Some(0) && query.output.fields().len() == 1;
    if !asks || !is_plain || !source.lasts() || source.pieces().is_empty() {
        return Ok(None);
    }
    let rows = match &plan.filter {
        None => source.rows(),
        Some(filter) => match count(query, filter, source, terms, clock, usize::MAX)? {
            Some(rows) => rows,
            None => return Ok(None),
        },
    };
    let counted = Int64Array::from(vec![i64::try_from(rows).unwrap_or(i64::MAX)]);
    let counted = RecordBatch::try_new(query.output.clone(), vec![Arc::new(counted)]);
    counted.map(Some).map_err(|error| Error::Internal(error.to_string()))
}

fn counting(filter: &Predicate) -> Plan {
    Plan { columns: Some(Vec::new()), filter: Some(filter.clone()), ..Plan::default() }
}

/// Counts the rows that pass, until there are so many. None when the query was given up.
fn count(
    query: &Query,
    filter: &Predicate,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
    enough: usize,
) -> Result<Option<usize>> {
    let turn = terms.knowledge.turn(source.tag(), filter);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = counting(filter);
    let columns = plan.bind(source.schema())?.input_columns().to_vec();
    let input = source.schema().project(&columns).map_err(|error| Error::Internal(error.to_string()))?;
    let bound = plan.bind(&input)?;
    let total = source.pieces().len();
    let possible = query.possible(source, terms.knowledge);
    let counts = tally::counts(source, filter, terms.knowledge, total);
    let unknown: Vec<usize> = (0..total).filter(|&piece| possible[piece] && counts[piece].is_none()).collect();
    let mut learned = terms.knowledge.learn(source.tag(), filter, total);
    // The rows of pieces before each piece that are known already.
    let known = (0..=total).scan(0, |rows, piece| {
        let before = *rows;
        *rows += counts.get(piece).copied().flatten().filter(|_| possible[piece]).unwrap_or(0);
        Some(before)
    });
    let known: Vec<usize> = known.collect();
    let (mut rows, mut is_given_up) = (0usize, false);
    let reached = |piece: usize, rows: usize| rows.saturating_add(known[piece]) >= enough;
    if unknown.first().is_some_and(|&piece| !reached(piece, 0)) {
        let each = |_: usize, batch: RecordBatch| Ok(bound.select(&[batch])?.len());
        sweep(source, &columns, &unknown, each, |piece, count| {
            learned.set(piece, count);
            rows += count;
            clock.check()?;
            is_given_up = (terms.is_given_up)();
            Ok(!is_given_up && !reached(piece, rows))
        })?;
    }
    rows += known[total];
    Ok((!is_given_up).then_some(rows))
}
