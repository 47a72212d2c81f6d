//! A WASM module as a report needs it: functions with names and bytes, who calls whom, and what is no code.
//!
//! *Shallow* bytes of a function are its own. *Retained* bytes are those that would go with it: its own and those of
//! everything that only it leads to, found by dominators over the calls. Functions whose address is taken (methods
//! behind a pointer, callbacks) may be called by anybody who calls through the table, so they hang under the table
//! and not under the function that fills it.

use std::collections::BTreeMap;

use wasmparser::{ElementItems, ExternalKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

use crate::names::{demangle, generic, path};
use crate::{Error, Result};

/// One thing that a module is made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Item {
    /// A function's name, or a section's in angle brackets.
    pub name: String,
    /// Its bytes in the module.
    pub bytes: usize,
}

/// A function of a module.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Function {
    /// Its name as people write it.
    pub name: String,
    /// Its own bytes.
    pub bytes: usize,
    /// Its bytes and those of what only it leads to.
    pub retained: usize,
}

/// Functions that one generic was filled in to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Generic {
    /// The name without types.
    pub name: String,
    /// How many functions.
    pub copies: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// What a module is made of.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The functions, the largest first.
    pub functions: Vec<Function>,
    /// Everything else that has a name of its own: data and tables of functions.
    pub sections: Vec<Item>,
}

/// What the sections of a module say, by numbers of functions.
#[derive(Default)]
struct Sections {
    imported: u32,
    bodies: Vec<usize>,
    calls: Vec<Vec<u32>>,
    /// Functions that are called from outside.
    entries: Vec<u32>,
    /// Functions whose address is taken.
    addressed: Vec<u32>,
    names: BTreeMap<u32, String>,
    others: Vec<Item>,
}

/// Reads a module.
///
/// # Errors
/// [`Error::Module`] when the module cannot be read.
pub fn read(module: &[u8]) -> Result<Contents> {
    let mut sections = Sections::default();
    for payload in Parser::new(0).parse_all(module) {
        sections.take(payload.map_err(unreadable)?)?;
    }
    let retained = retained(&sections);
    let mut functions = Vec::with_capacity(sections.bodies.len());
    for (position, (&bytes, retained)) in sections.bodies.iter().zip(retained).enumerate() {
        let index = sections.imported + position as u32;
        let name = sections.names.remove(&index).unwrap_or_else(|| format!("function {index}"));
        functions.push(Function { name, bytes, retained });
    }
    functions.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    sections.others.sort_by_key(|other| std::cmp::Reverse(other.bytes));
    Ok(Contents { functions, sections: sections.others })
}

