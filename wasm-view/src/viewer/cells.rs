//! What the painter sees of the viewer.

use super::Viewer;
use crate::format;
use crate::grid::{Columns, Head};

impl Columns for Viewer {
    fn head(&self, column: usize) -> Head {
        let Some(schema) = self.shown_schema() else { return Head::default() };
        let Some(field) = schema.fields().get(column) else { return Head::default() };
        let keys = self.view.active_sort();
        let sort = keys
            .iter()
            .position(|key| key.column == *field.name())
            .map(|position| (keys[position].descending, if keys.len() > 1 { position + 1 } else { 0 }));
        Head {
            name: field.name().clone(),
            label: format::type_label(field.data_type()),
            right: self.styles.get(column).is_some_and(|style| style.right),
            sort,
            filtered: self.has_filter_box(column)
                && self.view.filters.iter().any(|filter| filter.column == *field.name()),
        }
    }

    fn cell(&self, row: usize, column: usize, out: &mut String) -> bool {
        let shown = self.table.as_ref().and_then(|table| {
            let (source, row) = self.view.source(table, row)?;
            source.cell(row, column)
        });
        shown.is_some_and(|(array, row)| format::write(array, row, self.styles.get(column), &self.formats, out))
    }

    fn row_number(&self, row: usize) -> usize {
        let source = self.table.as_ref().and_then(|table| self.view.source(table, row));
        source.map_or(row, |(_, row)| row) + 1
    }
}
