//! What the pattern page asks beside tables: structs and patches of them, a thing in chunks, and a kernel timed natively.
//!
//! | path | |
//! |---|---|
//! | `/patterns/panel` | a struct with text and lists, as rkyv writes it |
//! | `/patterns/merge`, `/patterns/push`, `/patterns/splice` | patches of it: fields; lines that come; lines that go |
//! | `/patterns/gauge` | a struct of fixed layout, as it lies in memory |
//! | `/patterns/patches` | patches of its fields, 12 bytes each |
//! | `/patterns/assembly` | WebSocket: an Arrow stream, its size first and then its chunks |
//! | `/patterns/whole` | the same in one piece |
//! | `/patterns/sort?rows=N&threads=N` | how long the kernel takes for numbers that look random |
//!
//! Nothing of a table is in them. The structs are those of [`wire::record::example`].

use std::mem::offset_of;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow_buffer::Buffer;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use kernels::{SortOptions, sort_to_indices};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::assembly;
use wire::record::example::{Gauge, Line, Panel, PanelPatch};
use wire::record::list::Splice;
use wire::record::{archive, pod};
use wire::stream::StreamEncoder;

use super::problem::Problem;
use super::sockets::{Peer, STOPS, Sockets};
use super::{Reply, Tables, routes};
use crate::{Error, Result};

/// Lines of the panel, and values of each.
const LINES: [usize; 2] = [24, 1_000];
/// Rows of what goes in chunks, of a batch of it, and bytes of a chunk.
const ROWS: [usize; 2] = [500_000, 65_536];
const CHUNK: usize = 256 << 10;
/// The most numbers that are sorted for a page.
const MOST_NUMBERS: u32 = 4_000_000;
/// What the socket speaks.
const PROTOCOL: &str = "bodkin.assembly";
/// Clients have nothing to say.
const MAX_INCOMING: usize = 4 << 10;

/// Whether there is something of the name.
pub(super) fn has(name: &str) -> bool {
    matches!(name, "panel" | "merge" | "push" | "splice" | "gauge" | "patches" | "assembly" | "whole" | "sort")
}

/// Answers what [`has`] knows.
pub(super) async fn answer(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    Ok(match name {
        "assembly" => return assemble(tables, request),
        "sort" => return sort(request.uri().query().unwrap_or("")).await,
        "whole" => octets(whole()?.to_vec()),
        "panel" => octets(archive::write(&panel()).map_err(fault)?.to_vec()),
        "gauge" => octets(pod::write(&gauge()).to_vec()),
        "patches" => octets(patches()),
        _ => octets(archive::write(&patch(name)).map_err(fault)?.to_vec()),
    })
}

