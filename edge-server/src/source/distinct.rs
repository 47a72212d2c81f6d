//! A file in which columns have the same name, with names of their own: plans and URLs name a column.
//!
//! What is kept and known of columns goes by their numbers, so only the schema is another.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::{Batches, Source, Tallies, answered_by_its_source};
use crate::{Error, Result};

/// A source under other names.
struct Distinct {
    source: Arc<dyn Source>,
    schema: SchemaRef,
}

/// The source itself where no name comes twice.
pub(super) fn distinct(source: Arc<dyn Source>) -> Arc<dyn Source> {
    let schema = wire::distinct_schema(source.schema());
    if Arc::ptr_eq(&schema, source.schema()) { source } else { Arc::new(Distinct { source, schema }) }
}

impl Source for Distinct {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    answered_by_its_source!();

    fn tallies(&self, column: usize) -> Option<Tallies> {
        self.source.tallies(column)
    }

    fn together(&self, columns: &[usize], pieces: &[usize]) -> Vec<usize> {
        self.source.together(columns, pieces)
    }

    fn lasts(&self) -> bool {
        self.source.lasts()
    }

    fn is_in_memory(&self) -> bool {
        self.source.is_in_memory()
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        let schema = match columns {
            Some(columns) => self.schema.project(columns).map(Arc::new),
            None => Ok(self.schema.clone()),
        };
        let schema = schema.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Box::new(self.source.scan(columns, pieces)?.map(move |batch| {
            let batch = batch?;
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &options)
                .map_err(|error| Error::Internal(error.to_string()))
        })))
    }
}
