//! What a request asks for: a plan, a representation, and whether the client has the answer already.

use std::hash::{DefaultHasher, Hash, Hasher};

use arrow_schema::Schema;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, IF_NONE_MATCH};
use hyper::{Method, Request};
use kernels::query::Plan;
use wire::{Codec, Options};

use super::body;
use super::encoding::Encoding;
use super::limits::Limits;
use super::problem::Problem;
use crate::Error;
use crate::output::Format;

/// The media type of a plan as compact bytes.
const PLAN_BYTES: &str = "application/vnd.bodkin.plan";

/// What a query's result can be had as, the first of which is the default.
pub(super) const REPRESENTATIONS: [Format; 6] =
    [Format::ArrowStream, Format::ArrowFile, Format::Parquet, Format::Json, Format::Ndjson, Format::Csv];

/// How an answer is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Representation {
    pub(super) format: Format,
    pub(super) options: Options,
    /// Whether the client asked for a file to keep, by `format=` in the URL.
    pub(super) is_download: bool,
    pub(super) encoding: Encoding,
}

/// A request's question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) plan: Plan,
    pub(super) representation: Representation,
}

impl Question {
    /// Reads a query: by GET from the URL, by POST from the body.
    pub(super) async fn read(
        request: Request<Incoming>,
        schema: &Schema,
        encodes: bool,
        limits: &Limits,
    ) -> Result<Self, Problem> {
        let (parameters, format) = split_format(request.uri().query().unwrap_or(""))?;
        let mut representation = negotiate(request.headers(), encodes)?;
        if let Some(format) = format {
            (representation.format, representation.is_download) = (format, true);
        }
        let plan = if request.method() == Method::POST {
            if !parameters.is_empty() {
                return Err(Problem::bad_request("a POST has its plan in the body, not in the URL"));
            }
            let is_bytes = media_type(request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()));
            let bytes = body::read(request.into_body(), limits.body_bytes, limits.body_time).await?;
            match is_bytes.as_deref() {
                Some(PLAN_BYTES) => wire::plan::from_bytes(&bytes),
                _ => wire::plan::from_json(&bytes),
            }
        } else {
            wire::plan::from_url(&parameters, Some(schema))
        };
        Ok(Self { plan: plan.map_err(Error::Plan)?, representation })
    }
}

/// The URL's parameters without `format`, and the format.
pub(super) fn split_format(query: &str) -> Result<(String, Option<Format>), Problem> {
    let mut format = None;
    let mut rest = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.strip_prefix("format=") {
            Some(name) => {
                let known = "arrow, arrow-file, parquet, csv, json, ndjson";
                let wrong = || Problem::bad_request(&format!("format={name}: the formats are {known}"));
                format = Some(Format::named(name).ok_or_else(wrong)?);
            }
            None => rest.push(part),
        }
    }
    Ok((rest.join("&"), format))
}

pub(super) fn media_type(value: Option<&str>) -> Option<String> {
    Some(value?.split(';').next()?.trim().to_ascii_lowercase()).filter(|kind| !kind.is_empty())
}

/// The representation that a client likes best: by weight, then by the order of its list.
pub(super) fn negotiate(headers: &HeaderMap, encodes: bool) -> Result<Representation, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let encoding = if encodes { Encoding::negotiate(text(ACCEPT_ENCODING).unwrap_or("")) } else { Encoding::Identity };
    let made = |format, options| Representation { format, options, is_download: false, encoding };
    let Some(accept) = text(ACCEPT) else { return Ok(made(Format::ArrowStream, Options::default())) };
    let mut best: Option<(f32, Representation)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
            "*/*" | "application/*" | "application/vnd.apache.arrow.stream" => Format::ArrowStream,
            "application/vnd.apache.arrow.file" => Format::ArrowFile,
            "application/vnd.apache.parquet" => Format::Parquet,
            "application/json" => Format::Json,
            "application/x-ndjson" | "application/jsonl" => Format::Ndjson,
            "text/csv" | "text/*" => Format::Csv,
            _ => continue,
        };
        let (mut weight, mut options) = (1.0, Options::default());
        for parameter in parts {
            match parameter.split_once('=') {
                Some(("q", value)) => weight = value.parse().unwrap_or(0.0),
                Some(("codecs", "zstd")) => options = options.with_codec(Codec::Zstd),
                Some(("codecs", "lz4")) => options = options.with_codec(Codec::Lz4),
                Some(("codecs", other)) => {
                    return Err(Problem::bad_request(&format!("codecs={other}: the codecs are zstd and lz4")));
                }
                _ => {}
            }
        }
        if weight > 0.0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, made(format, options)));
        }
    }
    best.map(|(_, representation)| representation).ok_or_else(|| Problem::not_acceptable(accept))
}

/// The entity tag of an answer: the table's tag, the question and the form. Weak, since the cut into batches may differ.
pub(super) fn entity_tag(table: u64, plan: &[u8], representation: &Representation) -> String {
    let part = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, table, plan, representation.format.media_type()).hash(&mut hasher);
        (representation.options.codec.map(Codec::name), representation.encoding.name()).hash(&mut hasher);
        hasher.finish()
    };
    format!("W/\"{:016x}{:016x}\"", part(0), part(1))
}

/// Whether a client has the answer of this tag.
pub(super) fn has(headers: &HeaderMap, tag: &str) -> bool {
    let strong = tag.trim_start_matches("W/");
    headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == strong)
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn asked(accept: &'static str) -> Option<(Format, Option<Codec>)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        negotiate(&headers, false).ok().map(|found| (found.format, found.options.codec))
    }

    #[test]
    fn what_a_client_likes_best_is_given() {
        assert_eq!(asked("text/csv"), Some((Format::Csv, None)));
        assert_eq!(asked("text/csv;q=0.5, application/json"), Some((Format::Json, None)));
        assert_eq!(asked("image/png, */*;q=0.1"), Some((Format::ArrowStream, None)));
        let packed = "application/vnd.apache.arrow.stream;codecs=zstd";
        assert_eq!(asked(packed), Some((Format::ArrowStream, Some(Codec::Zstd))));
        assert_eq!(asked("application/json;q=0"), None);
        assert_eq!(asked("application/vnd.apache.arrow.stream;codecs=snappy"), None);
    }

    #[test]
    fn tags_are_compared_weakly() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"x\", W/\"abc\""));
        assert!(has(&headers, "W/\"abc\"") && has(&headers, "\"x\"") && !has(&headers, "W/\"y\""));
    }
}
