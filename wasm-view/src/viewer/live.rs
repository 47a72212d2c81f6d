//! A live table in the viewer. As in `far`, one half is called where the rows are, the other where they are painted; with the
//! page as the engine both are the same viewer.
//!
//! What an update did is told in numbers: rows that came, changed and went, rows of the table and of the view, where the view
//! is to stand, the epoch and the last update, and the cells in sight that have just changed.

use std::rc::Rc;

use js_sys::Uint8Array;
use kernels::query::Plan;
use wasm_bindgen::prelude::*;
use wire::table::Touched;

use super::{Viewer, change, failed};
use crate::format::Style;
use crate::live::{Anchor, Flashes, Kept, KeptGroups, LASTS, LiveRows, Place, ROW};
use crate::selection::{Selection, Shape};
use crate::table::Table;
use crate::view::Rows;

/// What a view needs to follow a live table.
#[derive(Debug)]
pub(super) struct Live {
    rows: LiveRows,
    groups: Option<KeptGroups>,
    flashes: Flashes,
}

/// A cell in sight that has just changed.
#[derive(Debug)]
struct Mark {
    row: usize,
    /// The schema's number, or [`ROW`].
    column: u32,
    since: f64,
}

/// The cells in sight that have just changed, as they are painted.
#[derive(Debug, Default)]
pub(super) struct Marks {
    marks: Vec<Mark>,
    now: f64,
}

impl Marks {
    /// Other rows are shown: no cell of them has changed.
    pub(super) fn clear(&mut self) {
        self.marks.clear();
    }

    /// How much of its colour a cell has: 1 when it has just changed, 0 when it did not.
    pub(super) fn strength(&self, row: usize, column: usize) -> f64 {
        // They come row by row.
        let first = self.marks.partition_point(|mark| mark.row < row);
        let of_row = self.marks[first..].iter().take_while(|mark| mark.row == row);
        let of_cell = of_row.filter(|mark| mark.column == ROW || mark.column as usize == column);
        let strengths = of_cell.map(|mark| 1.0 - (self.now - mark.since) / LASTS);
        strengths.fold(0.0, f64::max).min(1.0)
    }
}

/// How many numbers stand before the marks of what an update did.
const FIXED: usize = 10;

impl Live {
    /// The rows of a view, kept up to date from now on.
    fn kept(&mut self, rows: Rows, plan: &Plan, now: f64) -> wire::Result<Rows> {
        match rows {
            Rows::Groups(groups) => {
                if !self.groups.as_ref().is_some_and(|groups| groups.is_of(plan)) {
                    self.groups = Some(KeptGroups::try_new(plan, &mut self.rows, now)?);
                }
                return Ok(Rows::Groups(groups));
            }
            Rows::Kept(kept) if kept.is_of(plan) => return Ok(Rows::Kept(kept)),
            Rows::Picked(found) => {
                let kept = Kept::try_new(plan, &mut self.rows, Some(found.as_slice()))?;
                return Ok(Rows::Kept(Rc::new(kept)));
            }
            Rows::All | Rows::Far(_) | Rows::Kept(_) => {}
        }
        self.groups = None;
        if plan.filter.is_none() && plan.sort.is_empty() {
            return Ok(Rows::All);
        }
        Kept::try_new(plan, &mut self.rows, None).map(|kept| Rows::Kept(Rc::new(kept)))
    }

    fn follow(&mut self, rows: &mut Rows, touched: &Touched) -> wire::Result<()> {
        match rows {
            Rows::Kept(kept) => Rc::make_mut(kept).keep(&mut self.rows, touched)?,
            Rows::Groups(shown) => {
                if let Some(groups) = &mut self.groups
                    && groups.keep(&self.rows, touched)?
                {
                    *shown = Table::of(groups.result()?);
                }
            }
            Rows::All | Rows::Picked(_) | Rows::Far(_) => {}
        }
        Ok(())
    }

    /// The serial of a row of the view.
    fn serial(&self, rows: &Rows, row: usize) -> Option<u32> {
        match rows {
            Rows::Kept(kept) => kept.serial(row),
            Rows::All => self.rows.parts().serial(row),
            Rows::Groups(_) | Rows::Picked(_) | Rows::Far(_) => None,
        }
    }

    /// The row of the view that has a serial.
    fn place(&self, rows: &Rows, serial: u32) -> Option<usize> {
        match rows {
            Rows::Kept(kept) => kept.place(serial),
            Rows::All => self.rows.parts().row_of(serial),
            Rows::Groups(_) | Rows::Picked(_) | Rows::Far(_) => None,
        }
    }
}

