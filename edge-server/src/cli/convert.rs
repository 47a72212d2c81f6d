//! `edge-server convert IN OUT`.

use std::path::Path;

use super::write_file;
use crate::output::{Format, Writer};
use crate::{Result, source};

/// Reads a file batch by batch and writes it in another format.
pub(super) fn convert(input: &Path, output: &Path) -> Result<()> {
    let format = Format::of(output)?;
    let source = source::open(input)?;
    write_file(output, |file| {
        let mut writer = Writer::try_new(format, file, source.schema())?;
        for batch in source.scan(None, None)? {
            writer.write(&batch?)?;
        }
        writer.finish()
    })
}
