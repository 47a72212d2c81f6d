//! The group panel: keys in another order, every aggregate that a column has, many at once; and from a group to its rows.

use serde_json::{Value, json};

use crate::cdp::Page;
use crate::drive::{VIEWER, cell, click_part, loaded, open, part, pictures, viewer};

fn choose(page: &mut Page, which: &str, value: &str) {
    let part = part(&format!("[data-group={which}]"), "");
    page.wait_for(&format!("Boolean({part})"));
    page.eval(&format!(
        "(() => {{ const s = {part}; s.value = {}; s.dispatchEvent(new Event('change')); }})()",
        json!(value)
    ));
    viewer(page, "settled?.()");
}

fn group(page: &mut Page) -> Value {
    viewer(page, "settled?.()");
    viewer(page, "state().group")
}

#[test]
fn keys_change_places_and_figures_are_many() {
    let (_server, _browser, mut page) = open(1280, 800);
    click_part(&mut page, ".bar button", "Group");
    choose(&mut page, "key", "origin");
    choose(&mut page, "key", "carrier");
    click_part(&mut page, "[aria-label=\"group by carrier before origin\"]", "");
    page.wait_for(&format!("{VIEWER}.state().group.keys.join() === 'carrier,origin'"));
    // Several figures of one column, each once; of text no sums.
    for function in ["median", "stddev", "count_distinct"] {
        choose(&mut page, "function", function);
        choose(&mut page, "column", "dep_delay");
    }
    let aggregates = group(&mut page)["aggregates"].clone();
    let names: Vec<&str> = aggregates.as_array().unwrap().iter().map(|one| one["function"].as_str().unwrap()).collect();
    assert_eq!(names, ["count", "median", "stddev", "count_distinct"]);
    choose(&mut page, "function", "sum");
    let offered = page.eval(&format!("[...{}.options].map(o => o.value)", part("[data-group=column]", "")));
    let offered: Vec<&str> = offered.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(offered.contains(&"distance") && !offered.contains(&"tailnum"), "{offered:?}");
    pictures(&mut page, "group-panel");
    choose(&mut page, "set", "count and mean of all numbers");
    let all = group(&mut page)["aggregates"].as_array().unwrap().len();
    assert_eq!(all, 1 + 14, "the count, and the means of fourteen columns of numbers");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_group_leads_to_its_rows() {
    let (_server, _browser, mut page) = open(1280, 800);
    viewer(&mut page, "setGroup(['origin', 'dest'], [['count', '']])");
    viewer(&mut page, "setSort(['-count'])");
    viewer(&mut page, "settled?.()");
    let first = viewer(&mut page, "cells(0, 1)")[0].clone();
    let (x, y) = cell(&mut page, 0, "dest");
    page.right_click(x, y);
    click_part(&mut page, "[role=menuitem]", "Show its rows");
    page.wait_for(&format!("{VIEWER}.state().group.keys.length === 0"));
    viewer(&mut page, "settled?.()");
    let state = viewer(&mut page, "state()");
    assert_eq!(state["rowsShown"].to_string(), first[2].as_str().unwrap());
    assert_eq!(state["filters"]["dest"], format!("={}", first[1].as_str().unwrap()));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn groups_open_as_a_tree() {
    let (_server, _browser, mut page) = open(1280, 800);
    viewer(&mut page, "setGroup(['origin', 'carrier', 'dest'], [['count', '']])");
    viewer(&mut page, "setSort(['-count'])");
    viewer(&mut page, "settled?.()");
    let all = viewer(&mut page, "state().rowsShown").as_u64().unwrap();
    click_part(&mut page, ".bar button", "Grouped by origin, carrier, dest");
    click_part(&mut page, "[data-group=tree]", "");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
    let sign = |page: &mut Page, row: usize, column: &str| {
        let rect = viewer(page, &format!("cellRect({row}, '{column}').toJSON()"));
        let at = |name: &str| rect[name].as_f64().unwrap();
        page.click(at("x") + 16.0, at("y") + 14.0, 0);
    };
    // The counts of what is below a group add up to its own.
    sign(&mut page, 1, "origin");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 13"));
    let lines = viewer(&mut page, "cells(0, 13)");
    let count = |row: usize| lines[row][3].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!((2..12).map(count).sum::<u64>(), count(1));
    assert!((2..12).all(|row| lines[row][0] == "JFK" && lines[row][2] == Value::Null), "{lines}");
    sign(&mut page, 3, "carrier");
    page.wait_for(&format!("{VIEWER}.state().rowsShown > 13"));
    pictures(&mut page, "group-tree");
    // Enter closes what has the focus, and all below it.
    let (x, y) = cell(&mut page, 1, "count");
    page.click(x, y, 0);
    page.press("Enter", 13, 0);
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
    // A group of one key leads to its rows.
    let first = viewer(&mut page, "cells(0, 1)")[0][3].clone();
    let (x, y) = cell(&mut page, 0, "origin");
    page.right_click(x, y);
    click_part(&mut page, "[role=menuitem]", "Show its rows");
    page.wait_for(&format!("{VIEWER}.state().filters.origin === '=EWR' && {VIEWER}.state().group.keys.length === 0"));
    viewer(&mut page, "settled?.()");
    assert_eq!(viewer(&mut page, "state().rowsShown").to_string(), first.as_str().unwrap());
    // Flat again.
    viewer(&mut page, "setFilter('origin', '')");
    viewer(&mut page, "setGroup(['origin', 'carrier', 'dest'], [['count', '']], { tree: false })");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === {all}"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn an_open_tree_stays_open() {
    let (_server, _browser, mut page) = open(1280, 800);
    viewer(&mut page, "setGroup(['origin', 'carrier'], [['count', '']], { tree: true })");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
    let (x, y) = cell(&mut page, 1, "count");
    page.click(x, y, 0);
    page.press("Enter", 13, 0);
    page.wait_for(&format!("{VIEWER}.state().rowsShown > 3"));
    let opened = viewer(&mut page, "cells(0, 99)");
    let (lines, open) = (opened.as_array().unwrap().len(), opened[1][0].clone());
    let below = format!(
        "{VIEWER}.cells(0, 99).then(all => all.filter(([key, second]) => key === {open} && second !== null).length)"
    );
    assert_eq!(page.eval(&below), lines - 3);
    // Said to those who listen, too.
    let said = format!(
        "{VIEWER}.shadowRoot.querySelector('canvas').role === 'treegrid' && \
         [...{VIEWER}.shadowRoot.querySelectorAll('[role=row][aria-expanded]')].map(e => e.ariaExpanded).join() === 'false,true,false'"
    );
    page.wait_for(&said);
    viewer(&mut page, "setSort(['count'])");
    page.wait_for(&format!("{VIEWER}.state().rowsShown === {lines}"));
    assert_eq!(page.eval(&below), lines - 3);
    viewer(&mut page, "setFilter('month', '=1')");
    page.wait_for(&format!("{VIEWER}.state().rowsShown > 3"));
    assert!(page.eval(&below).as_u64().unwrap() > 3);
    // A view that is kept knows that it is a tree.
    let kept = viewer(&mut page, "save()");
    assert_eq!(kept["group"]["tree"], true);
    viewer(&mut page, "setGroup([], [], { tree: false })");
    viewer(&mut page, "reset()");
    viewer(&mut page, &format!("restore({kept})"));
    page.wait_for(&format!("{VIEWER}.state().group.tree && {VIEWER}.state().rowsShown < 20"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn groups_that_are_opened_at_once_open_where_they_are() {
    let (_server, _browser, mut page) = open(1280, 800);
    for engine in ["server", "worker", "page"] {
        page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
        loaded(&mut page);
        viewer(&mut page, "setGroup(['origin', 'carrier', 'dest'], [['count', '']], { tree: true })");
        page.wait_for(&format!("{VIEWER}.state().rowsShown === 3"));
        let names = |page: &mut Page| viewer(page, "cells(0, 3).then((rows) => rows.map((row) => row[0]))");
        let first = names(&mut page);
        // Without waiting for anything: the first and the third group.
        let open = |page: &mut Page, rows: &[usize]| {
            page.eval(&format!(
                "for (const row of {}) {{ const {{ x, y }} = {VIEWER}.cellRect(row, 'origin'); \
                 {VIEWER}.shadowRoot.querySelector('canvas').dispatchEvent(new PointerEvent('pointerdown', \
                 {{ clientX: x + 16, clientY: y + 14, bubbles: true }})) }}",
                json!(rows)
            ));
        };
        open(&mut page, &[0, 2]);
        page.wait_for(&format!(
            "{VIEWER}.cells(0, 99).then((rows) => {}.every((name) => rows.filter((row) => row[0] === name && row[1]).length > 3))",
            json!([first[0], first[2]])
        ));
        let lines = viewer(&mut page, "cells(0, 99)");
        let below = |name: &Value| lines.as_array().unwrap().iter().filter(|line| line[0] == *name).count();
        assert_eq!(below(&first[1]), 1, "by the {engine}: {lines}");
        // A group whose answer comes when it is not in sight any more opens nothing else.
        let (x, y) = cell(&mut page, 1, "count");
        page.click(x, y, 0);
        let all = lines.as_array().unwrap().len();
        page.eval(&format!(
            "for (const row of [1, 0]) {{ {VIEWER}.select([row, 3]); {VIEWER}.shadowRoot.querySelector('canvas')\
             .dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true }})) }}"
        ));
        page.wait_for(&format!("{VIEWER}.state().rowsShown === {}", all - below(&first[0]) + 1));
        page.eval("new Promise((done) => setTimeout(done, 300))");
        assert_eq!(viewer(&mut page, "state().rowsShown"), all - below(&first[0]) + 1, "by the {engine}");
        viewer(&mut page, "setGroup([], [], { tree: false })");
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
