//! Pages of which other origins may ask: those on a list, and no others. The list holds for fetches (CORS), for WebSockets
//! and for whatever changes something.
//!
//! A star is not taken: a server on loopback would then be open to every page that the browser shows.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Response, StatusCode, Uri};

use crate::http::Reply;
use crate::http::body::Body;
use crate::{Error, Result};

/// What a page may send.
const METHODS: &str = "GET, HEAD, POST, PUT, DELETE";
const HEADERS: &str = "accept, authorization, content-type, if-none-match, if-range, range, x-request-id";
/// What a page may read beyond the body.
const EXPOSED: &str = "accept-ranges, content-disposition, content-range, etag, retry-after, x-bodkin-bytes, \
     x-bodkin-key, x-bodkin-live, x-bodkin-query, x-bodkin-rows, x-request-id";

/// Origins whose pages may ask.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// From no page, or from one of this server.
    Here,
    /// From a page on the list.
    Listed,
    /// From a page elsewhere.
    Elsewhere,
}

impl Origins {
    /// The origins of a list, each as `https://host` or `https://host:port`.
    ///
    /// # Errors
    /// [`Error::Origin`] tells which one is none.
    pub fn try_new<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut origins = Vec::new();
        for text in list {
            let wrong = |reason: &'static str| Error::Origin { origin: text.to_owned(), reason };
            if text == "*" {
                return Err(wrong("every page of the web would be let in; name the origins one by one"));
            }
            let plain = text.trim_end_matches('/').to_ascii_lowercase();
            let uri: Uri = plain.parse().map_err(|_| wrong("expected scheme://host or scheme://host:port"))?;
            let whole = match (uri.scheme_str(), uri.authority()) {
                (Some(scheme @ ("http" | "https")), Some(authority)) if !authority.as_str().contains('@') => {
                    format!("{scheme}://{authority}")
                }
                _ => return Err(wrong("expected http:// or https:// and a host")),
            };
            if whole != plain {
                return Err(wrong("an origin ends after the host or the port"));
            }
            origins.push(whole);
        }
        Ok(Self(origins))
    }

    /// The origins, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Where a request comes from, by its headers.
    pub(crate) fn of(&self, headers: &HeaderMap, uri: &Uri) -> From {
        let Some(origin) = headers.get(ORIGIN) else { return From::Here };
        let Ok(origin) = origin.to_str() else { return From::Elsewhere };
        // Over HTTP/2 the host stands in the URI.
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| uri.authority().map(hyper::http::uri::Authority::as_str)).unwrap_or("");
        if self.0.iter().any(|listed| listed.eq_ignore_ascii_case(origin)) {
            From::Listed
        } else if !host.is_empty() && origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        {
            From::Here
        } else {
            From::Elsewhere
        }
    }

    /// The answer to a browser that asks what a page may do.
    pub(in crate::http) fn preflight(&self) -> Reply {
        let mut reply = Response::new(Body::EMPTY);
        *reply.status_mut() = StatusCode::NO_CONTENT;
        let headers = reply.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        headers.insert(VARY, HeaderValue::from_static("access-control-request-method, access-control-request-headers"));
        reply
    }

    /// Adds what lets a listed page read the answer; and that the answer depends on the page, for caches between.
    pub(crate) fn mark(&self, origin: Option<HeaderValue>, reply: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        reply.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin {
            reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            reply.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_taken() {
        let good = ["https://a.example", "http://localhost:3000/", "https://B.example"];
        let origins = Origins::try_new(good).unwrap();
        assert_eq!(
            origins.iter().collect::<Vec<_>>(),
            ["https://a.example", "http://localhost:3000", "https://b.example"]
        );
        for bad in ["*", "a.example", "https://a.example/path", "ftp://a.example", "https://u@a.example", "null", ""] {
            assert!(Origins::try_new([bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn where_a_request_comes_from() {
        let origins = Origins::try_new(["https://a.example"]).unwrap();
        let from = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8080"));
            headers.extend(origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin))));
            origins.of(&headers, &Uri::from_static("/"))
        };
        assert_eq!(from(None), From::Here);
        assert_eq!(from(Some("http://127.0.0.1:8080")), From::Here);
        assert_eq!(from(Some("https://a.example")), From::Listed);
        for elsewhere in ["https://a.example:444", "http://a.example", "https://a.example.evil", "null", "http://"] {
            assert_eq!(from(Some(elsewhere)), From::Elsewhere, "{elsewhere}");
        }
    }
}
