//! The settings: the command line over the file over what is usual, checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::{Cache, Config};
use super::faults::Faults;
use super::limits::LimitOptions;
use super::options::{Compress, Serve, TlsOptions};
use crate::Error;
use crate::http::{Origins, Proxies, Tokens};
use crate::source::{self, Named, Types};

/// The variable of the environment that tokens may stand in.
const TOKENS: &str = "BODKIN_TOKENS";

/// A table that is to be served.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) named: Named,
    pub(super) types: Types,
}

/// What the server is to do.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) address: Option<SocketAddr>,
    pub(super) tables: Vec<Wanted>,
    pub(super) live: Option<PathBuf>,
    /// Bytes of decoded columns that each table keeps.
    pub(super) memory: usize,
    pub(super) cache: Option<PathBuf>,
    pub(super) compress: Compress,
    pub(super) tokens: Option<Arc<Tokens>>,
    pub(super) origins: Origins,
    pub(super) proxies: Proxies,
    /// Where the viewer's files are, if not inside the program.
    pub(super) viewer: Option<PathBuf>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Arc<crate::http::Tls>>,
    pub(super) limits: LimitOptions,
}

impl Settings {
    /// Whether other machines can reach the server.
    pub(super) fn is_public(&self) -> bool {
        self.address.is_some_and(|address| !address.ip().is_loopback())
    }

    /// Whether it speaks TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }

    /// How a table's files are read.
    pub(super) fn source(&self, types: &Types) -> source::Options {
        source::Options { memory: self.memory, cache: self.cache.clone(), types: types.clone(), reading: None }
    }

    /// Puts the settings together. What is at fault is told in `faults`, and left out.
    pub(super) fn resolve(serve: &Serve, faults: &mut Faults) -> Self {
        let config = serve.config.as_deref().map(|path| Config::read(path, faults)).unwrap_or_default();
        for zero in serve.limits.zeros() {
            faults.at(&format!("--{}", zero.replace('_', "-")), "0 would lock everybody out");
        }
        let file = serve.config.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let tables = tables(serve, &config, &file, faults);
        let address = serve.addr.or(config.address);
        let environment = std::env::var(TOKENS).ok();
        let token_file = serve.tokens.as_deref().or(config.tokens.as_deref());
        let tokens = if token_file.is_some() || environment.is_some() {
            match Tokens::open(token_file, environment.as_deref()) {
                Ok(tokens) => Some(Arc::new(tokens)),
                Err(error) => {
                    faults.add(&error);
                    None
                }
            }
        } else {
            None
        };
        let asks = token_file.is_some() || environment.is_some();
        let is_allowed = serve.allow_non_loopback_without_authentication || config.allow;
        if let Some(address) = address
            && !address.ip().is_loopback()
            && !asks
            && !is_allowed
        {
            faults.add(&Error::NotLoopback { address });
        }
        let cors = if serve.cors.is_empty() { config.cors.unwrap_or_default() } else { serve.cors.clone() };
        let mut origins = Origins::default();
        let place = if serve.cors.is_empty() { format!("{file}: cors") } else { "--cors".to_owned() };
        for origin in &cors {
            let _fault = faults.take(&place, Origins::try_new([origin.as_str()]));
        }
        if let Ok(all) = Origins::try_new(cors.iter().map(String::as_str)) {
            origins = all;
        }
        let tls = serve.tls.clone().or(config.tls);
        let cache = match (serve.no_cache, &serve.cache, config.cache) {
            (true, _, _) | (false, None, Some(Cache::Kept(false))) => None,
            (false, Some(folder), _) => Some(folder.clone()),
            (false, None, Some(Cache::Folder(folder))) => Some(folder),
            (false, None, None | Some(Cache::Kept(true))) => default_cache(),
        };
        Self {
            address,
            tables,
            live: serve.live.clone().or(config.live),
            memory: serve.memory.or(config.memory).unwrap_or(2_048).saturating_mul(1 << 20),
            cache,
            compress: serve.compress.or(config.compress).unwrap_or(Compress::Auto),
            tokens,
            origins,
            proxies: Proxies::new(if serve.trust_proxy.is_empty() {
                config.trust_proxy
            } else {
                serve.trust_proxy.clone()
            }),
            viewer: serve.viewer.clone(),
            #[cfg(feature = "tls")]
            tls: open_tls(tls, faults),
            limits: {
                #[cfg(not(feature = "tls"))]
                no_tls(&tls, faults);
                serve.limits.clone().or(config.limits)
            },
        }
    }
}

