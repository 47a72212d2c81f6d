//! Commands of the documents, run by bash in a folder that has what they name, beside a server; and what else is meant for
//! that server: settings, tokens, messages, queries, a program that follows.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use edge_server::http::Tables;
use edge_server::live::Store;
use edge_server::source::{self, Table};
use serde_json::Value;
use size_budget::bundle::workspace;
use tungstenite::Message;

use crate::clients::peers;
use crate::common::{Served, sample};
use crate::fences::{self, Fence};
use crate::{Way, way};

/// Commands of the repository that take minutes, and where else each is run. Here only that they are there is looked at.
const ELSEWHERE: [(&str, &str); 4] = [
    (".ci/test", "by .ci/run, as this test itself"),
    (".ci/run", "by hand and by the workflow"),
    (".ci/soak", "by hand and by the workflow"),
    (".ci/simd128", "likewise"),
];

/// `edge-server`, which ends when it has said where it listens; another command than serving is run as it is.
const SERVER: &str = r#"#!/usr/bin/env bash
case "${1:-}" in query|convert|check|completions|man) exec PROGRAM "$@" ;; esac
out="$(mktemp)" err="$(mktemp)"
PROGRAM "$@" --addr 127.0.0.1:0 >"$out" 2>"$err" &
pid=$!
for _ in $(seq 300); do
  if grep -q http "$out"; then
    kill $pid
    wait $pid
    exit
  fi
  kill -0 $pid 2>/dev/null || break
  sleep 0.1
done
echo "edge-server $* does not serve: $(cat "$err")" >&2
kill $pid 2>/dev/null
exit 1
"#;

/// `cargo run -p edge-server`, which is built already.
const CARGO: &str = r#"#!/usr/bin/env bash
case "$*" in
  "run --release -p edge-server") exec edge-server ;;
  "run --release -p edge-server -- "*) shift 5; exec edge-server "$@" ;;
  "doc -p kernels --open" | "install --path edge-server") ;;
  "run -p size-budget"*) ;;
  *) echo "cargo $*: no test of the documents knows this command. Remedy: teach it to edge-server/tests/documents/shell.rs" >&2; exit 1 ;;
esac
"#;

/// An answer that is an error is a fault.
const CURL: &str = "#!/usr/bin/env bash\nexec env PATH=\"$OUTER\" curl --fail-with-body \"$@\"\n";

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the commands name: tables, settings, a plan, programs.
fn furnish(folder: &Path) {
    let at = |name: &str| folder.join(name);
    for place in ["2013", "2026"] {
        fs::create_dir_all(at(place)).unwrap();
    }
    for name in ["flights.parquet", "2013/a.parquet", "2013/b.parquet"] {
        fs::copy(sample(), at(name)).unwrap();
    }
    let prices = "day,price\n2026-01-02,12.50\n2026-01-03,13.25\n";
    fs::write(at("2026/prices.csv"), prices).unwrap();
    let mut packed = flate2::write::GzEncoder::new(fs::File::create(at("prices.csv.gz")).unwrap(), Default::default());
    packed.write_all(prices.as_bytes()).unwrap();
    packed.finish().unwrap();
    let plan = fences::of("README.md").into_iter().find_map(|fence| Some(fence.code.split_once("-d '")?.1.to_owned()));
    fs::write(at("plan.json"), plan.unwrap().rsplit_once('\'').unwrap().0).unwrap();

    for fence in fences::of("docs/server.md") {
        match fence.language.as_str() {
            "toml" => fs::write(at("bodkin.toml"), fence.code.replace("/var/cache/bodkin", "cache")).unwrap(),
            "conf" => fs::write(at("tokens.txt"), fence.code).unwrap(),
            _ => {}
        }
    }
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(at("cert.pem"), key.cert.pem()).unwrap();
    fs::write(at("clients.pem"), key.cert.pem()).unwrap();
    fs::write(at("key.pem"), key.signing_key.serialize_pem()).unwrap();

    program(&at("bin/edge-server"), &SERVER.replace("PROGRAM", env!("CARGO_BIN_EXE_edge-server")));
    program(&at("bin/cargo"), CARGO);
    program(&at("bin/curl"), CURL);
    for (command, why) in ELSEWHERE {
        let mode = fs::metadata(workspace().join(command)).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "{command} ({why}) cannot be run");
        program(&at(command), "#!/bin/sh\n");
    }
}

