//! Where rows lie: the chunks of a live table between two updates, and the way from a row to its serial and back.
//!
//! Finding a row by its serial is a search among some hundred chunks, and of a chunk from which rows have gone one among its
//! serials.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use kernels::Indices;
use wire::Result;
use wire::table::Part;

use super::rows::odd;

/// The chunks as they lie.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    parts: Vec<Part>,
    /// Rows that are left up to and including each part.
    ends: Vec<usize>,
    /// The first slot of each part: rows are counted with the removed ones.
    slots: Vec<u32>,
    /// The first serial of each part.
    firsts: Vec<u32>,
}

/// A chunk and a row in it.
#[derive(Debug, Clone, Copy)]
struct At {
    part: usize,
    row: usize,
}

impl Parts {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let mut made = Self::default();
        let (mut end, mut slot) = (0, 0);
        for part in &parts {
            made.slots.push(slot);
            made.firsts.push(part.serial(0));
            end += part.live();
            slot += part.batch.num_rows() as u32;
            made.ends.push(end);
        }
        made.parts = parts;
        made
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Serials in the order of rows.
    pub(super) fn serials(&self) -> Vec<u32> {
        let mut serials = Vec::with_capacity(self.len());
        for part in &self.parts {
            serials.extend((0..part.batch.num_rows()).filter(|&row| !part.is_removed(row)).map(|row| part.serial(row)));
        }
        serials
    }

    /// The serial of a row, counted from the first.
    pub(crate) fn serial(&self, row: usize) -> Option<u32> {
        let part = self.ends.partition_point(|&end| end <= row);
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        let chunk = self.parts.get(part)?;
        Some(chunk.serial(chunk.row_of(row - start)))
    }

    fn at(&self, serial: u32) -> Option<At> {
        let part = self.firsts.partition_point(|&first| first <= serial).checked_sub(1)?;
        let row = self.parts.get(part)?.find(serial)?;
        Some(At { part, row })
    }

    fn live_at(&self, serial: u32) -> Option<At> {
        self.at(serial).filter(|at| !self.parts[at.part].is_removed(at.row))
    }

    /// Whether a row is there.
    pub(super) fn has(&self, serial: u32) -> bool {
        self.live_at(serial).is_some()
    }

    /// The number of a row, counted from the first.
    pub(crate) fn row_of(&self, serial: u32) -> Option<usize> {
        let At { part, row } = self.live_at(serial)?;
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        Some(start + self.parts[part].live_before(row))
    }

    /// The number of a row with the removed ones among them; 0 for a row that is not there.
    pub(super) fn slot(&self, serial: u32) -> u32 {
        self.at(serial).map_or(0, |at| self.slots[at.part] + at.row as u32)
    }

    /// A column in all its chunks, removed rows among them.
    pub(super) fn chunks(&self, column: usize) -> Vec<&dyn Array> {
        self.parts.iter().map(|part| part.batch.column(column).as_ref()).collect()
    }

    /// Rows that came at the end, from a serial on: slices of chunks.
    pub(super) fn tail(&self, serial: u32) -> Vec<RecordBatch> {
        let first = self.firsts.partition_point(|&first| first <= serial).saturating_sub(1);
        let slice = |part: &Part| {
            let from = if part.serial(0) >= serial { Some(0) } else { part.find(serial) }?;
            Some(part.batch.slice(from, part.batch.num_rows() - from))
        };
        self.parts.get(first..).unwrap_or_default().iter().filter_map(slice).collect()
    }

    /// Some columns of some rows, in the order of the list; the schema is that of these columns.
    pub(crate) fn take(&self, serials: &[u32], columns: &[usize], schema: &SchemaRef) -> Result<RecordBatch> {
        let total = self.parts.iter().map(|part| part.batch.num_rows()).sum();
        let slots = serials.iter().map(|&serial| self.slot(serial)).collect();
        let rows = Indices::try_new(slots, total).map_err(odd)?;
        let mut taken: Vec<ArrayRef> = Vec::new();
        for (&column, field) in columns.iter().zip(schema.fields()) {
            let array = match self.parts.is_empty() {
                true => kernels::arrays::null_array(field.data_type(), 0),
                false => kernels::take_chunks(&self.chunks(column), &rows),
            };
            taken.push(array.map_err(odd)?);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(serials.len()));
        RecordBatch::try_new_with_options(schema.clone(), taken, &options).map_err(odd)
    }
}
