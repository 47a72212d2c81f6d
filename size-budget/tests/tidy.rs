//! The habits of the tree that no lint knows: headers, lengths, stubs, the top level, and dependencies that
//! point one way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use size_budget::bundle::workspace;

const CRATES: [&str; 6] = ["kernels", "wire", "edge-server", "wasm-view", "size-budget", "benches"];
/// A file that is longer has more than one reason to exist.
const LONGEST: usize = 600;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = workspace();
    let mut found = Vec::new();
    CRATES.iter().for_each(|name| files(&root.join(name), &mut found));
    files(&root.join("docs"), &mut found);
    found.extend(["README.md", "CHANGELOG.md", ".ci/run", ".ci/test"].map(|name| root.join(name)));
    found
        .into_iter()
        .filter(|path| {
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or("");
            matches!(kind, "rs" | "js" | "css" | "html" | "md" | "toml" | "")
        })
        .filter_map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            Some((name, fs::read_to_string(path).ok()?))
        })
        .collect()
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for (name, text) in sources() {
        assert!(
            text.lines().count() <= LONGEST || name.ends_with(".md"),
            "{name} has more than {LONGEST} lines. Remedy: it does two things; give the second a file"
        );
        if name.ends_with(".rs") {
            assert!(
                text.lines().take(5).any(|line| line.starts_with("//!")),
                "{name} has no header. Remedy: say in `//!` what it is for, and its idea"
            );
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let words =
        [["to", "do!("].concat(), ["unimple", "mented!("].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    for (name, text) in sources() {
        for word in &words {
            assert!(
                !text.contains(word.as_str()),
                "{name} holds {word}. Remedy: do it now, or say in docs/performance.md what is not reached"
            );
        }
        let machine = ["/work", "/main"].concat();
        assert!(
            !text.contains(&machine) && !text.contains(&["/ro", "ot/"].concat()),
            "{name} names a path of one machine. Remedy: a path relative to the repository"
        );
    }
}

#[test]
fn unsafe_stands_where_it_may() {
    for (name, text) in sources() {
        // A promise about bytes can only be given by unsafe code, so the test of what it does gives one; and an allocator that
        // counts is unsafe by its trait.
        let counting = "wasm-view/patterns/src/counting.rs";
        let may = ["kernels/", "benches/", "wire/tests/", counting].iter().any(|place| name.starts_with(place));
        let word = ["unsafe", " {"].concat();
        assert!(
            may || !name.ends_with(".rs") || !text.contains(&word),
            "{name} holds unsafe code. Remedy: unsafe code stands in `kernels`, each block with its proof"
        );
    }
}

#[test]
fn the_top_level_is_what_it_is_meant_to_be() {
    let expected = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "deny.toml",
        "docs",
        "edge-server",
        "kernels",
        "rust-toolchain.toml",
        "size-budget",
        "wasm-view",
        "wire",
    ];
    let mut found: Vec<String> = fs::read_dir(workspace())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    found.sort();
    assert_eq!(
        found, expected,
        "Remedy: put it into a crate or into docs, or, if it must be here, name it in this test"
    );
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = [
        ("kernels", &[] as &[&str]),
        ("wire", &["kernels"]),
        ("edge-server", &["kernels", "wire", "size-budget"]),
        ("wasm-view", &["kernels", "wire"]),
        ("wasm-view/patterns", &["kernels", "wire"]),
        ("size-budget", &[]),
        ("benches", &["kernels", "wire"]),
    ]
    .into();
    for name in CRATES.into_iter().chain(["wasm-view/patterns"]) {
        let text = fs::read_to_string(workspace().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(found) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
            for other in CRATES.iter().filter(|other| found.contains_key(**other)) {
                // A crate may ask for features of its own in its tests.
                assert!(
                    allowed[name].contains(other) || *other == name && table == "dev-dependencies",
                    "{name} depends on {other}. Remedy: dependencies point one way (docs/architecture.md)"
                );
            }
        }
    }
    let heavy = ["polars", "datafusion", "duckdb", "arrow-flight", "tonic"];
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    for name in heavy {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} has come into the default build. Remedy: peers are measured in processes of their own (benches/peers)"
        );
    }
}
