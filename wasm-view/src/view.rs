//! The view: what is filtered, sorted and grouped, and the rows that come of it.

use std::rc::Rc;

use arrow_schema::SchemaRef;
use kernels::query::{Aggregate, Nulls, Plan, Predicate, SortBy};
use kernels::{Indices, Result};

use crate::far::Far;
use crate::live::Kept;
use crate::table::Table;

/// A filter box that says something.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) column: String,
    pub(crate) text: String,
    pub(crate) predicate: Predicate,
}

/// Keys and aggregates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grouping {
    pub(crate) keys: Vec<String>,
    pub(crate) aggregates: Vec<Aggregate>,
}

/// The rows that are shown.
#[derive(Debug)]
pub(crate) enum Rows {
    /// All rows of the table in their order, however many have come.
    All,
    /// These rows of the table.
    Picked(Rc<Indices>),
    /// Rows of a live table, kept up to date.
    Kept(Rc<Kept>),
    /// A table of its own: groups.
    Groups(Table),
    /// Rows that somebody else holds.
    Far(Far),
}

impl Rows {
    /// The same rows, which stay what they are whatever becomes of these. Of rows that are elsewhere none are taken along.
    pub(crate) fn still(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Picked(rows) => Self::Picked(rows.clone()),
            Self::Kept(kept) => Self::Kept(kept.clone()),
            Self::Groups(groups) => Self::Groups(groups.clone()),
            Self::Far(far) => Self::Far(Far::new(far.rows, far.groups.clone())),
        }
    }
}

/// What is asked for; what is shown may still be what was asked for before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) filters: Vec<Filter>,
    pub(crate) sort: Vec<SortBy>,
    pub(crate) group_sort: Vec<SortBy>,
    pub(crate) grouping: Option<Grouping>,
}

/// What is shown of a table.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) filters: Vec<Filter>,
    /// Sort keys of the rows.
    pub(crate) sort: Vec<SortBy>,
    /// Sort keys of the groups.
    pub(crate) group_sort: Vec<SortBy>,
    pub(crate) grouping: Option<Grouping>,
    pub(crate) rows: Rows,
}

impl Default for View {
    fn default() -> Self {
        Self { filters: Vec::new(), sort: Vec::new(), group_sort: Vec::new(), grouping: None, rows: Rows::All }
    }
}

impl View {
    /// The plan that gives the view's rows.
    pub(crate) fn plan(&self) -> Plan {
        let mut predicates: Vec<Predicate> = self.filters.iter().map(|filter| filter.predicate.clone()).collect();
        let filter = if predicates.len() > 1 { Some(Predicate::And(predicates)) } else { predicates.pop() };
        let (group_by, aggregates) =
            self.grouping.clone().map_or_else(Default::default, |grouping| (grouping.keys, grouping.aggregates));
        Plan { filter, group_by, aggregates, sort: self.active_sort().to_vec(), ..Plan::default() }
    }

    /// What is asked for, to be asked for again by [`View::wish`].
    pub(crate) fn wished(&self) -> Wish {
        let Self { filters, sort, group_sort, grouping, .. } = self;
        Wish {
            filters: filters.clone(),
            sort: sort.clone(),
            group_sort: group_sort.clone(),
            grouping: grouping.clone(),
        }
    }

    /// Asks for something else; what is shown stays.
    pub(crate) fn wish(&mut self, wish: Wish) {
        (self.filters, self.sort, self.group_sort, self.grouping) =
            (wish.filters, wish.sort, wish.group_sort, wish.grouping);
    }

    /// Asks for what a plan does.
    pub(crate) fn wish_plan(&mut self, plan: Plan) {
        let is_grouped = plan.is_grouped();
        let whole = |predicate| Filter { column: String::new(), text: String::new(), predicate };
        self.filters = plan.filter.into_iter().map(whole).collect();
        self.grouping = is_grouped.then_some(Grouping { keys: plan.group_by, aggregates: plan.aggregates });
        self.set_sort(plan.sort);
    }

    /// Whether groups are shown.
    pub(crate) fn shows_groups(&self) -> bool {
        match &self.rows {
            Rows::Groups(_) => true,
            Rows::Far(far) => far.groups.is_some(),
            Rows::All | Rows::Picked(_) | Rows::Kept(_) => false,
        }
    }

    /// Finds the rows anew.
    pub(crate) fn refresh(&mut self, table: &Table) -> Result<()> {
        let plan = self.plan();
        self.rows = if plan.is_grouped() {
            Rows::Groups(Table::of(plan.bind(&table.schema)?.execute(&table.batches)?))
        } else if plan.filter.is_none() && plan.sort.is_empty() {
            Rows::All
        } else {
            Rows::Picked(Rc::new(plan.bind(&table.schema)?.select(&table.batches)?))
        };
        Ok(())
    }

