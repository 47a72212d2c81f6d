//! `edge-server query`: the engine of server and viewer, on the command line.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use arrow_cast::pretty::pretty_format_batches;

use super::write_file;
use crate::output::{Format, Writer};
use crate::run::{Budget, Knowledge, Query, Terms};
use crate::{Error, Result, source};

/// Rows that are printed when no output file is given.
const PRINTED_ROWS: usize = 40;

/// Runs a plan over a table and writes or prints the result.
pub(super) fn query(table: &str, plan: &str, output: Option<&Path>) -> Result<()> {
    let format = output.map(Format::of).transpose()?;
    let table = source::open_one(table, &source::Options::default())?;
    let plan = wire::plan::from_json(&read_plan(plan)?).map_err(Error::Plan)?;
    let query = Query::prepare(&plan, table.source.as_ref())?;
    let schema = query.schema();
    // Whoever asks on his own machine may wait as long as he likes.
    let (knowledge, budget) = (Knowledge::default(), Budget { time: Duration::MAX, memory: usize::MAX });
    let terms = Terms { knowledge: &knowledge, budget, is_given_up: &|| false };
    if let (Some(format), Some(path)) = (format, output) {
        return write_file(path, |file| {
            let mut writer = Writer::try_new(format, file, &schema)?;
            query.run(&table.source, terms, |batch| writer.write(&batch).map(|()| true))?;
            writer.finish()
        });
    }
    let mut shown = Vec::new();
    let (mut rows, mut printed) = (0usize, 0usize);
    query.run(&table.source, terms, |batch| {
        rows += batch.num_rows();
        if printed < PRINTED_ROWS {
            let part = batch.slice(0, batch.num_rows().min(PRINTED_ROWS - printed));
            printed += part.num_rows();
            shown.push(part);
        }
        Ok(true)
    })?;
    let text = pretty_format_batches(&shown).map_err(|error| Error::Output(error.to_string()))?;
    let _closed = writeln!(std::io::stdout(), "{text}\n{rows} rows, {printed} shown");
    Ok(())
}

fn read_plan(plan: &str) -> Result<Vec<u8>> {
    if plan.trim_start().starts_with('{') {
        return Ok(plan.as_bytes().to_vec());
    }
    let io = |source| Error::Io { path: plan.into(), source };
    if plan == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().take(16 << 20).read_to_end(&mut bytes).map_err(io)?;
        return Ok(bytes);
    }
    std::fs::read(plan).map_err(io)
}