#[cfg(feature = "tls")]
fn open_tls(tls: TlsOptions, faults: &mut Faults) -> Option<Arc<crate::http::Tls>> {
    use crate::http::{Tls, TlsFiles};
    match tls {
        TlsOptions { cert: Some(cert), key: Some(key), client_ca } => {
            match Tls::open(TlsFiles { cert, key, client_ca }) {
                Ok(tls) => Some(Arc::new(tls)),
                Err(error) => {
                    faults.add(&error);
                    None
                }
            }
        }
        TlsOptions { cert: None, key: None, client_ca: None } => None,
        _ => {
            faults
                .at("tls", "a certificate and its key go together: --tls-cert and --tls-key, or cert and key in [tls]");
            None
        }
    }
}

#[cfg(not(feature = "tls"))]
fn no_tls(tls: &TlsOptions, faults: &mut Faults) {
    if tls.cert.is_some() || tls.key.is_some() || tls.client_ca.is_some() {
        faults.at("tls", "this edge-server was built without TLS");
    }
}

/// The tables of the command line and, unless it has one of the name, of the file; each with its columns' types.
fn tables(serve: &Serve, config: &Config, file: &str, faults: &mut Faults) -> Vec<Wanted> {
    let mut wanted: Vec<Named> = Vec::new();
    for argument in serve.tables.iter().chain(&serve.paths) {
        match source::named(argument) {
            Ok(found) => wanted.extend(found),
            Err(error) => faults.add(&error),
        }
    }
    let given: BTreeSet<String> = wanted.iter().map(|named| named.name.clone()).collect();
    let mut types: BTreeMap<String, Types> = BTreeMap::new();
    for (name, entry) in config.tables.iter().filter(|(name, _)| !given.contains(*name)) {
        for (column, text) in &entry.types {
            let place = format!("{file}: tables.{name}.types.{column}");
            insert_type(&mut types, (name, column, text), &place, faults);
        }
    }
    for argument in &serve.types {
        let place = format!("--type {argument}");
        let parts = argument.split_once('=').and_then(|(left, text)| Some((left.split_once('.')?, text)));
        match parts {
            Some(((name, column), text)) => insert_type(&mut types, (name, column, text), &place, faults),
            None => faults.at(&place, "expected TABLE.COLUMN=TYPE"),
        }
    }
    for (name, entry) in config.tables.iter().filter(|(name, _)| !given.contains(*name)) {
        let Some(path) = &entry.path else { continue };
        let place = format!("{file}: tables.{name}");
        let plain = !name.is_empty() && !name.contains(['/', '\\', ':', '=']);
        if !plain {
            faults.at(&place, "a table's name has no / \\ : or =");
        } else if let Some(found) = faults.take(&place, source::named(&format!("{name}={}", path.display()))) {
            wanted.extend(found);
        }
    }
    for name in types.keys().filter(|name| !wanted.iter().any(|named| named.name == **name)) {
        faults.at(&format!("--type {name}.…"), "there is no such table");
    }
    wanted
        .into_iter()
        .map(|named| Wanted { types: types.get(&named.name).cloned().unwrap_or_default(), named })
        .collect()
}

fn insert_type(
    types: &mut BTreeMap<String, Types>,
    (name, column, text): (&str, &str, &str),
    place: &str,
    faults: &mut Faults,
) {
    match text.parse() {
        Ok(data_type) => {
            types.entry(name.to_owned()).or_default().insert(column.to_owned(), data_type);
        }
        Err(error) => {
            let error: arrow_schema::ArrowError = error;
            faults.at(place, error);
        }
    }
}

/// The folder that the system gives to caches.
fn default_cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("bodkin"))
}

/// Names of the live tables in a folder, which is not opened: another server may have it.
pub(super) fn live_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let logs = paths.filter(|path| path.extension().is_some_and(|extension| extension == "bklog"));
    let mut names: Vec<String> =
        logs.filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}
