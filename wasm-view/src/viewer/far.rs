//! Rows that somebody else holds. One half of this file is called in the page, whose viewer has windows of the rows; the
//! other in a worker, whose viewer has all of them and no canvas.

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kernels::query::Plan;
use kernels::{Indices, take_batches};
use wasm_bindgen::prelude::*;
use wire::stream::{Event, StreamEncoder};

use std::sync::Arc;

use super::follow::table;
use super::query::bytes_of;
use super::{Viewer, change, failed};
use crate::far::{Far, NUMBER};
use crate::grid::Strip;
use crate::load;
use crate::profile::{self, Profile};
use crate::table::Table;
use crate::view::{Rows, View};

/// Batches of one schema as an Arrow stream.
pub(super) fn to_stream(schema: &Schema, batches: &[RecordBatch]) -> wire::Result<Vec<u8>> {
    let mut encoder = StreamEncoder::try_new(schema)?;
    let mut parts = encoder.schema()?;
    for batch in batches {
        parts.extend(encoder.encode(batch)?);
    }
    parts.extend(encoder.finish()?);
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
    Ok(parts.concat())
}

/// The schema of a stream as it is read here, and as the stream has it.
fn schemas(stream: Vec<u8>) -> Result<(SchemaRef, SchemaRef), JsError> {
    let mut decoder = load::decoder();
    decoder.push(stream);
    match decoder.next_event().transpose().map_err(failed)? {
        Some(Event::Schema(schema)) => {
            let original = decoder.schema().cloned().unwrap_or_else(|| schema.clone());
            Ok((schema, original))
        }
        _ => Err(failed("no schema came")),
    }
}

impl Viewer {
    /// Whether somebody else holds the rows.
    pub(super) fn is_far(&self) -> bool {
        matches!(self.view.rows, Rows::Far(_)) || self.table.as_ref().is_some_and(|table| table.elsewhere > 0)
    }

    /// Whether a row of the view is here.
    pub(super) fn is_here(&self, row: usize) -> bool {
        match &self.view.rows {
            Rows::Far(far) => far.source(row).is_some(),
            _ => true,
        }
    }
}

#[wasm_bindgen]
impl Viewer {
    // In the page.

    /// Whether what is shown is here in windows only. Groups of rows that are elsewhere may be here as a whole.
    #[wasm_bindgen(js_name = isWindowed)]
    pub fn is_windowed(&self) -> bool {
        matches!(self.view.rows, Rows::Far(_))
    }

    /// Begins a table whose rows somebody else holds, by an Arrow stream that has its schema.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    #[wasm_bindgen(js_name = beginFar)]
    pub fn begin_far(&mut self, schema: Vec<u8>) -> Result<u32, JsError> {
        let (schema, original) = schemas(schema)?;
        let mut table = Table::new(schema);
        table.original = original;
        self.table = Some(table);
        self.view.rows = Rows::Far(Far::default());
        self.arrange_columns();
        Ok(change::SCHEMA | change::LAYOUT | change::PAINT)
    }

    /// Tells how many rows the table and the view have by now, and how many bytes have come; what was seen of the view
    /// still holds.
    #[wasm_bindgen(js_name = farRows)]
    pub fn far_rows(&mut self, loaded: usize, shown: usize, bytes: usize) -> u32 {
        self.load.bytes = bytes;
        if let Some(table) = &mut self.table {
            table.elsewhere = loaded;
        }
        if let Rows::Far(far) = &mut self.view.rows {
            far.rows = shown;
        }
        self.fit_rows();
        change::ROWS | change::PAINT | change::LAYOUT
    }

