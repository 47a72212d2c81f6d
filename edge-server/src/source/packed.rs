//! Files packed as a whole by gzip or zstd: unpacked beside into a temporary file, then opened as what they are.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Source, open};
use crate::{Error, Result};

/// Opens `name.csv.gz`, `name.ndjson.zst` and the like.
pub(super) fn open_packed(path: &Path, packing: &str) -> Result<Arc<dyn Source>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let malformed = |reason: String| Error::Format { path: path.to_owned(), reason };
    let inner = path.file_stem().map(Path::new).filter(|inner| inner.extension().is_some());
    let Some(inner) = inner else {
        return Err(malformed("a packed file needs a second extension, such as .csv.gz".to_owned()));
    };
    let file = BufReader::new(File::open(path).map_err(io)?);
    let mut reader: Box<dyn Read> = match packing {
        "gz" => Box::new(flate2::read::MultiGzDecoder::new(file)),
        _ => Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(io)?),
    };
    // A folder of its own, so that the name and with it the format stay.
    let folder = tempfile::tempdir().map_err(io)?;
    let unpacked = folder.path().join(inner);
    let mut out = File::create(&unpacked).map_err(io)?;
    std::io::copy(&mut reader, &mut out).map_err(|error| malformed(error.to_string()))?;
    match open(&unpacked) {
        // What is wrong is told with the name that was given.
        Err(Error::Format { reason, .. }) => Err(malformed(reason)),
        opened => opened,
    }
}
