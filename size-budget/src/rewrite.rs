//! A module with other bodies for some of its functions.

use std::ops::Range;

use wasmparser::{FunctionBody, Parser, Payload};

use crate::module::leb128;
use crate::{Error, Result};

/// The module, in which `body` says what a function's bytes are by its place in the code; those for which it has none stay.
pub(crate) fn rewrite(module: &[u8], body: impl Fn(u32, &FunctionBody<'_>) -> Option<Vec<u8>>) -> Result<Vec<u8>> {
    let bytes = |range: Range<u64>| module.get(range.start as usize..range.end as usize).unwrap_or(&[]);
    let mut out = bytes(0..8).to_vec();
    let (mut code, mut place, mut last) = (Vec::new(), 0, 0);
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(unreadable)?;
        match &payload {
            Payload::CodeSectionStart { count, .. } => {
                last = *count;
                leb128(*count as usize, &mut code);
            }
            Payload::CodeSectionEntry(old) => {
                let new = body(place, old);
                let new = new.as_deref().unwrap_or_else(|| bytes(old.range()));
                leb128(new.len(), &mut code);
                code.extend_from_slice(new);
                place += 1;
            }
            _ => {}
        }
        match payload.as_section() {
            Some((10, _)) | None => {}
            Some((id, range)) => section(id, bytes(range), &mut out),
        }
        if last > 0 && place == last {
            section(10, &std::mem::take(&mut code), &mut out);
            last = 0;
        }
    }
    Ok(out)
}

fn section(id: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    leb128(bytes.len(), out);
    out.extend_from_slice(bytes);
}

pub(crate) fn unreadable(error: wasmparser::BinaryReaderError) -> Error {
    Error::Module(error.to_string())
}
