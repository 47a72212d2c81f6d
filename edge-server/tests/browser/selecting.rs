//! Selecting by mouse and keyboard, and what the status line counts of it.

use crate::drive::{ROWS, VIEWER, cell, header, open, pictures, says, viewer};

const CONTROL: u32 = 2;
const SHIFT: u32 = 8;

fn selected(page: &mut crate::cdp::Page) -> String {
    let expression =
        "JSON.stringify([...Object.values(VIEWER.state().selected ?? {})].flat())".replace("VIEWER", VIEWER);
    page.eval(&expression).as_str().unwrap().to_owned()
}

#[test]
fn ranges_rows_columns_and_all_by_mouse() {
    let (_server, _browser, mut page) = open(1280, 800);
    // From the fourth to the tenth row, over four columns.
    let (from, to) = (cell(&mut page, 3, "dep_time"), cell(&mut page, 9, "arr_time"));
    page.drag(from, to);
    assert_eq!(selected(&mut page), "[3,10,3,7]");
    says(&mut page, ".sums", "count 28");
    let cells = viewer(&mut page, "cells(3, 7)");
    let numbers: Vec<f64> = cells
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| (3..7).map(move |column| row[column].as_str().unwrap().parse::<f64>().unwrap()))
        .collect();
    says(
        &mut page,
        ".sums",
        &format!("sum {},{}", numbers.iter().sum::<f64>() as i64 / 1000, numbers.iter().sum::<f64>() as i64 % 1000),
    );
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    says(&mut page, ".sums", &format!("min {least}"));
    pictures(&mut page, "selected");
    // Shift and click: from where it began.
    let (x, y) = cell(&mut page, 5, "year");
    page.click(x, y, SHIFT);
    assert_eq!(selected(&mut page), "[3,6,0,4]");
    // Rows by their numbers.
    let left = viewer(&mut page, "getBoundingClientRect().left").as_f64().unwrap();
    let (row_2, row_4) = (cell(&mut page, 2, "year").1, cell(&mut page, 4, "year").1);
    page.drag((left + 20.0, row_2), (left + 20.0, row_4));
    assert_eq!(selected(&mut page), "[2,5,0,19]");
    // Columns by control and click; more of them with shift; it does not sort.
    let (x, y) = header(&mut page, "dep_delay");
    page.click(x, y, CONTROL);
    assert_eq!(selected(&mut page), format!("[0,{ROWS},5,6]"));
    says(&mut page, ".sums", "count 328,521");
    says(&mut page, ".sums", "max 1,301");
    says(&mut page, ".sums", "mean 12.639");
    pictures(&mut page, "column");
    let (x, y) = header(&mut page, "day");
    page.click(x, y, CONTROL | SHIFT);
    assert_eq!(selected(&mut page), format!("[0,{ROWS},2,6]"));
    assert_eq!(viewer(&mut page, "state().sort.length"), 0);
    // Pulled over the edge, the table comes along.
    let (x, y) = cell(&mut page, 0, "month");
    let bottom = viewer(&mut page, "getBoundingClientRect().bottom").as_f64().unwrap();
    page.pull((x, y), (x + 5.0, bottom - 4.0));
    page.wait_for(&format!("{VIEWER}.state().topRow > 20"));
    page.drag((x, y), (x, y));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn every_key_moves_as_in_a_spreadsheet() {
    let (_server, _browser, mut page) = open(1000, 700);
    let (x, y) = cell(&mut page, 2, "day");
    page.click(x, y, 0);
    let last = ROWS - 1;
    let mut press = |key: &str, code: u32, modifiers: u32, expected: &str| {
        page.press(key, code, modifiers);
        assert_eq!(selected(&mut page), expected, "{key} with {modifiers}");
    };
    press("ArrowRight", 39, 0, "[2,3,3,4]");
    press("ArrowDown", 40, SHIFT, "[2,4,3,4]");
    press("ArrowRight", 39, SHIFT, "[2,4,3,5]");
    press("ArrowLeft", 37, 0, "[3,4,3,4]");
    press("ArrowRight", 39, CONTROL, "[3,4,18,19]");
    press("ArrowLeft", 37, CONTROL, "[3,4,0,1]");
    press("ArrowDown", 40, CONTROL, &format!("[{last},{ROWS},0,1]"));
    press("ArrowUp", 38, CONTROL | SHIFT, &format!("[0,{ROWS},0,1]"));
    press("Home", 36, CONTROL, "[0,1,0,1]");
    press("End", 35, 0, "[0,1,18,19]");
    press("Home", 36, 0, "[0,1,0,1]");
    press("End", 35, CONTROL, &format!("[{last},{ROWS},18,19]"));
    press("Home", 36, CONTROL, "[0,1,0,1]");
    press(" ", 32, SHIFT, "[0,1,0,19]");
    press("ArrowDown", 40, SHIFT, "[0,2,0,19]");
    press("a", 65, CONTROL, &format!("[0,{ROWS},0,19]"));
    press("Escape", 27, 0, "[1,2,0,1]");
    press("Escape", 27, 0, "[]");
    press("ArrowDown", 40, 0, "[0,1,0,1]");
    page.press("PageDown", 34, 0);
    page.wait_for(&format!("{VIEWER}.state().selection[0] > 10 && {VIEWER}.state().topRow > 0"));
    page.press("PageUp", 33, 0);
    page.wait_for(&format!("{VIEWER}.state().selection[0] === 0 && {VIEWER}.state().topRow === 0"));
    // All cells of the table are counted, in slices.
    page.press("a", 65, CONTROL);
    says(&mut page, ".sums", "336,776 × 19");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
