//! The main ways through the viewer in Firefox. Where it is not installed these tests say so and pass, unless `INTEROP` is
//! `required`.

use edge_server::live::Store;
use serde_json::{Value, json};
use wire::update::Change;

use crate::bidi::{CONTROL, DOWN, END, ENTER, ESCAPE, Firefox};
use crate::common::Served;
use crate::drive::{ROWS, VIEWER, part, screenshots};
use crate::opening::{dragging, file};
use crate::tables::{change, definition, make, rows};

/// What a call of the element gives, once the rows that were asked for are shown.
fn viewer(page: &mut Firefox, call: &str) -> Value {
    page.eval(&format!("(async () => {{ await {VIEWER}.settled(); return {VIEWER}.{call}; }})()"))
}

fn click_part(page: &mut Firefox, selector: &str, text: &str) {
    let part = part(selector, text);
    page.wait_for(&format!("Boolean({part})"));
    page.click_on(&format!("{part}.getBoundingClientRect()"));
}

fn loaded(page: &mut Firefox, count: usize) {
    page.wait_for(&format!("{VIEWER}?.state?.().loading === false && {VIEWER}.state().rowsLoaded === {count}"));
}

fn picture(page: &mut Firefox, name: &str) {
    for theme in ["dark", "light"] {
        page.eval(&format!("{VIEWER}.theme = '{theme}'"));
        page.screenshot(&screenshots().join(format!("firefox-{name}-{theme}.png")));
    }
}

fn open(width: u32, height: u32) -> Option<(Served, Firefox)> {
    let server = Served::sample();
    let mut page = Firefox::launch(width, height)?;
    page.goto(&server.url("/"));
    loaded(&mut page, ROWS);
    Some((server, page))
}

