//! `cargo run -p size-budget`: builds the viewer, prints what it weighs, fails over budget; and the same for any module.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use size_budget::budget::Budget;
use size_budget::features::Features;
use size_budget::growth::{Baseline, today};
use size_budget::report::{Files, Report};
use size_budget::reproduce::reproduce;
use size_budget::{Error, Result, bundle, measure, module, package, text};

const USAGE: &str = "usage: size-budget [COMMAND] [OPTIONS]

report      build the viewer's bundle, print what it weighs, fail over budget (the default)
build       only build it and print the bundle's folder; with BODKIN_VIEWER_BUILD=quick it is built fast, and not small
package     write the viewer as an npm package into the folder that follows, or into target/npm
baseline    weigh it and keep the result in baseline.json: what later reports compare with
features    build it with and without each of its features and keep what they cost in features.json
reproduce   build it twice, in two folders and from nothing, and say whether the bytes are equal
weigh       as report, of files that another build has made: --wasm, --js, --server

--wasm FILE       the module for weigh or baseline, with its names (it is weighed without them)
--js FILE         the script beside it
--server [FILE]   the server's program to weigh, target/release/edge-server when no file is said
--budget FILE     the limits, size-budget/budget.toml when no file is said
--baseline FILE   the baseline, beside the budget when no file is said
--json            the report for machines
--markdown        the report for a pull request
--without-wasm-opt   judge a bundle although wasm-opt could not be had

The exit status is 0 within budget, 1 over budget or when something failed, 2 when the question is not understood.
";

const COMMANDS: [&str; 7] = ["report", "build", "package", "baseline", "features", "reproduce", "weigh"];

/// What is asked for.
#[derive(Default)]
struct Asked {
    command: Option<String>,
    /// Where the package goes.
    folder: Option<PathBuf>,
    wasm: Option<PathBuf>,
    js: Option<PathBuf>,
    server: Option<PathBuf>,
    budget: Option<PathBuf>,
    baseline: Option<PathBuf>,
    json: bool,
    markdown: bool,
    without_wasm_opt: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print(USAGE);
        return ExitCode::SUCCESS;
    }
    let asked = match Asked::read(arguments) {
        Ok(asked) => asked,
        Err(odd) => {
            print(&format!("size-budget: {odd}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(&asked) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print(&format!("size-budget: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

impl Asked {
    fn read(arguments: Vec<String>) -> std::result::Result<Self, String> {
        let mut asked = Self::default();
        let mut rest = arguments.into_iter().peekable();
        while let Some(argument) = rest.next() {
            let place = match argument.as_str() {
                "--json" => {
                    asked.json = true;
                    continue;
                }
                "--markdown" => {
                    asked.markdown = true;
                    continue;
                }
                "--without-wasm-opt" => {
                    asked.without_wasm_opt = true;
                    continue;
                }
                "--wasm" => &mut asked.wasm,
                "--js" => &mut asked.js,
                "--server" => &mut asked.server,
                "--budget" => &mut asked.budget,
                "--baseline" => &mut asked.baseline,
                command if COMMANDS.contains(&command) && asked.command.is_none() => {
                    if command == "package" {
                        asked.folder = rest.next_if(|next| !next.starts_with("--")).map(PathBuf::from);
                    }
                    asked.command = Some(argument);
                    continue;
                }
                odd => return Err(format!("{odd} is not understood")),
            };
            let value = rest.next_if(|next| !next.starts_with("--") && !COMMANDS.contains(&next.as_str()));
            *place = match value {
                Some(value) => Some(PathBuf::from(value)),
                None if argument == "--server" => Some(target().join("release/edge-server")),
                None => return Err(format!("{argument} wants a file")),
            };
        }
        let command = asked.command.as_deref().unwrap_or("report");
        if command == "weigh" && asked.wasm.is_none() {
            return Err("weigh wants --wasm FILE".to_owned());
        }
        if !matches!(command, "weigh" | "baseline") && (asked.wasm.is_some() || asked.js.is_some()) {
            return Err(format!("{command} builds what it looks at; --wasm and --js are for weigh and baseline"));
        }
        Ok(asked)
    }
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| bundle::workspace().join("target"), PathBuf::from)
}

/// Whether all is well.
fn run(asked: &Asked) -> Result<bool> {
    let root = bundle::workspace();
    let beside = root.join("size-budget");
    let budget = asked.budget.clone().unwrap_or_else(|| beside.join("budget.toml"));
    let folder = budget.parent().map_or_else(PathBuf::new, Path::to_owned);
    let baseline = asked.baseline.clone().unwrap_or_else(|| folder.join("baseline.json"));
    let features = folder.join("features.json");
    match asked.command.as_deref() {
        Some("build") => {
            print(&format!("{}\n", bundle::build(&target())?.folder.display()));
            return Ok(true);
        }
        Some("package") => {
            let folder = asked.folder.clone().unwrap_or_else(|| target().join("npm"));
            package::write(&bundle::build(&target())?, &folder)?;
            print(&format!("{}\n", folder.display()));
            return Ok(true);
        }
        Some("features") => {
            let measured = Features::weigh(&root, &target(), &mut |with| say(&format!("building with: {with}")))?;
            measured.write(&features)?;
            print(&format!("{}\n", features.display()));
            return Ok(true);
        }
        Some("reproduce") => {
            let differences = reproduce(&root, &target(), &mut |step| say(step))?;
            for difference in &differences {
                print(&format!("DIFFERENT  {difference}\n"));
            }
            if differences.is_empty() {
                print("equal: the module with its names, and the script\n");
            }
            return Ok(differences.is_empty());
        }
        _ => {}
    }
    let (wasm, cut, js, optimiser) = match &asked.wasm {
        Some(wasm) => (read(wasm)?, None, asked.js.as_deref().map(read).transpose()?, None),
        None => {
            let bundle = bundle::build(&target())?;
            if bundle.optimiser.is_none() && !asked.without_wasm_opt {
                return Err(Error::MissingTool { tool: "wasm-opt", remedy: bundle::WASM_OPT_REMEDY });
            }
            (bundle.named, Some([bundle.wasm, bundle.more]), Some(bundle.js), bundle.optimiser)
        }
    };
    if asked.command.as_deref() == Some("baseline") {
        let contents = module::read(&wasm)?;
        let size = measure::size(&module::strip(&wasm)?);
        let cut = cut.map(|cut| cut.map(|part| measure::size(&part)));
        Baseline::new(today(), size, cut, js.as_deref().map(measure::size), &contents).write(&baseline)?;
        print(&format!("{}\n", baseline.display()));
        return Ok(true);
    }
    let cut = cut.as_ref().map(|cut| cut.each_ref().map(Vec::as_slice));
    let files = Files { module: &wasm, cut, script: js.as_deref(), server: asked.server.as_deref() };
    let known = Baseline::read(&baseline)?;
    let report = Report::new(files, &Budget::read(&budget)?, known.as_ref(), Features::read(&features)?, optimiser)?;
    print(&if asked.json {
        report.json()? + "\n"
    } else if asked.markdown {
        text::markdown(&report)
    } else {
        text::table(&report)
    });
    Ok(report.over.is_empty())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn print(text: &str) {
    // A closed pipe is no reason to fail.
    let _closed = std::io::stdout().write_all(text.as_bytes());
}

/// Tells a person who waits; what a machine reads is elsewhere.
fn say(text: &str) {
    let _closed = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
