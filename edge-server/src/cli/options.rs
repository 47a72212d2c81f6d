//! What the server is told on the command line; every option may also stand in a file.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::limits::{LimitOptions, options};

/// What the server serves, to whom, and where.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// A file of settings (TOML). What is said on the command line wins over it.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A table: NAME=PATH of a Parquet, Arrow, CSV or NDJSON file (the last two also as .gz or .zst), or of a folder of
    /// them. May be repeated.
    #[arg(long = "table", value_name = "NAME=PATH", help_heading = "Tables")]
    pub(super) tables: Vec<String>,
    /// Files, each a table named by its stem; of a folder, each file.
    #[arg(value_name = "PATH", help_heading = "Tables")]
    pub(super) paths: Vec<String>,
    /// The type of a CSV file's column, in Arrow's notation: flights.time_hour=Timestamp(ms). May be repeated.
    #[arg(long = "type", value_name = "TABLE.COLUMN=TYPE", help_heading = "Tables")]
    pub(super) types: Vec<String>,
    /// The folder of live tables, which are made and fed over HTTP; it is made if it is not there.
    #[arg(long, value_name = "FOLDER", help_heading = "Tables")]
    pub(super) live: Option<PathBuf>,
    /// Memory for columns that have been decoded once, for each table: a number of megabytes. [default: 2048]
    #[arg(long, value_name = "MB", help_heading = "Tables")]
    pub(super) memory: Option<usize>,
    /// Where large CSV files are kept as Arrow files once they have been read. By default the folder of the system's caches.
    #[arg(long, value_name = "FOLDER", help_heading = "Tables")]
    pub(super) cache: Option<PathBuf>,
    /// Read large CSV files into memory instead.
    #[arg(long, conflicts_with = "cache", help_heading = "Tables")]
    pub(super) no_cache: bool,
    /// The address to listen on. When it is not given and port 8080 is taken, a free port is used.
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    pub(super) addr: Option<SocketAddr>,
    /// Pack answers for clients that take zstd or gzip: on every address but loopback, always or never. [default: auto]
    #[arg(long, value_enum, help_heading = "Network")]
    pub(super) compress: Option<Compress>,
    /// Serve the viewer's files out of this folder, read anew for each request, instead of those inside the program: for
    /// work on the viewer.
    #[arg(long, value_name = "FOLDER", help_heading = "Network")]
    pub(super) viewer: Option<PathBuf>,
    /// TLS, if there is a certificate.
    #[command(flatten)]
    pub(super) tls: TlsOptions,
    /// A file of tokens, one a line: TOKEN, name:TOKEN, name:read:TOKEN or name:write:TOKEN. It is read again when it
    /// changes. Tokens may also stand in the environment, as BODKIN_TOKENS.
    #[arg(long, value_name = "FILE", help_heading = "Safety")]
    pub(super) tokens: Option<PathBuf>,
    /// An origin whose pages may ask: https://a.example. May be repeated.
    #[arg(long, value_name = "ORIGIN", help_heading = "Safety")]
    pub(super) cors: Vec<String>,
    /// The address of a proxy that is believed when it says, in X-Forwarded-For or Forwarded, for whom it asks. May be
    /// repeated.
    #[arg(long, value_name = "ADDRESS", help_heading = "Safety")]
    pub(super) trust_proxy: Vec<IpAddr>,
    /// Listen on an address that other machines can reach, although the server asks nobody who they are.
    #[arg(long, help_heading = "Safety")]
    pub(super) allow_non_loopback_without_authentication: bool,
    /// How the log is written.
    #[command(flatten)]
    pub(super) log: LogOptions,
    /// Limits.
    #[command(flatten)]
    pub(super) limits: LimitOptions,
}

/// When answers are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compress {
    Auto,
    Always,
    Never,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

options! {
    /// How the log is written.
    LogOptions {
        /// How lines of the log look. [default: text]
        #[arg(long = "log-format", value_enum, value_name = "FORMAT", help_heading = "Log")]
        format: LogFormat,
        /// What is told: error, warn, info, debug, or as RUST_LOG has it. [default: RUST_LOG, else info]
        #[arg(long = "log-level", value_name = "LEVEL", help_heading = "Log")]
        level: String,
    }
}

options! {
    /// Where certificates are.
    TlsOptions {
        /// A certificate (PEM) with those that lead to its root: the server speaks HTTPS, HTTP/2 too.
        #[arg(long = "tls-cert", value_name = "FILE", help_heading = "Network")]
        cert: PathBuf,
        /// The certificate's key (PEM).
        #[arg(long = "tls-key", value_name = "FILE", help_heading = "Network")]
        key: PathBuf,
        /// Certificates of authorities (PEM): clients must have a certificate of one of them.
        #[arg(long = "tls-client-ca", value_name = "FILE", help_heading = "Network")]
        client_ca: PathBuf,
    }
}
