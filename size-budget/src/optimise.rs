//! wasm-opt: found, or fetched as a pinned npm package.
//!
//! In this order: `$WASM_OPT`; the pinned package under `target/tools` (installed there by npm when it is
//! not there yet); `wasm-opt` on the path. Without any of them the bundle still works, and is larger.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::error::at;
use crate::{Error, Result};

/// The version of the npm package `binaryen`.
const PINNED: &str = "132.0.0";

/// What to do when no wasm-opt is to be had.
pub const REMEDY: &str =
    "install npm (the pinned wasm-opt then comes by itself), or put wasm-opt on the PATH, or set WASM_OPT";

/// A wasm-opt that can be run.
#[derive(Debug)]
pub(crate) struct Tool {
    program: PathBuf,
    pub(crate) name: String,
}

/// Finds or installs wasm-opt.
pub(crate) fn find(target: &Path) -> Option<Tool> {
    if let Some(program) = env::var_os("WASM_OPT") {
        return tool(PathBuf::from(program), "from WASM_OPT");
    }
    let tools = target.join("tools");
    let program = tools.join("node_modules/binaryen/bin/wasm-opt");
    if !program.exists() {
        install(&tools, &format!("binaryen@{PINNED}"))?;
    }
    if program.exists() {
        return tool(program, &format!("binaryen {PINNED} from npm"));
    }
    tool(PathBuf::from("wasm-opt"), "from the PATH")
}

/// Has npm, if it is there, put a package into a folder of its own.
pub(crate) fn install(folder: &Path, package: &str) -> Option<()> {
    fs::create_dir_all(folder).ok()?;
    // A package file keeps npm from looking for one in the folders above.
    fs::write(folder.join("package.json"), "{\"private\":true}").ok()?;
    let _installed = Command::new("npm")
        .current_dir(folder)
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel", "error", package])
        .output();
    Some(())
}

fn tool(program: PathBuf, origin: &str) -> Option<Tool> {
    let output = Command::new(&program).arg("--version").output().ok().filter(|output| output.status.success())?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(Tool { program, name: format!("{version}, {origin}") })
}

impl Tool {
    /// Optimises for size and keeps the names.
    pub(crate) fn run(&self, wasm: &[u8], folder: &Path) -> Result<Vec<u8>> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let (from, to) = (folder.join("in.wasm"), folder.join("out.wasm"));
        fs::write(&from, wasm).map_err(at(&from))?;
        let features = [
            "simd",
            "bulk-memory",
            "sign-ext",
            "mutable-globals",
            "nontrapping-float-to-int",
            "reference-types",
            "multivalue",
        ];
        let output = Command::new(&self.program)
            // The lowest kilobyte is the far end of the stack, where no pointer is computed to: places may be folded.
            // What unpacks Zstandard stays a function of its own, so that it can be in the second part.
            .args(["--no-inline=*unzstd*", "-Oz", "--low-memory-unused", "-g"])
            .args(features.iter().map(|feature| format!("--enable-{feature}")))
            .arg(&from)
            .arg("-o")
            .arg(&to)
            .output()
            .map_err(at(&self.program))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::Tool { tool: "wasm-opt", output: said });
        }
        let optimised = fs::read(&to).map_err(at(&to))?;
        let _gone = (fs::remove_file(&from), fs::remove_file(&to));
        Ok(optimised)
    }
}