    /// Whether new rows of the table show without [`View::refresh`].
    pub(crate) fn follows_by_itself(&self) -> bool {
        matches!(self.rows, Rows::All)
    }

    pub(crate) fn len(&self, table: &Table) -> usize {
        match &self.rows {
            Rows::All => table.rows(),
            Rows::Picked(indices) => indices.len(),
            Rows::Kept(kept) => kept.len(),
            Rows::Groups(groups) => groups.rows(),
            Rows::Far(far) => far.rows,
        }
    }

    /// The table that rows are read from, and the row in it.
    pub(crate) fn source<'a>(&'a self, table: &'a Table, row: usize) -> Option<(&'a Table, usize)> {
        match &self.rows {
            Rows::All => Some((table, row)),
            Rows::Picked(indices) => Some((table, *indices.as_slice().get(row)? as usize)),
            Rows::Kept(kept) => Some((table, kept.number(row)?)),
            Rows::Groups(groups) => Some((groups, row)),
            Rows::Far(far) => far.source(row),
        }
    }

    /// The numbers in the table of some rows; `None` where rows stand as the table has them, or are no rows of it.
    pub(crate) fn picked(&self, rows: std::ops::Range<usize>) -> Option<Vec<u32>> {
        match &self.rows {
            Rows::Picked(indices) => Some(indices.as_slice().get(rows).unwrap_or_default().to_vec()),
            Rows::Kept(kept) => Some(rows.filter_map(|row| kept.number(row)).map(|row| row as u32).collect()),
            Rows::All | Rows::Groups(_) | Rows::Far(_) => None,
        }
    }

    /// A row's number in the table; of groups, their own.
    pub(crate) fn number(&self, row: usize) -> usize {
        match &self.rows {
            Rows::All | Rows::Groups(_) => row,
            Rows::Picked(indices) => indices.as_slice().get(row).map_or(row, |&row| row as usize),
            Rows::Kept(kept) => kept.number(row).unwrap_or(row),
            Rows::Far(far) => far.number(row),
        }
    }

    /// The columns that are shown.
    pub(crate) fn schema<'a>(&'a self, table: &'a Table) -> &'a SchemaRef {
        match &self.rows {
            Rows::Groups(groups) => &groups.schema,
            Rows::Far(Far { groups: Some(groups), .. }) => groups,
            Rows::All | Rows::Picked(_) | Rows::Kept(_) | Rows::Far(_) => &table.schema,
        }
    }

    pub(crate) fn active_sort(&self) -> &[SortBy] {
        if self.grouping.is_some() { &self.group_sort } else { &self.sort }
    }

    fn active_sort_mut(&mut self) -> &mut Vec<SortBy> {
        if self.grouping.is_some() { &mut self.group_sort } else { &mut self.sort }
    }

    /// Sorts by these keys.
    pub(crate) fn set_sort(&mut self, keys: Vec<SortBy>) {
        *self.active_sort_mut() = keys;
    }

    /// Turns a column's sort on: ascending, descending, none. With `add` the other keys stay.
    pub(crate) fn toggle_sort(&mut self, column: &str, add: bool) {
        let keys = self.active_sort_mut();
        let before = keys.iter().position(|key| key.column == column);
        let next = match before.map(|position| keys[position].descending) {
            None => Some(false),
            Some(false) => Some(true),
            Some(true) => None,
        };
        let key = next.map(|descending| SortBy { column: column.to_owned(), descending, nulls: Nulls::Last });
        match (add, before, key) {
            (true, Some(position), Some(key)) => keys[position] = key,
            (true, Some(position), None) => {
                keys.remove(position);
            }
            (true, None, key) => keys.extend(key),
            (false, _, key) => *keys = key.into_iter().collect(),
        }
    }

    /// Replaces a column's filter; `None` takes it away.
    pub(crate) fn set_filter(&mut self, column: &str, filter: Option<Filter>) {
        let before = self.filters.iter().position(|other| other.column == column);
        match (before, filter) {
            (Some(position), Some(filter)) => self.filters[position] = filter,
            (Some(position), None) => {
                self.filters.remove(position);
            }
            (None, filter) => self.filters.extend(filter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_click_goes_round_and_shift_keeps_the_others() {
        let mut view = View::default();
        let shown = |view: &View| view.sort.iter().map(|key| (key.column.clone(), key.descending)).collect::<Vec<_>>();
        view.toggle_sort("a", false);
        view.toggle_sort("b", true);
        view.toggle_sort("b", true);
        assert_eq!(shown(&view), [("a".to_owned(), false), ("b".to_owned(), true)]);
        view.toggle_sort("b", true);
        assert_eq!(shown(&view), [("a".to_owned(), false)]);
        view.toggle_sort("a", false);
        view.toggle_sort("c", false);
        assert_eq!(shown(&view), [("c".to_owned(), false)]);
        view.toggle_sort("c", false);
        view.toggle_sort("c", false);
        assert!(view.sort.is_empty());
    }
}
