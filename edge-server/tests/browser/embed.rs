//! The table in a page of one's own: put there by a script, kept and brought back, told of by events.

use serde_json::json;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{ROWS, VIEWER, cell, filter, header, loaded, open, screenshots, shown_names, viewer};

/// A page of the server's origin with the script, and nothing in it.
fn empty(server: &Served, browser: &Browser) -> Page {
    let mut page = browser.page(1100, 700);
    page.colour_scheme("light");
    page.goto(&server.url("/page.css"));
    page.wait_for("document.readyState === 'complete' && location.pathname === '/page.css'");
    page.eval("document.body.replaceChildren(); import('/viewer/bodkin.js').then(m => { window.bodkin = m; })");
    page
}

#[test]
fn a_view_is_kept_and_brought_back() {
    let (_server, _browser, mut page) = open(1280, 800);
    // By hand: a filter, a sort, a column that is pinned, rows further down.
    filter(&mut page, "origin", "=JFK");
    page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"), 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === 'dep_delay'"));
    let (from, to) = (header(&mut page, "month"), header(&mut page, "year"));
    page.drag(from, (to.0 - 20.0, to.1));
    page.wait_for(&format!("{VIEWER}.state().shown[0] === 'month'"));
    viewer(&mut page, "setColumns(['month', 'year'].map(name => ({name, pinned: name === 'year'})))");
    viewer(&mut page, "setColumns([...'year month day'].length ? [{name: 'year'}, {name: 'minute', hidden: true}, {name: 'dest', width: 333}] : [])");
    page.wheel(600.0, 500.0, 28_000.0);
    page.wait_for(&format!("{VIEWER}.state().topRow > 900"));
    page.settle();
    let (kept, names) = (viewer(&mut page, "save()"), shown_names(&mut page));
    assert_eq!(kept["filters"], json!({"origin": "=JFK"}));
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
    let wrong = viewer(&mut page, "restore({ sort: [], filters: { origin: '=EWR', gone: '1' }, columns: [{ name: 'lost' }] })");
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
    let mut page = empty(&server, &browser);
    page.eval(
        "window.told = {};
         document.body.innerHTML = '<div id=here></div>';
         document.querySelector('#here').style.height = '600px';
         const hear = name => (detail, event) => { told[name] = [detail, event.type]; };
         window.table = bodkin.mount('#here', {
           src: '/v1/tables/flights/data', theme: 'dark', view: { sort: ['-distance'] },
           on: Object.fromEntries(['schema', 'progress', 'load', 'view', 'select', 'columns'].map(name => [name, hear(name)])),
         });",
    );
    page.eval("table.whenLoaded()");
    page.wait_for("told.view?.[0].sort.join() === '-distance'");
    assert_eq!(page.eval("table.state().rowsShown"), ROWS);
    assert_eq!(page.eval("[table.element.src, table.element.theme, table.element.getAttribute('theme')]"), json!(["/v1/tables/flights/data", "dark", "dark"]));
    assert_eq!(page.eval("told.load[0].rows"), ROWS);
    assert_eq!(page.eval("told.load[1]"), "bodkin-load");
    assert_eq!(page.eval("told.progress[0].part"), 1);

    // By hand: the program hears of it.
    let (x, y) = cell(&mut page, 2, "carrier");
    page.click(x, y, 0);
    let selected = page.eval("told.select[0]");
    assert_eq!(selected, json!({"focus": {"row": 2, "column": 9}, "selected": {"rows": [2, 3], "columns": [9, 10]}}));
    filter(&mut page, "dest", "=HNL");
    page.wait_for("told.view[0].filters.dest === '=HNL'");
    assert_eq!(page.eval("[told.view[0].rowsLoaded, told.view[0].rowsShown]"), json!([ROWS, 707]));
    page.eval("table.setColumns([{ name: 'dest', pinned: true }])");
    assert_eq!(page.eval("told.columns[0].columns.find(c => c.pinned).name"), "dest");
    page.screenshot(&screenshots().join("mounted.png"));

    // Out and in again, many times: nothing is held.
    page.eval("table.destroy()");
    assert_eq!(page.eval("[document.querySelectorAll('bodkin-table').length, table.state().rowsLoaded]"), json!([0, 0]));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn properties_are_attributes_whenever_they_are_set() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(800, 500);
    page.goto(&server.url("/page.css"));
    page.wait_for("document.readyState === 'complete' && location.pathname === '/page.css'");
    // Before the element is known, as frameworks do.
    page.eval(
        "document.body.innerHTML = '<bodkin-table></bodkin-table>';
         document.querySelector('bodkin-table').src = '/v1/tables/flights/query?columns=origin,dest&limit=30';
         document.querySelector('bodkin-table').view = { filters: { origin: '=EWR' } };
         import('/viewer/bodkin.js').then(m => { window.bodkin = m; })",
    );
    loaded(&mut page);
    page.wait_for(&format!("{VIEWER}.state().filters.origin === '=EWR'"));
    assert_eq!(viewer(&mut page, "getAttribute('src')"), "/v1/tables/flights/query?columns=origin,dest&limit=30");
    // What is nothing takes the attribute away.
    page.eval(&format!("{VIEWER}.theme = 'dark'; {VIEWER}.theme = undefined; {VIEWER}.cache = true"));
    assert_eq!(page.eval(&format!("[{VIEWER}.hasAttribute('theme'), {VIEWER}.getAttribute('cache')]")), json!([false, ""]));
    // The module is where it is, once it is there.
    let late = page.eval("(() => { try { bodkin.configure({ wasm: '/other.wasm' }) } catch (error) { return error.message } })()");
    assert!(late.as_str().unwrap().contains("before the first table"), "{late}");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
