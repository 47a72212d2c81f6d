//! What each feature of the viewer costs: the module built with it and without it.
//!
//! A build takes a minute or more, so the result is kept in a file beside the budget, and a report shows it with its date.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::at;
use crate::growth::today;
use crate::module::strip;
use crate::recipe::Recipe;
use crate::{Error, Result, kept, measure, optimise};

/// Features and the day on which they were weighed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// The day, as `2026-01-31`.
    pub date: String,
    /// The features, in the order of their names.
    pub features: Vec<Feature>,
}

/// What a feature adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name in the manifest.
    pub name: String,
    /// Whether it is part of what is shipped.
    pub default: bool,
    /// Bytes of the module.
    pub raw: i64,
    /// Compressed bytes.
    pub brotli: i64,
}

impl Features {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Baseline`].
    pub fn read(path: &Path) -> Result<Option<Self>> {
        kept::read(path)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        kept::write(self, path)
    }

    /// Builds the viewer once as it is shipped and once for each feature. `told` is called before each build.
    ///
    /// # Errors
    /// As [`crate::bundle::build`].
    pub fn weigh(root: &Path, target: &Path, told: &mut dyn FnMut(&str)) -> Result<Self> {
        let manifest = root.join("wasm-view/Cargo.toml");
        let text = std::fs::read_to_string(&manifest).map_err(at(&manifest))?;
        let (names, shipped) = declared(&text).map_err(|reason| Error::Budget { path: manifest, reason })?;
        let tool = optimise::find(target)
            .ok_or(Error::MissingTool { tool: "wasm-opt", remedy: crate::bundle::WASM_OPT_REMEDY })?;
        let mut weigh = |features: Vec<String>| -> Result<measure::Size> {
            told(&features.join(", "));
            let recipe = Recipe {
                root: root.to_owned(),
                target: target.join("viewer-build"),
                features: Some(features),
                quick: false,
            };
            Ok(measure::size(&strip(&recipe.make(Some(&tool))?.named)?))
        };
        let whole = weigh(shipped.clone())?;
        let mut features = Vec::with_capacity(names.len());
        for name in names {
            let default = shipped.contains(&name);
            let others: Vec<String> = shipped.iter().filter(|shipped| **shipped != name).cloned().collect();
            let other = weigh(if default { others } else { [others, vec![name.clone()]].concat() })?;
            let (with, without) = if default { (whole, other) } else { (other, whole) };
            let brotli = |size: measure::Size| size.brotli.unwrap_or(0) as i64;
            features.push(Feature {
                name,
                default,
                raw: with.raw as i64 - without.raw as i64,
                brotli: brotli(with) - brotli(without),
            });
        }
        Ok(Self { date: today(), features })
    }
}

/// The features of a manifest, and those of them that are on by default.
fn declared(manifest: &str) -> std::result::Result<(Vec<String>, Vec<String>), String> {
    let manifest: toml::Table = toml::from_str(manifest).map_err(|error| error.to_string())?;
    let features = manifest.get("features").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let shipped = features.get("default").map(texts).unwrap_or_default();
    Ok((features.keys().filter(|name| *name != "default").cloned().collect(), shipped))
}

#[cfg(test)]
mod tests {
    #[test]
    fn features_are_what_the_manifest_declares() {
        let (all, shipped) = super::declared("[features]\ndefault = [\"a\"]\na = []\nb = [\"a\"]\n").unwrap();
        assert_eq!((all, shipped), (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()]));
        assert!(super::declared("[features").is_err());
    }
}
