//! Groups as a tree: first the groups of the first key; one that is opened shows, below it, its groups by the next key.
//!
//! A level is asked for when it is opened, by a plan that whoever holds the rows can run ([`Tree::plan_below`]): the view's
//! filters and the values of the keys above. Its groups come as a batch, and the lines that show are slices of the
//! batches, one behind the other: nothing is copied, and the result is a [`Table`] like any other, so that painting,
//! selecting and copying need not know of the tree. All batches have the columns of all keys and aggregates; keys below
//! a group are nulls in it.
//!
//! Opening costs a query of the rows and, here, a walk over the open groups; so does finding a line.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use kernels::query::{Plan, Predicate};
use wire::ordered::Ordered;

use crate::filter_text;
use crate::format::{self, Formats};
use crate::table::Table;

/// A line of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// How many keys stand above its own.
    pub(crate) depth: usize,
    /// Whether its groups by the next key show; nothing for a group by all keys, which has none.
    pub(crate) open: Option<bool>,
}

/// The groups by some keys, and those of them that are open.
#[derive(Debug)]
struct Level {
    groups: RecordBatch,
    /// Those that are open below its rows, by row.
    open: Ordered<Level>,
}

impl Level {
    /// Lines that show.
    fn lines(&self) -> usize {
        self.groups.num_rows() + self.open.values().iter().map(Self::lines).sum::<usize>()
    }

    /// The row of a line's group in its own level, behind the rows of the groups that it is below.
    fn path(&self, mut line: usize, path: &mut Vec<usize>) {
        for (row, below) in self.open.iter() {
            let (row, lines) = (row as usize, below.lines());
            if line <= row {
                break;
            }
            if line <= row + lines {
                path.push(row);
                return below.path(line - row - 1, path);
            }
            line -= lines;
        }
        path.push(line);
    }

    /// What stands above a group, and its own key as text, with an end that no text has; a null is told from what is written.
    fn path_of(&self, row: usize, depth: usize, above: &str, formats: &Formats) -> String {
        let mut path = above.to_owned();
        let column = self.groups.columns().get(depth);
        let some = column.is_some_and(|column| format::write(column.as_ref(), row, None, formats, &mut path));
        path.push(if some { '\u{1f}' } else { '\u{1e}' });
        path
    }

    fn opened(&self, depth: usize, above: &str, formats: &Formats, paths: &mut Vec<String>) {
        for (row, below) in self.open.iter() {
            let path = self.path_of(row as usize, depth, above, formats);
            paths.push(path.clone());
            below.opened(depth + 1, &path, formats, paths);
        }
    }

    fn show(&self, table: &mut Table) {
        let mut start = 0;
        for (row, below) in self.open.iter() {
            let row = row as usize;
            table.push(self.groups.slice(start, row + 1 - start));
            below.show(table);
            start = row + 1;
        }
        table.push(self.groups.slice(start, self.groups.num_rows() - start));
    }
}

/// Groups by several keys, of which those below a group show when it is opened.
#[derive(Debug)]
pub(crate) struct Tree {
    /// What the view asks for: all keys, aggregates, filters and sort.
    whole: Plan,
    /// The columns of all keys and aggregates.
    schema: SchemaRef,
    first: Level,
}

impl Tree {
    /// The plans of what a view asks for: of the first level, and where there was a tree by the same keys of what is below each
    /// group that was open in it, as [`Tree::opened`] tells them.
    pub(crate) fn plans(whole: &Plan, before: Option<&Self>, formats: &Formats) -> Vec<Plan> {
        let mut plans = vec![plan_of(whole, 0, Vec::new())];
        if let Some(before) = before.filter(|before| before.is_by(whole)) {
            for line in 0..before.first.lines() {
                if let Some(Line { depth, open: Some(true) }) = before.line(line)
                    && let Some(is_in) = before.is_in(line, formats)
                {
                    plans.push(plan_of(whole, depth + 1, is_in));
                }
            }
        }
        plans
    }

    /// Whether it has the keys of a plan.
    pub(crate) fn is_by(&self, whole: &Plan) -> bool {
        self.whole.group_by == whole.group_by
    }

    /// A tree of what a view asks for, whose plan gives columns of this schema; nothing is open. `None` when the groups
    /// of the first level are not those that the first of [`Tree::plans`] gives.
    pub(crate) fn new(whole: Plan, schema: SchemaRef, groups: &RecordBatch) -> Option<Self> {
        let schema = nullable(&schema);
        let groups = widened(&schema, whole.group_by.len(), 0, groups)?;
        Some(Self { whole, schema, first: Level { groups, open: Ordered::default() } })
    }

