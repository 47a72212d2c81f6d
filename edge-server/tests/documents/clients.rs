//! Every block of `docs/clients.md` that something is printed under, run against a server: what it prints must be what
//! stands there.

use std::path::{Path, PathBuf};
use std::process::Command;

use edge_server::http::Tables;
use edge_server::live::Store;
use edge_server::source::{self, Table};

use crate::common::{Served, sample};
use crate::fences;

/// Where the peers of the interoperation tests are, which speak to the server here. `INTEROP=required` makes it a fault
/// that there are none.
pub(crate) fn peers() -> Option<PathBuf> {
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

#[test]
fn every_client_prints_what_the_document_says() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let store = Store::open(&folder.path().join("live")).unwrap();
    let server = Served::serve(Tables::try_new(vec![table]).unwrap().with_live(store).unwrap());
    // Modules of Node are looked for beside the script.
    let script = peers.join("client.mjs");
    let mut languages = std::collections::BTreeMap::new();
    let blocks = fences::of("docs/clients.md");
    for pair in blocks.windows(2).filter(|pair| pair[1].language == "text") {
        let (language, line, prints) = (pair[0].language.as_str(), pair[0].line, &pair[1].code);
        let code = pair[0].code.replace("http://localhost:8080", &server.url(""));
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
        *languages.entry(language.to_owned()).or_insert(0) += 1;
    }
    assert!(languages["sh"] >= 4 && languages["python"] >= 6 && languages["js"] >= 1, "{languages:?}");
}
