//! A module with other bodies for some of its functions.

use std::ops::Range;

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::module::leb128;
use crate::{Error, Result};

/// A function's bytes between the numbers of those it calls, and these.
#[derive(Debug, Default)]
pub(crate) struct Calls<'a> {
    /// One more than there are calls; each but the last ends with the instruction that calls.
    pub(crate) pieces: Vec<&'a [u8]>,
    pub(crate) calls: Vec<u32>,
}

impl<'a> Calls<'a> {
    /// Reads a body; `each` may refuse what it holds.
    pub(crate) fn read(
        module: &'a [u8],
        body: &FunctionBody<'_>,
        mut each: impl FnMut(&Operator<'_>) -> Result<()>,
    ) -> Result<Self> {
        let piece = |start: u64, end: u64| module.get(start as usize..end as usize).unwrap_or(&[]);
        let (mut read, mut start) = (Self::default(), body.range().start);
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(unreadable)?;
            each(&operator)?;
            let (Operator::Call { function_index: called } | Operator::ReturnCall { function_index: called }) =
                operator
            else {
                continue;
            };
            // The instruction is one byte; the number follows.
            read.pieces.push(piece(start, offset + 1));
            read.calls.push(called);
            start = operators.original_position();
        }
        read.pieces.push(piece(start, body.range().end));
        Ok(read)
    }
}

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
