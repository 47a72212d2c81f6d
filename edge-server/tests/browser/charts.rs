//! Charts: opened by a button, changed by menus, pointed at, brushed back into the filters, saved as a picture.

use serde_json::{Value, json};

use crate::cdp::Page;
use crate::drive::{ROWS, VIEWER, cell, click_part, open, part, pictures, viewer};

/// Waits until what was asked for is drawn.
fn drawn(page: &mut Page) {
    page.wait_for(&format!("{VIEWER}.state().chart?.busy === false"));
}

/// Shows a chart and waits for it.
fn chart(page: &mut Page, spec: &Value) {
    viewer(page, &format!("chart({spec})"));
    drawn(page);
}

/// Chooses in a menu of the chart.
fn choose(page: &mut Page, which: &str, value: &str) {
    let select = part(&format!("[data-chart={which}]"), "");
    page.eval(&format!(
        "(() => {{ const s = {select}; s.value = '{value}'; s.dispatchEvent(new Event('change')) }})()"
    ));
    drawn(page);
}

/// A place in the chart, by shares of its width and height.
fn place(page: &mut Page, x: f64, y: f64) -> (f64, f64) {
    let plot = page.eval(&format!("{}.getBoundingClientRect().toJSON()", part(".plot", "")));
    let number = |name: &str| plot[name].as_f64().unwrap();
    (number("left") + number("width") * x, number("top") + number("height") * y)
}

/// What the tooltip says at a place.
fn pointed(page: &mut Page, x: f64, y: f64) -> String {
    let (x, y) = place(page, x, y);
    page.point_at(x, y);
    viewer(page, "pointed()").as_str().unwrap().to_owned()
}

fn shown(page: &mut Page) -> u64 {
    viewer(page, "state().rowsShown").as_u64().unwrap()
}

fn rows(count: u64) -> String {
    format!("{VIEWER}.state().rowsShown === {count}")
}

