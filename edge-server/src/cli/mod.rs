//! The commands: serve (the default), check, query, convert, and what shells and manuals want to know.
//!
//! * [`options`], [`limits`] – what can be said on the command line.
//! * [`config`] – what can be said in a file.
//! * [`settings`] – both put together and checked; [`faults`] are told all at once.
//! * [`serve`], [`check`], [`query`], [`convert`] – the commands.
//! * [`logs`], [`signals`] – what a server needs of its system.

mod check;
mod config;
mod convert;
mod faults;
mod limits;
mod logs;
mod options;
mod query;
mod serve;
mod settings;
mod signals;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use self::config::Config;
use self::faults::Faults;
use self::options::LogOptions;
pub use self::options::Serve;
use crate::{Error, Result};

/// What one can do, to learn from.
const EXAMPLES: &str = "\
Examples:
  edge-server
      The bundled sample, on loopback.
  edge-server flights.parquet prices=2026/prices.csv --type prices.day=Date32
      Two tables; the type of a column of CSV is given.
  edge-server --live data/ --tokens tokens.txt --addr 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem
      Live tables for other machines, over HTTPS, for those who have a token.
  edge-server check --config bodkin.toml
      Says what would be served, or everything that is wrong with the file.
  edge-server query --table t=flights.parquet --plan '{\"limit\": 5}'
      The same engine without a server.

Signals: SIGTERM and Ctrl-C end the server when running answers have ended, a second one at once. SIGHUP makes it read
tokens and certificates again.";

/// Arrow tables over HTTP, with a viewer inside.
///
/// Without arguments it serves the bundled sample (336,776 flights out of New York in 2013) on loopback
/// and prints the address of the page.
#[derive(Debug, Parser)]
#[command(name = "edge-server", version, args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the settings, open nothing on the network, and say what would be served, or everything that is wrong.
    Check(Box<Serve>),
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
    /// Print what a shell needs to complete the command's options.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual's page.
    Man,
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
    let Cli { command, serve } = Cli::parse();
    match run(command, &serve) {
        Ok(code) => code,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "edge-server: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Option<Command>, serve: &Serve) -> Result<ExitCode> {
    let done = match command {
        None => {
            logs::start(&log_of(serve))?;
            return serve::serve(serve);
        }
        Some(Command::Check(serve)) => {
            logs::start(&log_of(&serve))?;
            check::check(&serve)
        }
        Some(Command::Query(query)) => {
            logs::start(&LogOptions::default())?;
            query::query(&query.table, &query.plan, query.output.as_deref())
        }
        Some(Command::Convert { input, output }) => {
            logs::start(&LogOptions::default())?;
            convert::convert(&input, &output)
        }
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "edge-server", &mut std::io::stdout());
            Ok(())
        }
        Some(Command::Man) => clap_mangen::Man::new(Cli::command())
            .render(&mut std::io::stdout())
            .map_err(|source| Error::Io { path: "standard output".into(), source }),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// How the log is to be written, before anything else is looked at. The file's faults are told later.
fn log_of(serve: &Serve) -> LogOptions {
    let file = serve.config.as_deref().map(|path| Config::read(path, &mut Faults::default()).log);
    serve.log.clone().or(file.unwrap_or_default())
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
