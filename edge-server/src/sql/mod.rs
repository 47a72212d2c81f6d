//! SQL as one more notation of a plan.
//!
//! A plan is a filter, groups, a sort and a window over one table, and so is much of the SQL that dashboards and
//! people write. [`parse`] reads that part of the language and names what lies beyond it; nothing is run here, and no
//! schema is needed: names and literals are checked when the plan is bound.
//!
//! ```text
//! SELECT [DISTINCT] * | column [AS name], aggregate [AS name], …
//! FROM table [alias]
//! [WHERE …] [GROUP BY column | name | number, …]
//! [ORDER BY column | name | number | aggregate [ASC | DESC] [NULLS FIRST | LAST], …]
//! [LIMIT count [OFFSET count] | LIMIT from, to]
//! ```
//!
//! Conditions compare a column with a literal (either side) or with a column, by `= <> != < <= > >=`, `IN`, `BETWEEN`,
//! `IS NULL`, `IS TRUE`, and `LIKE` or `ILIKE` with `%` at the ends of the pattern only; `AND`, `OR` and `NOT` join
//! them. Times are text, such as `'2024-05-01T12:00:00Z'`. Names are taken letter by letter, as the table has them;
//! nulls come last, whatever the direction, unless the statement says otherwise.
//!
//! [`reply`] writes results as QuestDB's `/exec` does.

mod aggregate;
mod error;
mod expression;
mod like;
mod operand;
mod plan;
pub mod reply;
mod select;
mod tokens;
mod values;

#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;

pub use error::SqlError;
use kernels::query::Plan;

/// A SELECT: the plan, the table that it is of, and the names of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The table.
    pub table: String,
    /// What is asked of it. The columns of its result stand in the order of the select list.
    pub plan: Plan,
    /// What the statement calls the columns of the result, in their order. The plan's own names are those of the table
    /// and of its aggregates. Empty for `SELECT *`, where they are the table's.
    pub names: Vec<String>,
}

/// The parser calls itself for whatever is nested, with frames that are large where it is not optimised. It has a thread
/// of its own, so that the limits of a text fit its stack whoever calls; the memory is only taken as it is used.
const STACK: usize = 16 << 20;

/// Reads one SELECT. A semicolon may stand behind it.
///
/// # Errors
/// [`SqlError::Syntax`] when the text is not SQL, [`SqlError::Unsupported`] and [`SqlError::Invalid`] when it is and no
/// plan says the same, [`SqlError::TooLarge`] for more than 64 kB, two thousand operators or 32 nested brackets.
///
/// ```
/// let statement = edge_server::sql::parse(
///     "SELECT origin, avg(dep_delay) AS delay FROM flights WHERE month = 3 GROUP BY origin ORDER BY delay DESC LIMIT 5",
/// )?;
/// assert_eq!(statement.table, "flights");
/// assert_eq!(statement.names, ["origin", "delay"]);
/// assert_eq!(statement.plan.group_by, ["origin"]);
/// assert_eq!(statement.plan.limit, Some(5));
/// # Ok::<(), edge_server::sql::SqlError>(())
/// ```
pub fn parse(text: &str) -> Result<Statement, SqlError> {
    let tokens = tokens::read(text)?;
    let work = || tokens::parse(tokens).and_then(|query| plan::statement(&query));
    let failed = |reason: &str| SqlError::Internal { reason: reason.to_owned() };
    match std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK).spawn(work) {
        Ok(thread) => thread.join().unwrap_or_else(|_| Err(failed("the parser broke down"))),
        Err(error) => Err(failed(&error.to_string())),
    }
}