#[cfg(feature = "live")]
#[wasm_bindgen]
impl Viewer {
    // Where the rows are.

    /// Follows the table from here on: it has a key or none, and the rows are those of an update of an epoch.
    ///
    /// # Errors
    /// When the key does not fit the table.
    #[wasm_bindgen(js_name = liveBegin)]
    pub fn live_begin(&mut self, key: Vec<String>, epoch: f64, sequence: f64) -> Result<(), JsError> {
        let table = self.table.as_mut().ok_or_else(|| failed("there is no table"))?;
        let position = (epoch as u64, sequence as u64);
        let batches = std::mem::take(&mut table.batches);
        let rows = LiveRows::try_new(&table.schema, key, batches.clone(), position);
        table.set(batches);
        self.live = Some(Live { rows: rows.map_err(failed)?, groups: None, flashes: Flashes::default() });
        Ok(())
    }

    /// Applies messages of the subscription; `place` is where the page's view stands ([`Viewer::live_where`]), `plan` what it
    /// shows, as bytes (none: what this viewer shows). Gives what [`Viewer::live_took`] takes; nothing when rows are being
    /// found, and nothing was done.
    ///
    /// # Errors
    /// When a message does not come next or does not fit: the rows must be loaded again.
    #[wasm_bindgen(js_name = liveApply)]
    pub fn live_apply(
        &mut self,
        plan: &[u8],
        messages: Vec<Uint8Array>,
        place: &[f64],
        now: f64,
    ) -> Result<Vec<f64>, JsError> {
        if !plan.is_empty() {
            (self.work, self.before) = (None, None);
            self.take_plan(plan)?;
        }
        // A tree stays as it was opened.
        let is_tree = self.is_tree();
        let (Some(live), Some(table)) = (&mut self.live, &mut self.table) else { return Ok(Vec::new()) };
        if self.work.is_some() || self.before.is_some() {
            return Ok(Vec::new());
        }
        let plan = self.view.plan();
        let shown = std::mem::replace(&mut self.view.rows, Rows::All);
        let mut rows = if is_tree { shown } else { live.kept(shown, &plan, now).map_err(failed)? };
        let &[top, seen, is_at_end, focus] = place else { return Ok(Vec::new()) };
        let first = top as usize;
        let anchor = Anchor {
            serials: (first..first + seen as usize).map_while(|row| live.serial(&rows, row)).collect(),
            top,
            is_at_end: is_at_end > 0.0,
        };
        let focus = if focus < 0.0 { None } else { live.serial(&rows, focus as usize) };
        let was_empty = table.rows() == 0;
        // Chunks that nobody holds are changed in place.
        table.set(Vec::new());
        if let Rows::Kept(kept) = &mut rows {
            Rc::make_mut(kept).release();
        }
        let mut done = [0; 3];
        let mut applied = Ok(());
        for message in messages {
            match live.rows.apply(message.to_vec(), now) {
                Ok(more) => done.iter_mut().zip(more).for_each(|(all, more)| *all += more),
                Err(error) => {
                    applied = Err(failed(error));
                    break;
                }
            }
        }
        let touched = live.rows.settle().map_err(failed)?;
        if !is_tree {
            live.follow(&mut rows, &touched).map_err(failed)?;
        }
        if let (Rows::Groups(shown), Some(groups), false) = (&mut rows, &mut live.groups, is_tree)
            && groups.step(&mut live.rows, now).map_err(failed)?
        {
            *shown = Table::of(groups.result().map_err(failed)?);
        }
        table.set(live.rows.batches().map_err(failed)?);
        let is_grouped = matches!(rows, Rows::Groups(_));
        live.flashes.mark(&touched, !is_grouped, now);
        let place = match anchor.place(|serial| live.place(&rows, serial)) {
            Place::End => -1.0,
            Place::Row(_) if is_grouped || touched.replaced => top,
            Place::Row(row) => row,
        };
        let focus = focus.filter(|_| !touched.replaced).and_then(|serial| live.place(&rows, serial));
        let focus = focus.map_or(-1.0, |row| row as f64);
        let is_busy = is_grouped && !is_tree && live.groups.as_ref().is_some_and(KeptGroups::is_busy);
        self.view.rows = rows;
        applied?;
        let (shown, is_first) = (self.view.len(table), was_empty && table.rows() > 0);
        let mut news: Vec<f64> = done.iter().map(|&count| count as f64).collect();
        let (epoch, sequence) = live.rows.position();
        news.extend([table.rows() as f64, shown as f64, place, focus, f64::from(u8::from(is_busy))]);
        news.extend([epoch as f64, sequence as f64]);
        let seen = seen as usize;
        let first = if place < 0.0 { shown.saturating_sub(seen) } else { place as usize };
        let marked = first.saturating_sub(seen)..(first + 2 * seen).min(shown);
        let serial = |row| live.serial(&self.view.rows, row);
        live.flashes.tell(marked, &serial, table.schema.fields().len(), now, &mut news);
        if is_first && self.painter.is_some() {
            // Widths and formats are those of the first rows that come.
            self.arrange_columns();
        }
        Ok(news)
    }

