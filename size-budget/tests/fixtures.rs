//! The scale itself, on modules made for it: names, sizes, stripping, what is retained, and a bundle that is too big.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use size_budget::budget::Budget;
use size_budget::growth::Baseline;
use size_budget::measure::{brotli, compact_script, gzip, size};
use size_budget::module::{read, strip};
use size_budget::order::order;
use size_budget::report::{Files, Report};
use size_budget::reproduce::compare;
use size_budget::silence::silence;
use size_budget::text;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, IndirectNameMap, MemorySection, MemoryType, Module,
    NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};

/// A function of a module that is made up: its name, how long it is, and whom it calls.
struct Made<'a>(&'a str, usize, &'a [u32]);

/// A module with one import (function 0), the given functions, data, names and a custom section. The first function is
/// exported, the last is called through a table.
fn module_of(functions: &[Made<'_>], data: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("page", "log", EntityType::Function(0));
    let mut declared = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut map = NameMap::new();
    for (index, Made(name, length, calls)) in functions.iter().enumerate() {
        declared.function(0);
        map.append(index as u32 + 1, name);
        let mut function = Function::new([]);
        (0..*length).for_each(|_| {
            function.instructions().nop();
        });
        calls.iter().for_each(|&call| {
            function.instructions().call(call);
        });
        function.instructions().end();
        code.function(&function);
    }
    let last = functions.len() as u32;
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, 1);
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![last].into()));
    let mut section = DataSection::new();
    section.active(0, &ConstExpr::i32_const(0), vec![7; data]);
    let mut names = NameSection::new();
    names.functions(&map);
    names.locals(&IndirectNameMap::new());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&tables).section(&memories).section(&exports);
    module.section(&elements).section(&code).section(&section);
    module.section(&CustomSection { name: "producers".into(), data: (&[1, 2, 3]).into() }).section(&names);
    module.finish()
}

const FILTER: &str = "_ZN7kernels6filter17h0123456789abcdefE";
const DECODE: &str = "_RNvCsbdpfmJwgvnH_4wire6decode";
const SORT_U8: &str = "_RINvCs1234_7kernels4sorthE";
const SORT_U64: &str = "_RINvCs1234_7kernels4sortyE";

fn module(data: usize) -> Vec<u8> {
    module_of(&[Made(FILTER, 1, &[]), Made(DECODE, 200, &[])], data)
}

/// A folder of one test's own, which goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("size-budget-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn functions_are_named_and_the_largest_comes_first() {
    let contents = read(&module(10)).unwrap();
    let names: Vec<&str> = contents.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["wire::decode", "kernels::filter"]);
    assert!(contents.functions[0].bytes > 200);
    let crates = contents.by_crate();
    assert!(crates.iter().any(|item| item.name == "kernels") && crates[0].name == "wire");
    let kernels = contents.by_module("kernels");
    assert!(kernels.len() == 1 && kernels[0].name == "filter" && kernels[0].bytes < 200, "{kernels:?}");
    assert_eq!(contents.sections.len(), 2, "{:?}", contents.sections);
}

#[test]
fn what_is_retained_is_what_only_one_function_leads_to() {
    // 1 calls 2 and 3, both call 4, only 3 calls 5; 6 is called through a table, and by 3.
    let functions = [
        Made("_RNvC1a3one", 10, &[2, 3, 0]),
        Made("_RNvC1a3two", 20, &[4]),
        Made("_RNvC1a5three", 30, &[4, 5, 6]),
        Made("_RNvC1a4four", 40, &[]),
        Made("_RNvC1a4five", 50, &[5]),
        Made("_RNvC1a3six", 60, &[]),
    ];
    let contents = read(&module_of(&functions, 1)).unwrap();
    let of = |name: &str| contents.functions.iter().find(|function| function.name == name).unwrap();
    let bytes = |name: &str| of(name).bytes;
    assert_eq!(of("a::three").retained, bytes("a::three") + bytes("a::five"));
    assert_eq!(of("a::two").retained, bytes("a::two"));
    assert_eq!(of("a::four").retained, bytes("a::four"));
    let under_one: usize = ["a::one", "a::two", "a::three", "a::four", "a::five"].into_iter().map(bytes).sum();
    assert_eq!(of("a::one").retained, under_one);
    assert_eq!(of("a::six").retained, bytes("a::six"));
}

