//! Content encoding: an answer packed while it is written, one block for each batch.

use std::io::{Result, Write};

/// The level of zstd: the fastest but one that still packs well.
const ZSTD_LEVEL: i32 = 1;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Zstd,
    Gzip,
}

impl Encoding {
    /// The best that a client takes.
    pub(super) fn negotiate(accept: &str) -> Self {
        let takes = |name: &str| {
            accept.split(',').any(|part| {
                let mut parts = part.split(';').map(str::trim);
                parts.next().is_some_and(|found| found.eq_ignore_ascii_case(name))
                    && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0"))
            })
        };
        if takes("zstd") {
            Self::Zstd
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// The name in `Content-Encoding`; none for identity.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Zstd => Some("zstd"),
            Self::Gzip => Some("gzip"),
        }
    }
}

/// A sink that encodes. A flush lets everything so far leave.
pub(super) enum Encoder<W: Write> {
    Identity(W),
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Gzip(flate2::write::GzEncoder<W>),
}

impl<W: Write> Encoder<W> {
    pub(super) fn try_new(encoding: Encoding, sink: W) -> Result<Self> {
        Ok(match encoding {
            Encoding::Identity => Self::Identity(sink),
            Encoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(sink, ZSTD_LEVEL)?),
            Encoding::Gzip => Self::Gzip(flate2::write::GzEncoder::new(sink, flate2::Compression::fast())),
        })
    }

    /// Writes the end.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Identity(mut sink) => sink.flush(),
            Self::Zstd(encoder) => encoder.finish()?.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl<W: Write> Write for &mut Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Encoder::Identity(sink) => sink.write(bytes),
            Encoder::Zstd(sink) => sink.write(bytes),
            Encoder::Gzip(sink) => sink.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Encoder::Identity(sink) => sink.flush(),
            Encoder::Zstd(sink) => sink.flush(),
            Encoder::Gzip(sink) => sink.flush(),
        }
    }
}
