//! Who may ask: tokens and scopes, pages of other origins, requests per second; over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::net::TcpStream;
use std::sync::Arc;

use common::{Answer, Served, sample};
use edge_server::http::{Limits, Origins, Proxies, Server, Tables, Tokens};
use edge_server::live::Store;
use edge_server::source::{self, Table};
use serde_json::json;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;

const READ: &str = "read-read-read-read-read";
const WRITE: &str = "write-write-write-write";
const ALL: &str = "all-all-all-all-all-all";

fn tables(folder: &std::path::Path, limits: Limits) -> Tables {
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let tables = Tables::try_new(vec![flights]).unwrap().with_limits(limits);
    tables.with_live(Store::open(folder).unwrap()).unwrap()
}

fn tokens() -> Arc<Tokens> {
    let list = format!("viewer:read:{READ} feed:write:{WRITE},boss:{ALL}");
    Arc::new(Tokens::open(None, Some(&list)).unwrap())
}

fn guarded(folder: &std::path::Path) -> Served {
    let origins = Origins::try_new(["https://a.example"]).unwrap();
    Served::of(Server::new(tables(folder, Limits::default())).with_tokens(tokens()).with_origins(origins))
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

const PRICES: &[u8] =
    br#"{"columns": [{"name": "symbol", "type": "Utf8"}, {"name": "price", "type": "Float64"}], "key": ["symbol"]}"#;

#[test]
fn data_needs_a_token_and_the_page_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(folder.path());
    for public in
        ["/", "/page.js", "/viewer/bodkin.js", "/viewer/bodkin.wasm", "/viewer/bodkin-more.wasm", "/health", "/ready"]
    {
        assert_eq!(server.get(public).status, 200, "{public}");
    }
    let private = [
        "/v1/tables",
        "/v1/tables/flights",
        "/v1/tables/flights/data",
        "/v1/tables/flights/file",
        "/v1/tables/flights/query?limit=1",
        "/v1/tables/flights/explain",
        "/v1/tables/flights/%64ata",
        "/exec?query=select+1",
        "/v1/handles",
        "/v1/handles/0/data",
        "/status",
        "/metrics",
        "/nothing",
        "/v1/tables/none",
        "//v1/tables",
    ];
    for path in private {
        let answer = server.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"bodkin\""));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("etag").is_none() && !String::from_utf8_lossy(&answer.body).contains("flights"));
    }
    for (method, path) in [("PUT", "/v1/tables/t"), ("DELETE", "/v1/tables/t"), ("POST", "/v1/tables/flights/query")] {
        assert_eq!(server.ask(method, path, "", b"{}").status, 401, "{method} {path}");
    }
    assert_eq!(server.ask("GET", "/v1/tables", &bearer(READ), b"").status, 200);
    assert_eq!(server.ask("GET", "/v1/tables", &format!("authorization: bearer   {ALL}\r\n"), b"").status, 200);
    let wrong = ["nobody-nobody-nobody", "", &READ[1..], &READ.to_uppercase(), &format!("{READ}x"), "viewer"];
    for token in wrong {
        let answer = server.ask("GET", "/v1/tables", &bearer(token), b"");
        assert_eq!(answer.status, 401, "{token}");
        let said = String::from_utf8_lossy(&answer.body).into_owned() + &answer.head;
        assert!(token.is_empty() || token == "viewer" || !said.contains(token), "{said}");
    }
    let basic = format!("authorization: Basic {ALL}\r\n");
    assert_eq!(server.ask("GET", "/v1/tables", &basic, b"").status, 401);
    // Not in the URL, where logs and histories would keep it.
    assert_eq!(server.get(&format!("/v1/tables?token={ALL}")).status, 401);
}

