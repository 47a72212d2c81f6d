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
#[cfg(any(feature = "zstd", feature = "ruzstd"))]
mod unzstd;

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
            #[cfg(any(feature = "zstd", feature = "ruzstd"))]
            Self::Zstd => unzstd::unpack(packed, length),
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
