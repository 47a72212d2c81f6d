//! Scripts made small: by esbuild, a pinned npm package that comes by itself where npm is; without it comments and
//! indentation go, and the bundle works as well.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::optimise::install;
use crate::{Error, Result, measure};

/// The version of the npm package `esbuild`.
const PINNED: &str = "0.28.2";

/// Makes a module smaller; its exports keep their names.
///
/// # Errors
/// [`Error::Tool`] with what esbuild said.
pub(crate) fn minify(script: &str, target: &Path) -> Result<String> {
    let Some(program) = find(target) else { return Ok(measure::compact_script(script)) };
    let failed = |said: String| Error::Tool { tool: "esbuild", output: said };
    let mut child = Command::new(program)
        .args(["--minify", "--format=esm", "--target=es2022", "--legal-comments=none", "--loader=js"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    // It reads everything before it writes.
    if let Some(mut input) = child.stdin.take() {
        input.write_all(script.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
}

/// Finds or installs esbuild: `$ESBUILD`, else the pinned package under `target/tools-script`.
fn find(target: &Path) -> Option<PathBuf> {
    if let Some(program) = env::var_os("ESBUILD") {
        return Some(PathBuf::from(program));
    }
    let tools = target.join("tools-script");
    let program = tools.join("node_modules/esbuild/bin/esbuild");
    if !program.exists() {
        install(&tools, &format!("esbuild@{PINNED}"))?;
    }
    program.exists().then_some(program)
}
