//! A report as people read it: a table for a terminal, and Markdown for a pull request.

use std::fmt::Write;

use crate::growth::Change;
use crate::module::Item;
use crate::report::{Part, Report};

/// Crates, modules and changes that are listed.
const LISTED: usize = 12;
/// Characters of a name in a table.
const WIDTH: usize = 110;

/// The report for a terminal.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut out = Lines::default();
    out.line(format_args!("{:<12} {:>10} {:>10} {:>10}   budget raw / brotli", "", "raw", "gzip", "brotli"));
    for part in &report.parts {
        let limit = part.limit.map_or_else(String::new, |limit| {
            format!("{} / {}  ({} % used)", limit.raw, optional(limit.brotli), used(part))
        });
        let Part { name, size, .. } = part;
        let brotli = optional(size.brotli);
        out.line(format_args!("{name:<12} {:>10} {:>10} {brotli:>10}   {limit}", size.raw, size.gzip));
    }
    out.line(format_args!("\nwasm-opt: {}", report.optimiser.as_deref().unwrap_or("not run here")));
    out.items("by crate", &report.crates);
    for of in &report.by_module {
        out.items(&format!("{} by module", of.name), &of.modules);
    }
    out.items("what is no code", &report.sections);
    let named = report.shallow.len();
    out.line(format_args!(
        "\nthe {named} largest of {} functions (own bytes, with what only they lead to):",
        report.n_functions
    ));
    for function in &report.shallow {
        out.line(format_args!("{:>9} {:>9}  {}", function.bytes, function.retained, cut(&function.name)));
    }
    out.line(format_args!("\nthe {} that lead to most:", report.retained.len()));
    for function in &report.retained {
        out.line(format_args!("{:>9} {:>9}  {}", function.bytes, function.retained, cut(&function.name)));
    }
    out.line(format_args!("\nthe {} largest generics (bytes of all copies, copies):", report.generics.len()));
    for generic in &report.generics {
        out.line(format_args!("{:>9} {:>9}  {}", generic.bytes, generic.copies, cut(&generic.name)));
    }
    if let Some(features) = &report.features {
        out.line(format_args!("\nfeatures, measured on {} (raw, brotli):", features.date));
        for feature in &features.features {
            let (raw, brotli) = (signed(feature.raw), signed(feature.brotli));
            let state = if feature.default { "in" } else { "left out" };
            out.line(format_args!("{raw:>9} {brotli:>9}  {} ({state})", feature.name));
        }
    }
    if let Some(growth) = &report.growth {
        out.line(format_args!("\nsince the baseline of {}:", growth.since));
        for (name, after, before) in totals(report) {
            out.line(format_args!("{:>9}  {name}", signed(after as i64 - before as i64)));
        }
        for change in ends(&growth.changes) {
            out.line(format_args!("{:>9}  {}", signed(change.difference()), cut(&change.name)));
        }
    }
    for line in &report.over {
        out.line(format_args!("\nOVER BUDGET  {line}"));
    }
    out.0
}

/// The report for a pull request.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = Lines::default();
    let verdict = if report.over.is_empty() { "within budget" } else { "**over budget**" };
    out.line(format_args!("### Size: {verdict}\n"));
    for line in &report.over {
        out.line(format_args!("- {}", line.replace('<', "&lt;")));
    }
    out.line(format_args!(
        "{}| | raw | gzip | brotli | of its budget |",
        if report.over.is_empty() { "" } else { "\n" }
    ));
    out.line(format_args!("|---|---:|---:|---:|---:|"));
    for part in &report.parts {
        let Part { name, size, .. } = part;
        let brotli = optional(size.brotli);
        let used = if part.limit.is_some() { format!("{} %", used(part)) } else { String::new() };
        out.line(format_args!("| {name} | {} | {} | {brotli} | {used} |", size.raw, size.gzip));
    }
    if let Some(growth) = &report.growth {
        out.line(format_args!("\nSince the baseline of {}:\n\n| | bytes |\n|---|---:|", growth.since));
        for (name, after, before) in totals(report) {
            out.line(format_args!("| **{name}** | {} |", signed(after as i64 - before as i64)));
        }
        for change in ends(&growth.changes) {
            out.line(format_args!("| `{}` | {} |", cut(&change.name), signed(change.difference())));
        }
    }
    out.line(format_args!("\n<details><summary>What it is made of</summary>\n"));
    out.line(format_args!("| crate | bytes |\n|---|---:|"));
    for item in report.crates.iter().take(LISTED) {
        out.line(format_args!("| {} | {} |", item.name, item.bytes));
    }
    out.line(format_args!("\n| function | own | retained |\n|---|---:|---:|"));
    for function in &report.shallow {
        out.line(format_args!("| `{}` | {} | {} |", cut(&function.name), function.bytes, function.retained));
    }
    out.line(format_args!("\n| generic | copies | bytes |\n|---|---:|---:|"));
    for generic in &report.generics {
        out.line(format_args!("| `{}` | {} | {} |", cut(&generic.name), generic.copies, generic.bytes));
    }
    if let Some(features) = &report.features {
        out.line(format_args!("\n| feature ({}) | raw | brotli |\n|---|---:|---:|", features.date));
        for feature in &features.features {
            let state = if feature.default { "" } else { " (left out)" };
            out.line(format_args!(
                "| {}{state} | {} | {} |",
                feature.name,
                signed(feature.raw),
                signed(feature.brotli)
            ));
        }
    }
    out.line(format_args!("\n</details>"));
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _infallible = writeln!(self.0, "{line}");
    }

    fn items(&mut self, title: &str, items: &[Item]) {
        self.line(format_args!("\n{title}:"));
        for item in items.iter().take(LISTED) {
            self.line(format_args!("{:>9}  {}", item.bytes, cut(&item.name)));
        }
    }
}

/// Files whose size the baseline knows, now and then.
fn totals(report: &Report) -> Vec<(&'static str, usize, usize)> {
    let Some(growth) = &report.growth else { return Vec::new() };
    let before = |name: &str| match name {
        "WASM" => Some(growth.wasm),
        "JavaScript" => growth.js,
        _ => None,
    };
    let mut totals = Vec::new();
    for part in &report.parts {
        if let Some(before) = before(part.name) {
            totals.push((part.name, part.size.raw, before.raw));
        }
    }
    totals
}

/// What grew most and what shrank most.
fn ends(changes: &[Change]) -> impl Iterator<Item = &Change> {
    let grew = changes.iter().take_while(|change| change.difference() > 0).take(LISTED);
    let shrank = changes.iter().rev().take_while(|change| change.difference() < 0).take(LISTED);
    grew.chain(shrank)
}

fn used(part: &Part) -> usize {
    part.limit.map_or(0, |limit| (100 * part.size.raw).div_ceil(limit.raw.max(1)))
}

fn optional(bytes: Option<usize>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string())
}

fn signed(bytes: i64) -> String {
    format!("{bytes:+}")
}

fn cut(name: &str) -> String {
    if name.chars().count() <= WIDTH {
        return name.to_owned();
    }
    name.chars().take(WIDTH - 1).chain(['…']).collect()
}
