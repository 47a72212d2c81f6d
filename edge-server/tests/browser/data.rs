//! Data for scripts: exact values, typed arrays, the view as Arrow, and the module's memory without copying.
//!
//! The test of the C data interface reads it by `arrow-js-ffi`, which `.ci/test` puts under the target folder
//! (`interop/node_modules`). Without it that test says so and passes, unless `INTEROP` is `required`.
#![allow(clippy::print_stdout, reason = "says what is skipped")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use serde_json::{Value, json};

use crate::cdp::Page;
use crate::common::flights;
use crate::drive::{VIEWER, filter, open, show, viewer};

fn exact() -> RecordBatch {
    let words: DictionaryArray<Int16Type> = [Some("a"), None, Some("b")].into_iter().collect();
    let columns: [(&str, ArrayRef); 7] = [
        ("i", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(9_007_199_254_740_993)]))),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        (
            "d",
            Arc::new(
                Decimal128Array::from(vec![-1, 12_345_678_901_234_567_890, 5]).with_precision_and_scale(30, 2).unwrap(),
            ),
        ),
        ("t", Arc::new(TimestampNanosecondArray::from(vec![1, 1_700_000_000_123_456_789, -1]).with_timezone("UTC"))),
        ("day", Arc::new(Date32Array::from(vec![0, -1, 19_000]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("w", Arc::new(words)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The value of an expression, with big integers as `…n`.
fn told(page: &mut Page, expression: &str) -> Value {
    let write = "(key, value) => typeof value === 'bigint' ? `${value}n` : ArrayBuffer.isView(value) ? Array.from(value) : value";
    let text = page.eval(&format!("Promise.resolve({expression}).then(value => JSON.stringify(value, {write}))"));
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

#[test]
fn values_are_exact() {
    let (_server, _browser, mut page) = open(1000, 600);
    for engine in ["worker", "page"] {
        viewer(&mut page, &format!("setAttribute('engine', '{engine}')"));
        show(&mut page, &exact());
        assert_eq!(
            told(&mut page, &format!("{VIEWER}.rows(0, 2)")),
            json!([
                {"i": "-9223372036854775808n", "u": "18446744073709551615n", "d": "-0.01",
                    "t": "1970-01-01T00:00:00.000000001Z", "day": "1970-01-01", "b": true, "w": "a"},
                {"i": null, "u": "0n", "d": "123456789012345678.90", "t": "2023-11-14T22:13:20.123456789Z",
                    "day": "1969-12-31", "b": false, "w": null},
            ])
        );
        let column = |page: &mut Page, name: &str| told(page, &format!("{VIEWER}.column('{name}')"));
        let numbers = column(&mut page, "i");
        assert_eq!(numbers["values"], json!(["-9223372036854775808n", "0n", "9007199254740993n"]));
        assert_eq!((numbers["validity"][0].as_u64().unwrap() & 7, &numbers["type"]), (0b101, &json!("int64")));
        assert_eq!(column(&mut page, "t")["values"][1], "1700000000123456789n");
        assert_eq!(column(&mut page, "t")["validity"], Value::Null);
        assert_eq!(column(&mut page, "w")["values"], json!(["a", null, "b"]));
        assert_eq!(column(&mut page, "b")["values"], json!([1, 0, 0]));
        // As it is sorted.
        viewer(&mut page, "setSort(['-day'])");
        page.wait_for(&format!("{VIEWER}.column('day').then(c => c.values.join() === '19000,0,-1')"));
        assert_eq!(told(&mut page, &format!("{VIEWER}.rows(0, 1).then(r => r[0].w)")), "b");
    }
    let wrong = page.eval(&format!("{VIEWER}.column('nothing').catch(e => e.message)"));
    assert_eq!(wrong, "unknown column nothing");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn rows_are_written_into_elements() {
    let (_server, _browser, mut page) = open(1000, 600);
    page.eval("document.body.append(document.createElement('table')); 0");
    page.eval(&format!("{VIEWER}.fill(document.querySelector('table'), 1, 2)"));
    assert_eq!(page.eval("document.querySelectorAll('table tr').length"), 2);
    assert_eq!(
        page.eval("[...document.querySelectorAll('tr:first-child td')].slice(9, 12).map(c => c.textContent).join()"),
        "UA,1714,N24211"
    );
}

#[test]
fn the_view_leaves_as_arrow() {
    let (_server, _browser, mut page) = open(1280, 800);
    filter(&mut page, "origin", "=JFK");
    viewer(&mut page, "setSort(['-dep_delay'])");
    viewer(&mut page, "setColumns([{name: 'dest'}, {name: 'dep_delay'}, {name: 'year', hidden: true}])");
    viewer(&mut page, "settled()");
    let expected = viewer(&mut page, "state()");
    let sizes = told(
        &mut page,
        &format!(
            "(async () => {{ window.parts = 0; window.kept = [await {VIEWER}.toArrow({{progress: () => window.parts++}}), \
             await {VIEWER}.toArrow({{file: true}})]; return window.kept.map(b => b.size) }})()"
        ),
    );
    assert_eq!(page.eval("window.parts"), expected["rowsShown"].as_u64().unwrap().div_ceil(65_536));
    for (number, size) in sizes.as_array().unwrap().iter().enumerate() {
        // In pieces, as a message of the protocol has a greatest size.
        let mut bytes: Vec<u8> = Vec::new();
        while (bytes.len() as u64) < size.as_u64().unwrap() {
            let from = bytes.len();
            let piece = page.eval(&format!(
                "window.kept[{number}].slice({from}, {}).arrayBuffer().then(b => Array.from(new Uint8Array(b), v => v.toString(16).padStart(2, '0')).join(''))",
                from + 4_000_000
            ));
            let digits = piece.as_str().unwrap().as_bytes();
            bytes.extend(
                digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()),
            );
        }
        let batches: Vec<RecordBatch> = if number == 0 {
            arrow_ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap().map(Result::unwrap).collect()
        } else {
            let file = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
            file.map(Result::unwrap).collect()
        };
        let whole = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap();
        assert_eq!(json!(whole.num_rows()), expected["rowsShown"]);
        let names: Vec<String> = whole.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(json!(names), expected["shown"]);
        assert!(batches.iter().all(|batch| batch.num_rows() <= 65_536));
        let text =
            |row: usize, column: usize| arrow_cast::display::array_value_to_string(whole.column(column), row).unwrap();
        assert_eq!((text(0, 0), text(0, 1)), ("HNL".to_owned(), "1301".to_owned()));
        // All rows are there, in some order.
        let total = |batch: &RecordBatch, name: &str| {
            let wide = arrow_cast::cast(batch.column_by_name(name).unwrap(), &arrow_schema::DataType::Int64).unwrap();
            arrow_arith::aggregate::sum(arrow_array::cast::AsArray::as_primitive::<arrow_array::types::Int64Type>(
                &wide,
            ))
        };
        let all = flights();
        let jfk = StringArray::new_scalar("JFK");
        let plain = arrow_cast::cast(all.column_by_name("origin").unwrap(), &arrow_schema::DataType::Utf8).unwrap();
        let mask = arrow_ord::cmp::eq(&plain, &jfk).unwrap();
        let kept = arrow_select::filter::filter_record_batch(&all, &mask).unwrap();
        assert_eq!(total(&whole, "distance"), total(&kept, "distance"));
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn a_view_of_the_memory_dies_loudly() {
    let (_server, _browser, mut page) = open(1000, 600);
    let refused =
        page.eval(&format!("(() => {{ try {{ {VIEWER}.columnView('flight') }} catch (e) {{ return e.message }} }})()"));
    assert!(refused.as_str().unwrap().contains("await table.column(name)"), "{refused}");
    viewer(&mut page, "setAttribute('engine', 'page')");
    show(&mut page, &exact());
    page.eval(&format!("window.kept = {VIEWER}.columnView('u', 0); 0"));
    assert_eq!(page.eval("window.kept.isAlive && window.kept.array.join()"), "18446744073709551615,0,1");
    // It is the memory itself.
    assert_eq!(page.eval(&format!("window.kept.array.buffer === {VIEWER}.arrowStructs(0).memory.buffer")), true);
    page.eval(&format!("{VIEWER}.arrowStructs(0).memory.grow(1)"));
    let why = "(() => { try { return window.kept.array.length } catch (e) { return e.message } })()";
    let said = page.eval(why);
    assert!(said.as_str().unwrap().contains("the memory has grown"), "{said}");
    assert_eq!(page.eval("window.kept.isAlive"), false);
    // A new one lives until the table goes.
    page.eval(&format!("window.kept = {VIEWER}.columnView('u', 0); 0"));
    assert_eq!(page.eval("window.kept.array.length"), 3);
    show(&mut page, &exact());
    let said = page.eval(why);
    assert!(said.as_str().unwrap().contains("its table was dropped"), "{said}");
}

#[test]
fn apache_arrow_reads_the_memory_by_the_c_data_interface() {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let script = |name: &str| std::fs::read_to_string(target.join("interop/node_modules").join(name)).ok();
    let arrow = script("apache-arrow/Arrow.es2015.min.js");
    let Some((arrow, reader)) = arrow.zip(script("arrow-js-ffi/dist/arrow-js-ffi.umd.js")) else {
        assert!(std::env::var_os("INTEROP").is_none_or(|value| value != "required"), "arrow-js-ffi is missing");
        println!("skipped: no arrow-js-ffi; `.ci/test` installs it");
        return;
    };
    let (_server, _browser, mut page) = open(1000, 600);
    viewer(&mut page, "setAttribute('engine', 'page')");
    show(&mut page, &exact());
    page.eval(&format!("{arrow};0"));
    page.eval(&format!("{reader};0"));
    let read = told(
        &mut page,
        &format!(
            "(() => {{ const s = {VIEWER}.arrowStructs(0); \
             const batch = arrowJsFFI.parseRecordBatch(s.memory.buffer, s.array, s.schema, true); s.release(); \
             return [batch.numRows, batch.schema.fields.map(f => `${{f.name}}: ${{f.type}}`), \
             ['i', 'u', 'day', 'b', 'w'].map(name => [...batch.getChild(name)].map(v => v instanceof Date ? v.getTime() : v))] }})()"
        ),
    );
    assert_eq!(read[0], 3);
    let types = ["i: Int64", "u: Uint64", "d: Decimal[30e+2]", "t: Timestamp<NANOSECOND, UTC>"];
    assert_eq!(read[1].as_array().unwrap()[..3], json!(types[..3]).as_array().unwrap()[..], "{read}");
    assert_eq!(read[2][0], json!(["-9223372036854775808n", null, "9007199254740993n"]));
    assert_eq!(read[2][1], json!(["18446744073709551615n", "0n", "1n"]));
    assert_eq!(read[2][3], json!([true, false, null]));
    assert_eq!(read[2][4], json!(["a", null, "b"]));
    assert!(exact().column(0).is_null(1));
}
