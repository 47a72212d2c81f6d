//! A live table by each engine: the same cells flash, the same is told, and a tree of groups follows.

use serde_json::{Value, json};
use wire::update::Change;

use crate::cdp::Page;
use crate::common::Served;
use crate::drive::{VIEWER, filter, screenshots, viewer};
use crate::live::open_with;
use crate::tables::{change, rows};

/// What a page showed of updates: what was told, and which cells in sight were marked then.
struct Seen<'a> {
    server: &'a Served,
    page: &'a mut Page,
    all: Vec<Value>,
}

impl<'a> Seen<'a> {
    fn new(server: &'a Served, page: &'a mut Page) -> Self {
        page.eval(&format!(
            "(() => {{ window.seen = []; {VIEWER}.addEventListener('bodkin-update', ({{ detail }}) => {{ \
             const {{ live: {{ marks }}, topRow }} = {VIEWER}.state(); const cells = []; \
             for (let at = 0; at < marks.length; at += 2) if (marks[at] >= topRow && marks[at] < topRow + 20) \
             cells.push([marks[at], marks[at + 1]]); \
             seen.push([detail, cells]) }}) }})()"
        ));
        Self { server, page, all: Vec::new() }
    }

    /// Makes a change, and notes what is seen of it until nothing is any more.
    fn sees(&mut self, what: Change) -> Value {
        viewer(self.page, "settled()");
        change(self.server, "prices", what);
        self.page.wait_for("seen.length === 1");
        // Also out of sight, where marks may come into it.
        self.page.eval("new Promise(done => setTimeout(done, 650))");
        self.page.wait_for(&format!("{VIEWER}.state().live.marks.length === 0"));
        let seen = self.page.eval("seen.pop()");
        self.all.push(seen.clone());
        seen
    }
}

fn ids(ids: &[i64]) -> Change {
    let all: Vec<_> = ids.iter().map(|&id| (id, "", 0.0)).collect();
    Change::Delete(rows(&all).project(&[0]).unwrap())
}

fn told(inserted: u32, updated: u32, removed: u32, cells: Value) -> Value {
    json!([{"inserted": inserted, "updated": updated, "removed": removed}, cells])
}

fn first(count: i64) -> Vec<(i64, &'static str, f64)> {
    (0..count).map(|id| (id, ["ash", "birch", "cedar"][id as usize % 3], (id * 37 % 101) as f64)).collect()
}

/// Updates of a table with a key, in its own order, in another one and behind a filter.
fn with_a_key(server: &Served, page: &mut Page) -> Vec<Value> {
    let mut seen = Seen::new(server, page);
    // One cell of two is another; a row that comes below is not in sight.
    let two = rows(&[(4, "birch", -1.0), (100, "ash", 5.0)]);
    assert_eq!(seen.sees(Change::Upsert(two)), told(1, 1, 0, json!([[4, 2]])));
    // Nothing is another.
    assert_eq!(seen.sees(Change::Upsert(rows(&[(4, "birch", -1.0)]))), told(0, 1, 0, json!([])));
    // Rows go above a cell that changes.
    assert_eq!(
        seen.sees(Change::Exchange {
            remove: rows(&[(0, "", 0.0), (2, "", 0.0)]).project(&[0]).unwrap(),
            insert: rows(&[(7, "oak", 57.0)]),
        }),
        told(0, 1, 2, json!([[5, 1]]))
    );
    // At the end rows are seen to come.
    viewer(seen.page, "scrollToRow(1000)");
    seen.page.settle();
    let two = rows(&[(101, "ash", 1.0), (102, "elm", 2.0), (100, "ash", 6.0)]);
    seen.sees(Change::Upsert(two));
    assert!(seen.all[3][1].as_array().unwrap().len() == 3, "{}", seen.all[3]);
    // In another order: one comes to the top, one moves there, one goes.
    viewer(seen.page, "setSort(['-value'])");
    viewer(seen.page, "scrollToRow(0)");
    let two = rows(&[(103, "fir", 500.0), (9, "ash", 400.0)]);
    assert_eq!(seen.sees(Change::Upsert(two)), told(1, 1, 0, json!([[0, -1], [1, 2]])));
    assert_eq!(seen.sees(ids(&[103])), told(0, 0, 1, json!([])));
    // Behind a filter: of two that come one passes, one that was there does not any more.
    filter(seen.page, "name", "=ash");
    let some = rows(&[(104, "ash", 600.0), (105, "fir", 700.0), (9, "oak", 400.0), (12, "ash", 450.0)]);
    assert_eq!(seen.sees(Change::Upsert(some)), told(2, 2, 0, json!([[0, -1], [1, 2]])));
    // Groups have no marks, and are told of as well.
    filter(seen.page, "name", "");
    viewer(seen.page, "setGroup(['name'], [['count']])");
    assert_eq!(seen.sees(Change::Upsert(rows(&[(4, "birch", -2.0)]))), told(0, 1, 0, json!([])));
    viewer(seen.page, "setGroup([], [])");
    // All rows anew.
    let before = viewer(seen.page, "state().rowsLoaded").as_u64().unwrap() as u32;
    assert_eq!(seen.sees(Change::Replace(vec![rows(&first(50))])), told(50, 0, before, json!([])));
    seen.all
}