    // Where they are painted.

    /// Where the view stands: the first row in sight with its hidden part, how many are in sight, whether it goes with the
    /// end of the table, and the row that has the focus (less than 0: none).
    #[wasm_bindgen(js_name = liveWhere)]
    pub fn live_where(&self) -> Vec<f64> {
        let layout = &self.layout;
        let most = layout.max_top();
        let is_ordered = !self.view.active_sort().is_empty() || self.view.shows_groups();
        let is_at_end = !is_ordered && most > 0.0 && layout.scrolled().1 >= most - 1.0;
        let focus = self.selection.map_or(-1.0, |selection| selection.head.0 as f64);
        vec![layout.top_row(), layout.visible_rows().len() as f64, f64::from(u8::from(is_at_end)), focus]
    }

    /// Takes what an update did; `top` is where the view stood when it was asked.
    #[wasm_bindgen(js_name = liveTook)]
    pub fn live_took(&mut self, news: Vec<f64>, top: f64, now: f64) -> u32 {
        let (&[_, _, _, loaded, shown, place, focus, ..], marks) = match news.split_first_chunk::<FIXED>() {
            Some(parts) => parts,
            None => return 0,
        };
        if let Rows::Far(far) = &mut self.view.rows {
            far.renew(shown as usize);
        }
        // Groups may be here of rows that are not.
        if let Some(table) = self.table.as_mut().filter(|table| table.batches.is_empty()) {
            table.elsewhere = loaded as usize;
        }
        let stood = self.layout.top_row();
        // The row that has the focus keeps it; a rectangle of cells stays where it is.
        let mut changes = change::ROWS | change::PAINT | change::LAYOUT;
        if let Some(Selection { anchor, head, shape: Shape::Cells }) = self.selection
            && anchor == head
            && focus >= 0.0
            && head.0 != focus as usize
        {
            self.selection = Some(Selection::cell((focus as usize, head.1)));
            changes |= change::SELECTION;
        }
        let hover = self.hover;
        self.fit_rows();
        self.hover = hover.filter(|&row| row < self.layout.rows);
        let row = if place < 0.0 { f64::MAX } else { stood + place - top };
        self.layout.scroll_to_row(row.max(0.0));
        let mark = |mark: &[f64]| Mark {
            row: mark[0] as usize,
            column: if mark[1] < 0.0 { ROW } else { mark[1] as u32 },
            since: now - mark[2],
        };
        self.marks = Marks { marks: marks.chunks_exact(3).map(mark).collect(), now };
        changes
    }

    /// Columns are written as the values in sight need it, too, beside those that came first.
    #[wasm_bindgen(js_name = liveStyle)]
    pub fn live_style(&mut self) {
        let mut styles = self.styles.clone();
        for row in self.layout.visible_rows() {
            for position in 0..self.columns.len() {
                let Some((array, row, column)) = self.at(row, position) else { continue };
                if let Some(style) = styles.get_mut(column).filter(|_| row < array.len()) {
                    *style = style.join(Style::of(array.slice(row, 1).as_ref(), 1));
                }
            }
        }
        self.styles = styles;
    }

    /// Marks fade with time; gives whether there are any.
    #[wasm_bindgen(js_name = liveFade)]
    pub fn live_fade(&mut self, now: f64) -> bool {
        self.marks.now = now;
        self.marks.marks.retain(|mark| now - mark.since < LASTS);
        !self.marks.marks.is_empty()
    }

    /// Rows and schema numbers of the cells that are marked, two numbers for each; the number is -1 for a whole row.
    #[wasm_bindgen(js_name = liveMarks)]
    pub fn live_marks(&self) -> Vec<f64> {
        let number = |column: u32| if column == ROW { -1.0 } else { f64::from(column) };
        self.marks.marks.iter().flat_map(|mark| [mark.row as f64, number(mark.column)]).collect()
    }
}
