//! The page and the viewer's bundle, inside the program and compressed ahead of time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use hyper::{Response, StatusCode};

use super::Reply;
use super::body::Body;

/// A file that is served as it is.
#[derive(Debug)]
pub(super) struct Asset {
    path: &'static str,
    media_type: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

macro_rules! page {
    ($path:literal, $file:literal, $media_type:literal) => {
        Asset {
            path: $path,
            media_type: $media_type,
            plain: include_bytes!(concat!("../../page/", $file)),
            gzip: None,
            brotli: None,
        }
    };
}

macro_rules! bundle {
    ($file:literal, $media_type:literal) => {
        Asset {
            path: concat!("/viewer/", $file),
            media_type: $media_type,
            plain: include_bytes!(concat!(env!("OUT_DIR"), "/viewer/", $file)),
            gzip: Some(include_bytes!(concat!(env!("OUT_DIR"), "/viewer/", $file, ".gz"))),
            brotli: Some(include_bytes!(concat!(env!("OUT_DIR"), "/viewer/", $file, ".br"))),
        }
    };
}

static ASSETS: [Asset; 22] = [
    page!("/", "index.html", "text/html; charset=utf-8"),
    page!("/page.css", "page.css", "text/css; charset=utf-8"),
    page!("/page.js", "page.js", "text/javascript; charset=utf-8"),
    page!("/signin.css", "signin.css", "text/css; charset=utf-8"),
    page!("/signin.js", "signin.js", "text/javascript; charset=utf-8"),
    page!("/icon.svg", "icon.svg", "image/svg+xml"),
    page!("/patterns", "patterns.html", "text/html; charset=utf-8"),
    page!("/patterns.css", "patterns.css", "text/css; charset=utf-8"),
    page!("/patterns.js", "patterns.js", "text/javascript; charset=utf-8"),
    page!("/patterns/kit.js", "patterns/kit.js", "text/javascript; charset=utf-8"),
    page!("/patterns/structs.js", "patterns/structs.js", "text/javascript; charset=utf-8"),
    page!("/patterns/tables.js", "patterns/tables.js", "text/javascript; charset=utf-8"),
    page!("/patterns/moving.js", "patterns/moving.js", "text/javascript; charset=utf-8"),
    page!("/patterns/screen.js", "patterns/screen.js", "text/javascript; charset=utf-8"),
    page!("/patterns/server.js", "patterns/server.js", "text/javascript; charset=utf-8"),
    page!("/patterns/train.js", "patterns/train.js", "text/javascript; charset=utf-8"),
    bundle!("patterns-module.js", "text/javascript; charset=utf-8"),
    bundle!("patterns.wasm", "application/wasm"),
    bundle!("bodkin.js", "text/javascript; charset=utf-8"),
    bundle!("bodkin-worker.js", "text/javascript; charset=utf-8"),
    bundle!("bodkin.wasm", "application/wasm"),
    bundle!("bodkin-more.wasm", "application/wasm"),
];

/// The asset of a path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

impl Asset {
    /// The viewer's file of this name in a folder, for work on the viewer; nothing for the page's own files.
    pub(super) fn read(&self, folder: &Path) -> Option<Reply> {
        let bytes = std::fs::read(folder.join(self.path.strip_prefix("/viewer/")?)).ok()?;
        let mut reply = Response::new(bytes.into());
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(reply)
    }

    /// The response, in the best encoding that the client takes.
    pub(super) fn reply(&self, request: &HeaderMap) -> Reply {
        let accepts = |encoding: &str| {
            let accept = request.get(ACCEPT_ENCODING).and_then(|accept| accept.to_str().ok()).unwrap_or("");
            accept.split(',').any(|range| {
                let (name, weight) = range.split_once(';').unwrap_or((range, ""));
                name.trim() == encoding && weight.trim() != "q=0"
            })
        };
        let (bytes, encoding) = match (self.brotli, self.gzip) {
            (Some(brotli), _) if accepts("br") => (brotli, Some("br")),
            (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
            _ => (self.plain, None),
        };
        let etag = self.etag(encoding);
        let known = request.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
        let mut reply = Response::new(if known { Body::EMPTY } else { Bytes::from_static(bytes).into() });
        if known {
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        // Kept by browsers, but asked for every time: a new server brings a new viewer.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(ETAG, etag);
        }
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        reply
    }

    fn etag(&self, encoding: Option<&str>) -> String {
        let mut hasher = DefaultHasher::new();
        self.plain.hash(&mut hasher);
        format!("\"{:016x}{}\"", hasher.finish(), encoding.unwrap_or(""))
    }
}
