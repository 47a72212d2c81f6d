//! Functions that do the same, as one.
//!
//! A generic that calls itself (the copying of a type that holds others of its kind, say) comes out once for each part of the
//! program that asks for it, and each copy calls itself: no two are equal byte for byte, so wasm-opt, which merges equal ones,
//! keeps all. Here two functions are the same when their bytes are, up to whom they call, and those whom they call are the
//! same. That is taken the generous way round: all that look alike are one class at first, and classes are split as long as
//! two members call different classes, which is how the states of a machine are merged. What is left in one class cannot be
//! told apart by any run of it.
//!
//! Calls then go to the first of each class. The others are left to wasm-opt: they are now either called by nobody, or, where
//! their address is taken, equal byte for byte.

use std::collections::HashMap;
use std::hash::Hash;

use wasmparser::{Parser, Payload, TypeRef};

use crate::Result;
use crate::module::leb128;
use crate::rewrite::{Calls, rewrite, unreadable};

/// A function's type and its body around its calls.
struct Shape<'a> {
    ty: u32,
    body: Calls<'a>,
}

/// The module, in which calls of functions that do the same go to one of them.
///
/// # Errors
/// [`crate::Error::Module`] when it cannot be read.
pub fn merge(module: &[u8]) -> Result<Vec<u8>> {
    let (imported, shapes) = shapes(module)?;
    let first = first_of_each_class(imported, &shapes);
    rewrite(module, |place, _| {
        let shape = shapes.get(place as usize)?;
        let mut out = Vec::new();
        for (at, piece) in shape.body.pieces.iter().enumerate() {
            out.extend_from_slice(piece);
            if let Some(&called) = shape.body.calls.get(at) {
                let own = called.checked_sub(imported).and_then(|own| first.get(own as usize));
                leb128(own.map_or(called, |own| own + imported) as usize, &mut out);
            }
        }
        Some(out)
    })
}

/// How many functions are imported, and the others' shapes.
fn shapes(module: &[u8]) -> Result<(u32, Vec<Shape<'_>>)> {
    let (mut imported, mut types, mut shapes) = (0, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let ty = import.map_err(unreadable)?.ty;
                    imported += u32::from(matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    types.push(ty.map_err(unreadable)?);
                }
            }
            Payload::CodeSectionEntry(body) => {
                let ty = types.get(shapes.len()).copied().unwrap_or_default();
                shapes.push(Shape { ty, body: Calls::read(module, &body, |_| Ok(()))? });
            }
            _ => {}
        }
    }
    Ok((imported, shapes))
}

/// For each function the first that does the same.
fn first_of_each_class(imported: u32, shapes: &[Shape<'_>]) -> Vec<u32> {
    let (mut classes, mut count) = numbered(shapes.iter().map(|shape| (shape.ty, &shape.body.pieces)));
    loop {
        // Imports are each of their own kind.
        let class = |&called: &u32| match called.checked_sub(imported) {
            Some(own) => Ok(classes.get(own as usize)),
            None => Err(called),
        };
        let called = shapes.iter().map(|shape| shape.body.calls.iter().map(class).collect::<Vec<_>>());
        let (finer, finer_count) = numbered(classes.iter().zip(called));
        // Classes are only ever split, so as many as before are the same as before.
        if finer_count == count {
            break;
        }
        (classes, count) = (finer, finer_count);
    }
    let mut first = vec![u32::MAX; count as usize];
    for (place, &class) in classes.iter().enumerate().rev() {
        first[class as usize] = place as u32;
    }
    classes.iter().map(|&class| first[class as usize]).collect()
}

/// Things by number, equal ones by the same; and how many numbers there are.
fn numbered<K: Eq + Hash>(things: impl Iterator<Item = K>) -> (Vec<u32>, u32) {
    let mut known = HashMap::new();
    let numbers = things
        .map(|thing| {
            let next = known.len() as u32;
            *known.entry(thing).or_insert(next)
        })
        .collect();
    (numbers, known.len() as u32)
}