#[test]
fn copies_of_a_generic_are_one_thing() {
    let contents =
        read(&module_of(&[Made(SORT_U8, 100, &[]), Made(SORT_U64, 50, &[]), Made(FILTER, 1, &[])], 1)).unwrap();
    let generics = contents.generics();
    assert_eq!((generics[0].name.as_str(), generics[0].copies), ("kernels::sort", 2));
    assert!(generics[0].bytes > 150 && generics[1].copies == 1);
}

#[test]
fn stripping_takes_the_names_and_nothing_else() {
    let whole = module(10);
    let stripped = strip(&whole).unwrap();
    assert!(stripped.len() < whole.len());
    let named = |module: &[u8]| {
        read(module).unwrap().functions.iter().filter(|function| !function.name.starts_with("function")).count()
    };
    assert_eq!((named(&whole), named(&stripped)), (2, 0));
    wasmparser::Validator::new().validate_all(&stripped).unwrap();
    // Nothing is left to take.
    assert_eq!(strip(&stripped).unwrap(), stripped);
}

#[test]
fn arrays_write_no_debug_text_and_all_else_stays() {
    // <arrow_array::Array as core::fmt::Debug>::fmt, once with the type of a `Debug` and once with another.
    const DEBUG: &str = "_RNvXCs1_11arrow_arrayNtB2_5ArrayNtNtCs2_4core3fmt5Debug3fmt";
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    let (mut declared, mut code, mut map) = (FunctionSection::new(), CodeSection::new(), NameMap::new());
    for (index, name) in [DEBUG, FILTER].into_iter().enumerate() {
        declared.function(0);
        let mut function = Function::new([]);
        (0..300).for_each(|_| {
            function.instructions().nop();
        });
        function.instructions().i32_const(1).end();
        code.function(&function);
        map.append(index as u32, name);
    }
    let mut names = NameSection::new();
    names.functions(&map);
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code).section(&names);
    let silent = silence(&module.finish()).unwrap();
    wasmparser::Validator::new().validate_all(&silent).unwrap();
    let contents = read(&silent).unwrap();
    let bytes: Vec<(&str, usize)> =
        contents.functions.iter().map(|function| (function.name.as_str(), function.bytes)).collect();
    assert_eq!(bytes[0], ("kernels::filter", 304));
    assert_eq!(bytes[1], ("<arrow_array::Array as core::fmt::Debug>::fmt", 4));
    // One that gives nothing is left alone.
    let other = module_of(&[Made(DEBUG, 300, &[])], 1);
    assert_eq!(read(&silence(&other).unwrap()).unwrap().functions[0].bytes, 302);
    assert_eq!(strip(&silence(&other).unwrap()).unwrap(), strip(&other).unwrap());
}

#[test]
fn ordered_functions_are_the_same_functions() {
    let made = [Made(DECODE, 3, &[2, 3]), Made(SORT_U64, 40, &[0]), Made(SORT_U8, 2, &[4]), Made(FILTER, 1, &[2])];
    let whole = module_of(&made, 10);
    let ordered = order(&whole).unwrap();
    wasmparser::Validator::new().validate_all(&ordered).unwrap();
    assert_ne!(strip(&ordered).unwrap(), strip(&whole).unwrap());
    // Names, bytes, and what each leads to: calls, the export and the table have gone along.
    assert_eq!(read(&ordered).unwrap().functions, read(&whole).unwrap().functions);
    // What is in order stays as it is.
    assert_eq!(order(&ordered).unwrap(), ordered);
}

#[test]
fn damaged_modules_are_errors() {
    let whole = module(10);
    assert!(read(b"no module").is_err() && strip(b"").is_err());
    assert!(read(&whole[..whole.len() / 2]).is_err());
}

#[test]
fn compression_is_what_a_browser_undoes() {
    let bytes = module(5_000);
    let size = size(&bytes);
    assert_eq!((size.raw, size.gzip, size.brotli), (bytes.len(), gzip(&bytes).len(), Some(brotli(&bytes).len())));
    assert!(size.brotli.unwrap() < size.raw / 4);
    let mut back = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip(&bytes).as_slice()), &mut back).unwrap();
    assert_eq!(back, bytes);
    let mut back = Vec::new();
    std::io::Read::read_to_end(&mut ::brotli::Decompressor::new(brotli(&bytes).as_slice(), 4096), &mut back).unwrap();
    assert_eq!(back, bytes);
}

const BUDGET: &str = "by_module = [\"kernels\"]\n[wasm]\nraw = 2_000\nbrotli = 2_000\n[js]\nraw = 100\nbrotli = 100\n";

