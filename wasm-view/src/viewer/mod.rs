//! The exported class: the page's calls in, numbers and text out.
//!
//! Calls that change something give back [`change`] bits, which tell the page what to look at anew. Columns that are
//! spoken of by number are *positions* on the screen (`arrange.rs`), unless a name says that they are the schema's.
//!
//! * `ask` – sort, filters and groups. * `shown` – what is shown, as numbers and text. * `columns` – widths, order,
//!   what is hidden and pinned. * `pointer`, `keys`, `select` – what is done by hand. * `search` – finding.
//!   `copying` – what leaves. * `cells` – what the painter sees. * `query` – questions beside the view: counts of values,
//!   pictures. * `filters` – what the panels of filters and groups need to know. * `formats` – formats that people choose.
//!   `work` – finding the view's rows in steps. * `far` – rows that a worker or the server holds, `piece` – those that are
//!   here a piece at a time, `live` – those that change, `follow` – those that change
//!   on the server. * `script`, `shared`, `structs` – data for scripts,
//!   copied and not. * `tree` –
//!   groups as a tree.

mod ask;
mod cells;
mod columns;
mod copying;
mod far;
mod filters;
mod follow;
mod formats;
mod keys;
mod live;
mod piece;
mod pointer;
mod query;
mod script;
mod search;
mod select;
mod shared;
mod shown;
#[cfg(feature = "cdata")]
mod structs;
mod tree;
mod work;

pub(crate) use query::bytes_of;
pub use script::ArrowExport;
#[cfg(feature = "cdata")]
pub use structs::ArrowStructs;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::arrange::Arrangement;
use crate::find::Find;
use crate::format::{Custom, Formats, Style, Zones};
use crate::grid::{Layout, Painter, Scene, Theme};
use crate::groups::Tree;
use crate::load::Load;
use crate::profile::Profiles;
use crate::selection::Selection;
use crate::table::Table;
use crate::view::{Rows, View, Wish};
use crate::work::Work;
use pointer::Press;
use select::Counting;

/// What a call has changed.
pub(crate) mod change {
    /// The canvas must be painted.
    pub(crate) const PAINT: u32 = 1;
    /// The boxes over the canvas have other places.
    pub(crate) const LAYOUT: u32 = 2;
    /// Something else is selected.
    pub(crate) const SELECTION: u32 = 4;
    /// Sort, filters, grouping or rows are others.
    pub(crate) const VIEW: u32 = 8;
    /// The pointer is to be followed outside, too.
    pub(crate) const CAPTURE: u32 = 16;
    /// The schema has come.
    pub(crate) const SCHEMA: u32 = 32;
    /// Rows have come.
    pub(crate) const ROWS: u32 = 64;
    /// Columns were moved, hidden, shown or pinned.
    pub(crate) const COLUMNS: u32 = 128;
    /// A menu is wanted for the header that is pressed.
    pub(crate) const MENU: u32 = 256;
    /// The selected cell is to be shown in full.
    pub(crate) const OPEN: u32 = 512;
    /// The pointer is outside: the same move again, with the next frame.
    pub(crate) const AGAIN: u32 = 1024;
    /// The view's rows are to be found anew, in steps or by whoever holds them.
    pub(crate) const ASK: u32 = 2048;
}

