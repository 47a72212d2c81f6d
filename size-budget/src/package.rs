//! The viewer as an npm package: a folder that `npm publish` takes as it is.
//!
//! Nothing is made here but the version: the bundle's files, the types that are written by hand beside the scripts, and
//! what stands in `wasm-view/npm`. The worker's script goes along when the bundle has one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bundle::{self, Bundle};
use crate::error::at;
use crate::{Error, Result};

/// The version of the workspace, and what stands in its place in `package.json`.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PLACE: &str = "\"version\": \"0.0.0\"";
/// The file list of `package.json` ends with this; the worker's script follows.
const LAST_FILE: &str = "\"react.d.ts\"";
const WORKER: &str = "bodkin-worker.js";

/// Files that are taken from the workspace, and what they are called in the package.
const COPIED: [(&str, &str); 4] = [
    ("wasm-view/js/bodkin.d.ts", "bodkin.d.ts"),
    ("wasm-view/js/react.d.ts", "react.d.ts"),
    ("wasm-view/npm/README.md", "README.md"),
    ("LICENSE", "LICENSE"),
];

/// Writes the package into a folder, and gives its files.
///
/// # Errors
/// When a file cannot be read or written, or `package.json` has no place for the version.
pub fn write(bundle: &Bundle, folder: &Path) -> Result<Vec<PathBuf>> {
    let root = bundle::workspace();
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut written = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(at(&path))?;
        written.push(path);
        Ok::<(), Error>(())
    };
    put("bodkin.js", &bundle.js)?;
    put("bodkin.wasm", &bundle.wasm)?;
    for (from, name) in COPIED {
        put(name, &read(&root.join(from))?)?;
    }
    let worker = bundle.folder.join(WORKER);
    let has_worker = worker.exists();
    if has_worker {
        put(WORKER, &read(&worker)?)?;
    }
    put("package.json", manifest(&read(&root.join("wasm-view/npm/package.json"))?, has_worker)?.as_bytes())?;
    Ok(written)
}

/// The package's description with the version of the workspace, and with the worker's script if there is one.
fn manifest(template: &[u8], has_worker: bool) -> Result<String> {
    let text = String::from_utf8_lossy(template).into_owned();
    if !text.contains(PLACE) || !text.contains(LAST_FILE) {
        return Err(Error::Module(["wasm-view/npm/package.json has no ", PLACE, " or no ", LAST_FILE].concat()));
    }
    let text = text.replace(PLACE, &["\"version\": \"", VERSION, "\""].concat());
    if !has_worker {
        return Ok(text);
    }
    let exported = ["\"./bodkin.wasm\": \"./bodkin.wasm\",\n    \"./", WORKER, "\": \"./", WORKER, "\","].concat();
    Ok(text
        .replace(LAST_FILE, &[LAST_FILE, ", \"", WORKER, "\""].concat())
        .replace("\"./bodkin.wasm\": \"./bodkin.wasm\",", &exported))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(at(path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_whole() {
        let kept = std::env::temp_dir().join(["bodkin-package-", &std::process::id().to_string()].concat());
        let bundle = Bundle {
            wasm: b"\0asm".to_vec(),
            named: Vec::new(),
            js: b"export {};".to_vec(),
            optimiser: None,
            folder: kept.join("bundle"),
        };
        let folder = kept.join("npm");
        for has_worker in [false, true] {
            if has_worker {
                fs::create_dir_all(&bundle.folder).unwrap();
                fs::write(bundle.folder.join(WORKER), "").unwrap();
            }
            let written = write(&bundle, &folder).unwrap();
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("package.json")).unwrap()).unwrap();
            assert_eq!(manifest["version"], VERSION);
            assert_eq!(manifest["license"], "Apache-2.0");
            // Whoever resolves takes the first that fits: types stand first.
            let text = fs::read_to_string(folder.join("package.json")).unwrap();
            assert!(text.contains("\"types\": \"./bodkin.d.ts\",\n      \"default\""), "{text}");
            // All that is exported or listed is there, and all that is there is listed, or is always taken along.
            let listed: Vec<&str> =
                manifest["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
            assert_eq!(listed.contains(&WORKER), has_worker);
            assert_eq!(manifest["exports"].get(["./", WORKER].concat()).is_some(), has_worker);
            for name in &listed {
                assert!(folder.join(name).exists(), "{name}");
            }
            for path in written {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let always = ["README.md", "LICENSE", "package.json"].contains(&name.as_str());
                assert!(always || listed.contains(&name.as_str()), "{name}");
            }
        }
        fs::remove_dir_all(kept).unwrap();
    }
}
