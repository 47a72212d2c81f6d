//! A real browser, driven over the Chrome DevTools Protocol: just what the tests need of it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A running browser; it ends when this is dropped.
pub(crate) struct Browser {
    process: Child,
    _profile: tempfile::TempDir,
    address: String,
}

/// One page of the browser.
pub(crate) struct Page {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: String,
    next: u64,
    /// What the page's console and uncaught errors said.
    pub(crate) complaints: Vec<String>,
}

fn find() -> PathBuf {
    if let Some(program) = std::env::var_os("CHROMIUM") {
        return program.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|p| p.exists());
    found.expect(
        "no Chromium was found. Remedy: run `.ci/test`, which installs it; or `sudo apt-get install chromium`; \
         or set CHROMIUM to the program",
    )
}

impl Browser {
    pub(crate) fn launch() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(find());
        command
            .args([
                "--headless=new",
                "--remote-debugging-port=0",
                "--no-first-run",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args(["--disable-dev-shm-usage", "--disable-background-networking", "--force-color-profile=srgb"])
            // The machine that tests run on is often a container, where the browser's own sandbox cannot start.
            .arg("--no-sandbox")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().expect("Chromium was found but could not be started");
        let port_file = profile.path().join("DevToolsActivePort");
        let begin = Instant::now();
        let address = loop {
            if let Ok(text) = std::fs::read_to_string(&port_file)
                && let Some((port, path)) = text.split_once('\n')
            {
                break format!("ws://127.0.0.1:{port}{}", path.trim());
            }
            assert!(begin.elapsed() < PATIENCE, "Chromium did not start");
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { process, _profile: profile, address }
    }

    /// Opens a page of a size in CSS pixels.
    pub(crate) fn page(&self, width: u32, height: u32) -> Page {
        let (socket, _response) = tungstenite::connect(self.address.as_str()).unwrap();
        let mut page = Page { socket, session: String::new(), next: 0, complaints: Vec::new() };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = page.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        page.session = attached["sessionId"].as_str().unwrap().to_owned();
        page.call("Page.enable", json!({}));
        page.call("Runtime.enable", json!({}));
        page.call("Log.enable", json!({}));
        // Pages of tests that run beside each other all believe that they are in front.
        page.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true}));
        page.size(width, height, 2);
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Page {
    /// Sends a command and waits for its answer.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.complaints.push(parameters["exceptionDetails"].to_string()),
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                self.complaints.push(parameters["entry"].to_string());
            }
            Some("Runtime.consoleAPICalled") if parameters["type"] == "error" => {
                self.complaints.push(parameters["args"].to_string());
            }
            _ => {}
        }
    }

    /// The page's size in CSS pixels, and the screen's pixels per CSS pixel.
    pub(crate) fn size(&mut self, width: u32, height: u32, scale: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": false}),
        );
    }

    pub(crate) fn goto(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// Prefers light or dark.
    pub(crate) fn colour_scheme(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// The value of an expression, or of the promise that it gives.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.eval(expression) != true {
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {expression}; the page said {:?}", self.complaints);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64, button: &str, modifiers: u32) {
        self.mouse_again(kind, x, y, button, modifiers, 1);
    }

    fn mouse_again(&mut self, kind: &str, x: f64, y: f64, button: &str, modifiers: u32, count: u32) {
        let buttons = u32::from(button == "left" && kind != "mouseReleased");
        self.call(
            "Input.dispatchMouseEvent",
            json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": count,
                "modifiers": modifiers}),
        );
    }

    /// Moves the mouse to a point and clicks there; modifiers as the protocol counts them (8 is shift).
    pub(crate) fn click(&mut self, x: f64, y: f64, modifiers: u32) {
        self.mouse("mouseMoved", x, y, "none", modifiers);
        self.mouse("mousePressed", x, y, "left", modifiers);
        self.mouse("mouseReleased", x, y, "left", modifiers);
    }

    /// Moves the mouse, with nothing pressed.
    pub(crate) fn point_at(&mut self, x: f64, y: f64) {
        self.mouse("mouseMoved", x, y, "none", 0);
    }

    /// Clicks twice.
    pub(crate) fn double_click(&mut self, x: f64, y: f64) {
        self.click(x, y, 0);
        self.mouse_again("mousePressed", x, y, "left", 0, 2);
        self.mouse_again("mouseReleased", x, y, "left", 0, 2);
    }

    /// Clicks with the right button.
    pub(crate) fn right_click(&mut self, x: f64, y: f64) {
        self.point_at(x, y);
        self.mouse("mousePressed", x, y, "right", 0);
        self.mouse("mouseReleased", x, y, "right", 0);
    }

    /// Presses at a point, moves to another in steps and stays there, pressed.
    pub(crate) fn pull(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.point_at(from.0, from.1);
        self.mouse("mousePressed", from.0, from.1, "left", 0);
        for step in 1..=5 {
            let part = f64::from(step) / 5.0;
            let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.mouse("mouseMoved", x, y, "left", 0);
        }
    }

    /// Presses at a point, moves to another and lets go.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.pull(from, to);
        self.mouse("mouseReleased", to.0, to.1, "left", 0);
    }

    /// The middle of the rectangle that an expression gives.
    pub(crate) fn centre(&mut self, rect: &str) -> (f64, f64) {
        let centre =
            self.eval(&format!("(() => {{ const r = {rect}; return [r.x + r.width / 2, r.y + r.height / 2] }})()"));
        (centre[0].as_f64().unwrap(), centre[1].as_f64().unwrap())
    }

    /// Clicks the middle of the rectangle that an expression gives.
    pub(crate) fn click_on(&mut self, rect: &str, modifiers: u32) {
        let (x, y) = self.centre(rect);
        self.click(x, y, modifiers);
    }

    pub(crate) fn wheel(&mut self, x: f64, y: f64, delta: f64) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": delta}),
        );
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key by its DOM name and key code.
    pub(crate) fn press(&mut self, key: &str, code: u32, modifiers: u32) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers});
            if key == "Enter" && kind == "keyDown" {
                event["text"] = "\r".into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Lets two frames pass, so that what was asked for is on the screen.
    pub(crate) fn settle(&mut self) {
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    /// Saves what is seen.
    pub(crate) fn screenshot(&mut self, path: &Path) {
        self.settle();
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, decode(answer["data"].as_str().unwrap())).unwrap();
    }
}

/// Base64, as the protocol carries pictures.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(value).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let word = group.iter().fold(0, |word, digit| word << 6 | digit) << (6 * (4 - group.len()));
        bytes.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    bytes
}
