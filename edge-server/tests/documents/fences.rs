//! The fenced blocks of all documents of the repository.

use std::path::{Path, PathBuf};

use size_budget::bundle::workspace;

/// A block between two lines of three backticks.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    /// The document, from the root of the repository.
    pub(crate) document: String,
    /// The line of the first backticks, from 1.
    pub(crate) line: usize,
    /// What stands behind them.
    pub(crate) language: String,
    /// What stands between.
    pub(crate) code: String,
}

impl Fence {
    /// Where it is, as messages have it.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_ours = name != "target" && name != "node_modules" && !name.starts_with('.');
        if path.is_dir() && is_ours {
            documents(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// Of one document.
pub(crate) fn of(document: &str) -> Vec<Fence> {
    let text = std::fs::read_to_string(workspace().join(document)).unwrap();
    let mut fences: Vec<Fence> = Vec::new();
    let mut is_inside = false;
    for (at, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if is_inside => is_inside = false,
            Some(language) => {
                let (document, language) = (document.to_owned(), language.trim().to_owned());
                fences.push(Fence { document, line: at + 1, language, code: String::new() });
                is_inside = true;
            }
            None if is_inside => {
                let code = &mut fences.last_mut().unwrap().code;
                code.push_str(line);
                code.push('\n');
            }
            None => {}
        }
    }
    assert!(!is_inside, "{document}: its last fence is not closed");
    fences
}

/// Of all documents, in their order.
pub(crate) fn all() -> Vec<Fence> {
    let root = workspace();
    let mut found = Vec::new();
    documents(&root, &mut found);
    found.sort();
    found.iter().flat_map(|path| of(&path.strip_prefix(&root).unwrap().to_string_lossy())).collect()
}
