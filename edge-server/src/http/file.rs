//! A table's original file, as it is on the disk: whole or a range of it, sent piece by piece while it is read.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;

use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use hyper::{Response, StatusCode};

use super::body::{Body, Sender};
use super::problem::Problem;
use super::{Reply, Tables, ask};
use crate::{Error, Result};

/// Bytes that are read at a time.
const READ: usize = 256 << 10;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// From the first byte up to, and without, the last.
    Range(u64, u64),
    /// No byte of the file lies in it.
    Nothing,
}

/// Answers with the file, or a part of it.
pub(super) async fn file(name: &str, tables: &Tables, head: bool, headers: &HeaderMap) -> Result<Reply, Problem> {
    let _known = tables.get(name)?;
    let path = tables.files.get(name).ok_or_else(|| Problem::no_file(name))?.clone();
    let opened = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || open(&path)).await
    };
    let (mut file, metadata) = opened.map_err(|error| Error::Internal(error.to_string()))??;
    let length = metadata.len();
    let modified = metadata.modified().ok();
    let tag = tag(&metadata);
    if is_known(headers, &tag, modified) {
        return Ok(described(Response::new(Body::EMPTY), StatusCode::NOT_MODIFIED, &tag, modified));
    }
    let part = if may_be_part(headers, &tag, modified) { part(headers, length) } else { Part::Whole };
    let (first, end, status) = match part {
        Part::Nothing => return Ok(nothing(length, &tag, modified)),
        Part::Whole => (0, length, StatusCode::OK),
        Part::Range(first, end) => (first, end, StatusCode::PARTIAL_CONTENT),
    };
    let body = match head || first == end {
        true => Body::EMPTY,
        false => {
            let send = {
                let path = path.clone();
                move |sender: &mut Sender| send(&mut file, &path, first, end, sender)
            };
            Body::produced(&tables.limits, send).await?
        }
    };
    let mut reply = described(Response::new(body), status, &tag, modified);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - first));
    if status == StatusCode::PARTIAL_CONTENT {
        insert(headers, CONTENT_RANGE, format!("bytes {first}-{}/{length}", end - 1));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&path)));
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-._".contains(letter) { letter } else { '_' };
    let file: String = path.file_name().unwrap_or_default().to_string_lossy().chars().map(plain).collect();
    insert(headers, CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""));
    Ok(reply)
}

fn open(path: &Path) -> Result<(File, Metadata)> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    Ok((file, metadata))
}

fn send(file: &mut File, path: &Path, first: u64, end: u64, mut sender: &mut Sender) -> Result<()> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    file.seek(SeekFrom::Start(first)).map_err(io)?;
    let mut left = end - first;
    let mut buffer = vec![0; READ.min(usize::try_from(left).unwrap_or(READ))];
    while left > 0 {
        let room = buffer.len().min(usize::try_from(left).unwrap_or(READ));
        let read = file.read(&mut buffer[..room]).map_err(io)?;
        if read == 0 {
            let reason = "the file became shorter while it was sent".to_owned();
            return Err(Error::Format { path: path.to_owned(), reason });
        }
        left -= read as u64;
        if sender.write_all(&buffer[..read]).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The type of a file, by its name.
fn media_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "parquet" => "application/vnd.apache.parquet",
        "arrow" | "feather" => "application/vnd.apache.arrow.file",
        "arrows" | "ipc" => "application/vnd.apache.arrow.stream",
        "csv" => "text/csv; charset=utf-8",
        "tsv" => "text/tab-separated-values; charset=utf-8",
        "ndjson" | "jsonl" => "application/x-ndjson",
        "gz" => "application/gzip",
        "zst" => "application/zstd",
        _ => "application/octet-stream",
    }
}

