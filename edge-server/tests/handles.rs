//! Handles over HTTP: made, derived, asked, listed, evicted, deleted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use common::{Answer, Served};
use edge_server::http::Tables;
use edge_server::source::{self, Table};
use serde_json::{Value, json};

fn make(server: &Served, wanted: &Value) -> Answer {
    server.ask("POST", "/v1/handles", "content-type: application/json\r\n", wanted.to_string().as_bytes())
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_result_is_kept_asked_and_derived_from() {
    let server = Served::sample();
    let plan = json!({"filter": {"compare": {"column": "origin", "op": "=", "value": "JFK"}}, "sort": [{"column": "dep_delay", "descending": true}]});
    let first = make(&server, &json!({"table": "flights", "plan": plan, "ttl": 60}));
    let handle = id(&first);
    assert_eq!(first.header("location"), Some(format!("/v1/handles/{handle}").as_str()));
    assert_eq!((first.json()["rows"].as_u64(), first.json()["of"].as_str()), (Some(111_279), Some("flights")));

    // A page of it is a page of the sorted table.
    let page =
        server.get(&format!("/v1/handles/{handle}/query?offset=1000&limit=50&columns=flight,dep_delay&format=csv"));
    let whole = server.get("/v1/tables/flights/query?filter[origin]=JFK&sort=-dep_delay&offset=1000&limit=50&columns=flight,dep_delay&format=csv");
    assert_eq!((page.status, &page.body), (200, &whole.body));
    let data = server.get(&format!("/v1/handles/{handle}/data"));
    assert_eq!(data.batches().iter().map(|batch| batch.num_rows()).sum::<usize>(), 111_279);

    // One of its own, which shares its memory.
    let before = server.get("/v1/handles").json()["bytes"].as_u64().unwrap();
    let derived = make(&server, &json!({"handle": handle, "plan": {"columns": ["carrier", "dep_delay"]}}));
    let second = id(&derived);
    let list = server.get("/v1/handles").json();
    assert_eq!((list["handles"].as_array().unwrap().len(), list["bytes"].as_u64().unwrap()), (2, before));
    let told = server.get(&format!("/v1/handles/{second}")).json();
    assert_eq!((told["of"].as_str().unwrap(), told["columns"][0]["name"].as_str()), (handle.as_str(), Some("carrier")));

    assert_eq!(server.ask("DELETE", &format!("/v1/handles/{handle}"), "", b"").status, 200);
    let gone = server.get(&format!("/v1/handles/{handle}/query?limit=1"));
    assert_eq!(gone.status, 410);
    assert!(gone.json()["detail"].as_str().unwrap().contains("was deleted"));
    // What was derived lives on.
    assert_eq!(server.get(&format!("/v1/handles/{second}/query?limit=1")).status, 200);
    assert_eq!(server.get(&format!("/v1/handles/{}", "0".repeat(32))).status, 404);
}

#[test]
fn what_cannot_be_kept_is_refused_and_what_was_not_used_goes() {
    let table = Table { name: "flights".to_owned(), source: source::open(&common::sample()).unwrap() };
    let server = Served::serve(Tables::try_new(vec![table]).unwrap().with_room_for_handles(8 << 20));
    let keep = |month: u32| {
        let filter = json!({"compare": {"column": "month", "op": "=", "value": month}});
        make(&server, &json!({"table": "flights", "plan": {"filter": filter}}))
    };
    let first = id(&keep(1));
    let others: Vec<String> = (2..7).map(|month| id(&keep(month))).collect();
    let gone = server.get(&format!("/v1/handles/{first}/data"));
    assert_eq!(gone.status, 410);
    assert!(gone.json()["detail"].as_str().unwrap().contains("memory was short"));
    assert_eq!(server.get(&format!("/v1/handles/{}/query?limit=1", others[4])).status, 200);
    let list = server.get("/v1/handles").json();
    assert!(list["bytes"].as_u64() <= list["limit"].as_u64());

    let large = make(&server, &json!({"table": "flights"}));
    assert_eq!(large.status, 422);
    assert!(large.json()["detail"].as_str().unwrap().contains("more memory"), "{large:?}");
    for (wanted, said) in [
        (json!({"table": "flights", "handle": "x"}), "one \"table\" or"),
        (json!({}), "one \"table\" or"),
        (json!({"table": "flights", "ttl": 0}), "ttl: from 1"),
        (json!({"table": "flights", "time": 5}), "unknown field `time`"),
        (json!({"table": "flights", "plan": {"columns": ["nowhere"]}}), "nowhere"),
    ] {
        let refused = make(&server, &wanted);
        assert_eq!(refused.status, 400, "{wanted}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(said), "{wanted}: {refused:?}");
    }
}
