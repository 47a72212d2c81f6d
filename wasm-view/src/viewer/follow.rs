//! Live tables whose rows stay on the server: where what is in sight stands among rows that were asked for anew, and which of
//! its cells have changed.
//!
//! The server tells that something has changed and how many rows came, changed and went, not which; the rows in sight come
//! again, with some screens around them. `live/anew.rs` knows them again. The first row in sight that is still there stands
//! where it stood, as in `live/anchor.rs`; where none is, the view stays where it is.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::{Viewer, failed};
use crate::live::{Anew, names};
use crate::load;
use crate::table::Table;
use crate::view::Rows;

/// The rows of an Arrow stream as a table.
pub(super) fn table(stream: Vec<u8>) -> Result<Table, JsError> {
    let (schema, batches) = load::read(stream).map_err(failed)?;
    let mut table = Table::new(schema);
    table.set(batches);
    Ok(table)
}

#[wasm_bindgen]
impl Viewer {
    /// Where the view and the row that has the focus (less than 0: none) are to stand when rows have come anew; and the cells that
    /// have just changed, as [`Viewer::live_took`] takes them. `streams` has the rows as an Arrow stream, and perhaps what names
    /// rows that came, which then have no place of their own. `numbers` has the time, the first of the rows, how many the view has,
    /// from which one on rows are new (no number: nobody knows what happened), and the key's columns.
    ///
    /// # Errors
    /// When the bytes are no Arrow streams.
    #[wasm_bindgen(js_name = placeAnew)]
    pub fn place_anew(&mut self, streams: Vec<Uint8Array>, numbers: &[f64]) -> Result<Vec<f64>, JsError> {
        let mut news = vec![self.layout.top_row(), -1.0];
        let top = news[0];
        let &[now, first, shown, came, ref key @ ..] = numbers else { return Ok(news) };
        let Rows::Far(far) = &mut self.view.rows else { return Ok(news) };
        let Some(rows) = streams.first() else { return Ok(news) };
        let anew = Anew::new(first as usize, table(rows.to_vec())?, far, key, &self.formats);
        let schema = anew.schema();
        let sort = self.view.sort.iter().filter_map(|key| schema.index_of(&key.column).ok()).collect::<Vec<_>>();
        let named = match streams.get(1) {
            Some(named) => names(&table(named.to_vec())?, &[], &self.formats),
            None => Vec::new(),
        };
        let mut touched = anew.touched(far, came as usize, &named);
        anew.moved(far, &sort, shown as usize, &mut touched);
        touched.replaced = came.is_nan();
        far.flashes.rename(&|row| anew.still(row));
        far.flashes.mark(&touched, false, now);
        if top > 0.0 {
            for (at, row) in self.layout.visible_rows().enumerate() {
                if let Some(row) = anew.still(row) {
                    news[0] = (row as f64 - at as f64 + top.fract()).max(0.0);
                    break;
                }
            }
        }
        if let Some(row) = self.selection.and_then(|selection| anew.still(selection.head.0)) {
            news[1] = row as f64;
        }
        far.flashes.tell(anew.rows(), &|row| Some(row as u32), anew.columns(), now, &mut news);
        Ok(news)
    }
}
