//! What is measured is told the same everywhere: the figures that are kept, the tables of the document, the charts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fs;

use benches::charts::{list, svg};
use benches::results::{Results, root, text};

const REDRAW: &str = "Remedy: cargo run -p benches --bin charts, look at the pictures, and commit them";

fn performance() -> String {
    fs::read_to_string(root().join("docs/performance.md")).unwrap()
}

#[test]
fn charts_are_what_the_figures_give() {
    let document = performance();
    for chart in list::charts().unwrap() {
        let path = root().join("docs/charts").join(chart.file).with_extension("svg");
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == svg(&chart).unwrap(), "docs/charts/{}.svg is older than its figures. {REDRAW}", chart.file);
        let shown = format!("(charts/{}.svg)", chart.file);
        assert!(document.contains(&shown), "docs/performance.md does not show {shown}");
    }
}

/// The cells of a row, without emphasis.
fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.replace(['*', ','], "").trim().to_owned()).collect()
}

/// All numbers of a row, as `1.4 / 8` has two.
fn numbers(cells: &[String]) -> Vec<f64> {
    cells.iter().flat_map(|cell| cell.split([' ', '/', '·'])).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn tables_say_what_was_measured() {
    let document = performance();
    let mut figures = 0;
    for entry in fs::read_dir(root().join("benches/results")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let results = Results::read(&name).unwrap();
        for key in ["about", "date", "command", "machine", "table"] {
            assert!(results.head[key].is_string(), "benches/results/{name}.jsonl: its first line has no \"{key}\"");
        }
        let place = text(&results.head["table"]);
        let (_, after) =
            document.split_once(&place).unwrap_or_else(|| panic!("{name}: the document does not say {place:?}"));
        let table: Vec<Vec<String>> = after
            .lines()
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'))
            .map(cells)
            .collect();
        let keys: Vec<String> = results.head["row"].as_array().unwrap().iter().map(text).collect();
        for line in &results.lines {
            let mut wanted: Vec<String> = keys.iter().map(|key| text(&line[key]).replace(',', "")).collect();
            // Two turns of one are two rows.
            let rows: Vec<&Vec<String>> = table.iter().filter(|row| row.starts_with(&wanted)).collect();
            assert!(!rows.is_empty(), "{name}: no row of the table begins with {wanted:?}");
            for figure in results.head["figures"].as_array().unwrap().iter().map(text) {
                let Some(value) = line[&figure].as_f64() else { continue };
                let is_told = rows.iter().any(|row| numbers(&row[keys.len()..]).contains(&value));
                wanted.push(figure.clone());
                assert!(
                    is_told,
                    "{name}: docs/performance.md does not say {value} ({}) as measured",
                    wanted.join(", ")
                );
                wanted.pop();
                figures += 1;
            }
        }
    }
    assert!(figures > 400, "{figures} figures");
}
