//! Menus of cells and headers, finding, going to a row, and fingers.

use serde_json::{Value, json};

use crate::drive::{ROWS, VIEWER, cell, click_part, header, open, part, pictures, says, viewer};

const CONTROL: u32 = 2;
const SHIFT: u32 = 8;

#[test]
fn a_cells_menu_filters_excludes_sorts_and_groups() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (x, y) = cell(&mut page, 3, "carrier");
    page.right_click(x, y);
    pictures(&mut page, "menu");
    click_part(&mut page, "[role=menuitem]", "Filter by “B6”");
    page.wait_for(&format!("{VIEWER}.state().filters.carrier === '=B6'"));
    assert_eq!(viewer(&mut page, "state().rowsShown"), 54_635);
    viewer(&mut page, "setFilter('carrier', '')");
    for name in ["UA", "AA"] {
        let (x, y) = cell(&mut page, 0, "carrier");
        page.right_click(x, y);
        click_part(&mut page, "[role=menuitem]", &format!("Exclude “{name}”"));
        page.wait_for(&format!("({VIEWER}.state().filters.carrier ?? '').endsWith('{name}')"));
        viewer(&mut page, "settled()");
    }
    assert_eq!(viewer(&mut page, "state().filters.carrier"), "!=UA, AA");
    assert_eq!(viewer(&mut page, "state().rowsShown"), ROWS - 58_665 - 32_729);
    // The keyboard's menu key, and arrows in the menu.
    let (x, y) = cell(&mut page, 2, "dep_delay");
    page.click(x, y, 0);
    page.eval(&format!(
        "{}.dispatchEvent(new PointerEvent('contextmenu', {{button: 0, bubbles: true, cancelable: true}}))",
        part("canvas", "")
    ));
    page.wait_for(&format!("{VIEWER}.shadowRoot.activeElement?.role === 'menuitem'"));
    page.press("s", 83, 0);
    // Show in full, then Sort ascending, then Sort descending.
    page.press("s", 83, 0);
    page.press("ArrowDown", 40, 0);
    page.press("Enter", 13, 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === '-dep_delay'"));
    let (x, y) = header(&mut page, "carrier");
    page.right_click(x, y);
    click_part(&mut page, "[role=menuitem]", "Group by carrier");
    page.wait_for(&format!("{VIEWER}.state().group.keys.join() === 'carrier'"));
    assert_eq!(viewer(&mut page, "state().rowsShown"), 14);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn headers_sort_by_many_keys_and_have_a_menu_of_dots() {
    let (_server, _browser, mut page) = open(1280, 800);
    for (column, modifiers) in [("carrier", 0), ("flight", SHIFT), ("flight", SHIFT)] {
        let (x, y) = header(&mut page, column);
        page.click(x, y, modifiers);
    }
    page.wait_for(&format!("{VIEWER}.state().sort.join() === 'carrier,-flight'"));
    pictures(&mut page, "sorted-by-two");
    // The dots at the end of a header that is pointed at.
    let (x, y) = header(&mut page, "carrier");
    page.point_at(x, y);
    let right = viewer(&mut page, "headerRect('carrier').right").as_f64().unwrap();
    let top = viewer(&mut page, "headerRect('carrier').top").as_f64().unwrap();
    page.point_at(right - 12.0, top + 34.0);
    page.settle();
    page.click(right - 12.0, top + 34.0, 0);
    click_part(&mut page, "[role=menuitem]", "Move left");
    page.wait_for(&format!("{VIEWER}.state().shown.indexOf('carrier') === 8"));
    assert_eq!(viewer(&mut page, "state().sort.join()"), "carrier,-flight");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn text_is_found_and_rows_are_gone_to() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (x, y) = cell(&mut page, 0, "year");
    page.click(x, y, 0);
    page.press("f", 70, CONTROL);
    page.type_text("n14228");
    // Every row that holds it, and no other, however the case.
    let expected = {
        use arrow_array::cast::AsArray;
        let table = crate::common::flights();
        let tails = table.column_by_name("tailnum").unwrap().as_string::<i32>();
        (0..ROWS).filter(|&row| tails.value(row).contains("N14228")).collect::<Vec<_>>()
    };
    says(&mut page, ".find", &format!("1 of {}", expected.len()));
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '{},11'", expected[0]));
    page.press("Enter", 13, 0);
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '{},11'", expected[1]));
    says(&mut page, ".find", &format!("2 of {}", expected.len()));
    pictures(&mut page, "found");
    page.press("Enter", 13, SHIFT);
    page.press("Enter", 13, SHIFT);
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '{},11'", expected[expected.len() - 1]));
    // The view is another: the search begins anew.
    viewer(&mut page, "setFilter('tailnum', '=N14228')");
    says(&mut page, ".find", &format!("of {}", expected.len()));
    viewer(&mut page, "setFilter('tailnum', '')");
    // From wherever the focus is in the viewer.
    page.click_on(&format!("{}.getBoundingClientRect()", part("[data-filter=month]", "")), 0);
    page.press("g", 71, CONTROL);
    page.wait_for(&format!("{VIEWER}.shadowRoot.activeElement?.placeholder === 'Go to row'"));
    page.type_text("200,000");
    page.press("Enter", 13, 0);
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '199999,0'"));
    page.wait_for(&format!("{VIEWER}.shadowRoot.activeElement === {}", part("canvas", "")));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn fingers_scroll_tap_and_rest() {
    let (_server, _browser, mut page) = open(800, 700);
    page.call("Emulation.setTouchEmulationEnabled", json!({"enabled": true}));
    let touch = |page: &mut crate::cdp::Page, kind: &str, points: Value| {
        page.call("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points}));
    };
    let (x, y) = cell(&mut page, 6, "day");
    touch(&mut page, "touchStart", json!([{"x": x, "y": y}]));
    touch(&mut page, "touchEnd", json!([]));
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '6,2'"));
    // The browser scrolls.
    let pan = |page: &mut crate::cdp::Page, by: f64| {
        touch(page, "touchStart", json!([{"x": x, "y": y}]));
        for step in 1..=10 {
            touch(page, "touchMove", json!([{"x": x, "y": y + by * f64::from(step) / 10.0}]));
            page.settle();
        }
        touch(page, "touchEnd", json!([]));
    };
    pan(&mut page, -140.0);
    page.wait_for(&format!("{VIEWER}.state().topRow > 3"));
    // A pan is no tap.
    assert_eq!(viewer(&mut page, "state().selection.join()"), "6,2");
    // The pane has been put straight: far down it scrolls as well, in a table taller than any pane.
    viewer(&mut page, "scrollToRow(200000)");
    page.settle();
    pan(&mut page, 140.0);
    page.wait_for(&format!("{VIEWER}.state().topRow < 199997 && {VIEWER}.state().topRow > 199900"));
    // A finger that rests asks for the menu.
    let top = viewer(&mut page, "state().topRow").as_f64().unwrap().ceil() as usize;
    let (x, y) = cell(&mut page, top + 4, "day");
    touch(&mut page, "touchStart", json!([{"x": x, "y": y}]));
    page.wait_for(&format!("Boolean({VIEWER}.shadowRoot.querySelector('[role=menu]'))"));
    touch(&mut page, "touchEnd", json!([]));
    assert_eq!(viewer(&mut page, "state().selection.join()"), format!("{},2", top + 4));
    click_part(&mut page, "[role=menuitem]", "Hide");
    page.wait_for(&format!("!{VIEWER}.state().shown.includes('day')"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
