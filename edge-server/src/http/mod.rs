//! The endpoints over HTTP/1.1.
//!
//! * [`routes`] – which handler a path and a method have.
//! * [`ask`] – what a request asks for: plan, representation, entity tag.
//! * [`encoding`] – answers packed while they are written.
//! * [`exec`] – SQL in QuestDB's shape.
//! * [`handles`] – results that stay on the server.
//! * [`live`] – live tables: made, fed, changed, removed.
//! * [`subscribe`] – following a live table over WebSocket.
//! * [`tables`] – tables, their data and queries.
//! * [`body`] – request bodies within limits, response bodies that are made while they are sent.
//! * [`page`] – the viewer's page and bundle.
//! * [`problem`] – errors as RFC 9457 documents.

mod ask;
mod body;
mod encoding;
mod exec;
mod handles;
mod live;
mod page;
mod problem;
mod routes;
mod subscribe;
mod tables;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::body::Body;
use crate::handles::Handles;
use crate::live::Store;
use crate::run::{Budget, Knowledge};
use crate::source::{Source, Table};
use crate::{Error, Result};

/// Connections that are served at the same time; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// Followers of live tables at the same time; more are refused.
const FOLLOWERS: usize = 10_000;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long running responses may take after the signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of results that stay on the server, unless another limit is given.
const HANDLES: usize = 1 << 30;

/// A response of any handler.
type Reply = Response<Body>;

/// The tables that are served, by name.
#[derive(Clone)]
pub struct Tables {
    by_name: BTreeMap<String, Arc<dyn Source>>,
    live: Option<Arc<Store>>,
    /// Room for those who follow live tables.
    followers: Arc<Semaphore>,
    encodes: bool,
    knowledge: Knowledge,
    handles: Arc<Handles>,
    budget: Budget,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            by_name: BTreeMap::new(),
            live: None,
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            encodes: false,
            knowledge: Knowledge::default(),
            handles: Arc::new(Handles::new(HANDLES)),
            budget: Budget::default(),
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

    /// What each query may cost.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Adds live tables, which can be made and fed over HTTP.
    ///
    /// # Errors
    /// [`Error::DuplicateTable`] when a live table has the name of another.
    pub fn with_live(mut self, store: Store) -> Result<Self> {
        if let Some((name, _)) = store.all().into_iter().find(|(name, _)| self.by_name.contains_key(name)) {
            return Err(Error::DuplicateTable { name });
        }
        self.live = Some(Arc::new(store));
        Ok(self)
    }

    /// Number of tables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len() + self.live.as_ref().map_or(0, |store| store.all().len())
    }

    /// Whether there is no table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, name: &str) -> Result<Arc<dyn Source>> {
        if let Some(source) = self.by_name.get(name) {
            return Ok(source.clone());
        }
        match self.live.as_ref().and_then(|store| store.get(name)) {
            Some(table) => Ok(table),
            None => Err(self.unknown(name)),
        }
    }

    /// All tables in the order of their names.
    fn all(&self) -> BTreeMap<String, Arc<dyn Source>> {
        let mut all = self.by_name.clone();
        if let Some(store) = &self.live {
            all.extend(store.all().into_iter().map(|(name, table)| (name, table as Arc<dyn Source>)));
        }
        all
    }

    fn unknown(&self, name: &str) -> Error {
        Error::UnknownTable { name: name.to_owned(), available: self.all().into_keys().collect() }
    }
}

/// The server: tables behind a listener.
#[derive(Debug)]
pub struct Server {
    tables: Arc<Tables>,
}

impl Server {
    /// A server of these tables.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self { tables: Arc::new(tables) }
    }

    /// Serves until `stop` resolves, then lets running responses end.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(());
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &slots) => accepted,
                () = &mut stop => break,
            };
            let Some((stream, slot)) = accepted else { continue };
            let tables = self.tables.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let tables = tables.clone();
                async move { Ok::<_, Infallible>(routes::answer(request, &tables).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut stopped = stopped.clone();
            tokio::spawn(async move {
                let mut connection = std::pin::pin!(connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    _ = stopped.changed() => {
                        // What is running is finished, and nothing new begun.
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(slot);
            });
        }
        drop((listener, stopping));
        // All slots are free again when the last connection has ended.
        let all = slots.acquire_many(CONNECTIONS as u32);
        if tokio::time::timeout(STOP_TIMEOUT, all).await.is_err() {
            tracing::warn!("some responses were still running and are cut");
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _peer)) => {
            let _unset = stream.set_nodelay(true);
            Some((stream, slot))
        }
        Err(error) => {
            // Out of file descriptors, say: accepting again at once would spin.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
