//! What `docs/patterns.md` names is there: the file, the test in one of the trees of tests, and the card on the pattern page; and
//! every card of the page is named.
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

/// The ids of the cards, from the scripts of the page: `card('1.1', …`.
fn cards(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let ids = text.lines().filter_map(|line| line.strip_prefix("card('")?.split_once('\'').map(|(id, _)| id));
        found.extend(ids.map(str::to_owned));
    }
    found
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
    let mut cards = cards(&root.join("edge-server/page/patterns"));
    for row in rows {
        let [_, id, _, place, test, card, state, _] = row.as_slice() else { panic!("not a row of six: {row:?}") };
        if let Some(anchor) = named(card) {
            let known = cards.iter().position(|card| anchor.strip_prefix("#p-") == Some(card));
            cards.remove(known.unwrap_or_else(|| panic!("{id}: there is no card {anchor}, or two rows have it")));
        }
        let is_seen = state.starts_with("page");
        assert_eq!(named(card).is_some(), is_seen, "{id}: a card that was not seen, or seen without one");
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
    assert!(cards.is_empty(), "cards that no row names: {cards:?}");
}
