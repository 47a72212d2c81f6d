//! What the server has done so far, as numbers: requests by route and status with how long they took, bytes, connections,
//! queries; written as Prometheus reads them.
//!
//! A route is a pattern such as `/v1/tables/{table}/data`, never the path of a request: the number of series stays bounded
//! whatever clients ask for.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's buckets, in seconds.
const BOUNDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Why a request was not let in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Rate,
    Token,
    Scope,
    Origin,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    /// The client went before the end.
    Cancelled,
    OverBudget,
    Failed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Took {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

/// All counters.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    took: Mutex<BTreeMap<&'static str, Took>>,
    bytes_out: AtomicU64,
    cut: AtomicU64,
    connections: AtomicU64,
    accepted: AtomicU64,
    in_flight: AtomicU64,
    running: AtomicU64,
    queries: [AtomicU64; 4],
    refused: [AtomicU64; 4],
}

/// What is counted elsewhere, for one answer.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) uptime: Duration,
    pub(super) followers: usize,
    pub(super) memory: Option<u64>,
    pub(super) tables: usize,
    pub(super) handles: usize,
    pub(super) handle_bytes: usize,
    pub(super) ready: bool,
    pub(super) live: Vec<Live>,
}

/// A live table's numbers.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) name: String,
    pub(super) rows: usize,
    pub(super) sequence: u64,
    pub(super) log_bytes: u64,
}

/// Counts one up as long as it lives.
#[derive(Debug)]
pub(super) struct Counted {
    metrics: Arc<Metrics>,
    which: fn(&Metrics) -> &AtomicU64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.which)(&self.metrics).fetch_sub(1, Ordering::Relaxed);
    }
}

/// A query that runs. Dropped without a word about its end it counts as failed.
#[derive(Debug)]
pub(super) struct Running {
    counted: Counted,
    ended: Ended,
}

