//! Columns by hand: widths, order, what is hidden and what is pinned.

use wasm_bindgen::prelude::*;

use super::{Viewer, change};
use crate::arrange::Arrangement;
use crate::format::{self, Style};
use crate::grid::{Columns, HEADER_HEIGHT, Head, MIN_WIDTH, PROFILE_HEIGHT};
use crate::view::Rows;

/// Rows that widths and formats are taken from.
const SAMPLE: usize = 512;
/// The widest that columns of text and columns of numbers begin with.
const WIDEST: [f64; 2] = [260.0, 150.0];
/// The widest that a column is made by fitting it.
const WIDEST_FITTED: f64 = 900.0;

impl Viewer {
    /// Positions, widths and header of the layout, as the arrangement has them.
    pub(super) fn place_columns(&mut self) {
        self.layout.header = HEADER_HEIGHT + if self.view.shows_groups() { 0.0 } else { PROFILE_HEIGHT };
        self.layout.set_columns(self.columns.widths(), self.columns.pinned());
    }

    /// Styles and widths of the columns that are shown, from their first rows.
    pub(super) fn arrange_columns(&mut self) {
        self.style_columns();
        let count = self.styles.len();
        self.columns = Arrangement::new(vec![0.0; count]);
        let widths =
            (0..count).map(|position| self.natural_width(position, WIDEST[self.styles[position].right as usize]));
        self.columns = Arrangement::new(widths.collect());
        self.place_columns();
    }

    /// As [`Viewer::arrange_columns`] for groups, whose columns stay as they are while they have the same names.
    pub(super) fn arrange_groups(&mut self) {
        let names = self.schema_names();
        if names == self.group_names {
            return self.style_columns();
        }
        self.group_names = names;
        self.arrange_columns();
        // Of rows that are elsewhere the first have still to come.
        self.is_arranged = !self.is_windowed();
    }

    pub(super) fn style_columns(&mut self) {
        let Some(schema) = self.shown_schema() else { return };
        let Some(table) = &self.table else { return };
        let shown = match &self.view.rows {
            Rows::Groups(groups) => groups,
            Rows::Far(far) => far.sample().unwrap_or(table),
            Rows::All | Rows::Picked(_) | Rows::Kept(_) => table,
        };
        let style = |column: usize| {
            let right = format::is_number(schema.field(column).data_type());
            let mut style = Style { right, ..Style::default() };
            for batch in shown.batches.iter().take(4) {
                style = style.join(Style::of(batch.column(column).as_ref(), SAMPLE));
            }
            style
        };
        self.styles = (0..schema.fields().len()).map(style).collect();
    }

    /// The width that a column's head and values need: those of its first rows and of the rows in sight.
    fn natural_width(&self, position: usize, widest: f64) -> f64 {
        let mut longest = String::new();
        let mut text = String::new();
        let rows = SAMPLE.min(self.rows_shown());
        for row in (0..rows).chain(self.layout.visible_rows().filter(|&row| row >= rows)) {
            text.clear();
            if self.cell(row, position, &mut text) && text.chars().count() > longest.chars().count() {
                std::mem::swap(&mut text, &mut longest);
            }
        }
        let head = Head { filtered: false, ..self.head(position) };
        let Some(painter) = &self.painter else { return MIN_WIDTH };
        let content = (painter.measure(&longest) + 30.0).min(widest);
        // A name may be longer than all values, within reason.
        let named = painter.measure_head(&head).min(widest.max(190.0));
        content.max(named).max(MIN_WIDTH + 24.0).ceil()
    }

    /// Makes a column as wide as its values.
    pub(super) fn fit(&mut self, position: usize) -> u32 {
        let width = self.natural_width(position, WIDEST_FITTED);
        self.set_width(position, width)
    }

    pub(super) fn set_width(&mut self, position: usize, width: f64) -> u32 {
        self.columns.set_width(position, width.clamp(MIN_WIDTH, 2_000.0));
        self.place_columns();
        change::PAINT | change::LAYOUT
    }

    /// Moves a column before another position.
    pub(super) fn move_column(&mut self, position: usize, gap: usize) -> u32 {
        self.columns.move_to(position, gap);
        self.rearranged()
    }

    fn rearranged(&mut self) -> u32 {
        self.place_columns();
        self.fit_selection();
        change::PAINT | change::LAYOUT | change::COLUMNS | change::SELECTION
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Makes a column as wide as its values.
    #[wasm_bindgen(js_name = fitColumn)]
    pub fn fit_column(&mut self, position: usize) -> u32 {
        self.fit(position)
    }

    /// Hides, shows, pins or unpins a column of the schema that is shown; what is not said stays.
    #[wasm_bindgen(js_name = changeColumn)]
    pub fn change_column(
        &mut self,
        column: usize,
        hidden: Option<bool>,
        pinned: Option<bool>,
        width: Option<f64>,
    ) -> u32 {
        self.columns.change(column, hidden, pinned);
        if let (Some(position), Some(width)) = (self.columns.position(column), width) {
            self.set_width(position, width);
        }
        self.rearranged()
    }

    /// Puts columns of the schema that is shown into this order; those that are not named follow.
    #[wasm_bindgen(js_name = orderColumns)]
    pub fn order_columns(&mut self, columns: Vec<usize>) -> u32 {
        self.columns.order(&columns);
        self.rearranged()
    }

    /// Moves what stands at a position to before another.
    #[wasm_bindgen(js_name = moveColumn)]
    pub fn move_column_to(&mut self, position: usize, gap: usize) -> u32 {
        self.move_column(position, gap)
    }

    /// All columns in their order, four numbers each: the schema's number, hidden, pinned, width.
    #[wasm_bindgen(js_name = columnSlots)]
    pub fn column_slots(&self) -> Vec<f64> {
        let numbers = |slot: &crate::arrange::Slot| {
            [slot.column as f64, f64::from(u8::from(slot.hidden)), f64::from(u8::from(slot.pinned)), slot.width]
        };
        self.columns.slots().iter().flat_map(numbers).collect()
    }
}
