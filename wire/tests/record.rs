//! Structs and chunks: read in place, changed in place, merged, and refused when the bytes are wrong.
#![cfg(all(feature = "archive", feature = "pod"))]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use arrow_buffer::Buffer;
use wire::Error;
use wire::assembly::{ANNOUNCEMENT, Assembly, Progress, announce, chunks};
use wire::record::example::{ArchivedPanel, Gauge, Line, Panel, PanelPatch};
use wire::record::list::Splice;
use wire::record::{archive, pod};

fn panel() -> Panel {
    let line = |name: &str| Line { name: name.to_owned(), values: vec![1.5, -2.0, f64::INFINITY] };
    Panel { title: "Delays – by hour".into(), every: 250, lines: vec![line("EWR"), line("JFK")], remark: None }
}

#[test]
fn fields_of_an_archive_are_read_where_they_lie() {
    let bytes = archive::write(&panel()).unwrap();
    let read: &ArchivedPanel = archive::read::<Panel>(&bytes).unwrap();
    assert_eq!((read.title.as_str(), read.every.to_native()), ("Delays – by hour", 250));
    assert_eq!(read.lines[1].values.iter().map(|value| value.to_native()).sum::<f64>(), f64::INFINITY);
    let within = bytes.as_ptr_range();
    assert!(within.contains(&read.lines[1].values.as_ptr().cast()) && within.contains(&read.title.as_ptr()));
    assert_eq!(archive::to_owned::<Panel>(&bytes).unwrap(), panel());
}

#[test]
fn damaged_archives_are_errors_or_panels() {
    let bytes = archive::write(&panel()).unwrap();
    for end in 0..bytes.len() {
        let _maybe = archive::to_owned::<Panel>(&archive::align(&bytes[..end]));
    }
    let mut refused = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = archive::align(&bytes);
            damaged[at] ^= flip;
            refused += u32::from(archive::to_owned::<Panel>(&damaged).is_err());
        }
    }
    assert!(refused > 50, "{refused}");
    let shifted = [&[0], bytes.as_slice()].concat();
    assert!(archive::read::<Panel>(&shifted[1..]).is_err() || shifted[1..].as_ptr().align_offset(16) == 0);
    assert!(matches!(archive::read::<Panel>(&[]).map_err(|error| *error), Err(Error::Archive { .. })));
}

#[test]
fn fields_of_a_panel_are_merged_one_by_one() {
    let mut state = panel();
    let patch = PanelPatch { every: Some(100), remark: Some(Some("late".into())), ..PanelPatch::default() };
    state.merge(archive::to_owned(&archive::write(&patch).unwrap()).unwrap()).unwrap();
    assert_eq!((state.every, state.remark.as_deref(), state.title.as_str()), (100, Some("late"), "Delays – by hour"));
    let line = Line { name: "LGA".into(), values: vec![] };
    let push = PanelPatch { lines: Some(Splice::push(vec![line.clone()])), ..PanelPatch::default() };
    state.merge(push).unwrap();
    let splice = Splice { at: Some(0), remove: 2, insert: vec![] };
    state.merge(PanelPatch { lines: Some(splice), remark: Some(None), ..PanelPatch::default() }).unwrap();
    assert_eq!((state.lines.as_slice(), &state.remark), ([line].as_slice(), &None));
    let far = Splice { at: Some(1), remove: 1, insert: vec![] };
    let before = state.clone();
    let error = state.merge(PanelPatch { lines: Some(far), every: Some(1), ..PanelPatch::default() }).unwrap_err();
    assert_eq!(*error, Error::Record { what: "items of a list", expected: 1, found: 1 });
    assert_eq!(state, before);
}

