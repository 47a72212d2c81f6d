//! The structs that server and viewer share: what the server writes are the bytes of the fixtures, which the viewer's
//! tests read.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;

use wire::record::example::{Gauge, Line, Panel};
use wire::record::{archive, pod};

fn check(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/fixtures").join(name);
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}: made anew by WRITE_FIXTURES=1");
}

#[test]
fn the_server_writes_what_the_viewer_is_tested_with() {
    let line = |name: &str, values: &[f64]| Line { name: name.to_owned(), values: values.to_vec() };
    let panel = Panel {
        title: "Delays – by hour".to_owned(),
        every: 250,
        lines: vec![line("EWR", &[1.5, -2.0]), line("JFK", &[])],
        remark: Some("late".to_owned()),
    };
    check("panel.rkyv", &archive::write(&panel).unwrap());
    let mut gauge = Gauge::default();
    gauge.record(2.5, 1_000);
    gauge.record(-1.0, 2_000);
    check("gauge.pod", pod::write(&gauge));
}
