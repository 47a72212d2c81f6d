//! Zstandard, unpacked: by its own C library, or by a decoder in Rust where C does not go.

use arrow_buffer::Buffer;

/// Unpacks exactly `length` bytes, which has been checked.
#[cfg(feature = "zstd")]
pub(super) fn unpack(packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
    let mut out = Vec::with_capacity(length);
    let read = zstd::bulk::Decompressor::new().and_then(|mut decoder| decoder.decompress_to_buffer(packed, &mut out));
    match read {
        Ok(found) if found == length => Ok(Buffer::from_vec(out)),
        Ok(_) => Err("a packed buffer holds fewer bytes than it claims"),
        Err(_) => Err("a packed buffer is damaged, or holds more bytes than it claims"),
    }
}

/// Unpacks exactly `length` bytes, which has been checked, into memory that grows with what comes. In a part of its own where a
/// module is cut in two, since few streams need it.
#[cfg(not(feature = "zstd"))]
#[inline(never)]
pub(super) fn unpack(packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
    use std::io::Read;
    const DAMAGED: &str = "a packed buffer is damaged";
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|_| DAMAGED)?;
    let mut out = Vec::with_capacity(length.min(packed.len().saturating_mul(16).saturating_add(4096)));
    // One more than claimed, so that more is noticed.
    decoder.take(length as u64 + 1).read_to_end(&mut out).map_err(|_| DAMAGED)?;
    if out.len() == length { Ok(Buffer::from_vec(out)) } else { Err("a packed buffer does not hold what it claims") }
}
