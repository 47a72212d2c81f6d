//! Each block of `README.md` is run, or read by what it is meant for, in a folder that has what it names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use size_budget::budget::Budget;
use size_budget::bundle::workspace;
use wasm_encoder::{CodeSection, Function, FunctionSection, Module, TypeSection};

const README: &str = include_str!("../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_size-budget");

/// Commands that take minutes or write into the machine; the others of the document are the same program's.
const NOT_RUN: [&str; 1] = ["cargo install --path size-budget"];

/// Language and text of the blocks.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let pieces: Vec<&str> = README.split("```").collect();
    pieces.iter().skip(1).step_by(2).map(|piece| piece.split_once('\n').unwrap()).collect()
}

/// A module with one function of so many instructions.
fn module(instructions: usize) -> Vec<u8> {
    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    functions.function(0);
    let mut function = Function::new([]);
    (0..instructions).for_each(|_| {
        function.instructions().nop();
    });
    function.instructions().end();
    code.function(&function);
    Module::new().section(&types).section(&functions).section(&code).clone().finish()
}

/// A folder of one test's own, which goes when the test ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A project as the document has one.
fn project() -> Folder {
    let folder = std::env::temp_dir().join(format!("size-budget-readme-{}", std::process::id()));
    fs::create_dir_all(folder.join("size")).unwrap();
    fs::write(folder.join("app.wasm"), module(100)).unwrap();
    fs::write(folder.join("app.js"), "export {}").unwrap();
    Folder(folder)
}

/// Runs a line of bash in a folder, with the program at hand.
fn bash(folder: &Path, line: &str) -> (bool, String) {
    let programs = Path::new(PROGRAM).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .current_dir(folder)
        .args(["-euo", "pipefail", "-c", line])
        .env("PATH", path)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), said)
}

/// The arguments of a command that builds and weighs the viewer are understood; running it is for `.ci/run`.
fn understands(line: &str) {
    let (words, _) = line.split_once('#').unwrap_or((line, ""));
    let arguments: Vec<&str> = match words.trim() {
        "cargo size" => {
            let aliases = fs::read_to_string(workspace().join(".cargo/config.toml")).unwrap();
            assert!(aliases.contains("size = \"run -p size-budget -- report\""), "{aliases}");
            vec!["report"]
        }
        words => match words.split_once("cargo run -p size-budget -- ") {
            Some((_, arguments)) => arguments.split(' ').collect(),
            None => panic!("{line}: nothing runs it. Remedy: size-budget/tests/readme.rs"),
        },
    };
    // All before the last word was understood.
    let output = Command::new(PROGRAM).args(&arguments).arg("--odd").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("size-budget: --odd is not understood"), "{line}: {said}");
}

/// A sentence without its numbers, up to the name that it names.
fn form(sentence: &str) -> String {
    let (known, _) = sentence.split_once("look first at").unwrap_or_else(|| panic!("{sentence}"));
    known.split(|letter: char| letter.is_ascii_digit()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("9")
}

#[test]
fn every_block_is_run_or_read() {
    let project = project();
    let folder = project.0.as_path();
    let budget = folder.join("size/budget.toml");
    let toml = blocks().into_iter().find(|(language, _)| *language == "toml").unwrap().1;
    fs::write(&budget, toml).unwrap();
    assert!(Budget::read(&budget).is_ok(), "{toml}");
    for (language, text) in blocks() {
        match language {
            "toml" => {}
            "sh" => {
                for line in text.lines().filter(|line| !NOT_RUN.contains(line)) {
                    match line.strip_prefix("size-budget ") {
                        Some(_) => {
                            let (is_well, said) = bash(folder, line);
                            assert!(is_well && said.starts_with("### Size"), "{line}: {said}");
                        }
                        None => understands(line),
                    }
                }
            }
            "yaml" => {
                let (is_well, said) = bash(folder, text.trim().strip_prefix("- run: ").unwrap());
                let summary = fs::read_to_string(folder.join("summary")).unwrap_or_default();
                assert!(is_well && summary.starts_with("### Size"), "{text}: {said}{summary}");
            }
            "text" => {
                fs::write(folder.join("small.toml"), "[wasm]\nraw = 10\nbrotli = 1_000\n").unwrap();
                let (_, said) = bash(folder, "size-budget weigh --wasm app.wasm --budget small.toml");
                assert_eq!(form(said.lines().last().unwrap()), form(text.trim()), "{said}");
            }
            other => panic!("nothing runs the block of {other:?}. Remedy: size-budget/tests/readme.rs"),
        }
    }
}
