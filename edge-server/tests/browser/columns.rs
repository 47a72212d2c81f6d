//! Columns by hand: dragged wider, fitted, moved, hidden, shown, pinned; and a column that cannot be read.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int32Array, RecordBatch, RunArray, StringArray};

use serde_json::Value;

use crate::cdp::Browser;
use crate::drive::{VIEWER, cell, click_part, edge, header, loaded, open, part, pictures, serve, shown_names, viewer};

fn width(page: &mut crate::cdp::Page, column: &str) -> f64 {
    viewer(page, &format!("headerRect('{column}').width")).as_f64().unwrap()
}

#[test]
fn columns_begin_narrow_and_are_dragged_wider() {
    let (_server, _browser, mut page) = open(1280, 800);
    for column in shown_names(&mut page) {
        let wide = width(&mut page, &column);
        assert!((60.0..=261.0).contains(&wide), "{column} is {wide} wide");
    }
    // Wide numbers hide no text.
    let left = viewer(&mut page, "headerRect('carrier').right").as_f64().unwrap();
    assert!(left <= 1280.0, "{left}");
    let before = width(&mut page, "month");
    let (x, y) = edge(&mut page, "month");
    page.point_at(x, y);
    page.wait_for(&format!("{}.style.cursor === 'col-resize'", part("canvas", "")));
    page.drag((x, y), (x + 60.0, y));
    assert_eq!(width(&mut page, "month"), before + 60.0);
    let (x, y) = edge(&mut page, "month");
    page.double_click(x, y);
    page.wait_for(&format!("{VIEWER}.headerRect('month').width < {}", before + 10.0));
    // A resize is no sort.
    assert_eq!(viewer(&mut page, "state().sort.length"), 0);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_header_is_dragged_to_another_place() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (from, to) = (header(&mut page, "month"), header(&mut page, "dep_time"));
    // The first pictures are of the column on its way.
    page.pull(from, (to.0 + 40.0, to.1));
    pictures(&mut page, "moving");
    page.drag(from, (to.0 + 40.0, to.1));
    page.wait_for(&format!("{VIEWER}.state().shown.indexOf('month') === 3"));
    assert_eq!(shown_names(&mut page)[..5], ["year", "day", "dep_time", "month", "sched_dep_time"]);
    assert_eq!(viewer(&mut page, "state().sort.length"), 0);
    // What is shown follows: the boxes, the cells and what is asked for by name.
    page.click_on(&format!("{VIEWER}.cellRect(2, 'month')"), 0);
    assert_eq!(viewer(&mut page, "state().selection[1]"), 3);
    assert_eq!(viewer(&mut page, "cells(0, 1).then((rows) => rows[0][2])"), "517");
    let places = page.eval(&format!(
        "[...{VIEWER}.shadowRoot.querySelectorAll('[data-filter]')].map(b => b.dataset.filter).slice(0, 4).join()"
    ));
    assert_eq!(places, "year,day,dep_time,month");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn columns_are_hidden_shown_and_pinned() {
    let (_server, _browser, mut page) = open(1280, 800);
    click_part(&mut page, ".bar button", "Columns");
    // Many columns have a search.
    page.wait_for(&format!(
        "{}?.placeholder === 'Find a column'",
        "document.querySelector('bodkin-table').shadowRoot.activeElement"
    ));
    page.type_text("dep_");
    page.wait_for(&format!("{VIEWER}.shadowRoot.querySelectorAll('.columns [type=checkbox]').length === 3"));
    click_part(&mut page, "[data-column=dep_delay]", "");
    page.wait_for(&format!("!{VIEWER}.state().shown.includes('dep_delay')"));
    let pin = part("[aria-label=\"pin dep_time to the left\"]", "");
    page.click_on(&format!("{pin}.getBoundingClientRect()"), 0);
    page.wait_for(&format!("{VIEWER}.state().shown[0] === 'dep_time'"));
    pictures(&mut page, "columns");
    page.press("Escape", 27, 0);
    page.wait_for(&format!("!{VIEWER}.shadowRoot.querySelector('.pop')"));
    // The pinned column stays where it is when the others scroll.
    let before = viewer(&mut page, "headerRect('dep_time').x");
    page.click_on(&format!("{VIEWER}.cellRect(1, 'dep_time')"), 0);
    page.press("End", 35, 0);
    page.wait_for(&format!("{VIEWER}.headerRect('year').x < 0"));
    assert_eq!(viewer(&mut page, "headerRect('dep_time').x"), before);
    let (x, y) = cell(&mut page, 4, "dep_time");
    page.click(x, y, 0);
    assert_eq!(viewer(&mut page, "state().selection.join()"), "4,0");
    pictures(&mut page, "pinned");
    // Hidden by the menu of a header, and shown again, all at once.
    let (x, y) = header(&mut page, "dep_time");
    page.right_click(x, y);
    click_part(&mut page, "[role=menuitem]", "Hide");
    page.wait_for(&format!("!{VIEWER}.state().shown.includes('dep_time')"));
    click_part(&mut page, ".bar button", "Columns");
    click_part(&mut page, ".columns .button", "Show all");
    page.wait_for(&format!("{VIEWER}.state().shown.length === 19"));
    let arranged = viewer(&mut page, "state().arranged[0]");
    assert_eq!((&arranged["name"], &arranged["pinned"]), (&Value::from("dep_time"), &Value::from(true)));
    // From a script.
    viewer(&mut page, "setColumns([{name: 'dest', width: 200}, {name: 'dep_time', pinned: false}])");
    assert_eq!(shown_names(&mut page)[..2], ["dest", "dep_time"]);
    assert_eq!(width(&mut page, "dest"), 200.0);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_column_that_cannot_be_read_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let runs = RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2]), &Int32Array::from(vec![1999])).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("town", Arc::new(StringArray::from(vec!["Ulm", "Aalen"])) as ArrayRef),
        ("years", Arc::new(runs) as ArrayRef),
        ("size", Arc::new(Int32Array::from(vec![126, 68])) as ArrayRef),
    ])
    .unwrap();
    let server = serve(&folder, "mixed", &batch);
    let browser = Browser::launch();
    let mut page = browser.page(1280, 800);
    page.goto(&server.url("/"));
    loaded(&mut page);
    assert_eq!(viewer(&mut page, "state().columns[1].type"), "int32 · runs");
    assert_eq!(viewer(&mut page, "cells().then((rows) => rows[1].join())"), "Aalen,,68");
    // The placeholder says that there is more than is shown; it is no null.
    page.click_on(&format!("{VIEWER}.cellRect(0, 'years')"), 0);
    crate::drive::says(&mut page, ".value i", "not shown");
    viewer(&mut page, "setSort(['-size'])");
    viewer(&mut page, "setFilter('town', 'ulm')");
    assert_eq!(viewer(&mut page, "cells().then((rows) => rows[0].join())"), "Ulm,,126");
    pictures(&mut page, "unread");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