#[test]
fn bars_of_the_column_in_focus_are_changed_pointed_at_and_clicked() {
    let (_server, _browser, mut page) = open(1280, 800);
    let (x, y) = cell(&mut page, 3, "carrier");
    page.click(x, y, 0);
    click_part(&mut page, ".bar button", "Chart");
    drawn(&mut page);
    assert_eq!(viewer(&mut page, "state().chart.x"), "carrier");
    assert_eq!(viewer(&mut page, "state().chart.y"), json!([["count", ""]]));
    // The greatest stands first.
    assert_eq!(pointed(&mut page, 0.06, 0.8), "carrier  UA\ncount of rows  58,665");
    choose(&mut page, "colour", "origin");
    assert_eq!(pointed(&mut page, 0.06, 0.8), "carrier  UA\nEWR  46,087\nJFK  4534\nLGA  8044\ntogether  58,665");
    pictures(&mut page, "chart-stacked");
    choose(&mut page, "function", "mean");
    assert_eq!(viewer(&mut page, "state().chart.y[0].join()"), "mean,year");
    choose(&mut page, "y", "dep_delay");
    choose(&mut page, "colour", "");
    assert_eq!(pointed(&mut page, 0.06, 0.8), "carrier  F9\nmean of dep_delay  20.22");
    pictures(&mut page, "chart-bars");
    // A click takes a bar, a drag takes those that it touches, and a double click gives all back.
    let (x, y) = place(&mut page, 0.06, 0.8);
    page.click(x, y, 0);
    page.wait_for(&format!("{VIEWER}.state().filters.carrier === '=F9'"));
    page.wait_for(&rows(685));
    drawn(&mut page);
    page.double_click(x, y);
    page.wait_for(&rows(ROWS as u64));
    drawn(&mut page);
    let (from, to) = (place(&mut page, 0.05, 0.5), place(&mut page, 0.12, 0.6));
    page.drag(from, to);
    page.wait_for(&format!("{VIEWER}.state().filters.carrier === '=F9, EV'"));
    page.wait_for(&rows(685 + 54_173));
    drawn(&mut page);
    assert!(
        viewer(&mut page, "shadowRoot.querySelector('[role=img]').ariaLabel").as_str().unwrap().ends_with(": 2 values")
    );
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_line_over_time_is_brushed() {
    let (_server, _browser, mut page) = open(1280, 800);
    chart(&mut page, &json!({"kind": "line", "x": "time_hour", "y": [["mean", "dep_delay"]]}));
    let said = pointed(&mut page, 0.5, 0.5);
    assert!(said.starts_with("time_hour (UTC)  2013-0") && said.contains("mean of dep_delay  "), "{said}");
    pictures(&mut page, "chart-line");
    let (from, to) = (place(&mut page, 0.3, 0.5), place(&mut page, 0.5, 0.5));
    page.pull(from, to);
    pictures(&mut page, "chart-brush");
    page.size(1280, 800, 1);
    page.drag(from, to);
    page.wait_for(&format!("/^2013-\\d\\d-\\d\\d..2013-\\d\\d-\\d\\d$/.test({VIEWER}.state().filters.time_hour)"));
    page.wait_for(&format!("{VIEWER}.state().rowsShown < {ROWS}"));
    drawn(&mut page);
    let some = shown(&mut page);
    assert!(some > 50_000 && some < 90_000, "{some}");
    // The chart shows the rows of the view: its days are those that were brushed.
    let range = viewer(&mut page, "state().filters.time_hour").as_str().unwrap().to_owned();
    let first = pointed(&mut page, 0.035, 0.5);
    assert!(first.contains(&range[..10]), "{first} {range}");
    page.press("Escape", 27, 0);
    page.wait_for(&rows(ROWS as u64));
    // Of a grouping by month and origin, the lines of both.
    viewer(&mut page, "chart(null)");
    viewer(&mut page, "setGroup(['month', 'origin'], [['mean', 'arr_delay']])");
    click_part(&mut page, ".bar button", "Chart");
    drawn(&mut page);
    assert_eq!(viewer(&mut page, "state().chart.kind"), "line");
    let said = pointed(&mut page, 0.51, 0.5);
    assert!(said.starts_with("month  6\nEWR  ") && said.lines().count() == 4, "{said}");
    pictures(&mut page, "chart-lines");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn points_are_brushed_on_both_sides() {
    let (_server, _browser, mut page) = open(1280, 800);
    chart(&mut page, &json!({"kind": "scatter", "x": "distance", "y": [["values", "air_time"]], "colour": "origin"}));
    assert_eq!(viewer(&mut page, "state().chart.note"), "200,000 of 336,776 rows, from all over the table");
    pictures(&mut page, "chart-points");
    page.size(1280, 800, 1);
    let (from, to) = (place(&mut page, 0.3, 0.2), place(&mut page, 0.6, 0.8));
    page.drag(from, to);
    page.wait_for(&format!("/^\\d+..\\d+$/.test({VIEWER}.state().filters.air_time)"));
    drawn(&mut page);
    let filters = viewer(&mut page, "state().filters");
    let bounds = |name: &str| {
        let (low, high) = filters[name].as_str().unwrap().split_once("..").unwrap();
        (low.parse::<i64>().unwrap(), high.parse::<i64>().unwrap())
    };
    let (distance, time) = (bounds("distance"), bounds("air_time"));
    let table = crate::flights();
    let column = |name: &str| {
        let wide = arrow_cast::cast(table.column_by_name(name).unwrap(), &arrow_schema::DataType::Int64).unwrap();
        arrow_array::cast::AsArray::as_primitive::<arrow_array::types::Int64Type>(&wide).clone()
    };
    let within = |value: Option<i64>, (low, high): (i64, i64)| value.is_some_and(|value| low <= value && value <= high);
    let (distances, times) = (column("distance"), column("air_time"));
    let both = distances.iter().zip(times.iter()).filter(|&(x, y)| within(x, distance) && within(y, time));
    page.wait_for(&rows(both.count() as u64));
    // Few enough to be pointed at one by one.
    viewer(&mut page, "setFilter('dest', '=BUR')");
    drawn(&mut page);
    pictures(&mut page, "chart-few-points");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn charts_follow_the_view_the_keyboard_and_the_splitter() {
    let (_server, _browser, mut page) = open(1280, 800);
    chart(&mut page, &json!({"kind": "bar", "x": "origin", "y": [["count"]]}));
    viewer(&mut page, "setFilter('carrier', '=B6')");
    drawn(&mut page);
    assert_eq!(pointed(&mut page, 0.2, 0.8), "origin  JFK\ncount of rows  42,076");
    // By the keyboard: the second bar, and what it is of.
    page.eval(&format!("{}.focus()", part("[role=img]", "")));
    page.point_at(10.0, 10.0);
    page.press("ArrowRight", 39, 0);
    page.press("ArrowRight", 39, 0);
    page.wait_for(&format!("{}.textContent === 'origin  EWR, count of rows  6557'", part(".chart .unseen", "")));
    page.press("Enter", 13, 0);
    page.wait_for(&rows(6_557));
    page.press("Escape", 27, 0);
    page.wait_for(&rows(54_635));
    drawn(&mut page);
    // The splitter, by keys and by hand.
    let height = format!("{}.offsetHeight", part(".chart", ""));
    let before = page.eval(&height).as_f64().unwrap();
    page.eval(&format!("{}.focus()", part(".splitter", "")));
    page.press("ArrowUp", 38, 0);
    assert_eq!(page.eval(&height), before + 24.0);
    let splitter = page.centre(&format!("{}.getBoundingClientRect()", part(".splitter", "")));
    page.drag(splitter, (splitter.0, splitter.1 - 100.0));
    assert_eq!(page.eval(&height), before + 124.0);
    // Nothing passes: said in words.
    viewer(&mut page, "setFilter('origin', '=nowhere')");
    drawn(&mut page);
    let told = page.eval(&format!("{}.textContent", part(".plot .message", "")));
    assert_eq!(told, "Nothing to drawNo row that passes the filters has a value here.");
    pictures(&mut page, "chart-empty");
    viewer(&mut page, "reset()");
    drawn(&mut page);
    chart(&mut page, &json!({"kind": "bar", "x": "tailnum", "y": [["sum", "distance"]]}));
    assert_eq!(viewer(&mut page, "state().chart.note"), "the largest 50 of 4,044 values of tailnum");
    pictures(&mut page, "chart-many");
    click_part(&mut page, ".chart button", "Close");
    page.wait_for(&format!("{VIEWER}.state().chart === null"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_picture_is_saved_with_the_screens_pixels() {
    let (_server, _browser, mut page) = open(1280, 800);
    page.size(1280, 800, 2);
    chart(&mut page, &json!({"kind": "line", "x": "month", "y": [["mean", "dep_delay"], ["mean", "arr_delay"]]}));
    page.eval(
        "URL.createObjectURL = (blob) => { window.blob = blob; return '#'; }; \
         HTMLAnchorElement.prototype.click = function () { window.saved = this; }; 0",
    );
    click_part(&mut page, ".chart button", "Save as PNG");
    page.wait_for("Boolean(window.saved)");
    assert_eq!(page.eval("window.saved.download"), "flights line chart.png");
    let picture = page.eval(
        "createImageBitmap(window.blob).then(image => { \
         const canvas = new OffscreenCanvas(image.width, image.height); \
         const context = canvas.getContext('2d'); context.drawImage(image, 0, 0); \
         const colours = new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)); \
         return [window.blob.type, image.width, image.height, colours.size] })",
    );
    let plot = page.eval(&format!("(r => [r.width * 2, r.height * 2])({}.getBoundingClientRect())", part(".plot", "")));
    assert_eq!(picture[0], "image/png");
    for side in 0..2 {
        assert!((picture[side + 1].as_f64().unwrap() - plot[side].as_f64().unwrap()).abs() <= 1.0, "{picture} {plot}");
    }
    assert!(picture[3].as_u64().unwrap() > 10, "{picture}");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn colours_of_series_have_contrast() {
    let (_server, _browser, mut page) = open(1000, 600);
    for scheme in ["light", "dark"] {
        page.colour_scheme(scheme);
        let low = page.eval(&format!(
            r"(() => {{
                const style = getComputedStyle({VIEWER});
                const light = (name) => {{
                    const [r, g, b] = style.getPropertyValue('--bodkin-' + name).trim().match(/^#(..)(..)(..)$/)?.slice(1)
                        .map(v => parseInt(v, 16) / 255) ?? [1, 1, 1];
                    const at = [r, g, b].map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * at[0] + 0.7152 * at[1] + 0.0722 * at[2];
                }};
                const ground = light('background');
                return [1, 2, 3, 4, 5, 6, 7, 8].map(n => light('series-' + n))
                    .map(v => (Math.max(v, ground) + 0.05) / (Math.min(v, ground) + 0.05)).filter(ratio => ratio < 3);
            }})()"
        ));
        assert_eq!(low, json!([]), "{scheme}");
    }
}
