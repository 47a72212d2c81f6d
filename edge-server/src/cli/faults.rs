//! What is wrong with the settings: everything is looked at before anything is told, each fault with its place.

use std::fmt::Display;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Faults that have been found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    /// A fault at a place: a file and a key, or an option.
    pub(super) fn at(&mut self, place: &str, reason: impl Display) {
        self.0.push(format!("{place}: {reason}"));
    }

    /// A fault that names its place itself.
    pub(super) fn add(&mut self, error: &Error) {
        self.0.push(error.to_string());
    }

    /// The value of a result, or a fault.
    pub(super) fn take<T>(&mut self, place: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.at(place, error)).ok()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them as one error, if there is any.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub(super) fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Settings { faults: self.0 }) }
    }

    /// A section of a file, key by key: what is at fault is told and left out, the rest is read.
    pub(super) fn section<T: DeserializeOwned + Default>(
        &mut self,
        file: &Path,
        prefix: &str,
        section: toml::Table,
    ) -> T {
        let mut good = toml::Table::new();
        for (key, value) in section {
            let mut alone = toml::Table::new();
            alone.insert(key.clone(), value);
            match alone.clone().try_into::<T>() {
                Ok(_) => good.extend(alone),
                Err(error) => {
                    let reason = error.message().lines().next().unwrap_or("").to_owned();
                    self.at(&format!("{}: {prefix}{key}", file.display()), reason);
                }
            }
        }
        good.try_into().unwrap_or_default()
    }
}
