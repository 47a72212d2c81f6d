//! Writes the two parts of a module.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, Encode, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, Instruction, MemorySection, Module, NameMap, NameSection, RawSection, SectionId,
    StartSection, TableSection,
};
use wasmparser::ExternalKind;

use super::whole::Whole;
use super::{FIRST, MORE, Parts};
use crate::module::leb128;
use crate::rewrite::Calls;
use crate::{Error, Result};

/// A function of the first part that calls nobody and is no longer than so many bytes is in the second as well, where that one
/// calls it: a call to the other part takes several times as long as one within.
const COPIED: usize = 256;

/// What of a module is where.
struct Cut<'a> {
    whole: &'a Whole<'a>,
    is_first: &'a [bool],
    /// By place of the table, what is there once both parts are; the last ones are new.
    slots: Vec<Option<u32>>,
    /// By function of the second part, its place in the table, if the first one gets there.
    slot: Vec<Option<u32>>,
    /// Functions of the first part that the second calls, in the order of their numbers.
    shared: Vec<u32>,
    /// By function, whether the second part has it.
    is_second: Vec<bool>,
    /// What memory is called between the two.
    key: String,
    types: Vec<u8>,
    types_and_one: Vec<u8>,
}

/// Writes both parts of a module.
pub(super) fn write(module: &[u8], whole: &Whole<'_>, is_first: &[bool]) -> Result<Parts> {
    let mut hasher = DefaultHasher::new();
    (module, is_first).hash(&mut hasher);
    let cut = Cut::new(whole, is_first, format!("{:08x}", hasher.finish() as u32));
    Ok(Parts { first: cut.first()?, more: cut.more()? })
}

impl<'a> Cut<'a> {
    fn new(whole: &'a Whole<'a>, is_first: &'a [bool], key: String) -> Self {
        let mut slots = whole.slots.clone();
        let size = whole.tables.first().map_or(0, |table| table.initial as usize);
        slots.resize(slots.len().max(size), None);
        let mut slot = vec![None; whole.n_functions()];
        for (place, function) in slots.iter().enumerate() {
            if let Some(function) = function.filter(|&function| !is_first[function as usize]) {
                slot[function as usize] = Some(place as u32);
            }
        }
        let mut is_shared = vec![false; whole.n_functions()];
        for (at, body) in whole.bodies.iter().enumerate() {
            let from_first = is_first[at + whole.n_imported as usize];
            for &called in &body.calls {
                let called_at = called as usize;
                if from_first && !is_first[called_at] && slot[called_at].is_none() {
                    slot[called_at] = Some(slots.len() as u32);
                    slots.push(Some(called));
                }
                is_shared[called_at] |= !from_first && is_first[called_at] && called >= whole.n_imported;
            }
        }
        let is_copied = |function: u32| {
            let is_short =
                |body: &Calls<'_>| body.calls.is_empty() && body.pieces.iter().all(|piece| piece.len() <= COPIED);
            is_shared[function as usize] && whole.body(function).is_some_and(is_short)
        };
        let functions = 0..whole.n_functions() as u32;
        let is_second = functions.clone().map(|function| !is_first[function as usize] || is_copied(function)).collect();
        let shared = functions.filter(|&function| is_shared[function as usize] && !is_copied(function)).collect();
        let counted = |more: &[u8]| {
            let mut types = Vec::new();
            leb128(whole.n_types as usize + usize::from(!more.is_empty()), &mut types);
            types.extend_from_slice(whole.types);
            types.extend_from_slice(more);
            types
        };
        // A function without parameters and results.
        let (types, types_and_one) = (counted(&[]), counted(&[0x60, 0, 0]));
        Self { whole, is_first, slots, slot, shared, is_second, key, types, types_and_one }
    }

    /// Imported functions that one of the parts calls, or has in its table or among its exports.
    fn imported(&self, first: bool) -> Vec<u32> {
        let whole = self.whole;
        let mut is_used = vec![false; whole.n_imported as usize];
        let mut mark = |function: u32| {
            if let Some(used) = is_used.get_mut(function as usize) {
                *used = true;
            }
        };
        for (body, _) in
            whole.bodies.iter().zip(&self.is_first[whole.n_imported as usize..]).filter(|(_, at)| **at == first)
        {
            body.calls.iter().for_each(|&called| mark(called));
        }
        if first {
            self.slots.iter().flatten().for_each(|&function| mark(function));
            whole.exports.iter().filter_map(Whole::exported).for_each(mark);
        }
        (0..whole.n_imported).filter(|&function| is_used[function as usize]).collect()
    }

