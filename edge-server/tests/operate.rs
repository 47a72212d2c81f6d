//! The program as it is run: settings from a file, what it says before it serves, its log, its signals and its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::program::{Program, read_all};
use common::{Answer, sample};
use serde_json::Value;

const TOKEN: &str = "operate-operate-operate";

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_edge-server");
    Command::new(program).args(arguments).env_remove("BODKIN_TOKENS").env_remove("RUST_LOG").output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn fails(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn says(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with settings, a table and tokens.
fn folder(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("prices.csv"), "day,price\n2026-01-02,1\n2026-01-05,2\n").unwrap();
    fs::write(folder.path().join("tokens"), format!("# ours\nops:{TOKEN}\n")).unwrap();
    let settings = format!(
        "tokens = \"tokens\"\ncors = [\"https://a.example\"]\nlive = \"data\"\ncache = false\n\
         [tables.prices]\npath = \"prices.csv\"\ntypes = {{ price = \"Float64\" }}\n{more}"
    );
    fs::write(folder.path().join("bodkin.toml"), settings).unwrap();
    folder
}

fn bearer() -> String {
    format!("authorization: Bearer {TOKEN}\r\n")
}

#[test]
fn a_file_says_what_is_served_and_the_command_line_wins() {
    let folder = folder("[limits]\nbody_bytes = 64\nrows_bytes = 1000\n[log]\nformat = \"json\"\n");
    let config = folder.path().join("bodkin.toml");
    let arguments = ["--config", text(&config), "--body-bytes", "128", "--type", "prices.day=Timestamp(ms)"];
    let program = Program::start(&arguments, &[]);
    assert_eq!(program.server.get("/v1/tables").status, 401);
    let table = program.server.ask("GET", "/v1/tables/prices", &bearer(), b"").json();
    assert_eq!(
        (&table["columns"][0]["type"], &table["columns"][1]["type"]),
        (&"Timestamp(ms)".into(), &"Float64".into())
    );
    let body =
        |length: usize| program.server.ask("POST", "/v1/tables/prices/query", &bearer(), &vec![b' '; length]).status;
    assert_eq!((body(129), body(100)), (413, 400));
    assert!(folder.path().join("data").is_dir(), "paths are relative to the file");
    let line: Value = serde_json::from_str(program.wait_for("\"status\":413").lines().next().unwrap()).unwrap();
    assert!(line.is_object());
    // A table of the command line takes the place of the file's.
    let table = ["prices=", text(&sample())].concat();
    let said = says(&["check", "--config", text(&config), "--table", &table, "--addr", "127.0.0.1:9"]);
    assert!(said.contains("prices: 336776 rows, 19 columns") && said.contains("127.0.0.1:9"), "{said}");
}

#[test]
fn check_says_what_would_be_served_and_listens_nowhere() {
    let folder = folder("");
    let config = folder.path().join("bodkin.toml");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = says(&["check", "--config", text(&config), "--addr", &address]);
    for part in
        ["In order.", &address, "prices: 2 rows, 2 columns", "have a token (known: 1)", "https://a.example", "none yet"]
    {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(!folder.path().join("data").exists(), "nothing is made");
    assert!(says(&["check"]).contains("flights: 336776 rows"));
}

#[test]
fn check_tells_every_fault_at_once_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bodkin.toml");
    fs::write(folder.path().join("tokens"), "fine-fine-fine-fine\nsecret\n").unwrap();
    fs::write(folder.path().join("a.csv"), "x\n1\n").unwrap();
    let settings = r#"
adress = "127.0.0.1:1"
memory = "much"
tokens = "tokens"
cors = ["https://a.example/path", "*"]
address = "0.0.0.0"
[tables.gone]
path = "gone.parquet"
[tables.pathless]
types = { a = "Int8" }
[tables.a]
path = "a.csv"
types = { x = "Number", y = "Int64" }
kind = "csv"
[limits]
connections = 0
query_second = 5
[tls]
cert = "cert.pem"
[log]
format = "xml"
"#;
    fs::write(&config, settings).unwrap();
    let said = fails(&["check", "--config", text(&config), "--type", "b.x=Int8", "--type", "nonsense"]);
    let expected = [
        "bodkin.toml: adress: unknown field",
        "bodkin.toml: memory: invalid type: string \"much\"",
        "tokens, line 2: a token has 16",
        "bodkin.toml: cors: origin \"https://a.example/path\"",
        "bodkin.toml: cors: origin \"*\"",
        "bodkin.toml: address: ",
        "gone.parquet: No such file",
        "tables.pathless.path: missing",
        "tables.a.types.x: ",
        "tables.a.kind: unknown field",
        "limits.connections: 0 would lock",
        "limits.query_second: unknown field",
        "tls: a certificate and its key go together",
        "log.format: ",
        "--type b.…: there is no such table",
        "--type nonsense: expected TABLE.COLUMN=TYPE",
    ];
    for part in expected {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert!(!said.contains("secret") && !said.contains("fine-fine"), "{said}");
    // The server itself says the same before it serves anything.
    assert!(fails(&["--config", text(&config)]).contains("log.format: "));
    let typed = fails(&["check", text(&sample()), "--type", "nycflights13.year=Int8"]);
    assert!(typed.contains("nycflights13.year: is Int16; only CSV has types given"), "{typed}");
    fs::write(&config, "address = \n").unwrap();
    assert!(fails(&["check", "--config", text(&config)]).contains("line 1"));
    assert!(fails(&["check", "--config", "/nowhere/bodkin.toml"]).contains("/nowhere/bodkin.toml: No such file"));
    assert!(fails(&["check", "--addr", "0.0.0.0:1"]).contains("--tokens FILE"));
}

#[test]
fn the_example_of_the_documents_is_understood() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/server.md")).unwrap();
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bodkin.toml");
    fs::write(&config, example).unwrap();
    let said = fails(&["check", "--config", text(&config)]);
    // Nothing is wrong with it but that its files are not here.
    let faults: Vec<&str> = said.lines().collect();
    assert!(faults.len() == 4 && faults.iter().all(|fault| fault.contains("No such file")), "{said}");
}

#[test]
fn other_addresses_need_tokens_or_a_loud_word() {
    let folder = folder("");
    let tokens = folder.path().join("tokens");
    assert!(fails(&["--addr", "0.0.0.0:0"]).contains("asks nobody who they are"));
    let said = says(&["check", "--addr", "0.0.0.0:80", "--tokens", text(&tokens)]);
    assert!(said.contains("have a token (known: 1)"), "{said}");
    let loud = says(&["check", "--addr", "0.0.0.0:80", "--allow-non-loopback-without-authentication"]);
    assert!(loud.contains("To everybody who can reach the address."), "{loud}");
    fs::write(&tokens, "# nobody\n").unwrap();
    assert!(fails(&["--addr", "0.0.0.0:0", "--tokens", text(&tokens)]).contains("there is no token"));
    let variable = Program::start(&[], &[("BODKIN_TOKENS", TOKEN)]);
    assert_eq!(variable.server.get("/v1/tables").status, 401);
    assert_eq!(variable.server.ask("GET", "/v1/tables", &bearer(), b"").status, 200);
}

#[test]
fn tokens_are_read_again_when_their_file_changes_or_by_a_signal() {
    let folder = folder("");
    let tokens = folder.path().join("tokens");
    let program = Program::start(&["--tokens", text(&tokens)], &[]);
    let status = |token: &str| {
        program.server.ask("GET", "/v1/tables", &format!("authorization: Bearer {token}\r\n"), b"").status
    };
    assert_eq!((status(TOKEN), status("second-second-second")), (200, 401));
    fs::write(&tokens, "second-second-second\n").unwrap();
    program.signal("HUP");
    program.wait_for("the tokens were read again");
    assert_eq!((status(TOKEN), status("second-second-second")), (401, 200));
    // A file at fault changes nothing, and is told without what stands in it.
    fs::write(&tokens, "third-third-third!\n").unwrap();
    let log = program.wait_for("the tokens stay as they were");
    assert!(log.contains("line 1") && !log.contains("third"), "{log}");
    assert_eq!(status("second-second-second"), 200);
    fs::write(&tokens, "third-third-third\n").unwrap();
    let begin = Instant::now();
    while status("third-third-third") != 200 {
        assert!(begin.elapsed() < Duration::from_secs(15), "the file is not looked at");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_log_has_a_line_for_each_request_and_no_secret() {
    let folder = folder("");
    let tokens = folder.path().join("tokens");
    let arguments = ["--tokens", text(&tokens), "--log-format", "json", "--log-level", "trace"];
    let program = Program::start(&arguments, &[]);
    let ask = |path: &str, headers: &str| program.server.ask("GET", path, headers, b"");
    ask("/v1/tables/flights/query?limit=3&format=csv", &format!("{}x-request-id: one\r\n", bearer()));
    ask(
        "/v1/tables?token=hidden-in-the-query",
        "authorization: Bearer wrong-wrong-wrong-wrong\r\nx-request-id: two\r\n",
    );
    ask("/v1/tables/t/subscribe", &format!("sec-websocket-protocol: bearer.{TOKEN}\r\nx-request-id: three\r\n"));
    let log = program.wait_for("\"id\":\"three\"");
    for secret in [TOKEN, "wrong-wrong", "hidden-in-the-query"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| {
        let found: Vec<&Value> = lines.iter().filter(|line| line["id"] == id).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let one = of("one");
    assert_eq!((&one["status"], &one["method"], &one["who"]), (&200.into(), &"GET".into(), &"ops".into()));
    assert_eq!(one["route"], "/v1/tables/{table}/query");
    assert_eq!(one["path"], "/v1/tables/flights/query");
    assert!(one["bytes"].as_u64().unwrap() > 100 && one["whole"] == true && one["millis"].is_u64());
    assert_eq!((&of("two")["status"], of("two").get("who")), (&401.into(), None));
    assert!(fails(&["--log-level", "much=too=odd"]).contains("--log-level"));
    let quiet = Program::start(&["--log-level", "error"], &[]);
    assert_eq!(quiet.server.get("/health").status, 200);
    assert_eq!(quiet.log(), "");
}

/// A request for all rows, of which nothing has been read yet.
fn long_answer(program: &Program) -> TcpStream {
    let mut stream = TcpStream::connect(program.server.address).unwrap();
    stream.write_all(b"GET /v1/tables/flights/data HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).unwrap();
    stream
}

#[test]
fn the_end_waits_for_answers_and_tells_balancers_first() {
    let mut program = Program::start(&["--drain-delay-seconds", "2", "--drain-seconds", "20"], &[]);
    let mut answer = long_answer(&program);
    assert_eq!(program.server.get("/ready").status, 200);
    program.signal("TERM");
    program.wait_for("running answers are finished first");
    let ready = program.server.get("/ready");
    assert_eq!((ready.status, ready.json()["status"].as_str()), (503, Some("draining")));
    assert_eq!(program.server.get("/health").status, 200);
    std::thread::sleep(Duration::from_secs(3));
    assert!(TcpStream::connect(program.server.address).is_err(), "nobody is let in any more");
    assert_eq!(program.ended(Duration::ZERO), None, "an answer is still running");
    let (bytes, closed) = read_all(&mut answer, Duration::from_secs(20));
    assert!(closed && Answer::parse(&[b"H", bytes.as_slice()].concat()).whole);
    assert_eq!(program.ended(Duration::from_secs(20)).unwrap().code(), Some(0));
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let mut program = Program::start(&["--drain-seconds", "1", "--write-seconds", "600"], &[]);
    let _unread = long_answer(&program);
    let begin = Instant::now();
    program.signal("TERM");
    assert_eq!(program.ended(Duration::from_secs(15)).expect("it ends").code(), Some(0));
    assert!(begin.elapsed() >= Duration::from_millis(900));
    // A second signal ends it at once.
    let mut program = Program::start(&["--drain-seconds", "600", "--write-seconds", "600"], &[]);
    let _unread = long_answer(&program);
    program.signal("INT");
    program.wait_for("running answers are finished first");
    assert_eq!(program.ended(Duration::from_millis(500)), None);
    program.signal("TERM");
    assert_eq!(program.ended(Duration::from_secs(10)).expect("it ends").code(), Some(1));
}

#[test]
fn shells_and_manuals_know_the_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = says(&["completions", shell]);
        assert!(script.contains("edge-server") && script.contains("tls-cert"), "{shell}");
    }
    let man = says(&["man"]);
    assert!(man.contains(".TH edge") && man.contains("drain\\-seconds") && man.contains("Examples"), "{man}");
    let help = says(&["--help"]);
    for part in ["Tables:", "Network:", "Safety:", "Limits:", "Log:", "Examples:", "edge-server check --config"] {
        assert!(help.contains(part), "{part}");
    }
    let bash = tempfile::NamedTempFile::new().unwrap();
    fs::write(bash.path(), says(&["completions", "bash"])).unwrap();
    assert!(Command::new("bash").args(["-n", text(bash.path())]).status().unwrap().success());
}
