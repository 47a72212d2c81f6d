//! Live tables whose rows stay on the server: where what is in sight stands among rows that were asked for anew, and which of
//! its cells have changed.
//!
//! The server tells that something has changed and how many rows came, changed and went, not which; the rows in sight come
//! again, with some screens around them. `live/anew.rs` knows them again. The first row in sight that is still there stands
//! where it stood, as in `live/anchor.rs`; where none is, the view stays where it is.

use kernels::query::Plan;
use wasm_bindgen::prelude::*;

use super::{Viewer, failed};
use crate::live::{Anew, Came, names};
use crate::load;
use crate::view::Rows;

/// Rows that are told by their names at most; of more only these are marked.
const MOST: usize = 1_000;

#[wasm_bindgen]
impl Viewer {
    /// A plan for what names the rows of the table from one on, where the view's own order does not tell them.
    ///
    /// # Errors
    /// When the plan is too large to be written.
    #[wasm_bindgen(js_name = namesPlan)]
    pub fn names_plan(&self, key: Vec<String>, offset: usize) -> Result<Vec<u8>, JsError> {
        let mut columns = self.column_names();
        columns.retain(|name| key.is_empty() || key.contains(name));
        let plan = Plan { columns: Some(columns), offset, limit: Some(MOST), ..Plan::default() };
        wire::plan::to_bytes(&plan).map_err(failed)
    }

    /// Where the view and the row that has the focus (less than 0: none) are to stand when these rows have come anew, of which
    /// `first` is the first; and the cells that have just changed, as [`Viewer::live_took`] takes them. Rows are new from
    /// `came` on (no number: what happened is not known), or when their names are among those of a stream.
    ///
    /// # Errors
    /// When the bytes are no Arrow streams.
    #[wasm_bindgen(js_name = placeAnew)]
    pub fn place_anew(
        &mut self,
        first: usize,
        stream: Vec<u8>,
        key: Vec<String>,
        came: f64,
        named: Option<Vec<u8>>,
        now: f64,
    ) -> Result<Vec<f64>, JsError> {
        let top = self.layout.top_row();
        let Rows::Far(far) = &mut self.view.rows else { return Ok(vec![top, -1.0]) };
        let anew = Anew::new(first, load::read(stream).map_err(failed)?, far, &key, &self.formats);
        let came = match named {
            Some(named) => Came::Named(names(load::read(named).map_err(failed)?, &key, &self.formats)),
            None if came.is_nan() => Came::Unknown,
            None => Came::From(came as usize),
        };
        let touched = anew.touched(far, &came);
        far.flashes.rename(&|row| anew.still(row));
        far.flashes.mark(&touched, false, now);
        let mut seen = self.layout.visible_rows().enumerate();
        let found = if top > 0.0 { seen.find_map(|(at, row)| Some((at, anew.still(row)?))) } else { None };
        let place = found.map_or(top, |(at, row)| (row as f64 - at as f64 + top.fract()).max(0.0));
        let head = self.selection.and_then(|selection| anew.still(selection.head.0));
        let mut news = vec![place, head.map_or(-1.0, |row| row as f64)];
        far.flashes.tell(anew.rows(), &|row| Some(row as u32), anew.columns(), now, &mut news);
        Ok(news)
    }
}
