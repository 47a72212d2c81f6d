//! For everyone: what screen readers are told, what axe-core finds, contrast; and what headers show of their columns.
//!
//! axe-core is found under the target folder (`interop/node_modules`), where `.ci/test` puts it. Without it that part says
//! so and passes, unless `INTEROP` is `required`.
#![allow(clippy::print_stdout, reason = "says what is skipped")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::drive::{ROWS, VIEWER, cell, click_part, open, part, pictures, viewer};

const CONTROL: u32 = 2;

fn axe() -> Option<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let script = std::fs::read_to_string(target.join("interop/node_modules/axe-core/axe.min.js")).ok();
    if script.is_none() {
        assert!(std::env::var_os("INTEROP").is_none_or(|value| value != "required"), "axe-core is missing");
        println!("skipped: no axe-core; `.ci/test` installs it");
    }
    script
}

/// The node of the accessibility tree that has the focus, or is the active descendant of what has it.
fn focused(page: &mut crate::cdp::Page) -> Value {
    let tree = page.call("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let of = |node: &Value, name: &str| {
        let properties = node["properties"].as_array().cloned().unwrap_or_default();
        properties.into_iter().find(|property| property["name"] == name).map(|property| property["value"].clone())
    };
    let grid = nodes.iter().find(|node| node["role"]["value"] == "grid").unwrap();
    let active = of(grid, "activedescendant").unwrap();
    let id = &active["relatedNodes"][0]["backendDOMNodeId"];
    nodes.iter().find(|node| node["backendDOMNodeId"] == *id).cloned().unwrap()
}

#[test]
fn a_screen_reader_follows_the_focus() {
    let (_server, _browser, mut page) = open(1280, 800);
    page.call("Accessibility.enable", json!({}));
    let canvas = part("canvas", "");
    page.wait_for(&format!("{canvas}.getAttribute('aria-rowcount') === '{}'", ROWS + 1));
    assert_eq!(page.eval(&format!("{canvas}.getAttribute('aria-colcount')")), "19");
    let (x, y) = cell(&mut page, 2, "dep_delay");
    page.click(x, y, 0);
    page.settle();
    let node = focused(&mut page);
    assert_eq!((&node["role"]["value"], &node["name"]["value"]), (&json!("gridcell"), &json!("2")));
    page.press("ArrowRight", 39, 0);
    page.press("ArrowRight", 39, 8);
    page.settle();
    assert_eq!(focused(&mut page)["name"]["value"], "850");
    let cell_of = |row: usize, column: usize| format!("{VIEWER}.shadowRoot.getElementById('c{row}-{column}')");
    for (column, chosen) in [(5, "false"), (6, "true"), (7, "true"), (8, "false")] {
        assert_eq!(page.eval(&format!("{}.getAttribute('aria-selected')", cell_of(2, column))), chosen);
    }
    let here = cell_of(2, 7);
    assert_eq!(page.eval(&format!("{here}.getAttribute('aria-colindex')")), "8");
    // The header is the first row.
    assert_eq!(page.eval(&format!("{here}.parentElement.getAttribute('aria-rowindex')")), "4");
    // Far away, where nothing had been before.
    page.press("End", 35, CONTROL);
    page.settle();
    assert_eq!(focused(&mut page)["name"]["value"], "2013-09-30 12:00 Z");
    viewer(&mut page, "setSort(['-time_hour'])");
    page.wait_for(&format!(
        "[...{canvas}.querySelectorAll('[role=columnheader]')].some(h => h.textContent.startsWith('time_hour') && h.getAttribute('aria-sort') === 'descending')"
    ));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn axe_finds_nothing() {
    let Some(script) = axe() else { return };
    let (_server, _browser, mut page) = open(1280, 800);
    page.wait_for(&format!("{}.children.length > 5", part("canvas", "")));
    page.eval(&format!("{script};0"));
    let check = |page: &mut crate::cdp::Page, place: &str| {
        let found = page.eval(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}) \
             .then(r => r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')}`))",
        );
        assert_eq!(found, json!([]), "{place}");
    };
    for scheme in ["light", "dark"] {
        page.colour_scheme(scheme);
        page.settle();
        check(&mut page, scheme);
        let (x, y) = cell(&mut page, 2, "tailnum");
        page.right_click(x, y);
        check(&mut page, "a cell's menu");
        page.press("Escape", 27, 0);
        page.press("Enter", 13, 0);
        check(&mut page, "a value");
        page.press("Escape", 27, 0);
        click_part(&mut page, ".bar button", "Columns");
        check(&mut page, "the columns");
        page.press("Escape", 27, 0);
        page.press("f", 70, CONTROL);
        for (column, tabs) in [("dep_delay", ["Range", "Values"]), ("tailnum", ["Values", "Text"])] {
            viewer(&mut page, &format!("select([2, {}])", if column == "tailnum" { 11 } else { 5 }));
            click_part(&mut page, &format!("[data-filter={column}] + .funnel"), "");
            for tab in tabs {
                click_part(&mut page, ".filter .tabs button", tab);
                page.settle();
                check(&mut page, "a panel of filters");
            }
            page.press("Escape", 27, 0);
        }
        let (x, y) = crate::drive::header(&mut page, "dep_delay");
        page.right_click(x, y);
        click_part(&mut page, "[role=menuitem]", "Format…");
        check(&mut page, "a format");
        page.press("Escape", 27, 0);
        click_part(&mut page, ".bar button", "Find");
        check(&mut page, "finding");
        page.press("Escape", 27, 0);
    }
    viewer(&mut page, "setGroup(['origin'], [['count', '']])");
    click_part(&mut page, ".bar button", "Grouped by origin");
    check(&mut page, "groups");
    click_part(&mut page, ".bar button", "Chart");
    page.wait_for(&format!("{VIEWER}.state().chart?.busy === false"));
    check(&mut page, "a chart");
}

