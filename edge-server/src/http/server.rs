//! The server itself: connections are accepted as long as there is room, served within limits, and brought to their end when
//! the server is told to stop.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use super::connection::{Activity, LATE_HEAD, Verdict, Watched};
use super::guard::{Guard, Origins, Proxies, Tokens};
use super::limits::Limits;
use super::status::State;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::{Tables, routes};

/// How long a client has to take the word that it was too slow.
const LATE_TIME: Duration = Duration::from_secs(1);
/// How often the file of tokens is looked at.
const TOKENS_LOOK: Duration = Duration::from_secs(2);

/// What every request has at hand.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) tables: Tables,
    pub(super) guard: Guard,
    pub(super) state: State,
    /// Where the viewer's files are, if not inside the program.
    pub(super) viewer: Option<PathBuf>,
    /// Whether there is a socket that says what it is told.
    pub(super) echoes: bool,
}

/// The server: tables behind a listener.
#[derive(Debug)]
pub struct Server {
    tables: Tables,
    tokens: Option<Arc<Tokens>>,
    origins: Origins,
    proxies: Proxies,
    viewer: Option<PathBuf>,
    echoes: bool,
    #[cfg(feature = "tls")]
    tls: Option<Arc<Tls>>,
}

impl Server {
    /// A server of these tables, for everybody, over plain HTTP.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self {
            tables,
            tokens: None,
            origins: Origins::default(),
            proxies: Proxies::default(),
            viewer: None,
            echoes: false,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Asks for a token.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Arc<Tokens>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Lets pages of other origins ask.
    #[must_use]
    pub fn with_origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Believes what these proxies say of whom they ask for.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Serves the viewer's files out of a folder, as they are when they are asked for.
    #[must_use]
    pub fn with_viewer(mut self, folder: PathBuf) -> Self {
        self.viewer = Some(folder);
        self
    }

    /// Adds `/echo`, a WebSocket that says what it is told, for suites that test sockets.
    #[doc(hidden)]
    #[must_use]
    pub fn with_echo(mut self) -> Self {
        self.echoes = true;
        self
    }

    /// Speaks TLS, and nothing else.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<Tls>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Serves until `stop` resolves, then lets running responses end. True when all of them did.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> bool {
        let limits = self.tables.limits;
        let (stopping, stopped) = watch::channel(());
        let slots = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        let places = Places { limit: limits.connections_per_client, taken: Arc::default() };
        let watching = self.tokens.clone().map(|tokens| tokio::spawn(watch_tokens(tokens)));
        let serving = Serving {
            context: Arc::new(Context {
                guard: Guard::new(self.tokens, self.origins, limits.requests_per_second).with_proxies(self.proxies),
                tables: self.tables,
                state: State::new(),
                viewer: self.viewer,
                echoes: self.echoes,
            }),
            builder: Arc::new(builder(&limits)),
            stopped,
            #[cfg(feature = "tls")]
            tls: self.tls,
        };
        // From the signal on `/ready` says so; connections are taken for a while yet, so that who asks for it can hear it.
        let stop = async {
            stop.await;
            serving.context.state.drain();
            tokio::time::sleep(limits.drain_delay).await;
        };
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &slots) => accepted,
                () = &mut stop => break,
            };
            let Some((stream, peer, slot)) = accepted else { continue };
            let Some(place) = places.take(peer.ip()) else { continue };
            let serving = serving.clone();
            tokio::spawn(async move {
                serving.connection(stream, peer.ip()).await;
                drop((slot, place));
            });
        }
        drop((listener, stopping));
        if let Some(watching) = watching {
            watching.abort();
        }
        let tables = &serving.context.tables;
        tables.sockets.stop();
        // All slots are free again when the last connection has ended.
        let all = async {
            let _slots = slots.acquire_many(u32::try_from(limits.connections).unwrap_or(u32::MAX)).await;
            tables.sockets_ended().await;
        };
        let ended = tokio::time::timeout(limits.drain_time, all).await.is_ok();
        if !ended {
            tracing::warn!("some responses were still running and are cut");
        }
        tables.close_live().await;
        ended
    }
}

