//! Links of the documents lead somewhere, and the files that they name are there.

use std::fs;
use std::path::{Path, PathBuf};

use size_budget::bundle::workspace;

/// All files of the repository, from its root.
fn tree(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["target", "node_modules", ".git", "__pycache__"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            tree(&path, found);
        } else {
            found.push(path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned());
        }
    }
}

fn documents() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    tree(&workspace(), &mut files);
    files.sort();
    let documents = files.into_iter().filter(|name| name.ends_with(".md"));
    documents.map(|name| (workspace().join(&name), fs::read_to_string(workspace().join(&name)).unwrap())).collect()
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What a heading is called in a link, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn links_lead_to_what_is_there() {
    let mut links = 0;
    for (path, text) in documents() {
        let text = prose(&text);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: the link {link} leads nowhere", path.display());
            if !heading.is_empty() {
                let other = prose(&fs::read_to_string(&target).unwrap());
                let is_there = other.lines().any(|line| line.starts_with('#') && anchor(line) == heading);
                assert!(is_there, "{}: {} has no heading for the link {link}", path.display(), target.display());
            }
            links += 1;
        }
    }
    assert!(links > 40, "{links}");
}

#[test]
fn files_that_documents_name_are_there() {
    let mut files = Vec::new();
    tree(&workspace(), &mut files);
    // What is named but made, not kept: by the build, by the reader, by the server.
    let made = ["bodkin.js", "bodkin-worker.js", "glue.js", "app.js", "page.js"];
    let mut named = 0;
    for (path, text) in documents() {
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        let text = prose(&text);
        for word in text.split('`').skip(1).step_by(2).filter_map(|code| code.split_whitespace().last()) {
            let is_source = [".rs", ".js", ".mjs", ".py", ".sh", ".service"].iter().any(|kind| word.ends_with(kind));
            if !is_source || made.contains(&word) || word.starts_with(['/', '.']) {
                continue;
            }
            let is_there = files.iter().any(|file| file == word || file.ends_with(&format!("/{word}")));
            assert!(is_there, "{}: it names `{word}`, and there is no such file", path.display());
            named += 1;
        }
    }
    assert!(named > 80, "{named}");
}
