//! Takes away the text of `Debug` that Arrow's arrays write by hand.
//!
//! Every array carries `Debug` in its table of methods, so that no linker can tell that nobody calls it; and what it
//! leads to (dates, time zones, decimals) is larger than itself. The compiler leaves derived text out when it is told
//! to (`-Zfmt-debug=none`), but not what is written by hand. So these functions become ones that write nothing, which
//! is what the derived ones are; wasm-opt then takes away what nobody calls any more.

use std::collections::HashSet;

use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef, ValType};

use crate::Result;
use crate::names::demangle;
use crate::rewrite::{rewrite, unreadable};

/// No locals; the number 0, which is `Ok(())`; the end.
const WRITES_NOTHING: [u8; 4] = [0, 0x41, 0, 0x0b];

/// Writes the metadata of the fields of a nested type into the type's name, as `Debug` would, in texts of errors.
const FIELD_METADATA: &str = "<arrow_schema::datatype_display::FormatMetadata as core::fmt::Display>::fmt";

/// Whether a function is such a one, or a closure in one, by its name. Closures are called through the table, which keeps
/// them when nobody calls them any more.
fn is_meant(name: &str) -> bool {
    name.starts_with("<arrow_array::") && name.contains(" as core::fmt::Debug>::fmt") || name == FIELD_METADATA
}

/// The module, in which these functions write nothing.
///
/// # Errors
/// [`crate::Error::Module`] when it cannot be read.
pub fn silence(module: &[u8]) -> Result<Vec<u8>> {
    let meant = meant(module)?;
    rewrite(module, |place, _| meant.contains(&place).then(|| WRITES_NOTHING.to_vec()))
}

/// The functions that are meant, by their place in the code. One that does not give a number, as `Debug` does, is left
/// alone.
fn meant(module: &[u8]) -> Result<HashSet<u32>> {
    let mut imported = 0;
    let (mut gives_number, mut types, mut meant) = (Vec::new(), Vec::new(), HashSet::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(unreadable)?;
                    gives_number.push(ty.results() == [ValType::I32]);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let is_function =
                        matches!(import.map_err(unreadable)?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    imported += u32::from(is_function);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    types.push(ty.map_err(unreadable)?);
                }
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(reader) = section.as_known() else { continue };
                for name in reader {
                    let Name::Function(map) = name.map_err(unreadable)? else { continue };
                    for naming in map {
                        let naming = naming.map_err(unreadable)?;
                        let Some(place) = naming.index.checked_sub(imported) else { continue };
                        let ty = types.get(place as usize).and_then(|&ty| gives_number.get(ty as usize));
                        if ty == Some(&true) && is_meant(&demangle(naming.name)) {
                            meant.insert(place);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(meant)
}
