//! What a column of a table holds, at a glance: `GET …/profile?column=dep_delay`, as JSON.

use std::sync::Arc;

use hyper::header::HeaderMap;
use kernels::query::Plan;
use serde_json::{Value, json};

use super::ask::{self, Representation};
use super::body::{Body, Sender};
use super::encoding::Encoding;
use super::problem::Problem;
use super::tables::{Asked, reply, unchanged};
use super::{Reply, Tables, routes};
use crate::output::{Format, Writer};
use crate::run::{Profile, Shape, Terms, profile};
use crate::{Error, Result};

/// Bins of a histogram, or values, unless another number is asked for.
const BINS: usize = 24;
const MOST_BINS: usize = 1_000;

/// Sums a column up, under the limits of a query.
pub(super) async fn column(
    of: Asked,
    tables: &Tables,
    head: bool,
    headers: &HeaderMap,
    query: &str,
) -> Result<Reply, Problem> {
    let Asked { source, name: table, .. } = of;
    let (name, bins) = asked(query)?;
    let Ok(column) = source.schema().index_of(&name) else {
        // Told as in a query, with the columns that there are.
        let plan = Plan { columns: Some(vec![name.clone()]), ..Plan::default() };
        plan.bind(source.schema()).map_err(Error::from)?;
        return Err(Problem::bad_request(&format!("unknown column {name}")));
    };
    let form = Representation {
        format: Format::Json,
        options: wire::Options::default(),
        is_download: false,
        encoding: Encoding::Identity,
    };
    let question = format!("profile {bins} {name}");
    let tag = ask::entity_tag(source.tag(), question.as_bytes(), &form);
    if ask::has(headers, &tag) {
        return Ok(unchanged(&tag));
    }
    let body = match head {
        true => Body::EMPTY,
        false => {
            let (knowledge, budget) = (tables.knowledge.clone(), tables.budget);
            let mut running = tables.metrics.query();
            let write = move |sender: &mut Sender| {
                let is_given_up = sender.gone();
                let terms = Terms { knowledge: &knowledge, budget, is_given_up: &is_given_up };
                let found = profile(&source, column, bins, terms);
                let is_cancelled = is_given_up();
                let found = found.and_then(|found| found.map(|found| told(&name, &found)).transpose());
                running.end(&found, is_cancelled);
                if let Some(told) = found? {
                    sender.parts(vec![told.to_string().into_bytes().into()]);
                }
                Ok(())
            };
            Body::produced(&tables.limits, write).await?
        }
    };
    Ok(reply(body, form, &tag, &table))
}

/// The column and the bins of a URL.
fn asked(query: &str) -> Result<(String, usize), Problem> {
    let (mut name, mut bins) = (None, BINS);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let wrong = || Problem::bad_request(&format!("{part}: expected column=NAME, bins=1 to {MOST_BINS}"));
        match part.split_once('=') {
            Some(("column", text)) => name = Some(routes::decode(&text.replace('+', " ")).ok_or_else(wrong)?),
            Some(("bins", number)) => {
                bins = number.parse().ok().filter(|bins| (1..=MOST_BINS).contains(bins)).ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
    }
    let name = name.ok_or_else(|| Problem::bad_request("expected column=NAME, the column to be summed up"))?;
    Ok((name, bins))
}

fn told(name: &str, found: &Arc<Profile>) -> Result<Value> {
    let mut told = json!({ "column": name, "rows": found.rows, "nulls": found.nulls });
    match &found.shape {
        Shape::Bins { ends: (low, high), counts } => {
            (told["low"], told["high"], told["counts"]) = (json!(low), json!(high), json!(counts));
        }
        Shape::Values { distinct, top } => {
            let mut text = Vec::new();
            let mut writer = Writer::try_new(Format::Json, &mut text, &top.schema())?;
            writer.write(top)?;
            writer.finish()?;
            let values = serde_json::from_slice::<Value>(&text).map_err(|error| Error::Output(error.to_string()))?;
            (told["distinct"], told["values"]) = (json!(distinct), values);
        }
        Shape::Many => (told["distinct"], told["values"]) = (Value::Null, json!([])),
        Shape::Nothing => {}
    }
    Ok(told)
}
