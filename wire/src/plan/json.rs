//! Query plans as JSON, for people and for tools.

use kernels::query::Plan;

use super::{check, check_length};
use crate::{Error, Result};

/// Reads a plan.
///
/// # Errors
/// [`Error::Plan`] with line and column.
///
/// ```
/// let plan = wire::plan::from_json(br#"{"sort": [{"column": "dep_delay", "descending": true}], "limit": 3}"#)?;
/// assert_eq!(plan.limit, Some(3));
/// # Ok::<(), Box<wire::Error>>(())
/// ```
pub fn from_json(bytes: &[u8]) -> Result<Plan> {
    check_length(bytes.len())?;
    check(serde_json::from_slice(bytes).map_err(|error| Box::new(Error::Plan { reason: error.to_string() }))?)
}

/// Writes a plan.
///
/// # Errors
/// [`Error::Plan`] when a literal has no JSON form (a NaN).
pub fn to_json(plan: &Plan) -> Result<String> {
    serde_json::to_string(plan).map_err(|error| Box::new(Error::Plan { reason: error.to_string() }))
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
        let nested =
            [r#"{"filter":"#, &r#"{"not":"#.repeat(64), r#"{"is_null":{"column":"a"}}"#, &"}".repeat(65)].concat();
        check(&nested, "nested deeper than 64");
        let deep = [r#"{"filter":"#, &r#"{"not":"#.repeat(5_000)].concat();
        check(&deep, "recursion limit exceeded");
    }
}