#[test]
fn a_gauge_is_its_bytes() {
    let mut gauge = Gauge::default();
    gauge.record(2.5, 1_000);
    gauge.record(-1.0, 2_000);
    // Eight bytes at a time are aligned as the struct is.
    let mut words: Vec<u64> =
        pod::write(&gauge).chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let place = bytes.as_ptr();
    assert_eq!(pod::read::<Gauge>(bytes).unwrap(), &gauge);
    let received: &mut Gauge = pod::read_mut(bytes).unwrap();
    received.record(9.0, 3_000);
    assert_eq!((received.count, received.high, std::ptr::from_mut(received).cast_const().cast()), (3, 9.0, place));
    // One field by its bytes.
    let high = std::mem::offset_of!(Gauge, high);
    pod::patch(received, high, &11.0f64.to_ne_bytes()).unwrap();
    assert_eq!((received.high, received.low), (11.0, -1.0));
    pod::apply(received, &pod::to_patch(high as u32, &12.0f64.to_ne_bytes())).unwrap();
    assert_eq!(received.high, 12.0);
    for (start, bytes) in [(33, vec![0; 8]), (41, vec![]), (usize::MAX, vec![1])] {
        assert!(matches!(
            pod::patch(received, start, &bytes).map_err(|error| *error),
            Err(Error::Record { expected: 40, .. })
        ));
    }
    assert!(pod::apply(received, &[1, 2]).is_err());
    assert_eq!(received.high, 12.0);
    let bytes: &[u8] = bytemuck::cast_slice(&words);
    assert_eq!(
        *pod::read::<Gauge>(&bytes[..39]).unwrap_err(),
        Error::Record { what: "size in bytes", expected: 40, found: 39 }
    );
    let shifted = [&[0], bytes].concat();
    let odd = usize::from(shifted.as_ptr().align_offset(8) == 0);
    let error = pod::read::<Gauge>(&shifted[odd..odd + 40]).unwrap_err();
    assert!(matches!(*error, Error::Record { what: "alignment", .. }));
}

#[test]
fn chunks_in_any_order_make_the_whole_in_one_allocation() {
    let bytes = Buffer::from_iter(0..1_000u32);
    for size in [1, 7, 64, 3_999, 4_000, 10_000] {
        let mut parts: Vec<_> = chunks(&bytes, size).unwrap().collect();
        let middle = parts.len() / 2;
        parts.rotate_left(middle);
        let mut assembly = Assembly::try_new(&announce(bytes.len(), size).unwrap(), 4_000).unwrap();
        let mut received = 0;
        for (head, part) in &parts {
            received += part.len();
            let progress = assembly.push(&[head, part.as_slice()].concat()).unwrap();
            assert_eq!(progress, Progress { received, total: 4_000 });
        }
        assert_eq!(assembly.finish().unwrap(), bytes);
    }
    assert!(Assembly::try_new(&announce(0, 5).unwrap(), 0).unwrap().finish().unwrap().is_empty());
}

#[test]
fn wrong_chunks_are_errors_and_do_no_harm() {
    let announcement = announce(100, 30).unwrap();
    let mut assembly = Assembly::try_new(&announcement, 100).unwrap();
    let told = |result: wire::Result<Progress>| result.unwrap_err().to_string();
    assembly.put(0, &[1; 30]).unwrap();
    assert_eq!(told(assembly.put(0, &[2; 30])), "times that a chunk came of chunk 0: expected 1, found 2");
    assert_eq!(told(assembly.put(1, &[2; 29])), "length of a chunk of chunk 1: expected 30, found 29");
    assert_eq!(told(assembly.put(3, &[2; 30])), "length of a chunk of chunk 3: expected 10, found 30");
    assert_eq!(told(assembly.put(4, &[])), "number of a chunk of chunk 4: expected 4, found 4");
    assert!(told(assembly.push(&[1, 2])).starts_with("head of a chunk"));
    assert_eq!(assembly.progress().received, 30);
    let error = assembly.finish().unwrap_err().to_string();
    assert_eq!(error, "bytes when finished of chunk 1: expected 100, found 30");
    assert!(matches!(
        Assembly::try_new(&announcement, 99).map_err(|error| *error),
        Err(Error::Limit { found: 100, limit: 99, .. })
    ));
    for end in 0..ANNOUNCEMENT {
        assert!(Assembly::try_new(&announcement[..end], 100).is_err());
    }
    let huge = [b"BKA1".as_slice(), &1u32.to_le_bytes(), &u64::MAX.to_le_bytes()].concat();
    assert!(matches!(
        Assembly::try_new(&huge, 1 << 30).map_err(|error| *error),
        Err(Error::Limit { found: i64::MAX, .. })
    ));
    assert!(announce(1, 0).is_err() && announce(1 << 33, 1).is_err());
}
