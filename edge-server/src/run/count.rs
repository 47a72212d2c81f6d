//! Counting before reading: how many rows of each piece pass a filter, by the filter's own columns alone.
//!
//! A page of a filtered table shows a hundred rows of all columns, but where it begins only the filter's columns tell. They are
//! read first, as far as the page reaches; then of all columns the few pieces that the page lies in. What was counted is
//! remembered, and of several who ask for the same filter one counts while the others wait.

use std::sync::{Arc, PoisonError};

use kernels::query::{Execution, Plan};

use super::{Query, Terms};
use crate::Result;
use crate::source::Source;

/// Tables of fewer pieces are read as they are.
const FEW: usize = 4;

/// Counts as far as the query's window reaches; nothing when that would save nothing.
pub(super) fn ahead(
    query: &Query,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &super::Clock<'_>,
) -> Result<()> {
    let Some(filter) = query.plan.filter.as_ref().filter(|_| query.is_stream()) else { return Ok(()) };
    let total = source.pieces().len();
    let is_window = query.plan.offset > 0 || query.plan.limit.is_some();
    if total < FEW || !is_window {
        return Ok(());
    }
    let plan = Plan { columns: Some(Vec::new()), filter: Some(filter.clone()), ..Plan::default() };
    let columns = plan.bind(source.schema())?.input_columns().to_vec();
    if columns.len() >= query.columns.len() {
        return Ok(());
    }
    let turn = terms.knowledge.turn(source.tag(), filter);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let input = source.schema().project(&columns).map_err(|error| crate::Error::Internal(error.to_string()))?;
    let possible = query.possible(source, terms.knowledge);
    let counts = terms.knowledge.matches(source.tag(), filter, total);
    let pieces: Vec<usize> = (0..total).filter(|&piece| possible[piece] && counts[piece] != Some(0)).collect();
    let unknown: Vec<usize> = pieces.iter().copied().filter(|&piece| counts[piece].is_none()).collect();
    let mut read = source.scan(Some(&columns), Some(&unknown))?;
    let mut execution = Execution::try_new(plan.bind(&input)?)?;
    let mut learned = terms.knowledge.learn(source.tag(), filter, total);
    let mut left = query.plan.offset.saturating_add(query.plan.limit.unwrap_or(usize::MAX));
    for piece in pieces {
        let count = match counts[piece] {
            Some(count) => count,
            None => {
                let Some(batch) = read.next() else { break };
                let before = execution.kept();
                execution.push(&batch?)?;
                let count = execution.kept() - before;
                learned.set(piece, count);
                count
            }
        };
        left = left.saturating_sub(count);
        if left == 0 || (terms.is_given_up)() {
            break;
        }
        clock.check()?;
    }
    Ok(())
}
