//! WebSockets: the handshake, the protocol, and how they end.
//!
//! When the server stops, every socket is told ([`Sockets::stopping`]), sends what it still has to send, and closes with 1001.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::body::Body;
use super::guard::FromListed;
use super::problem::Problem;
use super::{Reply, Tables};

/// Endless answers at the same time, each of which keeps a connection.
const STREAMS: usize = 128;
/// How long a client may take to read one message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a client that says nothing is asked whether it is there.
pub(super) const PING: Duration = Duration::from_secs(20);
/// How long a client may take to answer a close.
const LINGER: Duration = Duration::from_secs(2);
/// Why a socket is closed when the server stops.
pub(super) const STOPS: &str = "the server stops";
/// Why it is closed when its table is no more.
pub(super) const GONE: &str = "the table has gone";

pub(super) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Room for endless answers, and the signal to end.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    streams: Arc<Semaphore>,
    stop: Arc<watch::Sender<bool>>,
    patience: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            streams: Arc::new(Semaphore::new(STREAMS)),
            stop: Arc::new(watch::Sender::new(false)),
            patience: PATIENCE,
        }
    }
}

impl Tables {
    /// How long those who follow a live table may take to read one message; 30 seconds by default.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.sockets.patience = patience;
        self
    }

    /// Answers a handshake, with one of the protocols if the client offers any of them; the socket lives on in a task of
    /// its own, which is `run`.
    pub(super) fn upgrade<F: Future<Output = ()> + Send>(
        &self,
        mut request: Request<Incoming>,
        protocols: &[&'static str],
        longest: usize,
        run: impl FnOnce(Peer, Option<&'static str>) -> F + Send + 'static,
    ) -> Result<Reply, Problem> {
        let key = handshake(request.headers(), request.extensions().get::<FromListed>().is_some())?;
        let protocol = choose(request.headers(), protocols);
        let place = self.followers.clone().try_acquire_owned().map_err(|_| Problem::too_many_followers())?;
        let patience = self.sockets.patience;
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let mut config = WebSocketConfig::default();
            config.max_message_size = Some(longest);
            config.max_frame_size = Some(longest);
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
            run(Peer { socket, patience }, protocol).await;
            drop(place);
        });
        let mut reply = Response::new(Body::EMPTY);
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = reply.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.extend(protocol.map(|name| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name))));
        headers.extend(
            HeaderValue::try_from(derive_accept_key(key.as_bytes()))
                .ok()
                .map(|accept| (HeaderName::from_static("sec-websocket-accept"), accept)),
        );
        Ok(reply)
    }

    /// Resolves when all sockets have ended.
    pub(super) async fn sockets_ended(&self) {
        let all = self.limits.followers.min(Semaphore::MAX_PERMITS);
        let _all = self.followers.acquire_many(u32::try_from(all).unwrap_or(u32::MAX)).await;
    }

    /// Closes live tables: what was sent to them is on the disk.
    pub(super) async fn close_live(&self) {
        if let Some(store) = self.live.clone() {
            let _closed = tokio::task::spawn_blocking(move || store.close()).await;
        }
    }
}

impl Sockets {
    /// Room for one more endless answer.
    pub(super) fn stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.streams.clone().try_acquire_owned().map_err(|_| Problem::too_many_followers())
    }

    /// Resolves when the server stops.
    pub(super) fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            let _stopped = stop.wait_for(|&stops| stops).await;
        }
    }

    /// Tells all to end.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// The first protocol that the client names and we know.
fn choose(headers: &HeaderMap, known: &[&'static str]) -> Option<&'static str> {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|names| names.split(',')).map(str::trim);
    offered.find_map(|name| known.iter().copied().find(|known| *known == name))
}

/// The key of a handshake that is one, from a page of this server, of a listed origin, or from no page.
fn handshake(headers: &HeaderMap, is_listed: bool) -> Result<String, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let has = |name: &str, word: &str| {
        text(name).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !has("connection", "upgrade") || !has("upgrade", "websocket") {
        return Err(Problem::upgrade("this is a WebSocket"));
    }
    if text("sec-websocket-version") != Some("13") {
        return Err(Problem::upgrade("the WebSocket must be of version 13"));
    }
    // A page from elsewhere must not read or write what the browser's owner may.
    if let Some(origin) = text(ORIGIN.as_str()).filter(|_| !is_listed) {
        let host = text(HOST.as_str()).unwrap_or("");
        if origin.split_once("://").is_none_or(|(_, from)| from != host) {
            return Err(Problem::forbidden_origin(origin));
        }
    }
    text("sec-websocket-key").map(str::to_owned).ok_or_else(|| Problem::upgrade("the handshake has no key"))
}

/// What a client is told that does not keep to the protocol; nothing when it has gone.
pub(super) fn fault(error: &SocketError, too_long: &'static str) -> Option<(CloseCode, &'static str)> {
    match error {
        SocketError::Capacity(_) => Some((CloseCode::Size, too_long)),
        SocketError::Utf8(_) => Some((CloseCode::Invalid, "text that is not UTF-8")),
        SocketError::Protocol(_) => Some((CloseCode::Protocol, "not what the protocol allows")),
        _ => None,
    }
}

/// The other side of a socket.
pub(super) struct Peer {
    pub(super) socket: Socket,
    patience: Duration,
}

impl Peer {
    /// Sends a message; false when the client did not take it in time, or has gone.
    pub(super) async fn send(&mut self, message: Message) -> bool {
        matches!(tokio::time::timeout(self.patience, self.socket.send(message)).await, Ok(Ok(())))
    }

    /// Ends the socket with a reason.
    pub(super) async fn close(mut self, code: CloseCode, reason: impl Into<String>) {
        let reason: String = reason.into();
        let frame = CloseFrame { code, reason: reason.into() };
        if !matches!(tokio::time::timeout(self.patience, self.socket.close(Some(frame))).await, Ok(Ok(()))) {
            return;
        }
        // What the client has still sent is read, up to its own end: a socket that is closed over unread bytes is reset, and
        // the reason lost.
        let rest = async {
            while let Some(Ok(_)) = self.socket.next().await {}
            let raw = self.socket.get_mut();
            let _shut = raw.shutdown().await;
            let _rest = tokio::io::copy(raw, &mut tokio::io::sink()).await;
        };
        let _late = tokio::time::timeout(LINGER, rest).await;
    }

    /// Ends the socket of a client that has closed it: its close is answered, which the library does when it reads on.
    pub(super) async fn closed(mut self) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _late = tokio::time::timeout(LINGER, rest).await;
    }

    /// Ends a socket that cannot be read any more: a client that breaks the protocol is told so.
    pub(super) async fn broken(self, error: &SocketError, too_long: &'static str) {
        if let Some((code, reason)) = fault(error, too_long) {
            self.close(code, reason).await;
        }
    }

    /// Ends the socket of a client that is too slow.
    pub(super) async fn close_slow(self) {
        let reason = format!("too slow: a message was not read within {} seconds", self.patience.as_secs_f32());
        self.close(CloseCode::Policy, reason).await;
    }
}
