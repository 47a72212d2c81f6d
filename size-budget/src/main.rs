//! `cargo run -p size-budget`: builds the viewer, prints what it weighs, fails over budget.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use size_budget::budget::{Budget, Report};
use size_budget::{Error, Result, bundle, measure, package};

const USAGE: &str = "usage: size-budget [report|build] [--json] [--without-wasm-opt]
       size-budget package [FOLDER]

report   build the viewer's bundle, print its bytes against budget.toml, fail over budget (the default)
build    only build it; the folder of the files is printed; with
         BODKIN_VIEWER_BUILD=quick it is built fast, and not small
package  write the viewer as an npm package (into target/npm)
--json   print the report for machines
--without-wasm-opt   judge a bundle although wasm-opt could not be had
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "package") {
        return package(arguments.get(1));
    }
    let known = ["report", "build", "--json", "--without-wasm-opt"];
    if let Some(odd) = arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        let help = odd == "--help" || odd == "-h";
        print(USAGE);
        return if help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    match run(&arguments) {
        Ok(over) if over.is_empty() => ExitCode::SUCCESS,
        Ok(over) => {
            for line in over {
                print(&format!("OVER BUDGET  {line}\n"));
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            print(&format!("size-budget: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<Vec<String>> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bundle::workspace().join("target"), PathBuf::from);
    let bundle = bundle::build(&target)?;
    if has("build") {
        print(&format!("{}\n", bundle.folder.display()));
        return Ok(Vec::new());
    }
    if bundle.optimiser.is_none() && !has("--without-wasm-opt") {
        return Err(Error::MissingTool { tool: "wasm-opt", remedy: bundle::WASM_OPT_REMEDY });
    }
    let items = measure::items(&bundle.named)?;
    let report = Report {
        wasm: measure::size(&bundle.wasm),
        js: measure::size(&bundle.js),
        budget: Budget::read(&bundle::workspace().join("size-budget/budget.toml"))?,
        optimiser: bundle.optimiser,
        crates: measure::by_crate(&items),
        kernels: measure::by_module(&items, "kernels"),
        items,
    };
    if has("--json") {
        print(&format!("{}\n", serde_json::to_string(&report).map_err(|error| Error::Module(error.to_string()))?));
    } else {
        print(&report.table(20));
    }
    Ok(report.over())
}

/// Writes the npm package.
fn package(folder: Option<&String>) -> ExitCode {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bundle::workspace().join("target"), PathBuf::from);
    let folder = folder.map_or_else(|| target.join("npm"), PathBuf::from);
    match bundle::build(&target).and_then(|bundle| package::write(&bundle, &folder)) {
        Ok(_) => {
            print(&format!("{}\n", folder.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            print(&format!("size-budget: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) {
    // A closed pipe is no reason to fail.
    let _closed = std::io::stdout().write_all(text.as_bytes());
}
