//! Live tables whose rows stay on the server: where what is in sight stands among rows that were asked for anew.
//!
//! The server tells that something has changed, not what; the rows in sight come again, with some screens around them. A row is
//! known again by its key, or without one by all that it holds. The first row in sight that is still there stands where it
//! stood, as in `live/anchor.rs`; where none is, the view stays where it is.

use wasm_bindgen::prelude::*;

use super::{Viewer, failed};
use crate::format;
use crate::table::Table;
use crate::view::Rows;

impl Viewer {
    /// What names a row, as text; nothing behind the last row.
    fn row_name(&self, table: &Table, row: usize, columns: &[usize]) -> Option<String> {
        let mut name = String::new();
        for &column in columns {
            let (array, at) = table.cell(row, column)?;
            let some = format::write(array, at, None, &self.formats, &mut name);
            name.push(if some { '\u{1}' } else { '\u{2}' });
        }
        Some(name)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Where the view and the row that has the focus (less than 0: none) are to stand when these rows have come anew, of which
    /// `first` is the first.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    #[wasm_bindgen(js_name = placeAnew)]
    pub fn place_anew(&self, first: usize, stream: Vec<u8>, key: Vec<String>) -> Result<Vec<f64>, JsError> {
        let top = self.layout.top_row();
        let head = self.selection.map(|selection| selection.head.0);
        let anew = Table::read(stream).map_err(failed)?;
        let fields = anew.schema.fields().iter().enumerate();
        let named = fields.filter(|(_, field)| key.is_empty() || key.contains(field.name()));
        let columns: Vec<usize> = named.map(|(column, _)| column).collect();
        let names: Vec<String> = (0..anew.rows()).map_while(|row| self.row_name(&anew, row, &columns)).collect();
        let still = |row: usize| {
            let Rows::Far(far) = &self.view.rows else { return None };
            let (table, at) = far.source(row)?;
            let name = self.row_name(table, at, &columns)?;
            let same = names.iter().enumerate().filter(|(_, other)| **other == name).map(|(at, _)| first + at);
            same.min_by_key(|other| other.abs_diff(row))
        };
        let mut seen = self.layout.visible_rows().enumerate();
        let found = if top > 0.0 { seen.find_map(|(at, row)| Some((at, still(row)?))) } else { None };
        let place = found.map_or(top, |(at, row)| (row as f64 - at as f64 + top.fract()).max(0.0));
        Ok(vec![place, head.and_then(still).map_or(-1.0, |row| row as f64)])
    }
}
