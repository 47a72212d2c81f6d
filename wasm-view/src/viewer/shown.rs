//! What is shown, as numbers and text for the page.

use arrow_schema::{DataType, IntervalUnit, SchemaRef};
use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::filter_text;
use crate::format;
use crate::grid::{Columns, FILTER_HEIGHT, Head, ROW_HEIGHT};
use crate::load::is_unread;
use crate::table::Table;

impl Viewer {
    pub(super) fn shown_schema(&self) -> Option<&SchemaRef> {
        Some(self.view.schema(self.table.as_ref()?))
    }

    /// The shown columns as the stream has them, also those that cannot be read.
    pub(super) fn original_schema(&self) -> Option<&SchemaRef> {
        let table = self.table.as_ref()?;
        Some(if self.view.shows_groups() { self.view.schema(table) } else { &table.original })
    }

    /// Names of the schema that is shown.
    pub(super) fn schema_names(&self) -> Vec<String> {
        self.shown_schema().map_or_else(Vec::new, names)
    }

    /// The name of the column at a position.
    pub(super) fn name(&self, position: usize) -> Option<String> {
        let field = self.shown_schema()?.fields().get(self.columns.column(position)?)?;
        Some(field.name().clone())
    }
}

fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

/// Whether the values of a type have an order, here and where the rows are.
fn is_ordered(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_ordered(values),
        DataType::Interval(unit) => *unit == IntervalUnit::YearMonth,
        other => !other.is_nested() && !is_unread(other),
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Rows of the table that have come.
    #[wasm_bindgen(js_name = rowsLoaded)]
    pub fn rows_loaded(&self) -> usize {
        self.table.as_ref().map_or(0, Table::rows)
    }

    /// Rows of the view.
    #[wasm_bindgen(js_name = rowsShown)]
    pub fn rows_shown(&self) -> usize {
        self.table.as_ref().map_or(0, |table| self.view.len(table))
    }

    /// Bytes that have come.
    #[wasm_bindgen(js_name = bytesLoaded)]
    pub fn bytes_loaded(&self) -> usize {
        self.load.bytes
    }

    /// Whether the view has to be found anew when rows come.
    #[wasm_bindgen(js_name = needsRefresh)]
    pub fn needs_refresh(&self) -> bool {
        !self.view.follows_by_itself()
    }

    /// Names of the table's columns, in the schema's order.
    #[wasm_bindgen(js_name = columnNames)]
    pub fn column_names(&self) -> Vec<String> {
        self.table.as_ref().map_or_else(Vec::new, |table| names(&table.schema))
    }

    /// Types of the table's columns, as headers show them.
    #[wasm_bindgen(js_name = columnTypes)]
    pub fn column_types(&self) -> Vec<String> {
        let Some(table) = &self.table else { return Vec::new() };
        table.original.fields().iter().map(|field| format::type_label(field.data_type())).collect()
    }

    /// Whether sums and means of a column of the table are defined.
    #[wasm_bindgen(js_name = columnIsNumber)]
    pub fn column_is_number(&self, column: usize) -> bool {
        let Some(table) = &self.table else { return false };
        table.schema.fields().get(column).is_some_and(|field| field.data_type().is_numeric())
    }

    /// Names of all columns of what is shown, the table's or the groups', in the schema's order.
    #[wasm_bindgen(js_name = schemaNames)]
    pub fn all_names(&self) -> Vec<String> {
        self.schema_names()
    }

    /// Names of the columns that have a position, in the order of the screen.
    #[wasm_bindgen(js_name = shownNames)]
    pub fn shown_names(&self) -> Vec<String> {
        (0..self.columns.len()).filter_map(|position| self.name(position)).collect()
    }

    /// What a header shows of its column, in words.
    #[wasm_bindgen(js_name = columnNote)]
    pub fn column_note(&self, position: usize) -> String {
        let Head { label: mut note, nulls, .. } = self.head(position);
        if !nulls.is_empty() {
            note.push_str(" · ");
            note.push_str(&nulls);
        }
        if let Some(strip) = self.strip(position).filter(|strip| !strip.text.is_empty() && !self.view.shows_groups()) {
            note.push_str(" · ");
            note.push_str(&strip.text);
        }
        note
    }

    /// Whether a shown column has a filter box.
    #[wasm_bindgen(js_name = hasFilterBox)]
    pub fn has_filter_box(&self, position: usize) -> bool {
        match (&self.view.grouping, self.columns.column(position)) {
            (Some(grouping), Some(column)) => column < grouping.keys.len(),
            (_, column) => column.is_some(),
        }
    }

    /// Whether a shown column can be sorted by.
    #[wasm_bindgen(js_name = hasOrder)]
    pub fn has_order(&self, position: usize) -> bool {
        let field = self.original_schema().zip(self.columns.column(position));
        field
            .and_then(|(schema, column)| schema.fields().get(column))
            .is_some_and(|field| is_ordered(field.data_type()))
    }

    /// What a filter box of a shown column takes, in a few letters.
    #[wasm_bindgen(js_name = filterHint)]
    pub fn filter_hint(&self, position: usize) -> String {
        let field = self.shown_schema().zip(self.columns.column(position));
        let field = field.and_then(|(schema, column)| schema.fields().get(column));
        field.map_or("", |field| filter_text::hint(field.data_type())).to_owned()
    }

    /// Left edge, width, and left edge of the part in sight of a shown column on the screen.
    #[wasm_bindgen(js_name = columnSpan)]
    pub fn column_span(&self, position: usize) -> Vec<f64> {
        let layout = &self.layout;
        vec![layout.left_of(position), layout.width_of(position), layout.clip_of(position)]
    }

    /// The first position that scrolls and is in sight, the first behind those, and how many do not scroll.
    #[wasm_bindgen(js_name = visibleColumns)]
    pub fn visible_columns(&self) -> Vec<usize> {
        let columns = self.layout.visible_columns();
        vec![columns.start, columns.end, self.layout.fixed().end]
    }

    /// The first row in sight, and the first behind those.
    #[wasm_bindgen(js_name = visibleRows)]
    pub fn visible_rows(&self) -> Vec<usize> {
        let rows = self.layout.visible_rows();
        vec![rows.start, rows.end]
    }

    /// Scrolls sideways until a shown column is in sight.
    #[wasm_bindgen(js_name = showColumn)]
    pub fn show_column(&mut self, position: usize) -> u32 {
        self.layout.show_column(position);
        change::PAINT | change::LAYOUT
    }

    /// Width of the row numbers; heights of header, filter boxes; top of the body.
    pub fn frame(&self) -> Vec<f64> {
        vec![self.layout.gutter, self.layout.header, FILTER_HEIGHT, self.layout.body_top()]
    }

    /// Left and top of what is in sight, width and height of all there is, in CSS pixels.
    pub fn scrolled(&self) -> Vec<f64> {
        let (left, top) = self.layout.scrolled();
        vec![left, top, self.layout.content_width(), self.layout.content_height() + self.layout.body_top()]
    }

    /// Left, top, width and height of a cell on the screen.
    #[wasm_bindgen(js_name = cellRect)]
    pub fn cell_rect(&self, row: usize, position: usize) -> Vec<f64> {
        let layout = &self.layout;
        vec![layout.left_of(position), layout.top_of(row), layout.width_of(position), ROW_HEIGHT]
    }

    /// The exact text of a cell; nothing when it is null or there is none.
    #[wasm_bindgen(js_name = cellText)]
    pub fn cell_text(&self, row: usize, position: usize) -> Option<String> {
        let (array, row, _) = self.at(row, position)?;
        let mut text = String::new();
        format::write(array, row, None, &self.formats, &mut text).then_some(text)
    }

    /// The whole value of a cell for reading: nested values with a line for each part.
    #[wasm_bindgen(js_name = cellLines)]
    pub fn cell_lines(&self, row: usize, position: usize) -> Option<String> {
        let (array, row, _) = self.at(row, position)?;
        let mut text = String::new();
        format::write_lines(array, row, &self.formats, &mut text).then_some(text)
    }

    /// The first row that shows, with its hidden part.
    #[wasm_bindgen(js_name = topRow)]
    pub fn top_row(&self) -> f64 {
        self.layout.top_row()
    }

    /// Scrolls until a row stands at the top.
    #[wasm_bindgen(js_name = scrollToRow)]
    pub fn scroll_to_row(&mut self, row: f64) -> u32 {
        self.layout.scroll_to_row(if row.is_finite() { row } else { 0.0 });
        change::PAINT | change::LAYOUT
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
    use kernels::query::{Nulls, Plan, SortBy};

    use super::is_ordered;

    #[test]
    fn what_can_be_sorted_is_what_the_kernels_sort() {
        let child = || Arc::new(Field::new("item", DataType::Int32, true));
        let coded = |values| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
        let sort = vec![SortBy { column: "a".to_owned(), descending: false, nulls: Nulls::Last }];
        let plan = Plan { sort, ..Plan::default() };
        for data_type in [
            DataType::Null,
            DataType::Boolean,
            DataType::Float16,
            DataType::Decimal256(40, 2),
            DataType::Utf8View,
            DataType::FixedSizeBinary(3),
            DataType::Timestamp(TimeUnit::Second, Some("+01:00".into())),
            DataType::Interval(IntervalUnit::YearMonth),
            DataType::Interval(IntervalUnit::DayTime),
            DataType::Interval(IntervalUnit::MonthDayNano),
            coded(DataType::Utf8),
            DataType::List(child()),
            DataType::FixedSizeList(child(), 2),
            DataType::Struct(vec![child()].into()),
            DataType::ListView(child()),
        ] {
            let schema = Schema::new(vec![Field::new("a", data_type.clone(), true)]);
            assert_eq!(is_ordered(&data_type), plan.bind(&schema).is_ok(), "{data_type}");
        }
        // Sorted by a server, but not read here.
        let runs = DataType::RunEndEncoded(Arc::new(Field::new("run_ends", DataType::Int32, false)), child());
        assert!(!is_ordered(&runs));
    }
}
