//! The budget and the verdict.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::at;
use crate::measure::{Item, Size};
use crate::{Error, Result};

/// The most bytes of one file.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// As it is.
    pub raw: usize,
    /// Compressed by brotli.
    pub brotli: usize,
}

/// The limits of the bundle.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Of the WASM module.
    pub wasm: Limit,
    /// Of the JavaScript module.
    pub js: Limit,
}

impl Budget {
    /// Reads a budget file.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Budget`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(at(path))?;
        toml::from_str(&text).map_err(|error| Error::Budget(error.to_string()))
    }
}

/// Sizes beside their limits.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of the WASM module.
    pub wasm: Size,
    /// Of the JavaScript module.
    pub js: Size,
    /// The limits.
    pub budget: Budget,
    /// How the module was optimised.
    pub optimiser: Option<String>,
    /// Bytes by crate, the largest first.
    pub crates: Vec<Item>,
    /// Bytes of the crate `kernels` by its modules, which are one kernel each.
    pub kernels: Vec<Item>,
    /// Functions and sections, the largest first.
    pub items: Vec<Item>,
}

impl Report {
    /// What is over budget, one line each; nothing when all is well.
    #[must_use]
    pub fn over(&self) -> Vec<String> {
        let pairs = [
            ("bodkin.wasm raw", self.wasm.raw, self.budget.wasm.raw),
            ("bodkin.wasm brotli", self.wasm.brotli, self.budget.wasm.brotli),
            ("bodkin.js raw", self.js.raw, self.budget.js.raw),
            ("bodkin.js brotli", self.js.brotli, self.budget.js.brotli),
        ];
        pairs
            .into_iter()
            .filter(|(_, found, limit)| found > limit)
            .map(|(what, found, limit)| {
                let largest = self.items.first().map_or("nothing", |item| item.name.as_str());
                format!("{what}: {found} bytes, {} over its budget of {limit}; look first at {largest}", found - limit)
            })
            .collect()
    }

    /// The report for people, with the `count` largest items.
    #[must_use]
    pub fn table(&self, count: usize) -> String {
        let mut text = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            let _infallible = writeln!(text, "{line}");
        };
        line(format_args!("{:<12} {:>9} {:>9} {:>9}   budget raw / brotli", "", "raw", "gzip", "brotli"));
        for (name, size, limit) in
            [("bodkin.wasm", self.wasm, self.budget.wasm), ("bodkin.js", self.js, self.budget.js)]
        {
            line(format_args!(
                "{name:<12} {:>9} {:>9} {:>9}   {} / {}  ({} % used)",
                size.raw,
                size.gzip,
                size.brotli,
                limit.raw,
                limit.brotli,
                (100 * size.raw).div_ceil(limit.raw.max(1))
            ));
        }
        line(format_args!("\nwasm-opt: {}", self.optimiser.as_deref().unwrap_or("not run")));
        line(format_args!("\nby crate:"));
        for item in self.crates.iter().take(12) {
            line(format_args!("{:>9}  {}", item.bytes, item.name));
        }
        line(format_args!("\nby kernel:"));
        for item in &self.kernels {
            line(format_args!("{:>9}  {}", item.bytes, item.name));
        }
        line(format_args!("\nthe {count} largest items:"));
        for item in self.items.iter().take(count) {
            let name: String = item.name.chars().take(110).collect();
            line(format_args!("{:>9}  {name}", item.bytes));
        }
        text
    }
}
