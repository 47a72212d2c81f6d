//! Tables: what there is, their rows, and queries over them.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use wire::stream::StreamEncoder;

use super::ask::{self, Question, Representation};
use super::body::{Body, Sender};
use super::encoding::{Encoder, Encoding};
use super::problem::Problem;
use super::{Reply, Tables};
use crate::output::{Format, Writer};
use crate::run::{Query, Terms};
use crate::source::Source;
use crate::{Error, Result};

/// Rows of the batch that a client sees first, so that it can show something early.
const FIRST_ROWS: usize = 2_048;
/// Rows of a batch that is sent: who reads needs room for one more than the table.
const SENT_ROWS: usize = 131_072;

/// How many rows a table has, or the whole view that an answer is a page of.
pub(super) const ROWS: &str = "x-bodkin-rows";

/// Whom a request asks: a table or a handle.
pub(super) struct Asked {
    pub(super) source: Arc<dyn Source>,
    /// What its answers are called when they are kept as files.
    pub(super) name: String,
    /// Where it is followed from here on, and its key, when it is a live table.
    live: Option<[String; 2]>,
}

impl Asked {
    pub(super) fn table(name: &str, tables: &Tables) -> Result<Self, Problem> {
        let source = tables.get(name)?;
        // Of a live table the rows of this moment: tag, order and rows belong together.
        let source = source.frozen().unwrap_or(source);
        Ok(Self { source, name: name.to_owned(), live: None })
    }

    /// A table whose rows are read now and followed from then on: of a live table, as it is at this moment.
    pub(super) fn followed(name: &str, tables: &Tables) -> Result<Self, Problem> {
        let Some(table) = tables.live.as_ref().and_then(|store| store.get(name)) else {
            return Self::table(name, tables);
        };
        let pinned = table.pinned();
        let (epoch, sequence) = (pinned.snapshot.epoch, pinned.snapshot.sequence);
        let path = format!("/v1/tables/{}/subscribe?epoch={epoch}&from={sequence}", escaped(name));
        let key: Vec<String> = table.definition().key.iter().map(|column| escaped(column)).collect();
        Ok(Self { source: Arc::new(pinned), name: name.to_owned(), live: Some([path, key.join(",")]) })
    }

    pub(super) fn handle(id: &str, tables: &Tables) -> Result<Self, Problem> {
        match tables.handles.get(id, Instant::now()) {
            Ok(source) => Ok(Self { source, name: id.to_owned(), live: None }),
            Err(gone) => Err(Problem::no_handle(id, gone)),
        }
    }
}

/// All tables.
pub(super) fn list(tables: &Tables) -> Value {
    let tables: Vec<Value> = tables
        .all()
        .into_iter()
        .map(|(name, source)| {
            json!({
                "name": name, "rows": source.rows(), "bytes": source.bytes(),
                "columns": source.schema().fields().len(),
            })
        })
        .collect();
    json!({ "tables": tables })
}

/// One table with its columns.
pub(super) fn describe(name: &str, tables: &Tables) -> Result<Value> {
    let source = tables.get(name)?;
    let columns: Vec<Value> = source
        .schema()
        .fields()
        .iter()
        .map(|field| {
            json!({
                "name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable(),
            })
        })
        .collect();
    let mut told = json!({ "name": name, "rows": source.rows(), "bytes": source.bytes(), "columns": columns });
    if let Some(live) = tables.live.as_ref().and_then(|store| store.get(name)) {
        // Who follows it has to know what names a row.
        told["key"] = json!(live.definition().key);
    }
    Ok(told)
}

