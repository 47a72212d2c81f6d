//! Every block of `docs/clients.md`, run against a server: what it prints must be what stands under it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::Served;
use edge_server::http::Tables;
use edge_server::live::Store;
use edge_server::source::{self, Table};

const DOCUMENT: &str = include_str!("../../docs/clients.md");

/// Where the peers of the interoperation tests are, which speak to the server here. `INTEROP=required` makes it a fault
/// that there are none.
fn peers() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join("target")).unwrap_or_default(),
        PathBuf::from,
    );
    let folder = target.join("interop");
    if folder.join("venv/bin/python").exists() && folder.join("node_modules/apache-arrow").exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("INTEROP").is_none_or(|value| value != "required"), "no peers in {}", folder.display());
    println!("skipped: no peers in {}; `.ci/test` installs them", folder.display());
    None
}

/// A block of code and what it prints.
struct Block {
    language: &'static str,
    code: &'static str,
    prints: &'static str,
    line: usize,
}

/// The blocks that something is printed under.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = DOCUMENT;
    let mut before: Option<(&str, &str, usize)> = None;
    while let Some(start) = rest.find("```") {
        let line = DOCUMENT[..DOCUMENT.len() - rest.len() + start].lines().count() + 1;
        let (language, body) = rest[start + 3..].split_once('\n').unwrap();
        let (text, after) = body.split_once("```").unwrap();
        match (language, before.take()) {
            ("text", Some((language, code, line))) => blocks.push(Block { language, code, prints: text, line }),
            _ => before = Some((language, text, line)),
        }
        rest = after;
    }
    blocks
}

#[test]
fn every_client_prints_what_the_document_says() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = Table { name: "flights".to_owned(), source: source::open(&common::sample()).unwrap() };
    let store = Store::open(&folder.path().join("live")).unwrap();
    let server = Served::serve(Tables::try_new(vec![table]).unwrap().with_live(store).unwrap());
    // Modules of Node are looked for beside the script.
    let script = peers.join("client.mjs");
    let mut languages = std::collections::BTreeMap::new();
    for Block { language, code, prints, line } in blocks() {
        let code = code.replace("http://localhost:8080", &server.url(""));
        let mut command = match language {
            "sh" => Command::new("bash"),
            "python" => Command::new(peers.join("venv/bin/python")),
            "js" => Command::new("node"),
            other => panic!("line {line}: a block of {other} has something printed under it"),
        };
        if language == "js" {
            std::fs::write(&script, &code).unwrap();
            command.arg(&script);
        } else {
            command.args(["-c", &code]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "line {line}: {complaint}");
        assert_eq!(said.trim_end(), prints.trim_end(), "line {line}: {complaint}");
        *languages.entry(language).or_insert(0) += 1;
    }
    assert!(languages["sh"] >= 4 && languages["python"] >= 6 && languages["js"] >= 1, "{languages:?}");
}
