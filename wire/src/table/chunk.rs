//! One chunk of a table: its columns, which of its rows have been removed, and the keys of its rows.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use kernels::growing::GrowingColumn;
use kernels::query::CompareOp;
use kernels::{Indices, Mask, arrays};

use super::kernel;
use super::part::{Part, Serials};
use super::removed::Removed;
use crate::Result;

/// How a column's rows are kept.
#[derive(Debug)]
enum Store {
    /// As they came, perhaps over the bytes of a message.
    Shared(ArrayRef),
    /// In memory of the chunk's own, which can grow and be changed in place.
    Growing(GrowingColumn),
    /// In the pieces that came, for types that cannot grow in place; joined when they are read.
    Pieces(Vec<ArrayRef>),
}

impl Store {
    fn array(&mut self) -> Result<ArrayRef> {
        match self {
            Self::Shared(array) => Ok(array.clone()),
            Self::Growing(column) => column.array().map_err(kernel),
            Self::Pieces(pieces) => {
                let chunks: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
                let rows = chunks.iter().map(|chunk| chunk.len()).sum();
                if pieces.len() != 1 {
                    let whole = Indices::identity(rows).and_then(|all| kernels::take_chunks(&chunks, &all));
                    *pieces = vec![whole.map_err(kernel)?];
                }
                Ok(pieces[0].clone())
            }
        }
    }
}

/// A chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    columns: Vec<Store>,
    /// Rows, removed ones among them.
    rows: usize,
    removed: Removed,
    /// The serial of each row, if rows have some.
    serials: Serials,
    /// The number of each row's key; empty without a key.
    pub(super) ids: Vec<u32>,
    /// The time of each row; empty when times are not kept.
    pub(super) times: Vec<u64>,
    /// The rows that are left, as they were last read.
    cache: Option<RecordBatch>,
    /// All rows, as they were last read by parts.
    all: Option<RecordBatch>,
}

impl Chunk {
    /// An empty chunk that grows, with room for so many rows.
    pub(super) fn growing(schema: &SchemaRef, rows: usize, serial: u32) -> Result<Self> {
        let store = |data_type| {
            if !GrowingColumn::supports(data_type) {
                return Ok(Store::Pieces(Vec::new()));
            }
            GrowingColumn::try_new(data_type, rows, 16 * rows).map(Store::Growing).map_err(kernel)
        };
        let columns = schema.fields().iter().map(|field| store(field.data_type())).collect::<Result<_>>()?;
        Ok(Self::new(columns, 0, Vec::new(), Vec::new(), Serials::Run(serial)))
    }

    /// A chunk of columns as they are.
    pub(super) fn shared(
        columns: Vec<ArrayRef>,
        rows: usize,
        ids: Vec<u32>,
        times: Vec<u64>,
        serials: Serials,
    ) -> Self {
        Self::new(columns.into_iter().map(Store::Shared).collect(), rows, ids, times, serials)
    }

    fn new(columns: Vec<Store>, rows: usize, ids: Vec<u32>, times: Vec<u64>, serials: Serials) -> Self {
        Self { columns, rows, removed: Removed::default(), serials, ids, times, cache: None, all: None }
    }

    /// The serial of a row.
    pub(super) fn serial(&self, row: usize) -> u32 {
        self.serials.get(row)
    }

    /// Gives all rows serials from this one on, removed ones too; gives the next one.
    pub(super) fn renumber(&mut self, first: u32) -> u32 {
        self.serials = Serials::Run(first);
        first + self.rows as u32
    }

    /// The chunk as it is.
    pub(super) fn part(&mut self, schema: &SchemaRef) -> Result<Part> {
        let batch = match &self.all {
            Some(all) => all.clone(),
            None => self.whole(schema)?,
        };
        self.all = Some(batch.clone());
        Ok(Part { batch, removed: self.removed.clone(), serials: self.serials.clone() })
    }

    /// What was read is not what there is any more.
    fn forget(&mut self) {
        (self.cache, self.all) = (None, None);
    }

    /// Rows, removed ones among them.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Rows that are left.
    pub(super) fn live(&self) -> usize {
        self.rows - self.removed.count()
    }

    pub(super) fn is_removed(&self, row: usize) -> bool {
        self.removed.is_removed(row)
    }

    /// Removes a row that has not been removed.
    pub(super) fn remove(&mut self, row: usize) {
        self.removed.remove(row, self.rows);
        self.cache = None;
    }

    /// Removes the first rows that are left, so many, and gives each to `each`.
    pub(super) fn trim(&mut self, count: usize, mut each: impl FnMut(usize)) {
        for _ in 0..count.min(self.live()) {
            let row = self.removed.next_at_head();
            self.remove(row);
            self.removed.set_head(row + 1);
            each(row);
        }
    }

    /// The row that is the `live`-th one left.
    pub(super) fn row_of(&self, live: usize) -> usize {
        self.removed.row_of(live, self.rows)
    }

    /// Whether rows can be added in place.
    pub(super) fn has_room(&self, columns: &[ArrayRef]) -> bool {
        self.columns.iter().zip(columns).all(|(store, column)| match store {
            Store::Shared(_) => false,
            Store::Growing(growing) => growing.has_room(column.as_ref()),
            Store::Pieces(_) => true,
        })
    }

    /// Adds rows for which there is room.
    pub(super) fn append(&mut self, columns: &[ArrayRef], rows: usize, ids: &[u32], time: Option<u64>) -> Result<()> {
        for (store, column) in self.columns.iter_mut().zip(columns) {
            match store {
                Store::Shared(_) => {}
                Store::Growing(growing) => growing.append(column.as_ref()).map_err(kernel)?,
                Store::Pieces(pieces) => pieces.push(column.clone()),
            }
        }
        self.rows += rows;
        self.ids.extend_from_slice(ids);
        self.times.extend(time.into_iter().flat_map(|time| std::iter::repeat_n(time, rows)));
        self.forget();
        Ok(())
    }