fn report(module: &[u8], baseline: Option<&Baseline>) -> Report {
    let files = Files { module, cut: None, script: Some(b"export {}"), server: None };
    Report::new(files, &toml::from_str::<Budget>(BUDGET).unwrap(), baseline, None, None).unwrap()
}

fn baseline_of(module: &[u8]) -> Baseline {
    Baseline::new("2026-01-31".to_owned(), size(&strip(module).unwrap()), None, None, &read(module).unwrap())
}

#[test]
fn a_bundle_that_is_too_big_is_named_with_what_to_look_at() {
    assert!(report(&module(10), None).over.is_empty());
    let over = report(&module(9_000), None).over;
    assert_eq!(over.len(), 1);
    assert!(over[0].starts_with("WASM raw: ") && over[0].contains("over its budget of 2000"), "{over:?}");
    assert!(over[0].contains("look first at <data: constants and strings>, the largest item"), "{over:?}");
}

#[test]
fn with_a_baseline_what_grew_most_is_named() {
    let functions = |sort: usize| {
        module_of(
            &[Made(DECODE, 1_500, &[]), Made(SORT_U8, sort, &[]), Made(SORT_U64, sort, &[]), Made(FILTER, 300, &[])],
            1,
        )
    };
    let baseline = baseline_of(&functions(150));
    let report = report(&functions(400), Some(&baseline));
    // The largest function is another one.
    assert_eq!(report.shallow[0].name, "wire::decode");
    assert!(
        report.over[0].ends_with("look first at kernels::sort, which grew most (+500 since 2026-01-31)"),
        "{:?}",
        report.over
    );
    let growth = report.growth.as_ref().unwrap();
    assert_eq!(growth.changes.len(), 1, "{growth:?}");
    // Nothing has grown since a baseline of the same module.
    assert!(self::report(&functions(400), Some(&baseline_of(&functions(400)))).growth.unwrap().changes.is_empty());
    // What is new is said to be new; what is gone has shrunk.
    let new = self::report(
        &functions(400),
        Some(&baseline_of(&module_of(&[Made(DECODE, 1_500, &[]), Made(FILTER, 300, &[])], 1))),
    )
    .over;
    assert!(new[0].contains("look first at kernels::sort, which is new"), "{new:?}");
    let back = self::report(&module(1), Some(&baseline)).growth.unwrap();
    assert!(back.changes.iter().any(|change| change.name == "kernels::sort" && change.after == 0));
}

#[test]
fn a_baseline_comes_back_as_it_was_written() {
    let folder = Folder::new("baseline");
    let path = folder.0.join("baseline.json");
    assert_eq!(Baseline::read(&path).unwrap(), None);
    let baseline = baseline_of(&module(300));
    baseline.write(&path).unwrap();
    assert_eq!(Baseline::read(&path).unwrap(), Some(baseline));
    folder.write("baseline.json", b"{}");
    assert!(Baseline::read(&path).unwrap_err().to_string().contains("baseline.json"));
}

#[test]
fn every_form_of_the_report_says_the_same() {
    let baseline = baseline_of(&module(10));
    let report = report(&module(9_000), Some(&baseline));
    let table = text::table(&report);
    for part in
        ["WASM", "JavaScript", "kernels by module", "wire::decode", "since the baseline of 2026-01-31", "OVER BUDGET"]
    {
        assert!(table.contains(part), "{part} in {table}");
    }
    let markdown = text::markdown(&report);
    assert!(markdown.starts_with("### Size: **over budget**\n\n- WASM raw: "), "{markdown}");
    assert!(markdown.contains("| WASM | ") && markdown.contains("| `wire::decode` |"), "{markdown}");
    assert!(!markdown.lines().any(|line| line.starts_with("- ") && line.contains('<')), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["form"], 1);
    assert_eq!(json["parts"][0]["size"]["raw"], report.parts[0].size.raw);
    assert_eq!(json["over"][0], report.over[0]);
    assert_eq!(json["growth"]["since"], "2026-01-31");
}