/// All rows as one Arrow stream; each batch leaves when it has been read.
pub(super) async fn data(of: Asked, tables: &Tables, head: bool, headers: &HeaderMap) -> Result<Reply, Problem> {
    let Asked { source, name, live } = of;
    let mut representation = ask::negotiate(headers, tables.encodes)?;
    representation.format = Format::ArrowStream;
    let (rows, size) = (source.rows(), source.unpacked());
    let tag = ask::entity_tag(source.tag(), b"data", &representation);
    if ask::has(headers, &tag) {
        return Ok(unchanged(&tag));
    }
    let body = match head {
        true => Body::EMPTY,
        false => Body::produced(&tables.limits, move |sender| write_data(&source, representation, sender)).await?,
    };
    let mut reply = reply(body, representation, &tag, &name);
    // What a viewer needs to know before the rows: whether it wants all of them, and who answers if not; and whether it
    // can follow them.
    let headers = reply.headers_mut();
    headers.insert(ROWS, HeaderValue::from(rows));
    headers.insert("x-bodkin-bytes", HeaderValue::from(size));
    headers.insert("x-bodkin-query", HeaderValue::from_static("query"));
    for (name, value) in ["x-bodkin-live", "x-bodkin-key"].into_iter().zip(live.into_iter().flatten()) {
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (HeaderName::from_static(name), value)));
    }
    Ok(reply)
}

/// A name as a part of a URL.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ => text.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    text
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

fn write_data(source: &Arc<dyn Source>, representation: Representation, sender: &mut Sender) -> Result<()> {
    let mut out = Out::try_new(representation, sender, source.schema())?;
    let mut first = true;
    for batch in source.scan(None, None)? {
        let batch = batch?;
        let mut row = 0;
        while row < batch.num_rows() {
            let rows = if first { FIRST_ROWS } else { SENT_ROWS }.min(batch.num_rows() - row);
            first = false;
            if !out.write(&batch.slice(row, rows))? {
                return Ok(());
            }
            row += rows;
        }
    }
    out.finish()
}

fn output(error: impl std::fmt::Display) -> Error {
    Error::Output(error.to_string())
}

/// Where batches go: the parts of an Arrow stream as they are, everything else through a writer and an encoder.
enum Out<'a> {
    Parts(Box<StreamEncoder>, &'a mut Sender),
    Written { writer: Box<Writer<Packed<'a>>>, packed: Packed<'a> },
}

/// The encoder, held by the writer and by whoever lets its bytes go.
#[derive(Clone)]
pub(super) struct Packed<'a>(Arc<Mutex<Option<Encoder<&'a mut Sender>>>>);

impl Packed<'_> {
    fn each<T>(&self, run: impl FnOnce(&mut Encoder<&mut Sender>) -> std::io::Result<T>) -> std::io::Result<T> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(encoder) => run(encoder),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Write for Packed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.each(|mut encoder| encoder.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> Out<'a> {
    fn try_new(representation: Representation, sender: &'a mut Sender, schema: &SchemaRef) -> Result<Self> {
        let Representation { format, options, encoding, .. } = representation;
        if format == Format::ArrowStream && encoding == Encoding::Identity {
            let encoder = StreamEncoder::try_with_options(schema, options).map_err(output)?;
            return Ok(Self::Parts(Box::new(encoder), sender));
        }
        let encoder = Encoder::try_new(encoding, sender).map_err(output)?;
        let packed = Packed(Arc::new(Mutex::new(Some(encoder))));
        let writer = Box::new(Writer::try_with_options(format, options, packed.clone(), schema)?);
        Ok(Self::Written { writer, packed })
    }

    /// Writes a batch and lets it go; false when the client has gone.
    fn write(&mut self, batch: &RecordBatch) -> Result<bool> {
        match self {
            Self::Parts(encoder, sender) => {
                sender.parts(encoder.encode(batch).map_err(output)?);
                Sender::flush(sender);
                Ok(!sender.is_closed())
            }
            Self::Written { writer, packed } => match writer.write(batch) {
                Ok(()) => Ok(packed.each(|mut encoder| encoder.flush()).is_ok()),
                Err(error) => Err(error),
            },
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Parts(encoder, sender) => {
                sender.parts(encoder.finish().map_err(output)?);
                Ok(())
            }
            Self::Written { writer, packed } => {
                writer.finish()?;
                let encoder = packed.0.lock().unwrap_or_else(PoisonError::into_inner).take();
                encoder.map_or(Ok(()), Encoder::finish).map_err(output)
            }
        }
    }
}

