//! Whoever holds the rows, the page, a worker or the server: the same is seen.

use serde_json::{Value, json};

use crate::cdp::Page;
use crate::drive::{ROWS, VIEWER, loaded, open, screenshots, viewer};

/// Everything that needs rows beyond those in sight, and what came of it.
fn session(page: &mut Page) -> Value {
    let script = r#"(async () => {
        const table = VIEWER;
        const told = {};
        const note = async (name, row = 0) => {
            await table.settled();
            const { rowsLoaded, rowsShown, sort, filters, group, shown } = table.state();
            told[name] = { rowsLoaded, rowsShown, sort, filters, group, shown, cells: await table.cells(row, 40) };
        };
        const part = (selector) => table.shadowRoot.querySelector(selector);
        const until = async (what) => { while (!what()) await new Promise((done) => setTimeout(done, 20)); };
        await note('all', 123456);
        // What headers show, once all of them do.
        const heads = () => [...table.shadowRoot.querySelectorAll('[role=columnheader]')].map((head) => head.textContent);
        for (let same = 0, before = ''; same < 8; before = heads().join()) {
            await new Promise((done) => setTimeout(done, 100));
            same = before && heads().join() === before && before.includes('%') ? same + 1 : 0;
        }
        told.heads = heads();
        // The panels: a histogram to brush, values to check, under the filters of the others.
        const panel = async (name, ready) => {
            part(`[aria-label="choose what to see of ${name}"]`).click();
            await until(() => part(ready));
        };
        const close = () => part('.filter').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
        await panel('dep_delay', '.filter .brush');
        told.bars = [...table.shadowRoot.querySelectorAll('.filter .brush i')].map((bar) => bar.style.height);
        const grip = part('.filter .grip');
        grip.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp', bubbles: true }));
        await until(() => table.state().filters.dep_delay);
        await table.settled();
        await until(() => / of 336,776 rows/.test(part('.filter').textContent));
        await note('brushed');
        close();
        await panel('origin', '.filter .list label');
        told.values = part('.filter .list').textContent;
        part('.filter [data-value=LGA]').click();
        await until(() => table.state().filters.origin === '!=LGA' || table.state().filters.origin === '=EWR, JFK');
        await note('checked');
        close();
        await table.reset();
        await table.setSort(['-dep_delay', 'tailnum']);
        await note('sorted');
        await note('sorted, the end', table.state().rowsShown - 40);
        await table.setFilter('origin', '=JFK');
        await table.setFilter('dep_delay', '> 60');
        await note('filtered', 5000);
        table.select([3, 0], [5002, 5]);
        await until(() => part('.sums').textContent.includes('mean'));
        told.sums = part('.sums').textContent;
        // What is looked for is what is shown, or what is copied.
        table.setFormat('distance', { style: 'si', decimals: 1 });
        [...table.shadowRoot.querySelectorAll('.bar button')].find((button) => button.textContent === 'Find').click();
        told.found = {};
        for (const text of ['1.4k', '1400', 'n14228', 'no such thing']) {
            const [input, said] = [part('.find input'), () => part('.find [role=status]').textContent];
            input.value = text;
            input.dispatchEvent(new Event('input'));
            await until(() => / of [\d,]+$|nothing/.test(said()));
            told.found[text] = said().replace(/.* of /, '');
            input.value = '';
            input.dispatchEvent(new Event('input'));
            await until(() => said() === '');
        }
        part('.find [aria-label=close]').click();
        table.setFormat('distance', null);
        table.setColumns([{ name: 'dest' }, { name: 'dep_delay', pinned: true }, { name: 'year', hidden: true }]);
        told.csv = await (await table.toCsv()).text();
        await table.setGroup(['carrier', 'origin'], [['count'], ['mean', 'dep_delay']]);
        await table.setSort(['-count']);
        await note('grouped');
        await table.setGroup([], []);
        await note('rows again', 77);
        let fault = '';
        try { await table.setFilter('dep_delay', '> many'); } catch (error) { fault = error.message; }
        told.fault = fault;
        await table.reset();
        await note('reset', 300000);
        return told;
    })()"#;
    page.eval(&script.replace("VIEWER", VIEWER))
}

