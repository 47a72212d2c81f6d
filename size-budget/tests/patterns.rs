//! What `docs/patterns.md` names is there: the file, and the test in one of the trees of tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fs;
use std::path::Path;

use size_budget::bundle::workspace;

fn texts(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            texts(&path, all);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// What stands in backticks.
fn named(cell: &str) -> Option<&str> {
    cell.trim().strip_prefix('`')?.split_once('`').map(|(name, _)| name)
}

#[test]
fn every_pattern_names_what_is_there() {
    let root = workspace();
    let mut code = String::new();
    for part in ["kernels", "wire", "edge-server", "wasm-view", "benches"] {
        texts(&root.join(part), &mut code);
    }
    let table = fs::read_to_string(root.join("docs/patterns.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| id"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 40, "{} patterns", rows.len());
    for row in rows {
        let [_, id, _, place, test, state, _] = row.as_slice() else { panic!("not a row of five: {row:?}") };
        if let Some(place) = named(place) {
            assert!(
                root.join(place).is_file(),
                "{id}: there is no {place}. Remedy: name where it is now in docs/patterns.md"
            );
        }
        if let Some(test) = named(test) {
            assert!(
                code.contains(&format!("fn {test}(")),
                "{id}: there is no test {test}. Remedy: name the one that holds it now in docs/patterns.md"
            );
        }
        assert!(named(place).is_some() || *state == "to come", "{id}: no place, and yet it is \"{state}\"");
    }
}
