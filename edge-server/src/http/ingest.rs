//! Rows over WebSocket: messages are gathered for a moment, written with one sync, and answered one by one, in their order.
//!
//! A binary message is an Arrow stream of rows, or a discrete update (see `docs/wire.md`); a text message is rows as NDJSON.
//! The answer is JSON: `{"sequence": 17, "inserted": 3, "updated": 0, "removed": 0}` when the disk has the message, and
//! `{"error": "…"}` when it does not fit, which the socket outlives. While messages are written the next are gathered.
//!
//! In a table without a key, rows that are gathered together are one update for those who follow; with a key each message
//! is one.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::Limits;
use wire::update::{Change, UPDATE, Update};

use super::problem::Problem;
use super::sockets::{self, GONE, PING, Peer, STOPS, Sockets};
use super::{Reply, Tables, live};
use crate::live::{Batching, LiveTable, Offer, read_rows};
use crate::source::Source;
use crate::{Error, Result};

/// The longest message.
const MAX_MESSAGE: usize = 16 << 20;
/// Bytes of messages that are gathered; more wait in the socket.
const MAX_WAITING: usize = 32 << 20;
/// Messages that are read at once beyond this size are so on a thread of their own.
const LARGE: usize = 64 << 10;

/// Answers the handshake; the socket lives on in a task of its own.
pub(super) fn ingest(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let table = live::find(name, tables)?;
    let batching = batching(request.uri().query().unwrap_or(""), table.definition().ingest.unwrap_or_default())?;
    let sockets = tables.sockets.clone();
    tables.upgrade(request, &[], MAX_MESSAGE, move |peer, _| async move {
        take(peer, table, batching, &sockets).await;
    })
}

/// How messages are gathered: as the URL says, else as the table's definition does.
fn batching(query: &str, mut batching: Batching) -> Result<Batching, Problem> {
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let wrong = || Problem::bad_request(&format!("{part}: expected rows=NUMBER and milliseconds=NUMBER"));
        match part.split_once('=') {
            Some(("rows", number)) => batching.rows = number.parse().map_err(|_| wrong())?,
            Some(("milliseconds", number)) => batching.milliseconds = number.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    batching.check()?;
    Ok(batching)
}

/// Messages that have come and are not being written.
#[derive(Default)]
struct Gathered {
    messages: Vec<Result<Offer>>,
    rows: usize,
    bytes: usize,
    since: Option<Instant>,
}

/// Takes messages until one side ends it.
async fn take(mut peer: Peer, table: Arc<LiveTable>, batching: Batching, sockets: &Sockets) {
    let mut gathered = Gathered::default();
    let mut writing: Option<JoinHandle<Result<Vec<String>>>> = None;
    let mut ping = tokio::time::interval(PING);
    let mut stopping = std::pin::pin!(sockets.stopping());
    let mut changes = table.changes();
    // Why no more messages are read; without a reason the client has gone.
    let mut end: Option<Option<(CloseCode, &'static str)>> = None;
    loop {
        let due = gathered.since.map(|since| since + Duration::from_millis(batching.milliseconds));
        let is_full = gathered.rows >= batching.rows || gathered.bytes >= MAX_WAITING;
        let is_due = is_full || end.is_some() || due.is_some_and(|due| due <= Instant::now());
        if writing.is_none() && is_due && !gathered.messages.is_empty() {
            let (owned, messages) = (table.clone(), std::mem::take(&mut gathered).messages);
            writing = Some(tokio::task::spawn_blocking(move || owned.take(messages).map(|done| answers(&done))));
        }
        if let (None, Some(end)) = (&writing, end) {
            return match end {
                Some((code, reason)) => peer.close(code, reason).await,
                None => peer.closed().await,
            };
        }
        tokio::select! {
            written = async {
                match &mut writing {
                    Some(writing) => writing.await,
                    None => std::future::pending().await,
                }
            } => {
                writing = None;
                let Ok(Ok(answers)) = written else { return peer.close(CloseCode::Away, GONE).await };
                for answer in answers {
                    // A client that has gone needs no answers; what it sent is kept all the same.
                    if end != Some(None) && !peer.send(Message::Text(answer.into())).await {
                        return peer.close_slow().await;
                    }
                }
            }
            () = sleep(due), if writing.is_none() => {}
            () = &mut stopping, if end.is_none() => end = Some(Some((CloseCode::Away, STOPS))),
            gone = ended(&mut changes), if end.is_none() => end = Some(Some((CloseCode::Away, gone))),
            _ = ping.tick(), if end.is_none() => {
                if !peer.send(Message::Ping(Bytes::new())).await {
                    return peer.close_slow().await;
                }
            }
            incoming = peer.socket.next(), if end.is_none() && !is_full => match incoming {
                Some(Ok(message @ (Message::Binary(_) | Message::Text(_)))) => {
                    gathered.bytes += message.len();
                    gathered.since.get_or_insert_with(Instant::now);
                    let message = read(message, &table).await;
                    gathered.rows += message.as_ref().map_or(0, Offer::rows);
                    gathered.messages.push(message);
                }
                Some(Ok(Message::Close(_))) | None => end = Some(None),
                Some(Err(error)) => end = Some(sockets::fault(&error, "a message longer than 16 MB")),
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Resolves when the table is no more.
async fn ended(changes: &mut tokio::sync::watch::Receiver<u64>) -> &'static str {
    while changes.changed().await.is_ok() {}
    GONE
}

/// What a message offers to the table.
async fn read(message: Message, table: &Arc<LiveTable>) -> Result<Offer> {
    if message.len() < LARGE {
        return decode(message, table);
    }
    let owned = table.clone();
    let read = tokio::task::spawn_blocking(move || decode(message, &owned)).await;
    read.map_err(|error| Error::Internal(error.to_string()))?
}

fn decode(message: Message, table: &LiveTable) -> Result<Offer> {
    let wrong = |error: Box<wire::Error>| Error::Rows { reason: error.to_string() };
    let bytes = match message {
        Message::Text(text) => {
            let rows = read_rows(text.as_bytes().to_vec(), Some("application/x-ndjson"), table.schema())?;
            return Ok(offer(rows));
        }
        other => other.into_data(),
    };
    let (schema, batches) = wire::stream::read(bytes.clone().into(), &Limits::default()).map_err(wrong)?;
    if schema.metadata().contains_key(UPDATE) {
        let update = Update::from_message(bytes.into(), &Limits::default()).map_err(wrong)?;
        return Ok(Offer::Change(update.change));
    }
    crate::live::join_rows(batches).map(offer)
}

fn offer(rows: Option<RecordBatch>) -> Offer {
    rows.map_or(Offer::Nothing, |rows| Offer::Change(Change::Append(rows)))
}

/// The answers to messages, in their order.
fn answers(done: &[Result<crate::live::Acknowledged>]) -> Vec<String> {
    let answer = |done: &Result<crate::live::Acknowledged>| match done {
        Ok(done) => json!({
            "sequence": done.sequence,
            "inserted": done.applied.inserted,
            "updated": done.applied.updated,
            "removed": done.applied.removed,
        }),
        Err(error) => json!({"error": error.to_string()}),
    };
    done.iter().map(|done| answer(done).to_string()).collect()
}
