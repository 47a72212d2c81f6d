//! Tables that change while somebody looks at them.

use edge_server::http::{Server, Tables};
use edge_server::live::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use wire::update::Change;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{VIEWER, click_part, filter, pictures, says, viewer};
use crate::tables::{change, definition, make, rows};

/// A live table of so many rows in a page.
fn open(keyed: bool, count: i64, engine: &str) -> (TempDir, Served, Browser, Page) {
    open_with(keyed, (count > 0).then(|| some(0, count)), engine, 600)
}

/// A live table with these rows in a page whose rows an engine holds.
pub(crate) fn open_with(
    keyed: bool,
    first: Option<arrow_array::RecordBatch>,
    engine: &str,
    height: u32,
) -> (TempDir, Served, Browser, Page) {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::live(Store::open(folder.path()).unwrap());
    make(&server, "prices", &definition(keyed, json!({})));
    if let Some(first) = first {
        change(&server, "prices", Change::Append(first));
    }
    let browser = Browser::launch();
    let mut page = browser.page(1000, height);
    page.colour_scheme("light");
    page.goto(&server.url("/"));
    page.wait_for(&format!("Boolean({VIEWER}?.state)"));
    page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
    page.wait_for(&format!("{VIEWER}.state().loading === false && {VIEWER}.state().live?.state === 'live'"));
    assert_eq!(viewer(&mut page, "state().engine"), engine);
    (folder, server, browser, page)
}

/// Rows `from` to `to`, with values that go up and down.
fn some(from: i64, to: i64) -> arrow_array::RecordBatch {
    let names = ["ash", "birch", "cedar"];
    let all: Vec<_> = (from..to).map(|id| (id, names[id as usize % 3], (id * 37 % 101) as f64)).collect();
    rows(&all)
}

fn shows(page: &mut Page, count: i64) {
    page.wait_for(&format!("{VIEWER}.state().rowsShown === {count}"));
}

/// What the page shows is what the server's query gives.
fn agrees(server: &Served, page: &mut Page, query: &str) {
    let answer = server.get(&format!("/v1/tables/prices/query?{query}&format=csv"));
    let text = String::from_utf8(answer.body).unwrap();
    let plain = |cell: &str| cell.trim_end_matches(".0").to_owned();
    let expected: Vec<Vec<String>> = text.lines().skip(1).map(|line| line.split(',').map(plain).collect()).collect();
    let cells = viewer(page, "cells(0, 10000)");
    let shown: Vec<Vec<String>> = cells
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| plain(cell.as_str().unwrap_or(""))).collect())
        .collect();
    assert_eq!(shown, expected, "?{query}");
}

/// Waits until the page has taken an update in.
fn until(page: &mut Page, answer: &Value) {
    let sequence = &answer["sequence"];
    page.wait_for(&format!("{VIEWER}.state().live.sequence >= {sequence}"));
}

