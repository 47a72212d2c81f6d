//! The scale itself, on modules made for it: names, sizes, stripping, and a bundle that is too big.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use size_budget::budget::{Budget, Limit, Report};
use size_budget::measure::{brotli, by_crate, by_module, compact_script, gzip, items, size, strip};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, EntityType, Function, FunctionSection, ImportSection,
    IndirectNameMap, MemorySection, MemoryType, Module, NameMap, NameSection, TypeSection,
};

/// A module with one import, a small and a large function, data, names and a custom section.
fn module(data: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("page", "log", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0).function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut code = CodeSection::new();
    for length in [1, 200] {
        let mut function = Function::new([]);
        (0..length).for_each(|_| {
            function.instructions().nop();
        });
        function.instructions().end();
        code.function(&function);
    }
    let mut section = DataSection::new();
    section.active(0, &ConstExpr::i32_const(0), vec![7; data]);
    let mut names = NameSection::new();
    let mut map = NameMap::new();
    map.append(1, "_ZN7kernels6filter17h0123456789abcdefE");
    map.append(2, "_RNvCsbdpfmJwgvnH_4wire6decode");
    names.functions(&map);
    names.locals(&IndirectNameMap::new());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&code).section(&section);
    module.section(&CustomSection { name: "producers".into(), data: (&[1, 2, 3]).into() }).section(&names);
    module.finish()
}

#[test]
fn functions_are_named_and_the_largest_comes_first() {
    let items = items(&module(10)).unwrap();
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    assert!(names[0].starts_with("wire::decode"), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("kernels::filter")), "{names:?}");
    assert!(items[0].bytes > 200 && items.is_sorted_by(|a, b| a.bytes >= b.bytes));
    let crates = by_crate(&items);
    assert!(crates.iter().any(|item| item.name == "kernels") && crates[0].name == "wire");
    let kernels = by_module(&items, "kernels");
    assert!(kernels.len() == 1 && kernels[0].name == "filter" && kernels[0].bytes < 200, "{kernels:?}");
}

#[test]
fn stripping_takes_the_names_and_nothing_else() {
    let whole = module(10);
    let stripped = strip(&whole).unwrap();
    assert!(stripped.len() < whole.len());
    let named = |module: &[u8]| items(module).unwrap().iter().filter(|item| !item.name.starts_with("function")).count();
    assert_eq!((named(&whole), named(&stripped)), (3, 1));
    wasmparser::Validator::new().validate_all(&stripped).unwrap();
    // Nothing is left to take.
    assert_eq!(strip(&stripped).unwrap(), stripped);
}

#[test]
fn damaged_modules_are_errors() {
    let whole = module(10);
    assert!(items(b"no module").is_err() && strip(b"").is_err());
    assert!(items(&whole[..whole.len() / 2]).is_err());
}

#[test]
fn compression_is_what_a_browser_undoes() {
    let bytes = module(5_000);
    let size = size(&bytes);
    assert_eq!((size.raw, size.gzip, size.brotli), (bytes.len(), gzip(&bytes).len(), brotli(&bytes).len()));
    assert!(size.brotli < size.raw / 4);
    let mut back = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip(&bytes).as_slice()), &mut back).unwrap();
    assert_eq!(back, bytes);
    let mut back = Vec::new();
    std::io::Read::read_to_end(&mut ::brotli::Decompressor::new(brotli(&bytes).as_slice(), 4096), &mut back).unwrap();
    assert_eq!(back, bytes);
}

fn report(module: &[u8]) -> Report {
    let items = items(module).unwrap();
    Report {
        wasm: size(module),
        js: size(b"export {}"),
        budget: Budget { wasm: Limit { raw: 2_000, brotli: 2_000 }, js: Limit { raw: 100, brotli: 100 } },
        optimiser: None,
        crates: by_crate(&items),
        kernels: by_module(&items, "kernels"),
        items,
    }
}

#[test]
fn a_bundle_that_is_too_big_is_named_with_what_to_look_at() {
    assert!(report(&module(10)).over().is_empty());
    let over = report(&module(9_000)).over();
    assert_eq!(over.len(), 1);
    assert!(over[0].starts_with("bodkin.wasm raw: ") && over[0].contains("over its budget of 2000"), "{over:?}");
    assert!(over[0].ends_with("look first at <data: constants and strings>"), "{over:?}");
    let table = report(&module(9_000)).table(2);
    assert!(table.contains("bodkin.js") && table.contains("the 2 largest items:"), "{table}");
}

#[test]
fn scripts_lose_their_comments_and_nothing_that_runs() {
    let script =
        "// head\n/** says\n * much\n */\nfunction f() {\n    /* one line */\n\n    return 'a // b' // kept\n}\n";
    assert_eq!(compact_script(script), "function f() {\nreturn 'a // b' // kept\n}\n");
}

#[test]
fn the_budget_file_is_read_strictly() {
    let folder = std::env::temp_dir().join(format!("bodkin-budget-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("budget.toml");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Budget::read(&file).map_err(|error| error.to_string())
    };
    let good = "[wasm]\nraw = 1\nbrotli = 2\n[js]\nraw = 3\nbrotli = 4\n";
    assert_eq!(read(good).unwrap().js.brotli, 4);
    assert!(read(&good.replace("raw = 1", "row = 1")).unwrap_err().contains("row"));
    assert!(read("[wasm]\nraw = 1\nbrotli = 2\n").unwrap_err().contains("js"));
    std::fs::remove_dir_all(folder).unwrap();
}
