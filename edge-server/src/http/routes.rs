//! Paths and methods, and the headers that every response carries.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    SEC_WEBSOCKET_PROTOCOL, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::body::Body;
use super::connection::Activity;
use super::guard::{Access, FromListed, Passed};
use super::problem::Problem;
use super::server::Context;
use super::tables::Asked;
use super::trace::{self, Note, Traced};
use super::{
    Reply, Tables, batches, echo, exec, file, handles, ingest, live, page, patterns, profile, status, stream,
    subscribe, tables,
};

/// Scripts from here alone; no inline script or style, no frame around the page.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request, whatever it is: it is given an id, asked who sends it, and followed to the end of its answer.
pub(super) async fn answer(
    request: Request<Incoming>,
    peer: IpAddr,
    activity: &Arc<Activity>,
    context: &Context,
) -> Response<Traced> {
    let begin = Instant::now();
    let in_flight = activity.request(request.version() == Version::HTTP_2);
    let metrics = &context.tables.metrics;
    let counted = metrics.request();
    let id = trace::id(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let segments = segments(&path);
    let route = route_of(segments.as_deref().unwrap_or_default(), &path);
    let peer = context.guard.client(peer, request.headers());
    let listed = context.guard.listed(request.headers(), request.uri());
    let (mut head, body) = request.into_parts();
    let access = access_of(segments.as_deref().unwrap_or_default(), &path, &method);
    let admitted = context.guard.admit((&head.method, &head.uri, &mut head.headers), peer, access, metrics);
    if listed.is_some() {
        head.extensions.insert(FromListed);
    }
    let (answered, passed) = match (admitted, segments) {
        (Err(problem), _) => (Err(problem), Passed::default()),
        (Ok(passed), _) if passed.is_preflight => (Ok(context.guard.origins().preflight()), passed),
        (Ok(passed), Some(segments)) => (serve(Request::from_parts(head, body), &segments, context).await, passed),
        (Ok(passed), None) => (Err(Problem::bad_request("the path holds a broken percent escape")), passed),
    };
    let mut reply = answered.unwrap_or_else(|problem| problem.reply(&id));
    let status = reply.status();
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.extend(HeaderValue::from_str(&id).ok().map(|id| (HeaderName::from_static(trace::REQUEST_ID), id)));
    context.guard.origins().mark(listed, headers);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        activity.upgrade();
        // One that the endpoint knows stands there already.
        if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            headers.extend(passed.protocol.map(|protocol| (SEC_WEBSOCKET_PROTOCOL, protocol)));
        }
    }
    let who = passed.bearer.map(|bearer| bearer.name);
    let (status, metrics) = (status.as_u16(), metrics.clone());
    let note =
        Note { id, method, path, route, peer, who, status, begin, metrics, _counted: counted, _in_flight: in_flight };
    reply.map(|body| Traced::new(body, note))
}

/// The parts of a path, without their percent escapes; nothing when one is broken.
fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/').skip(1).map(decode).collect()
}

/// The pattern of a path, for counting.
fn route_of(segments: &[String], path: &str) -> &'static str {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["health"] => "/health",
        ["ready"] => "/ready",
        ["status"] => "/status",
        ["metrics"] => "/metrics",
        ["exec"] => "/exec",
        ["patterns", name] if patterns::has(name) => "/patterns/{what}",
        ["v1", "handles"] => "/v1/handles",
        ["v1", "handles", _] => "/v1/handles/{handle}",
        ["v1", "handles", _, "data"] => "/v1/handles/{handle}/data",
        ["v1", "handles", _, "query"] => "/v1/handles/{handle}/query",
        ["v1", "handles", _, "explain"] => "/v1/handles/{handle}/explain",
        ["v1", "handles", _, "batches"] => "/v1/handles/{handle}/batches",
        ["v1", "handles", _, "profile"] => "/v1/handles/{handle}/profile",
        ["v1", "tables"] => "/v1/tables",
        ["v1", "tables", _] => "/v1/tables/{table}",
        ["v1", "tables", _, "data"] => "/v1/tables/{table}/data",
        ["v1", "tables", _, "file"] => "/v1/tables/{table}/file",
        ["v1", "tables", _, "query"] => "/v1/tables/{table}/query",
        ["v1", "tables", _, "explain"] => "/v1/tables/{table}/explain",
        ["v1", "tables", _, "batches"] => "/v1/tables/{table}/batches",
        ["v1", "tables", _, "profile"] => "/v1/tables/{table}/profile",
        ["v1", "tables", _, "rows"] => "/v1/tables/{table}/rows",
        ["v1", "tables", _, "updates"] => "/v1/tables/{table}/updates",
        ["v1", "tables", _, "subscribe"] => "/v1/tables/{table}/subscribe",
        ["v1", "tables", _, "ingest"] => "/v1/tables/{table}/ingest",
        ["v1", "tables", _, "stream"] => "/v1/tables/{table}/stream",
        _ if page::find(path).is_some() => "page",
        _ => "other",
    }
}

