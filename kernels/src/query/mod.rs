//! Queries: a plan as plain data, bound to a schema, run over chunks.

mod plan;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

pub use plan::{
    Aggregate, AggregateFunction, CompareOp, Nulls, Plan, Predicate, Scalar, SortBy, TextTest,
};

use crate::{Error, Indices, Result};

impl Plan {
    /// Checks names and literals against a schema.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::WrongType`], [`Error::UnsupportedAggregate`],
    /// [`Error::InvalidPlan`].
    pub fn bind(&self, schema: &Schema) -> Result<BoundPlan> {
        let _ = schema;
        Err(Error::InvalidPlan {
            reason: "not built yet",
            detail: String::new(),
        })
    }
}

/// A plan whose names and literals have been checked against a schema.
#[derive(Debug, Clone)]
pub struct BoundPlan {
    output: SchemaRef,
    inputs: Vec<usize>,
}

impl BoundPlan {
    /// The schema of the result.
    #[must_use]
    pub fn output_schema(&self) -> &SchemaRef {
        &self.output
    }

    /// The columns of the table that the query reads, in the table's order. Batches handed to
    /// [`Execution::push`] hold **all** columns of the bound schema; a reader that can skip columns may
    /// bind the plan to the projected schema instead.
    #[must_use]
    pub fn input_columns(&self) -> &[usize] {
        &self.inputs
    }

    /// The row numbers (over all batches, counted from the first) that the plan's filter, sort, offset
    /// and limit keep, without copying any column. For views of a table that stays where it is.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] when the plan is grouped; otherwise what the kernels report.
    pub fn select(&self, batches: &[RecordBatch]) -> Result<Indices> {
        let _ = batches;
        Err(Error::InvalidPlan {
            reason: "not built yet",
            detail: String::new(),
        })
    }

    /// Runs the whole query over batches that are all here.
    ///
    /// # Errors
    /// What the kernels report, such as [`Error::Overflow`].
    pub fn execute(&self, batches: &[RecordBatch]) -> Result<RecordBatch> {
        let _ = batches;
        Err(Error::InvalidPlan {
            reason: "not built yet",
            detail: String::new(),
        })
    }
}

/// Whether a running query wants more input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Push the next batch.
    More,
    /// The limit is reached: nothing that is pushed from here on changes the result.
    Done,
}

/// A query in the making: batches go in one by one, results come out as soon as they are known
/// (at once for a filter, at the end for a sort or a grouping).
#[derive(Debug)]
pub struct Execution {
    plan: BoundPlan,
}

impl Execution {
    /// Starts a query.
    #[must_use]
    pub fn new(plan: BoundPlan) -> Self {
        Self { plan }
    }

    /// Takes one batch in, and hands out what is already certain of the result.
    ///
    /// # Errors
    /// [`Error::SchemaMismatch`] and what the kernels report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(Flow, Option<RecordBatch>)> {
        let _ = (batch, &self.plan);
        Err(Error::InvalidPlan {
            reason: "not built yet",
            detail: String::new(),
        })
    }

    /// The rest of the result.
    ///
    /// # Errors
    /// What the kernels report.
    pub fn finish(self) -> Result<Option<RecordBatch>> {
        Ok(None)
    }
}
