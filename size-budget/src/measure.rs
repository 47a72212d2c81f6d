//! Bytes: raw and compressed, and the functions and sections that they are made of.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::{Error, Result};

/// A file's size in three ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Size {
    /// As it is.
    pub raw: usize,
    /// By gzip, level 9.
    pub gzip: usize,
    /// By brotli, quality 11.
    pub brotli: usize,
}

/// Weighs bytes.
#[must_use]
pub fn size(bytes: &[u8]) -> Size {
    Size { raw: bytes.len(), gzip: gzip(bytes).len(), brotli: brotli(bytes).len() }
}

/// Compresses as `gzip -9` does.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let written = encoder.write_all(bytes);
    encoder.finish().ok().filter(|_| written.is_ok()).unwrap_or_default()
}

/// Compresses as `brotli -q 11 -w 22` does.
#[must_use]
pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    {
        let mut encoder = brotli::CompressorWriter::new(&mut out, 1 << 16, 11, 22);
        if encoder.write_all(bytes).is_err() {
            return Vec::new();
        }
    }
    out
}

/// One thing that a module is made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// A function's name, or a section's in angle brackets.
    pub name: String,
    /// Its bytes in the module.
    pub bytes: usize,
}

/// The functions and other sections of a module, the largest first.
///
/// # Errors
/// [`Error::Module`] when the module cannot be read.
pub fn items(module: &[u8]) -> Result<Vec<Item>> {
    let mut imported = 0u32;
    let mut bodies = Vec::new();
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    let mut items = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(section) => {
                imported = section
                    .into_imports()
                    .filter_map(std::result::Result::ok)
                    .filter(|import| {
                        matches!(import.ty, wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_))
                    })
                    .count() as u32;
            }
            Payload::CodeSectionEntry(body) => bodies.push(length(&body.range())),
            Payload::DataSection(section) => {
                items.push(Item { name: "<data: constants and strings>".to_owned(), bytes: length(&section.range()) });
            }
            Payload::ElementSection(section) => {
                items
                    .push(Item { name: "<elements: tables of functions>".to_owned(), bytes: length(&section.range()) });
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(reader) = section.as_known() {
                    for name in reader {
                        if let Name::Function(map) = name.map_err(unreadable)? {
                            for naming in map {
                                let naming = naming.map_err(unreadable)?;
                                names.insert(naming.index, demangle(naming.name));
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for (position, bytes) in bodies.into_iter().enumerate() {
        let index = imported + position as u32;
        let name = names.get(&index).cloned().unwrap_or_else(|| format!("function {index}"));
        items.push(Item { name, bytes });
    }
    items.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    Ok(items)
}

/// Bytes of functions by the crate that their name begins with, the largest first.
#[must_use]
pub fn by_crate(items: &[Item]) -> Vec<Item> {
    sums(items, |item| Some(path(item).map_or("(no crate)", |path| path.split("::").next().unwrap_or(path))))
}

/// Bytes of one crate's functions by the module that holds them, the largest first. Generic code counts where it was
/// written, not where it is used.
#[must_use]
pub fn by_module(items: &[Item], name: &str) -> Vec<Item> {
    sums(items, |item| {
        let mut parts = path(item)?.split("::");
        (parts.next()? == name).then(|| parts.next().unwrap_or("(root)"))
    })
}

fn sums<'a>(items: &'a [Item], key: impl Fn(&'a Item) -> Option<&'a str>) -> Vec<Item> {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        if let Some(key) = key(item) {
            *sums.entry(key).or_default() += item.bytes;
        }
    }
    let mut sums: Vec<Item> = sums.into_iter().map(|(name, bytes)| Item { name: name.to_owned(), bytes }).collect();
    sums.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    sums
}

/// The path at the head of an item's name; `None` when it begins with no crate.
fn path(item: &Item) -> Option<&str> {
    let name = item.name.trim_start_matches(['<', '&', '*', ' ', '[']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(name.len());
    let known = name[..end].contains("::") || name.starts_with("data:") || name.starts_with("elements:");
    known.then(|| name[..end].trim_end_matches(':'))
}

fn demangle(name: &str) -> String {
    let full = format!("{:#}", rustc_demangle::demangle(name));
    // Crates carry their hash in brackets, sixteen digits or a few less.
    let mut plain = String::with_capacity(full.len());
    let mut rest = full.as_str();
    while let Some(start) = rest.find('[') {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let digits = from[1..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(0);
        if digits >= 12 && from[1 + digits..].starts_with(']') {
            rest = &from[digits + 2..];
        } else {
            plain.push('[');
            rest = &from[1..];
        }
    }
    plain.push_str(rest);
    plain
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
            leb128(length(&range), &mut out);
            out.extend_from_slice(module.get(range.start as usize..range.end as usize).unwrap_or(&[]));
        }
    }
    Ok(out)
}

/// A script without indentation, empty lines and lines of comment. Line breaks stay, and so does what is
/// behind the first word of a line, so that texts and automatic semicolons mean what they meant.
#[must_use]
pub fn compact_script(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut comment = false;
    for line in script.lines().map(str::trim) {
        comment |= line.starts_with("/*");
        if !comment && !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        comment &= !line.ends_with("*/");
    }
    out
}

fn length(range: &Range<u64>) -> usize {
    (range.end - range.start) as usize
}

/// A number as WASM writes lengths.
fn leb128(mut value: usize, out: &mut Vec<u8>) {
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
