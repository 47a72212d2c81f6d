//! How many rows of a piece pass a filter, by how often each of a column's few values stands in it.
//!
//! Of a column with few different values a source may know the values, and their numbers in each piece ([`Tallies`]). A filter of
//! that column is then asked once of each value, by the kernels, and no row is read. Of several conditions that all have to
//! hold, each narrows the pieces down.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use kernels::query::{Plan, Predicate};

use super::Knowledge;
use crate::source::{Source, Tallies};

/// The rows of each piece that pass, as far as that is known.
pub(super) fn counts(
    source: &Arc<dyn Source>,
    filter: &Predicate,
    knowledge: &Knowledge,
    pieces: usize,
) -> Vec<Option<usize>> {
    match passing(source, filter) {
        Some(counts) if counts.len() == pieces => counts.into_iter().map(Some).collect(),
        _ => knowledge.matches(source.tag(), filter, pieces),
    }
}

/// Takes pieces out in which some condition holds for no row.
pub(super) fn narrow(source: &Arc<dyn Source>, filter: &Predicate, possible: &mut [bool]) {
    if let Predicate::And(parts) = filter {
        parts.iter().for_each(|part| narrow(source, part, possible));
    } else if let Some(counts) = passing(source, filter) {
        possible.iter_mut().zip(counts).for_each(|(possible, count)| *possible &= count > 0);
    }
}

/// The rows of each piece that pass a filter of one column whose values are counted.
fn passing(source: &Arc<dyn Source>, filter: &Predicate) -> Option<Vec<usize>> {
    let mut names = BTreeSet::new();
    columns(filter, &mut names);
    let mut names = names.into_iter();
    let (Some(name), None) = (names.next(), names.next()) else { return None };
    let column = source.schema().index_of(name).ok()?;
    let Tallies { values, counts } = source.tallies(column)?;
    let schema = Arc::new(Schema::new(vec![Field::new(name, values.data_type().clone(), true)]));
    let table = RecordBatch::try_new(schema, vec![values.clone()]).ok()?;
    let plan = Plan { columns: Some(Vec::new()), filter: Some(filter.clone()), ..Plan::default() };
    let passes = plan.bind(table.schema_ref()).ok()?.select(&[table]).ok()?;
    let width = values.len().max(1);
    let sum = |piece: &[u32]| passes.as_slice().iter().map(|&value| piece[value as usize] as usize).sum();
    Some(counts.chunks_exact(width).map(sum).collect())
}

/// The columns that a filter asks for.
fn columns<'a>(filter: &'a Predicate, names: &mut BTreeSet<&'a str>) {
    match filter {
        Predicate::Compare { column, .. }
        | Predicate::Between { column, .. }
        | Predicate::In { column, .. }
        | Predicate::IsNull { column }
        | Predicate::IsNotNull { column }
        | Predicate::Text { column, .. } => drop(names.insert(column)),
        Predicate::CompareColumns { left, right, .. } => names.extend([left.as_str(), right.as_str()]),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| columns(part, names)),
        Predicate::Not(part) => columns(part, names),
    }
}
