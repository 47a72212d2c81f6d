//! A struct of each kind, as the tests of both ends use them: a gauge of fixed layout, and a panel with text and lists.
//! They are also what to copy when you share a struct of your own.
#![allow(unsafe_code, reason = "the derives write what they prove; nothing here is written by hand")]
#![allow(missing_docs, reason = "the derives make types of their own")]

use bytemuck::{Pod, Zeroable};
use rkyv::{Archive, Deserialize, Serialize};

use super::list::Splice;
use crate::Result;

/// The state of a gauge, 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Gauge {
    /// The last value.
    pub last: f64,
    /// The least value so far.
    pub low: f64,
    /// The greatest value so far.
    pub high: f64,
    /// Values so far.
    pub count: u64,
    /// When the last one came, in milliseconds since 1970.
    pub at: i64,
}

impl Gauge {
    /// Takes a value in.
    pub fn record(&mut self, value: f64, at: i64) {
        self.low = if self.count == 0 { value } else { self.low.min(value) };
        self.high = if self.count == 0 { value } else { self.high.max(value) };
        (self.last, self.at) = (value, at);
        self.count += 1;
    }
}

/// One line of a panel.
#[derive(Debug, Clone, PartialEq, Archive, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<f64>,
}

/// What a panel shows.
#[derive(Debug, Clone, PartialEq, Archive, Serialize, Deserialize)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// Milliseconds between two looks.
    pub every: u32,
    /// Its lines.
    pub lines: Vec<Line>,
    /// A remark, if there is one.
    pub remark: Option<String>,
}

/// Some fields of a panel: those that are there are set, the others stay.
#[derive(Debug, Clone, PartialEq, Default, Archive, Serialize, Deserialize)]
pub struct PanelPatch {
    /// The title.
    pub title: Option<String>,
    /// Milliseconds between two looks.
    pub every: Option<u32>,
    /// Lines that go and come.
    pub lines: Option<Splice<Line>>,
    /// A remark, or none any more.
    pub remark: Option<Option<String>>,
}

impl Panel {
    /// Sets the fields that the patch has; all or, with an error, none.
    ///
    /// # Errors
    /// [`Error::Record`](crate::Error::Record) when the patch removes lines that are not there.
    pub fn merge(&mut self, patch: PanelPatch) -> Result<()> {
        if let Some(splice) = patch.lines {
            splice.apply(&mut self.lines)?;
        }
        self.title = patch.title.unwrap_or_else(|| std::mem::take(&mut self.title));
        self.every = patch.every.unwrap_or(self.every);
        self.remark = patch.remark.unwrap_or_else(|| self.remark.take());
        Ok(())
    }
}
