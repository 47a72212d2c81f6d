//! Bytes: raw and compressed.

use std::io::Write;

/// A file's size in three ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// As it is.
    pub raw: usize,
    /// By gzip, level 9.
    pub gzip: usize,
    /// By brotli, quality 11; `None` where nobody sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brotli: Option<usize>,
}

/// Weighs bytes.
#[must_use]
pub fn size(bytes: &[u8]) -> Size {
    Size { raw: bytes.len(), gzip: gzip(bytes).len(), brotli: Some(brotli(bytes).len()) }
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
