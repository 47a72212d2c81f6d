//! Query plans as JSON, for people and for tools.

use kernels::query::{Plan, Predicate};

use crate::{Error, Result};

/// The most literals and predicates that a plan may hold.
const MAX_PARTS: usize = 100_000;

/// Reads a plan.
///
/// # Errors
/// [`Error::Plan`] with line and column.
///
/// ```
/// let plan = wire::plan::from_json(br#"{"sort": [{"column": "dep_delay", "descending": true}], "limit": 3}"#)?;
/// assert_eq!(plan.limit, Some(3));
/// # Ok::<(), wire::Error>(())
/// ```
pub fn from_json(bytes: &[u8]) -> Result<Plan> {
    let plan: Plan = serde_json::from_slice(bytes).map_err(|error| Error::Plan { reason: error.to_string() })?;
    let parts = plan.filter.as_ref().map_or(0, count)
        + plan.group_by.len()
        + plan.aggregates.len()
        + plan.sort.len()
        + plan.columns.as_ref().map_or(0, Vec::len);
    if parts > MAX_PARTS {
        return Err(Error::Plan { reason: ["more than ", &MAX_PARTS.to_string(), " parts"].concat() });
    }
    Ok(plan)
}

/// Writes a plan.
///
/// # Errors
/// [`Error::Plan`] when a literal has no JSON form (a NaN).
pub fn to_json(plan: &Plan) -> Result<String> {
    serde_json::to_string(plan).map_err(|error| Error::Plan { reason: error.to_string() })
}

fn count(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => 1 + parts.iter().map(count).sum::<usize>(),
        Predicate::Not(part) => 1 + count(part),
        Predicate::In { values, .. } => 1 + values.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_with_their_place() {
        let check = |text: &str, expected: &str| {
            let error = from_json(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("{", "line 1 column 1");
        check(r#"{"limit": -1}"#, "invalid value: integer `-1`");
        check(r#"{"filter": {"maybe": 1}}"#, "unknown variant `maybe`");
        let deep = [r#"{"filter":"#, &r#"{"not":"#.repeat(5_000)].concat();
        check(&deep, "recursion limit exceeded");
    }
}
