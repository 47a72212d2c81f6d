//! Errors as RFC 9457 problem documents: a status, a title, what happened, and what would have been right.

use std::time::Duration;

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::Reply;
use crate::Error;
use crate::handles::Gone;

/// A response that tells what is wrong.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
    /// Boxed, so that results that hold a problem stay small.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), more: Map::new(), header: None }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    fn saying(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    pub(super) fn not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such path", format!("there is nothing at {path}")).with(
            "paths",
            json!([
                "/",
                "/health",
                "/ready",
                "/status",
                "/metrics",
                "/exec",
                "/v1/handles",
                "/v1/handles/{handle}",
                "/v1/handles/{handle}/data",
                "/v1/handles/{handle}/query",
                "/v1/handles/{handle}/explain",
                "/v1/handles/{handle}/batches",
                "/v1/tables",
                "/v1/tables/{table}",
                "/v1/tables/{table}/data",
                "/v1/tables/{table}/file",
                "/v1/tables/{table}/query",
                "/v1/tables/{table}/explain",
                "/v1/tables/{table}/batches",
                "/v1/tables/{table}/rows",
                "/v1/tables/{table}/updates",
                "/v1/tables/{table}/ingest",
                "/v1/tables/{table}/subscribe",
                "/v1/tables/{table}/stream"
            ]),
        )
    }

    pub(super) fn method(method: &str, path: &str, allow: &'static str) -> Self {
        let detail = format!("{path} does not take {method}; it takes {allow}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", detail)
            .saying(ALLOW, HeaderValue::from_static(allow))
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is longer than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body too long", detail).with("limit", limit)
    }

    pub(super) fn timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "body too slow", "the body did not come in time")
    }

    pub(super) fn bad_request(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed request", detail)
    }

    pub(super) fn no_live_tables() -> Self {
        let detail = "the server was started without a folder for live tables (--live FOLDER)";
        Self::new(StatusCode::NOT_IMPLEMENTED, "no live tables", detail)
    }

    pub(super) fn read_only(name: &str) -> Self {
        let detail = format!("table \"{name}\" is a file, and is only read");
        Self::new(StatusCode::CONFLICT, "not a live table", detail)
    }

    pub(super) fn no_handle(id: &str, gone: Option<Gone>) -> Self {
        let why = match gone {
            None => return Self::new(StatusCode::NOT_FOUND, "unknown handle", format!("there is no handle {id}")),
            Some(Gone::Expired) => "was not used for its time",
            Some(Gone::Evicted) => "had to go for others: memory was short, and it was not used for longest",
            Some(Gone::Deleted) => "was deleted",
        };
        Self::new(StatusCode::GONE, "handle gone", format!("handle {id} {why}; its query makes it anew"))
    }

    pub(super) fn upgrade(detail: &str) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "a WebSocket handshake was expected", detail)
    }

    pub(super) fn too_many_followers() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many followers",
            "there is no room for another; try again later",
        )
    }

    pub(super) fn forbidden_origin(origin: &str) -> Self {
        let detail = format!("pages of {origin} may not use this server; --cors ORIGIN lets them");
        Self::new(StatusCode::FORBIDDEN, "page from elsewhere", detail)
    }

    pub(super) fn unauthorized(is_wrong: bool) -> Self {
        let (detail, challenge) = match is_wrong {
            true => ("the server does not know this token", "Bearer realm=\"bodkin\", error=\"invalid_token\""),
            false => ("the server asks for a token: Authorization: Bearer TOKEN", "Bearer realm=\"bodkin\""),
        };
        Self::new(StatusCode::UNAUTHORIZED, "who are you?", detail)
            .saying(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    pub(super) fn forbidden_scope(name: &str, changes: bool) -> Self {
        let what = if changes { "change anything" } else { "read" };
        Self::new(
            StatusCode::FORBIDDEN,
            "not with this token",
            format!("the token of \"{name}\" is not made to {what}"),
        )
        .saying(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bodkin\", error=\"insufficient_scope\""))
    }

    pub(super) fn too_many_requests(wait: Duration) -> Self {
        let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
        let detail = format!("more requests than one client may send; the next in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
            .saying(RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(super) fn no_file(name: &str) -> Self {
        let detail = format!("table \"{name}\" is not one file; /v1/tables/{name}/data has its rows");
        Self::new(StatusCode::NOT_FOUND, "no file", detail)
    }

    pub(super) fn no_range(length: u64) -> Self {
        let detail = format!("the file has {length} bytes, and none of them lies in the range");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "no such range", detail).with("bytes", length)
    }

    pub(super) fn not_acceptable(accept: &str) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "no such representation", format!("none of \"{accept}\" can be given"))
            .with("available", json!(super::ask::REPRESENTATIONS.map(crate::output::Format::media_type)))
    }

    /// The status that an error has, for answers of another shape.
    pub(super) fn status_of(error: &Error) -> StatusCode {
        match error {
            Error::UnknownTable { .. } => StatusCode::NOT_FOUND,
            Error::Loading { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Budget { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Query(_) | Error::Plan(_) | Error::Output(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response to the request of this id.
    pub(super) fn reply(self, id: &str) -> Reply {
        let mut document = Map::new();
        document.insert("type".to_owned(), "about:blank".into());
        document.insert("title".to_owned(), self.title.into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        document.insert("detail".to_owned(), self.detail.into());
        if !id.is_empty() {
            document.insert("requestId".to_owned(), id.into());
        }
        document.extend(self.more);
        let mut reply = Response::new(Value::Object(document).to_string().into_bytes().into());
        *reply.status_mut() = self.status;
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        reply.headers_mut().extend(self.header.map(|header| *header));
        reply
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::UnknownTable { available, .. } => {
                Self::new(StatusCode::NOT_FOUND, "unknown table", detail).with("tables", available)
            }
            Error::Loading { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not here yet", detail)
                .saying(RETRY_AFTER, HeaderValue::from(2u64)),
            Error::DuplicateTable { .. } => Self::new(StatusCode::CONFLICT, "the name is taken", detail),
            Error::Definition { .. } => Self::new(StatusCode::BAD_REQUEST, "not a table's definition", detail),
            Error::Rows { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "rows that do not fit", detail),
            Error::View { .. } => Self::new(StatusCode::BAD_REQUEST, "not a view of the table", detail),
            Error::Plan(_) => Self::new(StatusCode::BAD_REQUEST, "not a query plan", detail),
            Error::Query(kernels::Error::UnknownColumn(unknown)) => {
                Self::new(StatusCode::BAD_REQUEST, "unknown column", detail)
                    .with("column", unknown.name)
                    .with("columns", unknown.available)
            }
            Error::Query(kernels::Error::WrongType(wrong)) => Self::new(StatusCode::BAD_REQUEST, "wrong type", detail)
                .with("column", wrong.column)
                .with("columnType", wrong.data_type.to_string())
                .with("expected", wrong.expected),
            Error::Query(_) => Self::new(StatusCode::BAD_REQUEST, "query cannot be run", detail),
            Error::Budget { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "query too costly", detail),
            Error::Output(_) => Self::new(StatusCode::NOT_ACCEPTABLE, "result cannot be written", detail),
            Error::Io { source, .. } if is_full(&source) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no room", "the rows could not be written; none were kept")
            }
            other => {
                // What is wrong inside is for the log, not for the client.
                tracing::error!(error = %other, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal error",
                    "the server could not read the table; its log says why",
                )
            }
        }
    }
}

/// Whether writing failed for want of room, or of the right to write.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(
        error.kind(),
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::ReadOnlyFilesystem | K::PermissionDenied
    )
}
