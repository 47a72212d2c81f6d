//! Arrow files and streams: small ones are in memory, and every batch borrows from their bytes; large files stay on the disk.

use std::path::Path;
use std::sync::Arc;

use arrow_buffer::Buffer;
use wire::Limits;
use wire::file::{self, FileReader};
use wire::stream;

use super::paged::Paged;
use super::{Memory, Options, Source, file_tag};
use crate::{Error, Result};

/// Opens an Arrow file or stream; which of the two, its first bytes tell.
pub(super) fn open(path: &Path, options: &Options) -> Result<Arc<dyn Source>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let malformed = |error: Box<wire::Error>| Error::Format { path: path.to_owned(), reason: error.to_string() };
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > options.memory as u64 / 4 {
        let paged = Paged::open(path)?;
        if let Some(paged) = paged {
            return Ok(Arc::new(paged));
        }
    }
    let contents = std::fs::read(path).map_err(io)?;
    let bytes = contents.len() as u64;
    let buffer = Buffer::from_vec(contents);
    if file::is_file(&buffer) {
        let mut reader = FileReader::try_new(buffer, Limits::default()).map_err(malformed)?;
        let batches = (0..reader.batches())
            .map(|index| reader.batch(index))
            .collect::<wire::Result<Vec<_>>>()
            .map_err(malformed)?;
        return Ok(Arc::new(Memory { schema: reader.schema().clone(), batches, bytes, tag: file_tag(path) }));
    }
    let (schema, batches) = stream::read(buffer, &Limits::default()).map_err(malformed)?;
    Ok(Arc::new(Memory { schema, batches, bytes, tag: file_tag(path) }))
}