/// Updates of a table without one.
fn without_a_key(server: &Served, page: &mut Page) -> Vec<Value> {
    let mut seen = Seen::new(server, page);
    seen.sees(Change::Append(rows(&[(200, "oak", 1.0)])));
    viewer(seen.page, "scrollToRow(1000)");
    seen.page.settle();
    seen.sees(Change::Append(rows(&[(201, "oak", 1.0), (202, "oak", 900.0)])));
    assert!(seen.all[1][1].as_array().unwrap().len() == 2, "{}", seen.all[1]);
    assert_eq!(seen.sees(Change::Trim(5)), told(0, 0, 5, json!([])));
    viewer(seen.page, "setSort(['-value'])");
    viewer(seen.page, "scrollToRow(0)");
    let two = rows(&[(203, "oak", 901.0), (204, "oak", 899.0)]);
    assert_eq!(seen.sees(Change::Append(two)), told(2, 0, 0, json!([[0, -1], [2, -1]])));
    seen.all
}

#[test]
fn all_engines_flash_the_same_and_tell_the_same() {
    for (is_keyed, run) in [(true, with_a_key as fn(&Served, &mut Page) -> Vec<Value>), (false, without_a_key)] {
        let mut expected = None;
        for engine in ["page", "worker", "server"] {
            let (_folder, server, _browser, mut page) = open_with(is_keyed, Some(rows(&first(40))), engine, 600);
            let seen = run(&server, &mut page);
            for (step, (seen, expected)) in seen.iter().zip(expected.get_or_insert(seen.clone())).enumerate() {
                assert_eq!(seen, expected, "step {step}, by the {engine}, with a key: {is_keyed}");
            }
            assert!(page.complaints.is_empty(), "{:?}", page.complaints);
        }
    }
}

#[test]
fn a_flash_outlasts_the_next_update_and_rows_that_move() {
    let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&first(40))), "server", 600);
    page.eval(&format!(
        "window.marks = []; {VIEWER}.addEventListener('bodkin-update', () => marks.push({VIEWER}.state().live.marks))"
    ));
    change(&server, "prices", Change::Upsert(rows(&[(5, "oak", 1.0)])));
    page.wait_for("marks.length === 1");
    change(&server, "prices", ids(&[1]));
    page.wait_for("marks.length === 2");
    // Unless this machine took longer than a flash lasts.
    let marks = page.eval("marks");
    assert_eq!(marks[0], json!([5, 1, 5, 2]));
    assert!(marks[1] == json!([4, 1, 4, 2]) || marks[1] == json!([]), "{marks}");
    for scheme in ["dark", "light"] {
        page.colour_scheme(scheme);
        page.wait_for(&format!("{VIEWER}.state().live.marks.length === 0"));
        page.eval("marks.length = 0");
        let value = if scheme == "dark" { 0.25 } else { 0.75 };
        let some: Vec<_> = (0..40).map(|id| (id * 3 % 31, "birch", f64::from(id as i32) + value)).collect();
        change(&server, "prices", Change::Upsert(rows(&some)));
        page.wait_for("marks.length === 1");
        page.screenshot(&screenshots().join(format!("live-fresh-server-{scheme}.png")));
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn rows_that_come_into_sight_from_far_away_are_marked() {
    for engine in ["page", "worker", "server"] {
        let far: Vec<_> = (0..2_000).map(|id| (id, "oak", f64::from(id as i32))).collect();
        let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&far)), engine, 600);
        viewer(&mut page, "setSort(['-value'])");
        let mut seen = Seen::new(&server, &mut page);
        // Where rows stay on the server the cells of before are not known: all of the row is marked.
        let mark = |row: u32| if engine == "server" { json!([row, -1]) } else { json!([row, 2]) };
        // To the top, and between others; what was in sight and moves is known.
        let three = rows(&[(3, "oak", 5_000.0), (4, "oak", 1_995.5), (1_990, "oak", 1_997.5)]);
        let cells = json!([mark(0), [3, 2], mark(6)]);
        assert_eq!(seen.sees(Change::Upsert(three)), told(0, 3, 0, cells), "{engine}");
        // One that was in sight goes away below rows that nobody has seen; nothing of these is marked.
        assert_eq!(seen.sees(Change::Upsert(rows(&[(1_999, "oak", -5.0)]))), told(0, 1, 0, json!([])), "{engine}");
        // Rows that come up because all above them go have not changed.
        let gone: Vec<i64> = (1_500..2_000).chain([3, 4]).collect();
        assert_eq!(seen.sees(ids(&gone)), told(0, 0, 502, json!([])), "{engine}");
        // Behind a filter: one that passes now, in the order of the table.
        viewer(seen.page, "setSort([])");
        filter(seen.page, "name", "=elm");
        let some: Vec<_> = (0..9).map(|id| (id * 100, "elm", 1.0)).collect();
        seen.sees(Change::Upsert(rows(&some)));
        let cells = if engine == "server" { json!([[5, -1]]) } else { json!([[5, 1], [5, 2]]) };
        assert_eq!(seen.sees(Change::Upsert(rows(&[(450, "elm", 2.0)]))), told(0, 1, 0, cells), "{engine}");
        assert!(page.complaints.is_empty(), "{engine}: {:?}", page.complaints);
    }
}

