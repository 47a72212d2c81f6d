//! A panel of its own: text and lists in owned values, to be changed, and merged field by field.

use wasm_bindgen::prelude::*;
use wire::record::archive;
use wire::record::example::{Panel, PanelPatch};

use crate::{Received, told};

/// A panel that can be changed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct OwnedPanel {
    panel: Panel,
}

#[wasm_bindgen]
impl OwnedPanel {
    /// The panel in bytes that came, as values of its own.
    ///
    /// # Errors
    /// When they are no panel.
    #[wasm_bindgen(constructor)]
    pub fn new(received: &Received) -> Result<Self, JsError> {
        archive::to_owned(received.bytes.as_slice()).map(|panel| Self { panel }).map_err(told)
    }

    /// Sets the fields that a patch has, and pushes or splices lines.
    ///
    /// # Errors
    /// When the bytes are no patch, or it removes lines that are not there: nothing is changed then.
    pub fn merge(&mut self, patch: &Received) -> Result<(), JsError> {
        let patch: PanelPatch = archive::to_owned(patch.bytes.as_slice()).map_err(told)?;
        self.panel.merge(patch).map_err(told)
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> String {
        self.panel.title.clone()
    }

    /// Gives it another title.
    #[wasm_bindgen(js_name = setTitle)]
    pub fn set_title(&mut self, title: String) {
        self.panel.title = title;
    }

    /// Adds a value to a line.
    ///
    /// # Errors
    /// When there is no such line.
    #[wasm_bindgen(js_name = pushValue)]
    pub fn push_value(&mut self, line: usize, value: f64) -> Result<usize, JsError> {
        let line = self.panel.lines.get_mut(line).ok_or_else(|| told("there is no such line"))?;
        line.values.push(value);
        Ok(line.values.len())
    }

    /// Milliseconds between two looks.
    #[must_use]
    pub fn every(&self) -> u32 {
        self.panel.every
    }

    /// The remark, if there is one.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.panel.remark.clone()
    }

    /// Names of the lines.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.panel.lines.iter().map(|line| line.name.clone()).collect()
    }

    /// Where the values of each line lie: those that a merge does not touch stay there.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        self.panel.lines.iter().map(|line| line.values.as_ptr() as usize).collect()
    }
}
