//! A request by the type that the server runs: built here, sent as bytes.

use kernels::query::{Aggregate, AggregateFunction, Nulls, Plan, SortBy};
use wasm_bindgen::prelude::*;

use crate::told;

/// The largest groups of a column: their count, as a plan in bytes.
///
/// # Errors
/// When the plan cannot be written.
#[wasm_bindgen(js_name = planBytes)]
pub fn plan_bytes(column: String, limit: usize) -> Result<Vec<u8>, JsError> {
    let count = Aggregate { function: AggregateFunction::Count, column: None, other: None, name: None };
    let plan = Plan {
        group_by: vec![column],
        aggregates: vec![count],
        sort: vec![SortBy { column: "count".to_owned(), descending: true, nulls: Nulls::Last }],
        limit: Some(limit),
        ..Plan::default()
    };
    wire::plan::to_bytes(&plan).map_err(told)
}
