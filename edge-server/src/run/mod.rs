//! A plan over a source: only the columns and the pieces that it needs are read, and results leave as soon as they are known.
//!
//! * [`prune`] – pieces in which no row can pass the filter, by what their values lie between.
//! * [`tally`] – how many rows of a piece pass, by how often each of a column's few values stands in it.
//! * [`sweep`] – pieces read on every core.
//! * [`count`] – where a page of a filtered table begins, and how many rows pass, by the filter's columns alone.
//! * [`page`] – pages of a sorted table, by an order that is remembered ([`orders`]).
//! * [`mod@profile`] – what a column holds at a glance.
//! * [`parts`] – one of several parts of a table, by hash or by range.
//! * [`batches`] – batches of so many rows, shuffled or not.
//! * [`knowledge`] – what earlier queries found out about a table's pieces.

mod batches;
mod count;
mod knowledge;
mod orders;
mod page;
mod parts;
mod profile;
mod prune;
mod sweep;
mod tally;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use kernels::query::{Execution, Flow, Plan};

pub use self::batches::{Reach, Reading};
pub use self::knowledge::Knowledge;
pub use self::parts::{Method, Part};
pub use self::profile::{Profile, Shape, profile};
use crate::source::Source;
use crate::{Error, Result};

/// What a query may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// How long it may run.
    pub time: Duration,
    /// Bytes that it may hold.
    pub memory: usize,
}

impl Default for Budget {
    /// A minute and two gigabytes.
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory: 2 << 30 }
    }
}

/// How long a query has run.
struct Clock<'a> {
    begin: Instant,
    budget: &'a Budget,
}

impl Clock<'_> {
    fn check(&self) -> Result<()> {
        let limit = self.budget.time;
        if self.begin.elapsed() > limit {
            return Err(Error::Budget { what: "time", limit: format!("{} s", limit.as_secs_f64()) });
        }
        Ok(())
    }
}

/// An error when a query holds more than it may.
fn over_memory(bytes: usize, budget: Budget) -> Result<()> {
    match bytes > budget.memory {
        true => Err(Error::Budget { what: "memory", limit: format!("{} MB", budget.memory >> 20) }),
        false => Ok(()),
    }
}

/// Bytes of a batch's values, without those of others that lie in the same memory.
fn bytes_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}

/// On what terms a query runs.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// What earlier queries found out.
    pub knowledge: &'a Knowledge,
    /// What it may cost.
    pub budget: Budget,
    /// Whether nobody waits for it any more.
    pub is_given_up: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for Terms<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("budget", &self.budget).finish_non_exhaustive()
    }
}

/// A query that has been checked against its table and can be run.
#[derive(Debug)]
pub struct Query {
    plan: Plan,
    /// The columns that are read.
    input: Schema,
    columns: Vec<usize>,
    output: SchemaRef,
    /// The rows of the whole view, once that is known.
    total: Arc<OnceLock<usize>>,
}

/// Which pieces a query reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Their numbers; none when the source has no fixed pieces.
    pub pieces: Option<Vec<usize>>,
    /// All pieces.
    pub total: usize,
    /// Pieces in which no row passes the filter.
    pub pruned: usize,
    /// Pieces before the first row of the window.
    pub skipped: usize,
    /// Rows of the window's offset that lie in those.
    skipped_rows: usize,
}

impl Query {
    /// Checks a plan against a table.
    ///
    /// # Errors
    /// [`crate::Error::Query`] tells what in the plan does not fit.
    pub fn prepare(plan: &Plan, source: &dyn Source) -> Result<Self> {
        let schema = source.schema();
        let columns = plan.bind(schema)?.input_columns().to_vec();
        let input = schema.project(&columns).map_err(|error| Error::Internal(error.to_string()))?;
        // Bound again to what is really read; a plan without columns of its own means the table's.
        let plan = match &plan.columns {
            None if !plan.is_grouped() => {
                let names = schema.fields().iter().map(|field| field.name().clone()).collect();
                Plan { columns: Some(names), ..plan.clone() }
            }
            _ => plan.clone(),
        };
        let output = plan.bind(&input)?.output_schema().clone();
        Ok(Self { plan, input, columns, output, total: Arc::default() })
    }

