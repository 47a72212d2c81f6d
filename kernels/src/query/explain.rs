//! Plans and predicates as people read them.

use std::fmt::{self, Display, Formatter, Write};

use arrow_schema::Schema;

use super::{CompareOp, Nulls, Plan, Predicate, Scalar, SortBy, TextTest};
use crate::Result;

impl Display for Scalar {
    /// As in SQL: text in single quotes.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Boolean(value) => value.fmt(out),
            Self::Int(value) => value.fmt(out),
            Self::UInt(value) => value.fmt(out),
            Self::Float(value) => write!(out, "{value:?}"),
            Self::Text(value) => quoted(out, value, '\''),
        }
    }
}

impl Display for CompareOp {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        })
    }
}

impl Display for Predicate {
    /// As in SQL's WHERE, with the text tests by their names.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { column, op, value } => write!(out, "{} {op} {value}", Name(column)),
            Self::CompareColumns { left, op, right } => write!(out, "{} {op} {}", Name(left), Name(right)),
            Self::Between { column, low, high } => write!(out, "{} between {low} and {high}", Name(column)),
            Self::In { column, values } => {
                write!(out, "{} in (", Name(column))?;
                list(out, values, |out, value| value.fmt(out))?;
                out.write_char(')')
            }
            Self::IsNull { column } => write!(out, "{} is null", Name(column)),
            Self::IsNotNull { column } => write!(out, "{} is not null", Name(column)),
            Self::Text { column, test, value, ignore_case } => {
                let test = match test {
                    TextTest::Contains => "contains",
                    TextTest::BeginsWith => "begins with",
                    TextTest::EndsWith => "ends with",
                };
                write!(out, "{} {test} ", Name(column))?;
                quoted(out, value, '\'')?;
                out.write_str(if *ignore_case { " in any case" } else { "" })
            }
            Self::And(parts) => joined(out, parts, " and ", "true"),
            Self::Or(parts) => joined(out, parts, " or ", "false"),
            Self::Not(part) => write!(out, "not ({part})"),
        }
    }
}

/// A column's name; in double quotes where it is not a plain word.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || c == '_';
        if self.0.chars().all(plain) && !self.0.starts_with(|c: char| c.is_numeric()) && !self.0.is_empty() {
            return out.write_str(self.0);
        }
        quoted(out, self.0, '"')
    }
}

fn quoted(out: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    out.write_char(quote)?;
    for c in text.chars() {
        if c == quote {
            out.write_char(quote)?;
        }
        out.write_char(c)?;
    }
    out.write_char(quote)
}

fn list<T>(
    out: &mut Formatter<'_>,
    items: &[T],
    mut each: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.write_str(", ")?;
        }
        each(out, item)?;
    }
    Ok(())
}

fn joined(out: &mut Formatter<'_>, parts: &[Predicate], word: &str, empty: &str) -> fmt::Result {
    if parts.is_empty() {
        return out.write_str(empty);
    }
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            out.write_str(word)?;
        }
        match part {
            Predicate::And(_) | Predicate::Or(_) if parts.len() > 1 => write!(out, "({part})")?,
            _ => part.fmt(out)?,
        }
    }
    Ok(())
}

/// One step of a plan for each line, the last step first.
struct Steps<'a> {
    plan: &'a Plan,
    schema: &'a Schema,
    /// Numbers of the columns that are read.
    inputs: &'a [usize],
}

impl Display for Steps<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        let names = |out: &mut Formatter<'_>, names: &[String]| list(out, names, |out, name| Name(name).fmt(out));
        if let Some(columns) = &plan.columns {
            out.write_str("columns  ")?;
            names(out, columns)?;
            out.write_char('\n')?;
        }
        if plan.offset > 0 || plan.limit.is_some() {
            out.write_str("window   ")?;
            match plan.limit {
                Some(limit) => write!(out, "{limit} rows")?,
                None => out.write_str("all rows")?,
            }
            writeln!(out, " from row {}", plan.offset)?;
        }
        if !plan.sort.is_empty() {
            let kept = plan.limit.map(|limit| plan.offset.saturating_add(limit));
            out.write_str(if kept.is_some() { "top      by " } else { "sort     by " })?;
            list(out, &plan.sort, |out, SortBy { column, descending, nulls }| {
                let direction = if *descending { " descending" } else { "" };
                let nulls = if *nulls == Nulls::First { ", nulls first" } else { "" };
                write!(out, "{}{direction}{nulls}", Name(column))
            })?;
            match kept {
                Some(kept) => writeln!(out, ", the first {kept} rows")?,
                None => out.write_char('\n')?,
            }
        }
        if plan.is_grouped() {
            out.write_str("group    by ")?;
            match plan.group_by.as_slice() {
                [] => out.write_str("nothing: one group")?,
                keys => names(out, keys)?,
            }
            if !plan.aggregates.is_empty() {
                out.write_str(" with ")?;
                list(out, &plan.aggregates, |out, aggregate| out.write_str(&aggregate.output_name()))?;
            }
            out.write_char('\n')?;
        }
        if let Some(filter) = &plan.filter {
            writeln!(out, "filter   {filter}")?;
        }
        write!(out, "read     {} of {} columns", self.inputs.len(), self.schema.fields().len())?;
        if !self.inputs.is_empty() && self.inputs.len() < self.schema.fields().len() {
            out.write_str(": ")?;
            list(out, self.inputs, |out, &input| Name(self.schema.field(input).name()).fmt(out))?;
        }
        Ok(())
    }
}

impl Plan {
    /// What the plan does to a table of this schema, one step for each line, the last step first.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    ///
    /// ```
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use kernels::query::{CompareOp, Plan, Predicate, Scalar, SortBy};
    /// # let schema = Schema::new(vec![Field::new("a", DataType::Int32, true), Field::new("b c", DataType::Utf8, true)]);
    /// let plan = Plan {
    ///     filter: Some(Predicate::Compare { column: "b c".into(), op: CompareOp::Eq, value: Scalar::Text("x".into()) }),
    ///     sort: vec![SortBy { column: "a".into(), descending: true, nulls: Default::default() }],
    ///     limit: Some(10),
    ///     ..Plan::default()
    /// };
    /// assert_eq!(
    ///     plan.explain(&schema)?,
    ///     "window   10 rows from row 0\n\
    ///      top      by a descending, the first 10 rows\n\
    ///      filter   \"b c\" = 'x'\n\
    ///      read     2 of 2 columns"
    /// );
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn explain(&self, schema: &Schema) -> Result<String> {
        let bound = self.bind(schema)?;
        Ok(Steps { plan: self, schema, inputs: bound.input_columns() }.to_string())
    }
}
