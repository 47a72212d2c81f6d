//! The structs that server and viewer share: the viewer's side, over the bytes that the server's tests write.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use wire::record::example::{Gauge, Panel, PanelPatch};
use wire::record::{archive, pod};

#[test]
fn the_viewer_reads_and_changes_what_the_server_wrote() {
    let bytes = archive::align(include_bytes!("../../wire/tests/fixtures/panel.rkyv"));
    let panel = archive::read::<Panel>(&bytes).unwrap();
    assert_eq!((panel.title.as_str(), panel.lines[0].values[1].to_native()), ("Delays – by hour", -2.0));
    let mut panel: Panel = archive::to_owned(&bytes).unwrap();
    panel.merge(PanelPatch { every: Some(50), ..PanelPatch::default() }).unwrap();
    assert_eq!((panel.every, panel.remark.as_deref()), (50, Some("late")));
    // Words are aligned as the struct is.
    let mut words: Vec<u64> = include_bytes!("../../wire/tests/fixtures/gauge.pod")
        .chunks(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect();
    let gauge: &mut Gauge = pod::read_mut(bytemuck::cast_slice_mut(&mut words)).unwrap();
    gauge.record(9.0, 3_000);
    assert_eq!((gauge.count, gauge.low, gauge.high), (3, -1.0, 9.0));
}