/// How HTTP is spoken.
fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The connection's own clock tells slow heads from idle connections.
        .header_read_timeout(None)
        .max_headers(limits.header_count)
        // Less than this is refused by the library.
        .max_buf_size(limits.header_bytes.max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.ping_time)
        .keep_alive_timeout(limits.ping_time);
    builder
}

/// What a connection is served with.
#[derive(Clone)]
struct Serving {
    context: Arc<Context>,
    builder: Arc<Builder<TokioExecutor>>,
    stopped: watch::Receiver<()>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<Tls>>,
}

impl Serving {
    async fn connection(self, stream: TcpStream, peer: IpAddr) {
        let _counted = self.context.tables.metrics.connection();
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let agreed = tokio::time::timeout(self.context.tables.limits.head_time, tls.accept(stream)).await;
            match agreed {
                Ok(Ok(stream)) => self.serve(stream, peer).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "no agreement on TLS"),
                Err(_) => tracing::debug!(%peer, "a client took too long to agree on TLS"),
            }
            return;
        }
        self.serve(stream, peer).await;
    }

    async fn serve(mut self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, peer: IpAddr) {
        let limits = self.context.tables.limits;
        let activity = Activity::new();
        let io = TokioIo::new(Watched::new(stream, activity.clone(), &limits));
        let service = service_fn(|request: Request<Incoming>| {
            let (context, activity) = (self.context.clone(), activity.clone());
            async move { Ok::<_, Infallible>(routes::answer(request, peer, &activity, &context).await) }
        });
        let mut connection = std::pin::pin!(self.builder.serve_connection_with_upgrades(io, service));
        let mut look = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
        let mut is_stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                _ = self.stopped.changed(), if !is_stopping => {
                    // What is running is finished, and nothing new begun.
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = look.as_mut() => match activity.verdict(&limits) {
                    Verdict::Look(after) => look.as_mut().reset(Instant::now() + after),
                    // Told first; the connection then ends by itself, or a moment later here.
                    Verdict::Close(reason) if reason == LATE_HEAD && activity.tell_late() => {
                        tracing::debug!(%peer, reason, "a client is told");
                        look.as_mut().reset(Instant::now() + LATE_TIME);
                    }
                    Verdict::Close(reason) => {
                        tracing::debug!(%peer, reason, "a connection was closed");
                        return;
                    }
                },
            }
        }
    }
}

/// Connections of each address.
struct Places {
    limit: Option<usize>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place.
struct Place {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: Option<IpAddr>,
}

impl Places {
    /// A place for a client, unless it has all that it may have.
    fn take(&self, peer: IpAddr) -> Option<Place> {
        let Some(limit) = self.limit else { return Some(Place { taken: self.taken.clone(), peer: None }) };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(peer).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { taken: self.taken.clone(), peer: Some(peer) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(peer) = self.peer else { return };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&peer);
            }
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _unset = stream.set_nodelay(true);
            Some((stream, peer, slot))
        }
        Err(error) => {
            // Out of file descriptors, say: accepting again at once would spin.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Reads the file of tokens again when it has changed.
async fn watch_tokens(tokens: Arc<Tokens>) {
    let mut fault = String::new();
    loop {
        tokio::time::sleep(TOKENS_LOOK).await;
        let tokens = tokens.clone();
        let read = tokio::task::spawn_blocking(move || {
            tokens.has_changed().then(|| tokens.reload().map(|()| tokens.len()).map_err(|error| error.to_string()))
        });
        match read.await {
            Ok(Some(Ok(count))) => {
                fault.clear();
                tracing::info!(count, "the tokens were read again");
            }
            // Told once, not every two seconds.
            Ok(Some(Err(error))) if error != fault => {
                tracing::error!(error, "the tokens stay as they were");
                fault = error;
            }
            _ => {}
        }
    }
}
