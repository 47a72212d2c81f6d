//! One line in the log for each request, when its answer has ended; and the id by which it is found again.
//!
//! The id comes from the client's `x-request-id` if that is plain, and is made otherwise; it stands in the answer's header
//! and in problem documents. Queries, headers and bodies are never logged: a token could stand in them.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Method;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::header::HeaderMap;

use super::body::Body;
use super::connection::InFlight;
use super::metrics::{Counted, Metrics};
use crate::Error;

/// The header of ids.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// A longer id is none.
const LONGEST: usize = 100;

/// The request's id, if it has a plain one, or a new one.
pub(super) fn id(headers: &HeaderMap) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(byte);
    match headers.get(REQUEST_ID).map(hyper::header::HeaderValue::as_bytes) {
        Some(given) if (1..=LONGEST).contains(&given.len()) && given.iter().all(plain) => {
            String::from_utf8_lossy(given).into_owned()
        }
        _ => made(),
    }
}

/// An id that no other request has: when the process began, and which request it is.
fn made() -> String {
    use std::sync::LazyLock;
    static BEGAN: LazyLock<u64> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() as u64 ^ u64::from(std::process::id()) << 40
    });
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{:x}", *BEGAN, NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What is told of a request when its answer has ended.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) id: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) route: &'static str,
    pub(super) peer: IpAddr,
    pub(super) who: Option<Arc<str>>,
    pub(super) status: u16,
    pub(super) begin: Instant,
    pub(super) metrics: Arc<Metrics>,
    /// Held until the end, so that the request counts as running.
    pub(super) _counted: Counted,
    pub(super) _in_flight: InFlight,
}

/// A body that is watched on its way: its bytes are counted, and its end is told.
#[derive(Debug)]
pub(super) struct Traced {
    body: Body,
    bytes: u64,
    is_whole: bool,
    note: Note,
}

impl Traced {
    pub(super) fn new(body: Body, note: Note) -> Self {
        // The body of an answer to HEAD is not asked for.
        let is_whole = body.is_end_stream() || note.method == Method::HEAD;
        Self { body, bytes: 0, is_whole, note }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let Note { id, method, path, route, peer, who, status, begin, metrics, .. } = &self.note;
        let took = begin.elapsed();
        metrics.answered(route, *status, took, self.bytes, self.is_whole);
        let (millis, bytes, whole) = (took.as_millis() as u64, self.bytes, self.is_whole);
        let who = who.as_deref();
        if *status >= 500 {
            tracing::error!(id, %method, path, route, status, bytes, whole, millis, %peer, who, "request");
        } else {
            tracing::info!(id, %method, path, route, status, bytes, whole, millis, %peer, who, "request");
        }
    }
}

impl HttpBody for Traced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(context);
        match &frame {
            Poll::Ready(None) => this.is_whole = true,
            Poll::Ready(Some(Ok(frame))) => {
                this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                this.is_whole |= this.body.is_end_stream();
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn only_plain_ids_are_taken() {
        let given = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
            id(&headers)
        };
        assert_eq!(given("abc-1.2_3:4"), "abc-1.2_3:4");
        for odd in ["", "a b", "a\"b", "<script>", "a{}b", &"a".repeat(101)] {
            assert_ne!(given(odd), odd);
        }
        assert_ne!(given(""), given(""));
    }
}
