//! How the server is: `/health` for whether it lives, `/ready` for whether it takes requests, `/status` for people and
//! `/metrics` for Prometheus.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::Body;
use super::metrics::{Gauges, Live};
use super::{Reply, Tables, routes};
use crate::source::Source;

/// Since when the server runs, and whether it is about to stop.
#[derive(Debug)]
pub(super) struct State {
    begin: Instant,
    is_draining: AtomicBool,
}

impl State {
    pub(super) fn new() -> Self {
        Self { begin: Instant::now(), is_draining: AtomicBool::new(false) }
    }

    /// From here on the server is not ready.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }
}

/// `/ready`: from when all tables have been read until the server is told to stop.
pub(super) fn ready(tables: &Tables, state: &State) -> Reply {
    let told = match (state.is_draining(), tables.loading.missing()) {
        (true, _) => json!({"status": "draining"}),
        (false, 0) => return routes::json(&json!({"status": "ready"})),
        (false, missing) => json!({"status": "loading", "tables": missing}),
    };
    let mut reply = routes::json(&told);
    *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    reply
}

/// `/status`.
pub(super) fn status(tables: &Tables, state: &State) -> Reply {
    let each: Vec<Value> = tables
        .all()
        .into_iter()
        .map(|(name, source)| {
            let is_live = !tables.is_of_files(&name);
            json!({"name": name, "rows": source.rows(), "bytes": source.bytes(), "live": is_live})
        })
        .collect();
    routes::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": state.begin.elapsed().as_secs(),
        "ready": !state.is_draining() && tables.loading.missing() == 0,
        "tables": each,
        "loading": tables.loading.told(),
        "connections": tables.metrics.connections(),
        "followers": tables.following(),
        "requests": tables.metrics.requests(),
        "runningQueries": tables.metrics.running(),
        "memoryBytes": memory(),
    }))
}

/// `/metrics`.
pub(super) fn metrics(tables: &Tables, state: &State) -> Reply {
    let live = tables.live.as_ref().map(|store| store.all()).unwrap_or_default();
    let gauges = Gauges {
        uptime: state.begin.elapsed(),
        followers: tables.following(),
        memory: memory(),
        tables: tables.len(),
        handles: tables.handles.list(Instant::now()).len(),
        handle_bytes: tables.handles.bytes(),
        ready: !state.is_draining() && tables.loading.missing() == 0,
        live: live
            .into_iter()
            .map(|(name, table)| Live {
                name,
                rows: table.rows(),
                sequence: table.snapshot().sequence,
                log_bytes: table.bytes(),
            })
            .collect(),
    };
    let mut reply = Response::new(Body::from(tables.metrics.write(&gauges).into_bytes()));
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, media_type);
    reply
}

/// Bytes of memory that the process has, where the system tells it: `VmRSS:   1234 kB`.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}