    /// The view's rows have been found elsewhere: so many, and the schema of groups if they are groups.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    pub fn settle(&mut self, rows: usize, groups: Option<Vec<u8>>) -> Result<u32, JsError> {
        let groups = groups.map(schemas).transpose()?.map(|(schema, _)| schema);
        let is_whole = std::mem::take(&mut self.has_head);
        match &mut self.view.rows {
            // Its first rows are here.
            Rows::Far(far) if is_whole && far.rows == rows && groups.is_none() => far.is_head = false,
            others => *others = Rows::Far(Far::new(rows, groups)),
        }
        (self.before, self.rows_before) = (None, None);
        Ok(self.refreshed())
    }

    /// Shows the first rows of a sort, of `rows` in all, while the others are put in order; what was shown is kept.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    #[wasm_bindgen(js_name = showHead)]
    pub fn show_head(&mut self, rows: usize, stream: Vec<u8>) -> Result<u32, JsError> {
        let (_, batches) = load::read(stream).map_err(failed)?;
        let Some(table) = self.table.as_ref().filter(|_| !self.view.shows_groups()) else { return Ok(0) };
        let head = Rows::Far(Far::head(rows, &table.schema, batches));
        let before = std::mem::replace(&mut self.view.rows, head);
        self.rows_before.get_or_insert(before);
        self.has_head = true;
        self.fit_rows();
        Ok(change::PAINT | change::LAYOUT | change::SELECTION)
    }

    /// Rows to be asked for now: from, to; nothing when all that are in sight are here or on their way.
    #[wasm_bindgen(js_name = wantWindow)]
    pub fn want_window(&mut self) -> Vec<usize> {
        let seen = self.layout.visible_rows();
        let Rows::Far(far) = &mut self.view.rows else { return Vec::new() };
        far.want(seen).map_or_else(Vec::new, |rows| vec![rows.start, rows.end])
    }

    /// Takes rows that were asked for, as an Arrow stream.
    ///
    /// # Errors
    /// When the bytes are no such stream.
    #[wasm_bindgen(js_name = giveWindow)]
    pub fn give_window(&mut self, first: usize, stream: Vec<u8>) -> Result<u32, JsError> {
        if !self.is_windowed() {
            return Ok(0);
        }
        let (_, batches) = load::read(stream).map_err(failed)?;
        let Some(schema) = self.shown_schema().cloned() else { return Ok(0) };
        if let Rows::Far(far) = &mut self.view.rows {
            far.give(first, &schema, batches);
        }
        // Widths and formats are those of the first rows that come.
        if !self.is_arranged {
            self.arrange_columns();
            self.is_arranged = true;
        }
        Ok(change::PAINT | change::LAYOUT | change::SELECTION)
    }

    /// Says that rows that were asked for do not come.
    #[wasm_bindgen(js_name = giveUp)]
    pub fn give_up(&mut self) {
        if let Rows::Far(far) = &mut self.view.rows {
            far.give_up();
        }
    }

    /// The view that is asked for as a plan, as bytes; with `to` above 0 the rows from `from` to `to` of the one that is
    /// shown.
    ///
    /// # Errors
    /// When the plan is too large to be written.
    #[wasm_bindgen(js_name = viewPlan)]
    pub fn view_plan(&self, from: usize, to: usize) -> Result<Vec<u8>, JsError> {
        let mut plan = self.view.plan();
        if to > 0 {
            // Those that are shown, whatever has been asked for since.
            if let Some(before) = &self.before {
                let mut shown = View::default();
                shown.wish(before.clone());
                plan = shown.plan();
            }
            (plan.offset, plan.limit) = (from, Some(to.saturating_sub(from)));
        }
        bytes_of(&plan)
    }

    /// So many rows, from the one at `from`, of the view that is asked for, as a plan in bytes.
    ///
    /// # Errors
    /// When the plan is too large to be written.
    #[wasm_bindgen(js_name = wishedPlan)]
    pub fn wished_plan(&self, from: usize, rows: usize) -> Result<Vec<u8>, JsError> {
        bytes_of(&Plan { offset: from, limit: Some(rows), ..self.view.plan() })
    }

    /// Whether groups are asked for.
    #[wasm_bindgen(js_name = wishesGroups)]
    pub fn wishes_groups(&self) -> bool {
        self.view.plan().is_grouped()
    }

    /// Whether something is filtered in what is asked for.
    #[wasm_bindgen(js_name = wishesFilter)]
    pub fn wishes_filter(&self) -> bool {
        !self.view.filters.is_empty()
    }

    /// Shows groups that were found elsewhere, all of them as an Arrow stream.
    ///
    /// # Errors
    /// When the bytes are no such stream.
    #[wasm_bindgen(js_name = settleGroups)]
    pub fn settle_groups(&mut self, stream: Vec<u8>) -> Result<u32, JsError> {
        self.view.rows = Rows::Groups(table(stream)?);
        self.before = None;
        Ok(self.refreshed())
    }

    /// Takes what a header shows, found elsewhere, as [`Viewer::profile_of`] tells it.
    #[wasm_bindgen(js_name = takeProfile)]
    pub fn take_profile(&mut self, column: usize, numbers: &[f64], words: &str) -> u32 {
        let &[low, high, bars, ref rest @ ..] = numbers else { return 0 };
        let (bars, shares) = rest.split_at(rest.len().min(bars as usize));
        let (nulls, text) = words.split_once('\n').unwrap_or_default();
        let (bars, shares) = (bars.to_vec(), shares.to_vec());
        let strip = Strip { bars, shares, text: text.to_owned(), axis: (low, high), mark: None };
        self.profiles.set(column, Profile { strip, nulls: nulls.to_owned() });
        change::PAINT
    }

    /// Takes what the server found of a column: rows, nulls, different values (less than 0: too many), the counts of bins or
    /// of values, the ends of the bins or none, and the most frequent value.
    #[wasm_bindgen(js_name = foundProfile)]
    pub fn found_profile(
        &mut self,
        column: usize,
        numbers: &[f64],
        counts: &[f64],
        ends: &[f64],
        first: String,
    ) -> u32 {
        let &[rows, nulls, values] = numbers else { return 0 };
        let strip = match *ends {
            [low, high] => profile::bins((low, high), counts),
            _ if counts.is_empty() && values == 0.0 => Strip::default(),
            _ => profile::top(values as usize, counts, first, rows as usize),
        };
        self.profiles.set(column, Profile::new(strip, nulls as usize, rows as usize));
        change::PAINT
    }

    // In the worker.

    /// The table's schema, as an Arrow stream without rows.
    ///
    /// # Errors
    /// When it cannot be written.
    #[wasm_bindgen(js_name = schemaStream)]
    pub fn schema_stream(&self) -> Result<Vec<u8>, JsError> {
        to_stream(&self.held()?.original, &[]).map_err(failed)
    }

    /// The groups' schema, likewise; nothing when rows are shown.
    ///
    /// # Errors
    /// When it cannot be written.
    #[wasm_bindgen(js_name = groupsStream)]
    pub fn groups_stream(&self) -> Result<Option<Vec<u8>>, JsError> {
        let Rows::Groups(groups) = &self.view.rows else { return Ok(None) };
        to_stream(&groups.schema, &[]).map(Some).map_err(failed)
    }

    /// Asks for what a plan does, as bytes.
    ///
    /// # Errors
    /// When the bytes are no plan.
    #[wasm_bindgen(js_name = takePlan)]
    pub fn take_plan(&mut self, plan: &[u8]) -> Result<(), JsError> {
        self.view.wish_plan(wire::plan::from_bytes(plan).map_err(failed)?);
        Ok(())
    }

    /// Rows of the view as an Arrow stream, their numbers in the table first where they are not the rows' own.
    ///
    /// # Errors
    /// When they cannot be taken or written.
    #[wasm_bindgen(js_name = windowOf)]
    pub fn window_of(&self, from: usize, to: usize) -> Result<Vec<u8>, JsError> {
        let table = self.held()?;
        let to = to.min(self.view.len(table));
        let from = from.min(to);
        if let Some(rows) = self.view.picked(from..to) {
            return numbered(table, &Indices::try_new(rows, table.rows()).map_err(failed)?);
        }
        let table = if let Rows::Groups(groups) = &self.view.rows { groups } else { table };
        to_stream(&table.schema, &table.range(from..to)).map_err(failed)
    }

    /// What a header shows of its column, once it is known: numbers (both ends of the bars, how many there are, bars,
    /// shares) and words (nulls in the first line, and what is told).
    #[wasm_bindgen(js_name = profileOf)]
    pub fn profile_of(&self, column: usize) -> Vec<JsValue> {
        let Some(Profile { strip, nulls }) = self.profiles.of(column) else { return Vec::new() };
        let numbers = [&[strip.axis.0, strip.axis.1, strip.bars.len() as f64], &strip.bars[..], &strip.shares].concat();
        let words = [nulls, "\n", &strip.text].concat();
        vec![js_sys::Float64Array::from(&numbers[..]).into(), JsValue::from_str(&words)]
    }

    /// Takes the arrangement of columns as [`Viewer::column_slots`] gives it.
    #[wasm_bindgen(js_name = setColumnSlots)]
    pub fn set_column_slots(&mut self, numbers: Vec<f64>) {
        let order: Vec<usize> = numbers.chunks_exact(4).map(|slot| slot[0] as usize).collect();
        for slot in numbers.chunks_exact(4) {
            self.columns.change(slot[0] as usize, Some(slot[1] != 0.0), Some(slot[2] != 0.0));
        }
        self.columns.order(&order);
        self.place_columns();
    }
}

/// Rows of a table as an Arrow stream, with their numbers before them.
pub(super) fn numbered(table: &Table, rows: &Indices) -> Result<Vec<u8>, JsError> {
    let batch = take_batches(&table.schema, &table.batches, rows).map_err(failed)?;
    let numbers: ArrayRef = Arc::new(UInt32Array::from(rows.as_slice().to_vec()));
    let field = Arc::new(Field::new(NUMBER, DataType::UInt32, false));
    let schema = batch.schema();
    let fields: Vec<_> = std::iter::once(field).chain(schema.fields().iter().cloned()).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = std::iter::once(numbers).chain(batch.columns().iter().cloned()).collect();
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(failed)?;
    to_stream(&schema, std::slice::from_ref(&batch)).map_err(failed)
}