/// What a request needs of who sends it. What is not known to be harmless counts as a change.
fn access_of(segments: &[String], path: &str, method: &Method) -> Access {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let only_reads = matches!(*method, Method::GET | Method::HEAD);
    match segments.as_slice() {
        ["health" | "ready"] if only_reads => Access::Public,
        ["v1", "tables" | "handles", _, "query" | "explain"] if *method == Method::POST => Access::Read,
        // A handle is a reader's own: what is made and deleted is a result, no row of a table.
        ["v1", "handles"] if *method == Method::POST => Access::Read,
        ["v1", "handles", _] if *method == Method::DELETE => Access::Read,
        // A handshake is a GET; what comes behind it are rows.
        ["v1", "tables", _, "ingest"] => Access::Write,
        _ if only_reads && page::find(path).is_some() => Access::Public,
        _ if only_reads => Access::Read,
        _ => Access::Write,
    }
}

async fn serve(request: Request<Incoming>, segments: &[String], context: &Context) -> Result<Reply, Problem> {
    let (all, state) = (&context.tables, &context.state);
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["health"] => get(&request).map(|_head| json(&serde_json::json!({"status": "ok"}))),
        ["ready"] => get(&request).map(|_head| status::ready(all, state)),
        ["status"] => get(&request).map(|_head| status::status(all, state)),
        ["metrics"] => get(&request).map(|_head| status::metrics(all, state)),
        ["exec"] => {
            get(&request)?;
            exec::exec(all, request).await
        }
        ["patterns", name] if patterns::has(name) => {
            get(&request)?;
            patterns::answer(name, all, request).await
        }
        ["echo"] if context.echoes => echo::echo(all, request),
        ["v1", "tables"] => get(&request).map(|_head| json(&tables::list(all))),
        ["v1", "tables", name] => match *request.method() {
            Method::GET | Method::HEAD => Ok(json(&tables::describe(name, all)?)),
            Method::PUT => live::create(name, all, request).await,
            Method::DELETE => live::remove(name, all).await,
            _ => Err(Problem::method(request.method().as_str(), &path, "GET, HEAD, PUT, DELETE")),
        },
        ["v1", "tables", name, what @ ("subscribe" | "ingest" | "stream")] => {
            let head = get(&request)?;
            match *what {
                "subscribe" => subscribe::subscribe(name, all, request),
                "ingest" => ingest::ingest(name, all, request),
                _ => stream::stream(name, all, head, request.uri().query().unwrap_or("")),
            }
        }
        ["v1", "tables", name, what @ ("rows" | "updates")] => match (request.method(), *what) {
            (&Method::POST, "rows") => live::rows(name, all, request).await,
            (&Method::POST, _) => live::update(name, all, request).await,
            _ => Err(Problem::method(request.method().as_str(), &path, "POST")),
        },
        ["v1", "tables", name, "data"] => {
            let head = get(&request)?;
            tables::data(Asked::followed(name, all)?, all, head, request.headers()).await
        }
        ["v1", "tables", name, "file"] => {
            let head = get(&request)?;
            file::file(name, all, head, request.headers()).await
        }
        ["v1", "tables", name, what @ ("query" | "explain")] => ask(Asked::table(name, all)?, what, all, request).await,
        ["v1", of @ ("tables" | "handles"), name, what @ ("profile" | "batches")] => {
            let head = get(&request)?;
            let of = if *of == "tables" { Asked::table(name, all)? } else { Asked::handle(name, all)? };
            let query = request.uri().query().unwrap_or("");
            match *what {
                "profile" => profile::column(of, all, head, request.headers(), query).await,
                _ => batches::batches(of, all, head, request.headers(), query).await,
            }
        }
        ["v1", "handles"] => handles::all(all, request).await,
        ["v1", "handles", id] => handles::one(id, all, &request),
        ["v1", "handles", id, "data"] => {
            let head = get(&request)?;
            tables::data(Asked::handle(id, all)?, all, head, request.headers()).await
        }
        ["v1", "handles", id, what @ ("query" | "explain")] => ask(Asked::handle(id, all)?, what, all, request).await,
        _ => match page::find(&path) {
            Some(asset) => {
                get(&request)?;
                let folder = context.viewer.as_deref();
                Ok(folder.and_then(|folder| asset.read(folder)).unwrap_or_else(|| asset.reply(request.headers())))
            }
            None => Err(Problem::not_found(&path)),
        },
    }
}

/// A plan that is run, or told in words.
async fn ask(of: Asked, what: &str, all: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    match *request.method() {
        Method::GET | Method::HEAD | Method::POST => {}
        _ => return Err(Problem::method(request.method().as_str(), request.uri().path(), "GET, HEAD, POST")),
    }
    match what {
        "query" => tables::query(of, all, request).await,
        _ => tables::explain(of, all, request).await,
    }
}

/// Lets GET and HEAD pass; true for HEAD, whose body hyper leaves out.
fn get(request: &Request<Incoming>) -> Result<bool, Problem> {
    match *request.method() {
        Method::GET => Ok(false),
        Method::HEAD => Ok(true),
        _ => Err(Problem::method(request.method().as_str(), request.uri().path(), "GET, HEAD")),
    }
}

pub(super) fn json(value: &serde_json::Value) -> Reply {
    let mut reply = Response::new(Body::from(value.to_string().into_bytes()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// Percent escapes in a path's segment.
pub(super) fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn percent_escapes() {
        assert_eq!(super::decode("a%20b%C3%A9").as_deref(), Some("a bé"));
        assert_eq!(super::decode("a%2"), None);
        assert_eq!(super::decode("a%zz"), None);
        assert_eq!(super::decode("%ff"), None);
    }
}
