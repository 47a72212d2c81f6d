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
    let [wasm, js, first, later] = [&baseline["wasm"], &baseline["js"], &baseline["cut"][0], &baseline["cut"][1]];
    let size = |part: &Value, form: &str| part[form].as_u64().unwrap();
    let row = |part: &Value| ["raw", "gzip", "brotli"].map(|form| apart(size(part, form))).join(" | ");
    let sent = |part: &Value| size(part, "brotli") as f64 / 1e3;
    for (document, wanted) in [
        (
            "README.md",
            format!("**{:.0} kB** over the wire and {:.0} kB behind them", sent(first) + sent(js), sent(later)),
        ),
        ("docs/performance.md", format!("| WASM, as one | {} |", row(wasm))),
        ("docs/performance.md", format!("| its first part | {} |", row(first))),
        ("docs/performance.md", format!("| its second part | {} |", row(later))),
        ("docs/performance.md", format!("| JavaScript, minified | {} |", row(js))),
    ] {
        assert!(
            read(document).contains(&wanted),
            "{document} does not say \"{wanted}\", as size-budget/baseline.json does. Remedy: write it there"
        );
    }
}
