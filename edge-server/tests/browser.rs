//! The page in a real browser: loaded from the running server, clicked, typed into, and compared with what
//! arrow-rs computes of the same file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "browser/access.rs"]
mod access;
#[path = "browser/bidi.rs"]
mod bidi;
#[path = "browser/cdp.rs"]
mod cdp;
#[path = "browser/charts.rs"]
mod charts;
#[path = "browser/columns.rs"]
mod columns;
mod common;
#[path = "browser/data.rs"]
mod data;
#[path = "browser/drive.rs"]
mod drive;
#[path = "browser/embed.rs"]
mod embed;
#[path = "browser/engines.rs"]
mod engines;
#[path = "../../wire/tests/common/mod.rs"]
mod every;
#[path = "browser/filters.rs"]
mod filters;
#[path = "browser/firefox.rs"]
mod firefox;
#[path = "browser/groups.rs"]
mod groups;
#[path = "browser/leaving.rs"]
mod leaving;
#[path = "browser/live.rs"]
mod live;
#[path = "browser/live_alike.rs"]
mod live_alike;
#[path = "browser/menus.rs"]
mod menus;
#[path = "browser/nested.rs"]
mod nested;
#[path = "browser/opening.rs"]
mod opening;
#[path = "browser/parts.rs"]
mod parts;
#[path = "browser/patterns.rs"]
mod patterns;
#[path = "browser/placing.rs"]
mod placing;
#[path = "browser/selecting.rs"]
mod selecting;
#[path = "browser/signin.rs"]
mod signin;
#[path = "browser/sorting.rs"]
mod sorting;
#[path = "common/live.rs"]
mod tables;

use arrow_array::cast::AsArray;
use arrow_array::types::Int16Type;
use arrow_array::{Array, RecordBatch};
use arrow_ord::sort::{SortColumn, lexsort_to_indices};
use arrow_schema::SortOptions;
use arrow_select::take::take_record_batch;
use cdp::{Browser, Page};
use common::{Served, flights};
use drive::{ROWS, VIEWER, filter, loaded, screenshots, viewer};
use serde_json::{Value, json};

/// Rows as the viewer writes them, of columns that are integers or text.
fn written(batch: &RecordBatch, columns: &[&str], rows: usize) -> Vec<Vec<Value>> {
    let text = |column: &str, row: usize| {
        let array = batch.column_by_name(column).unwrap();
        if array.is_null(row) {
            return Value::Null;
        }
        json!(arrow_cast::display::array_value_to_string(array, row).unwrap())
    };
    (0..rows).map(|row| columns.iter().map(|column| text(column, row)).collect()).collect()
}

