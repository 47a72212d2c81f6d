//! The settings' file: TOML, with the names of the command line. Paths in it are relative to its folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::faults::Faults;
use super::limits::LimitOptions;
use super::options::{Compress, LogOptions, TlsOptions};
use crate::Error;

/// A table of the file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TableEntry {
    pub(super) path: Option<PathBuf>,
    pub(super) types: BTreeMap<String, String>,
}

/// Where copies of large CSV files are kept: a folder, or nowhere.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged, expecting = "a folder, or false")]
pub(super) enum Cache {
    Kept(bool),
    Folder(PathBuf),
}

/// What stands at the top of the file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Top {
    address: Option<std::net::SocketAddr>,
    live: Option<PathBuf>,
    memory: Option<usize>,
    cache: Option<Cache>,
    compress: Option<Compress>,
    tokens: Option<PathBuf>,
    cors: Option<Vec<String>>,
    trust_proxy: Option<Vec<std::net::IpAddr>>,
    allow_non_loopback_without_authentication: Option<bool>,
    tables: Option<toml::Table>,
    limits: Option<toml::Table>,
    tls: Option<toml::Table>,
    log: Option<toml::Table>,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) address: Option<std::net::SocketAddr>,
    pub(super) live: Option<PathBuf>,
    pub(super) memory: Option<usize>,
    pub(super) cache: Option<Cache>,
    pub(super) compress: Option<Compress>,
    pub(super) tokens: Option<PathBuf>,
    pub(super) cors: Option<Vec<String>>,
    pub(super) trust_proxy: Vec<std::net::IpAddr>,
    pub(super) allow: bool,
    pub(super) tables: BTreeMap<String, TableEntry>,
    pub(super) limits: LimitOptions,
    pub(super) tls: TlsOptions,
    pub(super) log: LogOptions,
}

/// A longer file is no settings.
const MAX_FILE: u64 = 4 << 20;

impl Config {
    /// Reads a file; what is at fault in it is told and left out.
    pub(super) fn read(path: &Path, faults: &mut Faults) -> Self {
        let place = path.display().to_string();
        let io = |source| Error::Io { path: path.to_owned(), source };
        let text = std::fs::metadata(path).and_then(|metadata| match metadata.len() {
            ..=MAX_FILE => std::fs::read_to_string(path),
            _ => Err(std::io::ErrorKind::FileTooLarge.into()),
        });
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                faults.add(&io(error));
                return Self::default();
            }
        };
        let whole = match text.parse::<toml::Table>() {
            Ok(whole) => whole,
            Err(error) => {
                // With the line and what stands in it.
                faults.at(&place, error.to_string().trim_end());
                return Self::default();
            }
        };
        let top: Top = faults.section(path, "", whole);
        let folder = path.parent().unwrap_or(Path::new(""));
        let local = |path: PathBuf| folder.join(path);
        let mut tables = BTreeMap::new();
        for (name, entry) in top.tables.unwrap_or_default() {
            let key = format!("tables.{name}");
            let toml::Value::Table(entry) = entry else {
                faults.at(&format!("{place}: {key}"), "expected a table with path = \"…\"");
                continue;
            };
            let has_path = entry.contains_key("path");
            let mut entry: TableEntry = faults.section(path, &format!("{key}."), entry);
            if !has_path {
                faults.at(&format!("{place}: {key}.path"), "missing; it is the file or folder of the table");
            }
            entry.path = entry.path.map(|path| if path.to_string_lossy().contains("://") { path } else { local(path) });
            tables.insert(name, entry);
        }
        let limits: LimitOptions = faults.section(path, "limits.", top.limits.unwrap_or_default());
        for zero in limits.zeros() {
            faults.at(&format!("{place}: limits.{zero}"), "0 would lock everybody out");
        }
        let tls: TlsOptions = faults.section(path, "tls.", top.tls.unwrap_or_default());
        Self {
            address: top.address,
            live: top.live.map(local),
            memory: top.memory,
            cache: top.cache.map(|cache| match cache {
                Cache::Folder(folder) => Cache::Folder(local(folder)),
                kept @ Cache::Kept(_) => kept,
            }),
            compress: top.compress,
            tokens: top.tokens.map(local),
            cors: top.cors,
            trust_proxy: top.trust_proxy.unwrap_or_default(),
            allow: top.allow_non_loopback_without_authentication.unwrap_or(false),
            tables,
            limits,
            tls: TlsOptions { cert: tls.cert.map(local), key: tls.key.map(local), client_ca: tls.client_ca.map(local) },
            log: faults.section(path, "log.", top.log.unwrap_or_default()),
        }
    }
}
