//! The table in places that pages have: without a height, narrow, low, moved about; and what it says when it cannot do what it
//! was asked for.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::Schema;
use serde_json::json;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{ROWS, VIEWER, import, is_content, loaded, nothing, open, part, screenshots, serve, show, viewer};

/// An empty page with the table in a box of this style.
fn placed(page: &mut Page, server: &Served, style: &str) {
    nothing(page, server);
    import(page);
    page.eval(&format!(
        "(() => {{ const box = document.createElement('div'); box.style.cssText = {}; document.body.append(box);
            bodkin.mount(box, {{ src: '/v1/tables/flights/data' }}); }})()",
        json!(style)
    ));
    loaded(page);
    page.settle();
}

/// Whether the whole of a part is inside the table's own box.
fn is_inside(page: &mut Page, selector: &str, text: &str) -> bool {
    page.eval(&format!(
        "(() => {{ const a = {}.getBoundingClientRect(), b = {VIEWER}.getBoundingClientRect();
            return a.width > 0 && a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1 }})()",
        part(selector, text)
    )) == true
}

#[test]
fn rows_are_seen_wherever_it_stands() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1000, 700);
    // Nobody said how high it is.
    placed(&mut page, &server, "");
    let grid = page.eval(&format!("{}.getBoundingClientRect().height", part("canvas", ""))).as_f64().unwrap();
    assert!(grid > 250.0, "{grid}");
    // In a narrow column of a wide page all that is in the bar can be got to, and nothing else moves for it.
    placed(&mut page, &server, "width: 480px; height: 400px");
    viewer(&mut page, "setFilter('month', '1..6')");
    page.screenshot(&screenshots().join("narrow.png"));
    for name in ["Find", "Columns", "Group", "Export"] {
        page.eval(&format!("{}.focus()", part(".button", name)));
        page.settle();
        assert!(is_inside(&mut page, ".button", name), "{name}");
        assert_eq!(page.eval(&format!("{}.scrollLeft", part(".frame", ""))), 0);
    }
    page.eval(&format!("{}.focus()", part(".chip button", "")));
    page.settle();
    assert!(is_inside(&mut page, ".chip button", ""));
    // In a low one the line below stays in sight beside a chart.
    placed(&mut page, &server, "height: 320px");
    viewer(&mut page, "chart({ kind: 'bar', x: 'month', y: [['count']] })");
    page.settle();
    assert!(is_inside(&mut page, ".status", "") && is_inside(&mut page, ".chart", ""));
    page.screenshot(&screenshots().join("low.png"));
    is_content(&mut page);
}

#[test]
fn what_a_person_made_stays_when_it_moves() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1000, 700);
    placed(&mut page, &server, "height: 500px");
    viewer(&mut page, "setSort(['-distance'])");
    viewer(&mut page, "setFilter('origin', '=JFK')");
    let before = viewer(&mut page, "state()");
    let same = |page: &mut Page, engine: &str| {
        loaded(page);
        page.wait_for(&format!(
            "{VIEWER}.state().engine === '{engine}' && {VIEWER}.state().rowsShown === {}",
            before["rowsShown"]
        ));
        let state = viewer(page, "state()");
        assert_eq!((&state["sort"], &state["filters"]), (&before["sort"], &before["filters"]), "{engine}");
    };
    for engine in ["page", "server", "worker"] {
        page.eval(&format!("{VIEWER}.engine = '{engine}'"));
        same(&mut page, engine);
    }
    page.eval(&format!(
        "(() => {{ const table = {VIEWER}, box = table.parentNode; table.remove(); box.append(table); }})()"
    ));
    same(&mut page, "worker");
    // Another table is another one.
    page.eval(&format!("(() => {{ const table = {VIEWER}; table.remove(); table.src = '/v1/tables/flights/query?limit=7&format=arrow'; document.body.append(table); }})()"));
    page.wait_for(&format!("{VIEWER}.state().rowsLoaded === 7"));
    assert_eq!(viewer(&mut page, "state()")["sort"], json!([]));
    is_content(&mut page);
}

#[test]
fn what_cannot_be_is_told() {
    let values: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 5, 7]));
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2]));
    let batch = RecordBatch::try_from_iter([("k", keys), ("n", values)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&folder, "sums", &batch);
    let browser = Browser::launch();
    let mut page = browser.page(800, 500);
    for engine in ["worker", "page", "server"] {
        nothing(&mut page, &server);
        import(&mut page);
        page.eval(&format!("void bodkin.mount(document.body, {{ src: '/v1/tables/sums/data', engine: '{engine}' }})"));
        page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
        viewer(&mut page, "setGroup(['k'], [['count']])");
        let wrong = page.eval(&format!(
            "(async () => {{ try {{ await {VIEWER}.setGroup(['k'], [['sum', 'n']]); return '' }} catch (error) {{ return error.message }} }})()"
        ));
        assert!(wrong.as_str().unwrap().contains("overflows"), "{engine}: {wrong}");
        // What is said to be shown is what is shown.
        let state = viewer(&mut page, "state()");
        assert_eq!(state["group"]["aggregates"], json!([{"function": "count", "column": ""}]), "{engine}");
        assert_eq!(viewer(&mut page, "cells(0, 9)"), json!([["1", "2"], ["2", "1"]]), "{engine}");
    }
    for odd in ["[]", "{ sort: 'k' }", "{ columns: 1 }"] {
        let wrong = page.eval(&format!("{VIEWER}.restore({odd})"));
        assert_eq!(wrong.as_array().map(Vec::len), Some(1), "{odd}: {wrong}");
    }
}

#[test]
fn a_table_without_columns_says_so() {
    let (_server, _browser, mut page) = open(800, 500);
    for rows in [0, 3] {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        show(&mut page, &RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap());
        page.wait_for(&format!("{}.textContent === 'The table has no columns'", part(".message", "")));
        page.click_on(&format!("{}.getBoundingClientRect()", part(".button", "Columns")), 0);
        page.press("Escape", 27, 0);
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    assert_ne!(viewer(&mut page, "state()")["rowsLoaded"], ROWS);
}

#[test]
fn all_of_a_value_is_selected_and_not_the_page() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (x, y) = crate::drive::cell(&mut page, 2, "carrier");
    page.double_click(x, y);
    page.wait_for(&format!("Boolean({})", part(".whole-value", "")));
    page.press("a", 65, 2);
    page.wait_for("getSelection().toString() === 'AA' || getSelection().toString() === ''");
    let selected = page.eval(&format!("(({VIEWER}.shadowRoot.getSelection?.() ?? getSelection()).toString())"));
    assert!(selected == "AA", "{selected}");
}
