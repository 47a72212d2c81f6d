//! Several changes by key as one: of each key, what became of it in the end.
//!
//! What a table is after the merged change is what it is after all of them, in the same order of rows: a row that was
//! removed and came again is removed and comes again.

use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use kernels::{Indices, KeyNumbers, arrays};

use super::Change;
use crate::{Error, Result};

/// What became of the keys that several changes touched. A key may be in both: its row goes, and comes again at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Keys of rows that go.
    pub remove: RecordBatch,
    /// Rows that come or take the place of those with their keys.
    pub insert: RecordBatch,
}

impl Merged {
    /// The change that does it.
    #[must_use]
    pub fn into_change(self) -> Change {
        match (self.remove.num_rows(), self.insert.num_rows()) {
            (0, _) => Change::Upsert(self.insert),
            (_, 0) => Change::Delete(self.remove),
            _ => Change::Exchange { remove: self.remove, insert: self.insert },
        }
    }
}

/// What became of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    /// Where its last removal stands among all.
    removed: Option<u32>,
    /// Where the row since then stands first and last among all that come.
    row: Option<(u32, u32)>,
}

/// Merges changes by key, in their order. Their rows must have all columns of the schema.
///
/// # Errors
/// [`Error::NoKey`] without a key; [`Error::Mismatch`] when rows lack a column or have one of another type, and for a
/// change that is none by key (a patch, a trim, a replacement).
pub fn merge(schema: &SchemaRef, key: &[String], changes: &[Change]) -> Result<Merged> {
    let column = |name: &String| {
        schema.index_of(name).map_err(|_| mismatch(name, "the key names it, and the schema has no such column"))
    };
    let positions = key.iter().map(column).collect::<Result<Vec<_>>>()?;
    if positions.is_empty() {
        return Err(Box::new(Error::NoKey));
    }
    let types: Vec<_> = positions.iter().map(|&position| schema.field(position).data_type().clone()).collect();
    let keys_schema = SchemaRef::new(schema.project(&positions).map_err(|error| mismatch("", &error.to_string()))?);
    let mut numbers = KeyNumbers::try_new(&types).map_err(kernel)?;
    let mut fates: Vec<Fate> = Vec::new();
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut gone_rows, mut come_rows) = (0u32, 0u32);
    let mut visit = |batch: &RecordBatch, is_removal: bool| -> Result<()> {
        let wanted = if is_removal { &keys_schema } else { schema };
        let batch = aligned(batch, wanted)?;
        let keys: Vec<&dyn Array> = match is_removal {
            true => batch.columns().iter().map(AsRef::as_ref).collect(),
            false => positions.iter().map(|&position| batch.column(position).as_ref()).collect(),
        };
        let ids = numbers.update(batch.num_rows(), &keys).map_err(kernel)?;
        fates.resize(numbers.len(), Fate::default());
        let next = if is_removal { &mut gone_rows } else { &mut come_rows };
        let end = u32::try_from(batch.num_rows()).ok().and_then(|rows| next.checked_add(rows));
        let end = end.ok_or_else(|| kernel(Box::new(kernels::Error::TooManyRows { rows: usize::MAX })))?;
        for (id, at) in ids.into_iter().zip(*next..end) {
            let fate = &mut fates[id as usize];
            if is_removal {
                *fate = Fate { removed: Some(at), row: None };
            } else {
                fate.row = Some((fate.row.map_or(at, |(first, _)| first), at));
            }
        }
        *next = end;
        if is_removal {
            gone.push(batch)
        } else {
            come.push(batch)
        }
        Ok(())
    };
    for change in changes {
        match change {
            Change::Append(batch) | Change::Upsert(batch) => visit(batch, false)?,
            Change::Delete(batch) => visit(batch, true)?,
            Change::Exchange { remove, insert } => {
                visit(remove, true)?;
                visit(insert, false)?;
            }
            other => return Err(mismatch("", &["a ", other.name(), " is no change by key"].concat())),
        }
    }
    let mut removed: Vec<u32> = fates.iter().filter_map(|fate| fate.removed).collect();
    removed.sort_unstable();
    let mut rows: Vec<(u32, u32)> = fates.iter().filter_map(|fate| fate.row).collect();
    rows.sort_unstable();
    let rows = rows.into_iter().map(|(_, last)| last).collect();
    let taken = |schema: &SchemaRef, batches: &[RecordBatch], rows: Vec<u32>, total: u32| {
        let rows = Indices::try_new(rows, total as usize).map_err(kernel)?;
        kernels::take_batches(schema, batches, &rows).map_err(kernel)
    };
    Ok(Merged {
        remove: taken(&keys_schema, &gone, removed, gone_rows)?,
        insert: taken(schema, &come, rows, come_rows)?,
    })
}

/// The columns that a schema has, in its order.
fn aligned(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &arrow_schema::FieldRef| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
        Some(_) => Err(mismatch(field.name(), "it has another type than the table's")),
        None => Err(mismatch(field.name(), "the rows to be merged lack it")),
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    arrays::batch(schema.clone(), columns, batch.num_rows()).map_err(kernel)
}

fn mismatch(column: &str, reason: &str) -> Box<Error> {
    Error::mismatch(column, reason)
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn kernel(error: Box<kernels::Error>) -> Box<Error> {
    mismatch("", &error.to_string())
}
