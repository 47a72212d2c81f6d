//! What a client may ask of the server: how many connections, how long a header, how slow a body. Every number can be set;
//! the defaults let ten thousand clients in and leave none of them able to hold the others up.

use std::time::Duration;

/// What the server bears of its clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections that are served at the same time; more wait to be accepted.
    pub connections: usize,
    /// Connections of one address at the same time; more are closed at once.
    pub connections_per_client: Option<usize>,
    /// Followers of live tables at the same time; more are refused.
    pub followers: usize,
    /// Requests of one client in a second, on average; twice as many may come at once. Without a number, clients on this
    /// machine are not counted, and others have a thousand. None at all: zero.
    pub requests_per_second: Option<u32>,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// Header lines of a request.
    pub header_count: usize,
    /// Bytes of a plan or a definition.
    pub body_bytes: usize,
    /// Bytes of rows or of an update.
    pub rows_bytes: usize,
    /// How long a client may take to send a request's head, or to agree on TLS.
    pub head_time: Duration,
    /// How long a client may take to send a body.
    pub body_time: Duration,
    /// How long a client may leave an answer unread.
    pub write_time: Duration,
    /// How long a connection may be kept without a request.
    pub idle_time: Duration,
    /// Requests at the same time over one HTTP/2 connection.
    pub streams: u32,
    /// How often an HTTP/2 connection is asked whether it is there; it has as long again to answer.
    pub ping_time: Duration,
    /// How long the server goes on accepting after the signal to stop, while `/ready` says 503.
    pub drain_delay: Duration,
    /// How long running answers may take after that.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_client: None,
            followers: 10_000,
            requests_per_second: None,
            header_bytes: 64 << 10,
            header_count: 100,
            body_bytes: 1 << 20,
            rows_bytes: 64 << 20,
            head_time: Duration::from_secs(15),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            streams: 100,
            ping_time: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            drain_time: Duration::from_secs(10),
        }
    }
}
