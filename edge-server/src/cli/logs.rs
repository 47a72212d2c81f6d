//! The log: lines for people or for programs, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::options::{LogFormat, LogOptions};
use crate::{Error, Result};

/// Begins to write the log.
///
/// # Errors
/// [`Error::Settings`] when the level is none.
pub(super) fn start(options: &LogOptions) -> Result<()> {
    let filter = match &options.level {
        Some(level) => EnvFilter::try_new(level)
            .map_err(|error| Error::Settings { faults: vec![format!("--log-level {level}: {error}")] })?,
        None => EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.format {
        Some(LogFormat::Json) => subscriber.json().flatten_event(true).with_current_span(false).init(),
        Some(LogFormat::Text) | None => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
