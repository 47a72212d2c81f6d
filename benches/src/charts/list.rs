//! Which charts there are, and which figures stand in each.

use std::error::Error;
use std::fs;

use serde_json::Value;

use super::{Bar, Chart, Group, number};
use crate::results::{Results, root, text};

type Made<T> = Result<T, Box<dyn Error>>;

const ENGINES: [(&str, &str); 5] = [
    ("bodkin", "Bodkin"),
    ("arrow", "arrow-rs"),
    ("polars", "Polars"),
    ("duckdb", "DuckDB"),
    ("datafusion", "DataFusion"),
];

fn bar(name: &str, value: f64, label: String) -> Bar {
    Bar { name: name.to_owned(), value, label, is_ours: name.starts_with("Bodkin") }
}

fn group(name: &str, note: &str, bars: Vec<Bar>) -> Group {
    Group { name: name.to_owned(), note: note.to_owned(), bars }
}

/// Command, date and machine of a file.
fn source(results: &Results) -> String {
    let head = |key: &str| text(&results.head[key]);
    let command = head("command");
    let program = command.split_whitespace().find(|word| word.contains('/')).unwrap_or(&command).to_owned();
    format!("{program}, {}, {}", head("date"), head("machine"))
}

/// All charts, drawn from `results`.
///
/// # Errors
/// When a file of figures is not there or lacks one.
pub fn charts() -> Made<Vec<Chart>> {
    Ok(vec![kernels()?, tasks()?, browser()?, weight()?, server()?, csv()?])
}

/// How many times as long as ours each engine takes, by kinds of tasks.
fn kernels() -> Made<Chart> {
    let results = Results::read("kernels-one-thread")?;
    let tasks = results.distinct("task");
    let of = |prefix: &str| tasks.iter().filter(|task| task.starts_with(prefix)).cloned().collect::<Vec<_>>();
    let is_question = |task: &&String| task.strip_prefix('q').is_some_and(|rest| rest.parse::<u8>().is_ok());
    let kinds = [
        ("Sort", of("argsort")),
        ("Group by", tasks.iter().filter(is_question).cloned().collect()),
        ("First 100 of a sort", of("top 100")),
        ("Take", of("take")),
        ("Filter", of("filter")),
    ];
    let mut groups = Vec::new();
    for (name, tasks) in kinds {
        let mut bars = Vec::new();
        for (engine, shown) in ENGINES {
            let ratio = |task: &String| {
                let of = |engine| results.figure(&[("task", task), ("engine", engine)], "ms_min");
                Some((of(engine)? / of("bodkin")?).ln())
            };
            // An engine that cannot do all of them has no bar.
            let Some(logs) = tasks.iter().map(ratio).collect::<Option<Vec<f64>>>() else { continue };
            let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
            bars.push(bar(shown, mean, format!("{mean:.1}")));
        }
        let note = if tasks.len() == 1 { "1 task".to_owned() } else { format!("{} tasks", tasks.len()) };
        groups.push(group(name, &note, bars));
    }
    Ok(Chart {
        file: "kernels",
        title: "Kernels beside four engines",
        subtitle: "Time relative to Bodkin, geometric means: shorter is better. Ten million rows, one thread."
            .to_owned(),
        source: source(&results),
        groups,
        scales_apart: false,
        even: Some(1.0),
    })
}

/// Each task beside the best peer.
fn tasks() -> Made<Chart> {
    let results = Results::read("kernels-one-thread")?;
    let mut groups = Vec::new();
    for task in results.distinct("task") {
        let ratio = results.figure(&[("task", &task), ("engine", "bodkin")], "best_peer_by_ours");
        let ratio = ratio.ok_or_else(|| format!("{task} has no ratio"))?;
        groups.push(group(
            &task,
            "",
            vec![Bar { name: String::new(), value: ratio, label: format!("{ratio:.2}"), is_ours: ratio >= 1.0 }],
        ));
    }
    Ok(Chart {
        file: "tasks",
        title: "Each task beside whichever peer is fastest at it",
        subtitle: "How many times as fast as the best peer: longer is better; grey where we are behind.".to_owned(),
        source: source(&results),
        groups,
        scales_apart: false,
        even: Some(1.0),
    })
}

const PEERS: [(&str, &str); 4] =
    [("bodkin", "Bodkin"), ("duckdb", "DuckDB-Wasm"), ("perspective", "Perspective"), ("arrow", "apache-arrow")];

/// Bars of one figure, for those in the browser that have it.
fn peers(results: &Results, figure: &str, label: impl Fn(f64) -> String) -> Vec<Bar> {
    let of = |(peer, name): &(&str, &str)| {
        let value = results.figure(&[("figure", figure), ("peer", peer)], "min")?;
        Some(bar(name, value, label(value)))
    };
    PEERS.iter().filter_map(of).collect()
}