    /// The functions of one part that have a body, in the order of their numbers.
    fn own(&self, first: bool) -> impl Iterator<Item = u32> + '_ {
        let functions = self.whole.n_imported..self.whole.n_functions() as u32;
        functions.filter(move |&function| if first { self.is_first } else { &self.is_second }[function as usize])
    }

    fn first(&self) -> Result<Vec<u8>> {
        let whole = self.whole;
        let (mut numbers, mut next) = (vec![None; whole.n_functions()], 0);
        let mut number = |function: u32| {
            numbers[function as usize] = Some(next);
            next += 1;
        };
        let mut imports = ImportSection::new();
        let from = whole.imports.first().map_or("", |import| import.module);
        for function in self.imported(true) {
            let import = &whole.imports[function as usize];
            imports.import(import.module, import.name, EntityType::Function(self.type_of(function)));
            number(function);
        }
        // One more type: that of what brings the second part.
        imports.import(from, MORE, EntityType::Function(whole.n_types));
        let more = next;
        let mut module = Module::new();
        module.section(&self.types(true)).section(&imports);

        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        next = more + 1;
        let own: Vec<u32> = self.own(true).collect();
        own.iter().for_each(|&function| {
            numbers[function as usize] = Some(next);
            next += 1;
        });
        for &function in &own {
            functions.function(self.type_of(function));
            code.raw(&self.body(whole.body(function).ok_or_else(lost)?, &numbers)?);
        }
        // Stand-ins, by place.
        let mut stands = vec![None; self.slots.len()];
        for (place, function) in self.slots.iter().enumerate() {
            let Some(function) = function.filter(|&function| !self.is_first[function as usize]) else { continue };
            let ty = self.type_of(function);
            functions.function(ty);
            let parameters = whole.parameters.get(ty as usize).copied().flatten().unwrap_or(0);
            code.function(&stand_in(more, ty, parameters, place as u32));
            stands[place] = Some(next);
            next += 1;
        }
        module.section(&functions);
        self.own_memory(&mut module)?;

        let mut exports = ExportSection::new();
        for export in &whole.exports {
            let (kind, index) = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => match numbers[export.index as usize] {
                    Some(number) => (ExportKind::Func, number),
                    None => continue,
                },
                ExternalKind::Memory => (ExportKind::Memory, export.index),
                ExternalKind::Table => (ExportKind::Table, export.index),
                ExternalKind::Global => (ExportKind::Global, export.index),
                ExternalKind::Tag => return Err(Error::Module("a tag among the exports".to_owned())),
            };
            exports.export(export.name, kind, index);
        }
        exports.export(&self.key, ExportKind::Memory, 0);
        for (table, _) in whole.tables.iter().enumerate() {
            exports.export(&short('t', table), ExportKind::Table, table as u32);
        }
        for (global, _) in whole.globals.iter().enumerate() {
            exports.export(&short('g', global), ExportKind::Global, global as u32);
        }
        for (at, &function) in self.shared.iter().enumerate() {
            exports.export(&short('f', at), ExportKind::Func, numbers[function as usize].ok_or_else(lost)?);
        }
        module.section(&exports);
        if let Some(start) = whole.start {
            module.section(&StartSection { function_index: numbers[start as usize].ok_or_else(lost)? });
        }
        let table = |place: usize| {
            let function = self.slots[place]?;
            stands[place].or(numbers[function as usize])
        };
        module.section(&fill((0..self.slots.len()).map(table)));
        module.section(&code);
        if !whole.data.is_empty() {
            let mut data = Vec::new();
            leb128(whole.data.len(), &mut data);
            whole.data.iter().for_each(|segment| data.extend_from_slice(segment));
            module.section(&RawSection { id: SectionId::Data as u8, data: &data });
        }
        let stand_ins = stands.iter().zip(&self.slots).filter_map(|(&number, &function)| {
            Some((number?, ["stand-in of ", self.whole.names.get(function? as usize)?].concat()))
        });
        module.section(&self.names(&numbers, stand_ins));
        Ok(module.finish())
    }

    fn more(&self) -> Result<Vec<u8>> {
        let whole = self.whole;
        let (mut numbers, mut next) = (vec![None; whole.n_functions()], 0);
        let mut imports = ImportSection::new();
        let mut number = |function: u32| {
            numbers[function as usize] = Some(next);
            next += 1;
        };
        for function in self.imported(false) {
            let import = &whole.imports[function as usize];
            imports.import(import.module, import.name, EntityType::Function(self.type_of(function)));
            number(function);
        }
        for (at, &function) in self.shared.iter().enumerate() {
            imports.import(FIRST, &short('f', at), EntityType::Function(self.type_of(function)));
            number(function);
        }
        self.own(false).for_each(&mut number);
        let reencode = &mut RoundtripReencoder;
        for &memory in &whole.memories {
            imports.import(FIRST, &self.key, reencode.memory_type(memory).map_err(|_| lost())?);
        }
        for (at, table) in self.table_types()?.into_iter().enumerate() {
            imports.import(FIRST, &short('t', at), table);
        }
        for (at, &global) in whole.globals.iter().enumerate() {
            imports.import(FIRST, &short('g', at), reencode.global_type(global).map_err(|_| lost())?);
        }
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for function in self.own(false) {
            functions.function(self.type_of(function));
            code.raw(&self.body(whole.body(function).ok_or_else(lost)?, &numbers)?);
        }
        let mut exports = ExportSection::new();
        for export in &whole.exports {
            let Some(function) = Whole::exported(export).filter(|&function| !self.is_first[function as usize]) else {
                continue;
            };
            exports.export(export.name, ExportKind::Func, numbers[function as usize].ok_or_else(lost)?);
        }
        let mut module = Module::new();
        module.section(&self.types(false)).section(&imports).section(&functions).section(&exports);
        let table = |place: usize| {
            let function = self.slots[place].filter(|&function| !self.is_first[function as usize])?;
            numbers[function as usize]
        };
        module.section(&fill((0..self.slots.len()).map(table)));
        module.section(&code).section(&self.names(&numbers, []));
        Ok(module.finish())
    }
}