/// A server as the documents have it: the sample, and live tables.
fn serve(folder: &Path) -> Served {
    let table = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let store = Store::open(&folder.join("live-tables")).unwrap();
    Served::serve(Tables::try_new(vec![table]).unwrap().with_live(store).unwrap())
}

/// Runs a block in the folder.
fn run(fence: &Fence, folder: &Path, server: &Served) {
    let outer = std::env::var("PATH").unwrap();
    let code = fence.code.replace("localhost:8080", &server.address.to_string());
    let output = Command::new("bash")
        .current_dir(folder)
        .env("PATH", format!("{}:{outer}", folder.join("bin").display()))
        .env("OUTER", &outer)
        .env_remove("BODKIN_TOKENS")
        .args(["-euo", "pipefail", "-c", &code])
        .output()
        .unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: it fails:\n{said}{complaint}", fence.place());
}

#[test]
fn commands_of_the_documents_run_as_they_stand() {
    let mut documents: Vec<String> = fences::all().into_iter().map(|fence| fence.document).collect();
    documents.dedup();
    let mut runs = 0;
    for document in documents {
        let fences = fences::of(&document);
        if !fences.iter().any(|fence| way(fence) == Some(Way::Shell)) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        furnish(folder.path());
        let server = serve(folder.path());
        for fence in fences.iter().filter(|fence| way(fence) == Some(Way::Shell)) {
            run(fence, folder.path(), &server);
            runs += 1;
        }
        if document == "README.md" {
            let made = fs::metadata(folder.path().join("flights.arrow")).unwrap().len();
            assert!(made > 1_000_000 && folder.path().join("out.arrow").exists(), "{made}");
        }
        for fence in fences.iter().filter(|fence| way(fence) == Some(Way::Server)) {
            match (fence.document.as_str(), fence.language.as_str()) {
                // Written for the commands, which have read them.
                ("docs/server.md", "toml" | "conf") => {}
                ("docs/server.md", "text") => talk(fence, &server),
                ("docs/server.md", "python") => follow(fence, &server),
                _ => panic!("{}: nothing is done with it. Remedy: documents/shell.rs", fence.place()),
            }
        }
    }
    assert!(runs > 10, "{runs}");
}

#[test]
fn a_query_of_the_wire_s_document_is_answered() {
    let server = Served::sample();
    for fence in fences::of("docs/wire.md").iter().filter(|fence| way(fence) == Some(Way::Server)) {
        for query in fence.code.lines() {
            let answer = server.get(&format!("/v1/tables/flights/query?{query}&format=json"));
            assert_eq!(answer.status, 200, "{}: {}", fence.place(), String::from_utf8_lossy(&answer.body));
        }
    }
}

/// A conversation over a WebSocket: the first line opens it, `>` is said, `<` is heard. What is heard must have the same keys.
fn talk(fence: &Fence, server: &Served) {
    let mut lines = fence.code.lines();
    let path = lines.next().and_then(|line| line.strip_prefix("GET ")).expect("the path comes first");
    let (mut socket, _) = tungstenite::connect(format!("ws://{}{path}", server.address)).unwrap();
    let keys = |text: &str| -> Vec<String> {
        let value: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {text}: {error}", fence.place()));
        value.as_object().unwrap().keys().cloned().collect()
    };
    for line in lines {
        // What a line is stands behind two blanks.
        let text = line.split("  ").next().unwrap().trim();
        match text.split_once(' ') {
            Some((">", text)) if text.starts_with('{') => socket.send(Message::text(text)).unwrap(),
            Some((">", "(binary)")) => {}
            Some(("<", text)) => {
                if keys(text) == ["error"] {
                    socket.send(Message::text("{\"symbol\": 1, \"prize\": true}")).unwrap();
                }
                let heard = loop {
                    match socket.read().unwrap() {
                        Message::Text(text) => break text,
                        // Pings.
                        _ => continue,
                    }
                };
                assert_eq!(keys(heard.as_str()), keys(text), "{}: it says {heard}", fence.place());
            }
            _ => panic!("{}: {line:?} is neither said nor heard", fence.place()),
        }
    }
}

/// A program that reads a live table for ever: it must tell of the first rows.
fn follow(fence: &Fence, server: &Served) {
    let Some(peers) = peers() else { return };
    let code = fence.code.replace("localhost:8080", &server.address.to_string());
    let mut child =
        Command::new(peers.join("venv/bin/python")).args(["-u", "-c", &code]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line.trim(), "1", "{}: rows of the first batch", fence.place());
}
