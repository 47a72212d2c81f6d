//! The commands: serve (the default), query, convert.

mod convert;
mod query;
mod serve;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{Error, Result, source};

/// Arrow tables over HTTP, with a viewer inside.
///
/// Without arguments it serves the bundled sample (336,776 flights out of New York in 2013) on loopback
/// and prints the address of the page.
#[derive(Debug, Parser)]
#[command(name = "edge-server", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a query plan over files and write the result.
    ///
    /// Example: edge-server query --table f=flights.parquet --plan '{"group_by":["origin"],"aggregates":[{"function":"count"}]}'
    Query(Query),
    /// Convert a file: Parquet, Arrow, CSV in; Parquet, Arrow, CSV, JSON out; by extension.
    Convert {
        /// The file to read.
        input: PathBuf,
        /// The file to write.
        output: PathBuf,
    },
}

/// What the server serves, and where.
#[derive(Debug, Args)]
pub struct Serve {
    /// A table: NAME=PATH of a Parquet, Arrow, CSV or NDJSON file (the last two also as .gz or .zst), or of a folder of
    /// them. May be repeated.
    #[arg(long = "table", value_name = "NAME=PATH")]
    tables: Vec<String>,
    /// Files, each a table named by its stem; of a folder, each file.
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// The address to listen on. When it is not given and port 8080 is taken, a free port is used.
    #[arg(long, value_name = "ADDRESS")]
    addr: Option<SocketAddr>,
    /// The folder of live tables, which are made and fed over HTTP; it is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    live: Option<PathBuf>,
    /// Memory for columns that have been decoded once, for each table: a number of megabytes.
    #[arg(long, value_name = "MB", default_value_t = 2048)]
    memory: usize,
    /// Where large CSV files are kept as Arrow files once they have been read. By default the folder of the system's caches.
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Read large CSV files into memory instead.
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// Pack answers for clients that take zstd or gzip: on every address but loopback, always or never.
    #[arg(long, value_enum, default_value_t = Compress::Auto)]
    compress: Compress,
    /// Listen on an address that other machines can reach, although the server asks nobody who they are.
    #[arg(long)]
    allow_non_loopback_without_authentication: bool,
}

impl Serve {
    /// How files are read.
    fn sources(&self) -> Result<source::Options> {
        let cache = if self.no_cache { None } else { self.cache.clone().or_else(default_cache) };
        Ok(source::Options { memory: self.memory.saturating_mul(1 << 20), cache, types: source::Types::new() })
    }
}

/// The folder that the system gives to caches.
fn default_cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("bodkin"))
}

/// When answers are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Compress {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
struct Query {
    /// The table: NAME=PATH.
    #[arg(long, value_name = "NAME=PATH")]
    table: String,
    /// The plan as JSON: a file, `-` for standard input, or the JSON itself.
    #[arg(long)]
    plan: String,
    /// The file to write: .arrow, .arrows, .parquet, .csv, .json or .ndjson. Without it the first rows are printed.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

/// Reads the command line and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match cli.command {
        None => serve::serve(&cli.serve),
        Some(Command::Query(query)) => query::query(&query.table, &query.plan, query.output.as_deref()),
        Some(Command::Convert { input, output }) => convert::convert(&input, &output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "edge-server: {error}");
            ExitCode::from(2)
        }
    }
}

/// Writes a file under a temporary name and puts it in place when it is whole.
fn write_file(path: &Path, write: impl FnOnce(&mut std::io::BufWriter<std::fs::File>) -> Result<()>) -> Result<()> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&part).map_err(io)?);
    let done = write(&mut file).and_then(|()| file.flush().map_err(io));
    match done {
        Ok(()) => std::fs::rename(&part, path).map_err(io),
        Err(error) => {
            let _kept = std::fs::remove_file(&part);
            Err(error)
        }
    }
}