    /// The columns, by which what is shown of it is known again.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn path(&self, line: usize) -> Vec<usize> {
        let mut path = Vec::new();
        self.first.path(line, &mut path);
        path
    }

    /// The level of the last row of a path.
    fn level(&self, path: &[usize]) -> Option<&Level> {
        let (_, above) = path.split_last()?;
        above.iter().try_fold(&self.first, |level, row| level.open.get(*row as u64))
    }

    fn level_mut(&mut self, path: &[usize]) -> Option<&mut Level> {
        let (_, above) = path.split_last()?;
        above.iter().try_fold(&mut self.first, |level, row| level.open.get_mut(*row as u64))
    }

    /// What kind of line it is; nothing behind the last.
    pub(crate) fn line(&self, line: usize) -> Option<Line> {
        let path = self.path(line);
        let (level, row) = (self.level(&path)?, *path.last()?);
        let depth = path.len() - 1;
        let has_more = depth + 1 < self.whole.group_by.len();
        (row < level.groups.num_rows())
            .then(|| Line { depth, open: has_more.then(|| level.open.get(row as u64).is_some()) })
    }

    /// The plan of the groups below a line; nothing when there are none.
    pub(crate) fn plan_below(&self, line: usize, formats: &Formats) -> Option<Plan> {
        let Line { depth, open: Some(_) } = self.line(line)? else { return None };
        Some(plan_of(&self.whole, depth + 1, self.is_in(line, formats)?))
    }

    /// What rows have in common that are in the group of a line: the values of its keys.
    fn is_in(&self, line: usize, formats: &Formats) -> Option<Vec<Predicate>> {
        let path = self.path(line);
        let (level, row) = (self.level(&path)?, *path.last()?);
        let keys = self.whole.group_by.iter().take(path.len());
        let mut all = Vec::new();
        for (key, column) in keys.zip(level.groups.columns()) {
            let mut text = String::new();
            let there = format::write(column.as_ref(), row, None, formats, &mut text);
            let typed = filter_text::of_value(column.data_type(), there.then_some(text.as_str()), false);
            all.push(filter_text::parse(key, column.data_type(), &typed, &formats.zones).ok()??);
        }
        Some(all)
    }

    /// Opens a line: below it stand these groups, which [`Tree::plan_below`] gave. `false` when they are others, or the
    /// line has none.
    pub(crate) fn open(&mut self, line: usize, groups: &RecordBatch) -> bool {
        let Some(Line { depth, open: Some(false) }) = self.line(line) else { return false };
        let path = self.path(line);
        let groups = widened(&self.schema, self.whole.group_by.len(), depth + 1, groups);
        match (groups, path.last().copied(), self.level_mut(&path)) {
            (Some(groups), Some(row), Some(level)) => {
                level.open.insert(row as u64, Level { groups, open: Ordered::default() });
                true
            }
            _ => false,
        }
    }

    /// Closes a line, and what is open below it. `false` when it is not open.
    pub(crate) fn close(&mut self, line: usize) -> bool {
        let path = self.path(line);
        let Some(row) = path.last().copied() else { return false };
        self.level_mut(&path).is_some_and(|level| level.open.remove(row as u64).is_some())
    }

    /// The groups that are open, each as the texts of its keys; those above before those below.
    pub(crate) fn opened(&self, formats: &Formats) -> Vec<String> {
        let mut paths = Vec::new();
        self.first.opened(0, "", formats, &mut paths);
        paths
    }

    /// The texts of the keys of a line's group, by which it is known again when lines have moved.
    pub(crate) fn path_of(&self, line: usize, formats: &Formats) -> Option<String> {
        self.line(line)?;
        let (mut level, mut path) = (Some(&self.first), String::new());
        for (depth, row) in self.path(line).into_iter().enumerate() {
            path = level?.path_of(row, depth, &path, formats);
            level = level?.open.get(row as u64);
        }
        Some(path)
    }

    /// The line of a group that shows, by the texts of its keys.
    pub(crate) fn line_of(&self, path: &str, formats: &Formats) -> Option<usize> {
        let (mut level, mut line, mut above) = (&self.first, 0, String::new());
        for depth in 0..self.whole.group_by.len() {
            let begins = |row: &usize| path.starts_with(&level.path_of(*row, depth, &above, formats));
            let row = (0..level.groups.num_rows()).find(begins)?;
            line += row
                + level
                    .open
                    .iter()
                    .take_while(|&(open, _)| open < row as u64)
                    .map(|(_, below)| below.lines())
                    .sum::<usize>();
            above = level.path_of(row, depth, &above, formats);
            if above.len() == path.len() {
                return Some(line);
            }
            (level, line) = (level.open.get(row as u64)?, line + 1);
        }
        None
    }

    /// The lines that show, as a table.
    pub(crate) fn shown(&self) -> Table {
        let mut table = Table::new(self.schema.clone());
        self.first.show(&mut table);
        table
    }
}

/// The plan of a level: so many keys and one more, under the view's filter and what the groups above have in common.
fn plan_of(whole: &Plan, depth: usize, mut is_in: Vec<Predicate>) -> Plan {
    is_in.extend(whole.filter.clone());
    let below = whole.group_by.get(depth + 1..).unwrap_or_default();
    Plan {
        filter: if is_in.len() > 1 { Some(Predicate::And(is_in)) } else { is_in.pop() },
        group_by: whole.group_by.iter().take(depth + 1).cloned().collect(),
        aggregates: whole.aggregates.clone(),
        // A level has no order by keys that are below it.
        sort: whole.sort.iter().filter(|key| !below.contains(&key.column)).cloned().collect(),
        ..Plan::default()
    }
}

/// Groups of a level with columns of nulls for the keys below; `None` when they have other columns than the level has.
fn widened(schema: &SchemaRef, keys: usize, depth: usize, groups: &RecordBatch) -> Option<RecordBatch> {
    let missing = keys.checked_sub(depth + 1)?;
    if groups.num_columns() + missing != schema.fields().len() {
        return None;
    }
    let mut columns = Vec::new();
    for (number, field) in schema.fields().iter().enumerate() {
        columns.push(if (depth + 1..keys).contains(&number) {
            kernels::arrays::null_array(field.data_type(), groups.num_rows()).ok()?
        } else {
            groups.column(if number <= depth { number } else { number - missing }).clone()
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(groups.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).ok()
}

/// The columns, each of which may have nulls.
fn nullable(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