#[test]
fn scopes_keep_readers_from_writing_and_writers_from_reading() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(folder.path());
    let make = |token: &str| server.ask("PUT", "/v1/tables/prices", &bearer(token), PRICES).status;
    assert_eq!((make(READ), make(WRITE), make(ALL)), (403, 201, 200));
    let csv = |token: &str| format!("{}content-type: text/csv\r\n", bearer(token));
    let rows = |token: &str| server.ask("POST", "/v1/tables/prices/rows", &csv(token), b"symbol,price\nA,1\n");
    let refused = rows(READ);
    assert_eq!((refused.status, rows(WRITE).status), (403, 200));
    assert_eq!(refused.json()["detail"], "the token of \"viewer\" is not made to change anything");
    let read = |token: &str| server.ask("GET", "/v1/tables/prices/query?format=json", &bearer(token), b"");
    assert_eq!((read(READ).status, read(WRITE).status, read(ALL).status), (200, 403, 200));
    // A query by POST reads.
    let query = server.ask("POST", "/v1/tables/prices/query", &bearer(READ), b"{}");
    assert_eq!(query.status, 200);
    assert_eq!(server.ask("DELETE", "/v1/tables/prices", &bearer(READ), b"").status, 403);
    // So does a result that stays, and its end.
    let make = |token: &str| server.ask("POST", "/v1/handles", &bearer(token), br#"{"table": "prices"}"#);
    assert_eq!(make(WRITE).status, 403);
    let handle = make(READ).json()["id"].as_str().unwrap().to_owned();
    let delete = |token: &str| server.ask("DELETE", &format!("/v1/handles/{handle}"), &bearer(token), b"").status;
    assert_eq!((delete(WRITE), delete(READ)), (403, 200));
    assert_eq!(read(ALL).json(), json!([{"symbol": "A", "price": 1.0}]));
}

type Socket = tungstenite::WebSocket<TcpStream>;

fn follow(server: &Served, protocol: &str, origin: &str) -> Result<(Socket, Option<String>), u16> {
    let mut request = format!("ws://{}/v1/tables/prices/subscribe", server.address).into_client_request().unwrap();
    if !protocol.is_empty() {
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(protocol).unwrap());
    }
    if !origin.is_empty() {
        request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    }
    match tungstenite::client(request, TcpStream::connect(server.address).unwrap()) {
        Ok((socket, answer)) => {
            let chosen = answer.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned());
            Ok((socket, chosen))
        }
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_websocket_shows_its_token_as_a_subprotocol() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(folder.path());
    assert_eq!(server.ask("PUT", "/v1/tables/prices", &bearer(ALL), PRICES).status, 201);
    let (mut socket, chosen) = follow(&server, &format!("bearer.{READ}, bodkin"), "").unwrap();
    assert_eq!(chosen.as_deref(), Some("bodkin"), "the token does not come back");
    assert!(socket.read().unwrap().is_binary());
    assert_eq!(server.ask("GET", "/status", &bearer(READ), b"").json()["followers"], 1);
    assert_eq!(follow(&server, "bodkin", "").err(), Some(401));
    assert_eq!(follow(&server, "bearer.wrong-wrong-wrong-wrong, bodkin", "").err(), Some(401));
    assert_eq!(follow(&server, &format!("bodkin, bearer.{WRITE}"), "").err(), Some(403));
    // The origins that may follow are those that may fetch.
    let offered = format!("bodkin, bearer.{ALL}");
    assert!(follow(&server, &offered, "https://a.example").is_ok());
    assert!(follow(&server, &offered, &format!("http://{}", server.address)).is_ok());
    assert_eq!(follow(&server, &offered, "https://b.example").err(), Some(403));
}