/// A tag that changes when the file does.
fn tag(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let nanos = modified.map_or(0, |since| since.as_nanos());
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let number = 0_u64;
    format!("\"{:x}-{nanos:x}-{number:x}\"", metadata.len())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Seconds, as dates in headers have them.
fn seconds(time: SystemTime) -> Option<u64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Whether the client has the file as it is.
fn is_known(headers: &HeaderMap, tag: &str, modified: Option<SystemTime>) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return ask::has(headers, tag);
    }
    let since = text(headers, IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    since.zip(modified).is_some_and(|(since, modified)| seconds(modified) <= seconds(since))
}

/// Whether a part is any use: the rest that the client has is of the same file.
fn may_be_part(headers: &HeaderMap, tag: &str, modified: Option<SystemTime>) -> bool {
    match text(headers, IF_RANGE) {
        None => !headers.contains_key(IF_RANGE),
        Some(date) if !date.contains('"') => {
            let date = httpdate::parse_http_date(date).ok();
            date.zip(modified).is_some_and(|(date, modified)| seconds(date) == seconds(modified))
        }
        Some(known) => known == tag,
    }
}

/// What part of so many bytes is asked for. What is not understood, and several ranges at once, count for nothing: the
/// whole file is an answer to them too.
fn part(headers: &HeaderMap, length: u64) -> Part {
    let Some(range) = text(headers, RANGE).and_then(|range| range.strip_prefix("bytes=")) else { return Part::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Part::Whole };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok());
    match (first, last) {
        ("", "") => Part::Whole,
        ("", last) => match number(last).flatten() {
            Some(0) => Part::Nothing,
            Some(count) if length > 0 => Part::Range(length - count.min(length), length),
            Some(_) => Part::Nothing,
            None => Part::Whole,
        },
        (first, last) => {
            let end = if last.is_empty() { Some(Some(u64::MAX)) } else { number(last) };
            match (number(first).flatten(), end.flatten()) {
                (Some(first), Some(last)) if first > last => Part::Whole,
                (Some(first), Some(_)) if first >= length => Part::Nothing,
                (Some(first), Some(last)) => Part::Range(first, last.saturating_add(1).min(length)),
                _ => Part::Whole,
            }
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
}

fn described(mut reply: Reply, status: StatusCode, tag: &str, modified: Option<SystemTime>) -> Reply {
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    insert(headers, ETAG, tag.to_owned());
    if let Some(modified) = modified {
        insert(headers, LAST_MODIFIED, httpdate::fmt_http_date(modified));
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Kept by the client, and asked about each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    reply
}

fn nothing(length: u64, tag: &str, modified: Option<SystemTime>) -> Reply {
    let reply = Problem::no_range(length).reply("");
    let mut reply = described(reply, StatusCode::RANGE_NOT_SATISFIABLE, tag, modified);
    insert(reply.headers_mut(), CONTENT_RANGE, format!("bytes */{length}"));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let asked = |range: &'static str, length| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(range));
            part(&headers, length)
        };
        assert_eq!(asked("bytes=0-0", 10), Part::Range(0, 1));
        assert_eq!(asked("bytes=2-5", 10), Part::Range(2, 6));
        assert_eq!(asked("bytes=2-", 10), Part::Range(2, 10));
        assert_eq!(asked("bytes=5-99999999999999999", 10), Part::Range(5, 10));
        assert_eq!(asked("bytes=-3", 10), Part::Range(7, 10));
        assert_eq!(asked("bytes=-30", 10), Part::Range(0, 10));
        assert_eq!(asked("bytes=10-", 10), Part::Nothing);
        assert_eq!(asked("bytes=-0", 10), Part::Nothing);
        assert_eq!(asked("bytes=0-", 0), Part::Nothing);
        let ignored = [
            "bytes=5-2",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1",
            "rows=1-2",
            "bytes=0-1,3-4",
            "bytes=-",
            "bytes=99999999999999999999999-",
        ];
        for odd in ignored {
            assert_eq!(asked(odd, 10), Part::Whole, "{odd}");
        }
    }
}
