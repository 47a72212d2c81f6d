//! A live table over HTTP, and followers that hold a copy of it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use edge_server::live::Definition;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};
use wire::stream::{Event, StreamDecoder};
use wire::table::{Table, TableOptions};
use wire::update::{Change, Parts, Update};
use wire::{Limits, Options};

use crate::common::Served;

pub(crate) type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// `id`, `name`, `value`; with a key when asked for, and more in the definition.
pub(crate) fn definition(has_key: bool, more: Value) -> Value {
    let mut definition = json!({"columns": [
        {"name": "id", "type": "Int64", "nullable": !has_key},
        {"name": "name", "type": "Utf8"},
        {"name": "value", "type": "Float64"},
    ], "key": if has_key { json!(["id"]) } else { json!([]) }});
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    definition
}

/// Rows of such a table.
pub(crate) fn rows(rows: &[(i64, &str, f64)]) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef),
        ("name", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)))),
        ("value", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2)))),
    ])
    .unwrap()
}

pub(crate) fn make(server: &Served, name: &str, definition: &Value) {
    let answer = server.ask("PUT", &format!("/v1/tables/{name}"), "", definition.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Sends a change, and gives the answer, which must be good.
pub(crate) fn change(server: &Served, name: &str, change: Change) -> Value {
    let message = Update::new(0, 0, change).to_message(Options::default()).unwrap();
    let answer = server.ask("POST", &format!("/v1/tables/{name}/updates"), "", &message);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// The columns of all batches, each in one piece.
pub(crate) fn columns(schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<ArrayRef> {
    let of = |column: usize| {
        let parts: Vec<&dyn arrow_array::Array> = batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        match parts.is_empty() {
            true => arrow_array::new_empty_array(schema.field(column).data_type()),
            false => arrow_select::concat::concat(&parts).unwrap(),
        }
    };
    (0..schema.fields().len()).map(of).collect()
}

/// What a query gives.
pub(crate) fn result(server: &Served, path: &str) -> Vec<ArrayRef> {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{answer:?}");
    let reader = arrow_ipc::reader::StreamReader::try_new(answer.body.as_slice(), None).unwrap();
    let schema = reader.schema();
    columns(&schema, &reader.map(Result::unwrap).collect::<Vec<_>>())
}

/// The number of the last update, by an update that changes nothing.
pub(crate) fn connect(server: &Served, path: &str, protocol: Option<&str>) -> (Socket, Option<String>) {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    }
    let (socket, answer) = tungstenite::connect(request).unwrap();
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    let chosen = answer.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap().to_owned());
    (socket, chosen)
}

/// One who follows, with a copy of the table.
pub(crate) struct Follower {
    pub(crate) socket: Socket,
    pub(crate) copy: Table,
    stream: Option<(StreamDecoder, Parts)>,
    /// Kinds of the updates so far.
    pub(crate) kinds: Vec<&'static str>,
}

impl Follower {
    /// Follows a table by a URL's query; with the columns that are chosen there.
    pub(crate) fn new(server: &Served, name: &str, definition: &Value, query: &str, is_continuous: bool) -> Self {
        let protocol = if is_continuous { "bodkin.continuous" } else { "bodkin.discrete" };
        let path = format!("/v1/tables/{name}/subscribe{query}");
        let (socket, chosen) = connect(server, &path, Some(protocol));
        assert_eq!(chosen.as_deref(), Some(protocol));
        let definition: Definition = serde_json::from_value(definition.clone()).unwrap();
        let mut schema = definition.schema().unwrap();
        if let Some(columns) = query.split(['?', '&']).find_map(|part| part.strip_prefix("columns=")) {
            let columns: Vec<usize> = columns.split(',').map(|name| schema.index_of(name).unwrap()).collect();
            schema = schema.project(&columns).unwrap();
        }
        let copy = Table::try_new(Arc::new(schema), TableOptions::default().with_key(definition.key)).unwrap();
        let stream = is_continuous.then(Default::default);
        Self { socket, copy, stream, kinds: Vec::new() }
    }

    /// Takes the next message in; false when the server has closed.
    pub(crate) fn step(&mut self) -> bool {
        let bytes = match self.socket.read().unwrap() {
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return false,
            _ => return true,
        };
        let mut updates = Vec::new();
        match &mut self.stream {
            None => updates.push(Update::from_message(bytes.to_vec().into(), &Limits::default()).unwrap()),
            Some((decoder, parts)) => {
                decoder.push(bytes.to_vec());
                while let Some(event) = decoder.next_event() {
                    if let Event::Batch(batch) = event.unwrap() {
                        let metadata = decoder.metadata().clone();
                        updates.extend(parts.push(batch, &metadata).unwrap());
                    }
                }
            }
        }
        for update in updates {
            let done = self.copy.apply(&update, Duration::ZERO).unwrap_or_else(|error| panic!("{error}: {update:?}"));
            // Only the rows of a table that has had no update come twice, as it were.
            assert!(!done.repeated || update.sequence == 0);
            self.kinds.push(update.change.name());
        }
        true
    }

    /// Follows until an update has been taken in.
    pub(crate) fn until(&mut self, sequence: u64) {
        while self.copy.sequence() < sequence {
            assert!(self.step(), "closed before update {sequence}");
        }
    }

    /// The rows of the copy, in their order.
    pub(crate) fn columns(&mut self) -> Vec<ArrayRef> {
        let snapshot = self.copy.snapshot().unwrap();
        columns(&snapshot.schema, &snapshot.batches)
    }

    /// The rows of the copy in the order of the first column.
    pub(crate) fn sorted(&mut self) -> Vec<ArrayRef> {
        let columns = self.columns();
        let order = arrow_ord::sort::sort_to_indices(&columns[0], None, None).unwrap();
        columns.iter().map(|column| arrow_select::take::take(column, &order, None).unwrap()).collect()
    }

    /// The code and the reason with which the server closes.
    pub(crate) fn close(&mut self) -> (u16, String) {
        closed(&mut self.socket)
    }
}

/// Reads until the server closes: the code and the reason.
pub(crate) fn closed(socket: &mut Socket) -> (u16, String) {
    let begin = std::time::Instant::now();
    loop {
        assert!(begin.elapsed() < Duration::from_secs(30), "nobody closes");
        if let Message::Close(frame) = socket.read().unwrap() {
            let frame = frame.unwrap();
            // Tells the other side, so that it need not wait.
            let _gone = socket.flush();
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}
