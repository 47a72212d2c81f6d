//! What is asked for: sort, filters and groups.

use kernels::query::{Aggregate, Nulls, SortBy};
use wasm_bindgen::prelude::*;

use super::query::aggregates;
use super::{Viewer, failed};
use crate::filter_text;
use crate::view::{Filter, Grouping};

impl Viewer {
    /// Turns the sort of a shown column on: ascending, descending, none.
    ///
    /// # Errors
    /// When the column's type has no order.
    pub(super) fn toggle_sort(&mut self, position: usize, add: bool) -> Result<u32, JsError> {
        let Some(name) = self.name(position) else { return Ok(0) };
        let before = self.view.wished();
        self.view.toggle_sort(&name, add);
        self.layout.scroll_to_row(0.0);
        self.ask_anew(before)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Sort keys as names, with `-` before those that descend.
    pub fn sort(&self) -> Vec<String> {
        let sign = |key: &SortBy| [if key.descending { "-" } else { "" }, &key.column].concat();
        self.view.active_sort().iter().map(sign).collect()
    }

    /// Sorts by these keys.
    ///
    /// # Errors
    /// When there is no such column, or its type has no order.
    #[wasm_bindgen(js_name = setSort)]
    pub fn set_sort(&mut self, columns: Vec<String>, descending: Vec<u8>) -> Result<u32, JsError> {
        let before = self.view.wished();
        let keys = columns
            .into_iter()
            .enumerate()
            .map(|(position, column)| SortBy {
                column,
                descending: descending.get(position).is_some_and(|&flag| flag != 0),
                nulls: Nulls::Last,
            })
            .collect();
        self.view.set_sort(keys);
        self.ask_anew(before)
    }

    /// Columns that have a filter.
    #[wasm_bindgen(js_name = filteredColumns)]
    pub fn filtered_columns(&self) -> Vec<String> {
        self.view.filters.iter().map(|filter| filter.column.clone()).collect()
    }

    /// The text of a column's filter; empty without one.
    #[wasm_bindgen(js_name = filterText)]
    pub fn filter_text(&self, column: &str) -> String {
        let filter = self.view.filters.iter().find(|filter| filter.column == column);
        filter.map_or_else(String::new, |filter| filter.text.clone())
    }

    /// Filters a column of the table by what is typed.
    ///
    /// # Errors
    /// Says what was expected; the filter stays as it was.
    #[wasm_bindgen(js_name = setFilter)]
    pub fn set_filter(&mut self, column: &str, text: &str) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        let found = table.schema.fields().iter().find(|field| field.name() == column);
        let field = found.ok_or_else(|| failed(["unknown column ", column].concat()))?;
        let predicate = filter_text::parse(column, field.data_type(), text, &self.formats.zones).map_err(failed)?;
        let filter =
            predicate.map(|predicate| Filter { column: column.to_owned(), text: text.trim().to_owned(), predicate });
        let before = self.view.wished();
        self.view.set_filter(column, filter);
        self.layout.scroll_to_row(0.0);
        self.ask_anew(before)
    }

    /// The keys of the grouping.
    #[wasm_bindgen(js_name = groupKeys)]
    pub fn group_keys(&self) -> Vec<String> {
        self.view.grouping.as_ref().map_or_else(Vec::new, |grouping| grouping.keys.clone())
    }

    /// Groups by keys with aggregates: functions, and the column of each (empty for a count of rows).
    /// Without keys and aggregates the rows are shown again.
    ///
    /// # Errors
    /// When a column is unknown, or an aggregate is not defined for it; the view stays as it was.
    #[wasm_bindgen(js_name = setGroup)]
    pub fn set_group(
        &mut self,
        keys: Vec<String>,
        functions: Vec<String>,
        columns: Vec<String>,
    ) -> Result<u32, JsError> {
        let aggregates = aggregates(&functions, columns)?;
        let before = self.view.wished();
        let grouped = !keys.is_empty() || !aggregates.is_empty();
        let grouping = grouped.then_some(Grouping { keys, aggregates });
        if let Some(grouping) = &grouping {
            // A sort by a column that is no more would be an error.
            let names: Vec<String> = grouping.aggregates.iter().map(Aggregate::output_name).collect();
            self.view.group_sort.retain(|key| grouping.keys.contains(&key.column) || names.contains(&key.column));
        }
        self.view.grouping = grouping;
        self.ask_anew(before)
    }
}
