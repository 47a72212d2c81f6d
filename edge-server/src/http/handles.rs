//! Handles over HTTP: made by a query, listed, read and asked as tables are, deleted.

use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::tables::Asked;
use super::{Reply, Tables, body, routes};
use crate::Error;
use crate::handles::{Held, LONGEST, Summary, TIME};
use crate::run::{Query, Terms};

/// What a handle is made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A table.
    #[serde(default)]
    table: Option<String>,
    /// Or another handle.
    #[serde(default)]
    handle: Option<String>,
    /// What is asked of it; everything when it is absent.
    #[serde(default)]
    plan: Option<Value>,
    /// Seconds that it lives without being used.
    #[serde(default)]
    ttl: Option<u64>,
}

/// Lists handles, or makes one.
pub(super) async fn all(tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    match *request.method() {
        Method::GET | Method::HEAD => {
            let list: Vec<Value> = tables.handles.list(Instant::now()).iter().map(shown).collect();
            let (bytes, limit) = (tables.handles.bytes(), tables.handles.limit());
            Ok(routes::json(&json!({ "handles": list, "bytes": bytes, "limit": limit })))
        }
        Method::POST => make(tables, request).await,
        _ => Err(Problem::method(request.method().as_str(), "/v1/handles", "GET, HEAD, POST")),
    }
}

async fn make(tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let bytes = body::read(request.into_body(), tables.limits.body_bytes, tables.limits.body_time).await?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad_request(&format!("what a handle is to be made of: {error}")))?;
    let of = match (&wanted.table, &wanted.handle) {
        (Some(table), None) => Asked::table(table, tables)?,
        (None, Some(handle)) => Asked::handle(handle, tables)?,
        _ => return Err(Problem::bad_request("a handle is made of one \"table\" or of one \"handle\"")),
    };
    let plan = match &wanted.plan {
        Some(plan) => wire::plan::from_json(plan.to_string().as_bytes()).map_err(Error::Plan)?,
        None => kernels::query::Plan::default(),
    };
    let time = wanted.ttl.map_or(TIME, Duration::from_secs);
    if time > LONGEST || time.is_zero() {
        let detail = format!("ttl: from 1 to {} seconds", LONGEST.as_secs());
        return Err(Problem::bad_request(&detail));
    }
    let Asked { source, name, .. } = of;
    let query = Query::prepare(&plan, source.as_ref())?;
    let (knowledge, budget, handles) = (tables.knowledge.clone(), tables.budget, tables.handles.clone());
    let mut running = tables.metrics.query();
    let run = move || {
        let (schema, mut batches, mut bytes) = (query.schema(), Vec::new(), 0);
        let terms = Terms { knowledge: &knowledge, budget, is_given_up: &|| false };
        let done = query.run(&source, terms, |batch| {
            bytes += batch.get_array_memory_size();
            // What is shared may be counted twice here; a result far beyond the room is not even finished.
            if bytes / 4 > handles.limit() {
                let limit = format!("{} MB for all handles", handles.limit() >> 20);
                return Err(Error::Budget { what: "memory", limit });
            }
            batches.push(batch);
            Ok(true)
        });
        running.end(&done, false);
        done?;
        handles.keep(&name, Held::new(schema, batches), time, Instant::now())
    };
    let kept = tokio::task::spawn_blocking(run).await.map_err(|error| Error::Internal(error.to_string()))??;
    let mut reply = routes::json(&shown(&kept));
    *reply.status_mut() = StatusCode::CREATED;
    let place = HeaderValue::try_from(format!("/v1/handles/{}", kept.id));
    reply.headers_mut().extend(place.ok().map(|place| (LOCATION, place)));
    Ok(reply)
}

/// One handle: told, or deleted.
pub(super) fn one(id: &str, tables: &Tables, request: &Request<Incoming>) -> Result<Reply, Problem> {
    match *request.method() {
        Method::GET | Method::HEAD => match tables.handles.describe(id, Instant::now()) {
            Some(summary) => {
                let mut told = shown(&summary);
                let source = Asked::handle(id, tables)?.source;
                let columns = source.schema().fields().iter();
                told["columns"] = columns
                    .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string() }))
                    .collect();
                Ok(routes::json(&told))
            }
            None => Err(missing(id, tables)),
        },
        Method::DELETE if tables.handles.delete(id) => Ok(routes::json(&json!({ "deleted": id }))),
        Method::DELETE => Err(missing(id, tables)),
        _ => Err(Problem::method(request.method().as_str(), "/v1/handles/{handle}", "GET, HEAD, DELETE")),
    }
}

/// Why there is no such handle.
fn missing(id: &str, tables: &Tables) -> Problem {
    let gone = tables.handles.get(id, Instant::now()).err().flatten();
    Problem::no_handle(id, gone)
}

fn shown(summary: &Summary) -> Value {
    json!({
        "id": summary.id, "of": summary.of, "rows": summary.rows, "bytes": summary.bytes,
        "columns": summary.columns, "expires_in": summary.left.as_secs(),
    })
}
