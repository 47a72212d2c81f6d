//! The bundle: the module ([`crate::recipe`]) in its two parts ([`mod@crate::split`]), and the scripts, joined.
//!
//! cargo runs in a target directory of its own (`target/viewer-build`), so that a build script may call this
//! while the outer cargo holds its lock. wasm-bindgen is a library of the same version as the viewer's, so
//! there is no tool to install for it. A finished bundle is kept beside the hash of everything that it was
//! made from, and reused until that changes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::error::at;
use crate::glue::{both_parts, needed};
pub use crate::optimise::REMEDY as WASM_OPT_REMEDY;
use crate::recipe::{INSTRUCTIONS, Recipe, SMALLER};
use crate::split::{Manifest, split};
use crate::{Result, measure, minify, module, optimise, patterns};

/// Counts up when the way of building changes, so that kept bundles are built anew.
const RECIPE: u32 = 8;

/// The viewer, ready to be served.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The module's first part, without names.
    pub wasm: Vec<u8>,
    /// Its second part, without names.
    pub more: Vec<u8>,
    /// The module as it was before it was cut and its names were stripped, for reports.
    pub named: Vec<u8>,
    /// The JavaScript module: glue and custom element.
    pub js: Vec<u8>,
    /// How the module was optimised; `None` when wasm-opt could not be had.
    pub optimiser: Option<String>,
    /// Where the files are.
    pub folder: PathBuf,
}

/// The workspace's root folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_owned()
}

/// Folders and files that the bundle is made from, relative to the workspace.
pub const SOURCES: [&str; 7] =
    ["kernels", "wire", "wasm-view", "Cargo.toml", "Cargo.lock", "size-budget/src", "size-budget/split.toml"];

/// What of them the module is made from; a change of a script alone builds no module.
const MODULE_SOURCES: [&str; 17] = [
    "kernels/src",
    "kernels/Cargo.toml",
    "wire/src",
    "wire/Cargo.toml",
    "wasm-view/src",
    "wasm-view/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
    "size-budget/src/recipe.rs",
    "size-budget/src/optimise.rs",
    "size-budget/src/silence.rs",
    "size-budget/src/merge.rs",
    "size-budget/src/order.rs",
    "size-budget/src/rewrite.rs",
    "size-budget/src/split",
    "size-budget/src/glue.rs",
    MANIFEST,
];

/// What of the module is in its first part.
const MANIFEST: &str = "size-budget/split.toml";

/// The viewer's scripts, in the order in which they follow the glue.
const SCRIPTS: &[&str] = &[
    "start.js",
    "more.js",
    "style.js",
    "tools.js",
    "tree.js",
    "panel.js",
    "groups.js",
    "menu.js",
    "copy.js",
    "axis.js",
    "brush.js",
    "filter.js",
    "values.js",
    "format.js",
    "data.js",
    "open.js",
    "boxes.js",
    "find.js",
    "mirror.js",
    "touch.js",
    "status.js",
    "chart.js",
    "input.js",
    "load.js",
    "cache.js",
    "engine.js",
    "spare.js",
    "server.js",
    "pictures.js",
    "asking.js",
    "serve.js",
    "live.js",
    "saved.js",
    "api.js",
    "element.js",
];

/// The variable of the environment that asks, as `quick`, for a bundle that is built fast and not made small: for work on
/// the viewer.
pub const MANNER: &str = "BODKIN_VIEWER_BUILD";

/// Where what is built under a target directory is kept, and where it is compiled.
pub(crate) fn folders(target: &Path) -> (PathBuf, PathBuf) {
    let (kept, built) =
        if is_quick() { ("viewer-bundle-quick", "viewer-build-quick") } else { ("viewer-bundle", "viewer-build") };
    (target.join(kept), target.join(built))
}

/// Whether the bundle is to be built fast and not small.
pub(crate) fn is_quick() -> bool {
    env::var_os(MANNER).is_some_and(|manner| manner == "quick")
}

/// The worker's script: everything it needs stands in the other one, which the page has loaded already.
pub const WORKER: &str = "import { serve } from './bodkin.js';\n\nserve();\n";

