//! The measured figures that the documents show, as they are kept: `results/*.jsonl`.
//!
//! The first line of a file says what was measured, when, by which command and where, and before which table of
//! `docs/performance.md` its name stands; the others are the lines that the benchmark printed, rounded as the document has
//! them. A test compares the two, and the charts are drawn from here: a figure that was measured anew is written once in
//! each, and forgetting one is found.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of this repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One file of figures.
#[derive(Debug)]
pub struct Results {
    /// The first line.
    pub head: Value,
    /// The others.
    pub lines: Vec<Value>,
}

impl Results {
    /// Reads `results/NAME.jsonl`.
    ///
    /// # Errors
    /// When there is no such file, or a line is no JSON.
    pub fn read(name: &str) -> Result<Self, Box<dyn Error>> {
        let path = root().join("benches/results").join(format!("{name}.jsonl"));
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let parse = |line| serde_json::from_str(line).map_err(|error| format!("{}: {line}: {error}", path.display()));
        let mut lines = text.lines().map(parse);
        let head = lines.next().ok_or_else(|| format!("{} is empty", path.display()))??;
        Ok(Self { head, lines: lines.collect::<Result<_, _>>()? })
    }

    /// The figure of the first line in which all of these stand; none when there is no such line.
    #[must_use]
    pub fn figure(&self, known: &[(&str, &str)], figure: &str) -> Option<f64> {
        let line = self.lines.iter().find(|line| known.iter().all(|(key, value)| text(&line[*key]) == *value))?;
        line[figure].as_f64()
    }

    /// What lines have under a key, each once, in their order.
    #[must_use]
    pub fn distinct(&self, key: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for value in self.lines.iter().map(|line| text(&line[key])) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }
}

/// A value as a table would have it, without quotes.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
