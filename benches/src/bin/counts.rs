//! Instructions that ten kernels take, beside those that they took when the baseline was written: a check that is as steady on
//! a busy machine as on an idle one.
//!
//! `counts` runs each task under callgrind and fails when one takes over 3 % more than `benches/counts.json` says; `counts
//! accept` writes the file anew. Valgrind knows no AVX-512, so that the AVX2 kernels are counted. A task is run once and
//! four times, and the difference counts: what the process does before and after falls out.
#![allow(clippy::print_stdout, reason = "a check prints")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use arrow_array::RecordBatch;
use benches::{floats, ints, number, words};
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Plan, Predicate, Scalar, SortBy, TextTest};
use kernels::{Indices, SortOptions};

type Failure = Box<dyn std::error::Error>;

const ROWS: usize = 100_000;
/// Parts of a hundred by which a count may rise, or fall before the baseline is asked to follow.
const TOLERANCE: f64 = 3.0;

const TASKS: [&str; 10] = [
    "compare a float",
    "filter, half of the rows",
    "filter by text that contains",
    "sort integers",
    "sort floats",
    "sort text",
    "first hundred by a float",
    "take in random order",
    "group by integers, sum",
    "group by text and integers, mean",
];

fn table() -> Result<RecordBatch, Failure> {
    let columns =
        [("text", words(ROWS, 1_000)), ("int", ints(ROWS, 100_000)), ("few", ints(ROWS, 50)), ("float", floats(ROWS))];
    Ok(RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))?)
}

fn plan(task: &str) -> Option<Plan> {
    let compare =
        |value: f64| Predicate::Compare { column: "float".to_owned(), op: CompareOp::Gt, value: Scalar::Float(value) };
    let group = |keys: &[&str], function: AggregateFunction| Plan {
        group_by: keys.iter().map(|&key| key.to_owned()).collect(),
        aggregates: vec![Aggregate { function, column: Some("float".to_owned()), other: None, name: None }],
        ..Plan::default()
    };
    Some(match task {
        "filter, half of the rows" => Plan { filter: Some(compare(50.0)), ..Plan::default() },
        "filter by text that contains" => {
            let (column, value) = ("text".to_owned(), "42".to_owned());
            let filter = Predicate::Text { column, test: TextTest::Contains, value, ignore_case: false };
            Plan { columns: Some(vec!["int".to_owned()]), filter: Some(filter), ..Plan::default() }
        }
        "first hundred by a float" => Plan {
            columns: Some(vec!["float".to_owned()]),
            sort: vec![SortBy { column: "float".to_owned(), descending: true, nulls: Default::default() }],
            limit: Some(100),
            ..Plan::default()
        },
        "group by integers, sum" => group(&["few"], AggregateFunction::Sum),
        "group by text and integers, mean" => group(&["text", "few"], AggregateFunction::Mean),
        _ => return None,
    })
}

/// Runs a task so many times.
fn run(task: &str, times: usize) -> Result<(), Failure> {
    let table = table()?;
    let column = |name: &str| table.column_by_name(name).cloned().ok_or("no such column");
    let sorted = |name: &str| -> Result<Indices, Failure> {
        Ok(kernels::sort_to_indices(column(name)?.as_ref(), SortOptions::default(), None)?)
    };
    let order = Indices::try_new((0..ROWS).map(|row| number(row, 9, ROWS as u64) as u32).collect(), ROWS)?;
    for _ in 0..times {
        match (task, plan(task)) {
            (_, Some(plan)) => drop(black_box(plan.bind(table.schema_ref())?.execute(std::slice::from_ref(&table))?)),
            ("compare a float", _) => {
                drop(black_box(kernels::compare(column("float")?.as_ref(), CompareOp::Lt, &Scalar::Float(10.0))?));
            }
            ("sort integers", _) => drop(black_box(sorted("int")?)),
            ("sort floats", _) => drop(black_box(sorted("float")?)),
            ("sort text", _) => drop(black_box(sorted("text")?)),
            ("take in random order", _) => drop(black_box(kernels::take(column("text")?.as_ref(), &order)?)),
            _ => return Err(format!("no task \"{task}\"").into()),
        }
    }
    Ok(())
}

/// Instructions of a run under callgrind.
fn counted(task: &str, times: usize) -> Result<u64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", task, &times.to_string()])
        // The same kernels whatever the machine.
        .env("KERNELS_BACKEND", "avx2")
        .output()
        .map_err(|error| format!("valgrind: {error}. Remedy: install it from the system's packages"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.filter(|_| output.status.success()).ok_or_else(|| format!("{task}: {said}").into())
}

fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.json")
}

fn check(accepts: bool) -> Result<bool, Failure> {
    let known: BTreeMap<String, u64> = match std::fs::read(baseline()) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => BTreeMap::new(),
    };
    let mut found = BTreeMap::new();
    let mut is_well = true;
    println!("{:<36} {:>14} {:>14} {:>8}", "instructions for 100,000 rows", "baseline", "now", "");
    for task in TASKS {
        let now = (counted(task, 4)? - counted(task, 1)?) / 3;
        found.insert(task.to_owned(), now);
        let before = known.get(task).copied();
        let change = before.map_or(0.0, |before| (now as f64 / before as f64 - 1.0) * 100.0);
        let verdict = match before {
            None => "new",
            Some(_) if change > TOLERANCE => "WORSE",
            Some(_) if change < -TOLERANCE => "better",
            Some(_) => "",
        };
        is_well &= verdict != "WORSE" && (before.is_some() || accepts);
        println!("{task:<36} {:>14} {now:>14} {change:>+7.1} % {verdict}", before.unwrap_or(0));
    }
    if accepts {
        std::fs::write(baseline(), serde_json::to_string_pretty(&found)? + "\n")?;
        return Ok(true);
    }
    if !is_well {
        println!(
            "A kernel takes more instructions than before. Look at what changed in it with `valgrind --tool=callgrind` and \
             `callgrind_annotate`; if it is meant, `cargo run --release -p benches --bin counts -- accept`."
        );
    }
    Ok(is_well)
}

fn main() -> Result<ExitCode, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", task, times] => run(task, times.parse()?).map(|()| ExitCode::SUCCESS),
        [] | ["check"] => Ok(if check(false)? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        ["accept"] => check(true).map(|_| ExitCode::SUCCESS),
        _ => Err("counts [check | accept | run TASK TIMES]".into()),
    }
}