#[test]
fn pages_of_listed_origins_may_ask_and_others_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(folder.path());
    let ask = |method: &str, path: &str, origin: &str, more: &str| {
        server.ask(method, path, &format!("origin: {origin}\r\n{more}"), b"")
    };
    let wanted = "access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n";
    let preflight = ask("OPTIONS", "/v1/tables/flights/query", "https://a.example", wanted);
    assert_eq!((preflight.status, preflight.body.len()), (204, 0));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://a.example"));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert!(preflight.header("access-control-allow-credentials").is_none());
    let varies = |answer: &Answer| answer.head.lines().any(|line| line.starts_with("vary:") && line.contains("origin"));
    assert!(varies(&preflight));
    let other = ask("OPTIONS", "/v1/tables/flights/query", "https://b.example", wanted);
    assert_eq!((other.status, other.header("access-control-allow-origin")), (403, None));

    let fetched = ask("GET", "/v1/tables", "https://a.example", &bearer(READ));
    assert_eq!((fetched.status, fetched.header("access-control-allow-origin")), (200, Some("https://a.example")));
    assert!(fetched.header("access-control-expose-headers").unwrap().contains("etag") && varies(&fetched));
    // A page that may ask can also read why not.
    let refused = ask("GET", "/v1/tables", "https://a.example", "");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some("https://a.example")));
    let elsewhere = ask("GET", "/v1/tables", "https://b.example", &bearer(READ));
    assert_eq!(elsewhere.header("access-control-allow-origin"), None);
    assert!(varies(&elsewhere) && varies(&server.get("/health")), "caches between must know");
}

#[test]
fn a_page_from_elsewhere_changes_nothing_even_without_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let origins = Origins::try_new(["https://a.example"]).unwrap();
    let server = Served::of(Server::new(tables(folder.path(), Limits::default())).with_origins(origins));
    let put = |origin: &str| server.ask("PUT", "/v1/tables/prices", &format!("origin: {origin}\r\n"), PRICES);
    assert_eq!(put("https://evil.example").status, 403);
    assert_eq!(put("null").status, 403);
    assert_eq!(put("https://a.example").status, 201);
    // What a page can send without asking the browser first.
    let simple = "origin: https://evil.example\r\ncontent-type: text/plain\r\n";
    assert_eq!(server.ask("POST", "/v1/tables/prices/updates", simple, b"x").status, 403);
    assert_eq!(server.ask("DELETE", "/v1/tables/prices", "origin: https://evil.example\r\n", b"").status, 403);
    assert_eq!(put(&format!("http://{}", server.address)).status, 200);
}

#[test]
fn too_many_requests_are_told_when_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { requests_per_second: Some(5), ..Limits::default() };
    let server = Served::of(Server::new(tables(folder.path(), limits)).with_tokens(tokens()));
    let ask = |token: &str| server.ask("GET", "/v1/tables", &bearer(token), b"");
    let answers: Vec<Answer> = (0..40).map(|_| ask(READ)).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("forty at once are too many");
    assert!(answers[..10].iter().all(|answer| answer.status == 200), "twice a second's requests may come at once");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["title"], "too many requests");
    assert_eq!(ask(ALL).status, 200, "another token has requests of its own");
    // Guessing tokens is counted by address.
    let guesses: Vec<u16> = (0..40).map(|number| ask(&format!("guess-guess-guess-{number}")).status).collect();
    assert!(guesses.contains(&401) && guesses.contains(&429) && !guesses.contains(&200), "{guesses:?}");
}

#[test]
fn behind_a_proxy_that_is_believed_each_client_is_counted_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { requests_per_second: Some(2), ..Limits::default() };
    let believed = Proxies::new(["127.0.0.1".parse().unwrap()]);
    let server = Served::of(Server::new(tables(folder.path(), limits)).with_proxies(believed));
    let asked = |server: &Served, client: &str| {
        server.ask("GET", "/v1/tables", &format!("x-forwarded-for: {client}\r\n"), b"").status
    };
    // The first has all that it may have, the second too.
    for client in ["198.51.100.7", "198.51.100.8"] {
        let statuses: Vec<u16> = (0..12).map(|_| asked(&server, client)).collect();
        assert_eq!(statuses[0], 200, "{client} {statuses:?}");
        assert!(statuses.contains(&429), "{client} {statuses:?}");
    }
    // Of one that is not believed the header is nothing.
    let plain = Served::of(Server::new(tables(tempfile::tempdir().unwrap().path(), limits)));
    let statuses: Vec<u16> = (0..20).map(|number| asked(&plain, &format!("198.51.100.{number}"))).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}
