//! Binding: a plan's names and literals checked against a schema, once.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::predicate::{BoundPredicate, bind_predicate};
use super::{AggregateFunction, Plan};
use crate::error::{UnknownColumn, all};
use crate::runs::plain_type;
use crate::sort::SortOptions;
use crate::{Error, Result, group};

/// A plan whose names and literals have been checked against a schema.
#[derive(Debug, Clone)]
pub struct BoundPlan {
    pub(super) input: SchemaRef,
    pub(super) output: SchemaRef,
    pub(super) inputs: Vec<usize>,
    pub(super) filter: Option<Arc<BoundPredicate>>,
    pub(super) grouping: Option<Arc<Grouping>>,
    /// Columns of the table, or of the grouping's result.
    pub(super) sort: Vec<(usize, SortOptions)>,
    /// Columns of the table, or of the grouping's result.
    pub(super) columns: Vec<usize>,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

/// Keys and aggregates, as columns of the table.
#[derive(Debug, Clone)]
pub(super) struct Grouping {
    pub(super) keys: Vec<usize>,
    pub(super) aggregates: Vec<(AggregateFunction, Vec<usize>)>,
    /// Keys, then aggregates.
    pub(super) schema: SchemaRef,
}

impl Plan {
    /// Checks names and literals against a schema.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::WrongType`], [`Error::UnsupportedAggregate`],
    /// [`Error::UnsupportedType`], [`Error::InvalidPlan`].
    pub fn bind(&self, schema: &Schema) -> Result<BoundPlan> {
        let mut used = vec![false; schema.fields().len()];
        let filter = match &self.filter {
            Some(predicate) => Some(Arc::new(bind_predicate(predicate, schema, &mut used)?)),
            None => None,
        };
        let grouping = if self.is_grouped() { Some(self.bind_grouping(schema, &mut used)?) } else { None };
        let table = grouping.as_ref().map_or(schema, |grouping| grouping.schema.as_ref());
        let columns = match &self.columns {
            Some(names) => all(names.iter().map(|name| column(table, name)))?,
            None => (0..table.fields().len()).collect(),
        };
        let mut sort = Vec::new();
        for key in &self.sort {
            let index = column(table, &key.column)?;
            crate::sort::check_type(table.field(index).data_type())?;
            sort.push((index, SortOptions { descending: key.descending, nulls: key.nulls }));
        }
        if grouping.is_none() {
            columns.iter().chain(sort.iter().map(|(index, _)| index)).for_each(|&index| used[index] = true);
        }
        let fields: Vec<_> = columns.iter().map(|&index| table.fields()[index].clone()).collect();
        Ok(BoundPlan {
            input: Arc::new(schema.clone()),
            output: Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())),
            inputs: (0..used.len()).filter(|&index| used[index]).collect(),
            filter,
            grouping: grouping.map(Arc::new),
            sort,
            columns,
            offset: self.offset,
            limit: self.limit,
        })
    }

    fn bind_grouping(&self, schema: &Schema, used: &mut [bool]) -> Result<Grouping> {
        let mut fields: Vec<Arc<Field>> = Vec::new();
        let mut keys = Vec::new();
        for name in &self.group_by {
            let index = column(schema, name)?;
            used[index] = true;
            keys.push(index);
            let field = &schema.fields()[index];
            fields.push(match plain_type(field.data_type()) {
                plain if plain == field.data_type() => field.clone(),
                plain => Arc::new(field.as_ref().clone().with_data_type(plain.clone())),
            });
        }
        let mut aggregates = Vec::new();
        for aggregate in &self.aggregates {
            let indices = all(aggregate.columns().map(|name| column(schema, name)))?;
            let inputs: Vec<DataType> =
                indices.iter().map(|&index| plain_type(schema.field(index).data_type()).clone()).collect();
            let result = group::output_type(aggregate.function, &inputs).map_err(|mut error| {
                if let Error::UnsupportedAggregate(unsupported) = &mut *error {
                    let odd = inputs.iter().position(|input| *input == unsupported.data_type).unwrap_or(0);
                    unsupported.column = aggregate.columns().nth(odd).cloned().unwrap_or_default();
                }
                error
            })?;
            indices.iter().for_each(|&index| used[index] = true);
            let nullable = !matches!(aggregate.function, AggregateFunction::Count | AggregateFunction::CountDistinct);
            fields.push(Arc::new(Field::new(aggregate.output_name(), result, nullable)));
            aggregates.push((aggregate.function, indices));
        }
        for (position, field) in fields.iter().enumerate() {
            if fields[..position].iter().any(|other| other.name() == field.name()) {
                return Err(Error::invalid_plan("two columns of the result have the same name", field.name()));
            }
        }
        let key_types: Vec<DataType> = keys.iter().map(|&key| schema.field(key).data_type().clone()).collect();
        group::GroupBy::try_new(&key_types, &[])?;
        Ok(Grouping { keys, aggregates, schema: Arc::new(Schema::new(fields)) })
    }
}

/// The number of a column; the first one when a name comes twice.
pub(super) fn column(schema: &Schema, name: &str) -> Result<usize> {
    schema.fields().iter().position(|field| field.name() == name).ok_or_else(|| {
        let available = schema.fields().iter().map(|field| field.name().clone()).collect();
        Box::new(Error::UnknownColumn(UnknownColumn { name: name.to_owned(), available }))
    })
}

impl BoundPlan {
    /// The schema that the plan was bound to: what batches must have.
    #[must_use]
    pub fn input_schema(&self) -> &SchemaRef {
        &self.input
    }

    /// The schema of the result.
    #[must_use]
    pub fn output_schema(&self) -> &SchemaRef {
        &self.output
    }

    /// The columns of the table that the query reads, in the table's order. Batches handed to
    /// [`super::Execution::push`] hold **all** columns of the bound schema; a reader that can skip columns
    /// may bind the plan to the projected schema instead.
    #[must_use]
    pub fn input_columns(&self) -> &[usize] {
        &self.inputs
    }
}
