//! Files of this computer: dropped on the viewer, chosen, read, and refused with what would help.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use crate::cdp::Page;
use crate::drive::{VIEWER, click_part, open, part, pictures, says, viewer};

/// An expression for a file with these bytes.
pub(crate) fn file(name: &str, bytes: &[u8]) -> String {
    format!("new File([new Uint8Array({})], {})", json!(bytes), json!(name))
}

/// An expression that drags a file over the grid, as a person does, and lets it go unless it is only to be seen there.
pub(crate) fn dragging(file: &str, drops: bool) -> String {
    format!(
        "(() => {{ const data = new DataTransfer(); data.items.add({file}); \
         const at = (kind) => {VIEWER}.shadowRoot.querySelector('canvas').dispatchEvent(\
         new DragEvent(kind, {{dataTransfer: data, bubbles: true, composed: true, cancelable: true}})); \
         at('dragenter'); at('dragover'); if ({drops}) at('drop') }})()"
    )
}

fn drag(page: &mut Page, file: &str, drops: bool) {
    page.eval(&dragging(file, drops));
}

fn rows(page: &mut Page, count: usize) {
    page.wait_for(&format!("!{VIEWER}.state().loading && {VIEWER}.state().rowsLoaded === {count}"));
}

fn types(page: &mut Page) -> Vec<String> {
    let columns = viewer(page, "state()")["columns"].clone();
    let text = |column: &Value| [column["name"].as_str().unwrap(), ": ", column["type"].as_str().unwrap()].concat();
    columns.as_array().unwrap().iter().map(text).collect()
}

const PEOPLE: &str = "id;name;share;born;seen\r\n1;Ann;0.5;1990-02-28;2024-01-31T10:00:00Z\r\n\
                      2;\"Bo; \"\"the\"\" Bob\";;1985-12-01;2024-01-31T10:00:00.25Z\r\n";

#[test]
fn a_dropped_text_is_a_table() {
    let (_server, _browser, mut page) = open(1280, 800);
    let people = file("people.csv", PEOPLE.as_bytes());
    drag(&mut page, &people, false);
    page.wait_for(&format!("!{}.hidden", part(".drop", "")));
    pictures(&mut page, "drop");
    drag(&mut page, &people, true);
    page.wait_for(&format!("{}.hidden", part(".drop", "")));
    rows(&mut page, 2);
    let expected = ["id: int64", "name: text", "share: float64", "born: date", "seen: timestamp µs · UTC"];
    assert_eq!(types(&mut page), expected);
    let cells = viewer(&mut page, "cells(0, 9)");
    assert_eq!(cells[1], json!(["2", "Bo; \"the\" Bob", null, "1985-12-01", "2024-01-31T10:00:00.250Z"]));
    pictures(&mut page, "dropped");
    // The same, packed, and sorted by hand.
    page.eval(&format!(
        "new Response({people}.stream().pipeThrough(new CompressionStream('gzip'))).blob()\
         .then(blob => {VIEWER}.open(new File([blob], 'people.csv.gz')))"
    ));
    rows(&mut page, 2);
    viewer(&mut page, "setSort(['-id'])");
    page.wait_for(&format!("{VIEWER}.cells(0, 1).then(c => c[0][0] === '2')"));
    // And back to a table of the server.
    page.click_on("document.querySelector('nav a').getBoundingClientRect()", 0);
    rows(&mut page, crate::drive::ROWS);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_column_that_turns_out_to_be_text_loses_nothing() {
    let (_server, _browser, mut page) = open(1000, 600);
    let made = "new File(['price\\n' + '1.50\\n'.repeat(900_000) + 'on request\\n'], 'prices.csv')";
    page.eval(&format!("{VIEWER}.open({made})"));
    rows(&mut page, 900_001);
    assert_eq!(types(&mut page), ["price: text"]);
    assert_eq!(viewer(&mut page, "cells(0, 1)"), json!([["1.50"]]));
    assert_eq!(viewer(&mut page, "cells(900000, 1)"), json!([["on request"]]));
}

fn stream_of(batch: &RecordBatch) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut stream, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    stream
}

