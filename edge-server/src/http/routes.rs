//! Paths and methods, and the headers that every response carries.

use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response};

use super::body::Body;
use super::problem::Problem;
use super::tables::Asked;
use super::{Reply, Tables, exec, handles, live, page, subscribe, tables};

/// Scripts from here alone; no inline script or style, no frame around the page.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request, whatever it is.
pub(super) async fn answer(request: Request<Incoming>, tables: &Tables) -> Reply {
    let begin = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut reply = route(request, tables).await.unwrap_or_else(Problem::reply);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    tracing::info!(%method, path, status = reply.status().as_u16(), millis = begin.elapsed().as_millis() as u64);
    reply
}

async fn route(request: Request<Incoming>, all: &Tables) -> Result<Reply, Problem> {
    let path = request.uri().path().to_owned();
    let segments: Vec<String> = path
        .split('/')
        .skip(1)
        .map(decode)
        .collect::<Option<_>>()
        .ok_or_else(|| Problem::bad_request("the path holds a broken percent escape"))?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["health"] => get(&request).map(|_head| json(&serde_json::json!({"status": "ok"}))),
        ["exec"] => {
            get(&request)?;
            exec::exec(all, request).await
        }
        ["v1", "tables"] => get(&request).map(|_head| json(&tables::list(all))),
        ["v1", "tables", name] => match *request.method() {
            Method::GET | Method::HEAD => Ok(json(&tables::describe(name, all)?)),
            Method::PUT => live::create(name, all, request).await,
            Method::DELETE => live::remove(name, all).await,
            _ => Err(Problem::method(request.method().as_str(), &path, "GET, HEAD, PUT, DELETE")),
        },
        ["v1", "tables", name, "subscribe"] => {
            get(&request)?;
            subscribe::subscribe(name, all, request)
        }
        ["v1", "tables", name, what @ ("rows" | "updates")] => match (request.method(), *what) {
            (&Method::POST, "rows") => live::rows(name, all, request).await,
            (&Method::POST, _) => live::update(name, all, request).await,
            _ => Err(Problem::method(request.method().as_str(), &path, "POST")),
        },
        ["v1", "tables", name, "data"] => {
            let head = get(&request)?;
            tables::data(Asked::table(name, all)?, all, head, request.headers()).await
        }
        ["v1", "tables", name, what @ ("query" | "explain")] => ask(Asked::table(name, all)?, what, all, request).await,
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
                Ok(asset.reply(request.headers()))
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
fn decode(segment: &str) -> Option<String> {
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
