//! The viewer as an npm package: a folder that `npm publish` takes as it is.
//!
//! The bundle's files, the types that are written by hand beside the scripts, and what stands in `wasm-view/npm`. The
//! worker's script is another one than the server's, which takes all from `bodkin.js`: bundlers give that script another name
//! and add to it what is no worker's, so the package's has all that it needs in itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bundle::{self, Bundle};
use crate::error::at;
use crate::{Error, Result, measure};

/// The version of the workspace, and what stands in its place in `package.json`.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PLACE: &str = "\"version\": \"0.0.0\"";
/// What the worker is made of, after the glue.
const WORKER: &str = "bodkin-worker.js";
const WORKER_SCRIPTS: [&str; 5] = ["more.js", "tools.js", "load.js", "cache.js", "serve.js"];

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
    put("bodkin-more.wasm", &bundle.more)?;
    for (from, name) in COPIED {
        put(name, &read(&root.join(from))?)?;
    }
    let mut worker = read(&bundle.folder.join("glue.js"))?;
    for name in WORKER_SCRIPTS {
        worker.extend_from_slice(b"\n");
        worker.extend_from_slice(&read(&root.join("wasm-view/js").join(name))?);
    }
    worker.extend_from_slice(b"\nserve();\n");
    put(WORKER, measure::compact_script(&String::from_utf8_lossy(&worker)).as_bytes())?;
    put("package.json", manifest(&read(&root.join("wasm-view/npm/package.json"))?)?.as_bytes())?;
    Ok(written)
}

/// The package's description with the version of the workspace.
fn manifest(template: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(template);
    if !text.contains(PLACE) {
        return Err(Error::Module(["wasm-view/npm/package.json has no ", PLACE].concat()));
    }
    Ok(text.replace(PLACE, &["\"version\": \"", VERSION, "\""].concat()))
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
            more: b"\0asm".to_vec(),
            named: Vec::new(),
            js: b"export {};".to_vec(),
            optimiser: None,
            folder: kept.join("bundle"),
        };
        fs::create_dir_all(&bundle.folder).unwrap();
        fs::write(bundle.folder.join("glue.js"), "// The glue.\nclass Viewer {}\n").unwrap();
        let folder = kept.join("npm");
        let written = write(&bundle, &folder).unwrap();
        let text = fs::read_to_string(folder.join("package.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["version"], VERSION);
        assert_eq!(manifest["license"], "Apache-2.0");
        // Whoever resolves takes the first that fits: types stand first.
        assert!(text.contains("\"types\": \"./bodkin.d.ts\",\n      \"default\""), "{text}");
        // All that is exported or listed is there, and all that is there is listed, or is always taken along.
        let listed: Vec<&str> =
            manifest["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
        for name in &listed {
            assert!(folder.join(name).exists(), "{name}");
        }
        for path in written {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let always = ["README.md", "LICENSE", "package.json"].contains(&name.as_str());
            assert!(always || listed.contains(&name.as_str()), "{name}");
        }
        let worker = fs::read_to_string(folder.join(WORKER)).unwrap();
        assert!(worker.starts_with("class Viewer {}\n") && worker.ends_with("\nserve();\n"));
        assert!(!worker.contains("import ") && !worker.contains("new Worker"), "the worker needs another file");
        fs::remove_dir_all(kept).unwrap();
    }
}
