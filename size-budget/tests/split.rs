//! A module in two parts: what is where, and that the two do what the one did.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::process::Command;

use size_budget::split::{Manifest, Parts, split};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg, MemArgTarget, MemorySection,
    MemoryType, Module, NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{Parser, Payload, Validator};

/// Functions by number: 0 is imported, 1 to 3 are exported and first, 4 is what they share with the second part, 5 is called
/// through the table, 6 by 1 and 7, 7 is exported and nothing that is first, 8 calls nobody and is called from both parts.
const NAMES: [&str; 9] = ["note", "double", "plain", "through", "add_one", "pointed", "twice", "asked", "leaf"];

fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import("page", "note", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let byte = MemArg { offset: 0, align: 0, target: MemArgTarget::Memory(0), ordering: None };
    let mut body = |write: &dyn Fn(&mut InstructionSink<'_>)| {
        functions.function(1);
        let mut function = Function::new([]);
        write(function.instructions().local_get(0));
        function.instructions().end();
        code.function(&function);
    };
    body(&|code| {
        code.call(6);
    });
    body(&|code| {
        code.call(4);
    });
    body(&|code| {
        code.i32_const(1).call_indirect(0, 1);
    });
    body(&|code| {
        code.i32_const(1).i32_add().call(8).call(0);
    });
    // What is in memory and in the global is the same for both parts.
    body(&|code| {
        code.i32_const(0).i32_load8_u(byte).i32_add();
        code.global_get(0).i32_add();
    });
    body(&|code| {
        code.i32_const(2).i32_mul().call(4).call(8);
    });
    body(&|code| {
        code.call(6);
    });
    body(&|_| {});
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 2,
        maximum: Some(2),
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(ty, &ConstExpr::i32_const(1000));
    let mut exports = ExportSection::new();
    for (name, function) in [("double", 1), ("plain", 2), ("through", 3), ("asked", 7)] {
        exports.export(name, ExportKind::Func, function);
    }
    exports.export("memory", ExportKind::Memory, 0);
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(vec![5].into()));
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), [100]);
    let mut map = NameMap::new();
    NAMES.iter().enumerate().for_each(|(number, name)| map.append(number as u32, name));
    let mut names = NameSection::new();
    names.functions(&map);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories).section(&globals);
    module.section(&exports).section(&elements).section(&code).section(&data).section(&names);
    module.finish()
}

fn manifest(text: &str) -> Manifest {
    let path = std::env::temp_dir().join(format!("bodkin-split-{}-{}.toml", std::process::id(), text.len()));
    std::fs::write(&path, text).unwrap();
    let manifest = Manifest::read(&path);
    std::fs::remove_file(&path).unwrap();
    manifest.unwrap()
}

fn parts() -> Parts {
    let wanted = "exports = ['double', 'pl*', 'through']\npointers = []\nlater = ['\"twice\"']";
    split(&module(), &manifest(wanted)).unwrap()
}

/// Names of imports, of exports, and of functions, each in its order.
fn contents(module: &[u8]) -> [Vec<String>; 3] {
    Validator::new().validate_all(module).unwrap();
    let (mut imports, mut exports, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                imports.extend(
                    section.into_imports().map(|import| import.unwrap()).map(|i| format!("{} {}", i.module, i.name)),
                );
            }
            Payload::ExportSection(section) => exports.extend(section.into_iter().map(|e| e.unwrap().name.to_owned())),
            _ => {}
        }
    }
    functions.extend(size_budget::module::read(module).unwrap().functions.into_iter().map(|function| function.name));
    functions.sort();
    [imports, exports, functions]
}

#[test]
fn each_function_is_in_one_part() {
    let Parts { first, more } = parts();
    let [imports, exports, functions] = contents(&first);
    assert_eq!(imports, ["page note", "page more"]);
    assert_eq!(
        functions,
        ["add_one", "double", "leaf", "plain", "stand-in of pointed", "stand-in of twice", "through"]
    );
    let [key] = &exports[4..5] else { unreachable!() };
    assert_eq!(exports[..4], ["double", "plain", "through", "memory"]);
    assert_eq!(exports[5..], ["t0", "g0", "f0"]);
    let [imports, exports, functions] = contents(&more);
    assert_eq!(imports, ["first f0", &format!("first {key}"), "first t0", "first g0"]);
    assert_eq!(exports, ["asked"]);
    // What is short and calls nobody is in both.
    assert_eq!(functions, ["asked", "leaf", "pointed", "twice"]);
}

#[test]
fn two_do_what_one_did() {
    if Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "node is not there");
        return;
    }
    let Parts { first, more } = parts();
    let script = "
        const [whole, first, more, other] = JSON.parse(process.argv[1]).map((bytes) => new WebAssembly.Module(Uint8Array.from(bytes)));
        const said = [];
        let brought = 0, one, two;
        const page = { note: () => {}, more: () => { brought++; two = new WebAssembly.Instance(more, { page, first: one.exports }); } };
        const before = new WebAssembly.Instance(whole, { page }).exports;
        const run = (name, value) => said.push([before[name](value), one.exports[name](value), brought].join());
        // From each side of the cut first.
        for (const order of [['plain', 'double', 'through', 'double'], ['through', 'plain', 'double']]) {
          brought = 0;
          one = new WebAssembly.Instance(first, { page });
          order.forEach((name) => run(name, 20));
          said.push([before.asked(7), two.exports.asked(7)].join());
        }
        try { new WebAssembly.Instance(other, { page, first: one.exports }); } catch (error) { said.push(error.name); }
        console.log(said.join(' '));";
    // The second part of another build: the same but for a name.
    let wanted = "exports = ['double', 'plain', 'through', 'asked']\npointers = []\nlater = ['twice']";
    let other = split(&module(), &manifest(wanted)).unwrap().more;
    let modules = serde_json::to_string(&[module(), first, more, other]).unwrap();
    let output = Command::new("node").args(["-e", script, &modules]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "21,21,0 41,41,1 1120,1120,1 41,41,1 15,15 1120,1120,1 21,21,1 41,41,1 15,15 LinkError\n";
    assert_eq!(said, expected, "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let wanted = manifest("exports = []\npointers = []\nlater = []");
    assert!(split(b"\0asm\x01\0\0\0", &wanted).unwrap_err().to_string().contains("not one memory"));
    assert!(split(&module()[..40], &wanted).is_err());
    let lost = manifest("exports = ['plain', 'lost*']\npointers = []\nlater = []");
    assert!(split(&module(), &lost).unwrap_err().to_string().contains("not there: lost*"));
    // Nothing is first: the first part is memory, tables and the way to the second.
    let [_, exports, functions] = contents(&split(&module(), &wanted).unwrap().first);
    assert_eq!((exports[0].as_str(), functions), ("memory", vec!["stand-in of pointed".to_owned()]));
}