fn browser() -> Made<Chart> {
    let results = Results::read("browser-peers")?;
    let wanted = [
        ("First row", "from the navigation", "first row, ms"),
        ("All rows", "from the navigation", "all rows, ms"),
        ("Sort", "to the first 30 rows", "sort, to the first 30 rows, ms"),
        ("Sort", "to 30 rows from its middle", "30 rows from the middle of the order, ms"),
        ("Filter", "to its count and 30 rows", "filter, count and 30 rows, ms"),
        ("Group by", "", "groups, ms"),
    ];
    let bars = |figure| peers(&results, figure, |value| format!("{} ms", number(value)));
    Ok(Chart {
        file: "browser",
        title: "Three million flights in the browser",
        subtitle: "Milliseconds, each group to its own scale: shorter is better. apache-arrow only loads.".to_owned(),
        source: source(&results),
        groups: wanted.iter().map(|(name, note, figure)| group(name, note, bars(figure))).collect(),
        scales_apart: true,
        even: None,
    })
}

/// Bytes and memory; ours are those of the committed baseline, so that they follow the viewer.
fn weight() -> Made<Chart> {
    let results = Results::read("browser-peers")?;
    let megabytes = |value: f64| if value < 10.0 { format!("{value:.2} MB") } else { format!("{} MB", number(value)) };
    let baseline: Value = serde_json::from_str(&fs::read_to_string(root().join("size-budget/baseline.json"))?)?;
    let ours = ["wasm", "js"].iter().filter_map(|part| baseline[part]["brotli"].as_f64()).sum::<f64>() / 1e6;
    let mut code = peers(&results, "code, brotli, MB", megabytes);
    if let Some(first) = code.first_mut() {
        *first = bar("Bodkin", ours, megabytes(ours));
    }
    Ok(Chart {
        file: "weight",
        title: "What a visitor downloads, and what the page takes",
        subtitle: "Megabytes, each group to its own scale: shorter is better. Three million flights.".to_owned(),
        source: format!("{}; Bodkin's code as cargo size has it", source(&results)),
        groups: vec![
            group("Code", "by brotli", code),
            group(
                "Memory until loaded",
                "of the page's process",
                peers(&results, "memory until loaded, MB", megabytes),
            ),
            group("Memory at most", "sort, filter, groups", peers(&results, "memory at most, MB", megabytes)),
        ],
        scales_apart: true,
        even: None,
    })
}

fn server() -> Made<Chart> {
    let (questions, whole) = (Results::read("server-questions")?, Results::read("server-whole-table")?);
    let mut groups = Vec::new();
    let named = [
        ("A far page", "page of 100 rows at a far offset"),
        ("A filter's page", "filter, page of 100 rows"),
        ("First 100 of a sort", "first 100 rows of a sort"),
    ];
    for (name, figure) in named {
        let of = |server| questions.figure(&[("figure", figure), ("clients", "20"), ("server", server)], "per_second");
        let bars = [("bodkin, json", "Bodkin"), ("roapi, json", "ROAPI")]
            .iter()
            .filter_map(|(server, name)| of(server).map(|value| bar(name, value, format!("{}/s", number(value)))));
        groups.push(group(name, "100 rows as JSON", bars.collect()));
    }
    let of = |server| whole.figure(&[("clients", "8"), ("server", server)], "gb_per_second");
    let bars = [("bodkin", "Bodkin"), ("nginx", "nginx, its file")]
        .iter()
        .filter_map(|(server, name)| of(server).map(|value| bar(name, value, format!("{value:.2} GB/s"))));
    groups.push(group("A whole table", "21 MB of Arrow, 8 clients", bars.collect()));
    Ok(Chart {
        file: "server",
        title: "The server beside ROAPI and nginx",
        subtitle: "Answers per second to 20 clients, and GB/s; each group to its own scale: longer is better."
            .to_owned(),
        source: source(&questions),
        groups,
        scales_apart: true,
        even: None,
    })
}

fn csv() -> Made<Chart> {
    let results = Results::read("csv-load")?;
    let mut groups: Vec<Group> = Vec::new();
    let places = [
        (
            "To be asked again",
            "an Arrow file, or its own",
            ["bodkin", "polars, to an Arrow file", "duckdb, to its own file"].as_slice(),
        ),
        ("Into memory", "gone with the process", &["polars", "pandas"]),
    ];
    for (name, note, who) in places {
        let mut bars = Vec::new();
        for line in results.lines.iter().filter(|line| who.contains(&text(&line["who"]).as_str())) {
            let seconds = line["seconds"].as_f64().ok_or("a load without seconds")?;
            let name = match text(&line["who"]).split(',').next() {
                Some("bodkin") => "Bodkin",
                Some("polars") => "Polars",
                Some("duckdb") => "DuckDB",
                _ => "pandas",
            };
            bars.push(bar(name, seconds, format!("{seconds:.1} s")));
        }
        bars.sort_by_key(|bar| !bar.is_ours);
        groups.push(group(name, note, bars));
    }
    Ok(Chart {
        file: "csv",
        title: "Reading a CSV of 5 GB",
        subtitle: "Seconds until its 98 million rows can be asked: shorter is better. Bodkin took two turns."
            .to_owned(),
        source: source(&results),
        groups,
        scales_apart: false,
        even: None,
    })
}
