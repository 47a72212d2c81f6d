//! Query plans in three notations, all of them the same [`Plan`]: compact bytes for programs ([`to_bytes`],
//! [`from_bytes`]), JSON for tools ([`to_json`], [`from_json`]), and a URL's query for people ([`to_url`],
//! [`from_url`]).
//!
//! What comes from outside is bounded before it is built: its bytes, its depth and the number of its parts.

mod binary;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "url")]
mod url;

pub use binary::{from_bytes, to_bytes};
#[cfg(feature = "json")]
pub use json::{from_json, to_json};
use kernels::query::{AggregateFunction, Plan, Predicate};
#[cfg(feature = "url")]
pub use url::{from_url, to_url};

use crate::{Error, Result};

/// The most literals, predicates, names and aggregates that a plan may hold.
const MAX_PARTS: usize = 100_000;
/// The deepest nesting of predicates.
const MAX_DEPTH: usize = 64;
/// The most bytes of a plan in any notation.
const MAX_BYTES: usize = 8 << 20;

/// Functions without a parameter; their places are their numbers in bytes.
const FUNCTIONS: [AggregateFunction; 14] = [
    AggregateFunction::Count,
    AggregateFunction::CountDistinct,
    AggregateFunction::Sum,
    AggregateFunction::Min,
    AggregateFunction::Max,
    AggregateFunction::Mean,
    AggregateFunction::Variance,
    AggregateFunction::Stddev,
    AggregateFunction::Median,
    AggregateFunction::First,
    AggregateFunction::Last,
    AggregateFunction::Any,
    AggregateFunction::List,
    AggregateFunction::Correlation,
];

fn wrong(parts: &[&str]) -> Box<Error> {
    Box::new(Error::Plan { reason: parts.concat() })
}

/// Refuses plans that are too large to be meant.
#[cfg_attr(
    not(any(feature = "json", feature = "url")),
    allow(dead_code, reason = "bytes are bounded as they are read")
)]
fn check(plan: Plan) -> Result<Plan> {
    let (parts, depth) = plan.filter.as_ref().map_or((0, 0), measure);
    let parts = parts
        + plan.group_by.len()
        + plan.aggregates.len()
        + plan.sort.len()
        + plan.columns.as_ref().map_or(0, Vec::len);
    if parts > MAX_PARTS {
        return Err(wrong(&["more than ", &MAX_PARTS.to_string(), " parts"]));
    }
    if depth > MAX_DEPTH {
        return Err(wrong(&["predicates nested deeper than ", &MAX_DEPTH.to_string()]));
    }
    Ok(plan)
}

/// Refuses what is longer than any plan that is meant.
fn check_length(bytes: usize) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(wrong(&[&bytes.to_string(), " bytes, the limit is ", &MAX_BYTES.to_string()]))
}

/// Parts and depth of a predicate.
fn measure(predicate: &Predicate) -> (usize, usize) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            let inner = parts.iter().map(measure);
            inner.fold((1, 1), |(count, depth), (parts, below)| (count + parts, depth.max(below + 1)))
        }
        Predicate::Not(part) => {
            let (parts, depth) = measure(part);
            (parts + 1, depth + 1)
        }
        Predicate::In { values, .. } => (1 + values.len(), 1),
        _ => (1, 1),
    }
}
