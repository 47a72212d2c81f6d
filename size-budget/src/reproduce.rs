//! Whether the same sources give the same bytes in another folder.
//!
//! The workspace is copied to two folders whose names have different lengths, each is built from nothing, and the
//! modules and scripts are compared. Where they differ, the section and the functions are named.

use std::path::{Path, PathBuf};
use std::{env, fs};

use wasmparser::{Parser, Payload};

use crate::error::at;
use crate::recipe::{Made, Recipe};
use crate::{Error, Result, bundle, module, optimise};

/// Folders that are no source.
const SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "__pycache__"];

/// Builds twice and says where the results differ; nothing when they are equal. `told` is called before each step.
///
/// # Errors
/// As [`bundle::build`].
pub fn reproduce(root: &Path, target: &Path, told: &mut dyn FnMut(&str)) -> Result<Vec<String>> {
    let tool =
        optimise::find(target).ok_or(Error::MissingTool { tool: "wasm-opt", remedy: bundle::WASM_OPT_REMEDY })?;
    let mut made: Vec<(Made, String)> = Vec::new();
    for name in ["one", "another-of-a-longer-name"] {
        let folder = env::temp_dir().join(format!("size-budget-{}", std::process::id())).join(name);
        told(&format!("building in {}", folder.display()));
        let built = built_in(root, &folder, &tool);
        let _gone = fs::remove_dir_all(&folder);
        made.push(built?);
    }
    let [(one, one_script), (another, another_script)] = made.as_slice() else { return Ok(Vec::new()) };
    let mut found = compare(&module::strip(&one.named)?, &module::strip(&another.named)?)?;
    if found.is_empty() && one.named != another.named {
        found.push("the module's names".to_owned());
    } else if !found.is_empty() {
        found.extend(functions(&one.named, &another.named)?);
    }
    if one_script != another_script {
        let line = one_script.lines().zip(another_script.lines()).position(|(one, another)| one != another);
        found.push(format!("the script, from line {} on", line.map_or(0, |line| line + 1)));
    }
    Ok(found)
}

fn built_in(root: &Path, folder: &Path, tool: &optimise::Tool) -> Result<(Made, String)> {
    copy(root, folder)?;
    let target = folder.join("target");
    let made = Recipe { root: folder.to_owned(), target, features: None, quick: false }.make(Some(tool))?;
    let script = bundle::script(folder, &made.glue)?;
    Ok((made, script))
}

/// Copies sources, folder by folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(at(to))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let path: PathBuf = entry.map_err(at(from))?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                copy(&path, &to.join(name))?;
            }
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// The sections in which two modules differ.
///
/// # Errors
/// [`Error::Module`] when one cannot be read.
pub fn compare(one: &[u8], another: &[u8]) -> Result<Vec<String>> {
    if one == another {
        return Ok(Vec::new());
    }
    let (one, another) = (sections(one)?, sections(another)?);
    let mut found = Vec::new();
    if one.len() != another.len() {
        found.push(format!("the number of sections: {} and {}", one.len(), another.len()));
    }
    for ((name, bytes), (_, others)) in one.iter().zip(&another) {
        if bytes != others {
            let at = bytes.iter().zip(others).position(|(one, another)| one != another);
            let at = at.unwrap_or(bytes.len().min(others.len()));
            found.push(format!("{name}: {} and {} bytes, from byte {at} of it on", bytes.len(), others.len()));
        }
    }
    Ok(found)
}

fn sections(module: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut sections = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|error| Error::Module(error.to_string()))?;
        if let Some((id, range)) = payload.as_section() {
            let bytes = module.get(range.start as usize..range.end as usize).unwrap_or(&[]).to_vec();
            let name = match &payload {
                Payload::CodeSectionStart { .. } => "the code".to_owned(),
                Payload::DataSection(_) => "the data".to_owned(),
                _ => format!("section {id}"),
            };
            sections.push((name, bytes));
        }
    }
    Ok(sections)
}

/// The first functions whose sizes differ, by name.
fn functions(one: &[u8], another: &[u8]) -> Result<Vec<String>> {
    let named = |module: &[u8]| -> Result<Vec<(String, usize)>> {
        let contents = module::read(module)?;
        let mut named: Vec<_> =
            contents.functions.into_iter().map(|function| (function.name, function.bytes)).collect();
        named.sort();
        Ok(named)
    };
    let (one, another) = (named(one)?, named(another)?);
    let only = |of: &[(String, usize)], other: &[(String, usize)]| -> Vec<String> {
        let missing = of.iter().filter(|function| other.binary_search(function).is_err());
        missing.take(5).map(|(name, bytes)| format!("{name} ({bytes} bytes)")).collect()
    };
    let mut found = Vec::new();
    for (which, names) in [("first", only(&one, &another)), ("second", only(&another, &one))] {
        found.extend(names.into_iter().map(|name| format!("only in the {which}: {name}")));
    }
    Ok(found)
}