/// A table, its view and its canvas.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Viewer {
    load: Load,
    table: Option<Table>,
    view: View,
    formats: Formats,
    canvas: Option<HtmlCanvasElement>,
    /// None in a worker, which holds rows and paints nothing.
    painter: Option<Painter>,
    layout: Layout,
    /// Styles of the columns of what is shown, by the schema's numbers.
    styles: Vec<Style>,
    /// Formats that people chose, by the columns' names.
    custom: Vec<(String, Custom)>,
    /// Groups as a tree, if it is what is shown.
    tree: Option<Tree>,
    /// The columns of what is shown.
    columns: Arrangement,
    /// The table's columns while groups are shown.
    table_columns: Arrangement,
    table_styles: Vec<Style>,
    /// Names of the groups' columns that `columns` was made for.
    group_names: Vec<String>,
    selection: Option<Selection>,
    counting: Option<Counting>,
    find: Find,
    profiles: Profiles,
    hover: Option<usize>,
    hover_head: Option<usize>,
    press: Press,
    /// What the rows that are shown were found by, while others are being found.
    before: Option<Wish>,
    /// Those rows, while the head of a sort is shown.
    rows_before: Option<Rows>,
    /// Whether the head that is shown is of what is asked for.
    has_head: bool,
    work: Option<Work>,
    /// What follows a live table, where its rows are.
    live: Option<live::Live>,
    /// Cells that have just changed, where they are painted.
    marks: live::Marks,
    /// Whether groups are arranged, rather than the table.
    is_grouped: bool,
    /// Whether widths and formats are those of rows.
    is_arranged: bool,
}

pub(crate) fn failed(error: impl std::fmt::Display) -> JsError {
    told(&error)
}

#[cold]
#[inline(never)]
fn told(error: &dyn std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}

