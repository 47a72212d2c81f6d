//! Sorts of millions of rows: the first ones come ahead of the others, in the order that all will have.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray};

use serde_json::{Value, json};

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{VIEWER, loaded, serve, viewer};

const MANY: usize = 3_000_000;

/// Halves from 0 on, all different, in no order.
fn halves() -> ArrayRef {
    Arc::new(Float64Array::from_iter_values((0..MANY as u64).map(|row| (row * 7_368_787 % MANY as u64) as f64 / 2.0)))
}

/// Halves, and beside them seven values and nulls.
fn open(engine: &str) -> (tempfile::TempDir, Served, Browser, Page) {
    let few = (0..MANY as i32).map(|row| (row % 8 < 7).then_some(row % 8));
    open_with(engine, &[("half", halves()), ("few", Arc::new(Int32Array::from_iter(few)))])
}

fn open_with(engine: &str, columns: &[(&str, ArrayRef)]) -> (tempfile::TempDir, Served, Browser, Page) {
    let folder = tempfile::tempdir().unwrap();
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
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

/// Collects the page's long tasks in `tasks`, by the observer `seen`.
const WATCH: &str = "const tasks = [];
    const seen = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
    seen.observe({ type: 'longtask' });";

#[test]
fn without_a_worker_the_page_does_not_freeze() {
    let (_folder, _server, _browser, mut page) = open("page");
    // The longest task of each sort, and how long the same takes in one call. The machine does other things, too: the best of some.
    let told = page.eval(&format!(
        r#"(async () => {{
            const table = {VIEWER};
            {WATCH}
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

/// What is no sort of numbers: groups of which there are many, in an order; words of a long dictionary; rows that come while they
/// are sorted.
#[test]
fn without_a_worker_nothing_else_freezes_the_page() {
    let numbers = |of: i64| (0..MANY as i64).map(move |row| (row * 7_919 % of) as i32);
    let words = StringArray::from_iter_values((0..150_000).map(|row| format!("w{:06}", row * 7_919 % 1_000_003)));
    let coded = DictionaryArray::<Int32Type>::new(Int32Array::from_iter_values(numbers(150_000)), Arc::new(words));
    let flags = BooleanArray::from_iter(numbers(MANY as i64).map(|number| (number % 5 > 0).then_some(number % 3 > 0)));
    let (_folder, _server, _browser, mut page) = open_with(
        "page",
        &[
            ("half", halves()),
            ("day", Arc::new(Int32Array::from_iter_values((0..MANY as i32).map(|row| row / 12)))),
            ("number", Arc::new(Int32Array::from_iter_values(numbers(1_000)))),
            ("word", Arc::new(coded)),
            ("flag", Arc::new(flags)),
        ],
    );
    let told = page.eval(&format!(
        r#"(async () => {{
            const table = {VIEWER};
            {WATCH}
            const rest = () => new Promise((done) => setTimeout(done, 100));
            const told = {{}};
            const longest = async (name, run) => {{
                told[name] = Infinity;
                for (let turn = 0; turn < 4; turn++) {{
                    await table.reset();
                    await rest();
                    tasks.length = 0;
                    await run();
                    await rest();
                    told[name] = Math.min(told[name], Math.max(0, ...tasks.map(({{ duration }}) => duration)));
                }}
            }};
            await longest('groups', () => table.setGroup(['day'], [['count'], ['mean', 'half'], ['max', 'number']]));
            told.groupsShown = table.state().rowsShown;
            await longest('groups in order', async () => {{
                table.setGroup(['day', 'flag'], [['count']]);
                await table.setSort(['-count', '-day']);
            }});
            told.groupsInOrder = table.state().rowsShown;
            await longest('words', () => table.setSort(['-word']));
            await longest('flags', () => table.setSort(['flag', '-number']));
            await longest('load', async () => {{
                const loaded = table.load(table.src);
                await new Promise((done) => table.addEventListener('bodkin-schema', done, {{ once: true }}));
                table.setSort(['-half']);
                await loaded;
                if (table.state().working) throw new Error('not all is in order');
                if ((await table.rows(0, 1))[0].half !== 1_499_999.5) throw new Error('not in order');
            }});
            return told;
        }})()"#
    ));
    eprintln!("longest tasks in ms: {told}");
    assert_eq!(told["groupsShown"], MANY / 12, "{told}");
    assert!(told["groupsInOrder"].as_u64() > Some(500_000), "{told}");
    for what in ["groups", "groups in order", "words", "flags", "load"] {
        assert!(told[what].as_f64() < Some(55.0), "{what}: {told}");
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