fn octets(bytes: Vec<u8>) -> Reply {
    let mut reply = Response::new(bytes.into());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    reply
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn fault(error: impl std::fmt::Display) -> Error {
    Error::Output(error.to_string())
}

fn line(name: String, first: usize) -> Line {
    Line { name, values: (first..first + LINES[1]).map(|value| value as f64 / 8.0).collect() }
}

fn panel() -> Panel {
    let lines = (0..LINES[0]).map(|hour| line(format!("hour {hour}"), hour));
    Panel { title: "Delays – by hour".to_owned(), every: 250, lines: lines.collect(), remark: None }
}

fn patch(name: &str) -> PanelPatch {
    match name {
        "push" => {
            PanelPatch { lines: Some(Splice::push(vec![line("all day".to_owned(), 0)])), ..PanelPatch::default() }
        }
        "splice" => {
            let splice = Splice { at: Some(2), remove: 3, insert: vec![line("hours 2 to 4".to_owned(), 2)] };
            PanelPatch { lines: Some(splice), ..PanelPatch::default() }
        }
        _ => PanelPatch { every: Some(100), remark: Some(Some("late".to_owned())), ..PanelPatch::default() },
    }
}

fn gauge() -> Gauge {
    let mut gauge = Gauge::default();
    gauge.record(2.5, 1_000);
    gauge.record(-1.0, 2_000);
    gauge
}

/// The last value, the greatest and the time, each by the place of its field.
fn patches() -> Vec<u8> {
    let last = pod::to_patch(offset_of!(Gauge, last) as u32, &7.25f64.to_le_bytes());
    let high = pod::to_patch(offset_of!(Gauge, high) as u32, &7.25f64.to_le_bytes());
    let at = pod::to_patch(offset_of!(Gauge, at) as u32, &3_000i64.to_le_bytes());
    [last, high, at].concat()
}

// Chunks.

/// An Arrow stream that every socket shares, made when it is first asked for.
fn whole() -> Result<Buffer> {
    static WHOLE: OnceLock<Buffer> = OnceLock::new();
    if let Some(whole) = WHOLE.get() {
        return Ok(whole.clone());
    }
    let written = stream()?;
    Ok(WHOLE.get_or_init(|| written.into()).clone())
}

fn stream() -> Result<Vec<u8>> {
    let batch = |from: usize| {
        let rows = from as i64..ROWS[0].min(from + ROWS[1]) as i64;
        let halves = rows.clone().map(|row| row as f64 / 2.0);
        let columns = [
            ("number", Arc::new(Int64Array::from_iter_values(rows)) as ArrayRef),
            ("half", Arc::new(Float64Array::from_iter_values(halves))),
        ];
        RecordBatch::try_from_iter(columns).map_err(fault)
    };
    let mut encoder = StreamEncoder::try_new(&batch(ROWS[0])?.schema()).map_err(fault)?;
    let mut bytes = Vec::new();
    let mut put = |parts: Vec<Buffer>| parts.iter().for_each(|part| bytes.extend_from_slice(part));
    for from in (0..ROWS[0]).step_by(ROWS[1]) {
        put(encoder.encode(&batch(from)?).map_err(fault)?);
    }
    put(encoder.finish().map_err(fault)?);
    Ok(bytes)
}

/// Answers the handshake; the chunks go from a task of their own.
fn assemble(tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let whole = whole()?;
    let sockets = tables.sockets.clone();
    tables.upgrade(request, &[PROTOCOL], MAX_INCOMING, move |peer, _| async move { send(peer, &whole, &sockets).await })
}

async fn send(mut peer: Peer, whole: &Buffer, sockets: &Sockets) {
    let (Ok(announcement), Ok(chunks)) = (assembly::announce(whole.len(), CHUNK), assembly::chunks(whole, CHUNK))
    else {
        return peer.close(CloseCode::Error, "the size of chunks").await;
    };
    let messages = chunks.map(|(head, part)| Bytes::from([&head, part.as_slice()].concat()));
    let mut stopping = std::pin::pin!(sockets.stopping());
    for message in std::iter::once(Bytes::copy_from_slice(&announcement)).chain(messages) {
        let sent = tokio::select! {
            () = &mut stopping => return peer.close(CloseCode::Away, STOPS).await,
            sent = peer.send(Message::Binary(message)) => sent,
        };
        if !sent {
            return peer.close_slow().await;
        }
    }
    peer.close(CloseCode::Normal, "that is all").await;
}

// A kernel.

/// Sorts numbers on so many threads (0: all), and says how long it took.
async fn sort(query: &str) -> Result<Reply, Problem> {
    let wrong = || Problem::bad_request("expected rows=NUMBER and threads=NUMBER (0: all cores)");
    let number = |name: &str| {
        let of = |part: &str| part.split_once('=').filter(|(key, _)| *key == name)?.1.parse::<u32>().ok();
        query.split('&').find_map(of)
    };
    let rows = number("rows").filter(|&rows| rows <= MOST_NUMBERS).ok_or_else(wrong)?;
    let threads = number("threads").filter(|&threads| threads <= 256).ok_or_else(wrong)? as usize;
    let told = tokio::task::spawn_blocking(move || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|error| Error::Internal(error.to_string()))?.install(|| sorted(rows))
    });
    Ok(routes::json(&told.await.map_err(|error| Error::Internal(error.to_string()))??))
}

/// As `wasm-view/patterns/src/numbers.rs` does it.
fn sorted(rows: u32) -> Result<Value> {
    let mut state = 1u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let values = UInt32Array::from((0..rows).map(next).collect::<Vec<u32>>());
    let mut milliseconds = f64::INFINITY;
    let mut sum = 0u32;
    for _ in 0..3 {
        let begin = Instant::now();
        let order = sort_to_indices(&values, SortOptions::default(), None)
            .map_err(|error| Error::Internal(error.to_string()))?;
        milliseconds = milliseconds.min(begin.elapsed().as_secs_f64() * 1e3);
        let places = order.as_slice().iter().zip(1u32..);
        sum = places.fold(0, |sum, (&row, place)| sum.wrapping_add(row.wrapping_mul(place)));
    }
    Ok(json!({
        "milliseconds": milliseconds, "sum": sum, "threads": rayon::current_num_threads(),
        "optimised": !cfg!(debug_assertions),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_takes_every_patch() {
        let mut state = panel();
        for name in ["merge", "push", "splice"] {
            assert!(has(name) && state.merge(patch(name)).is_ok(), "{name}");
        }
        assert_eq!((state.every, state.lines.len(), state.remark.as_deref()), (100, LINES[0] + 1 - 2, Some("late")));
    }

    #[test]
    fn patches_lie_in_the_gauge() {
        let mut state = gauge();
        assert!(patches().chunks(12).all(|patch| pod::apply(&mut state, patch).is_ok()));
        assert_eq!((state.last, state.low, state.high, state.count, state.at), (7.25, -1.0, 7.25, 2, 3_000));
    }

    #[test]
    fn threads_do_not_change_an_order() -> Result<()> {
        let all = sorted(200_000)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let one = pool.map_err(|error| Error::Internal(error.to_string()))?.install(|| sorted(200_000))?;
        assert_eq!((&all["sum"], &one["threads"]), (&one["sum"], &json!(1)));
        Ok(())
    }
}
