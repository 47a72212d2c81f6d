//! Limits as they are set: on the command line or in a file, by the same names.

use std::time::Duration;

use crate::http::Limits;
use crate::run::Budget;

/// Options that may be left out, on the command line as in a file.
macro_rules! options {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, clap::Args, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$field_meta])* pub(super) $field: Option<$kind>,)*
        }

        impl $name {
            /// These, and where nothing is said, those.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $($field: self.$field.or(other.$field),)* }
            }
        }
    };
}
pub(super) use options;

options! {
    /// What clients may ask of the server, and what a query may cost.
    LimitOptions {
        /// Connections at the same time; more wait. [default: 16384]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        connections: usize,
        /// Connections of one address at the same time; more are closed. [default: as many as there may be]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        connections_per_client: usize,
        /// Followers of live tables at the same time. [default: 10000]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        followers: usize,
        /// Requests of one token or address in a second, twice as many at once; 0 for any number.
        /// [default: 1000, and any number from this machine]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        requests_per_second: u32,
        /// Bytes of a request's head. [default: 65536]
        #[arg(long, value_name = "BYTES", help_heading = "Limits")]
        header_bytes: usize,
        /// Header lines of a request. [default: 100]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        header_count: usize,
        /// Bytes of a plan or a definition. [default: 1048576]
        #[arg(long, value_name = "BYTES", help_heading = "Limits")]
        body_bytes: usize,
        /// Bytes of rows or of an update. [default: 67108864]
        #[arg(long, value_name = "BYTES", help_heading = "Limits")]
        rows_bytes: usize,
        /// How long a request's head may take to come. [default: 15]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        head_seconds: u32,
        /// How long a body may take to come. [default: 30]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        body_seconds: u32,
        /// How long a client may leave an answer unread before it is cut. [default: 30]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        write_seconds: u32,
        /// How long a connection is kept without a request. [default: 75]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        idle_seconds: u32,
        /// Requests at the same time over one HTTP/2 connection. [default: 100]
        #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
        streams: u32,
        /// How often an HTTP/2 connection is asked whether it is there. [default: 30]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        ping_seconds: u32,
        /// How long a query may run. [default: 60]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        query_seconds: u32,
        /// Memory that a query may hold, in megabytes. [default: 2048]
        #[arg(long, value_name = "MB", help_heading = "Limits")]
        query_memory: usize,
        /// Memory for results that stay on the server, in megabytes. [default: 1024]
        #[arg(long, value_name = "MB", help_heading = "Limits")]
        handle_memory: usize,
        /// Memory for the orders of sorted tables that are remembered for other pages, in megabytes; 0 remembers none.
        /// [default: 512]
        #[arg(long, value_name = "MB", help_heading = "Limits")]
        order_memory: usize,
        /// How long the server still accepts after the signal to stop, while /ready says 503. [default: 0]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        drain_delay_seconds: u32,
        /// How long running answers may take after that. [default: 10]
        #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
        drain_seconds: u32,
    }
}

impl LimitOptions {
    /// Options that are zero where zero would lock everybody out.
    pub(super) fn zeros(&self) -> Vec<&'static str> {
        let whole = [
            ("connections", self.connections),
            ("connections_per_client", self.connections_per_client),
            ("header_bytes", self.header_bytes),
            ("header_count", self.header_count),
            ("query_memory", self.query_memory),
        ];
        let seconds = [
            ("head_seconds", self.head_seconds),
            ("body_seconds", self.body_seconds),
            ("write_seconds", self.write_seconds),
            ("idle_seconds", self.idle_seconds),
            ("ping_seconds", self.ping_seconds),
            ("query_seconds", self.query_seconds),
            ("streams", self.streams),
        ];
        let whole = whole.into_iter().filter(|(_, value)| *value == Some(0)).map(|(name, _)| name);
        whole.chain(seconds.into_iter().filter(|(_, value)| *value == Some(0)).map(|(name, _)| name)).collect()
    }

    /// The limits, with defaults where nothing is said.
    pub(super) fn limits(&self) -> Limits {
        let default = Limits::default();
        let time =
            |value: Option<u32>, default: Duration| value.map_or(default, |value| Duration::from_secs(value.into()));
        Limits {
            connections: self.connections.unwrap_or(default.connections),
            connections_per_client: self.connections_per_client.or(default.connections_per_client),
            followers: self.followers.unwrap_or(default.followers),
            requests_per_second: self.requests_per_second.or(default.requests_per_second),
            header_bytes: self.header_bytes.unwrap_or(default.header_bytes),
            header_count: self.header_count.unwrap_or(default.header_count),
            body_bytes: self.body_bytes.unwrap_or(default.body_bytes),
            rows_bytes: self.rows_bytes.unwrap_or(default.rows_bytes),
            head_time: time(self.head_seconds, default.head_time),
            body_time: time(self.body_seconds, default.body_time),
            write_time: time(self.write_seconds, default.write_time),
            idle_time: time(self.idle_seconds, default.idle_time),
            streams: self.streams.unwrap_or(default.streams),
            ping_time: time(self.ping_seconds, default.ping_time),
            drain_delay: time(self.drain_delay_seconds, default.drain_delay),
            drain_time: time(self.drain_seconds, default.drain_time),
        }
    }

    /// Bytes of results that stay on the server.
    pub(super) fn room_for_handles(&self) -> Option<usize> {
        self.handle_memory.map(|megabytes| megabytes.saturating_mul(1 << 20))
    }

    /// Bytes of orders of sorted tables.
    pub(super) fn room_for_orders(&self) -> Option<usize> {
        self.order_memory.map(|megabytes| megabytes.saturating_mul(1 << 20))
    }

    /// What a query may cost.
    pub(super) fn budget(&self) -> Budget {
        let default = Budget::default();
        Budget {
            time: self.query_seconds.map_or(default.time, |value| Duration::from_secs(value.into())),
            memory: self.query_memory.map_or(default.memory, |value| value.saturating_mul(1 << 20)),
        }
    }
}
