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
const RECIPE: u32 = 4;

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
}

/// The workspace's root folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_owned()
}

/// Folders and files that the bundle is made from, relative to the workspace.
pub const SOURCES: [&str; 6] = ["kernels", "wire", "wasm-view", "Cargo.toml", "Cargo.lock", "size-budget/src"];

/// The viewer's scripts, in the order in which they follow the glue.
const SCRIPTS: [&str; 14] = [
    "style.js",
    "tools.js",
    "tree.js",
    "panel.js",
    "menu.js",
    "copy.js",
    "boxes.js",
    "find.js",
    "mirror.js",
    "touch.js",
    "status.js",
    "input.js",
    "load.js",
    "element.js",
];

/// Builds the bundle under a target directory, or takes the kept one when nothing has changed.
///
/// # Errors
/// [`Error::MissingTool`] with its remedy, [`Error::Tool`] with what the tool said.
pub fn build(target: &Path) -> Result<Bundle> {
    let root = workspace();
    let keep = target.join("viewer-bundle");
    let optimiser = optimise::find(target);
    let inputs = hash_inputs(&root, optimiser.as_ref().map(|tool| tool.name.as_str()))?;
    let stamp = keep.join("inputs");
    if fs::read_to_string(&stamp).is_ok_and(|kept| kept == inputs) {
        return read_kept(&keep);
    }
    let module = compile(&root, &target.join("viewer-build"))?;
    let (wasm, glue) = bind(&module)?;
    let named = match &optimiser {
        Some(tool) => tool.run(&wasm, &keep)?,
        None => wasm,
    };
    let mut js = glue;
    for name in SCRIPTS {
        let path = root.join("wasm-view/js").join(name);
        js.push('\n');
        js.push_str(&fs::read_to_string(&path).map_err(at(&path))?);
    }
    let bundle = Bundle {
        wasm: measure::strip(&named)?,
        named,
        js: measure::compact_script(&js).into_bytes(),
        optimiser: optimiser.map(|tool| tool.name),
    };
    write_kept(&keep, &bundle)?;
    fs::write(&stamp, inputs).map_err(at(&stamp))?;
    Ok(bundle)
}

fn read_kept(folder: &Path) -> Result<Bundle> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(at(&path))
    };
    let optimiser = String::from_utf8_lossy(&read("optimiser")?).into_owned();
    Ok(Bundle {
        wasm: read("bodkin.wasm")?,
        named: read("bodkin.named.wasm")?,
        js: read("bodkin.js")?,
        optimiser: (!optimiser.is_empty()).then_some(optimiser),
    })
}

fn write_kept(folder: &Path, bundle: &Bundle) -> Result<()> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let optimiser = bundle.optimiser.clone().unwrap_or_default();
    let files: [(&str, &[u8]); 4] = [
        ("bodkin.wasm", &bundle.wasm),
        ("bodkin.named.wasm", &bundle.named),
        ("bodkin.js", &bundle.js),
        ("optimiser", optimiser.as_bytes()),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(at(&path))?;
    }
    Ok(())
}

fn hash_inputs(root: &Path, optimiser: Option<&str>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (RECIPE, FEATURES, SMALLER, optimiser).hash(&mut hasher);
    for source in SOURCES {
        hash_path(&root.join(source), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_path(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).map_err(at(path))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_path(entry, hasher));
    }
    let kind = path.extension().and_then(|extension| extension.to_str());
    if matches!(kind, Some("rs" | "toml" | "lock" | "js" | "css")) {
        path.hash(hasher);
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
