//! Nothing in a document is believed: each fenced block is run, opened, compiled or read by what it is meant for.
//!
//! [`WAYS`] says how, for each document and language. A block that it does not name fails the first test, so that none is left
//! out unseen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test stops where it fails, and uses its part of what tests share"
)]

#[path = "browser/cdp.rs"]
mod cdp;
#[path = "documents/clients.rs"]
mod clients;
mod common;
#[path = "browser/drive.rs"]
mod drive;
#[path = "documents/fences.rs"]
mod fences;
#[path = "documents/links.rs"]
mod links;
#[path = "documents/numbers.rs"]
mod numbers;
#[path = "documents/pages.rs"]
mod pages;
#[path = "documents/shell.rs"]
mod shell;
#[path = "package/site.rs"]
mod site;

use size_budget::bundle::workspace;

/// What is done with a block.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Run by bash in a folder of its own, beside a server (`documents/shell.rs`).
    Shell,
    /// The server's settings, its tokens, what is said over a WebSocket, a query, a follower's program: given to the server of
    /// the same test.
    Server,
    /// What the block before it prints; or a block that such a one follows (`documents/clients.rs`).
    Client,
    /// Opened or run in the browser (`documents/pages.rs`).
    Page,
    /// Run or compiled by the test of this file, which names the document.
    Elsewhere(&'static str),
    /// Not run, for this reason.
    Shown(&'static str),
}

/// Document, language, way. The first line that fits holds; `*` is any document.
const WAYS: [(&str, &str, Way); 17] = [
    ("docs/clients.md", "text", Way::Client),
    ("docs/clients.md", "python", Way::Client),
    ("docs/clients.md", "js", Way::Client),
    ("docs/clients.md", "sh", Way::Client),
    ("docs/server.md", "toml", Way::Server),
    ("docs/server.md", "conf", Way::Server),
    ("docs/server.md", "text", Way::Server),
    ("docs/server.md", "python", Way::Server),
    ("docs/wire.md", "text", Way::Server),
    ("kernels/README.md", "rust", Way::Elsewhere("kernels/src/lib.rs")),
    ("README.md", "rust", Way::Elsewhere("edge-server/src/lib.rs")),
    ("size-budget/README.md", "*", Way::Elsewhere("size-budget/tests/readme.rs")),
    ("*", "sh", Way::Shell),
    ("*", "html", Way::Page),
    ("*", "js", Way::Page),
    ("*", "tsx", Way::Elsewhere("edge-server/tests/package.rs")),
    ("docs/architecture.md", "text", Way::Shown("a drawing")),
];

fn way(fence: &fences::Fence) -> Option<Way> {
    let fits = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    let (_, _, way) = WAYS.iter().find(|way| fits(way.0, &fence.document) && fits(way.1, &fence.language))?;
    // A command that prints nothing which a document would show.
    let is_silent = fence.language == "sh" && *way == Way::Client && !is_followed(fence);
    Some(if is_silent { Way::Shell } else { *way })
}

/// Whether the next block is what this one prints.
fn is_followed(fence: &fences::Fence) -> bool {
    let next = fences::of(&fence.document).into_iter().find(|other| other.line > fence.line);
    next.is_some_and(|next| next.language == "text")
}

#[test]
fn every_block_of_every_document_is_run_somewhere() {
    let all = fences::all();
    for fence in &all {
        let (place, language) = (fence.place(), &fence.language);
        let Some(way) = way(fence) else {
            panic!(
                "{place}: nothing runs this block of {language:?}. Remedy: name its language behind the backticks (sh, html, js, \
                 tsx are run everywhere), or add a line to WAYS in edge-server/tests/documents.rs that says how it is run"
            );
        };
        if let Way::Elsewhere(file) = way {
            let text = std::fs::read_to_string(workspace().join(file)).unwrap();
            let name = fence.document.rsplit('/').next().unwrap();
            assert!(text.contains(name), "{place}: {file} is to run this block, and does not name {name}");
        }
        if way == Way::Client {
            let is_printed = language == "text" || is_followed(fence);
            assert!(
                is_printed,
                "{place}: what does it print? Remedy: put that under it, as a block of text; the test compares"
            );
        }
    }
    for (document, language, _) in WAYS {
        let fits = |fence: &fences::Fence| {
            (document == "*" || fence.document == document) && (language == "*" || fence.language == language)
        };
        assert!(all.iter().any(fits), "WAYS names {language} of {document}, and there is no such block");
    }
}
