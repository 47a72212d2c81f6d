//! The endpoints over HTTP/1.1.
//!
//! * [`routes`] – which handler a path and a method have.
//! * [`ask`] – what a request asks for: plan, representation, entity tag.
//! * [`encoding`] – answers packed while they are written.
//! * [`tables`] – tables, their data and queries.
//! * [`body`] – request bodies within limits, response bodies that are made while they are sent.
//! * [`page`] – the viewer's page and bundle.
//! * [`problem`] – errors as RFC 9457 documents.

mod ask;
mod body;
mod encoding;
mod page;
mod problem;
mod routes;
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
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::body::Body;
use crate::source::{Source, Table};
use crate::{Error, Result};

/// Connections that are served at the same time; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long running responses may take after the signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A response of any handler.
type Reply = Response<Body>;

/// The tables that are served, by name.
#[derive(Clone, Default)]
pub struct Tables {
    by_name: BTreeMap<String, Arc<dyn Source>>,
    encodes: bool,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
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
        Ok(Self { by_name, encodes: false })
    }

    /// Whether answers are packed for clients that take zstd or gzip. Off by default: on the machine itself packing costs
    /// more time than it saves.
    #[must_use]
    pub fn with_content_encoding(mut self, encodes: bool) -> Self {
        self.encodes = encodes;
        self
    }

    /// Number of tables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    fn get(&self, name: &str) -> Result<&Arc<dyn Source>> {
        self.by_name.get(name).ok_or_else(|| Error::UnknownTable {
            name: name.to_owned(),
            available: self.by_name.keys().cloned().collect(),
        })
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
        let graceful = GracefulShutdown::new();
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
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(slot);
            });
        }
        drop(listener);
        if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
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
