//! Formats that people choose for columns, by name, of the table and of groups alike.

use arrow_array::Array;
use wasm_bindgen::prelude::*;

use super::{Viewer, change, failed};
use crate::format::{self, Custom, Manner};

impl Viewer {
    fn custom(&self, name: &str) -> Option<&Custom> {
        self.custom.iter().find(|(column, _)| column == name).map(|(_, custom)| custom)
    }

    /// Whether somebody chose a format for a column of what is shown.
    pub(super) fn is_custom(&self, column: usize) -> bool {
        let field = self.shown_schema().and_then(|schema| schema.fields().get(column));
        !self.custom.is_empty() && field.is_some_and(|field| self.custom(field.name()).is_some())
    }

    /// Writes a cell of a column of what is shown as the grid shows it; `false` when it is null.
    pub(super) fn write_shown(&self, array: &dyn Array, row: usize, column: usize, out: &mut String) -> bool {
        let style = self.styles.get(column);
        if !self.custom.is_empty()
            && let Some(schema) = self.shown_schema()
            && let Some(custom) = schema.fields().get(column).and_then(|field| self.custom(field.name()))
        {
            return custom.write(array, row, style, &self.formats, out);
        }
        format::write(array, row, style, &self.formats, out)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Gives a column a format: `plain`, `percent`, `scientific`, `si`, `bytes` or `hex`; groups of three digits and
    /// decimals where they are said; the zone whose clocks tell the time, and a date's parts in their order, where these
    /// are not empty. Without anything said, the column is written as its values need it.
    ///
    /// # Errors
    /// When there is no such manner.
    #[wasm_bindgen(js_name = setFormat)]
    pub fn set_format(
        &mut self,
        column: &str,
        manner: &str,
        grouped: Option<bool>,
        decimals: Option<u8>,
        zone: String,
        date: String,
    ) -> Result<u32, JsError> {
        let found = Manner::ALL.iter().find(|(name, _)| *name == manner);
        let &(_, manner) = found.ok_or_else(|| failed(["unknown format ", manner].concat()))?;
        self.custom.retain(|(name, _)| name != column);
        let decimals = decimals.map(|decimals| decimals.min(20));
        let is_said = manner != Manner::Plain || grouped.is_some() || decimals.is_some();
        if is_said || !zone.is_empty() || !date.is_empty() {
            self.custom.push((column.to_owned(), Custom { manner, grouped, decimals, zone, date }));
        }
        Ok(change::PAINT | change::COLUMNS)
    }

    /// The decimals that floats of each column are shown with; less than 0 where that does not matter.
    #[wasm_bindgen(js_name = columnDecimals)]
    pub fn column_decimals(&self) -> Vec<i32> {
        self.styles.iter().map(|style| style.decimals.map_or(-1, i32::from)).collect()
    }

    /// Takes what [`Viewer::column_decimals`] gives in the page, so that what is found here is what is shown there.
    #[wasm_bindgen(js_name = setColumnDecimals)]
    pub fn set_column_decimals(&mut self, decimals: Vec<i32>) {
        for (style, decimals) in self.styles.iter_mut().zip(decimals) {
            style.decimals = u8::try_from(decimals).ok();
        }
    }
}
