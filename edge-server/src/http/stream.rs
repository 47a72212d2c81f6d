//! A live table as an Arrow stream that does not end: its rows, then those that come, for any reader of the format.
//!
//! Rows that are appended or upserted are sent; that rows go, or are patched, a plain stream cannot say (see
//! [`subscribe`](super::subscribe)). After a replacement all rows come again. It ends with the table or the server; a
//! reader that falls so far behind that updates are no longer at hand is cut off.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::mpsc;
use wire::stream::StreamEncoder;
use wire::update::Change;

use super::body::{Body, Piece};
use super::problem::Problem;
use super::sockets::Sockets;
use super::subscribe::{joined, view, written};
use super::{Reply, Tables, live};
use crate::live::{LiveTable, Missed, View};
use crate::output::Format;
use crate::{Error, Result};

/// Parts that wait for a slow reader.
const WAITING: usize = 4;

/// Answers with the rows, and with those to come.
pub(super) fn stream(name: &str, tables: &Tables, head: bool, query: &str) -> Result<Reply, Problem> {
    let table = live::find(name, tables)?;
    let view = view(query, &table)?;
    let encoder = StreamEncoder::try_new(view.schema()).map_err(written)?;
    let body = if head {
        Body::EMPTY
    } else {
        let place = tables.sockets.stream()?;
        let (channel, rest) = mpsc::channel(WAITING);
        let sockets = tables.sockets.clone();
        tokio::spawn(async move {
            let last = match send(&channel, table, view, encoder, &sockets).await {
                Ok(()) => Piece::End,
                Err(error) => Piece::Failed(error),
            };
            let _gone = channel.send(last).await;
            drop(place);
        });
        Body::Stream { first: None, rest }
    };
    let mut reply = Response::new(body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Format::ArrowStream.media_type()));
    Ok(reply)
}

/// Sends rows until the reader, the table or the server goes.
async fn send(
    channel: &mpsc::Sender<Piece>,
    table: Arc<LiveTable>,
    view: View,
    mut encoder: StreamEncoder,
    sockets: &Sockets,
) -> Result<()> {
    let mut changes = table.changes();
    let mut stopping = std::pin::pin!(sockets.stopping());
    let view = Arc::new(view);
    let mut position = None;
    let mut is_last = false;
    loop {
        is_last |= changes.has_changed().is_err();
        changes.mark_unchanged();
        let missed = table.missed(position);
        let (from, owned_view, owned) = (position, view.clone(), table.clone());
        let made = tokio::task::spawn_blocking(move || rows(missed, from, &owned_view, &owned));
        let (batches, reached) = made.await.map_err(|error| Error::Internal(error.to_string()))??;
        if position.is_none() {
            // A reader is to know the columns, whether there are rows or not.
            if !put(channel, joined(&encoder.schema().map_err(written)?)).await {
                return Ok(());
            }
        }
        position = Some(reached);
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            let parts = encoder.encode(batch).map_err(written)?;
            if !put(channel, joined(&parts)).await {
                return Ok(());
            }
        }
        if is_last {
            put(channel, joined(&encoder.finish().map_err(written)?)).await;
            return Ok(());
        }
        tokio::select! {
            changed = changes.changed() => is_last = changed.is_err(),
            () = &mut stopping => is_last = true,
            () = channel.closed() => return Ok(()),
        }
    }
}

async fn put(channel: &mpsc::Sender<Piece>, bytes: Bytes) -> bool {
    channel.send(Piece::Data(bytes)).await.is_ok()
}

/// The rows that came after a position, and the position after them.
fn rows(
    missed: Missed,
    from: Option<(u64, u64)>,
    view: &View,
    table: &LiveTable,
) -> Result<(Vec<RecordBatch>, (u64, u64))> {
    let snapshot = match (missed, from) {
        (Missed::Rows(snapshot), None) => snapshot,
        (Missed::Rows(_), Some(_)) => {
            return Err(Error::Output("the reader was too slow: updates are no longer at hand".to_owned()));
        }
        (Missed::Updates(updates, reached), from) => match view.updates(&updates, from.unwrap_or_default())? {
            Some(updates) => {
                let batches = updates.into_iter().flat_map(|update| match update.change {
                    Change::Append(rows) | Change::Upsert(rows) | Change::Exchange { insert: rows, .. } => vec![rows],
                    Change::Replace(batches) => batches,
                    Change::Delete(_) | Change::Patch { .. } | Change::Trim(_) => Vec::new(),
                });
                return Ok((batches.collect(), reached));
            }
            None => table.snapshot(),
        },
    };
    Ok((view.rows(&snapshot)?, (snapshot.epoch, snapshot.sequence)))
}