/// Runs the plan that the request holds.
pub(super) async fn query(of: Asked, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let Asked { source, name, .. } = of;
    let (headers, head) = (request.headers().clone(), request.method() == Method::HEAD);
    let question = Question::read(request, source.schema(), tables.encodes, &tables.limits).await?;
    let Question { plan, representation } = question;
    let query = Query::prepare(&plan, source.as_ref())?;
    let bytes = wire::plan::to_bytes(&plan).map_err(Error::Plan)?;
    let tag = ask::entity_tag(source.tag(), &bytes, &representation);
    if ask::has(&headers, &tag) {
        return Ok(unchanged(&tag));
    }
    let total = query.total();
    let known = query.known_total(&source, &tables.knowledge);
    let body = match head {
        true => Body::EMPTY,
        false => {
            let schema = query.schema();
            written(tables, representation, schema, move |terms, sink| query.run(&source, terms, sink)).await?
        }
    };
    let mut reply = reply(body, representation, &tag, &name);
    // The first page of a view may have found out how long the view is.
    if let Some(rows) = known.or_else(|| total.get().copied()) {
        reply.headers_mut().insert(ROWS, HeaderValue::from(rows));
    }
    Ok(reply)
}

/// A body of the batches that a query gives, which runs while they are sent and ends when nobody takes them.
pub(super) async fn written(
    tables: &Tables,
    representation: Representation,
    schema: SchemaRef,
    run: impl FnOnce(Terms<'_>, &mut dyn FnMut(RecordBatch) -> Result<bool>) -> Result<()> + Send + 'static,
) -> Result<Body> {
    let (knowledge, budget) = (tables.knowledge.clone(), tables.budget);
    let mut running = tables.metrics.query();
    let write = move |sender: &mut Sender| {
        let is_given_up = sender.gone();
        let mut out = Out::try_new(representation, sender, &schema)?;
        let mut is_open = true;
        let terms = Terms { knowledge: &knowledge, budget, is_given_up: &is_given_up };
        let done = run(terms, &mut |batch| {
            is_open = out.write(&batch)?;
            Ok(is_open)
        });
        running.end(&done, !is_open || is_given_up());
        done?;
        if is_open { out.finish() } else { Ok(()) }
    };
    Body::produced(&tables.limits, write).await
}

/// What a plan would do, in words.
pub(super) async fn explain(of: Asked, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let source = of.source;
    let question = Question::read(request, source.schema(), false, &tables.limits).await?;
    let query = Query::prepare(&question.plan, source.as_ref())?;
    let text = query.explain(&source, &tables.knowledge)?;
    let mut reply = Response::new(Body::from((text + "\n").into_bytes()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(reply)
}

/// An answer with its headers.
pub(super) fn reply(body: Body, representation: Representation, tag: &str, name: &str) -> Reply {
    let mut reply = Response::new(body);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(representation.format.media_type()));
    if let Some(encoding) = representation.encoding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if representation.is_download {
        // A name in a URL may hold anything; in a header it may not.
        let plain: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        let disposition = format!("attachment; filename=\"{plain}.{}\"", representation.format.extension());
        headers.extend(HeaderValue::try_from(disposition).ok().map(|value| (CONTENT_DISPOSITION, value)));
    }
    validators(headers, tag);
    reply
}

/// 304: the client has the answer.
pub(super) fn unchanged(tag: &str) -> Reply {
    let mut reply = Response::new(Body::EMPTY);
    *reply.status_mut() = StatusCode::NOT_MODIFIED;
    validators(reply.headers_mut(), tag);
    reply
}

fn validators(headers: &mut HeaderMap, tag: &str) {
    headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (ETAG, tag)));
    // Kept by the client, and asked about each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
}
