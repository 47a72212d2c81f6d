//! Buffers packed and unpacked: 8 bytes with the length of what was packed, then the packed bytes.
//!
//! A length of −1 says that the bytes were not worth packing and follow as they are. What a packed buffer claims is
//! checked against a limit before anything is allocated; unpacking stops where the claim does, and anything but
//! exactly the claimed bytes is an error.
//!
//! Which codecs there are is chosen by features: `lz4` (our frames around lz4_flex's blocks), `zstd` (Zstandard's own C
//! library), and `ruzstd`, a decoder in Rust for where C does not go.

#[cfg(feature = "lz4")]
mod lz4;

use arrow_buffer::Buffer;

/// How the buffers of a batch are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// LZ4 frames: the faster one.
    Lz4,
    /// Zstandard: the smaller one.
    Zstd,
}

impl Codec {
    /// The codec of a number in `Message.fbs`.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Lz4),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The codec's number in `Message.fbs`.
    #[cfg(feature = "pack")]
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Lz4 => 0,
            Self::Zstd => 1,
        }
    }

    /// The codec's name: `lz4` or `zstd`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Whether this build unpacks it.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        match self {
            Self::Lz4 => cfg!(feature = "lz4"),
            Self::Zstd => cfg!(any(feature = "zstd", feature = "ruzstd")),
        }
    }

    /// Unpacks exactly `length` bytes, which has been checked.
    pub(crate) fn unpack(self, packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
        match self {
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::unpack(packed, length),
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                let mut out = Vec::with_capacity(length);
                let read = zstd::bulk::Decompressor::new()
                    .and_then(|mut decoder| decoder.decompress_to_buffer(packed, &mut out));
                match read {
                    Ok(found) if found == length => Ok(Buffer::from_vec(out)),
                    Ok(_) => Err("a packed buffer holds fewer bytes than it claims"),
                    Err(_) => Err("a packed buffer is damaged, or holds more bytes than it claims"),
                }
            }
            #[cfg(all(feature = "ruzstd", not(feature = "zstd")))]
            Self::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|_| DAMAGED)?;
                read_exactly(decoder, packed.len(), length)
            }
            #[allow(unreachable_patterns, reason = "with all codecs there is nothing left")]
            _ => {
                let _ = (packed, length);
                Err("this build has no decoder for the codec")
            }
        }
    }

    /// Packs bytes; `None` when that makes them no shorter.
    #[cfg(feature = "pack")]
    pub(crate) fn pack(self, bytes: &[u8], level: i32) -> Option<Vec<u8>> {
        let _ = level;
        let packed: Vec<u8> = match self {
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::pack(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::bulk::compress(bytes, level).ok()?,
            #[allow(unreachable_patterns, reason = "with all codecs there is nothing left")]
            _ => return None,
        };
        (packed.len() < bytes.len()).then_some(packed)
    }
}

#[cfg(all(feature = "ruzstd", not(feature = "zstd")))]
const DAMAGED: &str = "a packed buffer is damaged";

/// Reads until the claimed length, in memory that grows with what comes.
#[cfg(all(feature = "ruzstd", not(feature = "zstd")))]
fn read_exactly(decoder: impl std::io::Read, packed: usize, length: usize) -> Result<Buffer, &'static str> {
    use std::io::Read;
    let mut out = Vec::with_capacity(length.min(packed.saturating_mul(16).saturating_add(4096)));
    // One more than claimed, so that more is noticed.
    decoder.take(length as u64 + 1).read_to_end(&mut out).map_err(|_| DAMAGED)?;
    if out.len() == length { Ok(Buffer::from_vec(out)) } else { Err("a packed buffer does not hold what it claims") }
}