impl Running {
    /// Notes how it ended.
    pub(super) fn end<T>(&mut self, result: &crate::Result<T>, client_has_gone: bool) {
        self.ended = match result {
            Ok(_) if client_has_gone => Ended::Cancelled,
            Ok(_) => Ended::Whole,
            Err(crate::Error::Budget { .. }) => Ended::OverBudget,
            Err(_) if client_has_gone => Ended::Cancelled,
            Err(_) => Ended::Failed,
        };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.counted.metrics.queries[self.ended as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    fn count(self: &Arc<Self>, which: fn(&Self) -> &AtomicU64) -> Counted {
        which(self).fetch_add(1, Ordering::Relaxed);
        Counted { metrics: self.clone(), which }
    }

    /// A connection that was accepted.
    pub(super) fn connection(self: &Arc<Self>) -> Counted {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.count(|metrics| &metrics.connections)
    }

    /// A request that is being answered.
    pub(super) fn request(self: &Arc<Self>) -> Counted {
        self.count(|metrics| &metrics.in_flight)
    }

    /// A query that begins.
    pub(super) fn query(self: &Arc<Self>) -> Running {
        Running { counted: self.count(|metrics| &metrics.running), ended: Ended::Failed }
    }

    /// A request that was not let in.
    pub(super) fn refused(&self, why: Refusal) {
        self.refused[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// An answer that came to its end, or was cut.
    pub(super) fn answered(&self, route: &'static str, status: u16, took: Duration, bytes: u64, is_whole: bool) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
        self.cut.fetch_add(u64::from(!is_whole), Ordering::Relaxed);
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((route, status)).or_default() += 1;
        let mut all = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = all.entry(route).or_default();
        let seconds = took.as_secs_f64();
        entry.count += 1;
        entry.seconds += seconds;
        if let Some(index) = BOUNDS.iter().position(|&bound| seconds <= bound) {
            entry.buckets[index] += 1;
        }
    }

    /// Connections at the moment.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Queries that run at the moment.
    pub(super) fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// Requests that were answered.
    pub(super) fn requests(&self) -> u64 {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Everything in Prometheus' text format.
    pub(super) fn write(&self, gauges: &Gauges) -> String {
        let mut text = Text(String::with_capacity(8 << 10));
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        text.head("bodkin_http_requests_total", "counter", "Requests that were answered.");
        for ((route, status), count) in requests {
            text.line("bodkin_http_requests_total", &[("route", route), ("status", &status.to_string())], count);
        }
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let name = "bodkin_http_request_duration_seconds";
        text.head(name, "histogram", "From a request's head to the end of its answer.");
        for (route, took) in took {
            let mut below = 0;
            let bucket = format!("{name}_bucket");
            for (bound, count) in BOUNDS.iter().zip(took.buckets) {
                below += count;
                text.line(&bucket, &[("route", route), ("le", &bound.to_string())], below);
            }
            text.line(&bucket, &[("route", route), ("le", "+Inf")], took.count);
            text.line(&format!("{name}_sum"), &[("route", route)], took.seconds);
            text.line(&format!("{name}_count"), &[("route", route)], took.count);
        }
        for (name, kind, help, value) in [
            ("bodkin_http_response_bytes_total", "counter", "Bytes of answers' bodies.", read(&self.bytes_out)),
            ("bodkin_http_responses_cut_total", "counter", "Answers that did not come to their end.", read(&self.cut)),
            ("bodkin_http_requests_in_flight", "gauge", "Requests that are being answered.", read(&self.in_flight)),
            ("bodkin_connections_total", "counter", "Connections that were accepted.", read(&self.accepted)),
            ("bodkin_connections", "gauge", "Connections at the moment.", read(&self.connections)),
            ("bodkin_followers", "gauge", "Followers of live tables at the moment.", gauges.followers as u64),
            ("bodkin_queries_running", "gauge", "Queries that run at the moment.", read(&self.running)),
            ("bodkin_handles", "gauge", "Results that stay on the server.", gauges.handles as u64),
            ("bodkin_handle_bytes", "gauge", "Bytes of these results.", gauges.handle_bytes as u64),
            ("bodkin_tables", "gauge", "Tables that are served.", gauges.tables as u64),
            ("bodkin_ready", "gauge", "Whether the server takes requests.", u64::from(gauges.ready)),
        ] {
            text.head(name, kind, help);
            text.line(name, &[], value);
        }
        text.head("bodkin_queries_total", "counter", "Queries that ended, by how.");
        let ends = [Ended::Whole, Ended::Cancelled, Ended::OverBudget, Ended::Failed];
        for (end, word) in ends.into_iter().zip(["whole", "cancelled", "over_budget", "failed"]) {
            text.line("bodkin_queries_total", &[("end", word)], read(&self.queries[end as usize]));
        }
        text.head("bodkin_refused_total", "counter", "Requests that were not let in, by why.");
        let reasons = [Refusal::Rate, Refusal::Token, Refusal::Scope, Refusal::Origin];
        for (reason, word) in reasons.into_iter().zip(["rate", "token", "scope", "origin"]) {
            text.line("bodkin_refused_total", &[("reason", word)], read(&self.refused[reason as usize]));
        }
        text.live(&gauges.live);
        text.head("process_uptime_seconds", "gauge", "Since the server began.");
        text.line("process_uptime_seconds", &[], gauges.uptime.as_secs_f64());
        if let Some(memory) = gauges.memory {
            text.head("process_resident_memory_bytes", "gauge", "Memory that the system gave to the process.");
            text.line("process_resident_memory_bytes", &[], memory);
        }
        text.0
    }
}

/// Lines in Prometheus' text format.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _written = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _written = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let _written = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn live(&mut self, tables: &[Live]) {
        type Part = fn(&Live) -> u64;
        let parts: [(&str, &str, Part); 3] = [
            ("bodkin_live_rows", "Rows of a live table.", |table| table.rows as u64),
            ("bodkin_live_sequence", "The number of a live table's last update.", |table| table.sequence),
            ("bodkin_live_log_bytes", "Bytes of a live table's log.", |table| table.log_bytes),
        ];
        for (name, help, part) in parts {
            self.head(name, "gauge", help);
            for table in tables {
                self.line(name, &[("table", &table.name)], part(table));
            }
        }
    }
}
