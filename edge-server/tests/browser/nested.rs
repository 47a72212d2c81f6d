//! Lists, structs and maps in the page: shown in a line, read in full, sorted and filtered along, given to scripts and
//! taken away as Arrow.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Float64Array, Int32Array, ListArray, RecordBatch, StringArray, StructArray, UInt32Array};
use arrow_schema::{DataType, Field};
use serde_json::{Value, json};

use crate::cdp::Page;
use crate::drive::{VIEWER, cell, filter, header, open, part, pictures, show, viewer};

fn table() -> RecordBatch {
    let lists = vec![
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![]),
        Some(vec![Some(7), None, Some(9)]),
        Some((0..40).map(Some).collect()),
    ];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let places = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![Some(1.0), Some(2.5), None, Some(-4.0), Some(5.0)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["x", "y", "z", "w", "v"])) as ArrayRef,
        ),
    ]);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for row in 0..5 {
        for entry in 0..row {
            maps.keys().append_value(["red", "green", "blue", "grey"][entry as usize]);
            maps.values().append_value(row * 10 + entry);
        }
        maps.append(true).unwrap();
    }
    RecordBatch::try_from_iter_with_nullable([
        ("number", Arc::new(Int32Array::from(vec![30, 10, 50, 20, 40])) as ArrayRef, true),
        ("list", Arc::new(lists) as ArrayRef, true),
        ("place", Arc::new(places) as ArrayRef, true),
        ("map", Arc::new(maps.finish()) as ArrayRef, true),
    ])
    .unwrap()
}

fn said(page: &mut Page, expression: &str) -> Value {
    let text = page.eval(&format!("Promise.resolve({expression}).then(value => JSON.stringify(value))"));
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// The view as it leaves, read by arrow-rs.
fn taken(page: &mut Page) -> RecordBatch {
    let bytes =
        said(page, &format!("{VIEWER}.toArrow().then(b => b.arrayBuffer()).then(b => Array.from(new Uint8Array(b)))"));
    let bytes: Vec<u8> = serde_json::from_value(bytes).unwrap();
    let reader = arrow_ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap();
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&schema, &batches).unwrap()
}

#[test]
fn lists_structs_and_maps_are_shown_sorted_and_taken_away() {
    let (_server, _browser, mut page) = open(1280, 800);
    let table = table();
    for engine in ["page", "worker"] {
        viewer(&mut page, &format!("setAttribute('engine', '{engine}')"));
        show(&mut page, &table);
        pictures(&mut page, "nested");
        page.eval("document.body.append(document.createElement('table')); 0");
        page.eval(&format!("{VIEWER}.fill([...document.querySelectorAll('table')].at(-1), 0, 4)"));
        let rows = said(
            &mut page,
            "[...[...document.querySelectorAll('table')].at(-1).rows].map(r => [...r.cells].slice(1).map(c => c.textContent))",
        );
        page.eval("[...document.querySelectorAll('table')].at(-1).remove(); 0");
        assert_eq!(rows[0], json!(["[1, 2]", "{a: 1, b: x}", "{}"]), "{rows}");
        assert_eq!(rows[2], json!(["[]", "{a: null, b: z}", "{red: 20, green: 21}"]));
        assert_eq!(rows[3][0], "[7, null, 9]");

        // Scripts get arrays and objects.
        let rows = said(&mut page, &format!("{VIEWER}.rows(0, 2)"));
        assert_eq!(rows[0]["list"], json!([1, 2]));
        assert_eq!(rows[0]["place"], json!({"a": 1, "b": "x"}));
        assert_eq!(rows[1]["map"], json!([{"key": "red", "value": 10}]));

        // Sorted by another column, and filtered by one.
        viewer(&mut page, "setSort(['number'])");
        page.wait_for(&format!("{VIEWER}.rows(0, 1).then(r => r[0].place.b === 'y')"));
        let order = |rows: Vec<u32>| {
            arrow_select::take::take_record_batch(&table, &UInt32Array::from(rows)).unwrap().columns().to_vec()
        };
        assert_eq!(taken(&mut page).columns(), order(vec![1, 3, 0, 4, 2]));
        filter(&mut page, "number", "> 15");
        page.wait_for(&format!("{VIEWER}.state().rowsShown === 4"));
        assert_eq!(taken(&mut page).columns(), order(vec![3, 0, 4, 2]));

        // Values without an order are offered no sort, and the menu says why.
        let (x, y) = header(&mut page, "number");
        page.point_at(x, y);
        let cursor = format!("{VIEWER}.shadowRoot.querySelector('canvas').style.cursor");
        assert_eq!(page.eval(&cursor), "pointer");
        let (x, y) = header(&mut page, "list");
        page.click(x, y, 0);
        page.click(x, y, 8);
        page.settle();
        assert_eq!(page.eval(&cursor), "default");
        assert_eq!(viewer(&mut page, "state().sort"), json!(["number"]));
        assert_eq!(page.eval(&format!("Boolean({})", part(".value.error", ""))), false);
        let sorted = |name: &str| {
            format!(
                "[...{VIEWER}.shadowRoot.querySelectorAll('[role=columnheader]')]\
                 .find(head => head.textContent.startsWith('{name},')).getAttribute('aria-sort')"
            )
        };
        page.wait_for(&format!("{} === 'ascending'", sorted("number")));
        assert_eq!(page.eval(&sorted("list")), Value::Null);
        page.right_click(x, y);
        page.wait_for(&format!("Boolean({})", part("[role=menuitem]", "Hide")));
        assert_eq!(page.eval(&format!("Boolean({})", part("[role=menuitem]", "Sort ascending"))), false);
        let offered = part("[role=menuitem]", "Sort");
        assert_eq!(page.eval(&format!("{offered}.ariaDisabled")), "true");
        pictures(&mut page, "nested-menu");
        page.eval(&format!("{offered}.click()"));
        assert_eq!(page.eval(&format!("{offered}.textContent")), "Sortits values have no order");
        page.press("Escape", 27, 0);

        // The whole value, a line for each part.
        let (x, y) = cell(&mut page, 0, "map");
        page.click(x, y, 0);
        page.press("Enter", 13, 0);
        page.wait_for(&format!("{VIEWER}.shadowRoot.textContent.includes('blue: 32')"));
        pictures(&mut page, "nested-value");
        page.press("Escape", 27, 0);
        filter(&mut page, "number", "");
        viewer(&mut page, "setSort([])");
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