#[test]
fn all_engines_show_the_same() {
    let (_server, _browser, mut page) = open(1280, 800);
    let mut first = None;
    for engine in ["page", "worker", "server"] {
        page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
        loaded(&mut page);
        assert_eq!(viewer(&mut page, "state().rowsLoaded"), ROWS);
        // As a person who comes new sees it.
        page.eval(&format!("{VIEWER}.load({VIEWER}.src)"));
        let told = session(&mut page);
        assert_eq!(told["filtered"]["cells"].as_array().unwrap().len(), 40);
        assert_ne!(told["found"]["1.4k"], "nothing found");
        assert_eq!(told["found"]["no such thing"], "nothing found");
        let has = |list: &str, text: &str| {
            told[list].as_array().unwrap().iter().any(|one| one.as_str().unwrap().contains(text))
        };
        assert!(
            has("heads", "dep_delay, int16 · 2.5% null") && has("heads", "% null · 4,044 values")
                || has("heads", "4044 values"),
            "{}",
            told["heads"]
        );
        assert!(
            told["bars"].as_array().unwrap().len() == 24 && told["brushed"]["rowsShown"].as_u64() < Some(ROWS as u64)
        );
        assert_eq!(told["grouped"]["rowsShown"], 10);
        assert!(told["fault"].as_str().unwrap().starts_with("expected a number"));
        page.screenshot(&screenshots().join(format!("engine-{engine}.png")));
        match &first {
            None => first = Some(told),
            Some(first) => {
                for (step, expected) in first.as_object().unwrap() {
                    assert_eq!(told[step], *expected, "{step}, by the {engine}");
                }
            }
        }
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn what_is_too_large_stays_on_the_server() {
    let (_server, _browser, mut page) = open(1000, 700);
    assert_eq!(viewer(&mut page, "state().engine"), "worker");
    page.eval(&format!("{VIEWER}.setAttribute('budget', '1'); {VIEWER}.load({VIEWER}.src)"));
    page.wait_for(&format!("{VIEWER}.state().engine === 'server'"));
    loaded(&mut page);
    // Scrolled far, the rows come when they are needed.
    viewer(&mut page, "scrollToRow(250000)");
    viewer(&mut page, "select([250000, 0])");
    page.wait_for(&format!("{VIEWER}.shadowRoot.querySelector('.value').textContent.includes('2013')"));
    let first = viewer(&mut page, "cells(250000, 1).then((rows) => rows[0][2])");
    assert_ne!(first, json!(null));
}

#[test]
fn a_window_that_stalls_is_given_up_for_the_rows_in_sight() {
    let (_server, _browser, mut page) = open(1000, 700);
    page.eval(&format!("{VIEWER}.setAttribute('engine', 'server')"));
    page.wait_for(&format!("{VIEWER}.state().engine === 'server'"));
    loaded(&mut page);
    viewer(&mut page, "settled()");
    // The next question gets no answer.
    page.eval(
        "(window.stalled = [], window.stalls = true, window.fetch = new Proxy(fetch, { apply: (call, self, args) => { \
         if (!stalls || args[1]?.method !== 'POST') return Reflect.apply(call, self, args); \
         stalls = false; \
         return new Promise((_, refuse) => args[1].signal.addEventListener('abort', () => { \
         stalled.push(args[1].signal.reason.name); refuse(args[1].signal.reason); })); } }), 1)",
    );
    page.eval(&format!("{VIEWER}.scrollToRow(100000)"));
    page.wait_for("!stalls");
    page.settle();
    let here = |row: usize| {
        format!(
            "[...{VIEWER}.shadowRoot.querySelectorAll('[role=row]')].some(row => row.ariaRowIndex === '{}' && row.textContent.includes('2013'))",
            row + 2
        )
    };
    // Nobody gives up what is still in sight.
    page.eval("new Promise(done => setTimeout(done, 500))");
    assert_eq!(page.eval("stalled.length"), 0);
    page.eval(&format!("{VIEWER}.scrollToRow(200000)"));
    page.wait_for(&here(200_003));
    assert_eq!(page.eval("stalled"), json!(["AbortError"]));
    // Back again, what was given up comes, too.
    viewer(&mut page, "scrollToRow(100000)");
    page.wait_for(&here(100_003));
    assert_eq!(viewer(&mut page, "state().error"), json!(null));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn pictures_are_asked_for_of_columns_in_sight() {
    let (_server, _browser, mut page) = open(700, 500);
    page.eval(
        "(window.asked = [], window.fetch = new Proxy(fetch, { apply: (call, self, args) => { \
         const found = /profile.column=(.*)/.exec(args[0]); if (found) asked.push(found[1]); \
         return Reflect.apply(call, self, args); } }), 1)",
    );
    page.eval(&format!("{VIEWER}.setAttribute('engine', 'server')"));
    page.wait_for("asked.includes('month')");
    // From one end to the other: what lies between is never in sight.
    viewer(&mut page, "select([0, 18])");
    page.wait_for("asked.includes('time_hour')");
    let asked = page.eval("asked");
    assert!(!asked.as_array().unwrap().contains(&json!("carrier")), "{asked}");
    // What is known is not asked for again.
    viewer(&mut page, "select([0, 0])");
    page.eval("new Promise(done => setTimeout(done, 300))");
    assert_eq!(page.eval("asked.filter(name => name === 'year').length"), 1);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn without_workers_the_page_does_it_all() {
    let server = crate::common::Served::sample();
    let browser = crate::cdp::Browser::launch();
    let mut page = browser.page(1000, 700);
    let refuse = "window.Worker = class { constructor() { throw new Error('refused') } }";
    page.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": refuse }));
    page.goto(&server.url("/"));
    loaded(&mut page);
    assert_eq!(viewer(&mut page, "state().engine"), "page");
    viewer(&mut page, "setSort(['-distance'])");
    assert_eq!(viewer(&mut page, "cells(0, 1).then((rows) => rows[0][13])"), "HNL");
}

#[test]
fn a_table_that_does_not_fit_into_memory_is_told() {
    let (_server, _browser, mut page) = open(1000, 700);
    // What a module does whose memory cannot grow.
    let full = format!(
        "import('/viewer/bodkin.js').then(({{ Viewer }}) => {{ \
         Viewer.prototype.push = Viewer.prototype.filled = () => {{ throw new WebAssembly.RuntimeError('unreachable'); }}; \
         {VIEWER}.setAttribute('engine', 'page'); }})"
    );
    page.eval(&full);
    page.wait_for(&format!("{VIEWER}.state().error?.title === 'The table does not fit into the memory of the page'"));
    page.wait_for(&format!("{VIEWER}.shadowRoot.querySelector('.message').textContent.includes('4 GB')"));
    page.screenshot(&screenshots().join("full.png"));
}

#[test]
fn the_same_table_again_takes_the_same_memory() {
    let (_server, _browser, mut page) = open(1280, 800);
    for engine in ["page", "worker"] {
        page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
        loaded(&mut page);
        let script = r#"(async () => {
            const table = VIEWER;
            const taken = [];
            for (let turn = 0; turn < 5; turn++) {
                await table.load(table.src);
                taken.push(await table.memory());
            }
            return { taken, bytes: table.state().bytes };
        })()"#;
        let told: Value = page.eval(&script.replace("VIEWER", VIEWER));
        let taken: Vec<u64> = told["taken"].as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
        let bytes = told["bytes"].as_u64().unwrap();
        // One allocation for the whole stream, which is made again where it was.
        assert!(taken.iter().all(|&one| one < bytes * 13 / 10), "{engine}: {taken:?} for {bytes}");
        let (least, most) = (taken.iter().min().unwrap(), taken.iter().max().unwrap());
        assert!(if engine == "page" { most == least } else { most - least < bytes / 50 }, "{engine}: {taken:?}");
    }
}