impl Sections {
    fn take(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                let is_function = |ty: &TypeRef| matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                let imports = section.into_imports().filter_map(std::result::Result::ok);
                self.imported = imports.filter(|import| is_function(&import.ty)).count() as u32;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(unreadable)?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.entries.push(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => self.entries.push(func),
            Payload::ElementSection(section) => {
                let range = section.range();
                self.others.push(Item { name: "<tables of functions>".to_owned(), bytes: length(range) });
                for element in section {
                    if let ElementItems::Functions(functions) = element.map_err(unreadable)?.items {
                        for function in functions {
                            self.addressed.push(function.map_err(unreadable)?);
                        }
                    }
                }
            }
            Payload::DataSection(section) => {
                let bytes = length(section.range());
                self.others.push(Item { name: "<data: constants and strings>".to_owned(), bytes });
            }
            Payload::CodeSectionEntry(body) => {
                self.bodies.push(length(body.range()));
                let mut calls = Vec::new();
                let mut operators = body.get_operators_reader().map_err(unreadable)?;
                while !operators.eof() {
                    match operators.read().map_err(unreadable)? {
                        Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                            calls.push(function_index);
                        }
                        Operator::RefFunc { function_index } => self.addressed.push(function_index),
                        _ => {}
                    }
                }
                calls.sort_unstable();
                calls.dedup();
                self.calls.push(calls);
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(reader) = section.as_known() else { return Ok(()) };
                for name in reader {
                    if let Name::Function(map) = name.map_err(unreadable)? {
                        for naming in map {
                            let naming = naming.map_err(unreadable)?;
                            self.names.insert(naming.index, demangle(naming.name));
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Retained bytes of each function, by dominators (after Cooper, Harvey and Kennedy, "A simple, fast dominance
/// algorithm").
fn retained(sections: &Sections) -> Vec<usize> {
    let count = sections.bodies.len();
    // Nodes: the functions, then the table, then the root that leads to it and to all entries.
    let (table, root) = (count, count + 1);
    let own = |function: u32| (function as usize).checked_sub(sections.imported as usize).filter(|&at| at < count);
    let mut next: Vec<Vec<usize>> =
        sections.calls.iter().map(|calls| calls.iter().filter_map(|&call| own(call)).collect()).collect();
    next.push(sections.addressed.iter().filter_map(|&function| own(function)).collect());
    next.push(sections.entries.iter().filter_map(|&function| own(function)).chain([table]).collect());
    // A walk in depth from the root, without recursion; what it leaves last comes first.
    let mut order = Vec::with_capacity(count + 2);
    let mut place = vec![usize::MAX; count + 2];
    let mut seen = vec![false; count + 2];
    let mut stack = vec![(root, 0)];
    seen[root] = true;
    while let Some((node, at)) = stack.pop() {
        match next[node].get(at) {
            Some(&to) => {
                stack.push((node, at + 1));
                if !seen[to] {
                    seen[to] = true;
                    stack.push((to, 0));
                }
            }
            None => order.push(node),
        }
    }
    order.reverse();
    order.iter().enumerate().for_each(|(at, &node)| place[node] = at);
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for (at, &node) in order.iter().enumerate() {
        next[node].iter().for_each(|&to| before[place[to]].push(at));
    }
    // The nearest dominator of each place in the order; it always stands before.
    let mut nearest = vec![usize::MAX; order.len()];
    nearest[0] = 0;
    loop {
        let mut changed = false;
        for at in 1..order.len() {
            let mut found = usize::MAX;
            for &from in &before[at] {
                if nearest[from] == usize::MAX {
                    continue;
                }
                found = if found == usize::MAX { from } else { meet(&nearest, found, from) };
            }
            changed |= nearest[at] != found;
            nearest[at] = found;
        }
        if !changed {
            break;
        }
    }
    let mut sums: Vec<usize> = order.iter().map(|&node| sections.bodies.get(node).copied().unwrap_or(0)).collect();
    for at in (1..order.len()).rev() {
        let bytes = sums[at];
        sums[nearest[at]] += bytes;
    }
    (0..count)
        .map(|function| match place[function] {
            usize::MAX => sections.bodies[function],
            at => sums[at],
        })
        .collect()
}

fn meet(nearest: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while a > b {
            a = nearest[a];
        }
        while b > a {
            b = nearest[b];
        }
    }
    a
}

impl Contents {
    /// Functions by the generic that they were made from, the largest sum first; those of one copy as well.
    #[must_use]
    pub fn generics(&self) -> Vec<Generic> {
        let mut sums: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for function in &self.functions {
            let sum = sums.entry(generic(&function.name)).or_default();
            *sum = (sum.0 + 1, sum.1 + function.bytes);
        }
        let made = |(name, (copies, bytes))| Generic { name, copies, bytes };
        let mut generics: Vec<Generic> = sums.into_iter().map(made).collect();
        generics.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        generics
    }

    /// Bytes of functions by the crate that their name begins with, the largest first. Generic code counts where it was
    /// written, not where it is used.
    #[must_use]
    pub fn by_crate(&self) -> Vec<Item> {
        let of = |name| Some(path(name).map_or("(no crate)", |path| path.split("::").next().unwrap_or(path)));
        self.sums(of)
    }

    /// Bytes of one crate's functions by the module that holds them, the largest first.
    #[must_use]
    pub fn by_module(&self, of: &str) -> Vec<Item> {
        self.sums(|name| {
            let mut parts = path(name)?.split("::");
            (parts.next()? == of).then(|| parts.next().unwrap_or("(root)"))
        })
    }

    fn sums<'a>(&'a self, key: impl Fn(&'a str) -> Option<&'a str>) -> Vec<Item> {
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for function in &self.functions {
            if let Some(key) = key(&function.name) {
                *sums.entry(key).or_default() += function.bytes;
            }
        }
        let mut sums: Vec<Item> = sums.into_iter().map(|(name, bytes)| Item { name: name.to_owned(), bytes }).collect();
        sums.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        sums
    }
}

/// The module without its custom sections (names, producers).
///
/// # Errors
/// [`Error::Module`] when the module cannot be read.
pub fn strip(module: &[u8]) -> Result<Vec<u8>> {
    let mut out = module.get(..8).ok_or_else(|| Error::Module("shorter than its header".to_owned()))?.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(unreadable)?;
        if let Some((id, range)) = payload.as_section()
            && id != 0
        {
            out.push(id);
            leb128(length(range.clone()), &mut out);
            out.extend_from_slice(module.get(range.start as usize..range.end as usize).unwrap_or(&[]));
        }
    }
    Ok(out)
}

fn length(range: std::ops::Range<u64>) -> usize {
    (range.end - range.start) as usize
}

/// A number as WASM writes lengths.
pub(crate) fn leb128(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn unreadable(error: wasmparser::BinaryReaderError) -> Error {
    Error::Module(error.to_string())
}
