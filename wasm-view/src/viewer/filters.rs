//! What the panels of filters and groups need to know of a column of the table: what kind of filter it takes, what its
//! filter says, its values, its histogram, and which aggregates are defined for it.

use arrow_schema::{DataType, Field, TimeUnit};
use kernels::query::{Aggregate, AggregateFunction, Nulls, Plan, Predicate, SortBy, TextTest};
use wasm_bindgen::prelude::*;

use super::query::bytes_of;
use super::{Viewer, change, failed};
use crate::filter_text;
use crate::view::Filter;

/// The name of the column of counts, which no column of a table is likely to have.
const COUNTED: &str = "\u{1}rows";

/// The most frequent values of a column under the filters of the others: pairs of a value and its count.
fn values_plan(filters: &[Filter], field: &Field, search: &str, limit: usize) -> Plan {
    let others = filters.iter().filter(|filter| filter.column != *field.name());
    let mut predicates: Vec<Predicate> = others.map(|filter| filter.predicate.clone()).collect();
    if !search.is_empty() {
        predicates.push(Predicate::Text {
            column: field.name().clone(),
            test: TextTest::Contains,
            value: search.to_owned(),
            ignore_case: true,
        });
    }
    let count =
        Aggregate { function: AggregateFunction::Count, column: None, other: None, name: Some(COUNTED.to_owned()) };
    let key = |column: &str, descending| SortBy { column: column.to_owned(), descending, nulls: Nulls::Last };
    Plan {
        filter: (!predicates.is_empty()).then_some(Predicate::And(predicates)),
        group_by: vec![field.name().clone()],
        aggregates: vec![count],
        sort: vec![key(COUNTED, true), key(field.name(), false)],
        limit: Some(limit),
        ..Plan::default()
    }
}

/// The aggregates that are defined for a type.
fn aggregates_of(data_type: &DataType) -> Vec<AggregateFunction> {
    let defined =
        |function: &AggregateFunction| kernels::GroupBy::try_new(&[], &[(*function, vec![data_type.clone()])]).is_ok();
    AggregateFunction::ALL.into_iter().filter(defined).collect()
}

/// Milliseconds of the unit that dates and times count in; 1 for numbers.
fn unit(data_type: &DataType) -> f64 {
    match data_type {
        DataType::Date32 => 86_400_000.0,
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => match unit {
            TimeUnit::Second => 1e3,
            TimeUnit::Millisecond => 1.0,
            TimeUnit::Microsecond => 1e-3,
            TimeUnit::Nanosecond => 1e-6,
        },
        _ => 1.0,
    }
}

impl Viewer {
    /// A column of the table and its number.
    fn field(&self, column: &str) -> Option<(usize, &Field)> {
        let (number, field) = self.table.as_ref()?.schema.column_with_name(column)?;
        Some((number, field))
    }
}

#[wasm_bindgen]
impl Viewer {
    /// What kind of filter a column takes: `text`, `number`, `moment`, `clock`, `boolean` or `nulls` alone.
    #[wasm_bindgen(js_name = filterKind)]
    pub fn filter_kind(&self, column: &str) -> String {
        self.field(column).map_or("", |(_, field)| filter_text::kind(field.data_type())).to_owned()
    }

    /// The filter of a column, or what could be one, taken apart: `null` where nulls pass as well, the kind of the
    /// condition, its values.
    #[wasm_bindgen(js_name = filterParts)]
    pub fn filter_parts(&self, column: &str, text: &str) -> Vec<String> {
        self.field(column).map_or_else(Vec::new, |(_, field)| filter_text::parts(field.data_type(), text))
    }

    /// A plan for the most frequent values of a column under the other columns' filters, each with its count; of text,
    /// those that hold what is looked for.
    ///
    /// # Errors
    /// When there is no such column.
    #[wasm_bindgen(js_name = valuesPlan)]
    pub fn values_plan(&self, column: &str, search: &str, limit: usize) -> Result<Vec<u8>, JsError> {
        let (_, field) = self.field(column).ok_or_else(|| failed("there is no such column"))?;
        bytes_of(&values_plan(&self.view.filters, field, search, limit))
    }

