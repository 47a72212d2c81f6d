//! Finding the view's rows anew: at once where they are few, else in steps that the page puts between its frames.

use wasm_bindgen::prelude::*;

use super::far::numbered;
use super::{Viewer, change, failed};
use crate::view::Wish;
use crate::work::Work;

/// Rows of a table that is looked at in one go: a few milliseconds.
pub(super) const AT_ONCE: usize = 400_000;

impl Viewer {
    /// What is asked for has changed: finds the rows, or says that they have to be found. What cannot be is undone.
    pub(super) fn ask_anew(&mut self, before: Wish) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        let found = if self.is_far() || table.rows() > AT_ONCE {
            self.view.plan().bind(&table.schema).map(|_fits| false)
        } else {
            self.view.refresh(table).map(|()| true)
        };
        match found {
            Err(error) => {
                self.view.wish(before);
                Err(failed(error))
            }
            Ok(true) => {
                (self.before, self.work) = (None, None);
                Ok(self.refreshed())
            }
            Ok(false) => {
                self.work = None;
                self.has_head = false;
                self.before.get_or_insert(before);
                Ok(change::ASK)
            }
        }
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Begins to find the view's rows; with `wants_head` the first of a sort of many come ahead.
    ///
    /// # Errors
    /// When what is asked for does not fit the table.
    #[wasm_bindgen(js_name = workBegin)]
    pub fn work_begin(&mut self, wants_head: bool) -> Result<(), JsError> {
        let Some(table) = &self.table else { return Ok(()) };
        self.work = Some(Work::begin(&self.view.plan(), table, wants_head).map_err(failed)?);
        Ok(())
    }

    /// Looks at so many more rows, or puts as many in order; gives the share that is done, and 2 when the first rows are here,
    /// ahead of the others.
    ///
    /// # Errors
    /// What the query reports.
    #[wasm_bindgen(js_name = workStep)]
    pub fn work_step(&mut self, rows: usize) -> Result<f64, JsError> {
        let (Some(table), Some(work)) = (&self.table, &mut self.work) else { return Ok(1.0) };
        work.step(table, rows).map_err(failed)
    }

    /// The first rows of a sort: how many there will be, and an Arrow stream of them as [`Viewer::window_of`] gives it.
    ///
    /// # Errors
    /// When they cannot be taken or written.
    #[wasm_bindgen(js_name = workHead)]
    pub fn work_head(&mut self) -> Result<Vec<JsValue>, JsError> {
        let (Some(table), Some(work)) = (&self.table, &mut self.work) else { return Ok(Vec::new()) };
        let Some((head, rows)) = work.head() else { return Ok(Vec::new()) };
        let stream = js_sys::Uint8Array::from(&numbered(table, &head)?[..]);
        Ok(vec![JsValue::from_f64(rows as f64), stream.into()])
    }

    /// Shows the rows that were found.
    ///
    /// # Errors
    /// What the query reports, such as a sum that overflows.
    #[wasm_bindgen(js_name = workEnd)]
    pub fn work_end(&mut self) -> Result<u32, JsError> {
        let (Some(table), Some(work)) = (&self.table, self.work.take()) else { return Ok(0) };
        self.view.rows = work.finish(table).map_err(failed)?;
        (self.before, self.rows_before) = (None, None);
        Ok(self.refreshed())
    }

    /// Asks for what is shown again: what was asked for since is given up.
    #[wasm_bindgen(js_name = workCancel)]
    pub fn work_cancel(&mut self) -> u32 {
        self.work = None;
        let Some(before) = self.before.take() else { return 0 };
        self.view.wish(before);
        if let Some(rows) = self.rows_before.take() {
            self.view.rows = rows;
            // What has come since was not taken.
            self.give_up();
            self.fit_rows();
        }
        change::VIEW | change::LAYOUT | change::PAINT
    }
}