#[test]
fn what_updates_did_is_counted_once_though_the_line_breaks() {
    let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&first(40))), "server", 600);
    page.eval(&format!(
        "window.told = []; window.lines = []; window.held = 0; window.refuses = 0; \
         window.WebSocket = class extends WebSocket {{ constructor(...all) {{ super(...all); lines.push(this) }} }}; \
         window.gate = new Promise((done) => {{ window.letGo = done }}); window.isHeld = false; \
         window.fetch = new Proxy(fetch, {{ apply: async (f, self, args) => {{ \
         if (args[1]?.method === 'POST' && isHeld) {{ held++; await gate }} \
         if (args[1]?.method === 'POST' && refuses) {{ refuses--; return new Response('', {{ status: 503 }}) }} \
         return Reflect.apply(f, self, args) }} }}); \
         {VIEWER}.addEventListener('bodkin-update', ({{ detail }}) => told.push(detail)); {VIEWER}.load({VIEWER}.src)"
    ));
    page.wait_for(&format!("lines.length > 0 && {VIEWER}.state().live.state === 'live'"));
    // The line breaks while rows are asked for, and is made again before they come.
    page.eval("isHeld = true");
    change(&server, "prices", Change::Upsert(rows(&[(100, "oak", 1.0), (3, "oak", 1.0)])));
    page.wait_for("held > 0");
    page.eval("lines.at(-1).close()");
    page.wait_for(&format!("lines.length > 1 && {VIEWER}.state().live.state === 'live'"));
    change(&server, "prices", Change::Upsert(rows(&[(101, "oak", 1.0)])));
    page.eval("new Promise((done) => setTimeout(done, 100)).then(() => { isHeld = false; letGo() })");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 42"));
    page.eval("new Promise((done) => setTimeout(done, 700))");
    let sums = "['inserted', 'updated', 'removed'].map((name) => told.reduce((sum, one) => sum + one[name], 0))";
    assert_eq!(page.eval(sums), json!([2, 1, 0]), "{}", page.eval("told"));
    // What a server that refuses to answer did not show is told with the next update.
    page.eval("refuses = 1");
    change(&server, "prices", Change::Upsert(rows(&[(102, "oak", 1.0)])));
    page.wait_for("refuses === 0");
    page.eval("new Promise((done) => setTimeout(done, 400))");
    change(&server, "prices", ids(&[0]));
    page.wait_for(&format!("{sums}.join() === '3,1,1'"));
    assert_eq!(viewer(&mut page, "state().rowsShown"), 42);
}

#[test]
fn an_export_is_of_the_rows_before_an_update() {
    for engine in ["page", "worker"] {
        let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&first(200_000))), engine, 600);
        for sort in ["[]", "['-value', 'id']"] {
            viewer(&mut page, &format!("setSort({sort})"));
            let before = viewer(
                &mut page,
                "toCsv().then((blob) => blob.text()).then((text) => { window.before = text; return null })",
            );
            assert_eq!(before, Value::Null);
            page.eval(&format!(
                "window.isOver = false; window.told = 0; {VIEWER}.addEventListener('bodkin-update', () => {{ window.late = isOver; told++ }}, \
                 {{ once: true }}); window.going = {VIEWER}.toCsv().then((blob) => blob.text()).finally(() => {{ isOver = true }}); 0"
            ));
            let some: Vec<_> = (0..300).map(|id| (id * 660, "oak", f64::from(id as i32) * 1.5 - 7.0)).collect();
            change(&server, "prices", Change::Upsert(rows(&some)));
            change(&server, "prices", ids(&[5, 199_990]));
            page.wait_for("told > 0");
            assert_eq!(page.eval("going.then((text) => text === before)"), true, "{engine}, in order of {sort}");
            assert_eq!(page.eval("late"), false, "the export was over before the update came, by the {engine}");
            let after = "toCsv().then((blob) => blob.text()).then((text) => text === before)";
            assert_eq!(viewer(&mut page, after), false, "{engine}");
            // As it was, for the next order.
            change(&server, "prices", Change::Replace(vec![rows(&first(200_000))]));
            page.wait_for(&format!("{VIEWER}.state().rowsShown === 200000"));
        }
        assert!(page.complaints.is_empty(), "{engine}: {:?}", page.complaints);
    }
}

