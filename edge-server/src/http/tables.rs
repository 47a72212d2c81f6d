//! Tables: what there is, their rows, and queries over them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use serde_json::{Value, json};
use wire::stream::StreamEncoder;

use super::body::{self, Body, Sender};
use super::problem::Problem;
use super::{Reply, Tables};
use crate::output::{Format, Writer};
use crate::run::Query;
use crate::source::Source;
use crate::{Error, Result};

/// Rows of the batch that a client sees first, so that it can show something early.
const FIRST_ROWS: usize = 2_048;
/// What a query's result can be had as.
pub(super) const REPRESENTATIONS: [Format; 4] = [Format::ArrowStream, Format::Json, Format::Ndjson, Format::Csv];

/// All tables.
pub(super) fn list(tables: &Tables) -> Value {
    let tables: Vec<Value> = tables
        .by_name
        .iter()
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
    Ok(json!({ "name": name, "rows": source.rows(), "bytes": source.bytes(), "columns": columns }))
}

/// All rows as one Arrow stream; each batch leaves when it has been read.
pub(super) async fn data(name: &str, tables: &Tables, head: bool) -> Result<Reply, Problem> {
    let source = tables.get(name)?.clone();
    let rows = source.rows();
    let body = if head { Body::EMPTY } else { Body::produced(move |sender| write_data(&source, sender)).await? };
    let mut reply = Response::new(body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Format::ArrowStream.media_type()));
    reply.headers_mut().insert("x-bodkin-rows", HeaderValue::from(rows));
    Ok(reply)
}

fn write_data(source: &Arc<dyn Source>, sender: &mut Sender) -> Result<()> {
    let mut encoder = StreamEncoder::try_new(source.schema()).map_err(output)?;
    let mut first = true;
    for batch in source.scan(None)? {
        let batch = batch?;
        let cut = if first { FIRST_ROWS.min(batch.num_rows()) } else { 0 };
        first = false;
        for part in [batch.slice(0, cut), batch.slice(cut, batch.num_rows() - cut)] {
            if part.num_rows() > 0 {
                sender.parts(encoder.encode(&part).map_err(output)?);
                sender.flush();
            }
        }
        if sender.is_closed() {
            return Ok(());
        }
    }
    sender.parts(encoder.finish().map_err(output)?);
    Ok(())
}

fn output(error: wire::Error) -> Error {
    Error::Output(error.to_string())
}

/// Runs the plan in the request's body.
pub(super) async fn query(name: &str, tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let source = tables.get(name)?.clone();
    let format = negotiate(&request)?;
    let plan = body::read(request.into_body()).await?;
    let plan = wire::plan::from_json(&plan).map_err(Error::Plan)?;
    let query = Query::prepare(&plan, source.as_ref())?;
    let body = Body::produced(move |sender| write_query(query, &source, format, sender)).await?;
    let mut reply = Response::new(body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    Ok(reply)
}

fn write_query(query: Query, source: &Arc<dyn Source>, format: Format, sender: &mut Sender) -> Result<()> {
    let schema = query.schema();
    if format == Format::ArrowStream {
        let mut encoder = StreamEncoder::try_new(&schema).map_err(output)?;
        query.run(source, |batch: RecordBatch| {
            sender.parts(encoder.encode(&batch).map_err(output)?);
            sender.flush();
            Ok(!sender.is_closed())
        })?;
        sender.parts(encoder.finish().map_err(output)?);
        return Ok(());
    }
    let mut writer = Writer::try_new(format, sender, &schema)?;
    query.run(source, |batch| writer.write(&batch).map(|()| true))?;
    writer.finish()
}

/// The representation that a client prefers, by the order of its list; Arrow when it takes anything.
fn negotiate(request: &Request<Incoming>) -> Result<Format, Problem> {
    let Some(accept) = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()) else {
        return Ok(Format::ArrowStream);
    };
    accept
        .split(',')
        .filter_map(|range| match range.split(';').next().unwrap_or("").trim() {
            "*/*" | "application/*" | "application/vnd.apache.arrow.stream" => Some(Format::ArrowStream),
            "application/json" => Some(Format::Json),
            "application/x-ndjson" => Some(Format::Ndjson),
            "text/csv" | "text/*" => Some(Format::Csv),
            _ => None,
        })
        .next()
        .ok_or_else(|| Problem::not_acceptable(accept))
}
