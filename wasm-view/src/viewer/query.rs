//! Questions beside the view: what menus and pictures need of the table, under the filters of the view.
//!
//! A question is a plan as bytes, which the page hands to whoever holds the rows; the answer is an Arrow stream.

use kernels::query::{Aggregate, AggregateFunction, Nulls, Plan, Predicate, SortBy};
use wasm_bindgen::prelude::*;

use super::far::to_stream;
use super::{Viewer, failed};
use crate::far::NUMBER;
use crate::{format, load};

/// Aggregates by their names, and the column of each (empty for a count of rows).
pub(super) fn aggregates(functions: &[String], columns: Vec<String>) -> Result<Vec<Aggregate>, JsError> {
    let mut aggregates = Vec::new();
    for (name, column) in functions.iter().zip(columns) {
        let function = AggregateFunction::ALL.into_iter().find(|function| function.name() == name);
        let function = function.ok_or_else(|| failed(["unknown aggregate ", name].concat()))?;
        let column = (!column.is_empty()).then_some(column);
        aggregates.push(Aggregate { function, column, other: None, name: None });
    }
    Ok(aggregates)
}

/// A plan as bytes.
pub(crate) fn bytes_of(plan: &Plan) -> Result<Vec<u8>, JsError> {
    wire::plan::to_bytes(plan).map_err(failed)
}

/// Sort keys by names, with `-` before those that descend.
pub(super) fn sort_keys(names: Vec<String>) -> Vec<SortBy> {
    let key = |name: String| {
        let plain = name.strip_prefix('-').map(str::to_owned);
        SortBy { descending: plain.is_some(), column: plain.unwrap_or(name), nulls: Nulls::Last }
    };
    names.into_iter().map(key).collect()
}

#[wasm_bindgen]
impl Viewer {
    /// A plan under the view's filters, but the one of the column `without`, as bytes: groups (`keys`, and aggregates by
    /// `functions` and `columns`), or without them the rows of `columns`; sorted by names with `-` before those that
    /// descend; at most `limit` rows (0: all).
    ///
    /// # Errors
    /// When an aggregate is unknown.
    #[wasm_bindgen(js_name = planOf)]
    pub fn plan_of(
        &self,
        keys: Vec<String>,
        functions: Vec<String>,
        columns: Vec<String>,
        sort: Vec<String>,
        limit: usize,
        without: &str,
    ) -> Result<Vec<u8>, JsError> {
        let filters = self.view.filters.iter().filter(|filter| filter.column != without);
        let mut predicates: Vec<Predicate> = filters.map(|filter| filter.predicate.clone()).collect();
        let filter = if predicates.len() > 1 { Some(Predicate::And(predicates)) } else { predicates.pop() };
        let is_grouped = !keys.is_empty() || !functions.is_empty();
        let plan = Plan {
            filter,
            columns: (!is_grouped).then(|| columns.clone()),
            aggregates: aggregates(&functions, columns)?,
            group_by: keys,
            sort: sort_keys(sort),
            limit: (limit > 0).then_some(limit),
            ..Plan::default()
        };
        bytes_of(&plan)
    }

    /// Runs a plan over all rows; the result is an Arrow stream.
    ///
    /// # Errors
    /// When the plan does not fit the table, or what the query reports.
    #[wasm_bindgen(js_name = runPlan)]
    pub fn run_plan(&self, plan: &[u8]) -> Result<Vec<u8>, JsError> {
        let table = self.held()?;
        let plan = wire::plan::from_bytes(plan).map_err(failed)?;
        let result = plan.bind(&table.schema).and_then(|plan| plan.execute(&table.batches)).map_err(failed)?;
        to_stream(&result.schema(), std::slice::from_ref(&result)).map_err(failed)
    }

    /// All cells of an Arrow stream, or of a window those that are `shown`: row by row, as exact text; nothing for a null.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    #[wasm_bindgen(js_name = cellsOf)]
    pub fn cells_of(&self, stream: Vec<u8>, shown: bool) -> Result<Vec<JsValue>, JsError> {
        let (_, batches) = load::read(stream).map_err(failed)?;
        let mut cells = Vec::new();
        let mut text = String::new();
        for batch in &batches {
            let numbered = batch.schema_ref().fields().first().is_some_and(|field| field.name() == NUMBER);
            let columns = if shown { self.columns.len() } else { batch.num_columns() };
            for row in 0..batch.num_rows() {
                for place in 0..columns {
                    let seen = || self.columns.column(place).map_or(usize::MAX, |at| at + usize::from(numbered));
                    let array = batch.columns().get(if shown { seen() } else { place });
                    text.clear();
                    let some = array.is_some_and(|array| format::write(array, row, None, &self.formats, &mut text));
                    cells.push(if some { JsValue::from_str(&text) } else { JsValue::NULL });
                }
            }
        }
        Ok(cells)
    }
}
