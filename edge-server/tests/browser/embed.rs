//! The table in a page of one's own: put there by a script, kept and brought back, told of by events.

use serde_json::json;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{
    ROWS, VIEWER, cell, filter, import, is_content, loaded, nothing, open, screenshots, shown_names, viewer,
};

/// A page of the server's origin with nothing in it, where `bodkin` is what the script gives.
fn empty(page: &mut Page, server: &Served) {
    nothing(page, server);
    import(page);
}

#[test]
fn a_view_is_kept_and_brought_back() {
    let (_server, _browser, mut page) = open(1280, 800);
    // By hand: a filter, a sort, a column that is pinned, rows further down.
    filter(&mut page, "origin", "=JFK");
    page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"), 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === 'dep_delay'"));
    viewer(
        &mut page,
        "setColumns([{ name: 'dest', pinned: true, width: 222 }, { name: 'minute', hidden: true }, { name: 'month' }])",
    );
    viewer(&mut page, "settled()");
    viewer(&mut page, "scrollToRow(1000)");
    page.wait_for(&format!("{VIEWER}.state().topRow > 900"));
    page.settle();
    let (kept, names) = (viewer(&mut page, "save()"), shown_names(&mut page));
    assert_eq!(kept["filters"], json!({"origin": "=JFK"}));
    assert_eq!(names[..2], ["dest", "month"]);
    assert!(!names.contains(&"minute".to_owned()), "{names:?}");
    page.screenshot(&screenshots().join("kept.png"));

    // Another visit, told before there is a row.
    page.eval("location.reload()");
    page.wait_for("performance.getEntriesByType('navigation')[0].type === 'reload'");
    page.wait_for(&format!("Boolean({VIEWER}?.restore)"));
    assert_eq!(page.eval(&format!("{VIEWER}.restore({kept})")), json!([]));
    loaded(&mut page);
    page.wait_for(&format!("{VIEWER}.state().topRow > 900"));
    assert_eq!(viewer(&mut page, "save()"), kept);
    assert_eq!(shown_names(&mut page), names);
    let rows = viewer(&mut page, "state().rowsShown").as_u64().unwrap();
    assert!(rows > 100_000 && rows < 120_000, "{rows}");
    page.screenshot(&screenshots().join("brought-back.png"));

    // A part changes that part alone; what is not there any more is told, and the rest is done.
    let wrong =
        viewer(&mut page, "restore({ sort: [], filters: { origin: '=EWR', gone: '1' }, columns: [{ name: 'lost' }] })");
    assert_eq!(wrong, json!(["unknown column gone", "unknown column lost"]));
    let state = viewer(&mut page, "state()");
    assert_eq!((&state["sort"], &state["filters"]), (&json!([]), &json!({"origin": "=EWR"})));
    assert_eq!(shown_names(&mut page), names);

    // Groups, with the order of theirs.
    viewer(&mut page, "restore({ filters: {} })");
    viewer(&mut page, "setGroup(['carrier'], [['count'], ['mean', 'dep_delay']])");
    viewer(&mut page, "setSort(['-count'])");
    let (kept, first) = (viewer(&mut page, "save()"), viewer(&mut page, "cells(0, 3)"));
    viewer(&mut page, "reset()");
    assert_eq!(viewer(&mut page, "state().rowsShown"), ROWS);
    assert_eq!(viewer(&mut page, &format!("restore({kept})")), json!([]));
    assert_eq!(viewer(&mut page, "cells(0, 3)"), first);
    assert_eq!(first[0][0], "UA");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_script_puts_tables_into_the_page_and_takes_them_out() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1100, 700);
    page.colour_scheme("light");
    empty(&mut page, &server);
    page.eval(
        "window.told = {};
         document.body.innerHTML = '<div id=here></div>';
         document.querySelector('#here').style.height = '600px';
         const hear = name => (detail, event) => { told[name] = [detail, event.type]; };
         window.table = bodkin.mount('#here', {
           src: '/v1/tables/flights/data', theme: 'dark', view: { sort: ['-distance'] },
           on: Object.fromEntries(['schema', 'progress', 'load', 'view', 'select', 'columns'].map(name => [name, hear(name)])),
         });
         true",
    );
    page.eval("table.whenLoaded()");
    page.wait_for("told.view?.[0].sort.join() === '-distance'");
    assert_eq!(page.eval("table.state().rowsShown"), ROWS);
    assert_eq!(
        page.eval("[table.element.src, table.element.theme, table.element.getAttribute('theme')]"),
        json!(["/v1/tables/flights/data", "dark", "dark"])
    );
    assert_eq!(page.eval("told.load[0].rows"), ROWS);
    assert_eq!(page.eval("told.load[1]"), "bodkin-load");
    assert_eq!(page.eval("told.progress[0].part"), 1);

    // By hand: the program hears of it.
    let (x, y) = cell(&mut page, 2, "dep_time");
    page.click(x, y, 0);
    page.wait_for("told.select?.[0].focus?.row === 2");
    let selected = page.eval("told.select[0]");
    assert_eq!(selected, json!({"focus": {"row": 2, "column": 3}, "selected": {"rows": [2, 3], "columns": [3, 4]}}));
    filter(&mut page, "month", "1");
    page.wait_for("told.view[0].filters.month === '1' && told.view[0].rowsShown === 27004");
    assert_eq!(page.eval("told.view[0].rowsLoaded"), ROWS);
    page.eval("table.setColumns([{ name: 'dest', pinned: true }])");
    assert_eq!(page.eval("told.columns[0].columns.find(c => c.pinned).name"), "dest");
    page.screenshot(&screenshots().join("mounted.png"));

    // Out and in again, many times: nothing is held.
    page.eval("table.destroy()");
    assert_eq!(
        page.eval("[document.querySelectorAll('bodkin-table').length, table.state().rowsLoaded]"),
        json!([0, 0])
    );
    is_content(&mut page);
}

