//! Sorts of millions of rows: the first ones come ahead of the others, in the order that all will have.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, RecordBatch};

use serde_json::{Value, json};

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{VIEWER, loaded, serve, viewer};

const MANY: usize = 3_000_000;

/// Halves from 0 on, all different, in no order; and beside them seven values and nulls.
fn open(engine: &str) -> (tempfile::TempDir, Served, Browser, Page) {
    let folder = tempfile::tempdir().unwrap();
    let halves = (0..MANY as u64).map(|row| (row * 7_368_787 % MANY as u64) as f64 / 2.0);
    let few = (0..MANY as i32).map(|row| (row % 8 < 7).then_some(row % 8));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("half", Arc::new(Float64Array::from_iter_values(halves)) as ArrayRef, false),
        ("few", Arc::new(Int32Array::from_iter(few)) as ArrayRef, true),
    ])
    .unwrap();
    let server = serve(&folder, "many", &batch);
    let browser = Browser::launch();
    let mut page = browser.page(1000, 700);
    page.goto(&server.url("/"));
    loaded(&mut page);
    page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
    page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
    loaded(&mut page);
    // What the page's half of the viewer has, whoever holds the rows; and what is seen of each head.
    page.eval(
        r#"import('/viewer/bodkin.js').then(({ Viewer }) => {
            const show = Viewer.prototype.showHead;
            Viewer.prototype.showHead = function (...head) { window.half = this; return show.apply(this, head); };
            window.heads = [];
            const table = document.querySelector('bodkin-table');
            const row = (row) => [half.shownText(row, 0), half.shownText(row, 1)].join();
            table.addEventListener('bodkin-head', ({ detail }) => {
                heads.push({
                    rows: detail.rows, working: table.state().working, first: row(0), tenth: row(10), last: row(255),
                    here: half.cellText(255, 0) !== undefined, beyond: half.cellText(256, 0) !== undefined, text: row(256), wants: half.wantWindow().length,
                });
                window.then?.();
            });
        })"#,
    );
    (folder, server, browser, page)
}

/// The heads that were shown since the last time.
fn heads(page: &mut Page) -> Value {
    page.eval("heads.splice(0)")
}

fn rows(page: &mut Page, from: usize) -> Value {
    viewer(page, &format!("cells({from}, 1).then(rows => rows[0].join())"))
}

#[test]
fn the_first_rows_of_a_sort_come_ahead() {
    for engine in ["worker", "page"] {
        let (_folder, _server, _browser, mut page) = open(engine);
        viewer(&mut page, "setSort(['-half'])");
        let seen = heads(&mut page);
        assert_eq!(seen.as_array().unwrap().len(), 1, "by the {engine}: {seen}");
        let facts = json!({
            "rows": MANY, "working": true, "here": true, "beyond": false, "text": ",", "wants": 0,
        });
        for (fact, value) in facts.as_object().unwrap() {
            assert_eq!(seen[0][fact], *value, "{fact} by the {engine}: {seen}");
        }
        // The head is where it was, and what was not there comes.
        let text = |row: usize| format!("{VIEWER}.rows({row}, 1).then(rows => rows[0].half)");
        for (row, half) in [(0, 1_499_999.5), (255, 1_499_872.0), (1_000_000, 999_999.5)] {
            assert_eq!(page.eval(&text(row)).as_f64(), Some(half), "row {row} by the {engine}");
        }
        assert_eq!(
            page.eval("[0, 10, 255].map(row => [half.shownText(row, 0), half.shownText(row, 1)].join())"),
            json!([seen[0]["first"], seen[0]["tenth"], seen[0]["last"]]),
            "by the {engine}"
        );
        viewer(&mut page, "scrollToRow(290)");
        page.wait_for("half.cellText(300, 0) !== undefined");
        viewer(&mut page, "scrollToRow(0)");

        // Ties stand in the order of rows, nulls at the end, and the filter holds.
        viewer(&mut page, "setFilter('half', '< 1200000')");
        heads(&mut page);
        viewer(&mut page, "setSort(['few', '-half'])");
        let seen = heads(&mut page);
        assert_eq!(seen[0]["rows"], 2_400_000, "by the {engine}: {seen}");
        let first = rows(&mut page, 0);
        assert!(first.as_str().unwrap().starts_with("119999"), "{first}");
        viewer(&mut page, "setSort(['few'])");
        assert_eq!(heads(&mut page).as_array().unwrap().len(), 1);
        assert_eq!(rows(&mut page, 0), "0,0");

        // Few rows come at once, and so do groups; whoever has scrolled away keeps the place.
        viewer(&mut page, "setFilter('half', '< 100')");
        viewer(&mut page, "setSort(['-half'])");
        viewer(&mut page, "setFilter('half', '')");
        viewer(&mut page, "setGroup(['few'], [['count']])");
        viewer(&mut page, "setSort(['-few'])");
        assert_eq!(rows(&mut page, 0), "6,375000");
        viewer(&mut page, "reset()");
        heads(&mut page);
        viewer(&mut page, "scrollToRow(1000)");
        viewer(&mut page, "setSort(['-half'])");
        assert_eq!((heads(&mut page), viewer(&mut page, "state().topRow")), (json!([]), json!(1000)));
        assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    }
}

