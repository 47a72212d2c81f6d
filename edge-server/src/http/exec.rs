//! `GET /exec?query=…`: SQL, answered in the shape of QuestDB's endpoint of the same name, so that what speaks to the one
//! speaks to the other.

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::body::{Body, Sender};
use super::problem::Problem;
use super::{Reply, Tables};
use crate::Error;
use crate::run::{Query, Terms};
use crate::sql::{self, SqlError, reply};

/// Why a statement has no answer: what is wrong and where, in characters.
struct Failed {
    status: StatusCode,
    reason: String,
    position: usize,
}

/// Answers a statement.
pub(super) async fn exec(tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let mut text = None;
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()) {
        match name.as_ref() {
            "query" => text = Some(value.into_owned()),
            // What QuestDB's own clients send beside the query.
            "count" | "nm" | "timings" | "explain" | "quoteLargeNum" | "src" => {}
            other => {
                let detail = format!("unknown parameter \"{other}\"; the statement is in query, its window in LIMIT");
                return Err(Problem::bad_request(&detail));
            }
        }
    }
    let text = text.ok_or_else(|| Problem::bad_request("the statement is missing: /exec?query=SELECT…"))?;
    let is_head = request.method() == Method::HEAD;
    let mut answer = match run(tables, text.clone(), is_head).await {
        Ok(body) => Response::new(body),
        Err(Failed { status, reason, position }) => {
            let mut answer = Response::new(Body::from(reply::failure(&text, &reason, position).into_bytes()));
            *answer.status_mut() = status;
            answer
        }
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Ok(answer)
}

async fn run(tables: &Tables, text: String, is_head: bool) -> Result<Body, Failed> {
    // The parser has a thread of its own, which is waited for on another.
    let parsed = {
        let text = text.clone();
        tokio::task::spawn_blocking(move || sql::parse(&text)).await
    };
    let parsed = parsed.unwrap_or_else(|error| Err(SqlError::Internal { reason: error.to_string() }));
    let statement = parsed.map_err(|error| Failed {
        status: StatusCode::BAD_REQUEST,
        position: error.position(&text),
        reason: error.to_string(),
    })?;
    let failed = |error: Error| {
        let status = Problem::status_of(&error);
        // What is wrong inside is for the log, not for the client.
        let reason = if status.is_server_error() {
            tracing::error!(%error, "a statement failed");
            "internal error".to_owned()
        } else {
            error.to_string()
        };
        Failed { status, reason, position: 0 }
    };
    let source = tables.get(&statement.table).map_err(failed)?;
    let source = source.frozen().unwrap_or(source);
    let query = Query::prepare(&statement.plan, source.as_ref()).map_err(failed)?;
    if is_head {
        return Ok(Body::EMPTY);
    }
    let (knowledge, budget) = (tables.knowledge.clone(), tables.budget);
    let mut running = tables.metrics.query();
    let write = move |sender: &mut Sender| {
        let is_given_up = sender.gone();
        let terms = Terms { knowledge: &knowledge, budget, is_given_up: &is_given_up };
        let mut writer = reply::ReplyWriter::begin(sender, &text, &query.schema(), &statement.names)?;
        let done = query.run(&source, terms, |batch| writer.batch(&batch).map(|()| true));
        running.end(&done, is_given_up());
        done?;
        writer.end().map(|_sender| ())
    };
    Body::produced(&tables.limits, write).await.map_err(failed)
}
