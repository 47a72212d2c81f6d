//! `edge-server check`: reads the settings and opens the tables as the server would, opens nothing on the network, and says
//! what would be served; or every fault at once.

use std::io::Write;

use super::faults::Faults;
use super::options::Serve;
use super::serve;
use super::settings::{Settings, live_names};
use crate::Result;

/// Checks the settings.
pub(super) fn check(options: &Serve) -> Result<()> {
    let mut faults = Faults::default();
    let settings = Settings::resolve(options, &mut faults);
    let tables = serve::open_tables(&settings, settings.tables.iter(), &mut faults);
    if let Some(folder) = settings.live.as_deref().filter(|folder| folder.exists() && !folder.is_dir()) {
        faults.at(&folder.display().to_string(), "is no folder, so no live tables can be kept in it");
    }
    let live = settings.live.as_deref().map(live_names).unwrap_or_default();
    for name in live.iter().filter(|name| tables.iter().any(|(table, _)| table.name == **name)) {
        faults.at(&format!("live table {name}"), "a file is served by the same name");
    }
    faults.into_result()?;

    let mut text = String::new();
    let mut say = |line: String| {
        text += &line;
        text.push('\n');
    };
    let scheme = if settings.is_encrypted() { "https" } else { "http" };
    let address = settings.address.map_or_else(|| "127.0.0.1:8080 or a free port".to_owned(), |it| it.to_string());
    say(format!("In order. At {scheme}, {address}, this would be served:"));
    for (table, file) in &tables {
        let (rows, columns) = (table.source.rows(), table.source.schema().fields().len());
        let place = file
            .as_ref()
            .map_or_else(|| "the bundled sample or a folder".to_owned(), |file| file.display().to_string());
        say(format!("  {}: {rows} rows, {columns} columns, {} bytes, {place}", table.name, table.source.bytes()));
    }
    if let Some(folder) = &settings.live {
        let names = if live.is_empty() { "none yet".to_owned() } else { live.join(", ") };
        say(format!("  live tables in {}: {names}", folder.display()));
    }
    match &settings.tokens {
        Some(tokens) => say(format!("To those who have a token (known: {}).", tokens.len())),
        None if settings.is_public() => say("To everybody who can reach the address.".to_owned()),
        None => say("To everybody on this machine.".to_owned()),
    }
    let origins: Vec<&str> = settings.origins.iter().collect();
    if !origins.is_empty() {
        say(format!("Pages of {} may ask too.", origins.join(", ")));
    }
    let _closed = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}
