//! The records of a piece, to a batch.

use std::borrow::Cow;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use memchr::{memchr, memchr2};

use super::column::{Column, Misfit};
use super::fields::{self, Fields};
use super::pieces::Piece;

/// Rows of a batch at most; a piece of short records gives several.
const ROWS: usize = 1 << 17;
/// Rows that are read column by column at a time.
const BLOCK: usize = 4_096;
/// Bytes of text in one column of a batch, at most.
const TEXT: usize = 1 << 30;

/// What is wrong in a piece, and where: the row counts from the piece's first.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) row: usize,
    pub(super) reason: String,
}

/// Reads every record of a piece: column by column where no field is quoted and every record has all fields, and otherwise,
/// or to tell what is wrong, record by record.
pub(super) fn read(piece: &mut Piece, delimiter: u8, schema: &SchemaRef) -> Result<Vec<RecordBatch>, Fault> {
    if let Some(ends) = fields::ends(piece, delimiter)
        && let Some(fields) = Fields::try_new(piece, ends.as_slice(), schema.fields().len())
    {
        return by_column(&fields, schema);
    }
    by_record(piece, delimiter, schema)
}

fn by_column(fields: &Fields<'_>, schema: &SchemaRef) -> Result<Vec<RecordBatch>, Fault> {
    let mut batches = Vec::new();
    for first in (0..fields.rows).step_by(ROWS) {
        let rows = first..(first + ROWS).min(fields.rows);
        let mut columns: Vec<Column> =
            schema.fields().iter().map(|field| Column::new(field.data_type(), rows.len())).collect();
        // A block of records is in the cache for all of its columns.
        for block in rows.clone().step_by(BLOCK) {
            let block = block..(block + BLOCK).min(rows.end);
            for (number, (column, field)) in columns.iter_mut().zip(schema.fields()).enumerate() {
                column.fill(fields, number, block.clone()).map_err(|misfit| Fault {
                    row: misfit.row.unwrap_or(first),
                    reason: no_value(field.name(), field.data_type(), &misfit),
                })?;
            }
        }
        batches.push(batch(columns, schema, first, rows.len())?);
    }
    Ok(batches)
}

fn by_record(piece: &[u8], delimiter: u8, schema: &SchemaRef) -> Result<Vec<RecordBatch>, Fault> {
    let mut batches = Vec::new();
    let mut at = 0;
    let mut first = 0;
    // About as many as there are in the rest, by the length of those before.
    let mut expected = ROWS.min(piece.len() / (schema.fields().len() * 4).max(8) + 16);
    while at < piece.len() {
        let mut columns: Vec<Column> =
            schema.fields().iter().map(|field| Column::new(field.data_type(), expected)).collect();
        let (length, rows) = records(&piece[at..], delimiter, &mut columns, schema, first)?;
        if rows > 0 {
            batches.push(batch(columns, schema, first, rows)?);
        }
        at += length;
        first += rows;
        expected = ROWS.min((piece.len() - at) / (length / rows.max(1)).max(1) + 16);
    }
    Ok(batches)
}

