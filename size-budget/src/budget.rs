//! The budget: the most bytes that each part may have, from a file whose history is the history of the size.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::at;
use crate::{Error, Result};

/// The most bytes of one file.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// As it is.
    pub raw: usize,
    /// Compressed by brotli; not looked at when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brotli: Option<usize>,
}

/// The limits, and what a report breaks down.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Of the WASM module.
    pub wasm: Limit,
    /// Of what of it comes first, where it is cut in two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Limit>,
    /// Of what comes later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Limit>,
    /// Of the JavaScript module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub js: Option<Limit>,
    /// Of the server's program, stripped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Limit>,
    /// Crates whose modules are listed one by one.
    #[serde(default)]
    pub by_module: Vec<String>,
}

impl Budget {
    /// Reads a budget file.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Budget`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(at(path))?;
        toml::from_str(&text).map_err(|error| Error::Budget { path: path.to_owned(), reason: error.to_string() })
    }
}
