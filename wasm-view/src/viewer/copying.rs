//! What leaves: rectangles of cells as text, and filters made of values.

use wasm_bindgen::prelude::*;

use super::Viewer;
use crate::filter_text;
use crate::format;
use crate::text::Form;

#[wasm_bindgen]
impl Viewer {
    /// Takes what another viewer shows, which stays as it is then, whatever is asked of the other: nothing is copied.
    #[wasm_bindgen(js_name = takeShown)]
    pub fn take_shown(&mut self, other: &Viewer) {
        self.table.clone_from(&other.table);
        self.columns = other.columns.clone();
        self.view.wish(other.before.clone().unwrap_or_else(|| other.view.wished()));
        self.view.rows = other.rows_before.as_ref().unwrap_or(&other.view.rows).still();
        self.layout.set_rows(self.rows_shown());
    }

    /// Rows and positions (each from, to) as text: with tabs (0), as rows of an HTML table (1), with commas (2); the
    /// columns' names first if that is asked for.
    #[wasm_bindgen(js_name = textOf)]
    pub fn text_of(&self, from_row: usize, to_row: usize, from: usize, to: usize, form: u32, names: bool) -> String {
        let form = [Form::Tabs, Form::Html, Form::Commas][..].get(form as usize).copied().unwrap_or(Form::Commas);
        let mut out = String::new();
        let mut text = String::new();
        if names {
            form.row(&mut out, true);
            for position in from..to {
                form.cell(self.name(position).as_deref(), position == from, &mut out);
            }
            form.row(&mut out, false);
        }
        for row in from_row..to_row.min(self.layout.rows) {
            form.row(&mut out, true);
            for position in from..to {
                text.clear();
                let there = self
                    .at(row, position)
                    .is_some_and(|(array, row, _)| format::write(array, row, None, &self.formats, &mut text));
                form.cell(there.then_some(text.as_str()), position == from, &mut out);
            }
            form.row(&mut out, false);
        }
        out
    }

    /// What to type into a column's filter box to see rows with this cell's value only, or all but them; nothing where
    /// the column cannot be filtered by it.
    #[wasm_bindgen(js_name = filterOf)]
    pub fn filter_of(&self, row: usize, position: usize, exclude: bool) -> Option<String> {
        let schema = self.shown_schema()?;
        let field = schema.fields().get(self.columns.column(position)?)?;
        let text = filter_text::of_value(field.data_type(), self.cell_text(row, position).as_deref(), exclude);
        let parsed = filter_text::parse(field.name(), field.data_type(), &text, &self.formats.zones);
        (self.has_filter_box(position) && parsed.is_ok()).then_some(text)
    }
}
