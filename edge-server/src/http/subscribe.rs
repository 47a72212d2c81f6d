//! Following a live table over WebSocket: first its rows, then every update as it is acknowledged.
//!
//! In the protocol `bodkin.discrete`, which is the default, each binary message is one discrete update (see `docs/wire.md`):
//! a `replace` with all rows, then the updates as they stand in the log, encoded once for all who follow. In
//! `bodkin.continuous` all messages together are one Arrow stream, whose batches say what they are in their metadata.
//!
//! A client that comes back says which update it has last (`?epoch=3&from=17`), and gets what it missed; when that is not at
//! hand any more, the rows again. It may choose columns and a filter, and then follows the result of that query. A client
//! that falls behind gets what it missed merged: of each key the last row, in one message. One that does not read a message
//! in time is closed. One that asks for it (`?heartbeat=5`) hears in so many seconds of the last update, as text, whether there
//! was one or not: a page sees no pings, and could not tell a quiet table from a dead line. One whose rows stay here
//! (`?rows=none`) hears of updates by such texts alone, with what they did in numbers, and asks for what it shows.

use std::sync::Arc;
use std::time::Duration;

use arrow_buffer::Buffer;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::Request;
use hyper::body::Incoming;
use kernels::query::Plan;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::Options;
use wire::stream::StreamEncoder;
use wire::table::Applied;
use wire::update::{Change, Update};

use super::problem::Problem;
use super::sockets::{GONE, PING, Peer, STOPS, Sockets};
use super::{Reply, Tables, live};
use crate::live::{LiveTable, Missed, Told, View};
use crate::{Error, Result};

/// Clients have nothing long to say.
const MAX_INCOMING: usize = 4 << 10;
/// More updates than these at once are merged.
const MERGED: usize = 64;
/// The protocols, the default first.
const PROTOCOLS: [&str; 2] = ["bodkin.discrete", "bodkin.continuous"];

/// Answers the handshake; the socket lives on in a task of its own.
pub(super) fn subscribe(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let table = live::find(name, tables)?;
    let Asked { position, heartbeat, is_told, view } = asked(request.uri().query().unwrap_or(""), &table)?;
    let sockets = tables.sockets.clone();
    tables.upgrade(request, &PROTOCOLS, MAX_INCOMING, move |peer, protocol| async move {
        match Writer::try_new(view, protocol == Some(PROTOCOLS[1])) {
            Ok(writer) => {
                let writer = (!is_told).then_some(writer);
                follow(peer, table, position, heartbeat, writer, &sockets).await;
            }
            Err(error) => peer.close(CloseCode::Error, error.to_string()).await,
        }
    })
}

/// What a client asks for.
struct Asked {
    /// What it has: the epoch and the last update.
    position: Option<(u64, u64)>,
    /// How often it wants to hear that the line is alive.
    heartbeat: Option<Duration>,
    /// Whether it wants to hear of updates, and not to have them.
    is_told: bool,
    view: View,
}

fn asked(query: &str, table: &LiveTable) -> Result<Asked, Problem> {
    let (mut epoch, mut from, mut heartbeat, mut is_told, mut rest) = (0, None, None, false, Vec::new());
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let wrong = || {
            Problem::bad_request(&format!("{part}: expected from=NUMBER, epoch=NUMBER, heartbeat=SECONDS, rows=none"))
        };
        match part.split_once('=') {
            Some(("from", number)) => from = Some(number.parse().map_err(|_| wrong())?),
            Some(("epoch", number)) => epoch = number.parse().map_err(|_| wrong())?,
            Some(("heartbeat", seconds)) => {
                let seconds: u64 =
                    seconds.parse().ok().filter(|seconds| (1..=600).contains(seconds)).ok_or_else(wrong)?;
                heartbeat = Some(Duration::from_secs(seconds));
            }
            Some(("rows", "none")) => is_told = true,
            _ => rest.push(part),
        }
    }
    Ok(Asked { position: from.map(|from| (epoch, from)), heartbeat, is_told, view: view(&rest.join("&"), table)? })
}

/// The part of a table that a URL's query names.
pub(super) fn view(query: &str, table: &LiveTable) -> Result<View> {
    let schema = table.definition().schema()?;
    let plan = match query {
        "" => Plan::default(),
        query => wire::plan::from_url(query, Some(&schema)).map_err(Error::Plan)?,
    };
    View::try_new(table.definition(), &plan)
}

