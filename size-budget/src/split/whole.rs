//! A module taken apart as far as a cut needs it: functions by number with their bodies around their calls, and all else as
//! it stands in the bytes.

use wasmparser::{
    Data, Element, ElementItems, ElementKind, Export, ExternalKind, GlobalType, Import, KnownCustom, MemoryType, Name,
    Operator, Parser, Payload, TableType, TypeRef,
};

use crate::names::demangle;
use crate::rewrite::{Calls, unreadable};
use crate::{Error, Result};

/// A module by its sections.
#[derive(Default)]
pub(super) struct Whole<'a> {
    /// The section of types, as it is.
    pub(super) types: &'a [u8],
    pub(super) n_types: u32,
    /// By type, how many parameters it has; `None` where it is of no function.
    pub(super) parameters: Vec<Option<u32>>,
    /// Imports in their order; functions are counted before all others.
    pub(super) imports: Vec<Import<'a>>,
    /// By function, imported ones first: its type.
    pub(super) function_types: Vec<u32>,
    pub(super) n_imported: u32,
    /// By function that is not imported.
    pub(super) bodies: Vec<Calls<'a>>,
    pub(super) tables: Vec<TableType>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<GlobalType>,
    /// The section of globals, as it is.
    pub(super) global_bytes: &'a [u8],
    pub(super) exports: Vec<Export<'a>>,
    pub(super) start: Option<u32>,
    /// By place of the first table, the function there.
    pub(super) slots: Vec<Option<u32>>,
    /// Segments of data, as they are in the section without its count.
    pub(super) data: Vec<&'a [u8]>,
    /// By function, what people call it.
    pub(super) names: Vec<String>,
}

impl<'a> Whole<'a> {
    /// Takes a module apart.
    pub(super) fn read(module: &'a [u8]) -> Result<Self> {
        let mut whole = Self::default();
        let bytes = |start: u64, end: u64| module.get(start as usize..end as usize).unwrap_or(&[]);
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.map_err(unreadable)?;
            let section = payload.as_section().map(|(_, range)| bytes(range.start, range.end));
            match payload {
                Payload::TypeSection(types) => {
                    whole.n_types = types.count();
                    whole.types = after_count(section.unwrap_or(&[]));
                    for ty in types.into_iter_err_on_gc_types() {
                        whole.parameters.push(Some(ty.map_err(unreadable)?.params().len() as u32));
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import.map_err(unreadable)?;
                        match import.ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => whole.function_types.push(ty),
                            _ => return Err(cannot("what is imported beside functions")),
                        }
                        whole.imports.push(import);
                    }
                    whole.n_imported = whole.function_types.len() as u32;
                }
                Payload::FunctionSection(types) => {
                    for ty in types {
                        whole.function_types.push(ty.map_err(unreadable)?);
                    }
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        whole.tables.push(table.map_err(unreadable)?.ty);
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        whole.memories.push(memory.map_err(unreadable)?);
                    }
                }
                Payload::GlobalSection(globals) => {
                    whole.global_bytes = section.unwrap_or(&[]);
                    for global in globals {
                        whole.globals.push(global.map_err(unreadable)?.ty);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        whole.exports.push(export.map_err(unreadable)?);
                    }
                }
                Payload::StartSection { func, .. } => whole.start = Some(func),
                Payload::ElementSection(elements) => {
                    for element in elements {
                        whole.fill(&element.map_err(unreadable)?)?;
                    }
                }
                Payload::CodeSectionEntry(body) => whole.bodies.push(Calls::read(module, &body, check)?),
                Payload::DataSection(segments) => {
                    for segment in segments {
                        let segment: Data<'_> = segment.map_err(unreadable)?;
                        whole.data.push(bytes(segment.range.start, segment.range.end));
                    }
                }
                Payload::CustomSection(section) => whole.take_names(&section)?,
                _ => {}
            }
        }
        let count = whole.function_types.len();
        whole.names.resize(count, String::new());
        if whole.bodies.len() + whole.n_imported as usize != count || whole.memories.len() != 1 {
            return Err(cannot("a module that is not one memory and its functions"));
        }
        Ok(whole)
    }

    /// Puts the functions of a segment to their places.
    fn fill(&mut self, element: &Element<'_>) -> Result<()> {
        let ElementKind::Active { table_index: None | Some(0), offset_expr } = &element.kind else {
            return Err(cannot("functions that are put into the table by instructions"));
        };
        let mut offset = offset_expr.get_operators_reader();
        let Operator::I32Const { value: mut place } = offset.read().map_err(unreadable)? else {
            return Err(cannot("a table whose places are computed"));
        };
        let ElementItems::Functions(functions) = &element.items else {
            return Err(cannot("a table of expressions"));
        };
        for function in functions.clone() {
            let at = place as usize;
            self.slots.resize(self.slots.len().max(at + 1), None);
            self.slots[at] = Some(function.map_err(unreadable)?);
            place += 1;
        }
        Ok(())
    }

    fn take_names(&mut self, section: &wasmparser::CustomSectionReader<'a>) -> Result<()> {
        let KnownCustom::Name(reader) = section.as_known() else { return Ok(()) };
        for name in reader {
            let Name::Function(map) = name.map_err(unreadable)? else { continue };
            for naming in map {
                let naming = naming.map_err(unreadable)?;
                let at = naming.index as usize;
                self.names.resize(self.names.len().max(at + 1), String::new());
                self.names[at] = naming.name.to_owned();
            }
        }
        Ok(())
    }

    /// How many functions there are, imported ones included.
    pub(super) fn n_functions(&self) -> usize {
        self.function_types.len()
    }

    /// A function's body; `None` for an imported one.
    pub(super) fn body(&self, function: u32) -> Option<&Calls<'a>> {
        self.bodies.get(function.checked_sub(self.n_imported)? as usize)
    }

    /// The function of an export, if it is one.
    pub(super) fn exported(export: &Export<'_>) -> Option<u32> {
        matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact).then_some(export.index)
    }

    /// A function's name as people write it.
    pub(super) fn readable(&self, function: u32) -> String {
        self.names.get(function as usize).map(|name| demangle(name)).unwrap_or_default()
    }
}

/// The bytes of a section's items, without how many they are.
fn after_count(section: &[u8]) -> &[u8] {
    let count = section.iter().take_while(|&&byte| byte >= 0x80).count() + 1;
    section.get(count..).unwrap_or(&[])
}

/// What an instruction does that the cut cannot follow.
fn check(operator: &Operator<'_>) -> Result<()> {
    match operator {
        Operator::ReturnCall { .. } | Operator::RefFunc { .. } | Operator::TableInit { .. } => {
            Err(cannot("functions that are named by other instructions than calls"))
        }
        Operator::MemoryInit { .. } | Operator::DataDrop { .. } => Err(cannot("data that instructions name")),
        _ => Ok(()),
    }
}

fn cannot(what: &str) -> Error {
    Error::Module(["the cut in two parts cannot take ", what].concat())
}
