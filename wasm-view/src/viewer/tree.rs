//! Groups as a tree: planted over the groups that were found, level by level, as the page asks for them.

use std::sync::Arc;

use arrow_array::Array;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::query::bytes_of;
use super::{Viewer, failed};
use crate::grid::{Columns, Hit};
use crate::groups::{Line, Tree};
use crate::leaving;
use crate::view::Rows;

/// How far from a cell's left edge its sign reaches.
const SIGN: f64 = 28.0;

impl Viewer {
    /// The tree that is shown.
    fn shown_tree(&self) -> Option<&Tree> {
        let Rows::Groups(groups) = &self.view.rows else { return None };
        self.tree.as_ref().filter(|tree| Arc::ptr_eq(tree.schema(), &groups.schema))
    }

    fn line(&self, row: usize) -> Option<Line> {
        self.shown_tree()?.line(row)
    }

    fn show_tree(&mut self) -> u32 {
        if let Some(tree) = &self.tree {
            self.view.rows = Rows::Groups(tree.shown());
        }
        self.refreshed()
    }

    /// Writes a cell as the grid shows it: in a tree with a sign where it can be opened, and nothing for keys below.
    pub(super) fn write_line(
        &self,
        line: usize,
        array: &dyn Array,
        row: usize,
        column: usize,
        out: &mut String,
    ) -> bool {
        let Some(Line { depth, open }) = self.line(line) else { return self.write_shown(array, row, column, out) };
        if column > depth && self.view.grouping.as_ref().is_some_and(|grouping| column < grouping.keys.len()) {
            return true;
        }
        let Some(open) = open.filter(|_| column == depth) else { return self.write_shown(array, row, column, out) };
        out.push_str(if open { "▾ " } else { "▸ " });
        if !self.write_shown(array, row, column, out) {
            out.push_str("null");
        }
        true
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Whether a tree is shown.
    #[wasm_bindgen(js_name = isTree)]
    pub fn is_tree(&self) -> bool {
        self.shown_tree().is_some()
    }

    /// Plans for the groups that are asked for: the first level, and what is below groups that were open in the tree that was
    /// shown last, if it had the same keys.
    ///
    /// # Errors
    /// When a plan cannot be written.
    #[wasm_bindgen(js_name = levelPlans)]
    pub fn level_plans(&self) -> Result<Vec<Uint8Array>, JsError> {
        let mut plans = Vec::new();
        for plan in Tree::plans(&self.view.plan(), self.tree.as_ref(), &self.formats) {
            plans.push(Uint8Array::from(&bytes_of(&plan)?[..]));
        }
        Ok(plans)
    }

    /// Shows, in place of the groups that are shown, what the plans of [`Viewer::level_plans`] gave, as far as the groups that
    /// were open are still there.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream, or the plan does not fit the table.
    #[wasm_bindgen(js_name = plantTree)]
    pub fn plant_tree(&mut self, streams: Vec<Uint8Array>) -> Result<u32, JsError> {
        let Some(table) = &self.table else { return Ok(0) };
        let plan = self.view.plan();
        let before = self.tree.as_ref().filter(|tree| tree.is_by(&plan));
        let open = before.map_or_else(Vec::new, |tree| tree.opened(&self.formats));
        let schema = plan.bind(&table.schema).map_err(failed)?.output_schema().clone();
        let read = |stream: &Uint8Array| leaving::read(stream.to_vec()).map_err(failed);
        let [first, below @ ..] = &streams[..] else { return Ok(0) };
        let Some(mut tree) = Tree::new(plan, schema, &read(first)?) else { return Ok(0) };
        for (path, stream) in open.iter().zip(below) {
            if let Some(line) = tree.line_of(path, &self.formats) {
                tree.open(line, &read(stream)?);
            }
        }
        self.tree = Some(tree);
        Ok(self.show_tree())
    }

    /// Whether the group of a row is open (1) or can be opened (0); −1 for others.
    #[wasm_bindgen(js_name = groupAt)]
    pub fn group_at(&self, row: usize) -> i32 {
        self.line(row).and_then(|line| line.open).map_or(-1, i32::from)
    }

    /// How many keys a group has.
    #[wasm_bindgen(js_name = groupDepth)]
    pub fn group_depth(&self, row: usize) -> usize {
        let keys = self.view.grouping.as_ref().map_or(0, |grouping| grouping.keys.len());
        self.line(row).map_or(keys, |line| line.depth + 1)
    }

    /// A plan for what is below a group, and what names the group, wherever its row is when the plan is answered; nothing when
    /// there is nothing.
    ///
    /// # Errors
    /// When the plan cannot be written.
    #[wasm_bindgen(js_name = belowPlan)]
    pub fn below_plan(&self, row: usize) -> Result<Vec<JsValue>, JsError> {
        let Some(tree) = self.shown_tree() else { return Ok(Vec::new()) };
        let (plan, path) = (tree.plan_below(row, &self.formats), tree.path_of(row, &self.formats));
        let Some((plan, path)) = plan.zip(path) else { return Ok(Vec::new()) };
        Ok(vec![Uint8Array::from(&bytes_of(&plan)?[..]).into(), JsValue::from_str(&path)])
    }

    /// Shows, below a group, the groups that its plan gave; nothing where it does not show any more.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    #[wasm_bindgen(js_name = openGroup)]
    pub fn open_group(&mut self, path: &str, stream: Vec<u8>) -> Result<u32, JsError> {
        let below = leaving::read(stream).map_err(failed)?;
        let Some(row) = self.shown_tree().and_then(|tree| tree.line_of(path, &self.formats)) else { return Ok(0) };
        let opened = self.tree.as_mut().is_some_and(|tree| tree.open(row, &below));
        Ok(if opened { self.show_tree() } else { 0 })
    }

    /// Shows no more what is below a group.
    #[wasm_bindgen(js_name = closeGroup)]
    pub fn close_group(&mut self, row: usize) -> u32 {
        let closed = self.is_tree() && self.tree.as_mut().is_some_and(|tree| tree.close(row));
        if closed { self.show_tree() } else { 0 }
    }

    /// The row whose sign lies under a point; −1 without one.
    #[wasm_bindgen(js_name = signAt)]
    pub fn sign_at(&self, x: f64, y: f64) -> i32 {
        let Hit::Cell(row, position) = self.layout.hit(x, y) else { return -1 };
        let signed = self.line(row).filter(|line| line.open.is_some());
        let is_here = signed.is_some_and(|line| self.columns.column(position) == Some(line.depth));
        // A number stands at the right, and its sign before it.
        let is_near = self.manner(position).right || x < self.layout.left_of(position) + SIGN;
        if is_here && is_near { i32::try_from(row).unwrap_or(-1) } else { -1 }
    }
}
