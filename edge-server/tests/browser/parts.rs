//! The module's two parts: the first shows and scrolls alone, what is asked brings the second, and a second part that does
//! not come leaves the table as it is.

use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use serde_json::json;

use crate::cdp::{Browser, Page};
use crate::common::Served;
use crate::drive::{ROWS, VIEWER, filter, header, import, is_content, nothing, screenshots, viewer};
use crate::every;

/// A page with `bodkin`, in which the second part is fetched only by requests that wait.
fn begin(page: &mut Page, server: &Served, script: &str) {
    page.colour_scheme("light");
    nothing(page, server);
    page.eval(&format!(
        "window.asked = [];
         const real = fetch;
         window.fetch = (what, ...more) => {{
           if (!window.isPlain && String(what).includes('bodkin-more')) {{ asked.push('later'); return new Promise(() => {{}}); }}
           return window.answer?.(String(what)) ?? real(what, ...more);
         }};
         const open = XMLHttpRequest.prototype.open;
         XMLHttpRequest.prototype.open = function (...all) {{ asked.push('now'); return open.apply(this, all); }};
         {script}"
    ));
    import(page);
}

fn mount(page: &mut Page, options: &str) {
    page.eval(&format!(
        "window.table = bodkin.mount(document.body, {options}).element; table.style.height = '600px'; table.whenLoaded()"
    ));
}

/// The page's `/every` is a stream of a column of every type and 800 rows, packed or not.
fn serve_every_type(page: &mut Page, compression: Option<CompressionType>) -> usize {
    let batch = every::every_type(7, 500);
    let mut bytes = Vec::new();
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(100, 300)).unwrap();
    writer.finish().unwrap();
    drop(writer);
    page.eval(&format!(
        "window.answer = what => what.endsWith('/every') ? Promise.resolve(new Response(new Uint8Array({}))) : undefined",
        json!(bytes)
    ));
    batch.num_columns()
}

#[test]
fn the_first_part_shows_and_scrolls_every_type_alone() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1280, 700);
    begin(&mut page, &server, "");
    for compression in [None, Some(CompressionType::LZ4_FRAME)] {
        let columns = serve_every_type(&mut page, compression);
        mount(&mut page, "{ src: '/every', engine: 'page' }");
        assert_eq!(page.eval("[table.state().rowsLoaded, table.state().error]"), json!([800, null]));
        for column in 0..columns {
            page.eval(&format!("table.select([{}, {column}])", column * 7));
            page.settle();
        }
        page.wheel(500.0, 300.0, 4000.0);
        page.wait_for("table.state().topRow > 100");
        page.eval("table.shadowRoot.querySelector('[tabindex=\"0\"]').focus()");
        page.press("End", 35, 2);
        page.wait_for("table.state().selection[0] === 799");
        page.settle();
        page.screenshot(&screenshots().join("first-part.png"));
        // Asked for behind the first rows, and not waited for.
        assert_eq!(page.eval("[...new Set(asked)]"), json!(["later"]));
        page.eval("table.remove()");
    }
    is_content(&mut page);
}

#[test]
fn what_the_first_part_cannot_read_brings_the_second() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1280, 700);
    begin(&mut page, &server, "");
    let cells = "table.cells(450, 3)";
    serve_every_type(&mut page, None);
    mount(&mut page, "{ src: '/every', engine: 'page' }");
    let plain = page.eval(cells);
    page.eval("table.remove()");
    // Packed by Zstandard, in the midst of a load.
    serve_every_type(&mut page, Some(CompressionType::ZSTD));
    mount(&mut page, "{ src: '/every', engine: 'page' }");
    assert_eq!(page.eval("[table.state().rowsLoaded, table.state().error]"), json!([800, null]));
    assert_eq!(page.eval(cells), plain);
    assert!(page.eval("asked.includes('now')").as_bool().unwrap());
    is_content(&mut page);
}

#[test]
fn what_is_asked_before_the_second_part_is_there_brings_it() {
    let server = Served::sample();
    let browser = Browser::launch();
    for engine in ["page", "worker"] {
        let mut page = browser.page(1100, 600);
        begin(&mut page, &server, "");
        mount(&mut page, &format!("{{ src: '/v1/tables/flights/data', engine: '{engine}' }}"));
        page.settle();
        assert_eq!(page.eval("[...new Set(asked)]"), json!(["later"]));
        // Typed, which the page reads at once.
        filter(&mut page, "month", "1");
        page.wait_for("table.state().rowsShown === 27004");
        assert_eq!(page.eval("[...new Set(asked)]"), json!(["later", "now"]));
        let (x, y) = header(&mut page, "dep_delay");
        page.click(x, y, 0);
        page.wait_for("table.state().sort.join() === 'dep_delay'");
        assert_eq!(viewer(&mut page, "cells(0, 1).then(rows => rows[0][5])"), "-30");
        is_content(&mut page);
    }
}

#[test]
fn a_second_part_that_does_not_fit_is_told_and_harms_nothing() {
    let server = Served::sample();
    let browser = Browser::launch();
    let mut page = browser.page(1100, 600);
    // It is not there; it is no module of this build.
    for place in ["/viewer/nothing.wasm", "/viewer/patterns.wasm"] {
        begin(&mut page, &server, "window.isPlain = true");
        page.eval(&format!("bodkin.configure({{ more: '{place}' }})"));
        mount(&mut page, "{ src: '/v1/tables/flights/data' }");
        assert_eq!(page.eval("table.state().rowsShown"), ROWS);
        // Told before anybody asks for it; who asks nevertheless gets nothing, and breaks nothing.
        page.wait_for(&format!(
            "/nothing at|second part/.test({VIEWER}.shadowRoot.querySelector('.error')?.textContent)"
        ));
        let (x, y) = header(&mut page, "dep_delay");
        page.click(x, y, 0);
        page.screenshot(&screenshots().join("no-second-part.png"));
        page.wheel(500.0, 300.0, 2800.0);
        page.wait_for("table.state().topRow > 40");
        assert_eq!(page.eval("[table.state().rowsShown, table.state().error]"), json!([ROWS, null]));
        page.complaints.clear();
    }
}