#[test]
fn a_sort_is_given_up_or_superseded_behind_its_head() {
    for engine in ["worker", "page"] {
        let (_folder, _server, _browser, mut page) = open(engine);
        viewer(&mut page, "setSort(['half'])");
        heads(&mut page);
        // Another sort while the head of the first is shown, and another one.
        page.eval(&format!(
            "(window.then = () => {{ window.then = () => {{ window.then = null; {VIEWER}.setSort(['-half']); }}; \
             {VIEWER}.setSort(['-few', 'half']); }}, {VIEWER}.setSort(['few']), 0)"
        ));
        page.wait_for("!window.then");
        assert_eq!(viewer(&mut page, "state().sort"), json!(["-half"]));
        assert!(rows(&mut page, 0).as_str().unwrap().starts_with("1499999.5"));
        assert_eq!(heads(&mut page).as_array().unwrap().len(), 3, "by the {engine}");
        page.wait_for(&format!("half.cellText(400, 0) !== undefined || ({VIEWER}.scrollToRow(400), false)"));
        // Given up: the order and the rows of before, all of them.
        viewer(&mut page, "scrollToRow(0)");
        page.eval(&format!(
            "(window.then = () => {{ window.then = null; {VIEWER}.cancel(); }}, {VIEWER}.setSort(['few']), 0)"
        ));
        page.wait_for("!window.then");
        assert_eq!(viewer(&mut page, "state().sort"), json!(["-half"]), "by the {engine}");
        assert!(rows(&mut page, 0).as_str().unwrap().starts_with("1499999.5"), "by the {engine}");
        viewer(&mut page, "scrollToRow(400)");
        page.wait_for("half.cellText(400, 0) !== undefined");
        assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    }
}

#[test]
fn without_a_worker_the_page_does_not_freeze() {
    let (_folder, _server, _browser, mut page) = open("page");
    // The longest task of each sort, and how long the same takes in one call. The machine does other things, too: the best of some.
    let told = page.eval(&format!(
        r#"(async () => {{
            const table = {VIEWER};
            const tasks = [];
            const seen = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
            seen.observe({{ type: 'longtask' }});
            const sorts = {{ half: [], few: [], both: [] }};
            const keys = {{ half: ['half'], few: ['-few'], both: ['few', '-half'] }};
            for (let turn = 0; turn < 4; turn++) {{
                for (const [name, key] of Object.entries(keys)) {{
                    await new Promise((done) => setTimeout(done, 100));
                    tasks.length = 0;
                    await table.setSort(key);
                    // What is waiting to be observed comes with a later task.
                    await new Promise((done) => setTimeout(done, 100));
                    sorts[name].push(Math.max(0, ...tasks.map(({{ duration }}) => duration)));
                }}
            }}
            await table.setSort(['half']);
            half.workBegin(false);
            const begin = performance.now();
            while (half.workStep(4294967295) < 1);
            const uncut = performance.now() - begin;
            half.workEnd();
            return {{ half: Math.min(...sorts.half), few: Math.min(...sorts.few), both: Math.min(...sorts.both), uncut }};
        }})()"#
    ));
    eprintln!("longest tasks in ms: {told}");
    for sort in ["half", "few", "both"] {
        assert!(told[sort].as_f64() < Some(55.0), "{sort}: {told}");
    }
    assert!(told["uncut"].as_f64() > Some(55.0), "{told}");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
