//! The viewer's page, opened and asked: what the tests of the page share.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use edge_server::source::{self, Table};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cdp::{Browser, Page};
use crate::common::Served;

pub(crate) const VIEWER: &str = "document.querySelector('bodkin-table')";
pub(crate) const ROWS: usize = 336_776;

pub(crate) fn screenshots() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots")
}

/// What a call of the element gives, once the rows that were asked for are shown.
pub(crate) fn viewer(page: &mut Page, call: &str) -> Value {
    page.eval(&format!("(async () => {{ await {VIEWER}.settled?.(); return {VIEWER}.{call}; }})()"))
}

pub(crate) fn loaded(page: &mut Page) {
    page.wait_for(&format!("{VIEWER}?.state?.().loading === false && {VIEWER}.state().rowsLoaded > 0"));
}

/// Types into the filter box of a column and waits for the rows to follow.
pub(crate) fn filter(page: &mut Page, column: &str, text: &str) {
    let find = format!("{VIEWER}.shadowRoot.querySelector('[data-filter={column}]')");
    page.click_on(&format!("{find}.getBoundingClientRect()"), 0);
    page.eval(&format!("{find}.select()"));
    page.type_text(text);
    page.press("Enter", 13, 0);
    page.wait_for(&format!("({VIEWER}.state().filters.{column} ?? '') === {}", json!(text)));
}

/// The sample in a page of its own; server and browser end when they are dropped.
pub(crate) fn open(width: u32, height: u32) -> (Served, Browser, Page) {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(width, height);
    page.colour_scheme("light");
    page.goto(&server.url("/"));
    loaded(&mut page);
    (server, browser, page)
}

/// The middle of a cell.
pub(crate) fn cell(page: &mut Page, row: usize, column: &str) -> (f64, f64) {
    page.centre(&format!("{VIEWER}.cellRect({row}, '{column}')"))
}

/// A point in a header, beside its name.
pub(crate) fn header(page: &mut Page, column: &str) -> (f64, f64) {
    page.centre(&format!("{VIEWER}.headerRect('{column}')"))
}

/// A point on the right edge of a header.
pub(crate) fn edge(page: &mut Page, column: &str) -> (f64, f64) {
    let rect = viewer(page, &format!("headerRect('{column}').toJSON()"));
    (rect["right"].as_f64().unwrap() - 1.0, rect["top"].as_f64().unwrap() + 20.0)
}

/// Names of the columns in the order of the screen.
pub(crate) fn shown_names(page: &mut Page) -> Vec<String> {
    let names = viewer(page, "state().shown");
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// An expression for the element in the viewer that a selector finds and whose text is this, if one is given.
pub(crate) fn part(selector: &str, text: &str) -> String {
    format!(
        "[...{VIEWER}.shadowRoot.querySelectorAll('{selector}')].find(e => '{text}' === '' || (e.querySelector(':scope > span') ?? e).textContent === '{text}')"
    )
}

/// Clicks an element of the viewer.
pub(crate) fn click_part(page: &mut Page, selector: &str, text: &str) {
    let part = part(selector, text);
    page.wait_for(&format!("Boolean({part})"));
    page.click_on(&format!("{part}.getBoundingClientRect()"), 0);
}

/// Waits until what the element of a selector says holds a text.
pub(crate) fn says(page: &mut Page, selector: &str, text: &str) {
    let part = part(selector, "");
    page.wait_for(&format!("({part}?.textContent ?? '').includes({})", json!(text)));
}

/// Pictures in both colours and at two densities of the screen, for people to look at.
pub(crate) fn pictures(page: &mut Page, name: &str) {
    for scheme in ["dark", "light"] {
        page.colour_scheme(scheme);
        for scale in [1, 2] {
            page.size(1280, 800, scale);
            page.screenshot(&screenshots().join(format!("{name}-{scheme}-{scale}.png")));
        }
    }
}

/// A page of the server's origin with nothing in it.
pub(crate) fn nothing(page: &mut Page, server: &Served) {
    page.goto(&server.url("/page.css"));
    page.wait_for("document.readyState === 'complete' && location.pathname === '/page.css'");
    page.eval("document.body.replaceChildren()");
}

/// Gives a page the viewer's script, as `bodkin`.
pub(crate) fn import(page: &mut Page) {
    page.eval("import('/viewer/bodkin.js').then(m => { window.bodkin = m; })");
}

/// The page has said nothing bad, but for the icon that such a page does not have.
pub(crate) fn is_content(page: &mut Page) {
    page.complaints.retain(|complaint| !complaint.contains("favicon.ico"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

/// Shows a batch as a file that was opened.
pub(crate) fn show(page: &mut Page, batch: &RecordBatch) {
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    page.eval(&format!("{VIEWER}.open(new File([new Uint8Array({})], 'batch.arrow'))", json!(bytes)));
    page.wait_for(&format!("!{VIEWER}.state().loading && {VIEWER}.state().rowsLoaded === {}", batch.num_rows()));
}

/// Serves a batch as a file of a folder.
pub(crate) fn serve(folder: &TempDir, name: &str, batch: &RecordBatch) -> Served {
    let path = folder.path().join(name).with_extension("arrow");
    let mut writer = FileWriter::try_new(std::fs::File::create(&path).unwrap(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    Served::tables(vec![Table { name: name.to_owned(), source: source::open(&path).unwrap() }])
}
