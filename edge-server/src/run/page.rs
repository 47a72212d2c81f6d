//! Pages of a sorted table: the order is made once, of the sort's and the filter's columns alone; of a page the pieces are read
//! that hold its rows.
//!
//! Whoever asks for the beginning of a large table gets an order of its first rows, which costs less than all of it to sort and
//! far less to keep; whoever asks for a page behind those makes the whole.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use arrow_array::{RecordBatch, RecordBatchOptions};
use kernels::query::Plan;
use kernels::{Indices, take_batches};

use super::orders::{self, Order};
use super::sweep::sweep;
use super::{Clock, Knowledge, Query, Terms, bytes_of, over_memory};
use crate::source::Source;
use crate::{Error, Result};

/// A longer page is no page: it is sorted as it is.
const LONGEST: usize = 1 << 16;
/// Rows of the order of a beginning.
const BEGINNING: usize = 1 << 16;

impl Query {
    /// Whether the result is a page of a sorted table, which an order is remembered for.
    pub(super) fn is_page(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> bool {
        let plan = &self.plan;
        !plan.is_grouped()
            && !plan.sort.is_empty()
            && plan.limit.is_some_and(|limit| limit <= LONGEST)
            && plan.columns.as_ref().is_some_and(|columns| !columns.is_empty())
            && source.pieces().iter().sum::<usize>() == source.rows()
            && u32::try_from(source.rows()).is_ok()
            && knowledge.orders.have_room(BEGINNING)
    }
}

fn internal(error: arrow_schema::ArrowError) -> Error {
    Error::Internal(error.to_string())
}

/// The page, and the rows of the whole view; none when the query was given up.
pub(super) fn page(
    query: &Query,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
) -> Result<Option<(RecordBatch, usize)>> {
    let (offset, limit) = (query.plan.offset, query.plan.limit.unwrap_or(0));
    let Some(order) = order(query, source, terms, clock, offset.saturating_add(limit))? else { return Ok(None) };
    let begin = offset.min(order.rows.len());
    let rows = &order.rows[begin..begin.saturating_add(limit).min(order.rows.len())];
    Ok(Some((taken(query, source, rows, terms, clock)?, order.total)))
}

/// The order up to an end at least: remembered, or made while others wait.
fn order(
    query: &Query,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
    end: usize,
) -> Result<Option<Arc<Order>>> {
    let orders = &terms.knowledge.orders;
    let key = orders::key(source.tag(), &query.plan);
    let known = || orders.get(&key).filter(|order| order.reaches(end));
    if let Some(order) = known() {
        return Ok(Some(order));
    }
    let turn = orders.turn(&key);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(order) = known() {
        return Ok(Some(order));
    }
    // All rows when they are few, or when there is a beginning that was not enough.
    let is_first = orders.get(&key).is_none();
    let limit = (is_first && end <= BEGINNING).then_some(BEGINNING);
    let Some(order) = make(query, source, terms, clock, limit)?.map(Arc::new) else { return Ok(None) };
    orders.keep(key, &order);
    Ok(Some(order))
}

/// Sorts; with a limit only as far.
fn make(
    query: &Query,
    source: &Arc<dyn Source>,
    terms: &Terms<'_>,
    clock: &Clock<'_>,
    limit: Option<usize>,
) -> Result<Option<Order>> {
    let names: BTreeSet<&String> = query.plan.sort.iter().map(|key| &key.column).collect();
    let columns = Some(names.into_iter().cloned().collect());
    let filtered = Plan { columns, filter: query.plan.filter.clone(), ..Plan::default() };
    let columns = filtered.bind(source.schema())?.input_columns().to_vec();
    let input = source.schema().project(&columns).map_err(internal)?;
    let bound = filtered.bind(&input)?;
    let keys = filtered.columns.iter().flatten().map(|name| input.index_of(name).map_err(internal));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let starts = starts(&source.pieces());
    let pieces = query.choose_all(source, terms.knowledge);
    let mut learned = query
        .plan
        .filter
        .as_ref()
        .filter(|_| source.lasts())
        .map(|filter| terms.knowledge.learn(source.tag(), filter, starts.len() - 1));
    let (mut kept, mut rows, mut bytes, mut is_given_up) = (Vec::new(), Vec::<u32>::new(), 0, false);
    let each = |_: usize, batch: RecordBatch| -> Result<(RecordBatch, Option<Indices>)> {
        let keys = batch.project(&keys).map_err(internal)?;
        if filtered.filter.is_none() {
            return Ok((keys, None));
        }
        let passing = bound.select(&[batch])?;
        Ok((take_batches(&keys.schema(), std::slice::from_ref(&keys), &passing)?, Some(passing)))
    };
    sweep(source, &columns, &pieces, each, |piece, (keys, passing)| {
        if let Some(learned) = &mut learned {
            learned.set(piece, keys.num_rows());
        }
        if let Some(passing) = passing {
            rows.extend(passing.as_slice().iter().map(|&row| starts[piece] as u32 + row));
        }
        bytes += bytes_of(&keys);
        if keys.num_rows() > 0 {
            kept.push(keys);
        }
        clock.check()?;
        over_memory(bytes + rows.len() * size_of::<u32>(), terms.budget)?;
        is_given_up = (terms.is_given_up)();
        Ok(!is_given_up)
    })?;
    if is_given_up {
        return Ok(None);
    }
    let total = kept.iter().map(RecordBatch::num_rows).sum();
    let sorted = Plan { columns: Some(Vec::new()), sort: query.plan.sort.clone(), limit, ..Plan::default() };
    let Some(schema) = kept.first().map(RecordBatch::schema) else { return Ok(Some(Order { rows, total })) };
    let order = sorted.bind(&schema)?;
    let order = order.select(&kept)?.into_vec();
    clock.check()?;
    let rows = match filtered.filter {
        Some(_) => order.into_iter().map(|position| rows[position as usize]).collect(),
        None => order,
    };
    Ok(Some(Order { rows, total }))
}

/// The first row of each piece, and behind the last.
fn starts(pieces: &[usize]) -> Vec<usize> {
    let mut starts = vec![0];
    starts.extend(pieces.iter().scan(0, |end, rows| {
        *end += rows;
        Some(*end)
    }));
    starts
}

/// Some rows of the table in their order: the pieces that hold them are read, and of those the result's columns.
fn taken(
    query: &Query,
    source: &Arc<dyn Source>,
    rows: &[u32],
    terms: &Terms<'_>,
    clock: &Clock<'_>,
) -> Result<RecordBatch> {
    let names = query.plan.columns.as_deref().unwrap_or_default();
    let wanted =
        names.iter().map(|name| source.schema().index_of(name).map_err(internal)).collect::<Result<Vec<_>>>()?;
    let mut columns = wanted.clone();
    columns.sort_unstable();
    columns.dedup();
    let places: Vec<usize> = wanted.iter().map(|column| columns.partition_point(|read| read < column)).collect();
    let starts = starts(&source.pieces());
    // Of each piece the rows that are wanted, and their places in the result.
    let piece_of = |row: u32| starts.partition_point(|&start| start <= row as usize) - 1;
    let mut sought: Vec<(usize, u32, u32)> =
        rows.iter().zip(0..).map(|(&row, place)| (piece_of(row), row, place)).collect();
    sought.sort_unstable();
    let of_pieces: Vec<&[(usize, u32, u32)]> = sought.chunk_by(|left, right| left.0 == right.0).collect();
    let pieces: Vec<usize> = of_pieces.iter().map(|part| part[0].0).collect();
    let find = |piece: usize| pieces.partition_point(|&known| known < piece);
    let each = |piece: usize, batch: RecordBatch| -> Result<RecordBatch> {
        let within = of_pieces[find(piece)].iter().map(|(_, row, _)| row - starts[piece] as u32).collect();
        let chosen = batch.project(&places).map_err(internal)?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let chosen = RecordBatch::try_new_with_options(query.output.clone(), chosen.columns().to_vec(), &options);
        let within = Indices::try_new(within, batch.num_rows())?;
        Ok(take_batches(&query.output, &[chosen.map_err(internal)?], &within)?)
    };
    let (mut parts, mut bytes) = (Vec::with_capacity(pieces.len()), 0);
    sweep(source, &columns, &pieces, each, |_, part| {
        bytes += bytes_of(&part);
        parts.push(part);
        clock.check()?;
        over_memory(bytes, terms.budget).map(|()| true)
    })?;
    let mut order = vec![0u32; sought.len()];
    for (position, (_, _, place)) in (0..).zip(&sought) {
        order[*place as usize] = position;
    }
    Ok(take_batches(&query.output, &parts, &Indices::try_new(order, sought.len())?)?)
}

/// What is told of a page's order before it is made.
pub(super) fn told(query: &Query, source: &Arc<dyn Source>, knowledge: &Knowledge) -> String {
    let end = query.plan.offset.saturating_add(query.plan.limit.unwrap_or(0));
    match knowledge.orders.get(&orders::key(source.tag(), &query.plan)).filter(|order| order.reaches(end)) {
        Some(order) => format!(
            "\norder    remembered; {} of the view's {} rows, and the page is taken out of the pieces that hold it",
            order.rows.len(),
            order.total
        ),
        None => "\norder    made of the columns of filter and sort, and remembered for other pages".to_owned(),
    }
}