#[test]
fn rows_that_come_show_and_a_sorted_view_stays_right() {
    for engine in ["worker", "page"] {
        let (_folder, server, _browser, mut page) = open(true, 300, engine);
        says(&mut page, ".live", "Live");
        page.eval(&format!("window.told = []; {VIEWER}.addEventListener('bodkin-update', e => told.push(e.detail))"));
        let csv = b"id,name,value\n300,new,5\n7,other,6.5\n";
        let answer = server.ask("POST", "/v1/tables/prices/rows", "content-type: text/csv\r\n", csv);
        assert_eq!(answer.status, 200);
        shows(&mut page, 301);
        assert_eq!(viewer(&mut page, "cells(300, 1)"), json!([["300", "new", "5"]]), "{engine}");
        assert_eq!(viewer(&mut page, "cells(7, 1)"), json!([["7", "other", "6.5"]]));
        assert_eq!(page.eval("told"), json!([{"inserted": 1, "updated": 1, "removed": 0}]));
        says(&mut page, ".count", "301 rows");
        // In an order and behind a filter, whatever happens.
        filter(&mut page, "name", "=ash");
        viewer(&mut page, "setSort(['-value'])");
        agrees(&server, &mut page, "filter[name]=ash&sort=-value");
        for round in 0..12i64 {
            let at = round * 23 % 290;
            change(&server, "prices", Change::Upsert(some(at + 5, at + 12)));
            let delete = some(at, at + 3).project(&[0]).unwrap();
            change(&server, "prices", Change::Delete(delete));
            let moved: Vec<_> = (at..at + 9).map(|id| (id, "ash", (id * 13 % 97) as f64 + 0.5)).collect();
            let answer = change(&server, "prices", Change::Upsert(rows(&moved)));
            until(&mut page, &answer);
            agrees(&server, &mut page, "filter[name]=ash&sort=-value");
        }
        // Groups follow, too.
        viewer(&mut page, "setSort([])");
        filter(&mut page, "name", "");
        viewer(&mut page, "setGroup(['name'], [['count']])");
        let groups = server.get("/v1/tables/prices/query?group=name&aggregate=count&format=csv");
        let groups = String::from_utf8(groups.body).unwrap().lines().count() as i64 - 1;
        shows(&mut page, groups);
        change(&server, "prices", Change::Upsert(rows(&[(900, "elm", 1.0), (901, "elm", 2.0)])));
        shows(&mut page, groups + 1);
        page.wait_for(&format!(
            "{VIEWER}.cells(0, 9).then(all => all.some(([name, n]) => name === 'elm' && n === '2'))"
        ));
        viewer(&mut page, "setGroup([], [])");
        agrees(&server, &mut page, "");
        assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    }
}

#[test]
fn cells_that_change_are_marked_for_a_moment() {
    for engine in ["worker", "page"] {
        let (_folder, server, _browser, mut page) = open(true, 100, engine);
        page.eval(&format!(
            "window.marks = []; {VIEWER}.addEventListener('bodkin-update', () => marks.push({VIEWER}.state().live.marks))"
        ));
        // One cell of two gets another value.
        change(&server, "prices", Change::Upsert(rows(&[(4, "birch", -1.0)])));
        page.wait_for("marks.length === 1");
        assert_eq!(page.eval("marks[0]"), json!([4, 2]), "{engine}");
        if engine == "page" {
            for scheme in ["dark", "light"] {
                page.colour_scheme(scheme);
                let some: Vec<_> = (0..40).map(|id| (id * 3 % 31, "birch", f64::from(id as i32) + 0.25)).collect();
                change(&server, "prices", Change::Upsert(rows(&some)));
                page.screenshot(&crate::drive::screenshots().join(format!("live-fresh-{scheme}.png")));
            }
        }
        page.wait_for(&format!("{VIEWER}.state().live.marks.length === 0"));
        page.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}),
        );
        page.eval("marks.length = 0");
        change(&server, "prices", Change::Upsert(rows(&[(5, "birch", -1.0)])));
        page.wait_for("marks.length === 1");
        assert_eq!(page.eval("marks[0]"), json!([]));
    }
}

#[test]
fn what_is_read_stays_in_place_and_the_end_is_followed() {
    for engine in ["worker", "page"] {
        let (_folder, server, _browser, mut page) = open(false, 400, engine);
        viewer(&mut page, "scrollToRow(100)");
        // Rows above go: the same row stands at the top.
        let answer = change(&server, "prices", Change::Trim(30));
        until(&mut page, &answer);
        page.wait_for(&format!("{VIEWER}.state().topRow === 70"));
        // Rows come below: nothing moves, and a pill tells of them.
        let answer = change(&server, "prices", Change::Append(some(400, 410)));
        until(&mut page, &answer);
        assert_eq!(viewer(&mut page, "state().topRow"), 70.0);
        says(&mut page, ".pill", "10 new rows ↓");
        pictures(&mut page, "live-pill");
        page.size(1000, 600, 1);
        click_part(&mut page, ".pill", "");
        let last = format!(
            "{VIEWER}.cellRect({VIEWER}.state().rowsShown - 1, 'id').bottom <= {VIEWER}.getBoundingClientRect().bottom"
        );
        page.wait_for(&last);
        page.wait_for(&format!("{VIEWER}.shadowRoot.querySelector('.pill').hidden"));
        // From the end the view goes with it.
        for round in 0..5 {
            let answer = change(&server, "prices", Change::Append(some(410 + round * 7, 417 + round * 7)));
            until(&mut page, &answer);
            page.wait_for(&last);
        }
        assert_eq!(viewer(&mut page, "state().live.fresh"), 0);
        // The row that has the focus keeps it.
        viewer(&mut page, "scrollToRow(50)");
        viewer(&mut page, "select([55, 1])");
        let answer = change(&server, "prices", Change::Trim(5));
        until(&mut page, &answer);
        page.wait_for(&format!("{VIEWER}.state().selection[0] === 50 && {VIEWER}.state().topRow === 45"));
        assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    }
}