fn shown(page: &mut Page, columns: &[&str], rows: usize) -> Vec<Vec<Value>> {
    let state = viewer(page, "state()");
    let names: Vec<&str> = state["shown"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let cells = viewer(page, &format!("cells(0, {rows})"));
    let at = |name: &str| names.iter().position(|other| *other == name).unwrap();
    cells.as_array().unwrap().iter().map(|row| columns.iter().map(|column| row[at(column)].clone()).collect()).collect()
}

#[test]
fn loads_sorts_filters_and_groups_as_arrow_does() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1280, 800);
    page.colour_scheme("light");
    page.goto(&server.url("/"));
    loaded(&mut page);
    let table = flights();
    assert_eq!(table.num_rows(), ROWS);

    let state = viewer(&mut page, "state()");
    assert_eq!(state["rowsLoaded"], ROWS);
    assert_eq!(state["rowsShown"], ROWS);
    let columns = ["year", "carrier", "tailnum", "dep_delay", "origin", "flight"];
    assert_eq!(shown(&mut page, &columns, 200), written(&table, &columns, 200));
    assert_eq!(viewer(&mut page, "cells(0, 1).then((rows) => rows[0][18])"), "2013-01-01T10:00:00Z");
    page.screenshot(&screenshots().join("light.png"));

    // A click on a header sorts, another turns the order; nulls stand last both times.
    for descending in [false, true] {
        page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"), 0);
        let key = if descending { "-dep_delay" } else { "dep_delay" };
        page.wait_for(&format!("{VIEWER}.state().sort.join() === '{key}'"));
        let options = SortOptions { descending, nulls_first: false };
        let delay = table.column_by_name("dep_delay").unwrap().clone();
        // arrow-rs's sort does not keep equal rows in order; the row number as a second key does.
        let order = std::sync::Arc::new(arrow_array::UInt32Array::from_iter_values(0..ROWS as u32));
        let keys = [SortColumn { values: delay, options: Some(options) }, SortColumn { values: order, options: None }];
        let sorted = take_record_batch(&table, &lexsort_to_indices(&keys, None).unwrap()).unwrap();
        assert_eq!(shown(&mut page, &columns, 300), written(&sorted, &columns, 300));
        let last = viewer(&mut page, &format!("cells({}, 1).then((rows) => rows[0])", ROWS - 1));
        assert_eq!(last[5], Value::Null);
    }
    page.screenshot(&screenshots().join("sorted.png"));

    // Filters, typed; a second one narrows the first.
    filter(&mut page, "origin", "=JFK");
    filter(&mut page, "dep_delay", "> 60");
    let origin = table.column_by_name("origin").unwrap().as_string::<i32>();
    let delay = table.column_by_name("dep_delay").unwrap().as_primitive::<Int16Type>();
    let passes = |row: usize| origin.value(row) == "JFK" && delay.is_valid(row) && delay.value(row) > 60;
    let kept = (0..ROWS).filter(|&row| passes(row)).count();
    assert_eq!(viewer(&mut page, "state()")["rowsShown"], kept);
    page.screenshot(&screenshots().join("filtered.png"));

    // What cannot be read is told, and changes nothing.
    let find = format!("{VIEWER}.shadowRoot.querySelector('[data-filter=dep_delay]')");
    page.click_on(&format!("{find}.getBoundingClientRect()"), 0);
    page.eval(&format!("{find}.select()"));
    page.type_text("> many");
    page.wait_for(&format!("{find}.getAttribute('aria-invalid') === 'true'"));
    assert!(page.eval(&format!("{find}.title")).as_str().unwrap().starts_with("expected a number"));
    assert_eq!(viewer(&mut page, "state()")["rowsShown"], kept);
    page.screenshot(&screenshots().join("invalid.png"));
    filter(&mut page, "dep_delay", "");
    filter(&mut page, "origin", "");

    // Groups, by the panel.
    let shadow = format!("{VIEWER}.shadowRoot");
    page.click_on(
        &format!(
            "[...{shadow}.querySelectorAll('.bar button')].find(b => b.textContent === 'Group').getBoundingClientRect()"
        ),
        0,
    );
    let choose = |page: &mut Page, which: &str, value: &str| {
        page.eval(&format!(
            "(() => {{ const s = {shadow}.querySelector('[data-group={which}]'); s.value = '{value}'; \
             s.dispatchEvent(new Event('change')); }})()"
        ));
        // The panel follows the rows.
        viewer(page, "settled()");
    };
    choose(&mut page, "key", "origin");
    choose(&mut page, "key", "carrier");
    choose(&mut page, "function", "mean");
    choose(&mut page, "column", "dep_delay");
    choose(&mut page, "function", "max");
    choose(&mut page, "column", "distance");
    page.click_on(&format!("{VIEWER}.headerRect('count')"), 0);
    page.click_on(&format!("{VIEWER}.headerRect('count')"), 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === '-count'"));
    let expected = grouped(&table);
    assert_eq!(viewer(&mut page, "state()")["rowsShown"], expected.len());
    let cells = viewer(&mut page, "cells(0, 1000)");
    let found: Vec<(String, String, u64, f64, i64)> = cells
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |column: usize| row[column].as_str().unwrap().to_owned();
            let mean = text(3).parse().unwrap();
            (text(0), text(1), text(2).parse().unwrap(), mean, text(4).parse().unwrap())
        })
        .collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((&found.0, &found.1, found.2, found.4), (&expected.0, &expected.1, expected.2, expected.4));
        assert!((found.3 - expected.3).abs() <= 1e-9 * expected.3.abs(), "{found:?} {expected:?}");
    }
    page.screenshot(&screenshots().join("grouped.png"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

/// Origin, carrier, count, mean of the delay, greatest distance; most flights first.
fn grouped(table: &RecordBatch) -> Vec<(String, String, u64, f64, i64)> {
    use arrow_arith::aggregate::{max, sum};
    let column = |name: &str| table.column_by_name(name).unwrap();
    let keys = [column("origin").clone(), column("carrier").clone()];
    let sort = keys.iter().map(|values| SortColumn { values: values.clone(), options: None }).collect::<Vec<_>>();
    let sorted = take_record_batch(table, &lexsort_to_indices(&sort, None).unwrap()).unwrap();
    let column = |name: &str| sorted.column_by_name(name).unwrap().clone();
    let parts = arrow_ord::partition::partition(&[column("origin"), column("carrier")]).unwrap();
    let mut groups: Vec<_> = parts
        .ranges()
        .into_iter()
        .map(|range| {
            let part = sorted.slice(range.start, range.len());
            let column = |name: &str| part.column_by_name(name).unwrap();
            let text = |name: &str| column(name).as_string::<i32>().value(0).to_owned();
            let delay = column("dep_delay").as_primitive::<Int16Type>();
            let wide = arrow_cast::cast(delay, &arrow_schema::DataType::Int64).unwrap();
            let total = sum(wide.as_primitive::<arrow_array::types::Int64Type>()).unwrap_or(0);
            let mean = total as f64 / (delay.len() - delay.null_count()) as f64;
            let distance = max(column("distance").as_primitive::<Int16Type>()).unwrap();
            (text("origin"), text("carrier"), part.num_rows() as u64, mean, i64::from(distance))
        })
        .collect();
    // Groups of one size stand in the order of their first row, which the counts of this file do not need.
    groups.sort_by_key(|group| std::cmp::Reverse(group.2));
    groups
}

#[test]
fn scrolls_to_the_last_row_and_follows_the_keyboard() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1000, 700);
    page.colour_scheme("dark");
    page.goto(&server.url("/"));
    loaded(&mut page);
    page.wheel(500.0, 400.0, 280.0);
    page.wait_for(&format!("{VIEWER}.state().topRow > 4.9"));
    page.click_on(&format!("{VIEWER}.cellRect(12, 'dep_delay')"), 0);
    assert_eq!(viewer(&mut page, "state()")["selection"][0], 12);
    page.press("ArrowDown", 40, 0);
    page.wait_for(&format!("{VIEWER}.state().selection[0] === 13"));
    page.screenshot(&screenshots().join("dark.png"));
    page.press("End", 35, 2);
    page.wait_for(&format!("{VIEWER}.state().selection.join() === '{},18'", ROWS - 1));
    // The last cell is wholly in sight.
    let inside = format!(
        "(() => {{ const c = {VIEWER}.cellRect({}, 'time_hour'), g = {VIEWER}.getBoundingClientRect(); \
         return c.top >= g.top && c.bottom <= g.bottom && c.left >= g.left && c.right <= g.right }})()",
        ROWS - 1
    );
    assert_eq!(page.eval(&inside), true);
    page.screenshot(&screenshots().join("last.png"));
    page.press("Home", 36, 2);
    page.wait_for(&format!("{VIEWER}.state().topRow === 0"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn tells_what_is_wrong() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1000, 600);
    page.colour_scheme("light");
    page.goto(&server.url("/"));
    loaded(&mut page);
    viewer(&mut page, "setAttribute('src', '/v1/tables/nothing/data')");
    page.wait_for(&format!("{VIEWER}.state().error !== null"));
    let error = viewer(&mut page, "state()")["error"].clone();
    assert_eq!(error["title"], "unknown table");
    assert!(error["detail"].as_str().unwrap().contains("the tables are flights"), "{error}");
    page.screenshot(&screenshots().join("error.png"));
    // A stream that is none.
    viewer(&mut page, "setAttribute('src', '/page.js')");
    page.wait_for(&format!("{VIEWER}.state().error?.url === '/page.js'"));
    // And back.
    viewer(&mut page, "setAttribute('src', '/v1/tables/flights/data')");
    page.wait_for(&format!("{VIEWER}.state().rowsLoaded === {ROWS} && {VIEWER}.state().error === null"));
}