#[test]
fn firefox_loads_scrolls_sorts_filters_and_groups() {
    let Some((_server, mut page)) = open(1280, 800) else { return };
    assert_eq!(viewer(&mut page, "state().engine"), "worker");
    page.wheel(500, 400, 280);
    page.wait_for(&format!("{VIEWER}.state().topRow > 4"));
    picture(&mut page, "rows");
    page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"));
    page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"));
    page.wait_for(&format!("{VIEWER}.state().sort.join() === '-dep_delay'"));
    assert_eq!(viewer(&mut page, "cells(0, 1).then(rows => rows[0][5])"), "1301");
    page.click_on(&format!("{}.getBoundingClientRect()", part("[data-filter=carrier]", "")));
    page.keys(&[], &["=UA", ENTER].concat());
    page.wait_for(&format!("{VIEWER}.state().filters.carrier === '=UA' && {VIEWER}.state().rowsShown === 58665"));
    picture(&mut page, "filtered");
    // By keyboard to the last cell.
    page.click_on(&format!("{VIEWER}.cellRect(2, 'dep_delay')"));
    page.keys(&[], DOWN);
    page.wait_for(&format!("{VIEWER}.state().selection[0] === 3"));
    page.keys(&[CONTROL], END);
    page.wait_for(&format!("{VIEWER}.state().selection[0] === 58664"));
    viewer(&mut page, "reset()");
    // The group panel, and a chart of what it groups.
    click_part(&mut page, ".bar button", "Group");
    for (which, value) in [("key", "carrier"), ("function", "mean"), ("column", "dep_delay")] {
        let select = part(&format!("[data-group={which}]"), "");
        page.eval(&format!(
            "(() => {{ const s = {select}; s.value = '{value}'; s.dispatchEvent(new Event('change')) }})()"
        ));
        viewer(&mut page, "settled()");
    }
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 16"));
    click_part(&mut page, ".bar button", "Chart");
    page.wait_for(&format!("{VIEWER}.state().chart?.kind === 'bar'"));
    picture(&mut page, "chart");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn firefox_filters_by_panels_finds_and_copies() {
    let Some((_server, mut page)) = open(1280, 800) else { return };
    page.wait_for(&format!("{VIEWER}.shadowRoot.querySelectorAll('[role=columnheader]').length > 5"));
    // The header's picture is brushed.
    page.wait_for(&format!(
        "[...{VIEWER}.shadowRoot.querySelectorAll('[role=columnheader]')].some(e => /null/.test(e.textContent))"
    ));
    let rect = page.eval(&format!("{VIEWER}.headerRect('dep_time').toJSON()"));
    let at = |name: &str| rect[name].as_f64().unwrap();
    page.drag((at("x") + 40.0, at("bottom") - 10.0), (at("x") + 70.0, at("bottom") - 10.0));
    page.wait_for(&format!("/\\d+\\.\\.\\d+/.test({VIEWER}.state().filters.dep_time ?? '')"));
    picture(&mut page, "brushed");
    viewer(&mut page, "reset()");
    // Values are checked in the panel.
    let (x, y) = page.centre(&format!("{VIEWER}.headerRect('carrier')"));
    page.click((x, y), 2);
    click_part(&mut page, "[role=menuitem]", "Filter…");
    click_part(&mut page, ".filter [data-value=UA]", "");
    page.wait_for(&format!("{VIEWER}.state().filters.carrier === '!=UA'"));
    picture(&mut page, "panel");
    page.keys(&[], ESCAPE);
    viewer(&mut page, "reset()");
    // What is selected is copied.
    viewer(&mut page, "select([0, 12], [1, 13])");
    page.eval(&format!("{VIEWER}.shadowRoot.querySelector('canvas').focus()"));
    page.keys(&[CONTROL], "c");
    page.wait_for("navigator.clipboard.readText().then(text => text === 'EWR\\tIAH\\nLGA\\tIAH\\n')");
    page.keys(&[CONTROL], "f");
    page.keys(&[], "N14228");
    let said = part(".find [role=status]", "");
    page.wait_for(&format!("/^1 of \\d+$/.test({said}?.textContent ?? '')"));
    page.keys(&[], ESCAPE);
    // What was made of the view is kept, and brought back.
    viewer(&mut page, "setSort(['-distance'])");
    viewer(&mut page, "setFilter('dest', '=HNL')");
    let kept = page.eval(&format!("JSON.stringify({VIEWER}.save())"));
    viewer(&mut page, "reset()");
    page.eval(&format!("{VIEWER}.restore(JSON.parse({kept}))"));
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 707 && {VIEWER}.state().sort.join() === '-distance'"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn firefox_shows_the_same_by_every_engine_and_keeps_it() {
    let Some((server, mut page)) = open(1000, 600) else { return };
    let mut first = None;
    for engine in ["page", "worker", "server"] {
        page.eval(&format!("{VIEWER}.engine = '{engine}'"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
        loaded(&mut page, ROWS);
        viewer(&mut page, "setSort(['-arr_delay', 'tailnum'])");
        let cells = viewer(&mut page, "cells(1000, 50)");
        assert_eq!(*first.get_or_insert(cells.clone()), cells, "{engine}");
    }
    // The second visit is from what was kept.
    page.eval(&format!("({VIEWER}.engine = null, {VIEWER}.cache = true, {VIEWER}.load({VIEWER}.src))"));
    page.wait_for(
        "(async () => { const all = await indexedDB.databases(); if (!all.length) return false; \
         const db = await new Promise(d => { const r = indexedDB.open('bodkin'); r.onsuccess = () => d(r.result) }); \
         const n = await new Promise(d => { const r = db.transaction('streams').objectStore('streams').count(); \
         r.onsuccess = () => d(r.result) }); db.close(); return n === 1 })()",
    );
    let again = format!(
        "new Promise(done => {{ {VIEWER}.addEventListener('bodkin-load', e => done(e.detail.cached), {{once: true}}); \
         {VIEWER}.load({VIEWER}.src) }})"
    );
    assert_eq!(page.eval(&again), true);
    // A file of this computer.
    page.eval(&format!("{VIEWER}.open(new File(['a,b\\n1,x\\n2,y\\n'], 't.csv'))"));
    loaded(&mut page, 2);
    assert_eq!(viewer(&mut page, "cells(0, 9)"), json!([["1", "x"], ["2", "y"]]));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    drop(server);
}

#[test]
fn firefox_follows_a_live_table() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "prices", &definition(true, json!({})));
    change(&server, "prices", Change::Append(rows(&[(1, "ash", 1.0), (2, "birch", 2.0)])));
    let Some(mut page) = Firefox::launch(1000, 600) else { return };
    page.goto(&server.url("/"));
    for (engine, id) in [("worker", 3), ("page", 4), ("server", 5)] {
        page.eval(&format!("{VIEWER}.engine = '{engine}'"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}' && {VIEWER}.state().live?.state === 'live'"));
        change(&server, "prices", Change::Upsert(rows(&[(id, "cedar", 3.0), (1, "ash", f64::from(id as i32))])));
        page.wait_for(&format!("{VIEWER}.state().rowsShown === {id}"));
        page.wait_for(&format!("{VIEWER}.cells(0, 1).then(cells => cells[0][2] === '{id}')"));
    }
    picture(&mut page, "live");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn firefox_opens_a_file_that_is_chosen_and_one_that_is_dropped() {
    let Some((_server, mut page)) = open(1000, 600) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, "name,born\nAnn,1990-02-28\nBo,1985-12-01\nCy,\n").unwrap();
    // The button makes an input; the file is given to that as by its dialog, which nobody can see here.
    page.eval(
        "(HTMLInputElement.prototype.click = function () { window.chosen = this; document.body.append(this) }, 1)",
    );
    click_part(&mut page, ".bar button", "Open");
    page.wait_for("Boolean(window.chosen)");
    page.choose("window.chosen", &path);
    page.eval("(chosen.remove(), 1)");
    loaded(&mut page, 3);
    assert_eq!(viewer(&mut page, "cells(0, 9)"), json!([["Ann", "1990-02-28"], ["Bo", "1985-12-01"], ["Cy", null]]));
    assert_eq!(viewer(&mut page, "state().columns[1].type"), "date");
    // Another is dragged here: a sign says what would come of it, and goes with the file.
    let other = file("other.csv", b"a;b\n1;x\n2;y\n");
    page.eval(&dragging(&other, false));
    page.wait_for(&format!("{}.hidden === false", part(".drop", "")));
    picture(&mut page, "drop");
    page.eval(&dragging(&other, true));
    loaded(&mut page, 2);
    page.wait_for(&format!("{}.hidden", part(".drop", "")));
    assert_eq!(viewer(&mut page, "cells(0, 9)"), json!([["1", "x"], ["2", "y"]]));
    picture(&mut page, "dropped");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
