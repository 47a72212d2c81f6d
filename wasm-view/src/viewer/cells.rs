//! What the painter sees of the viewer.

use arrow_array::Array;

use super::Viewer;
use crate::format;
use crate::grid::{Columns, Head, Manner, Strip};
use crate::load::is_unread;

impl Viewer {
    /// The array that holds a cell, its row there, and its column in the schema.
    pub(super) fn at(&self, row: usize, position: usize) -> Option<(&dyn Array, usize, usize)> {
        let column = self.columns.column(position)?;
        let (source, row) = self.view.source(self.table.as_ref()?, row)?;
        let (array, row) = source.cell(row, column)?;
        Some((array, row, column))
    }

    /// A type as headers show it, also of a column that could not be read.
    pub(super) fn label(&self, column: usize) -> String {
        let Some(schema) = self.original_schema() else { return String::new() };
        schema.fields().get(column).map_or_else(String::new, |field| format::type_label(field.data_type()))
    }
}

impl Columns for Viewer {
    fn head(&self, position: usize) -> Head {
        let Some((schema, column)) = self.shown_schema().zip(self.columns.column(position)) else {
            return Head::default();
        };
        let Some(field) = schema.fields().get(column) else { return Head::default() };
        let keys = self.view.active_sort();
        let sort = keys
            .iter()
            .position(|key| key.column == *field.name())
            .map(|place| (keys[place].descending, if keys.len() > 1 { place + 1 } else { 0 }));
        let profile = self.profiles.of(column).filter(|_| !self.view.shows_groups());
        Head {
            name: field.name().clone(),
            label: self.label(column),
            nulls: profile.map_or_else(String::new, |profile| profile.nulls.clone()),
            right: self.styles.get(column).is_some_and(|style| style.right),
            sort,
            filtered: self.has_filter_box(position)
                && self.view.filters.iter().any(|filter| filter.column == *field.name()),
        }
    }

    fn strip(&self, position: usize) -> Option<&Strip> {
        Some(&self.profiles.of(self.columns.column(position)?)?.strip)
    }

    fn manner(&self, position: usize) -> Manner {
        let column = self.columns.column(position).unwrap_or(usize::MAX);
        let unread = self
            .original_schema()
            .is_some_and(|schema| schema.fields().get(column).is_some_and(|field| is_unread(field.data_type())));
        Manner {
            right: self.styles.get(column).is_some_and(|style| style.right),
            blank: if unread { "not shown" } else { "null" },
        }
    }

    fn is_here(&self, row: usize) -> bool {
        Self::is_here(self, row)
    }

    fn cell(&self, row: usize, position: usize, out: &mut String) -> bool {
        self.at(row, position).is_some_and(|(array, at, column)| self.write_line(row, array, at, column, out))
    }

    fn found(&self, row: usize, position: usize) -> bool {
        let cell = if self.find.is_empty() { None } else { self.at(row, position) };
        cell.is_some_and(|(array, row, column)| self.finds(array, row, column))
    }

    fn fresh(&self, row: usize, position: usize) -> f64 {
        self.columns.column(position).map_or(0.0, |column| self.marks.strength(row, column))
    }

    fn row_number(&self, row: usize) -> usize {
        self.view.number(row) + 1
    }
}