#[test]
fn an_open_tree_of_groups_follows() {
    for engine in ["page", "worker", "server"] {
        let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&first(300))), engine, 600);
        viewer(&mut page, "setGroup(['name', 'value'], [['count']], { tree: true })");
        page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
        let (x, y) = crate::drive::cell(&mut page, 1, "count");
        page.click(x, y, 0);
        page.press("Enter", 13, 0);
        page.wait_for(&format!("{VIEWER}.state().rowsShown > 3"));
        let before = viewer(&mut page, "state().rowsShown").as_u64().unwrap();
        // A group comes, one below an open one comes, one there has more rows.
        let open = viewer(&mut page, "cells(1, 1)")[0][0].as_str().unwrap().to_owned();
        let held = viewer(&mut page, "cells(2, 1)")[0][1].as_str().unwrap().parse::<f64>().unwrap();
        change(&server, "prices", Change::Upsert(rows(&[(900, "elm", 1.0), (901, &open, -5.5), (902, &open, held)])));
        page.wait_for(&format!("{VIEWER}.state().rowsShown === {}", before + 2));
        let lines = viewer(&mut page, "cells(0, 999)");
        let lines = lines.as_array().unwrap();
        let count = |line: &Value| line[2].as_str().unwrap().parse::<u64>().unwrap();
        let (above, below): (Vec<&Value>, Vec<&Value>) =
            lines.iter().filter(|line| line[0] == open.as_str()).partition(|line| line[1] == Value::Null);
        assert_eq!(above.len(), 1, "{engine}");
        assert_eq!(below.iter().map(|line| count(line)).sum::<u64>(), count(above[0]));
        assert_eq!((count(above[0]), lines.iter().filter(|line| line[0] == "elm").count()), (102, 1));
        // An open group that goes is gone, and what has the focus stays where it is.
        change(&server, "prices", ids(&(0..300).filter(|id| id % 3 == 1).chain([901, 902]).collect::<Vec<_>>()));
        let kept = if open == "birch" { 3 } else { before };
        page.wait_for(&format!("{VIEWER}.state().rowsShown <= {kept}"));
        // Rows again, and no groups.
        viewer(&mut page, "setGroup([], [], { tree: false })");
        page.wait_for(&format!("{VIEWER}.state().rowsShown === {VIEWER}.state().rowsLoaded"));
        change(&server, "prices", Change::Upsert(rows(&[(903, "elm", 1.0)])));
        page.wait_for(&format!("{VIEWER}.cells(0, 999).then(all => all.some(([id]) => id === '903'))"));
        assert!(page.complaints.is_empty(), "{engine}: {:?}", page.complaints);
    }
}

#[test]
fn who_scrolls_while_rows_are_asked_for_stays_where_he_is() {
    let (_folder, server, _browser, mut page) = open_with(true, Some(rows(&first(400))), "server", 600);
    viewer(&mut page, "scrollToRow(1000)");
    page.eval(&format!("window.told = 0; {VIEWER}.addEventListener('bodkin-update', () => told++)"));
    // Held back until the reader has gone up from the end.
    page.eval(
        "window.held = 0; window.gate = new Promise((done) => { window.letGo = done }); \
         window.fetch = new Proxy(fetch, { apply: async (f, self, args) => { \
         if (args[1]?.method === 'POST' && !told) { held++; await gate } return Reflect.apply(f, self, args) } }); 1",
    );
    change(&server, "prices", Change::Append(rows(&[(500, "oak", 1.0)])));
    page.wait_for("window.held > 0");
    viewer_now(&mut page, "scrollToRow(200)");
    page.eval("letGo()");
    page.wait_for("told === 1");
    assert_eq!(viewer(&mut page, "state().topRow"), 200.0);
    assert_eq!(viewer(&mut page, "cells(200, 1)")[0][0], "200");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

/// A call of the element that waits for nothing.
fn viewer_now(page: &mut Page, call: &str) -> Value {
    page.eval(&format!("{VIEWER}.{call}"))
}