#[test]
fn properties_are_attributes_and_the_module_is_where_it_is() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(800, 500);
    empty(&mut page, &server);
    let found = page.eval(
        "(async () => {
           const seen = [];
           // Somewhere else, given as an answer, before there is a table.
           await bodkin.init(fetch('/viewer/bodkin.wasm'));
           const table = bodkin.mount(document.body, { theme: 'dark' }).element;
           seen.push(table.theme, table.getAttribute('theme'));
           table.theme = undefined;
           table.cache = true;
           seen.push(table.hasAttribute('theme'), table.getAttribute('cache'), table.src);
           table.src = '/v1/tables/flights/query?columns=origin,dest&limit=30';
           await table.whenLoaded();
           seen.push(table.state().rowsShown, table.state().shown.join());
           table.src = '/v1/tables/nothing/data';
           seen.push(await table.whenLoaded().catch(error => error.title));
           try { bodkin.configure({ wasm: '/other.wasm' }); } catch (error) { seen.push(error.message.slice(0, 28)); }
           // Asked at once, before the table has begun.
           const hasty = bodkin.mount(document.body);
           await hasty.load('/v1/tables/flights/query?columns=origin&limit=7');
           seen.push(hasty.state().rowsShown);
           try { bodkin.mount('#nowhere'); } catch (error) { seen.push(error.message); }
           return seen;
         })()",
    );
    assert_eq!(
        found,
        json!([
            "dark",
            "dark",
            false,
            "",
            null,
            30,
            "origin,dest",
            "unknown table",
            "the module is loaded already",
            7,
            "mount: there is no #nowhere in the page"
        ])
    );
}

/// A table that is kept for the next visit; `told` is what its events carried.
fn visit(page: &mut Page, server: &Served, more: &str) {
    empty(page, server);
    page.eval(&format!(
        "window.told = [];
         const hear = name => detail => {{ told.push([name, detail.cached ?? detail.found ?? detail.title, detail.rows]); }};
         window.table = bodkin.mount(document.body, {{
           src: '/v1/tables/flights/data', cache: true, {more}
           on: {{ load: hear('load'), checked: hear('checked'), error: hear('error') }},
         }});
         table.element.style.height = '600px'",
    ));
    page.wait_for("told.length > 0");
}

fn says(page: &mut Page, text: &str) {
    page.wait_for(&format!("table.element.shadowRoot.querySelector('.time').textContent === {}", json!(text)));
}

