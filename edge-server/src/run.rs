//! A plan over a source: only the columns that it needs are read, and results leave as soon as they are known.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kernels::query::{Execution, Flow, Plan};

use crate::Result;
use crate::source::Source;

/// A query that has been checked against its table and can be run.
#[derive(Debug)]
pub struct Query {
    execution: Execution,
    projection: Vec<usize>,
}

impl Query {
    /// Checks a plan against a table.
    ///
    /// # Errors
    /// [`crate::Error::Query`] tells what in the plan does not fit.
    pub fn prepare(plan: &Plan, source: &dyn Source) -> Result<Self> {
        let schema = source.schema();
        let projection = plan.bind(schema)?.input_columns().to_vec();
        let projected = schema.project(&projection).map_err(|error| crate::Error::Internal(error.to_string()))?;
        // Bound again to what is really read; a plan without columns of its own means the table's.
        let plan = match &plan.columns {
            None if !plan.is_grouped() => {
                let names = schema.fields().iter().map(|field| field.name().clone()).collect();
                Plan { columns: Some(names), ..plan.clone() }
            }
            _ => plan.clone(),
        };
        Ok(Self { execution: Execution::try_new(plan.bind(&projected)?)?, projection })
    }

    /// The schema of the result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.execution.plan().output_schema().clone()
    }

    /// Runs the query; every batch of the result goes to `sink`, which may end the run by returning `false`.
    ///
    /// # Errors
    /// What the source and the kernels report.
    pub fn run(self, source: &Arc<dyn Source>, mut sink: impl FnMut(RecordBatch) -> Result<bool>) -> Result<()> {
        let mut execution = self.execution;
        for batch in source.scan(Some(&self.projection))? {
            let (flow, result) = execution.push(&batch?)?;
            if let Some(result) = result
                && !sink(result)?
            {
                return Ok(());
            }
            if flow == Flow::Done {
                break;
            }
        }
        if let Some(result) = execution.finish()? {
            sink(result)?;
        }
        Ok(())
    }
}
