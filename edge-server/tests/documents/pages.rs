//! HTML and scripts of the documents, in the browser: pages are opened as they stand, scripts run as modules of a page that
//! has the viewer, its package's name and the elements that they look for.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use size_budget::bundle;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{VIEWER, loaded};
use crate::fences::{self, Fence};
use crate::site::Site;
use crate::{Way, way};

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bundle::workspace().join("target"), PathBuf::from)
}

/// The viewer where the server and the package have it, and a stream where the documents have theirs.
fn furnish(folder: &Path) {
    let built = bundle::build(&target()).unwrap();
    for place in ["viewer", "node_modules/bodkin", "v1/tables/flights"] {
        fs::create_dir_all(folder.join(place)).unwrap();
    }
    for place in ["viewer", "node_modules/bodkin"] {
        for name in ["bodkin.js", "bodkin-worker.js", "bodkin.wasm", "bodkin-more.wasm"] {
            fs::copy(built.folder.join(name), folder.join(place).join(name)).unwrap();
        }
    }
    let accept = "accept: application/vnd.apache.arrow.stream\r\n";
    let stream = Served::sample().ask("GET", "/v1/tables/flights/data", accept, b"").body;
    for name in ["flights.arrows", "v1/tables/flights/data"] {
        fs::write(folder.join(name), &stream).unwrap();
    }
}

/// A page for scripts: the package under its name, a table, and places to put things.
fn page_for_scripts(engine: &str) -> String {
    format!(
        r#"<!doctype html><meta charset="utf-8"><title>scripts</title><link rel="icon" href="data:,">
<script type="importmap">{{"imports": {{"bodkin": "/viewer/bodkin.js"}}}}</script>
<script type="module" src="/viewer/bodkin.js"></script>
<bodkin-table engine="{engine}" src="/v1/tables/flights/data" style="height: 480px"></bodkin-table>
<div id="place" style="height: 480px"></div><table><tbody></tbody></table>"#
    )
}

/// What a script takes for granted.
fn prelude(fence: &Fence) -> String {
    let mut text = "const session = { token: 'secret' };\n".to_owned();
    if !fence.code.contains("const table =") {
        text.push_str("const table = document.querySelector('bodkin-table');\n");
    }
    if fence.code.contains("parseRecordBatch") {
        text.push_str("const { parseRecordBatch } = arrowJsFFI;\n");
    }
    // Imports stand first, wherever they are written.
    text
}

/// `arrow-js-ffi` and what it makes, as globals; false when they are not there.
fn bring_reader(page: &mut Page) -> bool {
    let modules = target().join("interop/node_modules");
    for name in ["apache-arrow/Arrow.es2015.min.js", "arrow-js-ffi/dist/arrow-js-ffi.umd.js"] {
        let Ok(script) = fs::read_to_string(modules.join(name)) else {
            assert!(std::env::var_os("INTEROP").is_none_or(|value| value != "required"), "{name} is missing");
            println!("skipped: no {name}; `.ci/test` installs it");
            return false;
        };
        page.eval(&format!("{script};0"));
    }
    true
}

#[test]
fn pages_and_scripts_of_the_documents_work_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let site = Site::serve(folder.path(), Vec::new());
    let browser = Browser::launch();
    let fences = fences::all().into_iter().filter(|fence| way(fence) == Some(Way::Page)).collect::<Vec<_>>();
    assert!(fences.len() > 5, "{}", fences.len());
    for (number, fence) in fences.iter().enumerate() {
        let mut page = browser.page(900, 700);
        let name = format!("{number}.html");
        let code = fence.code.replace("http://localhost:8080", &site.url(""));
        let is_page = fence.language == "html";
        let engine = if code.contains("arrowStructs") { "page" } else { "worker" };
        let text = if is_page {
            format!(
                "<!doctype html><meta charset=\"utf-8\"><title>page</title><link rel=\"icon\" href=\"data:,\">\n{code}"
            )
        } else {
            page_for_scripts(engine)
        };
        fs::write(folder.path().join(&name), text).unwrap();
        page.goto(&site.url(&format!("/{name}")));
        loaded(&mut page);
        assert_eq!(page.eval(&format!("{VIEWER}.getBoundingClientRect().height")), 480, "{}", fence.place());
        if is_page || (code.contains("parseRecordBatch") && !bring_reader(&mut page)) {
            continue;
        }
        let script = format!("{number}.js");
        fs::write(folder.path().join(&script), prelude(fence) + &code).unwrap();
        let done = page.eval(&format!(
            "import('/{script}').then(() => {VIEWER}.settled()).then(() => 'done', (error) => String(error))"
        ));
        assert_eq!(done, json!("done"), "{}", fence.place());
        assert!(page.complaints.is_empty(), "{}: {:?}", fence.place(), page.complaints);
    }
}