/// Until all bytes are on the disk.
pub(crate) fn kept(page: &mut Page) {
    // To ask for a database that is not there would make it.
    page.wait_for(
        "indexedDB.databases().then(all => all.length > 0 && new Promise(done => {
           const r = indexedDB.open('bodkin'); r.onerror = () => done(false);
           r.onsuccess = () => {
             const db = r.result;
             if (!db.objectStoreNames.contains('streams')) return db.close(), done(false);
             const all = db.transaction('streams').objectStore('streams').getAll();
             all.onsuccess = () => { db.close(); done(all.result.length === 1); }; } }))",
    );
}

#[test]
fn the_second_visit_needs_no_network_and_shows_what_has_changed() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1100, 700);
    page.colour_scheme("light");
    visit(&mut page, &server, "");
    assert_eq!(page.eval("told"), json!([["load", false, ROWS]]));
    kept(&mut page);

    // The same table: nothing but a question.
    visit(&mut page, &server, "");
    says(&mut page, "from the last visit, unchanged");
    assert_eq!(page.eval("told.slice(0, 2)"), json!([["load", true, ROWS], ["checked", "unchanged", null]]));
    assert_eq!(page.eval("table.state().rowsShown"), ROWS);
    page.screenshot(&screenshots().join("second-visit.png"));

    // Rows, though the server does not answer.
    page.call("Network.enable", json!({}));
    page.call(
        "Network.setBlockedURLs",
        json!({"urlPatterns": [{"urlPattern": "*://*:*/v1/*", "block": true}], "urls": ["*/v1/*"]}),
    );
    visit(&mut page, &server, "");
    says(&mut page, "from the last visit; the server does not answer");
    assert_eq!(page.eval("told.slice(0, 2)"), json!([["load", true, ROWS], ["checked", "unreachable", null]]));
    page.screenshot(&screenshots().join("second-visit-alone.png"));
    page.call("Network.setBlockedURLs", json!({"urlPatterns": [], "urls": []}));
    page.complaints.clear();

    // Another table at the same address: it takes the place of the other, under the view that a person has made. The index
    // is given a tag of another time, since the sample does not change.
    page.eval(
        "new Promise(done => { const r = indexedDB.open('bodkin'); r.onsuccess = () => {
           const t = r.result.transaction('streams', 'readwrite'), s = t.objectStore('streams');
           const all = s.getAll(); all.onsuccess = () => s.put({ ...all.result[0], etag: '\"older\"' });
           t.oncomplete = () => { r.result.close(); done(); }; } })",
    );
    visit(&mut page, &server, "view: { sort: ['-distance'], filters: { dest: '=HNL' } },");
    page.wait_for("told.length === 3");
    assert_eq!(page.eval("told"), json!([["load", true, ROWS], ["checked", "changed", null], ["load", false, ROWS]]));
    page.wait_for("table.state().rowsShown === 707 && table.state().sort.join() === '-distance'");

    // Nothing is left behind, and nothing is kept of those that did not ask.
    page.eval("bodkin.clearCache()");
    visit(&mut page, &server, "cache: null,");
    page.wait_for("table.state().loading === false");
    assert_eq!(page.eval("told"), json!([["load", false, ROWS]]));
    is_content(&mut page);
}

#[test]
fn headers_of_ones_own_go_beside_a_token() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(900, 500);
    empty(&mut page, &server);
    page.eval(
        "window.sent = []; const call = fetch;
         window.fetch = (at, more) => { if (/v1/.test(at)) sent.push(more?.headers); return call(at, more) };
         window.table = bodkin.mount(document.body, {
           src: '/v1/tables/flights/data', engine: 'server', token: async () => 'abc', headers: () => ({ 'x-more': 'y' }),
         });
         table.element.style.height = '400px';
         table.whenLoaded()",
    );
    // The table's size, its rows, and what its headers show.
    page.wait_for("sent.length > 3");
    let all = "sent.every(headers => headers.authorization === 'Bearer abc' && headers['x-more'] === 'y')";
    assert_eq!(page.eval(all), true, "{}", page.eval("sent"));
    // A handle has what gives data, too.
    assert_eq!(page.eval("table.rows(0, 1).then(rows => rows[0].origin)"), "EWR");
}
