//! Puts the viewer's bundle where the server embeds it, precompressed.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use size_budget::{bundle, measure, patterns};

fn main() {
    if let Err(error) = run() {
        eprintln!("the viewer's bundle could not be built: {error}");
        process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let viewer = out.join("viewer");
    fs::create_dir_all(&viewer)?;
    println!("cargo::rerun-if-env-changed=BODKIN_VIEWER_DIR");
    println!("cargo::rerun-if-env-changed=WASM_OPT");
    println!("cargo::rerun-if-env-changed={}", bundle::MANNER);
    for source in bundle::SOURCES {
        println!("cargo::rerun-if-changed={}", bundle::workspace().join(source).display());
    }
    let target = target_directory(&out);
    let (js, wasm, more) = match env::var_os("BODKIN_VIEWER_DIR") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            let read = |name: &str| fs::read(folder.join(name));
            (read("bodkin.js")?, read("bodkin.wasm")?, read("bodkin-more.wasm")?)
        }
        None => {
            let bundle = bundle::build(&target)?;
            if bundle.optimiser.is_none() && env::var_os(bundle::MANNER).is_none() {
                println!(
                    "cargo::warning=wasm-opt was not found: the viewer works, but is about a fifth larger. Remedy: {}",
                    bundle::WASM_OPT_REMEDY
                );
            }
            (bundle.js, bundle.wasm, bundle.more)
        }
    };
    let worker = bundle::WORKER.as_bytes().to_vec();
    let files = [("bodkin.js", js), ("bodkin-worker.js", worker), ("bodkin.wasm", wasm), ("bodkin-more.wasm", more)];
    for (name, bytes) in files {
        write(&viewer, name, &bytes)?;
    }
    // The pattern page's own module; nothing when it is there already.
    let beside = patterns::build(&target)?;
    for name in patterns::FILES {
        write(&viewer, name, &fs::read(beside.join(name))?)?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    // Compression at the highest quality takes seconds: only when the bytes have changed.
    let plain = folder.join(name);
    let (gz, br) = (folder.join(format!("{name}.gz")), folder.join(format!("{name}.br")));
    if fs::read(&plain).is_ok_and(|old| old == bytes) && gz.exists() && br.exists() {
        return Ok(());
    }
    fs::write(gz, measure::gzip(bytes))?;
    fs::write(br, measure::brotli(bytes))?;
    fs::write(plain, bytes)
}

/// The target directory that this build script's output lies in.
fn target_directory(out: &Path) -> PathBuf {
    // target/<profile>/build/<package>/out, with a target triple between when one is given.
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let profile = build.and_then(Path::parent);
    let above = profile.and_then(Path::parent).unwrap_or(out);
    match above.file_name() {
        Some(name) if name.to_string_lossy().matches('-').count() >= 2 => above.parent().unwrap_or(above).to_owned(),
        _ => above.to_owned(),
    }
}