#[wasm_bindgen]
impl Viewer {
    /// A viewer on a canvas, or without one for a worker. `zone_offset(zone, seconds)` gives the offset in seconds of a time zone at a
    /// moment, or NaN; `separator` stands between groups of three digits.
    ///
    /// # Errors
    /// When the canvas has no 2D context.
    #[wasm_bindgen(constructor)]
    pub fn new(canvas: Option<HtmlCanvasElement>, zone_offset: Function, separator: &str) -> Result<Viewer, JsError> {
        let painter = canvas.as_ref().map(|canvas| {
            let context = canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into().ok());
            let context: CanvasRenderingContext2d = context.ok_or_else(|| failed("the canvas has no 2D context"))?;
            Ok(Painter { context, theme: Theme::default(), scale: 1.0 })
        });
        let painter = painter.transpose().map_err(|error: JsError| error)?;
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
            painter,
            layout: Layout::default(),
            styles: Vec::new(),
            custom: Vec::new(),
            tree: None,
            columns: Arrangement::default(),
            table_columns: Arrangement::default(),
            table_styles: Vec::new(),
            group_names: Vec::new(),
            selection: None,
            counting: None,
            find: Find::default(),
            profiles: Profiles::default(),
            hover: None,
            hover_head: None,
            press: Press::None,
            before: None,
            rows_before: None,
            has_head: false,
            work: None,
            live: None,
            marks: live::Marks::default(),
            is_grouped: false,
            is_arranged: false,
        })
    }

    /// Takes colours and font, in the order of `js/style.js`.
    #[wasm_bindgen(js_name = setTheme)]
    pub fn set_theme(&mut self, values: Vec<String>) {
        if let Some(painter) = &mut self.painter {
            painter.theme.values = values;
        }
    }

    /// Begins a load: what was there is dropped, filters and sort with it.
    pub fn begin(&mut self) {
        self.load = Load::new();
        self.table = None;
        self.view = View::default();
        self.styles.clear();
        self.custom.clear();
        self.tree = None;
        self.columns = Arrangement::default();
        self.group_names.clear();
        self.selection = None;
        self.counting = None;
        self.find = Find::default();
        self.profiles = Profiles::default();
        self.hover = None;
        self.hover_head = None;
        (self.before, self.rows_before, self.work) = (None, None, None);
        (self.live, self.marks) = (None, live::Marks::default());
        (self.is_grouped, self.is_arranged) = (false, false);
        self.layout.scroll_to_row(0.0);
        self.place_columns();
        self.layout.set_rows(0);
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn push(&mut self, bytes: Vec<u8>) -> Result<u32, JsError> {
        self.came(Some(bytes))
    }

    /// Makes one allocation for so many bytes, which are known to come.
    pub fn expect(&mut self, bytes: usize) {
        self.load.expect(bytes);
    }

    /// Where in the memory the next bytes are to be written; they are taken by `filled`. 0 when they must be pushed.
    pub fn room(&mut self, bytes: usize) -> usize {
        self.load.room(bytes)
    }

    /// Takes the bytes that were written into the last `room`.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn filled(&mut self) -> Result<u32, JsError> {
        self.came(None)
    }

    /// The table whose rows are here.
    fn held(&self) -> Result<&Table, JsError> {
        self.table.as_ref().ok_or_else(|| failed("there is no table"))
    }

    fn came(&mut self, bytes: Option<Vec<u8>>) -> Result<u32, JsError> {
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
            self.arrange_columns();
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
        if refreshed.as_ref().is_ok_and(|&changes| changes != change::ASK) {
            // What is under way knows the rows of its beginning; all of them have just been found.
            (self.work, self.before) = (None, None);
        }
        ended?;
        refreshed
    }

    /// Finds the view's rows anew: after a load, or while one runs. Where they are painted, and many, says that they have to be
    /// found.
    ///
    /// # Errors
    /// What the query reports, such as a sum that overflows.
    pub fn refresh(&mut self) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        if self.painter.is_some() && table.rows() > work::AT_ONCE && self.needs_refresh() {
            self.work = None;
            return Ok(change::ASK);
        }
        self.view.refresh(table).map_err(failed)?;
        self.rows_before = None;
        Ok(self.refreshed())
    }

    /// Fits everything to the rows that were found.
    fn refreshed(&mut self) -> u32 {
        self.marks.clear();
        let grouped = self.view.shows_groups();
        if grouped != self.is_grouped {
            self.is_grouped = grouped;
            self.selection = None;
            self.layout.scroll_to_row(0.0);
            if grouped {
                self.table_columns = std::mem::take(&mut self.columns);
                self.table_styles = std::mem::take(&mut self.styles);
                self.group_names.clear();
            } else {
                self.columns = std::mem::take(&mut self.table_columns);
                self.styles = std::mem::take(&mut self.table_styles);
                self.place_columns();
            }
        }
        if grouped {
            self.arrange_groups();
        }
        self.fit_rows();
        change::VIEW | change::LAYOUT | change::PAINT | change::SELECTION
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
            self.place_columns();
        }
        self.fit_selection();
        self.hover = None;
    }

    /// Looks at the next slice of the next column for what headers show; `false` when all is known.
    #[wasm_bindgen(js_name = profileStep)]
    pub fn profile_step(&mut self) -> bool {
        let Some(table) = &self.table else { return false };
        // Groups have other styles; a later call goes on.
        !self.view.shows_groups() && self.profiles.step(table, &self.styles, &self.formats)
    }

    /// Takes the size of the grid in CSS pixels and the screen's pixels per CSS pixel.
    pub fn resize(&mut self, width: f64, height: f64, scale: f64) {
        if let (Some(painter), Some(canvas)) = (&mut self.painter, &self.canvas) {
            painter.scale = scale.clamp(0.25, 8.0);
            canvas.set_width((width * painter.scale).round() as u32);
            canvas.set_height((height * painter.scale).round() as u32);
        }
        self.layout.resize(width, height);
    }

    /// Paints.
    pub fn paint(&self) {
        let Some(painter) = &self.painter else { return };
        let area = self.area();
        let scene = Scene {
            hover: self.hover,
            hover_head: self.hover_head,
            focus: self.selection.map(|selection| selection.head),
            whole_columns: area.as_ref().is_some_and(|area| area.rows.len() > 1 && area.rows.len() == self.layout.rows),
            area,
            gap: if let Press::Move(_, gap) = self.press { Some(gap) } else { None },
            dragged: matches!(self.press, Press::Vertical(_) | Press::Horizontal(_)),
        };
        painter.paint(&self.layout, self, &scene);
    }
}
