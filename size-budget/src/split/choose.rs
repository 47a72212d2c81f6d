//! Which functions are in the first part: what the manifest calls first, and all that is reached from there, up to where it
//! says that the way is cut.

use std::path::Path;

use serde::Deserialize;

use super::whole::Whole;
use crate::error::at;
use crate::{Error, Result};

/// What of a module comes first, by names. Each is looked for within the name that people write, hashes of crates left out; one
/// that begins and ends with a quotation mark is the whole name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Exports that are called before anything is asked. One that ends with `*` is any that begins so.
    pub exports: Vec<String>,
    /// Methods and closures that are called by their address before anything is asked.
    pub pointers: Vec<String>,
    /// Functions of the second part, although first ones call them: they are not called before something is asked.
    pub later: Vec<String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Budget`] when it is none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(at(path))?;
        toml::from_str(&text).map_err(|error| Error::Budget { path: path.to_owned(), reason: error.to_string() })
    }
}

/// By function, whether it is in the first part. Imported ones are. An export that is named and not there is an error, so that
/// the manifest does not grow old.
pub(super) fn choose(whole: &Whole<'_>, manifest: &Manifest) -> Result<Vec<bool>> {
    let lost = |wanted: &&String| !whole.exports.iter().any(|export| is_called(export.name, wanted));
    let lost: Vec<&str> = manifest.exports.iter().filter(lost).map(String::as_str).collect();
    if !lost.is_empty() {
        return Err(Error::Module(
            ["its first part is to have exports that are not there: ", &lost.join(", ")].concat(),
        ));
    }
    let names: Vec<String> = (0..whole.n_functions() as u32).map(|function| whole.readable(function)).collect();
    let is_later: Vec<bool> = names.iter().map(|name| is_named(name, &manifest.later)).collect();
    let exported = whole.exports.iter().filter_map(|export| Some((Whole::exported(export)?, export.name)));
    let first = exported.filter(|(_, name)| manifest.exports.iter().any(|wanted| is_called(name, wanted)));
    let pointed = whole.slots.iter().flatten().copied();
    let pointed = pointed.filter(|&function| is_named(&names[function as usize], &manifest.pointers));
    let mut stack: Vec<u32> = first.map(|(function, _)| function).chain(pointed).chain(whole.start).collect();
    let mut chosen = vec![false; whole.n_functions()];
    while let Some(function) = stack.pop() {
        let at = function as usize;
        if chosen[at] || is_later[at] {
            continue;
        }
        chosen[at] = true;
        if let Some(body) = whole.body(function) {
            stack.extend_from_slice(&body.calls);
        }
    }
    chosen.iter_mut().take(whole.n_imported as usize).for_each(|chosen| *chosen = true);
    Ok(chosen)
}

fn is_called(name: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(name == wanted, |beginning| name.starts_with(beginning))
}

fn is_named(name: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|wanted| match wanted.strip_prefix('"').and_then(|wanted| wanted.strip_suffix('"')) {
        Some(wanted) => name == wanted,
        None => name.contains(wanted.as_str()),
    })
}