#[test]
fn the_canvas_has_contrast_too() {
    let (_server, _browser, mut page) = open(1000, 600);
    for scheme in ["light", "dark"] {
        page.colour_scheme(scheme);
        let ratios = page.eval(&format!(
            r"(() => {{
                const style = getComputedStyle({VIEWER});
                const colour = (name) => {{
                    const probe = document.createElement('i');
                    probe.style.color = style.getPropertyValue('--bodkin-' + name);
                    document.body.append(probe);
                    const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(v => v / 255)
                        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                    probe.remove();
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                }};
                const ratio = (a, b) => {{ const [x, y] = [colour(a), colour(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) }};
                const pairs = [];
                for (const text of ['text', 'muted', 'faint', 'accent', 'error'])
                    for (const ground of ['background', 'header', 'hover', 'selected', 'found'])
                        if (text === 'text' || !['found'].includes(ground) && !(text === 'error' && ground === 'selected'))
                            pairs.push([text + ' on ' + ground, ratio(text, ground)]);
                return pairs.filter(([, value]) => value < 4.5);
            }})()"
        ));
        assert_eq!(ratios, json!([]), "{scheme}");
    }
}

#[test]
fn headers_tell_what_columns_hold() {
    let (_server, _browser, mut page) = open(1280, 800);
    let canvas = part("canvas", "");
    let told = |name: &str| {
        format!(
            "[...{canvas}.querySelectorAll('[role=columnheader]')].find(h => h.textContent.startsWith('{name},'))?.textContent"
        )
    };
    // Nulls as the file has them, the most frequent value with its share.
    page.wait_for(&format!("{} === 'dep_delay, int16 · 2.5% null'", told("dep_delay")));
    page.wait_for(&format!("{} === 'carrier, text · UA 17%'", told("carrier")));
    // Where the page holds the rows itself they are looked at in slices, several for each column.
    page.eval(&format!("{VIEWER}.setAttribute('engine', 'page')"));
    page.wait_for(&format!("{VIEWER}.state().engine === 'page' && !{VIEWER}.state().loading"));
    page.eval(
        "import('/viewer/bodkin.js').then(({Viewer}) => { window.slices = 0; const step = Viewer.prototype.profileStep; \
         Viewer.prototype.profileStep = function () { window.slices++; return step.call(this) } })",
    );
    let again = format!(
        "new Promise(done => {{ {VIEWER}.addEventListener('bodkin-profile', () => done(true), {{once: true}}); \
         {VIEWER}.load({VIEWER}.src) }})"
    );
    assert_eq!(page.eval(&again), true);
    let slices = page.eval("window.slices").as_u64().unwrap();
    assert!(slices > 2 * 19, "{slices}");
    page.point_at(640.0, 118.0);
    page.wait_for(&format!("{canvas}.title !== ''"));
    pictures(&mut page, "headers");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