/// Sends what the client lacks, and waits for more, until one side ends it.
async fn follow(
    mut peer: Peer,
    table: Arc<LiveTable>,
    mut position: Option<(u64, u64)>,
    heartbeat: Option<Duration>,
    mut writer: Option<Writer>,
    sockets: &Sockets,
) {
    let mut changes = table.changes();
    let mut ping = tokio::time::interval(PING);
    let mut beat = tokio::time::interval(heartbeat.unwrap_or(PING));
    let mut stopping = std::pin::pin!(sockets.stopping());
    let mut end: Option<&'static str> = None;
    loop {
        // Marked before looking, so that what comes in between is not overlooked.
        if changes.has_changed().is_err() {
            end = Some(GONE);
        }
        changes.mark_unchanged();
        if writer.is_none() {
            let told = table.told(position);
            if position.replace(told.position) != Some(told.position) && !peer.send(news(&told)).await {
                return peer.close_slow().await;
            }
        }
        let missed = table.missed(position);
        if let Some(mut own) = writer.take_if(|_| !matches!(&missed, Missed::Updates(updates, _) if updates.is_empty()))
        {
            let owned = table.clone();
            let made = tokio::task::spawn_blocking(move || {
                let made = own.write(missed, position, &owned);
                (own, made)
            });
            let Ok((back, made)) = made.await else {
                return peer.close(CloseCode::Error, "the rows could not be written").await;
            };
            writer = Some(back);
            let messages = match made {
                Ok((messages, reached)) => {
                    position = Some(reached);
                    messages
                }
                Err(error) => {
                    tracing::error!(%error, "a follower's rows could not be written");
                    return peer.close(CloseCode::Error, "the rows could not be written").await;
                }
            };
            for message in messages {
                if !peer.send(Message::Binary(message)).await {
                    return peer.close_slow().await;
                }
            }
        }
        if let Some(reason) = end {
            if let Some(last) = writer.as_mut().and_then(Writer::finish) {
                peer.send(Message::Binary(last)).await;
            }
            return peer.close(CloseCode::Away, reason).await;
        }
        tokio::select! {
            // An end is told after what is still to be sent.
            changed = changes.changed() => if changed.is_err() { end = Some(GONE) },
            () = &mut stopping => end = Some(STOPS),
            _ = ping.tick() => if !peer.send(Message::Ping(Bytes::new())).await { return peer.close_slow().await },
            _ = beat.tick(), if heartbeat.is_some() => {
                if !peer.send(alive(position.unwrap_or_default())).await { return peer.close_slow().await }
            }
            incoming = peer.socket.next() => match incoming {
                None => return,
                Some(Ok(Message::Close(_))) => return peer.closed().await,
                Some(Err(error)) => return peer.broken(&error, "a message longer than 4 kB").await,
                Some(Ok(_)) => {}
            },
        }
    }
}

/// A position as text: the line is alive.
fn alive((epoch, sequence): (u64, u64)) -> Message {
    Message::Text(json!({"epoch": epoch, "sequence": sequence}).to_string().into())
}

/// What has happened, as text. Without numbers of what updates did, all rows may be others.
fn news(told: &Told) -> Message {
    let (epoch, sequence) = told.position;
    let mut news = json!({"epoch": epoch, "sequence": sequence, "rows": told.rows});
    if let Some(Applied { inserted, updated, removed, .. }) = told.done {
        for (name, count) in [("inserted", inserted), ("updated", updated), ("removed", removed)] {
            news[name] = count.into();
        }
    }
    Message::Text(news.to_string().into())
}

/// Makes the messages of one follower.
struct Writer {
    view: View,
    /// The stream of a follower that wants one.
    stream: Option<StreamEncoder>,
}

impl Writer {
    fn try_new(view: View, is_continuous: bool) -> Result<Self> {
        let stream = is_continuous.then(|| StreamEncoder::try_new(&view.stream_schema()));
        Ok(Self { stream: stream.transpose().map_err(written)?, view })
    }

    /// What a follower at a position lacks, as messages, and the position after them.
    fn write(
        &mut self,
        missed: Missed,
        position: Option<(u64, u64)>,
        table: &LiveTable,
    ) -> Result<(Vec<Bytes>, (u64, u64))> {
        let snapshot = match missed {
            Missed::Rows(snapshot) => snapshot,
            Missed::Updates(updates, reached) => {
                if self.stream.is_none() && self.view.is_whole() && updates.len() <= MERGED {
                    return Ok((updates.iter().map(|update| update.message.clone()).collect(), reached));
                }
                let is_patch = |update: &Update| matches!(update.change, Change::Patch { .. });
                match self.view.updates(&updates, position.unwrap_or_default())? {
                    Some(updates) if self.stream.is_none() || !updates.iter().any(is_patch) => {
                        let messages = updates.iter().map(|update| self.message(update)).collect::<Result<_>>()?;
                        return Ok((messages, reached));
                    }
                    _ => table.snapshot(),
                }
            }
        };
        let reached = (snapshot.epoch, snapshot.sequence);
        Ok((vec![self.message(&self.view.replacement(&snapshot)?)?], reached))
    }

    fn message(&mut self, update: &Update) -> Result<Bytes> {
        match &mut self.stream {
            Some(stream) => Ok(joined(&stream.encode_update(update).map_err(written)?)),
            None => update.to_message(Options::default()).map(Bytes::from).map_err(written),
        }
    }

    /// The end of a continuous stream.
    fn finish(&mut self) -> Option<Bytes> {
        self.stream.take().and_then(|stream| stream.finish().ok()).map(|parts| joined(&parts))
    }
}

/// The parts of a message in one piece.
pub(super) fn joined(parts: &[Buffer]) -> Bytes {
    let mut bytes = Vec::with_capacity(parts.iter().map(Buffer::len).sum());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes.into()
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
pub(super) fn written(error: Box<wire::Error>) -> Error {
    Error::Output(error.to_string())
}
