//! Functions in the order of their bytes.
//!
//! What is sent over the wire is packed by brotli, which writes a repetition the shorter the nearer it is. Functions that begin
//! alike (by their locals, by how they make room on the stack) mostly go on alike, so they are put beside each other: the same
//! module in the same number of bytes, and about a hundredth less of them once it is packed.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error as Reencoding, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module, NameMap, NameSection};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Name, Parser, Payload, TypeRef};

use crate::rewrite::unreadable;
use crate::{Error, Result};

/// The module, whose functions stand in the order of their bytes. The names of functions go with them; those of their locals
/// are left out.
///
/// # Errors
/// [`Error::Module`] when it cannot be read.
pub fn order(module: &[u8]) -> Result<Vec<u8>> {
    let (mut imported, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let ty = import.map_err(unreadable)?.ty;
                    imported += u32::from(matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                bodies.push(module.get(range.start as usize..range.end as usize).unwrap_or(&[]));
            }
            _ => {}
        }
    }
    let mut order: Vec<usize> = (0..bodies.len()).collect();
    order.sort_by_key(|&old| bodies[old]);
    let mut numbers = vec![0; order.len()];
    order.iter().zip(imported..).for_each(|(&old, new)| numbers[old] = new);
    let mut out = Module::new();
    Ordering { imported, order, numbers }
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| Error::Module(error.to_string()))?;
    Ok(out.finish())
}

struct Ordering {
    imported: u32,
    /// By new place, the old one.
    order: Vec<usize>,
    /// By old place, the new number.
    numbers: Vec<u32>,
}

impl Reencode for Ordering {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Result<u32, Reencoding> {
        let own = old.checked_sub(self.imported).and_then(|own| self.numbers.get(own as usize));
        Ok(own.copied().unwrap_or(old))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Reencoding> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for &old in &self.order {
            functions.function(types.get(old).copied().unwrap_or_default());
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Result<(), Reencoding> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for old in self.order.clone() {
            if let Some(body) = bodies.get(old) {
                self.parse_function_body(code, body.clone())?;
            }
        }
        Ok(())
    }

    fn parse_custom_name_subsection(&mut self, names: &mut NameSection, section: Name<'_>) -> Result<(), Reencoding> {
        match section {
            Name::Function(map) => {
                let mut named = Vec::new();
                for naming in map {
                    let naming = naming?;
                    named.push((self.function_index(naming.index)?, naming.name));
                }
                named.sort_unstable();
                let mut map = NameMap::new();
                named.into_iter().for_each(|(index, name)| map.append(index, name));
                names.functions(&map);
                Ok(())
            }
            Name::Local(_) | Name::Label(_) => Ok(()),
            other => utils::parse_custom_name_subsection(self, names, other),
        }
    }
}
