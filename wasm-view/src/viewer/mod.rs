//! The exported class: the page's calls in, numbers and text out.
//!
//! Calls that change something give back [`change`] bits, which tell the page what to look at anew.

mod cells;
mod input;

use arrow_schema::SchemaRef;
use js_sys::Function;
use kernels::query::{Aggregate, AggregateFunction, Nulls, SortBy};
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::filter_text;
use crate::format::{self, Formats, Style, Zones};
use crate::grid::{FILTER_HEIGHT, HEADER_HEIGHT, Head, Layout, MIN_WIDTH, Painter, Place, Theme};
use crate::load::Load;
use crate::table::Table;
use crate::view::{Filter, Grouping, Rows, View};
use input::Press;

/// Rows that widths and formats are taken from.
const SAMPLE: usize = 512;
/// The widest that a column begins with.
const WIDEST: f64 = 280.0;

/// What a call has changed.
pub(crate) mod change {
    /// The canvas must be painted.
    pub(crate) const PAINT: u32 = 1;
    /// The boxes over the canvas have other places.
    pub(crate) const LAYOUT: u32 = 2;
    /// Another cell is selected.
    pub(crate) const SELECTION: u32 = 4;
    /// Sort, filters, grouping or rows are others.
    pub(crate) const VIEW: u32 = 8;
    /// The pointer is to be followed outside, too.
    pub(crate) const CAPTURE: u32 = 16;
    /// The schema has come.
    pub(crate) const SCHEMA: u32 = 32;
    /// Rows have come.
    pub(crate) const ROWS: u32 = 64;
}

/// A table, its view and its canvas.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Viewer {
    load: Load,
    table: Option<Table>,
    view: View,
    formats: Formats,
    canvas: HtmlCanvasElement,
    painter: Painter,
    layout: Layout,
    /// Styles of the columns that are shown.
    styles: Vec<Style>,
    /// Widths of the table's columns while groups are shown.
    table_widths: Vec<f64>,
    selected: Option<Place>,
    hover: Option<usize>,
    press: Press,
}

fn failed(error: impl std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}