    /// Gives cells of one column to rows. Fixed width: in place, unless a reader still holds the column. Else the column
    /// of this chunk is written anew, unless its cells already are what they shall be.
    pub(super) fn patch(&mut self, column: usize, rows: &[u32], cells: &dyn Array) -> Result<()> {
        self.forget();
        let store = &mut self.columns[column];
        let is_text = cells.data_type().is_string() || cells.data_type().is_binary();
        if is_text || !GrowingColumn::supports(cells.data_type()) {
            let old = store.array()?;
            if is_text && is_same(&old, rows, cells)? {
                return Ok(());
            }
            let patched = spliced(&old, rows, cells)?;
            *store = match store {
                Store::Growing(_) => Store::Growing(grown(&patched)?),
                Store::Pieces(_) => Store::Pieces(vec![patched]),
                Store::Shared(_) => Store::Shared(patched),
            };
            return Ok(());
        }
        if let Store::Shared(array) = store {
            *store = Store::Growing(grown(array)?);
        }
        match store {
            Store::Growing(growing) => growing.patch(rows, cells).map_err(kernel),
            Store::Shared(_) | Store::Pieces(_) => Ok(()),
        }
    }

    /// A column with removed rows among the others.
    pub(super) fn column(&mut self, column: usize) -> Result<ArrayRef> {
        self.columns[column].array()
    }

    /// All rows, removed ones among them.
    pub(super) fn whole(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(Store::array).collect::<Result<Vec<_>>>()?;
        arrays::batch(schema.clone(), columns, self.rows).map_err(kernel)
    }

    /// The rows that are left, as a mask over all.
    pub(super) fn mask(&self) -> Mask {
        Mask::new(BooleanBuffer::collect_bool(self.rows, |row| !self.is_removed(row)))
    }

    /// The rows that are left; nothing is copied when none was removed.
    pub(super) fn batch(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        if let Some(batch) = &self.cache {
            return Ok(batch.clone());
        }
        let mut batch = self.whole(schema)?;
        if self.removed.count() > 0 {
            batch = match self.removed.only_head() {
                Some(head) => batch.slice(head, self.rows - head),
                None => kernels::filter_batch(&batch, &self.mask()).map_err(kernel)?,
            };
        }
        self.cache = Some(batch.clone());
        Ok(batch)
    }

    /// Bytes of memory of the chunk's own; those that it shares with messages are not counted.
    pub(super) fn memory(&self) -> usize {
        let columns = self.columns.iter().map(|store| match store {
            Store::Growing(column) => column.memory(),
            Store::Shared(array) => array.get_array_memory_size(),
            Store::Pieces(pieces) => pieces.iter().map(|piece| piece.get_array_memory_size()).sum(),
        });
        columns.sum::<usize>() + self.removed.memory() + 4 * self.ids.len() + 8 * self.times.len()
    }
}

/// Which of these rows have other cells than these.
pub(super) fn differing(old: &ArrayRef, rows: &[u32], cells: &dyn Array) -> Result<Vec<usize>> {
    let rows = Indices::try_new(rows.to_vec(), old.len()).map_err(kernel)?;
    let old = kernels::take(old.as_ref(), &rows).map_err(kernel)?;
    let equal = kernels::compare_columns(old.as_ref(), CompareOp::Eq, cells).map_err(kernel)?.to_mask();
    let is_same = |row: usize| equal.bits().value(row) || old.is_null(row) && cells.is_null(row);
    Ok((0..cells.len()).filter(|&row| !is_same(row)).collect())
}

/// A column with other cells in some rows, which are in order: the rows between them are copied as they are.
fn spliced(old: &ArrayRef, rows: &[u32], cells: &dyn Array) -> Result<ArrayRef> {
    if rows.len() > old.len() / 16 || !GrowingColumn::supports(old.data_type()) || !rows.is_sorted() {
        let mut order: Vec<u32> = (0..old.len() as u32).collect();
        rows.iter().zip(old.len() as u32..).for_each(|(&row, new)| order[row as usize] = new);
        let order = Indices::try_new(order, old.len() + cells.len()).map_err(kernel)?;
        return kernels::take_chunks(&[old.as_ref(), cells], &order).map_err(kernel);
    }
    let text = arrays::text_bytes(old.as_ref()) + arrays::text_bytes(cells);
    let mut column = GrowingColumn::try_new(old.data_type(), old.len(), text).map_err(kernel)?;
    let mut next = 0;
    for (cell, &row) in rows.iter().enumerate() {
        column.append(old.slice(next, row as usize - next).as_ref()).map_err(kernel)?;
        column.append(cells.slice(cell, 1).as_ref()).map_err(kernel)?;
        next = row as usize + 1;
    }
    column.append(old.slice(next, old.len() - next).as_ref()).map_err(kernel)?;
    column.array().map_err(kernel)
}

/// A column in memory of its own.
fn grown(array: &ArrayRef) -> Result<GrowingColumn> {
    let mut growing = GrowingColumn::try_new(array.data_type(), array.len(), 0).map_err(kernel)?;
    growing.append(array.as_ref()).map_err(kernel)?;
    Ok(growing)
}

/// Whether these rows already have these cells.
fn is_same(old: &ArrayRef, rows: &[u32], cells: &dyn Array) -> Result<bool> {
    differing(old, rows, cells).map(|rows| rows.is_empty())
}
