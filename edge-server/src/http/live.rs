//! Live tables over HTTP: made, fed, changed by key, removed.

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::{Request, StatusCode};
use serde_json::json;
use wire::Limits;
use wire::update::{Change, Update};

use super::body;
use super::problem::Problem;
use super::{Reply, Tables, ask, routes};
use crate::Error;
use crate::live::{Acknowledged, Definition, LiveTable, read_rows};
use crate::source::Source;

/// Makes a table: 201 when it is new, 200 when it was there with the same definition.
pub(super) async fn create(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let store = tables.live.clone().ok_or_else(Problem::no_live_tables)?;
    if tables.is_of_files(name) {
        return Err(Error::DuplicateTable { name: name.to_owned() }.into());
    }
    let bytes = body::read(request.into_body(), tables.limits.body_bytes, tables.limits.body_time).await?;
    let definition: Definition =
        serde_json::from_slice(&bytes).map_err(|error| Error::Definition { reason: error.to_string() })?;
    let owned = name.to_owned();
    let made = blocking(move || store.create(&owned, &definition)).await?;
    let mut reply = routes::json(&json!({"name": name, "created": made}));
    if made {
        *reply.status_mut() = StatusCode::CREATED;
        let place = format!("/v1/tables/{name}").parse();
        reply.headers_mut().extend(place.ok().map(|place| (LOCATION, place)));
    }
    Ok(reply)
}

/// Removes a table and its log.
pub(super) async fn remove(name: &str, tables: &Tables) -> Result<Reply, Problem> {
    let store = tables.live.clone().ok_or_else(Problem::no_live_tables)?;
    let owned = name.to_owned();
    if !blocking(move || store.remove(&owned)).await? {
        return Err(tables.unknown(name).into());
    }
    Ok(routes::json(&json!({"name": name, "removed": true})))
}

/// Takes rows: an Arrow stream, CSV or NDJSON, as one change. In a table with a key they are upserts.
pub(super) async fn rows(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let table = find(name, tables)?;
    let media_type = ask::media_type(request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()));
    let bytes = body::read(request.into_body(), tables.limits.rows_bytes, tables.limits.body_time).await?;
    let done = blocking(move || {
        let rows = read_rows(bytes, media_type.as_deref(), table.schema())?;
        rows.map(|rows| table.change(Change::Append(rows))).transpose()
    });
    Ok(acknowledge(done.await?))
}

/// Takes a change: a discrete update message, of which the epoch and the number are not looked at.
pub(super) async fn update(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let table = find(name, tables)?;
    let bytes = body::read(request.into_body(), tables.limits.rows_bytes, tables.limits.body_time).await?;
    let done = blocking(move || {
        let update = Update::from_message(bytes.into(), &Limits::default());
        let update = update.map_err(|error| Error::Rows { reason: error.to_string() })?;
        table.change(update.change).map(Some)
    });
    Ok(acknowledge(done.await?))
}

/// A live table; a file of the name is none.
pub(super) fn find(name: &str, tables: &Tables) -> Result<std::sync::Arc<LiveTable>, Problem> {
    match tables.live.as_ref().and_then(|store| store.get(name)) {
        Some(table) => Ok(table),
        None if tables.is_of_files(name) => Err(Problem::read_only(name)),
        None => Err(tables.unknown(name).into()),
    }
}

/// What waits for a disk does so on a thread of its own.
async fn blocking<T: Send + 'static>(run: impl FnOnce() -> crate::Result<T> + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(run).await {
        Ok(done) => done.map_err(Problem::from),
        Err(error) => Err(Error::Internal(error.to_string()).into()),
    }
}

fn acknowledge(done: Option<Acknowledged>) -> Reply {
    let applied = done.map(|done| done.applied).unwrap_or_default();
    routes::json(&json!({
        "inserted": applied.inserted,
        "updated": applied.updated,
        "removed": applied.removed,
        "sequence": done.map(|done| done.sequence),
    }))
}
