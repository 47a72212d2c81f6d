//! Figures that are kept in the tree, as JSON that a diff can show.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::at;
use crate::{Error, Result};

/// Reads figures; `None` when there is no such file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(at(path))?;
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| Error::Baseline { path: path.to_owned(), reason: error.to_string() })
}

/// Writes figures, each on a line.
pub(crate) fn write<T: Serialize>(figures: &T, path: &Path) -> Result<()> {
    let mut text = serde_json::to_string_pretty(figures).map_err(|error| Error::Module(error.to_string()))?;
    text.push('\n');
    std::fs::write(path, text).map_err(at(path))
}