#[test]
fn a_line_that_breaks_is_made_again_and_no_row_is_missing() {
    let (folder, server, _browser, mut page) = open(true, 50, "worker");
    page.eval(&format!(
        "window.states = []; {VIEWER}.addEventListener('bodkin-connection', e => states.push(e.detail.state))"
    ));
    pictures(&mut page, "live-live");
    let address = server.address.to_string();
    drop(server);
    says(&mut page, ".live", "Reconnecting");
    page.wait_for(&format!("{VIEWER}.state().live.attempts > 2"));
    pictures(&mut page, "live-reconnecting");
    let store = Store::open(folder.path()).unwrap();
    let tables = Tables::try_new(Vec::new()).unwrap().with_live(store).unwrap();
    let server = Served::of_at(Server::new(tables), &address);
    let answer = change(&server, "prices", Change::Upsert(some(40, 90)));
    until(&mut page, &answer);
    says(&mut page, ".live", "Live");
    shows(&mut page, 90);
    agrees(&server, &mut page, "");
    assert_eq!(page.eval("states"), json!(["reconnecting", "live"]));
    // It goes on from there.
    change(&server, "prices", Change::Delete(some(0, 10).project(&[0]).unwrap()));
    shows(&mut page, 80);
    // A table that goes is not waited for.
    assert_eq!(server.ask("DELETE", "/v1/tables/prices", "", b"").status, 200);
    says(&mut page, ".live", "Ended");
    assert_eq!(viewer(&mut page, "state().rowsShown"), 80);
}

