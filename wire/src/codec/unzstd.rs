//! Zstandard, unpacked: by its own C library, or by a decoder in Rust where C does not go.

use arrow_buffer::Buffer;

#[cfg(not(feature = "zstd"))]
pub(super) use in_rust as unpack;
#[cfg(feature = "zstd")]
pub(super) use library as unpack;

/// Unpacks exactly `length` bytes, which has been checked.
#[cfg(feature = "zstd")]
pub(super) fn library(packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
    let mut out = Vec::with_capacity(length);
    let read = zstd::bulk::Decompressor::new().and_then(|mut decoder| decoder.decompress_to_buffer(packed, &mut out));
    match read {
        Ok(found) if found == length => Ok(Buffer::from_vec(out)),
        Ok(_) => Err("a packed buffer holds fewer bytes than it claims"),
        Err(_) => Err("a packed buffer is damaged, or holds more bytes than it claims"),
    }
}

/// Unpacks exactly `length` bytes, which has been checked, into memory that grows with what comes. In a part of its own where a
/// module is cut in two, since few streams need it. Piece by piece, and not by the decoder's reader, which would bring a text for
/// whatever may be wrong.
#[cfg(all(feature = "ruzstd", any(test, not(feature = "zstd"))))]
#[inline(never)]
pub(super) fn in_rust(packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
    use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
    const DAMAGED: &str = "a packed buffer is damaged";
    const PIECE: usize = 1 << 20;
    let (mut decoder, mut rest) = (FrameDecoder::new(), packed);
    decoder.init(&mut rest).map_err(|_| DAMAGED)?;
    let mut out: Vec<u8> = Vec::with_capacity(length.min(packed.len().saturating_mul(16).saturating_add(4096)));
    while !decoder.is_finished() && out.len() <= length {
        decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(PIECE)).map_err(|_| DAMAGED)?;
        out.extend(decoder.collect().unwrap_or_default());
    }
    if out.len() == length { Ok(Buffer::from_vec(out)) } else { Err("a packed buffer does not hold what it claims") }
}

#[cfg(all(test, feature = "zstd", feature = "ruzstd"))]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn both_decoders_read_what_the_library_packs() {
        let mut state = 1u64;
        for length in [0, 1, 1_000, 300_000, 5_000_000] {
            for kinds in [1, 7, 256] {
                let next = || {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    ((state >> 33) % kinds) as u8
                };
                let plain: Vec<u8> = std::iter::repeat_with(next).take(length).collect();
                for level in [1, 3, 12] {
                    let packed = zstd::bulk::compress(&plain, level).unwrap();
                    assert_eq!(library(&packed, length).unwrap().as_slice(), plain);
                    assert_eq!(in_rust(&packed, length).unwrap().as_slice(), plain);
                    // What claims another length, ends early or is something else is refused by both.
                    for claimed in [length + 1, length.saturating_sub(1)] {
                        assert_eq!(in_rust(&packed, claimed).is_ok(), claimed == length);
                        assert_eq!(library(&packed, claimed).is_ok(), claimed == length);
                    }
                    assert!(in_rust(&packed[..packed.len() - 1], length).is_err());
                    assert!(library(&packed[..packed.len() - 1], length).is_err());
                    assert!(in_rust(&packed[1..], length).is_err() && library(&packed[1..], length).is_err());
                }
            }
        }
    }
}
