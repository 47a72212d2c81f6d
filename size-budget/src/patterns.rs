//! The module of the pattern page: what the page runs beside the viewer, to show what the viewer has no use for.
//!
//! It is built by the viewer's recipe, in the same target directory, so that the standard library and most packages are
//! there already; it stands beside the bundle's files and is no part of the bundle: no budget counts it and no package has it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bundle::{self, folders, hash_inputs, is_quick, workspace};
use crate::error::at;
use crate::recipe::Recipe;
use crate::{Result, measure, module, optimise};

/// The package that it is built from.
const PACKAGE: &str = "patterns";
/// The module, and the script that loads it, as they are called beside the bundle's files.
pub const FILES: [&str; 2] = ["patterns.wasm", "patterns-module.js"];

/// What it is made from.
const SOURCES: [&str; 9] = [
    "kernels/src",
    "kernels/Cargo.toml",
    "wire/src",
    "wire/Cargo.toml",
    "wasm-view/patterns",
    "Cargo.toml",
    "Cargo.lock",
    "size-budget/src/recipe.rs",
    "size-budget/src/patterns.rs",
];

/// Builds it under a target directory beside the bundle, or takes what is kept of it as far as nothing has changed; gives the
/// folder.
///
/// # Errors
/// As [`bundle::build`].
pub fn build(target: &Path) -> Result<PathBuf> {
    let root = workspace();
    let (keep, built) = folders(target);
    fs::create_dir_all(&keep).map_err(at(&keep))?;
    let optimiser = if is_quick() { None } else { optimise::find(target) };
    let inputs = hash_inputs(&root, &SOURCES, optimiser.as_ref().map(|tool| tool.name.as_str()))?;
    let stamp = keep.join("patterns-inputs");
    if fs::read_to_string(&stamp).is_ok_and(|kept| kept == inputs) {
        return Ok(keep);
    }
    let recipe = Recipe { root, target: built, features: None, quick: is_quick() };
    let made = recipe.make_of(PACKAGE, optimiser.as_ref())?;
    bundle::write(&keep.join(FILES[0]), &module::strip(&made.named)?)?;
    bundle::write(&keep.join(FILES[1]), measure::compact_script(&made.glue).as_bytes())?;
    bundle::write(&stamp, inputs.as_bytes())?;
    Ok(keep)
}