#[wasm_bindgen]
impl Viewer {
    /// A viewer on a canvas. `zone_offset(zone, seconds)` gives the offset in seconds of a time zone at a
    /// moment, or NaN; `separator` stands between groups of three digits.
    ///
    /// # Errors
    /// When the canvas has no 2D context.
    #[wasm_bindgen(constructor)]
    pub fn new(canvas: HtmlCanvasElement, zone_offset: Function, separator: &str) -> Result<Viewer, JsError> {
        let context = canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into().ok());
        let context: CanvasRenderingContext2d = context.ok_or_else(|| failed("the canvas has no 2D context"))?;
        let source = move |zone: &str, seconds: i64| -> Option<i32> {
            let zone = JsValue::from_str(zone);
            let offset = zone_offset.call2(&JsValue::NULL, &zone, &JsValue::from_f64(seconds as f64)).ok()?.as_f64()?;
            offset.is_finite().then_some(offset as i32)
        };
        Ok(Self {
            load: Load::new(),
            table: None,
            view: View::default(),
            formats: Formats {
                zones: Zones::new(Box::new(source)),
                separator: separator.chars().next().unwrap_or(','),
            },
            canvas,
            painter: Painter { context, theme: Theme::default(), scale: 1.0 },
            layout: Layout::default(),
            styles: Vec::new(),
            table_widths: Vec::new(),
            selected: None,
            hover: None,
            press: Press::None,
        })
    }

    /// The custom properties that [`Viewer::set_theme`] wants the values of.
    #[wasm_bindgen(js_name = themeProperties)]
    pub fn theme_properties() -> Vec<String> {
        Theme::PROPERTIES.iter().map(|&property| property.to_owned()).collect()
    }

    /// Takes colours and font.
    #[wasm_bindgen(js_name = setTheme)]
    pub fn set_theme(&mut self, values: Vec<String>) {
        self.painter.theme = Theme::new(values);
    }

    /// Begins a load: what was there is dropped, filters and sort with it.
    pub fn begin(&mut self) {
        self.load = Load::new();
        self.table = None;
        self.view = View::default();
        self.styles.clear();
        self.selected = None;
        self.hover = None;
        self.layout.scroll_to_row(0.0);
        self.layout.set_widths(Vec::new());
        self.layout.set_rows(0);
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn push(&mut self, bytes: Vec<u8>) -> Result<u32, JsError> {
        let had_rows = self.table.as_ref().is_some_and(|table| table.rows() > 0);
        let news = self.load.push(bytes, &mut self.table).map_err(failed)?;
        let mut changes = 0;
        if news.schema.is_some() {
            changes |= change::SCHEMA | change::LAYOUT | change::PAINT;
        }
        if news.batches > 0 {
            changes |= change::ROWS | change::PAINT;
        }
        if !had_rows && changes != 0 {
            self.measure_columns();
            changes |= change::LAYOUT;
        }
        if news.batches > 0 && self.view.follows_by_itself() {
            self.fit_rows();
        }
        Ok(changes)
    }

    /// Says that all bytes have come.
    ///
    /// # Errors
    /// When the stream ends inside a message.
    pub fn end(&mut self) -> Result<u32, JsError> {
        let ended = self.load.end().map_err(failed);
        let refreshed = self.refresh();
        ended?;
        refreshed
    }

    /// Finds the view's rows anew: after a load, or while one runs.
    ///
    /// # Errors
    /// What the query reports, such as a sum that overflows.
    pub fn refresh(&mut self) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        self.view.refresh(table).map_err(failed)?;
        if self.view.grouping.is_some() {
            self.measure_columns();
        }
        self.fit_rows();
        Ok(change::VIEW | change::LAYOUT | change::PAINT)
    }

    fn fit_rows(&mut self) {
        let Some(table) = &self.table else { return };
        let rows = self.view.len(table);
        let digits = table.rows().max(1).ilog10() + 1;
        let gutter = f64::from(digits.max(3)) * 7.0 + 22.0;
        let moved = (self.layout.gutter - gutter).abs() > f64::EPSILON;
        self.layout.gutter = gutter;
        self.layout.set_rows(rows);
        if moved {
            let widths = (0..self.layout.columns()).map(|column| self.layout.width_of(column)).collect();
            self.layout.set_widths(widths);
        }
        self.selected = self.selected.filter(|&(row, column)| row < rows && column < self.layout.columns());
        self.hover = None;
    }

    /// Widths and formats of the columns that are shown, from their first rows.
    fn measure_columns(&mut self) {
        let Some(schema) = self.shown_schema() else { return };
        let Some(table) = &self.table else { return };
        let shown = match &self.view.rows {
            Rows::Groups(groups) => groups,
            Rows::All | Rows::Picked(_) => table,
        };
        self.styles = (0..schema.fields().len())
            .map(|column| {
                let mut style =
                    Style { right: format::is_number(schema.field(column).data_type()), ..Style::default() };
                for batch in shown.batches.iter().take(4) {
                    style = style.join(Style::of(batch.column(column).as_ref(), SAMPLE));
                }
                style
            })
            .collect();
        let widths = (0..schema.fields().len()).map(|column| self.natural_width(column)).collect();
        self.layout.set_widths(widths);
    }

    fn natural_width(&self, column: usize) -> f64 {
        use crate::grid::Columns;
        let mut widest = String::new();
        let mut text = String::new();
        for row in 0..SAMPLE.min(self.rows_shown()) {
            text.clear();
            if self.cell(row, column, &mut text) && text.chars().count() > widest.chars().count() {
                std::mem::swap(&mut text, &mut widest);
            }
        }
        let head = Head { filtered: false, ..self.head(column) };
        (self.painter.measure(&widest) + 30.0)
            .max(self.painter.measure_head(&head))
            .clamp(MIN_WIDTH + 24.0, WIDEST)
            .ceil()
    }

    fn shown_schema(&self) -> Option<SchemaRef> {
        Some(self.view.schema(self.table.as_ref()?).clone())
    }

    /// Takes the size of the grid in CSS pixels and the screen's pixels per CSS pixel.
    pub fn resize(&mut self, width: f64, height: f64, scale: f64) {
        self.painter.scale = scale.clamp(0.25, 8.0);
        self.canvas.set_width((width * self.painter.scale).round() as u32);
        self.canvas.set_height((height * self.painter.scale).round() as u32);
        self.layout.resize(width, height);
    }

    /// Paints.
    pub fn paint(&self) {
        let dragged = matches!(self.press, Press::Vertical(_) | Press::Horizontal(_));
        self.painter.paint(&self.layout, self, self.hover, self.selected, dragged);
    }

    // What is shown.

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

    /// Names of the table's columns.
    #[wasm_bindgen(js_name = columnNames)]
    pub fn column_names(&self) -> Vec<String> {
        self.table.as_ref().map_or_else(Vec::new, |table| names(&table.schema))
    }

    /// Types of the table's columns, as headers show them.
    #[wasm_bindgen(js_name = columnTypes)]
    pub fn column_types(&self) -> Vec<String> {
        let Some(table) = &self.table else { return Vec::new() };
        table.schema.fields().iter().map(|field| format::type_label(field.data_type())).collect()
    }

    /// Whether sums and means of a column of the table are defined.
    #[wasm_bindgen(js_name = columnIsNumber)]
    pub fn column_is_number(&self, column: usize) -> bool {
        let Some(table) = &self.table else { return false };
        table.schema.fields().get(column).is_some_and(|field| field.data_type().is_numeric())
    }

    /// Names of the columns that are shown: the table's, or keys and aggregates.
    #[wasm_bindgen(js_name = shownNames)]
    pub fn shown_names(&self) -> Vec<String> {
        self.shown_schema().map_or_else(Vec::new, |schema| names(&schema))
    }

    /// The filter boxes: for each shown column whether it has one.
    #[wasm_bindgen(js_name = hasFilterBox)]
    pub fn has_filter_box(&self, column: usize) -> bool {
        match &self.view.grouping {
            Some(grouping) => column < grouping.keys.len(),
            None => true,
        }
    }

    /// What a filter box of a shown column takes, in a few letters.
    #[wasm_bindgen(js_name = filterHint)]
    pub fn filter_hint(&self, column: usize) -> String {
        let Some(schema) = self.shown_schema() else { return String::new() };
        schema.fields().get(column).map_or("", |field| filter_text::hint(field.data_type())).to_owned()
    }

    /// Left edge, width of a shown column on the screen.
    #[wasm_bindgen(js_name = columnSpan)]
    pub fn column_span(&self, column: usize) -> Vec<f64> {
        vec![self.layout.left_of(column), self.layout.width_of(column)]
    }

    /// The first shown column in sight, and the first behind it.
    #[wasm_bindgen(js_name = visibleColumns)]
    pub fn visible_columns(&self) -> Vec<usize> {
        let columns = self.layout.visible_columns();
        vec![columns.start, columns.end]
    }

    /// Scrolls sideways until a shown column is in sight.
    #[wasm_bindgen(js_name = showColumn)]
    pub fn show_column(&mut self, column: usize) -> u32 {
        self.layout.show_column(column);
        change::PAINT | change::LAYOUT
    }

    /// Width of the row numbers; heights of header, filter boxes; top of the body.
    pub fn frame(&self) -> Vec<f64> {
        vec![self.layout.gutter, HEADER_HEIGHT, FILTER_HEIGHT, self.layout.body_top()]
    }

    /// Left, top, width and height of a cell on the screen.
    #[wasm_bindgen(js_name = cellRect)]
    pub fn cell_rect(&self, row: usize, column: usize) -> Vec<f64> {
        let layout = &self.layout;
        vec![layout.left_of(column), layout.top_of(row), layout.width_of(column), crate::grid::ROW_HEIGHT]
    }

    /// The exact text of a cell; nothing when it is null or there is none.
    #[wasm_bindgen(js_name = cellText)]
    pub fn cell_text(&self, row: usize, column: usize) -> Option<String> {
        let table = self.table.as_ref()?;
        let (source, row) = self.view.source(table, row)?;
        let (array, row) = source.cell(row, column)?;
        let mut text = String::new();
        format::write(array, row, None, &self.formats, &mut text).then_some(text)
    }

    /// The selected cell's row and column; nothing when none is.
    pub fn selection(&self) -> Vec<usize> {
        self.selected.map_or_else(Vec::new, |(row, column)| vec![row, column])
    }

    /// The first row that shows, with its hidden part.
    #[wasm_bindgen(js_name = topRow)]
    pub fn top_row(&self) -> f64 {
        self.layout.top_row()
    }

    // What is asked for.

    /// Sort keys as names, with `-` before those that descend.
    pub fn sort(&self) -> Vec<String> {
        let sign = |key: &SortBy| [if key.descending { "-" } else { "" }, &key.column].concat();
        self.view.active_sort().iter().map(sign).collect()
    }

    /// Sorts by these keys.
    ///
    /// # Errors
    /// When there is no such column, or its type has no order.
    #[wasm_bindgen(js_name = setSort)]
    pub fn set_sort(&mut self, columns: Vec<String>, descending: Vec<u8>) -> Result<u32, JsError> {
        let before = self.view.active_sort().to_vec();
        let keys = columns
            .into_iter()
            .enumerate()
            .map(|(position, column)| SortBy {
                column,
                descending: descending.get(position).is_some_and(|&flag| flag != 0),
                nulls: Nulls::Last,
            })
            .collect();
        self.view.set_sort(keys);
        self.refresh_or(|view| view.set_sort(before))
    }

    /// Columns that have a filter.
    #[wasm_bindgen(js_name = filteredColumns)]
    pub fn filtered_columns(&self) -> Vec<String> {
        self.view.filters.iter().map(|filter| filter.column.clone()).collect()
    }

    /// The text of a column's filter; empty without one.
    #[wasm_bindgen(js_name = filterText)]
    pub fn filter_text(&self, column: &str) -> String {
        let filter = self.view.filters.iter().find(|filter| filter.column == column);
        filter.map_or_else(String::new, |filter| filter.text.clone())
    }

    /// Filters a column of the table by what is typed.
    ///
    /// # Errors
    /// Says what was expected; the filter stays as it was.
    #[wasm_bindgen(js_name = setFilter)]
    pub fn set_filter(&mut self, column: &str, text: &str) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        let found = table.schema.fields().iter().find(|field| field.name() == column);
        let field = found.ok_or_else(|| failed(["unknown column ", column].concat()))?;
        let predicate = filter_text::parse(column, field.data_type(), text, &self.formats.zones).map_err(failed)?;
        let filter =
            predicate.map(|predicate| Filter { column: column.to_owned(), text: text.trim().to_owned(), predicate });
        let before = self.view.filters.clone();
        self.view.set_filter(column, filter);
        self.layout.scroll_to_row(0.0);
        self.refresh_or(|view| view.filters = before)
    }

    /// The keys of the grouping.
    #[wasm_bindgen(js_name = groupKeys)]
    pub fn group_keys(&self) -> Vec<String> {
        self.view.grouping.as_ref().map_or_else(Vec::new, |grouping| grouping.keys.clone())
    }

    /// Groups by keys with aggregates: functions, and the column of each (empty for a count of rows).
    /// Without keys and aggregates the rows are shown again.
    ///
    /// # Errors
    /// When a column is unknown, or an aggregate is not defined for it; the view stays as it was.
    #[wasm_bindgen(js_name = setGroup)]
    pub fn set_group(
        &mut self,
        keys: Vec<String>,
        functions: Vec<String>,
        columns: Vec<String>,
    ) -> Result<u32, JsError> {
        let aggregates = functions
            .iter()
            .zip(columns)
            .map(|(name, column)| {
                let function = AggregateFunction::ALL.into_iter().find(|function| function.name() == name);
                let function = function.ok_or_else(|| failed(["unknown aggregate ", name].concat()))?;
                Ok(Aggregate { function, column: (!column.is_empty()).then_some(column), other: None, name: None })
            })
            .collect::<Result<Vec<_>, JsError>>()?;
        let was_grouped = self.view.grouping.is_some();
        let grouped = !keys.is_empty() || !aggregates.is_empty();
        let before = self.view.grouping.take();
        let sort_before = self.view.group_sort.clone();
        let grouping = grouped.then_some(Grouping { keys, aggregates });
        if let Some(grouping) = &grouping {
            // A sort by a column that is no more would be an error.
            let names: Vec<String> = grouping.aggregates.iter().map(Aggregate::output_name).collect();
            self.view.group_sort.retain(|key| grouping.keys.contains(&key.column) || names.contains(&key.column));
        }
        self.view.grouping = grouping;
        if grouped && !was_grouped {
            self.table_widths = (0..self.layout.columns()).map(|column| self.layout.width_of(column)).collect();
        }
        let changes = self.refresh_or(|view| {
            view.grouping = before;
            view.group_sort = sort_before;
        })?;
        if was_grouped != grouped {
            self.selected = None;
            self.layout.scroll_to_row(0.0);
        }
        if was_grouped && !grouped {
            self.measure_columns();
            self.layout.set_widths(std::mem::take(&mut self.table_widths));
        }
        Ok(changes)
    }

    /// Scrolls until a row stands at the top.
    #[wasm_bindgen(js_name = scrollToRow)]
    pub fn scroll_to_row(&mut self, row: f64) -> u32 {
        self.layout.scroll_to_row(if row.is_finite() { row } else { 0.0 });
        change::PAINT
    }

    /// Refreshes; when that fails, undoes what was asked for.
    fn refresh_or(&mut self, undo: impl FnOnce(&mut View)) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        if let Err(error) = self.view.refresh(table) {
            undo(&mut self.view);
            return Err(failed(error));
        }
        if self.view.grouping.is_some() {
            self.measure_columns();
        }
        self.fit_rows();
        Ok(change::VIEW | change::LAYOUT | change::PAINT)
    }
}

fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}