fn batch(columns: Vec<Column>, schema: &SchemaRef, first: usize, rows: usize) -> Result<RecordBatch, Fault> {
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, field) in columns.into_iter().zip(schema.fields()) {
        arrays.push(column.finish().map_err(|misfit| Fault {
            row: first + misfit.row.unwrap_or(0),
            reason: no_value(field.name(), field.data_type(), &misfit),
        })?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(|error| Fault { row: first, reason: error.to_string() })
}

fn no_value(column: &str, data_type: &arrow_schema::DataType, misfit: &Misfit) -> String {
    format!("column \"{column}\": \"{}\" is not {data_type}", misfit.text)
}

/// Reads records until the columns are full or the bytes are at their end: the bytes and the rows that were read.
fn records(
    bytes: &[u8],
    delimiter: u8,
    columns: &mut [Column],
    schema: &SchemaRef,
    first: usize,
) -> Result<(usize, usize), Fault> {
    let (mut at, mut rows) = (0, 0);
    let last = columns.len() - 1;
    while at < bytes.len() && rows < ROWS {
        match &bytes[at..] {
            [b'\n', ..] => {
                at += 1;
                continue;
            }
            [b'\r', b'\n', ..] => {
                at += 2;
                continue;
            }
            _ => {}
        }
        let mut fields = 0;
        loop {
            let wrong = |reason: String| Fault { row: first + rows, reason };
            let Some(column) = columns.get_mut(fields) else {
                return Err(wrong(format!("more than {} fields", last + 1)));
            };
            let rest = &bytes[at..];
            let field = schema.field(fields);
            let length = any(rest, delimiter, column, last == 0)
                .map_err(|misfit| wrong(no_value(field.name(), field.data_type(), &misfit)))?
                .ok_or_else(|| wrong(format!("column \"{}\": a quote opens here and is not closed", field.name())))?;
            fields += 1;
            at += length;
            // A piece ends with a line break, so there is one behind every field.
            match bytes.get(at) {
                Some(b'\r') => at += 2,
                Some(b'\n') | None => at += 1,
                Some(_) => {
                    at += 1;
                    continue;
                }
            }
            break;
        }
        if fields <= last {
            let reason = format!("{fields} fields, {} were expected", last + 1);
            return Err(Fault { row: first + rows, reason });
        }
        rows += 1;
        // Looked at now and then: a column of text must not outgrow its offsets.
        if rows % 256 == 0 && columns.iter().any(|column| column.text_bytes() > TEXT) {
            break;
        }
    }
    Ok((at.min(bytes.len()), rows))
}

/// Reads a field of any kind, which may be alone in its record; its length. None when its quote is not closed.
fn any(rest: &[u8], delimiter: u8, column: &mut Column, is_alone: bool) -> Result<Option<usize>, Misfit> {
    if rest.first() == Some(&b'"') {
        let Some((text, length)) = quoted(rest, delimiter) else { return Ok(None) };
        match text.as_ref() {
            // Alone, it is how a null is written: an empty line would be no record.
            [] if is_alone || !column.is_text() => column.null(),
            text => column.field(text)?,
        }
        return Ok(Some(length));
    }
    let length = plain(rest, delimiter);
    match &rest[..length] {
        [] => column.null(),
        field => column.field(field)?,
    }
    Ok(Some(length))
}

/// The length of a field without quotes.
fn plain(rest: &[u8], delimiter: u8) -> usize {
    let end = memchr2(delimiter, b'\n', rest).unwrap_or(rest.len());
    // A line break of two bytes.
    if end > 0 && rest[end - 1] == b'\r' && rest.get(end) == Some(&b'\n') { end - 1 } else { end }
}

/// A field in quotes, without them, and its length with them. What stands between the closing quote and the field's end
/// belongs to it, as most readers have it. None when there is no closing quote: a piece is cut only where a record ends, or
/// where the file does.
fn quoted(rest: &[u8], delimiter: u8) -> Option<(Cow<'_, [u8]>, usize)> {
    let mut text = Cow::Borrowed(&rest[..0]);
    let mut at = 1;
    loop {
        let found = memchr(b'"', &rest[at..])?;
        text = join(text, &rest[at..at + found]);
        at += found + 1;
        if rest.get(at) != Some(&b'"') {
            break;
        }
        text = join(text, b"\"");
        at += 1;
    }
    let more = plain(&rest[at..], delimiter);
    Some((join(text, &rest[at..at + more]), at + more))
}

fn join<'a>(text: Cow<'a, [u8]>, more: &'a [u8]) -> Cow<'a, [u8]> {
    if text.is_empty() && matches!(text, Cow::Borrowed(_)) {
        return Cow::Borrowed(more);
    }
    if more.is_empty() {
        return text;
    }
    let mut text = text.into_owned();
    text.extend_from_slice(more);
    Cow::Owned(text)
}
