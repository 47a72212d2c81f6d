//! Following a live table over WebSocket: first its rows, then every update as it is acknowledged.
//!
//! Each binary message is one discrete update (see `docs/wire.md`): a `replace` with all rows, then the updates as they
//! stand in the log, encoded once for all who follow. A client that comes back says which update it has last
//! (`?epoch=0&from=17`), and gets what it missed; when that is not at hand any more, the rows again. A client that reads too
//! slowly to keep up costs a number, and gets the rows again when it reads on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::body::Body;
use super::guard::FromListed;
use super::problem::Problem;
use super::{Reply, Tables, live};
use crate::live::{LiveTable, Missed};

/// How long a client may take to read one message.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a client that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// Clients have nothing long to say.
const MAX_INCOMING: usize = 4 << 10;

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Answers the handshake; the socket lives on in a task of its own.
pub(super) fn subscribe(name: &str, tables: &Tables, mut request: Request<Incoming>) -> Result<Reply, Problem> {
    let table = live::find(name, tables)?;
    let headers = request.headers();
    let key = handshake(headers, request.extensions().get::<FromListed>().is_some())?;
    let position = position(request.uri().query().unwrap_or(""))?;
    let place = tables.followers.clone().try_acquire_owned().map_err(|_| Problem::too_many_followers())?;
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(MAX_INCOMING);
        config.max_frame_size = Some(MAX_INCOMING);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        follow(socket, table, position).await;
        drop(place);
    });
    let mut reply = Response::new(Body::EMPTY);
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.extend(
        HeaderValue::try_from(derive_accept_key(key.as_bytes()))
            .ok()
            .map(|accept| (HeaderName::from_static("sec-websocket-accept"), accept)),
    );
    Ok(reply)
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
    // A page from elsewhere must not read what the browser's owner may read.
    if let Some(origin) = text(ORIGIN.as_str()).filter(|_| !is_listed) {
        let host = text(HOST.as_str()).unwrap_or("");
        if origin.split_once("://").is_none_or(|(_, from)| from != host) {
            return Err(Problem::forbidden_origin(origin));
        }
    }
    text("sec-websocket-key").map(str::to_owned).ok_or_else(|| Problem::upgrade("the handshake has no key"))
}

/// What the client has: the epoch and the last update.
fn position(query: &str) -> Result<Option<(u64, u64)>, Problem> {
    let (mut epoch, mut from) = (0, None);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let wrong = || Problem::bad_request(&format!("{part}: expected from=NUMBER and epoch=NUMBER"));
        match part.split_once('=') {
            Some(("from", number)) => from = Some(number.parse().map_err(|_| wrong())?),
            Some(("epoch", number)) => epoch = number.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    Ok(from.map(|from| (epoch, from)))
}

/// Sends what the client lacks, and waits for more, until one side ends it.
async fn follow(mut socket: Socket, table: Arc<LiveTable>, mut position: Option<(u64, u64)>) {
    let mut changes = table.changes();
    let mut ping = tokio::time::interval(PING);
    loop {
        // Marked before looking, so that what comes in between is not overlooked.
        let open = changes.has_changed().is_ok();
        changes.mark_unchanged();
        let messages = match table.missed(position) {
            Missed::Updates(messages, reached) => {
                position = Some(reached);
                messages
            }
            Missed::Rows(snapshot) => {
                let reached = (snapshot.epoch, snapshot.sequence);
                let encoded = tokio::task::spawn_blocking(move || LiveTable::replacement(snapshot)).await;
                let Ok(Ok(message)) = encoded else {
                    return close(socket, CloseCode::Error, "the rows could not be written").await;
                };
                position = Some(reached);
                vec![message]
            }
        };
        for message in messages {
            if !send(&mut socket, Message::Binary(message)).await {
                return close(socket, CloseCode::Policy, "a message was not read in time").await;
            }
        }
        if !open {
            return close(socket, CloseCode::Away, "the table has gone").await;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                return close(socket, CloseCode::Away, "the table has gone").await;
            },
            _ = ping.tick() => if !send(&mut socket, Message::Ping(Bytes::new())).await { return },
            incoming = socket.next() => match incoming {
                None | Some(Ok(Message::Close(_))) => return,
                Some(Err(SocketError::Capacity(_))) => {
                    return close(socket, CloseCode::Size, "a message longer than 4 kB").await;
                }
                Some(Err(_)) => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn send(socket: &mut Socket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}

async fn close(mut socket: Socket, code: CloseCode, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let _gone = tokio::time::timeout(SEND_TIMEOUT, socket.close(Some(frame))).await;
}
