//! The bundle: cargo → wasm-bindgen → wasm-opt, each pinned.
//!
//! cargo runs in a target directory of its own (`target/viewer-build`), so that a build script may call this
//! while the outer cargo holds its lock. wasm-bindgen is a library of the same version as the viewer's, so
//! there is no tool to install for it. A finished bundle is kept beside the hash of everything that it was
//! made from, and reused until that changes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

use crate::error::at;
pub use crate::optimise::REMEDY as WASM_OPT_REMEDY;
use crate::{Error, Result, measure, optimise};

const TARGET: &str = "wasm32-unknown-unknown";
/// Instructions that every current browser has.
const FEATURES: &str = "-Ctarget-feature=+simd128,+bulk-memory,+sign-ext,+mutable-globals,+nontrapping-fptoint";
/// Compiler options that are not stable yet, and what each takes away: text of `Debug`, source places, and the
/// machinery that turns a panic into words. The standard library is built anew so that they hold for it too.
/// The compiler is the pinned stable one; `RUSTC_BOOTSTRAP` lets it take them.
const SMALLER: &str = "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none";
/// Counts up when the way of building changes, so that kept bundles are built anew.
const RECIPE: u32 = 5;

/// The viewer, ready to be served.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The module, without names.
    pub wasm: Vec<u8>,
    /// The module as it was before its names were stripped, for reports.
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
pub const SOURCES: [&str; 6] = ["kernels", "wire", "wasm-view", "Cargo.toml", "Cargo.lock", "size-budget/src"];

/// What of them the module is made from; a change of a script alone builds no module.
const MODULE_SOURCES: [&str; 9] = [
    "kernels/src",
    "kernels/Cargo.toml",
    "wire/src",
    "wire/Cargo.toml",
    "wasm-view/src",
    "wasm-view/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
    "size-budget/src",
];

/// The viewer's scripts, in the order in which they follow the glue.
const SCRIPTS: &[&str] = &[
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
    "server.js",
    "serve.js",
    "live.js",
    "saved.js",
    "api.js",
    "element.js",
];

/// The variable of the environment that asks, as `quick`, for a bundle that is built fast and not made small: for work on
/// the viewer.
pub const MANNER: &str = "BODKIN_VIEWER_BUILD";

/// Whether the bundle is to be built fast and not small.
fn is_quick() -> bool {
    env::var_os(MANNER).is_some_and(|manner| manner == "quick")
}

/// The worker's script: everything it needs stands in the other one, which the page has loaded already.
pub const WORKER: &str = "import { serve } from './bodkin.js';\n\nserve();\n";

/// Builds the bundle under a target directory, or takes what is kept of it as far as nothing has changed.
///
/// # Errors
/// [`Error::MissingTool`] with its remedy, [`Error::Tool`] with what the tool said.
pub fn build(target: &Path) -> Result<Bundle> {
    let root = workspace();
    let (kept, built) =
        if is_quick() { ("viewer-bundle-quick", "viewer-build-quick") } else { ("viewer-bundle", "viewer-build") };
    let keep = target.join(kept);
    fs::create_dir_all(&keep).map_err(at(&keep))?;
    let optimiser = if is_quick() { None } else { optimise::find(target) };
    let inputs = hash_inputs(&root, optimiser.as_ref().map(|tool| tool.name.as_str()))?;
    let (stamp, glue) = (keep.join("inputs"), keep.join("glue.js"));
    if !fs::read_to_string(&stamp).is_ok_and(|kept| kept == inputs) {
        let module = compile(&root, &target.join(built))?;
        let (wasm, bound) = bind(&module)?;
        let named = match &optimiser {
            Some(tool) => tool.run(&wasm, &keep)?,
            None => wasm,
        };
        let name = optimiser.map(|tool| tool.name).unwrap_or_default();
        write(&keep.join("bodkin.wasm"), &measure::strip(&named)?)?;
        write(&keep.join("bodkin.named.wasm"), &named)?;
        write(&keep.join("optimiser"), name.as_bytes())?;
        write(&glue, bound.as_bytes())?;
        write(&stamp, inputs.as_bytes())?;
    }
    let mut js = fs::read_to_string(&glue).map_err(at(&glue))?;
    for name in SCRIPTS {
        let path = root.join("wasm-view/js").join(name);
        js.push('\n');
        js.push_str(&fs::read_to_string(&path).map_err(at(&path))?);
    }
    let js = measure::compact_script(&js).into_bytes();
    write(&keep.join("bodkin.js"), &js)?;
    write(&keep.join("bodkin-worker.js"), WORKER.as_bytes())?;
    let read = |name: &str| {
        let path = keep.join(name);
        fs::read(&path).map_err(at(&path))
    };
    let optimiser = String::from_utf8_lossy(&read("optimiser")?).into_owned();
    Ok(Bundle {
        wasm: read("bodkin.wasm")?,
        named: read("bodkin.named.wasm")?,
        js,
        optimiser: (!optimiser.is_empty()).then_some(optimiser),
        folder: keep,
    })
}

/// Writes a file, unless it holds these bytes already.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(at(path))
}

fn hash_inputs(root: &Path, optimiser: Option<&str>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (RECIPE, FEATURES, SMALLER, optimiser).hash(&mut hasher);
    for source in MODULE_SOURCES {
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

/// Compiles the viewer to a raw module.
fn compile(root: &Path, target: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The outer cargo's settings are for the host.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let outer =
            ["CARGO_", "RUSTC", "RUSTFLAGS", "DEP_", "TARGET", "HOST", "OPT_LEVEL", "PROFILE", "DEBUG", "NUM_JOBS"];
        let kept = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
        if outer.iter().any(|prefix| name.starts_with(prefix)) && !kept.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", [FEATURES, " ", SMALLER].concat())
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustc", "--package", "wasm-view", "--lib", "--crate-type", "cdylib"])
        .args(["--profile", "viewer", "--target", TARGET])
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
        .args(["--color", "never"]);
    if is_quick() {
        for setting in ["lto=\"off\"", "codegen-units=16", "incremental=true", "opt-level=1"] {
            command.arg("--config").arg(["profile.viewer.", setting].concat());
        }
    }
    if root.join("Cargo.lock").exists() {
        command.arg("--locked");
    }
    let output = command.output().map_err(|_| Error::MissingTool { tool: "cargo", remedy: "https://rustup.rs" })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("rust-src") {
            return Err(Error::MissingTool {
                tool: "the standard library's source (rust-src)",
                remedy: "rustup component add rust-src",
            });
        }
        if said.contains("can't find crate for `core`") || said.contains("target may not be installed") {
            return Err(Error::MissingTool {
                tool: "the Rust target wasm32-unknown-unknown",
                remedy: "rustup target add wasm32-unknown-unknown",
            });
        }
        return Err(Error::Tool { tool: "cargo build of the viewer", output: said });
    }
    Ok(target.join(TARGET).join("viewer/wasm_view.wasm"))
}

/// Makes the glue: the module as browsers take it, and the JavaScript beside it.
fn bind(module: &Path) -> Result<(Vec<u8>, String)> {
    let failed = |error: &dyn std::fmt::Display| Error::Tool { tool: "wasm-bindgen", output: format!("{error:#}") };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("bodkin").typescript(false).omit_default_module_path(true).keep_debug(false);
    bindgen.web(true).map_err(|error| failed(&error))?;
    let mut output = bindgen.generate_output().map_err(|error| failed(&error))?;
    Ok((output.wasm_mut().emit_wasm(), output.js().to_owned()))
}