    /// A column's histogram, once it is known: where it begins, where it ends (dates and times in milliseconds), and the
    /// heights of its bars from 0 to 1.
    pub fn histogram(&self, column: &str) -> Vec<f64> {
        let known = self.field(column).and_then(|(number, field)| Some((field, &self.profiles.of(number)?.strip)));
        let Some((field, strip)) = known.filter(|(_, strip)| !strip.bars.is_empty()) else { return Vec::new() };
        let unit = unit(field.data_type());
        [strip.axis.0 * unit, strip.axis.1 * unit].into_iter().chain(strip.bars.iter().copied()).collect()
    }

    /// Marks the part of a header's histogram, from 0 to 1, that is chosen; an empty one is none.
    #[wasm_bindgen(js_name = markHistogram)]
    pub fn mark_histogram(&mut self, column: &str, from: f64, to: f64) -> u32 {
        let Some((number, _)) = self.field(column) else { return 0 };
        self.profiles.mark(number, (to >= from).then_some((from.clamp(0.0, 1.0), to.clamp(0.0, 1.0))));
        change::PAINT
    }

    /// The aggregates that are defined for a column.
    #[wasm_bindgen(js_name = aggregatesOf)]
    pub fn aggregates_of(&self, column: &str) -> Vec<String> {
        let Some((_, field)) = self.field(column) else { return Vec::new() };
        aggregates_of(field.data_type()).iter().map(|function| function.name().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    use kernels::query::{CompareOp, Scalar};

    use super::*;

    #[test]
    fn values_are_counted_under_the_other_filters() {
        let batch = RecordBatch::try_from_iter([
            ("town", Arc::new(StringArray::from(vec!["Ulm", "Aalen", "Ulm", "Bonn", "Ulm", "Aalen"])) as ArrayRef),
            ("size", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5, 6])) as ArrayRef),
        ])
        .unwrap();
        let compare = |column: &str, op, value| Predicate::Compare { column: column.to_owned(), op, value };
        let filter = |column: &str, predicate| Filter { column: column.to_owned(), text: String::new(), predicate };
        let filters = [
            filter("size", compare("size", CompareOp::Gt, Scalar::Int(1))),
            filter("town", compare("town", CompareOp::Eq, Scalar::Text("Bonn".into()))),
        ];
        let counted = |search: &str, limit| {
            let schema = batch.schema();
            let plan = values_plan(&filters, schema.field(0), search, limit);
            let found = plan.bind(&schema).unwrap().execute(std::slice::from_ref(&batch)).unwrap();
            let (towns, counts) = (found.column(0).as_string::<i32>(), found.column(1).as_primitive::<Int64Type>());
            (0..found.num_rows()).map(|row| (towns.value(row).to_owned(), counts.value(row))).collect::<Vec<_>>()
        };
        let named =
            |pairs: &[(&str, i64)]| pairs.iter().map(|&(town, count)| (town.to_owned(), count)).collect::<Vec<_>>();
        assert_eq!(counted("", 9), named(&[("Aalen", 2), ("Ulm", 2), ("Bonn", 1)]));
        assert_eq!(counted("", 1), named(&[("Aalen", 2)]));
        assert_eq!(counted("U", 9), named(&[("Ulm", 2)]));
    }

    #[test]
    fn only_what_is_defined_is_offered() {
        let names =
            |data_type: &DataType| aggregates_of(data_type).iter().map(|function| function.name()).collect::<Vec<_>>();
        assert_eq!(names(&DataType::Int16).len(), AggregateFunction::ALL.len());
        let of_text = names(&DataType::Utf8);
        assert!(of_text.contains(&"min") && of_text.contains(&"count_distinct"), "{of_text:?}");
        assert!(!of_text.contains(&"sum") && !of_text.contains(&"median"), "{of_text:?}");
    }
}