/// Runs the program as somebody does who has never seen it.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_size-budget")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_newcomer_with_a_bundle_that_is_too_big_is_told_what_to_do() {
    let folder = Folder::new("newcomer");
    let budget = folder.write("budget.toml", BUDGET.as_bytes());
    let small = folder.write("small.wasm", &module(10));
    let big = folder.write("big.wasm", &module_of(&[Made(FILTER, 1, &[]), Made(DECODE, 4_000, &[])], 10));
    let js = folder.write("page.js", b"export {}");
    let of = |wasm: &Path, more: &[&str]| {
        let arguments = ["weigh", "--wasm", word(wasm), "--js", word(&js), "--budget", word(&budget)];
        run(&[&arguments[..], more].concat())
    };
    let (status, said) = of(&small, &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("OVER"), "{said}");
    let (status, said) = of(&big, &[]);
    assert_eq!(status, Some(1));
    let verdict = said.lines().last().unwrap();
    assert!(verdict.starts_with("OVER BUDGET  WASM raw: 4"), "{said}");
    assert!(verdict.contains("over its budget of 2000; look first at wire::decode, the largest item"), "{said}");
    // With a baseline beside the budget, the verdict is about what has grown.
    let (status, said) = run(&["baseline", "--wasm", word(&small), "--budget", word(&budget)]);
    assert!(status == Some(0) && said.ends_with("baseline.json\n"), "{said}");
    let (_, said) = of(&big, &[]);
    assert!(
        said.lines().last().unwrap().contains("look first at wire::decode, which grew most (+3800 since"),
        "{said}"
    );
    let (status, said) = of(&big, &["--markdown"]);
    assert!(status == Some(1) && said.starts_with("### Size: **over budget**"), "{said}");
    let (_, said) = of(&big, &["--json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&said).is_ok());
}

#[test]
fn what_is_asked_wrongly_is_answered_with_how_to_ask() {
    for (arguments, expected) in [
        (&["wiegh"][..], "wiegh is not understood"),
        (&["weigh"], "weigh wants --wasm FILE"),
        (&["report", "--wasm", "x.wasm"], "report builds what it looks at"),
        (&["weigh", "--wasm"], "--wasm wants a file"),
    ] {
        let (status, said) = run(arguments);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(expected) && said.contains("usage: size-budget"), "{said}");
    }
    let (status, said) = run(&["weigh", "--wasm", "not-there.wasm"]);
    assert!(status == Some(1) && said.contains("not-there.wasm"), "{said}");
    assert_eq!(run(&["--help"]).0, Some(0));
}

#[test]
fn a_server_is_weighed_when_it_is_asked_for() {
    let folder = Folder::new("server");
    let limits = format!("{BUDGET}[server]\nraw = 1_000\n");
    let budget = folder.write("budget.toml", limits.as_bytes());
    let (wasm, server) = (folder.write("a.wasm", &module(10)), folder.write("server", &[1; 1_500]));
    let (status, said) = run(&["weigh", "--wasm", word(&wasm), "--budget", word(&budget)]);
    assert!(status == Some(0) && !said.contains("server"), "{said}");
    let arguments = ["weigh", "--wasm", word(&wasm), "--budget", word(&budget), "--server", word(&server)];
    let (status, said) = run(&arguments);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("OVER BUDGET  server raw: 1500 bytes, 500 over its budget of 1000"), "{said}");
}

#[test]
fn two_builds_are_equal_or_it_is_said_where_they_differ() {
    assert!(compare(&module(10), &module(10)).unwrap().is_empty());
    let found = compare(&module(10), &module(11)).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("the data: "), "{found:?}");
    let found = compare(&module(10), &module_of(&[Made(FILTER, 2, &[]), Made(DECODE, 199, &[])], 10)).unwrap();
    assert!(found.iter().any(|line| line.contains("section 10") || line.starts_with("the code: ")), "{found:?}");
}

#[test]
fn scripts_lose_their_comments_and_nothing_that_runs() {
    let script =
        "// head\n/** says\n * much\n */\nfunction f() {\n    /* one line */\n\n    return 'a // b' // kept\n}\n";
    assert_eq!(compact_script(script), "function f() {\nreturn 'a // b' // kept\n}\n");
}

#[test]
fn the_budget_file_is_read_strictly() {
    let folder = Folder::new("budget");
    let read =
        |text: &str| Budget::read(&folder.write("budget.toml", text.as_bytes())).map_err(|error| error.to_string());
    let good = "[wasm]\nraw = 1\nbrotli = 2\n[js]\nraw = 3\nbrotli = 4\n";
    assert_eq!(read(good).unwrap().js.unwrap().brotli, Some(4));
    assert!(read(&good.replace("raw = 1", "row = 1")).unwrap_err().contains("row"));
    assert!(read("[js]\nraw = 1\nbrotli = 2\n").unwrap_err().contains("wasm"));
    // A project without a script has no limit for one.
    assert!(read("[wasm]\nraw = 1\n").unwrap().js.is_none());
}
