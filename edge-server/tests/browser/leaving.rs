//! What leaves the page: cells in the clipboard, the view as a file, a value in full.

use serde_json::json;

use crate::drive::{VIEWER, cell, click_part, filter, loaded, open, part, pictures, says, viewer};

const CONTROL: u32 = 2;

fn allow_clipboard(page: &mut crate::cdp::Page) {
    page.call("Browser.grantPermissions", json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}));
}

/// The clipboard's text of a type; empty when it has none.
fn clipboard(page: &mut crate::cdp::Page, kind: &str) -> String {
    let read = format!(
        "navigator.clipboard.read().then(items => items[0].types.includes('{kind}') ? items[0].getType('{kind}').then(b => b.text()) : '')"
    );
    page.eval(&read).as_str().unwrap().to_owned()
}

#[test]
fn cells_are_copied_as_text_and_as_a_table() {
    let (_server, _browser, mut page) = open(1280, 800);
    allow_clipboard(&mut page);
    let (from, to) = (cell(&mut page, 0, "arr_delay"), cell(&mut page, 1, "flight"));
    page.drag(from, to);
    page.press("c", 67, CONTROL);
    says(&mut page, ".time", "copied 6 cells");
    assert_eq!(clipboard(&mut page, "text/plain"), "11\tUA\t1545\n20\tUA\t1714\n");
    let html = clipboard(&mut page, "text/html");
    assert!(html.contains("<tr><td>11</td><td>UA</td><td>1545</td></tr>"), "{html}");
    // With names, by the menu.
    page.right_click(to.0, to.1);
    click_part(&mut page, "[role=menuitem]", "Copy with names");
    page.wait_for("navigator.clipboard.readText().then(t => t.startsWith('arr_delay\\tcarrier\\tflight\\n11\\t'))");
    // One cell is its exact value, and no table.
    let (x, y) = cell(&mut page, 0, "carrier");
    page.click(x, y, 0);
    page.press("c", 67, CONTROL);
    page.wait_for("navigator.clipboard.readText().then(t => t === 'UA')");
    assert_eq!(clipboard(&mut page, "text/html"), "");
    // Too many are refused, with what to do.
    page.press("a", 65, CONTROL);
    page.press("c", 67, CONTROL);
    says(&mut page, ".value", "6,398,744 cells are too many for the clipboard");
    pictures(&mut page, "too-many");
    assert_eq!(clipboard(&mut page, "text/plain"), "UA");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn the_view_is_exported_as_it_is_seen() {
    let (_server, _browser, mut page) = open(1280, 800);
    filter(&mut page, "origin", "=JFK");
    filter(&mut page, "dep_delay", "> 500");
    viewer(&mut page, "setSort(['-dep_delay'])");
    viewer(&mut page, "setColumns([{name: 'dest'}, {name: 'dep_delay'}, {name: 'tailnum'}])");
    page.eval(&format!("{VIEWER}.state().arranged.slice(3).forEach(c => {VIEWER}.setColumns([{{name: 'dest'}}, {{name: 'dep_delay'}}, {{name: 'tailnum'}}, {{name: c.name, hidden: true}}]))"));
    let csv = page.eval(&format!("{VIEWER}.toCsv().then(b => b.text())"));
    let csv = csv.as_str().unwrap();
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "dest,dep_delay,tailnum");
    assert_eq!(lines[1], "HNL,1301,N384HA");
    let rows = viewer(&mut page, "state().rowsShown").as_u64().unwrap();
    assert_eq!(lines.len() as u64, rows + 1);
    // By hand, a file comes of it.
    let folder = tempfile::tempdir().unwrap();
    page.call(
        "Browser.setDownloadBehavior",
        json!({"behavior": "allow", "downloadPath": folder.path().to_str().unwrap()}),
    );
    click_part(&mut page, ".bar button", "Export");
    pictures(&mut page, "export");
    click_part(&mut page, "[role=menuitem]", "View as CSV");
    says(&mut page, ".time", &format!("exported {rows} rows"));
    let file = folder.path().join("flights.csv");
    let begin = std::time::Instant::now();
    while !std::fs::read_to_string(&file).is_ok_and(|text| text == csv) {
        assert!(begin.elapsed().as_secs() < 20, "no file came");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_value_is_shown_in_full() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (x, y) = cell(&mut page, 3, "carrier");
    page.double_click(x, y);
    says(&mut page, ".whole-value pre", "B6");
    says(&mut page, ".whole-value b", "carrier · row 4");
    pictures(&mut page, "value");
    // The text is selectable, and has the focus.
    page.press("a", 65, CONTROL);
    page.press("Escape", 27, 0);
    page.wait_for(&format!("!{VIEWER}.shadowRoot.querySelector('.pop')"));
    assert_eq!(viewer(&mut page, "state().selection.join()"), "3,9");
    page.press("ArrowDown", 40, 0);
    page.press("Enter", 13, 0);
    says(&mut page, ".whole-value pre", "DL");
    let inside = part(".whole-value", "");
    page.click_on(&format!("{inside}.querySelectorAll('.button')[1].getBoundingClientRect()"), 0);
    page.wait_for(&format!("{VIEWER}.shadowRoot.activeElement === {}", part("canvas", "")));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn what_is_exported_is_the_view_as_it_was_when_it_was_asked_for() {
    let (_server, _browser, mut page) = open(1000, 700);
    for engine in ["page", "worker", "server"] {
        page.eval(&format!("{VIEWER}.setAttribute('engine', '{engine}')"));
        page.wait_for(&format!("{VIEWER}.state().engine === '{engine}'"));
        loaded(&mut page);
        viewer(&mut page, "setFilter('month', '< 4')");
        viewer(&mut page, "setSort(['-distance'])");
        let told = page.eval(&format!(
            r#"(async () => {{
                const table = {VIEWER};
                const digest = async (blob) => new Uint8Array(await crypto.subtle.digest('SHA-1', await blob.arrayBuffer())).join();
                const ways = {{
                    csv: () => table.toCsv(),
                    arrow: () => table.toArrow(),
                    column: async () => new Blob([(await table.column('tailnum')).values.join()]),
                    rows: async () => new Blob([JSON.stringify(await table.rows(0, 30000))]),
                }};
                const told = {{ late: 0 }};
                for (const [name, way] of Object.entries(ways)) {{
                    const before = await digest(await way());
                    let over = false;
                    const going = way().finally(() => {{ over = true; }});
                    // While it is under way: another order, other rows, groups, other columns, and back.
                    await new Promise((done) => setTimeout(done, 5));
                    await table.setSort(['dep_delay', '-flight']);
                    await table.setFilter('month', '');
                    await table.setGroup(['origin'], [['count']]);
                    if (over) told.late++;
                    await table.setGroup([], []);
                    table.setColumns([{{ name: 'dest' }}, {{ name: 'year', hidden: true }}]);
                    told[name] = await going.then(digest, (error) => error.message) === before;
                    table.setColumns([{{ name: 'year', hidden: false }}, {{ name: 'month' }}]);
                    await table.setFilter('month', '< 4');
                    await table.setSort(['-distance']);
                }}
                return told;
            }})()"#
        ));
        for way in ["csv", "arrow", "column", "rows"] {
            assert_eq!(told[way], true, "{way} by the {engine}: {told}");
        }
        assert!(told["late"].as_u64() < Some(3), "over before the view changed, by the {engine}: {told}");
        // A table that goes takes what is under way with it.
        let gone = page.eval(&format!(
            "(async () => {{ const going = {VIEWER}.toCsv().then(() => 'done', (error) => error.name); \
             await new Promise((done) => setTimeout(done, 20)); await {VIEWER}.load({VIEWER}.src); return going }})()"
        ));
        assert_eq!(gone, "AbortError", "by the {engine}");
        // Of a view without rows the names are left.
        viewer(&mut page, "setFilter('month', '> 12')");
        let names = page.eval(&format!("{VIEWER}.toCsv().then((blob) => blob.text())"));
        assert!(names.as_str().unwrap().starts_with("year,month,") && names.as_str().unwrap().ends_with("hour\r\n"));
        viewer(&mut page, "setFilter('month', '')");
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