/// Builds the bundle under a target directory, or takes what is kept of it as far as nothing has changed; and beside it
/// the module of the pattern page, which is no part of it ([`patterns`]).
///
/// # Errors
/// [`crate::Error::MissingTool`] with its remedy, [`crate::Error::Tool`] with what the tool said.
pub fn build(target: &Path) -> Result<Bundle> {
    let root = workspace();
    let (keep, built) = folders(target);
    fs::create_dir_all(&keep).map_err(at(&keep))?;
    let optimiser = if is_quick() { None } else { optimise::find(target) };
    let inputs = hash_inputs(&root, &MODULE_SOURCES, optimiser.as_ref().map(|tool| tool.name.as_str()))?;
    let (stamp, glue) = (keep.join("inputs"), keep.join("glue.js"));
    if !fs::read_to_string(&stamp).is_ok_and(|kept| kept == inputs) {
        let recipe = Recipe { root: root.clone(), target: built, features: None, quick: is_quick() };
        let made = recipe.make(optimiser.as_ref())?;
        let name = optimiser.map(|tool| tool.name).unwrap_or_default();
        let parts = split(&made.named, &Manifest::read(&root.join(MANIFEST))?)?;
        write(&keep.join("bodkin.wasm"), &module::strip(&parts.first)?)?;
        write(&keep.join("bodkin-more.wasm"), &module::strip(&parts.more)?)?;
        write(&keep.join("bodkin.named.wasm"), &made.named)?;
        // For whoever looks for what brings the second part too early, or for what takes time: in place of `bodkin.wasm` and
        // `bodkin-more.wasm` their stacks have names.
        write(&keep.join("bodkin.first.named.wasm"), &parts.first)?;
        write(&keep.join("bodkin-more.named.wasm"), &parts.more)?;
        write(&keep.join("optimiser"), name.as_bytes())?;
        write(&glue, both_parts(&made.glue)?.as_bytes())?;
        write(&stamp, inputs.as_bytes())?;
    }
    let js = script(&root, &fs::read_to_string(&glue).map_err(at(&glue))?)?;
    let js = if is_quick() { measure::compact_script(&js) } else { minify::minify(&js, target)? }.into_bytes();
    write(&keep.join("bodkin.js"), &js)?;
    write(&keep.join("bodkin-worker.js"), WORKER.as_bytes())?;
    patterns::build(target)?;
    let read = |name: &str| {
        let path = keep.join(name);
        fs::read(&path).map_err(at(&path))
    };
    let optimiser = String::from_utf8_lossy(&read("optimiser")?).into_owned();
    Ok(Bundle {
        wasm: read("bodkin.wasm")?,
        more: read("bodkin-more.wasm")?,
        named: read("bodkin.named.wasm")?,
        js,
        optimiser: (!optimiser.is_empty()).then_some(optimiser),
        folder: keep,
    })
}

/// The glue and the viewer's scripts as one module.
pub(crate) fn script(root: &Path, glue: &str) -> Result<String> {
    let mut js = needed(glue);
    for name in SCRIPTS {
        let path = root.join("wasm-view/js").join(name);
        js.push('\n');
        js.push_str(&fs::read_to_string(&path).map_err(at(&path))?);
    }
    Ok(js)
}

/// Writes a file, unless it holds these bytes already.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(at(path))
}

/// Tells one state of the sources, and of the way of building, from all others.
pub(crate) fn hash_inputs(root: &Path, sources: &[&str], optimiser: Option<&str>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (RECIPE, INSTRUCTIONS, SMALLER, optimiser).hash(&mut hasher);
    for source in sources {
        hash_path(root, &root.join(source), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_path(root: &Path, path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).map_err(at(path))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_path(root, entry, hasher));
    }
    let kind = path.extension().and_then(|extension| extension.to_str());
    if matches!(kind, Some("rs" | "toml" | "lock")) {
        path.strip_prefix(root).unwrap_or(path).hash(hasher);
        fs::read(path).map_err(at(path))?.hash(hasher);
    }
    Ok(())
}
