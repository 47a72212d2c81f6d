//! Functions that do the same are one, and those that do not stay apart: on modules made for it.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use size_budget::merge::merge;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module, TypeSection,
    ValType,
};
use wasmparser::{Operator, Parser, Payload};

/// A function: its type (0 gives nothing, 1 gives a number), a number that it begins with, and whom it calls. 0 and 1 are
/// imports, 2 is the first of these.
type Made<'a> = (u32, i32, &'a [u32]);

fn module(functions: &[Made<'_>]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import("page", "log", EntityType::Function(0));
    imports.import("page", "warn", EntityType::Function(0));
    let (mut declared, mut code, mut exports) = (FunctionSection::new(), CodeSection::new(), ExportSection::new());
    for &(ty, number, calls) in functions {
        declared.function(ty);
        let mut function = Function::new([]);
        function.instructions().i32_const(number).drop();
        for &called in calls {
            function.instructions().call(called);
            let gives = called.checked_sub(2).is_some_and(|own| functions[own as usize].0 == 1);
            if gives {
                function.instructions().drop();
            }
        }
        if ty == 1 {
            function.instructions().i32_const(7);
        }
        function.instructions().end();
        code.function(&function);
    }
    exports.export("run", ExportKind::Func, functions.len() as u32 + 1);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&exports).section(&code);
    module.finish()
}

/// Whom each function calls.
fn calls(module: &[u8]) -> Vec<Vec<u32>> {
    let mut calls = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
        let operators = body.get_operators_reader().unwrap().into_iter().map(Result::unwrap);
        let called = operators.filter_map(|operator| match operator {
            Operator::Call { function_index } => Some(function_index),
            _ => None,
        });
        calls.push(called.collect());
    }
    calls
}

/// What the last function calls once the module is merged, which must still be one.
fn check(functions: &[Made<'_>], expected: &[u32]) {
    let merged = merge(&module(functions)).unwrap();
    wasmparser::Validator::new().validate_all(&merged).unwrap();
    let calls = calls(&merged);
    assert_eq!(calls.len(), functions.len(), "no function goes; whoever is called by nobody is left to wasm-opt");
    assert_eq!(calls.last().unwrap(), expected, "of {functions:?}");
}

#[test]
fn functions_that_do_the_same_are_one() {
    // Equal byte for byte.
    check(&[(0, 1, &[]), (0, 1, &[]), (0, 9, &[2, 3])], &[2, 2]);
    // Each calls itself.
    check(&[(0, 1, &[2]), (0, 1, &[3]), (0, 9, &[2, 3])], &[2, 2]);
    // Pairs that call each other.
    check(&[(0, 1, &[3]), (0, 2, &[2]), (0, 1, &[5]), (0, 2, &[4]), (0, 9, &[2, 3, 4, 5])], &[2, 3, 2, 3]);
    // A pair of equal ones that call each other is the same as one that calls itself.
    check(&[(0, 1, &[3]), (0, 1, &[2]), (0, 1, &[4]), (0, 9, &[2, 3, 4])], &[2, 2, 2]);
    // Functions that call equal ones are equal.
    check(&[(0, 1, &[]), (0, 1, &[]), (0, 2, &[2]), (0, 2, &[3]), (0, 9, &[4, 5])], &[4, 4]);
}

#[test]
fn functions_that_differ_stay_apart() {
    // By what they do, by type, by an import, by how often they call.
    check(&[(0, 1, &[]), (0, 2, &[]), (0, 9, &[2, 3])], &[2, 3]);
    check(&[(0, 1, &[]), (1, 1, &[]), (0, 9, &[2, 3])], &[2, 3]);
    check(&[(0, 1, &[0]), (0, 1, &[1]), (0, 9, &[2, 3])], &[2, 3]);
    check(&[(0, 1, &[2]), (0, 1, &[3, 3]), (0, 9, &[2, 3])], &[2, 3]);
    // An import is none of the functions, whatever its number.
    check(&[(0, 1, &[0]), (0, 1, &[2]), (0, 9, &[2, 3])], &[2, 3]);
    // By whom they call at the far end of a chain.
    check(
        &[(0, 1, &[]), (0, 2, &[]), (0, 3, &[2]), (0, 3, &[3]), (0, 4, &[4]), (0, 4, &[5]), (0, 9, &[6, 7])],
        &[6, 7],
    );
}

#[test]
fn numbers_of_any_length_are_written() {
    // More functions than one byte numbers: calls grow and shrink.
    let mut functions: Vec<Made<'_>> = (0..300).map(|number| (0, number, &[][..])).collect();
    functions.push((0, 5, &[]));
    let last = functions.len() as u32 + 1;
    let called = [last, 200, 2];
    functions.push((0, 1000, &called));
    check(&functions, &[7, 200, 2]);
    // What is no module is an error.
    assert!(merge(&[1, 2, 3]).is_err());
}