impl Cut<'_> {
    fn type_of(&self, function: u32) -> u32 {
        self.whole.function_types[function as usize]
    }

    /// All types, and for the first part that of what brings the second.
    fn types(&self, first: bool) -> RawSection<'_> {
        let bytes = if first { &self.types_and_one } else { &self.types };
        RawSection { id: SectionId::Type as u8, data: bytes }
    }

    /// A body with the numbers of one part. What that part does not have is called by its place in the table.
    fn body(&self, body: &Calls<'_>, numbers: &[Option<u32>]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (at, piece) in body.pieces.iter().enumerate() {
            let Some(&called) = body.calls.get(at) else {
                out.extend_from_slice(piece);
                break;
            };
            if let Some(number) = numbers[called as usize] {
                out.extend_from_slice(piece);
                leb128(number as usize, &mut out);
            } else {
                // All but the instruction that calls.
                out.extend_from_slice(piece.split_last().map_or(&[], |(_, before)| before));
                let place = self.slot[called as usize].ok_or_else(lost)?;
                Instruction::I32Const(place.cast_signed()).encode(&mut out);
                Instruction::CallIndirect { type_index: self.type_of(called), table_index: 0 }.encode(&mut out);
            }
        }
        Ok(out)
    }

    /// The tables, the first of which has room for the new places.
    fn table_types(&self) -> Result<Vec<wasm_encoder::TableType>> {
        let grown = |(at, table): (usize, &wasmparser::TableType)| {
            let mut table = RoundtripReencoder.table_type(*table).map_err(|_| lost())?;
            if at == 0 {
                let more = (self.slots.len() as u64).saturating_sub(table.minimum);
                table.minimum += more;
                table.maximum = table.maximum.map(|most| most + more);
            }
            Ok(table)
        };
        self.whole.tables.iter().enumerate().map(grown).collect()
    }

    fn own_memory(&self, module: &mut Module) -> Result<()> {
        let mut tables = TableSection::new();
        self.table_types()?.into_iter().for_each(|table| {
            tables.table(table);
        });
        let mut memories = MemorySection::new();
        for &memory in &self.whole.memories {
            memories.memory(RoundtripReencoder.memory_type(memory).map_err(|_| lost())?);
        }
        module.section(&tables).section(&memories);
        if !self.whole.globals.is_empty() {
            module.section(&RawSection { id: SectionId::Global as u8, data: self.whole.global_bytes });
        }
        Ok(())
    }

    /// The names of one part's functions, and of others that it has.
    fn names(&self, numbers: &[Option<u32>], others: impl IntoIterator<Item = (u32, String)>) -> NameSection {
        let own = numbers.iter().zip(&self.whole.names).filter_map(|(&number, name)| Some((number?, name.clone())));
        let mut named: Vec<(u32, String)> = own.chain(others).filter(|(_, name)| !name.is_empty()).collect();
        named.sort_unstable();
        let mut map = NameMap::new();
        named.iter().for_each(|(number, name)| map.append(*number, name));
        let mut names = NameSection::new();
        names.functions(&map);
        names
    }
}

/// Has the second part come, and calls what is then at its place.
fn stand_in(more: u32, ty: u32, parameters: u32, place: u32) -> Function {
    let mut function = Function::new([]);
    let mut instructions = function.instructions();
    instructions.call(more);
    (0..parameters).for_each(|parameter| {
        instructions.local_get(parameter);
    });
    instructions.i32_const(place.cast_signed()).call_indirect(0, ty).end();
    function
}

/// Segments that put functions to their places, one for each run.
fn fill(places: impl Iterator<Item = Option<u32>>) -> ElementSection {
    let mut section = ElementSection::new();
    let (mut start, mut run) = (0, Vec::new());
    for (place, function) in places.map(Some).chain([None]).enumerate() {
        if let Some(Some(function)) = function {
            if run.is_empty() {
                start = place as i32;
            }
            run.push(function);
        } else if !run.is_empty() {
            let functions = Elements::Functions(std::mem::take(&mut run).into());
            section.active(None, &ConstExpr::i32_const(start), functions);
        }
    }
    section
}

/// A short name: a letter for the kind, and a number.
fn short(kind: char, mut number: usize) -> String {
    let mut name = String::from(kind);
    loop {
        name.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return name;
        }
    }
}

fn lost() -> Error {
    Error::Module("a number of the module names nothing".to_owned())
}