#[test]
fn arrow_files_and_streams_are_opened() {
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![7, i64::MAX])) as ArrayRef),
        ("t", Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef),
    ])
    .unwrap();
    let (stream, mut whole) = (stream_of(&batch), Vec::new());
    let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut whole, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let (_server, _browser, mut page) = open(1000, 600);
    for engine in ["worker", "page"] {
        viewer(&mut page, &format!("setAttribute('engine', '{engine}')"));
        for (name, bytes) in [("a.arrow", &whole), ("a.arrows", &stream), ("named-wrongly.csv", &whole)] {
            drag(&mut page, &file(name, bytes), true);
            rows(&mut page, 2);
            assert_eq!(viewer(&mut page, "cells(0, 2)"), json!([["7", "x"], ["9223372036854775807", null]]), "{name}");
        }
    }
    // Cut short, it is told.
    drag(&mut page, &file("cut.arrow", &whole[..whole.len() / 2]), true);
    page.wait_for(&format!("{VIEWER}.state().error !== null"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn columns_of_the_same_name_are_filtered_and_sorted_each() {
    let batch = RecordBatch::try_from_iter([
        ("a", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
        ("a", Arc::new(StringArray::from(vec!["z", "x", "y"]))),
        ("a", Arc::new(Float64Array::from(vec![0.5, 2.5, 1.5]))),
    ])
    .unwrap();
    let stream = stream_of(&batch);
    let (_server, _browser, mut page) = open(1000, 600);
    for engine in ["worker", "page"] {
        viewer(&mut page, &format!("setAttribute('engine', '{engine}')"));
        page.eval(&format!("{VIEWER}.open({})", file("same.arrows", &stream)));
        rows(&mut page, 3);
        assert_eq!(types(&mut page), ["a: int64", "a_2: text", "a_3: float64"], "{engine}");
        viewer(&mut page, "setSort(['-a_3'])");
        assert_eq!(viewer(&mut page, "cells(0, 1)"), json!([["2", "x", "2.5"]]), "{engine}");
        viewer(&mut page, "setFilter('a_2', '=y')");
        let found =
            viewer(&mut page, "rows(0, 1).then(([row]) => [Object.keys(row), Number(row.a), row.a_2, row.a_3])");
        assert_eq!(found, json!([["a", "a_2", "a_3"], 3, "y", 1.5]), "{engine}");
        assert_eq!(viewer(&mut page, "state().rowsShown"), 1);
    }
}

#[test]
fn a_column_of_its_own_leaves_and_comes_back_whole() {
    let (_server, _browser, mut page) = open(1000, 600);
    page.eval(&format!("{VIEWER}.open(new File(['n\\n1\\n\"\"\\n3\\n\"\"\\n'], 'n.csv'))"));
    rows(&mut page, 4);
    let text = page.eval(&format!("{VIEWER}.toCsv().then((csv) => csv.text())"));
    assert_eq!(text, "n\r\n1\r\n\"\"\r\n3\r\n\"\"\r\n");
    drag(&mut page, &file("again.csv", [text.as_str().unwrap(), "5"].concat().as_bytes()), true);
    rows(&mut page, 5);
    assert_eq!(viewer(&mut page, "cells(0, 5)"), json!([["1"], [null], ["3"], [null], ["5"]]));
}

#[test]
fn what_cannot_be_read_is_named() {
    let (_server, _browser, mut page) = open(1280, 800);
    for (bytes, title) in [
        (&b"PAR1\x15\x04"[..], "x is a Parquet file"),
        (b"PK\x03\x04..", "x is a zip archive or a workbook"),
        (b"{\"a\": 1}\n", "x is JSON"),
        (b"\x00\x01\x02\x03\x04", "x is no table"),
        (b"", "The file is empty"),
    ] {
        drag(&mut page, &file("x", bytes), true);
        page.wait_for(&format!("{VIEWER}.state().error?.title === {}", json!(title)));
        says(&mut page, ".message", title);
    }
    drag(&mut page, &file("x", b"PAR1"), true);
    says(&mut page, ".message", "The server opens it");
    pictures(&mut page, "parquet");
    drag(&mut page, &file("bad.csv", b"a,b\n1,2\n3,4,5\n"), true);
    says(&mut page, ".message", "line 3: more fields where the first row has 2");
    // What was not UTF-8 is read as the code page of western Windows.
    drag(&mut page, &file("latin.csv", b"name,n\nM\xfcller,1\n"), true);
    rows(&mut page, 1);
    assert_eq!(viewer(&mut page, "cells(0, 1)"), json!([["Müller", "1"]]));
}

#[test]
fn a_file_is_chosen_by_the_button() {
    let (_server, _browser, mut page) = open(1280, 800);
    page.eval(&format!(
        "HTMLInputElement.prototype.click = function () {{ const data = new DataTransfer(); data.items.add({}); \
         this.files = data.files; this.dispatchEvent(new Event('change')) }}",
        file("people.csv", PEOPLE.as_bytes())
    ));
    click_part(&mut page, ".bar button", "Open");
    rows(&mut page, 2);
    assert_eq!(page.eval("document.title"), "people.csv – Bodkin");
    // A page that does not want it has no such button, and takes no files.
    viewer(&mut page, "removeAttribute('files')");
    assert_eq!(page.eval(&format!("getComputedStyle({}).display", part(".open", ""))), "none");
    drag(&mut page, &file("x.csv", b"a\n1\n"), true);
    page.settle();
    assert_eq!(viewer(&mut page, "state().rowsLoaded"), 2);
}
