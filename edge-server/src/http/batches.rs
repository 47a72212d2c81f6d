//! Parts and batches for workers: `GET …/batches?size=1024&shuffle=7&parts=8&part=3`.
//!
//! The URL holds what is read (`columns` and `filter[…]`, as in a query), which part of it, and how it is cut and ordered. Every
//! answer is made of the URL and the rows alone, so that workers need not know of each other, and one that broke down goes on
//! with `from=`.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use kernels::partition::MOST_PARTS;

use super::ask;
use super::body::Body;
use super::problem::Problem;
use super::tables::{Asked, ROWS, reply, unchanged, written};
use super::{Reply, Tables, routes};
use crate::Error;
use crate::run::{Method, Part, Reach, Reading};

/// Rows of a batch, unless the URL says.
const SIZE: usize = 65_536;
/// The largest batch: who reads it has to hold it.
const LARGEST: usize = 1 << 20;
/// The largest sample: with a filter its rows' places are held.
const SAMPLE: usize = 100_000_000;

/// Reads a table in batches, or one part of it.
pub(super) async fn batches(
    of: Asked,
    tables: &Tables,
    head: bool,
    headers: &HeaderMap,
    query: &str,
) -> Result<Reply, Problem> {
    let Asked { source, name, .. } = of;
    let mut representation = ask::negotiate(headers, tables.encodes)?;
    let (query, format) = ask::split_format(query)?;
    if let Some(format) = format {
        (representation.format, representation.is_download) = (format, true);
    }
    let reading = asked(&query, source.schema())?;
    let schema = reading.schema(source.as_ref())?;
    let tag = ask::entity_tag(source.tag(), format!("batches {reading:?}").as_bytes(), &representation);
    if ask::has(headers, &tag) {
        return Ok(unchanged(&tag));
    }
    let mut told = vec![("x-bodkin-batch-rows", reading.size.to_string())];
    if let Some(rows) = reading.rows(source.as_ref()) {
        let batches = if reading.drops_last { rows / reading.size } else { rows.div_ceil(reading.size) };
        told.extend([(ROWS, rows.to_string()), ("x-bodkin-batches", batches.to_string())]);
    }
    if let Some(Part { part, parts, .. }) = &reading.part {
        told.push(("x-bodkin-part", format!("{part}/{parts}")));
    }
    if reading.shuffle.is_some() {
        let reach = match reading.reach(source.as_ref()) {
            Reach::Whole => "whole".to_owned(),
            Reach::Windows(rows) => format!("windows; rows={rows}"),
        };
        told.push(("x-bodkin-shuffle", reach));
    }
    let body = match head {
        true => Body::EMPTY,
        false => written(tables, representation, schema, move |terms, sink| reading.run(&source, terms, sink)).await?,
    };
    let mut reply = reply(body, representation, &tag, &name);
    for (name, value) in told {
        let value = HeaderValue::try_from(value).ok();
        reply.headers_mut().extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
    Ok(reply)
}

/// What a URL asks for.
fn asked(query: &str, schema: &Schema) -> Result<Reading, Problem> {
    let mut own: BTreeMap<&str, String> = BTreeMap::new();
    let mut rest = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((known, _)) => {
                let text = routes::decode(&value.replace('+', " "));
                let text = text.ok_or_else(|| Problem::bad_request(&format!("{part}: a broken percent escape")))?;
                if own.insert(known, text).is_some() {
                    return Err(Problem::bad_request(&format!("{name} stands twice")));
                }
            }
            None if ["sort", "limit", "offset", "group", "aggregate"].contains(&name) => {
                let detail = format!("{name}: batches have columns and filter[…] of a query; a handle holds a result");
                return Err(Problem::bad_request(&detail));
            }
            None => rest.push(part),
        }
    }
    let plan = wire::plan::from_url(&rest.join("&"), Some(schema)).map_err(Error::Plan)?;
    let given = Given(own);
    let epoch = given.number("epoch", 0, u64::MAX)?;
    let shuffle = given.number("shuffle", 0, u64::MAX)?;
    let sample = given.number("sample", 0, SAMPLE as u64)?.map(|rows| rows as usize);
    let seed = given.number("seed", 0, u64::MAX)?;
    given.needs("epoch", "shuffle")?;
    given.needs("seed", "sample")?;
    let drops_last = match given.0.get("drop_last").map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(given.wrong("drop_last")),
    };
    Ok(Reading {
        plan,
        part: given.part()?,
        size: given.number("size", 1, LARGEST as u64)?.map_or(SIZE, |size| size as usize),
        shuffle,
        epoch: epoch.unwrap_or(0),
        from: given.number("from", 0, u64::from(u32::MAX))?.map_or(0, |from| from as usize),
        sample: sample.map(|rows| (rows, seed.unwrap_or(0))),
        drops_last,
    })
}

/// The parameters beside those of a query, and what they take.
const NAMES: [(&str, &str); 11] = [
    ("by", "columns"),
    ("drop_last", "true or false"),
    ("epoch", "a number"),
    ("from", "the first batch, from 0"),
    ("method", "hash or range"),
    ("part", "a number from 0 and below parts"),
    ("parts", "from 1 to 65536"),
    ("sample", "rows, up to 100000000"),
    ("seed", "a number"),
    ("shuffle", "a number, the seed"),
    ("size", "from 1 to 1048576 rows"),
];

/// What stands in the URL.
struct Given<'a>(BTreeMap<&'a str, String>);

impl Given<'_> {
    fn wrong(&self, name: &str) -> Problem {
        let takes = NAMES.iter().find(|(known, _)| *known == name).map_or("", |(_, takes)| takes);
        let found = self.0.get(name).map_or("", String::as_str);
        Problem::bad_request(&format!("{name}={found}: expected {takes}"))
    }

    fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| self.wrong(name))
    }

    /// One parameter means nothing without another.
    fn needs(&self, name: &str, other: &str) -> Result<(), Problem> {
        match self.0.contains_key(name) && !self.0.contains_key(other) {
            true => Err(Problem::bad_request(&format!("{name} means nothing without {other}"))),
            false => Ok(()),
        }
    }

    fn part(&self) -> Result<Option<Part>, Problem> {
        for (name, other) in [("part", "parts"), ("parts", "part"), ("by", "parts"), ("method", "by")] {
            self.needs(name, other)?;
        }
        let Some(parts) = self.number("parts", 1, MOST_PARTS as u64)? else { return Ok(None) };
        let part = self.number("part", 0, parts - 1)?.unwrap_or(0);
        let by: Vec<String> =
            self.0.get("by").into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
        let method = match self.0.get("method").map(String::as_str) {
            None | Some("hash") => Method::Hash,
            Some("range") if by.len() == 1 => Method::Range,
            Some("range") => return Err(Problem::bad_request("method=range: expected by=COLUMN, one column")),
            Some(_) => return Err(self.wrong("method")),
        };
        Ok(Some(Part { by, method, parts: parts as usize, part: part as usize }))
    }
}
