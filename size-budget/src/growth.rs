//! What has grown since the committed baseline.
//!
//! A baseline is the size of each function by its name, those of one name added up, so that it can be kept in git and
//! compared with a build of any later day. Small functions are summed up in one line each way: they are half of all
//! names and a tenth of the bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::measure::Size;
use crate::module::Contents;
use crate::names::generic;
use crate::{Result, kept};

/// Functions of fewer bytes have no line of their own.
const SMALL: usize = 100;
const SMALLER: &str = "(smaller functions)";

/// Sizes of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The day, as `2026-01-31`.
    pub date: String,
    /// The WASM module.
    pub wasm: Size,
    /// Its first part and its second, where it is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<[Size; 2]>,
    /// The JavaScript module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub js: Option<Size>,
    /// Bytes by name of function.
    pub functions: BTreeMap<String, usize>,
}

/// A name whose bytes have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The name of a function, those of one generic together.
    pub name: String,
    /// Bytes then; 0 when it was not there.
    pub before: usize,
    /// Bytes now; 0 when it is gone.
    pub after: usize,
}

impl Change {
    /// Bytes that were added; below zero when it shrank.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.after as i64 - self.before as i64
    }
}

/// What has changed since a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// The day of the baseline.
    pub since: String,
    /// The module then.
    pub wasm: Size,
    /// The script then.
    pub js: Option<Size>,
    /// What grew, the most first, then what shrank, the least first.
    pub changes: Vec<Change>,
}

impl Baseline {
    /// The sizes of a build.
    #[must_use]
    pub fn new(date: String, wasm: Size, cut: Option<[Size; 2]>, js: Option<Size>, contents: &Contents) -> Self {
        Self { date, wasm, cut, js, functions: sums(contents) }
    }

    /// Reads a baseline; `None` when there is no such file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] and [`crate::Error::Baseline`].
    pub fn read(path: &Path) -> Result<Option<Self>> {
        kept::read(path)
    }

    /// Writes the baseline, a function on each line.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        kept::write(self, path)
    }

    /// What has changed since.
    #[must_use]
    pub fn growth(&self, contents: &Contents) -> Growth {
        let after = sums(contents);
        let names = self.functions.keys().chain(after.keys().filter(|name| !self.functions.contains_key(*name)));
        let bytes = |sums: &BTreeMap<String, usize>, name: &str| sums.get(name).copied().unwrap_or(0);
        let mut changes: Vec<Change> = names
            .map(|name| Change { name: name.clone(), before: bytes(&self.functions, name), after: bytes(&after, name) })
            .filter(|change| change.before != change.after)
            .collect();
        changes.sort_by(|a, b| b.difference().cmp(&a.difference()).then_with(|| a.name.cmp(&b.name)));
        Growth { since: self.date.clone(), wasm: self.wasm, js: self.js, changes }
    }
}

/// Bytes by name, the copies of one generic together: types in names change as soon as anything is moved.
fn sums(contents: &Contents) -> BTreeMap<String, usize> {
    let mut sums: BTreeMap<String, usize> = BTreeMap::new();
    for function in &contents.functions {
        *sums.entry(generic(&function.name)).or_default() += function.bytes;
    }
    for section in &contents.sections {
        *sums.entry(section.name.clone()).or_default() += section.bytes;
    }
    let small: usize = sums.values().filter(|&&bytes| bytes < SMALL).sum();
    sums.retain(|_, bytes| *bytes >= SMALL);
    if small > 0 {
        sums.insert(SMALLER.to_owned(), small);
    }
    sums
}

/// Today, as `2026-01-31`, by the clock of the machine in UTC.
#[must_use]
pub fn today() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The date of a day after 1970-01-01 (after Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_have_dates() {
        for (days, expected) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_783, "2026-11-26")]
        {
            assert_eq!(super::date(days), expected);
        }
    }
}
