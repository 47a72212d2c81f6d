//! Files packed as a whole by gzip or zstd. CSV is unpacked while it is read; other formats beside, into a temporary file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::open::{delimiter, extension, open_with};
use super::{Options, Source, cache};
use crate::{Error, Result};

/// Opens `name.csv.gz`, `name.ndjson.zst` and the like.
pub(super) fn open(path: &Path, packing: &str, options: &Options) -> Result<Arc<dyn Source>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let malformed = |reason: String| Error::Format { path: path.to_owned(), reason };
    let inner = path.file_stem().map(Path::new).filter(|inner| inner.extension().is_some());
    let Some(inner) = inner else {
        return Err(malformed("a packed file needs a second extension, such as .csv.gz".to_owned()));
    };
    let file = File::open(path).map_err(io)?;
    let kind = extension(inner);
    if kind == "csv" || kind == "tsv" {
        return cache::reader(path, file, delimiter(&kind), options, |counted| unpacked(counted, path, packing));
    }
    let mut reader = unpacked(file, path, packing)?;
    // A folder of its own, so that the name and with it the format stay.
    let folder = tempfile::tempdir().map_err(io)?;
    let unpacked = folder.path().join(inner);
    let mut out = File::create(&unpacked).map_err(io)?;
    std::io::copy(&mut reader, &mut out).map_err(|error| malformed(error.to_string()))?;
    match open_with(&unpacked, options) {
        // What is wrong is told with the name that was given.
        Err(Error::Format { reason, .. }) => Err(malformed(reason)),
        opened => opened,
    }
}

fn unpacked<'a, R: Read + Send + 'a>(file: R, path: &Path, packing: &str) -> Result<Box<dyn Read + Send + 'a>> {
    let file = BufReader::with_capacity(1 << 18, file);
    match packing {
        "gz" => Ok(Box::new(flate2::read::MultiGzDecoder::new(file))),
        _ => match zstd::stream::read::Decoder::with_buffer(file) {
            Ok(decoder) => Ok(Box::new(decoder)),
            Err(source) => Err(Error::Io { path: path.to_owned(), source }),
        },
    }
}
