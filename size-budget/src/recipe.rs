//! How a module is made: cargo → wasm-bindgen → wasm-opt, each pinned, from a folder to bytes.
//!
//! What a machine or a folder is called stays out of the module, so that the same sources give the same bytes wherever
//! they are built ([`crate::reproduce`] checks it): paths are renamed for the compiler, its texts of places are left out,
//! cargo counts a package by its place in the workspace, and the versions of all tools are fixed by files of the tree
//! (`rust-toolchain.toml`, `Cargo.lock`, the version of wasm-opt in `optimise.rs`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

use crate::merge::merge;
use crate::optimise::Tool;
use crate::order::order;
use crate::silence::silence;
use crate::{Error, Result};

const TARGET: &str = "wasm32-unknown-unknown";
/// Instructions that every current browser has.
pub(crate) const INSTRUCTIONS: &str =
    "-Ctarget-feature=+simd128,+bulk-memory,+sign-ext,+mutable-globals,+nontrapping-fptoint";
/// Compiler options that are not stable yet, and what each takes away: text of `Debug`, source places, and the
/// machinery that turns a panic into words. The standard library is built anew so that they hold for it too.
/// The compiler is the pinned stable one; `RUSTC_BOOTSTRAP` lets it take them. The last two are LLVM's: what takes more
/// than two moves of a register (32 bytes with SIMD) is copied by the one instruction for it.
pub(crate) const SMALLER: [&str; 6] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zfmt-debug=none",
    "-Zlocation-detail=none",
    "-Cllvm-args=-max-store-memcpy=2",
    "-Cllvm-args=-max-store-memmove=2",
];

/// What to build, from where to where.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// cargo's target directory: one of its own, so that a build script may build while the outer cargo holds its lock.
    pub(crate) target: PathBuf,
    /// The viewer's features; those that it has by default when none are said.
    pub(crate) features: Option<Vec<String>>,
    /// Built fast and not small.
    pub(crate) quick: bool,
}

/// A module with its names, and the script that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) named: Vec<u8>,
    pub(crate) glue: String,
}

impl Recipe {
    /// Builds, and optimises where there is something to do it with.
    pub(crate) fn make(&self, optimiser: Option<&Tool>) -> Result<Made> {
        self.make_of("wasm-view", optimiser)
    }

    /// The same of another package that is built for browsers.
    pub(crate) fn make_of(&self, package: &str, optimiser: Option<&Tool>) -> Result<Made> {
        let (wasm, glue) = bind(&self.compile(package)?)?;
        let named = match optimiser {
            Some(tool) => order(&tool.run(&merge(&silence(&wasm)?)?, &self.target)?)?,
            None => wasm,
        };
        Ok(Made { named, glue })
    }

    /// The compiler's options.
    fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = SMALLER.iter().chain([&INSTRUCTIONS]).map(|&flag| flag.to_owned()).collect();
        let mut rename = |from: Option<PathBuf>, to: &str| {
            if let Some(from) = from {
                flags.push(format!("--remap-path-prefix={}={to}", from.display()));
            }
        };
        // Of several that fit, the compiler takes the last.
        rename(cargo_home(), "/cargo");
        rename(Some(self.root.clone()), "/source");
        rename(Some(self.target.clone()), "/target");
        flags
    }

    /// Compiles a package to a raw module.
    fn compile(&self, package: &str) -> Result<PathBuf> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        // The outer cargo's settings are for the host.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let outer =
                ["CARGO_", "RUSTC", "RUSTFLAGS", "DEP_", "TARGET", "HOST", "OPT_LEVEL", "PROFILE", "DEBUG", "NUM_JOBS"];
            let kept = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
            let is_outer = outer.iter().any(|prefix| name.starts_with(prefix));
            if is_outer && !kept.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            // Separated so that folders may have spaces.
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags().join("\u{1f}"))
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["rustc", "--package", package, "--lib", "--crate-type", "cdylib"])
            .args(["--profile", "viewer", "--target", TARGET])
            .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
            .args(["--color", "never"]);
        if let Some(features) = &self.features {
            command.args(["--no-default-features", "--features", &features.join(",")]);
        }
        if self.quick {
            for setting in ["lto=\"off\"", "codegen-units=16", "incremental=true", "opt-level=1"] {
                command.arg("--config").arg(["profile.viewer.", setting].concat());
            }
        }
        if self.root.join("Cargo.lock").exists() {
            command.arg("--locked");
        }
        let output = command.output().map_err(|_| Error::MissingTool { tool: "cargo", remedy: "https://rustup.rs" })?;
        if !output.status.success() {
            return Err(why(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let file = [&package.replace('-', "_"), ".wasm"].concat();
        Ok(self.target.join(TARGET).join("viewer").join(file))
    }
}

/// What cargo said, as the thing to do about it where that is known.
fn why(said: String) -> Error {
    if said.contains("rust-src") {
        return Error::MissingTool {
            tool: "the standard library's source (rust-src)",
            remedy: "rustup component add rust-src",
        };
    }
    if said.contains("can't find crate for `core`") || said.contains("target may not be installed") {
        return Error::MissingTool {
            tool: "the Rust target wasm32-unknown-unknown",
            remedy: "rustup target add wasm32-unknown-unknown",
        };
    }
    Error::Tool { tool: "cargo build of the viewer", output: said }
}

/// Where cargo keeps the sources of packages.
fn cargo_home() -> Option<PathBuf> {
    let home = || env::var_os("HOME").or_else(|| env::var_os("USERPROFILE")).map(PathBuf::from);
    let folder = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")))?;
    fs::canonicalize(&folder).ok().or(Some(folder))
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
