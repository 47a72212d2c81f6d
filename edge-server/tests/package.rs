//! The viewer's npm package, packed, installed and used as people do: in an app of React and TypeScript that Vite builds,
//! and in a plain page under a strict content security policy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test stops where it fails, and uses its part of what tests share"
)]

#[path = "browser/cdp.rs"]
mod cdp;
mod common;
#[path = "browser/drive.rs"]
mod drive;
#[path = "documents/fences.rs"]
mod fences;
#[path = "package/site.rs"]
mod site;

use std::path::{Path, PathBuf};
use std::process::Command;

use cdp::{Browser, Page};
use common::Served;
use drive::{ROWS, VIEWER, cell, filter, loaded, screenshots};
use serde_json::{Value, json};
use site::Site;
use size_budget::{bundle, package};

/// What the plain page may do, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; \
                      worker-src 'self'";

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bundle::workspace().join("target"), PathBuf::from)
}

/// The folder where Vite, React and TypeScript are. `INTEROP=required` makes it a fault that they are not.
fn tools() -> Option<PathBuf> {
    let folder = target().join("interop");
    let wanted = ["vite", "react", "react-dom", "typescript", "@vitejs/plugin-react", "@types/react"];
    let missing = wanted.iter().find(|name| !folder.join("node_modules").join(name).exists());
    let Some(missing) = missing else { return Some(folder) };
    assert!(
        std::env::var_os("INTEROP").is_none_or(|value| value != "required"),
        "no {missing} in {}; `.ci/test` installs it",
        folder.display()
    );
    println!("skipped: no {missing} in {}; `.ci/test` installs it", folder.display());
    None
}

fn npm(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("npm").current_dir(folder).args(arguments).output().expect("npm is not there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "npm {arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Packs the package, and gives the archive.
fn pack(folder: &Path) -> PathBuf {
    let _old = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    let written = package::write(&bundle::build(&target()).unwrap(), &folder.join("npm")).unwrap();
    let told: Value = serde_json::from_str(&npm(folder, &["pack", "--json", "./npm"])).unwrap();
    // A list of packages, or packages by name: npm has had both.
    let told = told.get(0).or_else(|| told.as_object()?.values().next()).unwrap();
    let mut packed: Vec<&str> =
        told["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    let mut names: Vec<&str> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    packed.sort_unstable();
    names.sort_unstable();
    assert_eq!(packed, names);
    folder.join(told["filename"].as_str().unwrap())
}

/// Counts the module's memory and the workers of a page, from before its scripts run.
const COUNTED: &str = "window.memories = []; window.workers = new Set();
    for (const name of ['instantiate', 'instantiateStreaming']) {
      const start = WebAssembly[name];
      WebAssembly[name] = async (...a) => {
        const made = await start.apply(WebAssembly, a);
        memories.push((made.instance ?? made).exports.memory);
        return made;
      };
    }
    window.Worker = class extends Worker {
      constructor(...a) { super(...a); workers.add(this); }
      terminate() { super.terminate(); workers.delete(this); }
    };";

#[test]
fn the_package_works_in_react_and_in_a_plain_page() {
    let Some(tools) = tools() else { return };
    let folder = tools.join("package");
    let archive = pack(&folder);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package");
    for app in ["react", "plain"] {
        copy(&sources.join(app), &folder.join(app));
        if app == "plain" {
            std::fs::write(folder.join("plain/package.json"), "{\"private\":true}").unwrap();
        }
        let install = ["install", "--offline", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
        npm(&folder.join(app), &[&install[..], &[archive.to_str().unwrap()]].concat());
    }
    // What documents show of React (docs/viewer.md, wasm-view/npm/README.md) must hold, too.
    for (number, fence) in fences::all().iter().filter(|fence| fence.language == "tsx").enumerate() {
        std::fs::write(folder.join(format!("react/document-{number}.tsx")), &fence.code).unwrap();
    }
    // The types hold, and Vite finds the module.
    npm(&folder.join("react"), &["run", "build"]);
    // A server that renders may import what it will not run.
    let import = Command::new("node")
        .current_dir(folder.join("plain"))
        .args(["--input-type=module", "-e", "import { mount } from 'bodkin'; console.log(typeof mount)"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&import.stdout), "function\n", "{}", String::from_utf8_lossy(&import.stderr));

    let server = Served::sample();
    let stream = server.ask("GET", "/v1/tables/flights/data", "accept: application/vnd.apache.arrow.stream\r\n", b"");
    std::fs::write(folder.join("flights.arrows"), stream.body).unwrap();
    let site = Site::serve(&folder, vec![("/plain/", POLICY)]);
    let browser = Browser::launch();
    in_react(&browser, &site);
    in_a_plain_page(&browser, &site);
}

fn in_react(browser: &Browser, site: &Site) {
    let mut page = browser.page(1100, 700);
    page.colour_scheme("light");
    page.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": COUNTED}));
    page.goto(&site.url("/react/dist/index.html"));
    let says = |page: &mut Page, id: &str, text: &str| {
        page.wait_for(&format!("document.querySelector('#{id}')?.textContent === '{text}'"));
    };
    let press = |page: &mut Page, id: &str| {
        page.click_on(&format!("document.querySelector('#{id}').getBoundingClientRect()"), 0)
    };
    // Its properties and listeners.
    says(&mut page, "rows", &ROWS.to_string());
    page.wait_for(&format!("{VIEWER}.state().sort.join() === '-distance'"));
    let (x, y) = cell(&mut page, 3, "dep_time");
    page.click(x, y, 0);
    says(&mut page, "selected", "row 3");
    // A method, by a button of the page.
    press(&mut page, "filter");
    says(&mut page, "shown", "707");
    page.screenshot(&screenshots().join("react.png"));
    // Unmounted it holds nothing; opened and closed again and again, memory stays as it is.
    let mut held = Vec::new();
    for _ in 0..4 {
        page.eval(&format!("void (window.kept = {VIEWER})"));
        press(&mut page, "toggle");
        page.wait_for("!kept.isConnected && kept.state().rowsLoaded === 0");
        held.push(page.eval("memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)").as_u64().unwrap());
        page.wait_for("workers.size === 0");
        press(&mut page, "toggle");
        says(&mut page, "rows", &ROWS.to_string());
    }
    assert!(held[0] > 0 && held[3] <= held[0] + (1 << 20), "{held:?}");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

fn in_a_plain_page(browser: &Browser, site: &Site) {
    let mut page = browser.page(1100, 600);
    page.colour_scheme("light");
    page.goto(&site.url("/plain/index.html"));
    loaded(&mut page);
    page.wait_for(&format!("{VIEWER}.state().filters.origin === '=JFK'"));
    assert_eq!(page.eval(&format!("{VIEWER}.getAttribute('src')")), "/flights.arrows");
    filter(&mut page, "dep_delay", "> 60");
    page.click_on(&format!("{VIEWER}.headerRect('dep_delay')"), 0);
    page.wait_for(&format!("{VIEWER}.state().sort.join() === 'dep_delay'"));
    page.screenshot(&screenshots().join("plain.png"));
    assert_eq!(page.eval("window.violations"), json!([]));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}
