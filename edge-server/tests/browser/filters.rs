//! Panels of filters: brushing, checking values, tests of text, dates by month; and that box, chip and panel agree.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use serde_json::{Value, json};

use crate::cdp::Page;
use crate::common::flights;
use crate::drive::{ROWS, VIEWER, click_part, header, open, part, pictures, says, viewer};

const SHIFT: u32 = 8;

/// The sample, with what headers show known for the first columns.
fn profiled() -> (crate::common::Served, crate::cdp::Browser, Page) {
    let (server, browser, mut page) = open(1280, 800);
    let canvas = part("canvas", "");
    page.wait_for(&format!(
        "[...{canvas}.querySelectorAll('[role=columnheader]')].some(h => h.textContent.startsWith('arr_delay') && h.textContent.includes('null'))"
    ));
    (server, browser, page)
}

fn panel_of(page: &mut Page, column: &str) {
    click_part(page, &format!("[data-filter={column}] + .funnel"), "");
    page.wait_for(&format!("Boolean({})", part(".filter", "")));
}

/// The filter of a column, once it is another one.
fn filter_of(page: &mut Page, column: &str, other_than: &str) -> String {
    page.wait_for(&format!("({VIEWER}.state().filters.{column} ?? '') !== {}", json!(other_than)));
    // What is brushed is applied as it goes, the last of it a moment later.
    let mut text = Value::Null;
    loop {
        viewer(page, "settled?.()");
        let next = viewer(page, &format!("state().filters.{column} ?? ''"));
        if next == text {
            return next.as_str().unwrap().to_owned();
        }
        text = next;
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
}

/// Rows that are shown when everything has been found.
fn rows(page: &mut Page) -> usize {
    viewer(page, "settled?.()");
    viewer(page, "state().rowsShown").as_u64().unwrap() as usize
}

fn count(table: &RecordBatch, keep: impl Fn(usize) -> bool) -> usize {
    (0..table.num_rows()).filter(|&row| keep(row)).count()
}

/// Sets an input or a select as a person would.
fn set(page: &mut Page, selector: &str, value: &str) {
    let part = part(selector, "");
    page.eval(&format!(
        "(() => {{ const e = {part}; e.value = {}; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }})()",
        json!(value)
    ));
}

fn numbers_of(text: &str) -> (i16, i16) {
    let (low, high) = text.split_once("..").unwrap();
    (low.parse().unwrap(), high.parse().unwrap())
}

#[test]
fn a_histogram_is_brushed() {
    let (_server, _browser, mut page) = profiled();
    let table = flights();
    let delay = table.column_by_name("dep_delay").unwrap().as_primitive::<Int16Type>();
    let within =
        |low: i16, high: i16| count(&table, |row| delay.is_valid(row) && (low..=high).contains(&delay.value(row)));
    panel_of(&mut page, "dep_delay");
    let brush = page.eval(&format!("{}.getBoundingClientRect().toJSON()", part(".brush", "")));
    let at = |part: f64| {
        let number = |name: &str| brush[name].as_f64().unwrap();
        (number("x") + part * number("width"), number("y") + number("height") / 2.0)
    };
    page.drag(at(0.1), at(0.4));
    let first = filter_of(&mut page, "dep_delay", "");
    let (low, high) = numbers_of(&first);
    assert!((80..=100).contains(&low) && (480..=510).contains(&high), "{first}");
    assert_eq!(rows(&mut page), within(low, high));
    // The box and the chip say the same, and the header's own histogram is marked.
    assert_eq!(page.eval(&format!("{}.value", part("[data-filter=dep_delay]", ""))), first.as_str());
    says(&mut page, ".bar .chips", &format!("dep_delay  {first}"));
    pictures(&mut page, "filter-range");
    // Moved as a whole, then pulled at its right edge.
    page.drag(at(0.25), at(0.35));
    let moved = filter_of(&mut page, "dep_delay", &first);
    let (from, to) = numbers_of(&moved);
    assert!(from > low + 100 && ((to - from) - (high - low)).abs() <= 2, "{moved}");
    page.drag(at(0.5), at(0.7));
    let wider = filter_of(&mut page, "dep_delay", &moved);
    assert!(numbers_of(&wider).0 == from && numbers_of(&wider).1 > to + 200, "{wider}");
    // Keys: the grip of the lower end, then both with shift.
    page.eval(&format!("{}.focus()", part(".grip", "")));
    page.press("ArrowRight", 39, 0);
    let keyed = filter_of(&mut page, "dep_delay", &wider);
    assert!(numbers_of(&keyed).0 > from, "{keyed}");
    page.press("PageUp", 33, SHIFT);
    let both = filter_of(&mut page, "dep_delay", &keyed);
    assert!(numbers_of(&both).1 > numbers_of(&keyed).1, "{both}");
    // Exact ends, and nulls as well.
    set(&mut page, "[data-end=from]", "0");
    let exact = filter_of(&mut page, "dep_delay", &both);
    set(&mut page, "[data-end=to]", "9");
    assert_eq!(filter_of(&mut page, "dep_delay", &exact), "0..9");
    assert_eq!(rows(&mut page), within(0, 9));
    set(&mut page, ".nulls select", "shown");
    assert_eq!(filter_of(&mut page, "dep_delay", "0..9"), "0..9 | null");
    assert_eq!(rows(&mut page), within(0, 9) + delay.null_count());
    says(&mut page, ".filter .nulls", "8,255 nulls");
    set(&mut page, ".nulls select", "only");
    assert_eq!(filter_of(&mut page, "dep_delay", "0..9 | null"), "null");
    assert_eq!(rows(&mut page), delay.null_count());
    click_part(&mut page, ".filter .link", "Clear");
    assert_eq!(filter_of(&mut page, "dep_delay", "null"), "");
    page.press("Escape", 27, 0);
    // What is typed is found in the panel.
    viewer(&mut page, "setFilter('dep_delay', '> 60 | null')");
    panel_of(&mut page, "dep_delay");
    let found = page.eval(&format!(
        "[{}.value, {}.value, {}.value]",
        part("[data-end=from]", ""),
        part("[data-end=to]", ""),
        part(".nulls select", "")
    ));
    assert_eq!(found, json!(["60", "", "shown"]));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_header_is_brushed_and_still_sorts() {
    let (_server, _browser, mut page) = profiled();
    let rect = viewer(&mut page, "headerRect('dep_time').toJSON()");
    let (left, bottom) = (rect["x"].as_f64().unwrap(), rect["bottom"].as_f64().unwrap() - 10.0);
    page.drag((left + 50.0, bottom), (left + 80.0, bottom));
    let text = filter_of(&mut page, "dep_time", "");
    let (low, high) = numbers_of(&text);
    let table = flights();
    let time = table.column_by_name("dep_time").unwrap().as_primitive::<Int16Type>();
    let expected = count(&table, |row| time.is_valid(row) && (low..=high).contains(&time.value(row)));
    assert!(expected > 0 && expected < ROWS);
    assert_eq!(rows(&mut page), expected);
    assert_eq!(viewer(&mut page, "state().sort.length"), 0);
    pictures(&mut page, "filter-strip");
    // A click that stays where it is sorts, as on the name.
    page.click(left + 20.0, bottom, 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === 'dep_time'"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

/// What the list of values says: value, count, whether it is checked.
fn listed(page: &mut Page) -> Vec<(String, u64, bool)> {
    let list = page.eval(&format!(
        "[...{VIEWER}.shadowRoot.querySelectorAll('.filter .list label')].map(l => \
         [l.querySelector('span').textContent, +l.querySelector('.dim').textContent.replace(/\\D/g, ''), l.querySelector('input').checked])"
    ));
    let rows = list.as_array().unwrap();
    rows.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap(), row[2] == true)).collect()
}

#[test]
fn values_are_checked() {
    let (_server, _browser, mut page) = open(1280, 800);
    let table = flights();
    let delay = table.column_by_name("dep_delay").unwrap().as_primitive::<Int16Type>();
    let carrier = table.column_by_name("carrier").unwrap().as_string::<i32>();
    let late = |row: usize| delay.is_valid(row) && delay.value(row) > 60;
    viewer(&mut page, "setFilter('dep_delay', '> 60')");
    viewer(&mut page, "settled?.()");
    panel_of(&mut page, "carrier");
    let labels = format!("{VIEWER}.shadowRoot.querySelectorAll('.filter .list label').length");
    page.wait_for(&format!("{labels} > 10"));
    // Counts under the other filters, the most frequent value first.
    let mut expected = std::collections::HashMap::<String, u64>::new();
    (0..ROWS).filter(|&row| late(row)).for_each(|row| *expected.entry(carrier.value(row).to_owned()).or_default() += 1);
    let list = listed(&mut page);
    assert_eq!(list.len(), expected.len());
    assert!(list.iter().all(|(value, n, checked)| expected[value] == *n && *checked), "{list:?}");
    assert!(list.is_sorted_by(|a, b| a.1 >= b.1));
    let of = |names: &[&str]| names.iter().map(|&name| expected[name] as usize).sum::<usize>();
    let all: usize = expected.values().map(|&n| n as usize).sum();
    let check = |page: &mut Page, value: &str| click_part(page, &format!(".filter [data-value={value}]"), "");
    check(&mut page, "UA");
    assert_eq!(filter_of(&mut page, "carrier", ""), "!=UA");
    assert_eq!(rows(&mut page), all - of(&["UA"]));
    pictures(&mut page, "filter-values");
    click_part(&mut page, ".filter .link", "None");
    assert_eq!(filter_of(&mut page, "carrier", "!=UA"), "");
    check(&mut page, "B6");
    assert_eq!(filter_of(&mut page, "carrier", ""), "=B6");
    check(&mut page, "AA");
    assert_eq!(filter_of(&mut page, "carrier", "=B6"), "=B6, AA");
    assert_eq!(rows(&mut page), of(&["B6", "AA"]));
    says(&mut page, ".filter", &format!("{} of {} rows", grouped(of(&["B6", "AA"])), grouped(all)));
    click_part(&mut page, "[aria-label=\"only DL\"]", "");
    assert_eq!(filter_of(&mut page, "carrier", "=B6, AA"), "=DL");
    click_part(&mut page, ".filter .link", "All");
    assert_eq!(filter_of(&mut page, "carrier", "=DL"), "");
    page.press("Escape", 27, 0);
    // What is typed is checked there.
    viewer(&mut page, "setFilter('carrier', '=EV, MQ')");
    panel_of(&mut page, "carrier");
    page.wait_for(&format!("{labels} > 10"));
    let checked: Vec<String> = listed(&mut page).into_iter().filter(|row| row.2).map(|row| row.0).collect();
    assert_eq!(checked, ["EV", "MQ"]);
    page.press("Escape", 27, 0);
    viewer(&mut page, "reset()");
    viewer(&mut page, "settled?.()");
    // More values than are listed: a search asks for those that it finds. Nulls are a value, too.
    viewer(&mut page, "select([0, 11])");
    page.settle();
    panel_of(&mut page, "tailnum");
    page.wait_for(&format!("{labels} === 1000"));
    assert_eq!(listed(&mut page)[0].0, "null");
    set(&mut page, ".filter [type=search]", "n102uw");
    page.wait_for(&format!("{labels} === 1"));
    assert_eq!(listed(&mut page)[0].0, "N102UW");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

fn grouped(number: usize) -> String {
    let text = number.to_string();
    let digits = text.len();
    text.char_indices()
        .map(|(at, c)| if at > 0 && (digits - at).is_multiple_of(3) { format!(",{c}") } else { c.to_string() })
        .collect()
}

#[test]
fn text_is_tested_in_every_way() {
    let (_server, _browser, mut page) = open(1280, 800);
    let table = flights();
    let tails = table.column_by_name("tailnum").unwrap().as_string::<i32>();
    let tail = |row: usize| tails.is_valid(row).then(|| tails.value(row));
    viewer(&mut page, "select([0, 11])");
    page.settle();
    panel_of(&mut page, "tailnum");
    click_part(&mut page, ".filter .tabs button", "Text");
    let mut before = String::new();
    type Test = fn(&str) -> bool;
    let tests: [(&str, &str, &str, Test); 6] = [
        ("has", "aa", "aa", |tail| tail.contains("AA")),
        ("!has", "aa", "!aa", |tail| !tail.contains("AA")),
        ("^", "n1", "^n1", |tail| tail.starts_with("N1")),
        ("!^", "n1", "!^n1", |tail| !tail.starts_with("N1")),
        ("!$", "aa", "!aa$", |tail| !tail.ends_with("AA")),
        ("=", "N14228, N24211", "=N14228, N24211", |tail| ["N14228", "N24211"].contains(&tail)),
    ];
    for (test, value, typed, keeps) in tests {
        set(&mut page, ".filter [aria-label=test]", test);
        set(&mut page, ".filter [aria-label=\"text in tailnum\"]", value);
        page.wait_for(&format!("{VIEWER}.state().filters.tailnum === {}", json!(typed)));
        assert_eq!(rows(&mut page), count(&table, |row| tail(row).is_some_and(keeps)), "{typed}");
    }
    page.press("Escape", 27, 0);
    // Typed, with the case; the panel finds it.
    crate::drive::filter(&mut page, "tailnum", "!'aA$ | null");
    assert_eq!(rows(&mut page), ROWS);
    panel_of(&mut page, "tailnum");
    let found = page.eval(&format!(
        "[{}.value, {}.value, {}.checked, {}.value]",
        part(".filter [aria-label=test]", ""),
        part(".filter [aria-label=\"text in tailnum\"]", ""),
        part(".filter [type=checkbox]", ""),
        part(".nulls select", "")
    ));
    assert_eq!(found, json!(["!$", "aA", true, "shown"]));
    pictures(&mut page, "filter-text");
    before.push_str("!'aA$ | null");
    set(&mut page, ".nulls select", "hidden");
    assert_eq!(filter_of(&mut page, "tailnum", &before), "!'aA$");
    assert_eq!(rows(&mut page), count(&table, |row| tails.is_valid(row)));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn months_are_chosen_and_days() {
    let (_server, _browser, mut page) = open(1280, 800);
    viewer(&mut page, "select([0, 18])");
    let canvas = part("canvas", "");
    page.wait_for(&format!(
        "[...{canvas}.querySelectorAll('[role=columnheader]')].some(h => h.textContent.startsWith('air_time') && h.textContent.includes('null'))"
    ));
    page.eval(&format!(
        "new Promise(done => {{ const look = () => {VIEWER}.shadowRoot.querySelector('.presets button') ? done(true) : \
         ({}.click(), setTimeout(look, 200)); look() }})",
        part("[data-filter=time_hour] + .funnel", "")
    ));
    let table = flights();
    let hours = table.column_by_name("time_hour").unwrap().as_primitive::<TimestampMillisecondType>();
    let between = |low: i64, high: i64| count(&table, |row| (low..high).contains(&hours.value(row)));
    let day = 86_400_000;
    // 2013 begins on day 15,706; May on its 120th, counted from 0.
    let may = (15_706 + 120) * day;
    click_part(&mut page, ".presets button", "2013");
    assert_eq!(filter_of(&mut page, "time_hour", ""), "2013");
    click_part(&mut page, ".presets button", "May");
    assert_eq!(filter_of(&mut page, "time_hour", "2013"), "2013-05");
    assert_eq!(rows(&mut page), between(may, may + 31 * day));
    pictures(&mut page, "filter-months");
    let ends = page.eval(&format!("[{}.value, {}.value]", part("[data-end=from]", ""), part("[data-end=to]", "")));
    assert_eq!(ends, json!(["2013-05-01", "2013-05-31"]));
    click_part(&mut page, ".presets button", "17");
    assert_eq!(filter_of(&mut page, "time_hour", "2013-05"), "2013-05-17");
    assert_eq!(rows(&mut page), between(may + 16 * day, may + 17 * day));
    set(&mut page, "[data-end=to]", "2013-05-20");
    assert_eq!(filter_of(&mut page, "time_hour", "2013-05-17"), "2013-05-17..2013-05-20");
    assert_eq!(rows(&mut page), between(may + 16 * day, may + 20 * day));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

/// What the grid shows in a cell of a column that is in sight.
fn cell_text(page: &mut Page, row: usize, column: usize) -> Value {
    let cell = format!("{VIEWER}.shadowRoot.getElementById('c{row}-{column}')");
    page.wait_for(&format!("Boolean({cell})"));
    page.eval(&format!("{cell}.textContent"))
}

#[test]
fn formats_change_what_is_seen_and_nothing_else() {
    let (_server, _browser, mut page) = open(1280, 800);
    viewer(&mut page, "select([0, 18])");
    let (x, y) = header(&mut page, "time_hour");
    page.right_click(x, y - 20.0);
    click_part(&mut page, "[role=menuitem]", "Format…");
    set(&mut page, "[data-format=zone]", "America/New_York");
    page.wait_for(&format!("{VIEWER}.shadowRoot.getElementById('c0-18')?.textContent === '2013-01-01 05:00 -05:00'"));
    pictures(&mut page, "format");
    set(&mut page, "[data-format=zone]", "Mars/Olympus");
    says(&mut page, ".filter [role=alert]", "unknown time zone Mars/Olympus");
    page.press("Escape", 27, 0);
    viewer(&mut page, "setFormat('distance', { style: 'si', decimals: 2 })");
    page.wait_for(&format!("{VIEWER}.shadowRoot.getElementById('c0-15')?.textContent === '1.40k'"));
    viewer(&mut page, "setColumns([{ name: 'hour', format: { style: 'hex' } }])");
    page.wait_for(&format!(
        "{VIEWER}.shadowRoot.getElementById('c0-0')?.textContent === '0x5' || {VIEWER}.state().shown[0] === 'hour'"
    ));
    assert_eq!(
        viewer(&mut page, "cells(0, 1)").as_array().unwrap()[0].as_array().unwrap().last().unwrap(),
        "2013-01-01T10:00:00Z"
    );
    let arranged = viewer(&mut page, "state().arranged.filter(c => c.format).map(c => [c.name, c.format])");
    let expected = json!([["hour", {"style": "hex"}], ["distance", {"style": "si", "decimals": 2}], ["time_hour", {"zone": "America/New_York"}]]);
    assert_eq!(arranged, expected);
    viewer(&mut page, "setFormat('distance', null)");
    viewer(&mut page, "select([0, 16])");
    page.wait_for(&format!("{VIEWER}.state().arranged.filter(c => c.format).length === 2"));
    let distance = viewer(&mut page, "state().shown.indexOf('distance')").as_u64().unwrap() as usize;
    page.wait_for(&format!("{VIEWER}.shadowRoot.getElementById('c0-{distance}')?.textContent === '1400'"));
    assert_eq!(cell_text(&mut page, 0, distance), "1400");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
