//! Queries: a plan as plain data, bound to a schema, run over chunks.
//!
//! ```
//! # use std::sync::Arc;
//! # use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
//! use kernels::query::{Aggregate, AggregateFunction, Plan};
//! # let batch = RecordBatch::try_from_iter([
//! #     ("origin", Arc::new(StringArray::from(vec!["JFK", "LGA", "JFK"])) as ArrayRef),
//! #     ("delay", Arc::new(Float64Array::from(vec![1.0, 5.0, 3.0])) as ArrayRef),
//! # ])?;
//! let plan = Plan {
//!     group_by: vec!["origin".into()],
//!     aggregates: vec![Aggregate {
//!         function: AggregateFunction::Mean,
//!         column: Some("delay".into()),
//!         other: None,
//!         name: Some("mean".into()),
//!     }],
//!     ..Plan::default()
//! };
//! let result = plan.bind(&batch.schema())?.execute(&[batch])?;
//! assert_eq!(result.num_rows(), 2);
//! # Ok::<(), kernels::Error>(())
//! ```

mod bind;
mod execute;
mod explain;
mod finishing;
mod grouped;
mod plan;
mod predicate;
mod selecting;

pub use bind::BoundPlan;
pub use execute::{Execution, Flow};
pub use finishing::Finishing;
pub use plan::{Aggregate, AggregateFunction, CompareOp, Fraction, Nulls, Plan, Predicate, Scalar, SortBy, TextTest};
pub use selecting::Selecting;