    /// The schema of the result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.output.clone()
    }

    /// Where the rows of the whole view are told, which its window is cut out of, as soon as a run knows them.
    #[must_use]
    pub fn total(&self) -> Arc<OnceLock<usize>> {
        self.total.clone()
    }

    /// The rows of the whole view, when nothing has to be read to tell.
    #[must_use]
    pub fn known_total(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Option<usize> {
        if self.plan.is_grouped() {
            return None;
        }
        let Some(filter) = &self.plan.filter else { return Some(source.rows()) };
        let sorted = || knowledge.orders.get(&orders::key(source.tag(), &self.plan)).map(|order| order.total);
        let counted = || {
            let rows = source.pieces();
            if rows.is_empty() || !source.lasts() {
                return None;
            }
            let possible = self.possible(source, knowledge);
            let counts = tally::counts(source, filter, knowledge, rows.len());
            counts.into_iter().zip(possible).map(|(count, possible)| if possible { count } else { Some(0) }).sum()
        };
        counted().or_else(sorted)
    }

    /// Whether rows leave in the order of the table.
    fn is_stream(&self) -> bool {
        !self.plan.is_grouped() && self.plan.sort.is_empty()
    }

    /// Whether each piece may hold a row that passes the filter.
    fn possible(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Vec<bool> {
        let total = source.pieces().len();
        let bounds = |name: &str| {
            let column = source.schema().index_of(name).ok()?;
            source.bounds(column).or_else(|| knowledge.bounds(source, column))
        };
        let Some(filter) = &self.plan.filter else { return vec![true; total] };
        let mut possible = prune::candidates(filter, total, bounds).unwrap_or_else(|| vec![true; total]);
        tally::narrow(source, filter, &mut possible);
        possible
    }

    /// The pieces that may hold a row that passes.
    fn choose_all(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Vec<usize> {
        let possible = self.possible(source, knowledge);
        let Some(filter) = &self.plan.filter else { return (0..possible.len()).collect() };
        let counts = tally::counts(source, filter, knowledge, possible.len());
        (0..possible.len()).filter(|&piece| possible[piece] && counts[piece] != Some(0)).collect()
    }

    /// Which pieces have to be read.
    #[must_use]
    pub fn choose(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Choice {
        let rows = source.pieces();
        if rows.is_empty() {
            return Choice::default();
        }
        let total = rows.len();
        let kept: Vec<Option<usize>> = match &self.plan.filter {
            Some(filter) => tally::counts(source, filter, knowledge, total),
            None => rows.into_iter().map(Some).collect(),
        };
        let possible = self.possible(source, knowledge);
        let mut pieces: Vec<usize> = (0..total)
            .filter(|&piece| possible[piece] && (kept[piece] != Some(0) || self.plan.filter.is_none()))
            .collect();
        let pruned = total - pieces.len();
        let (mut skipped, mut skipped_rows) = (0, 0);
        if self.is_stream() {
            let counts = || pieces.iter().map_while(|&piece| kept[piece]);
            for rows in counts() {
                if skipped_rows + rows > self.plan.offset {
                    break;
                }
                skipped_rows += rows;
                skipped += 1;
            }
            // Pieces behind the window's last row.
            let end = self.plan.offset.saturating_add(self.plan.limit.unwrap_or(usize::MAX));
            let mut reached = 0usize;
            let last = counts().position(|rows| {
                reached = reached.saturating_add(rows);
                reached >= end
            });
            if let Some(last) = last {
                pieces.truncate(last.max(skipped) + 1);
            }
        }
        Choice { pieces: Some(pieces.split_off(skipped)), total, pruned, skipped, skipped_rows }
    }

    /// Runs the query; every batch of the result goes to `sink`, which may end the run by returning `false`. One that is given
    /// up ends after the batch that it is at.
    ///
    /// # Errors
    /// What the source and the kernels report; [`Error::Budget`].
    pub fn run(
        self,
        source: &Arc<dyn Source>,
        terms: Terms<'_>,
        mut sink: impl FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let clock = Clock { begin: Instant::now(), budget: &terms.budget };
        let Terms { knowledge, budget, is_given_up } = terms;
        if let Some(counted) = count::whole(&self, source, &terms, &clock)? {
            return sink(counted).map(drop);
        }
        if self.is_page(source, knowledge) {
            if let Some((page, total)) = page::page(&self, source, &terms, &clock)? {
                let _known = self.total.set(total);
                sink(page)?;
            }
            return Ok(());
        }
        count::ahead(&self, source, &terms, &clock)?;
        if let Some(total) = self.known_total(source, knowledge) {
            let _known = self.total.set(total);
        }
        let choice = self.choose(source, knowledge);
        let plan = Plan { offset: self.plan.offset - choice.skipped_rows, ..self.plan.clone() };
        let mut execution = Execution::try_new(plan.bind(&self.input)?)?;
        // Who wants no rows looks at none, and learns nothing.
        let looks = !self.plan.is_grouped() && self.plan.limit != Some(0) && source.lasts();
        let learns = self.plan.filter.as_ref().filter(|_| looks).zip(choice.pieces.as_ref());
        let mut learned = learns.map(|(filter, _)| knowledge.learn(source.tag(), filter, choice.total));
        for (number, batch) in source.scan(Some(&self.columns), choice.pieces.as_deref())?.enumerate() {
            let before = execution.kept();
            let (flow, result) = execution.push(&batch?)?;
            if let Some((learned, &piece)) =
                learned.as_mut().zip(choice.pieces.as_ref().and_then(|all| all.get(number)))
            {
                learned.set(piece, execution.kept() - before);
            }
            if let Some(result) = result
                && !sink(result)?
            {
                return Ok(());
            }
            if flow == Flow::Done {
                break;
            }
            if is_given_up() {
                return Ok(());
            }
            clock.check()?;
            over_memory(execution.memory(), budget)?;
        }
        if let Some(result) = execution.finish()? {
            sink(result)?;
        }
        Ok(())
    }

    /// What the query would do, in words.
    ///
    /// # Errors
    /// As [`Query::prepare`].
    pub fn explain(&self, source: &Arc<dyn Source>, knowledge: &Knowledge) -> Result<String> {
        let mut text = self.plan.explain(source.schema())?;
        if self.is_page(source, knowledge) {
            text += &page::told(self, source, knowledge);
        }
        if let Some(total) = self.known_total(source, knowledge) {
            text += &format!("\nrows     {total} without offset and limit");
        }
        let choice = self.choose(source, knowledge);
        if let Some(pieces) = &choice.pieces {
            let Choice { total, pruned, skipped, .. } = choice;
            let count = pieces.len();
            let behind = total - pruned - skipped - count;
            text += &format!(
                "\npieces   {count} of {total}; {pruned} hold no row that passes, {skipped} are before the window and {behind} behind it"
            );
        }
        Ok(text)
    }
}