#[test]
fn rows_that_stay_on_the_server_are_followed() {
    let (folder, server, _browser, mut page) = open(true, 300, "server");
    says(&mut page, ".live", "Live");
    page.eval(&format!(
        "window.told = []; window.states = []; {VIEWER}.addEventListener('bodkin-update', e => told.push(e.detail)); \
         {VIEWER}.addEventListener('bodkin-connection', e => states.push(e.detail.state))"
    ));
    let answer = change(&server, "prices", Change::Upsert(rows(&[(300, "new", 5.0), (7, "other", 6.5)])));
    until(&mut page, &answer);
    shows(&mut page, 301);
    assert_eq!(viewer(&mut page, "cells(300, 1)"), json!([["300", "new", "5"]]));
    assert_eq!(page.eval("told"), json!([{"inserted": 1, "updated": 1, "removed": 0}]));
    // What is seen is what the page has, not only what it could ask for.
    page.wait_for(&format!(
        "[...{VIEWER}.shadowRoot.querySelectorAll('[role=gridcell]')].some(e => e.textContent === 'other')"
    ));
    says(&mut page, ".count", "301 rows");
    filter(&mut page, "name", "=ash");
    viewer(&mut page, "setSort(['-value'])");
    for round in 0..4i64 {
        let at = round * 23 % 290;
        change(&server, "prices", Change::Delete(some(at, at + 3).project(&[0]).unwrap()));
        let moved: Vec<_> = (at..at + 9).map(|id| (id, "ash", (id * 13 % 97) as f64 + 0.5)).collect();
        let answer = change(&server, "prices", Change::Upsert(rows(&moved)));
        until(&mut page, &answer);
        agrees(&server, &mut page, "filter[name]=ash&sort=-value");
    }
    viewer(&mut page, "setSort([])");
    filter(&mut page, "name", "");
    viewer(&mut page, "setGroup(['name'], [['count']])");
    let groups = viewer(&mut page, "state().rowsShown").as_i64().unwrap();
    change(&server, "prices", Change::Upsert(rows(&[(900, "elm", 1.0), (901, "elm", 2.0)])));
    shows(&mut page, groups + 1);
    page.wait_for(&format!("{VIEWER}.cells(0, 9).then(all => all.some(([name, n]) => name === 'elm' && n === '2'))"));
    viewer(&mut page, "setGroup([], [])");
    // Rows above go: what is read stays in its place, and the row with the focus keeps it.
    viewer(&mut page, "scrollToRow(100)");
    viewer(&mut page, "select([105, 1])");
    let top = viewer(&mut page, "cells(100, 1).then(rows => rows[0][0])");
    page.settle();
    let answer = change(&server, "prices", Change::Delete(some(75, 105).project(&[0]).unwrap()));
    until(&mut page, &answer);
    page.wait_for(&format!("{VIEWER}.state().topRow < 100"));
    let row = viewer(&mut page, "state().topRow").as_f64().unwrap();
    assert_eq!(viewer(&mut page, &format!("cells({row}, 1).then(rows => rows[0][0])")), top);
    assert_eq!(viewer(&mut page, "state().selection[0]"), row + 5.0);
    pictures(&mut page, "live-server");
    // Where nobody looks nothing is asked.
    page.eval(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true}); window.asked = 0; \
               window.fetch = new Proxy(fetch, {apply: (f, self, args) => (asked++, Reflect.apply(f, self, args))})",
    );
    let answer = change(&server, "prices", Change::Upsert(some(0, 5)));
    page.eval("new Promise(done => setTimeout(done, 700))");
    assert_eq!(page.eval("asked"), 0);
    page.eval("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
    until(&mut page, &answer);
    // A server that goes and comes back.
    let address = server.address.to_string();
    drop(server);
    says(&mut page, ".live", "Reconnecting");
    let store = Store::open(folder.path()).unwrap();
    let tables = Tables::try_new(Vec::new()).unwrap().with_live(store).unwrap();
    let server = Served::of_at(Server::new(tables), &address);
    let answer = change(&server, "prices", Change::Upsert(some(990, 1000)));
    until(&mut page, &answer);
    says(&mut page, ".live", "Live");
    agrees(&server, &mut page, "");
    assert_eq!(page.eval("states"), json!(["reconnecting", "live"]));
    assert_eq!(viewer(&mut page, "state().error"), Value::Null);
}

#[test]
fn a_live_table_of_the_last_visit_goes_on_from_there() {
    let (_folder, server, _browser, mut page) = open(true, 50, "worker");
    page.eval(&format!("({VIEWER}.cache = true, {VIEWER}.load({VIEWER}.src))"));
    crate::embed::kept(&mut page);
    let answer = change(&server, "prices", Change::Upsert(some(40, 90)));
    page.eval(&format!(
        "window.told = []; for (const name of ['load', 'checked']) {VIEWER}.addEventListener('bodkin-' + name, \
         ({{detail}}) => told.push(detail.found ?? [detail.cached, detail.rows]))"
    ));
    page.eval(&format!("{VIEWER}.load({VIEWER}.src)"));
    until(&mut page, &answer);
    assert_eq!(page.eval("told"), json!([[true, 50], "followed"]));
    shows(&mut page, 90);
    agrees(&server, &mut page, "");
    says(&mut page, ".live", "Live");
    // One that was made anew is loaded anew.
    assert_eq!(server.ask("DELETE", "/v1/tables/prices", "", b"").status, 200);
    make(&server, "prices", &definition(true, json!({})));
    change(&server, "prices", Change::Append(some(0, 7)));
    page.eval("told.length = 0");
    page.eval(&format!("{VIEWER}.load({VIEWER}.src)"));
    page.wait_for("told.length === 3");
    assert_eq!(page.eval("told"), json!([[true, 50], "changed", [false, 7]]));
    agrees(&server, &mut page, "");
}
