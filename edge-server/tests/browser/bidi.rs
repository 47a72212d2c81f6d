//! Firefox, driven over WebDriver BiDi: just what the tests need of it. Chromium has a driver of its own (`cdp.rs`), which
//! can do more.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];
/// Keys as the protocol names them.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const END: &str = "\u{e010}";
pub(crate) const CONTROL: &str = "\u{e009}";

/// Nothing is fetched, asked or updated beside the page, and a script may use the clipboard.
const SETTINGS: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.events.testing.asyncClipboard", true);
user_pref("extensions.update.enabled", false);
user_pref("layout.css.prefers-color-scheme.content-override", 1);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
"#;

/// A running Firefox with one page; it ends when this is dropped.
pub(crate) struct Firefox {
    process: Child,
    _profile: tempfile::TempDir,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    context: String,
    next: u64,
    /// What the page's console and uncaught errors said.
    pub(crate) complaints: Vec<String>,
}

fn find() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("FIREFOX") {
        return Some(program.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|place| place.exists())
}

impl Firefox {
    /// Starts Firefox with a page of a size in CSS pixels; none where it is not installed, unless `INTEROP` is `required`.
    pub(crate) fn launch(width: u32, height: u32) -> Option<Self> {
        let Some(program) = find() else {
            let is_required = std::env::var_os("INTEROP").is_some_and(|value| value == "required");
            assert!(!is_required, "no Firefox was found. Remedy: run `.ci/test`, or set FIREFOX to the program");
            eprintln!("skipped: there is no Firefox here");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        std::fs::write(profile.path().join("user.js"), SETTINGS).unwrap();
        let process = Command::new(program)
            .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"])
            .arg(profile.path())
            .arg("about:blank")
            // The machine that tests run on is often a container, where the browser's own sandbox cannot start.
            .env("MOZ_DISABLE_CONTENT_SANDBOX", "1")
            .env("MOZ_CRASHREPORTER_DISABLE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Firefox was found but could not be started");
        let begin = Instant::now();
        let told = profile.path().join("WebDriverBiDiServer.json");
        let port = loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            if let Some(port) = serde_json::from_str::<Value>(&text).ok().and_then(|told| told["ws_port"].as_u64()) {
                break port;
            }
            assert!(begin.elapsed() < PATIENCE, "Firefox did not start");
            std::thread::sleep(Duration::from_millis(50));
        };
        let (socket, _response) = tungstenite::connect(format!("ws://127.0.0.1:{port}/session")).unwrap();
        let mut firefox =
            Self { process, _profile: profile, socket, context: String::new(), next: 0, complaints: Vec::new() };
        firefox.call("session.new", json!({"capabilities": {}}));
        firefox.call("session.subscribe", json!({"events": ["log.entryAdded"]}));
        let tree = firefox.call("browsingContext.getTree", json!({}));
        firefox.context = tree["contexts"][0]["context"].as_str().unwrap().to_owned();
        let viewport = json!({"context": firefox.context, "viewport": {"width": width, "height": height}});
        firefox.call("browsingContext.setViewport", viewport);
        Some(firefox)
    }

