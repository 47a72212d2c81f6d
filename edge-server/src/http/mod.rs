//! The endpoints over HTTP/1.1 and HTTP/2, plain or encrypted.
//!
//! * [`server`] – connections: accepted, served within limits, ended in order.
//! * [`connection`] – the clocks of one connection.
//! * [`limits`] – what a client may ask of the server.
//! * [`guard`] – who may ask, from where, and how often.
//! * [`tls`] – certificates.
//! * [`trace`], [`metrics`], [`status`] – what the server tells of itself: lines, numbers, its state.
//! * [`routes`] – which handler a path and a method have.
//! * [`ask`] – what a request asks for: plan, representation, entity tag.
//! * [`batches`] – parts and batches for workers.
//! * [`encoding`] – answers packed while they are written.
//! * [`exec`] – SQL in QuestDB's shape.
//! * [`handles`] – results that stay on the server.
//! * [`loading`] – tables that are still being read.
//! * [`live`] – live tables: made, fed, changed, removed.
//! * [`sockets`] – WebSockets: handshake, protocol, end.
//! * [`subscribe`] – following a live table over WebSocket.
//! * [`ingest`] – rows over WebSocket.
//! * [`mod@stream`] – a live table as an Arrow stream that does not end.
//! * [`echo`] – a socket for suites that test sockets.
//! * [`file`] – a table's original file, or a range of it.
//! * [`tables`] – tables, their data and queries.
//! * [`body`] – request bodies within limits, response bodies that are made while they are sent.
//! * [`page`] – the viewer's page and bundle.
//! * [`patterns`] – what the pattern page asks beside tables.
//! * [`problem`] – errors as RFC 9457 documents.

mod ask;
mod batches;
mod body;
mod connection;
mod echo;
mod encoding;
mod exec;
mod file;
mod guard;
mod handles;
mod ingest;
mod limits;
mod live;
mod loading;
mod metrics;
mod page;
mod patterns;
mod problem;
mod profile;
mod routes;
mod server;
mod sockets;
mod status;
mod stream;
mod subscribe;
mod tables;
#[cfg(feature = "tls")]
mod tls;
mod trace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::Response;
use tokio::sync::Semaphore;

use self::body::Body;
pub use self::guard::{Bearer, Origins, Proxies, Scope, Tokens};
pub use self::limits::Limits;
pub use self::loading::Loading;
use self::metrics::Metrics;
pub use self::server::Server;
#[cfg(feature = "tls")]
pub use self::tls::{Tls, TlsFiles};
use crate::handles::Handles;
use crate::live::Store;
use crate::run::{Budget, Knowledge};
use crate::source::{Source, Table};
use crate::{Error, Result};

/// Bytes of results that stay on the server, unless another limit is given.
const HANDLES: usize = 1 << 30;

/// A response of any handler.
type Reply = Response<Body>;

/// The tables that are served, by name.
#[derive(Clone)]
pub struct Tables {
    by_name: BTreeMap<String, Arc<dyn Source>>,
    loading: Loading,
    live: Option<Arc<Store>>,
    /// Room for those who follow live tables.
    followers: Arc<Semaphore>,
    sockets: sockets::Sockets,
    encodes: bool,
    knowledge: Knowledge,
    handles: Arc<Handles>,
    budget: Budget,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// The files of those tables that are one file.
    files: Arc<BTreeMap<String, PathBuf>>,
}

impl Default for Tables {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            by_name: BTreeMap::new(),
            loading: Loading::default(),
            live: None,
            followers: Arc::new(Semaphore::new(limits.followers)),
            sockets: sockets::Sockets::default(),
            encodes: false,
            knowledge: Knowledge::default(),
            handles: Arc::new(Handles::new(HANDLES)),
            budget: Budget::default(),
            limits,
            metrics: Arc::default(),
            files: Arc::default(),
        }
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all().keys()).finish()
    }
}

impl Tables {
    /// Tables of different names.
    ///
    /// # Errors
    /// [`Error::DuplicateTable`].
    pub fn try_new(tables: Vec<Table>) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        for Table { name, source } in tables {
            if by_name.insert(name.clone(), source).is_some() {
                return Err(Error::DuplicateTable { name });
            }
        }
        Ok(Self { by_name, ..Self::default() })
    }

    /// Whether answers are packed for clients that take zstd or gzip. Off by default: on the machine itself packing costs
    /// more time than it saves.
    #[must_use]
    pub fn with_content_encoding(mut self, encodes: bool) -> Self {
        self.encodes = encodes;
        self
    }

    /// Room for results that stay on the server, in bytes.
    #[must_use]
    pub fn with_room_for_handles(mut self, bytes: usize) -> Self {
        self.handles = Arc::new(Handles::new(bytes));
        self
    }

    /// Room for orders of sorted tables that are remembered, in bytes.
    #[must_use]
    pub fn with_room_for_orders(mut self, bytes: usize) -> Self {
        self.knowledge = self.knowledge.with_room_for_orders(bytes);
        self
    }

    /// What each query may cost.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What clients may ask of the server.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.followers = Arc::new(Semaphore::new(limits.followers.min(Semaphore::MAX_PERMITS)));
        self
    }

    /// Where the files of tables are that are one file, so that they can be had as they are.
    #[must_use]
    pub fn with_files(mut self, files: BTreeMap<String, PathBuf>) -> Self {
        self.files = Arc::new(files);
        self
    }

    /// Adds tables that are still being read.
    ///
    /// # Errors
    /// [`Error::DuplicateTable`] when one has the name of another.
    pub fn with_loading(mut self, loading: Loading) -> Result<Self> {
        if let Some(name) = self.by_name.keys().find(|name| loading.has(name)) {
            return Err(Error::DuplicateTable { name: name.clone() });
        }
        self.loading = loading;
        Ok(self)
    }

    /// Whether a table of the name is made of files.
    fn is_of_files(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.loading.has(name)
    }

    /// Adds live tables, which can be made and fed over HTTP.
    ///
    /// # Errors
    /// [`Error::DuplicateTable`] when a live table has the name of another.
    pub fn with_live(mut self, store: Store) -> Result<Self> {
        if let Some((name, _)) = store.all().into_iter().find(|(name, _)| self.is_of_files(name)) {
            return Err(Error::DuplicateTable { name });
        }
        self.live = Some(Arc::new(store));
        Ok(self)
    }

    /// Number of tables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len() + self.loading.len() + self.live.as_ref().map_or(0, |store| store.all().len())
    }

    /// Whether there is no table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Followers of live tables at the moment.
    fn following(&self) -> usize {
        self.limits.followers.saturating_sub(self.followers.available_permits())
    }

    fn get(&self, name: &str) -> Result<Arc<dyn Source>> {
        if let Some(source) = self.by_name.get(name) {
            return Ok(source.clone());
        }
        if let Some(found) = self.loading.get(name) {
            return found.map_err(|reason| Error::Loading { name: name.to_owned(), reason });
        }
        match self.live.as_ref().and_then(|store| store.get(name)) {
            Some(table) => Ok(table),
            None => Err(self.unknown(name)),
        }
    }

    /// All tables in the order of their names.
    fn all(&self) -> BTreeMap<String, Arc<dyn Source>> {
        let mut all = self.by_name.clone();
        all.extend(self.loading.here());
        if let Some(store) = &self.live {
            all.extend(store.all().into_iter().map(|(name, table)| (name, table as Arc<dyn Source>)));
        }
        all
    }

    fn unknown(&self, name: &str) -> Error {
        Error::UnknownTable { name: name.to_owned(), available: self.all().into_keys().collect() }
    }
}
