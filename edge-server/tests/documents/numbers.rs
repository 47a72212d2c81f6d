//! What the documents say of the viewer's size is what the committed baseline says.

use serde_json::Value;
use size_budget::bundle::workspace;

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap()
}

/// A number with thousands apart.
fn apart(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

#[test]
fn documents_say_what_the_baseline_says_of_the_viewer_s_size() {
    let baseline: Value = serde_json::from_str(&read("size-budget/baseline.json")).unwrap();
    let size = |part: &str, form: &str| baseline[part][form].as_u64().unwrap();
    let row = |part: &str| ["raw", "gzip", "brotli"].map(|form| apart(size(part, form))).join(" | ");
    let sent = (size("wasm", "brotli") + size("js", "brotli")) as f64 / 1e3;
    for (document, wanted) in [
        ("README.md", format!("**{sent:.0} kB**")),
        ("docs/performance.md", format!("| WASM | {} |", row("wasm"))),
        ("docs/performance.md", format!("| JavaScript, minified | {} |", row("js"))),
    ] {
        assert!(
            read(document).contains(&wanted),
            "{document} does not say \"{wanted}\", as size-budget/baseline.json does. Remedy: write it there"
        );
    }
}