    /// Sends a command and waits for its answer.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let message = json!({"id": id, "method": method, "params": parameters});
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == id {
                assert_eq!(answer["type"], "success", "{method}: {answer}");
                return answer["result"].clone();
            }
            if answer["method"] == "log.entryAdded" && answer["params"]["level"] == "error" {
                self.complaints.push(answer["params"]["text"].to_string());
            }
        }
    }

    pub(crate) fn goto(&mut self, url: &str) {
        let parameters = json!({"context": self.context, "url": url, "wait": "complete"});
        self.call("browsingContext.navigate", parameters);
    }

    /// The value of an expression, or of the promise that it gives.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let wrapped = format!("(async () => JSON.stringify((await ({expression})) ?? null))()");
        let parameters = json!({
            "expression": wrapped, "target": {"context": self.context}, "awaitPromise": true, "userActivation": true,
        });
        let answer = self.call("script.evaluate", parameters);
        assert_eq!(answer["type"], "success", "{expression}: {}", answer["exceptionDetails"]["text"]);
        serde_json::from_str(answer["result"]["value"].as_str().unwrap()).unwrap()
    }

    /// Gives a file to the input that an expression gives.
    pub(crate) fn choose(&mut self, input: &str, path: &Path) {
        let parameters = json!({"expression": input, "target": {"context": self.context}, "awaitPromise": false});
        let answer = self.call("script.evaluate", parameters);
        let element = json!({"sharedId": answer["result"]["sharedId"]});
        self.call("input.setFiles", json!({"context": self.context, "element": element, "files": [path]}));
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.eval(expression) != true {
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {expression}; the page said {:?}", self.complaints);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn act(&mut self, source: Value) {
        let parameters = json!({"context": self.context, "actions": [source]});
        self.call("input.performActions", parameters);
    }

    fn mouse(&mut self, actions: Value) {
        self.act(json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}));
    }

    /// Clicks a point, with the left button (0) or the right one (2).
    pub(crate) fn click(&mut self, (x, y): (f64, f64), button: u32) {
        let (x, y) = (x.round(), y.round());
        self.mouse(json!([
            {"type": "pointerMove", "x": x as i64, "y": y as i64}, {"type": "pointerDown", "button": button},
            {"type": "pointerUp", "button": button},
        ]));
    }

    /// Presses at a point, moves to another and lets go.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        let at = |part: f64| ((from.0 + (to.0 - from.0) * part) as i64, (from.1 + (to.1 - from.1) * part) as i64);
        let mut actions = vec![json!({"type": "pointerMove", "x": at(0.0).0, "y": at(0.0).1})];
        actions.push(json!({"type": "pointerDown", "button": 0}));
        for step in 1..=5 {
            let (x, y) = at(f64::from(step) / 5.0);
            actions.push(json!({"type": "pointerMove", "x": x, "y": y, "duration": 20}));
        }
        actions.push(json!({"type": "pointerUp", "button": 0}));
        self.mouse(actions.into());
    }

    /// Clicks the middle of the rectangle that an expression gives.
    pub(crate) fn click_on(&mut self, rect: &str) {
        let centre = self.centre(rect);
        self.click(centre, 0);
    }

    /// The middle of the rectangle that an expression gives.
    pub(crate) fn centre(&mut self, rect: &str) -> (f64, f64) {
        let centre =
            self.eval(&format!("(() => {{ const r = {rect}; return [r.x + r.width / 2, r.y + r.height / 2] }})()"));
        (centre[0].as_f64().unwrap(), centre[1].as_f64().unwrap())
    }

    pub(crate) fn wheel(&mut self, x: u32, y: u32, delta: i32) {
        let scroll = json!([{"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": delta}]);
        self.act(json!({"type": "wheel", "id": "wheel", "actions": scroll}));
    }

    /// Types letters and keys one after the other, while others are held.
    pub(crate) fn keys(&mut self, held: &[&str], typed: &str) {
        let down = |key: &str| json!({"type": "keyDown", "value": key});
        let up = |key: &str| json!({"type": "keyUp", "value": key});
        let mut actions: Vec<Value> = held.iter().map(|key| down(key)).collect();
        for letter in typed.chars() {
            let letter = letter.to_string();
            actions.extend([down(&letter), up(&letter)]);
        }
        actions.extend(held.iter().map(|key| up(key)));
        self.act(json!({"type": "key", "id": "keys", "actions": actions}));
    }

    /// Saves what is seen.
    pub(crate) fn screenshot(&mut self, path: &Path) {
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
        let answer = self.call("browsingContext.captureScreenshot", json!({"context": self.context}));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, crate::cdp::decode(answer["data"].as_str().unwrap())).unwrap();
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let close = json!({"id": 0, "method": "browser.close", "params": {}});
        let _sent = self.socket.send(Message::text(close.to_string()));
        std::thread::sleep(Duration::from_millis(200));
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
