//! What columns hold, at a glance: the share of nulls, and a histogram or the most frequent values.
//!
//! It is found after the rows are on the screen, a slice of a column at a time, so that the page can stop between any
//! two of them. Numbers and times go through twice, for their extent and for their bins; other values are counted, until
//! there are too many different ones for a summary to say anything.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use kernels::query::AggregateFunction;
use kernels::{GroupBy, Result, statistics};

use crate::format::{self, Formats, Style};
use crate::grid::Strip;
use crate::table::Table;

/// Rows that one step looks at.
const SLICE: usize = 1 << 15;
/// Bars of a histogram.
const BARS: usize = 24;
/// Different values that are counted.
const MOST_VALUES: usize = 20_000;
/// Values whose shares are shown.
const TOP: usize = 3;

/// What is known of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    pub(crate) strip: Strip,
    /// The share of nulls, as text; empty without nulls.
    pub(crate) nulls: String,
}

impl Profile {
    pub(crate) fn new(strip: Strip, nulls: usize, rows: usize) -> Self {
        let some = nulls > 0 && nulls < rows;
        let nulls = if some { [&share(nulls, rows), " null"].concat() } else { String::new() };
        Self { strip, nulls }
    }
}

/// The profiles of a table's columns, as far as they are known.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    known: Vec<Profile>,
    pass: Option<Pass>,
    /// The next row of the column that is looked at.
    row: usize,
}

/// What is done with a column.
#[derive(Debug)]
enum Pass {
    Extent(f64, f64),
    Bins(f64, f64, Vec<u64>),
    Values(Box<GroupBy>),
}

impl Profiles {
    pub(crate) fn of(&self, column: usize) -> Option<&Profile> {
        self.known.get(column)
    }

    /// Marks a part of a column's histogram.
    pub(crate) fn mark(&mut self, column: usize, part: Option<(f64, f64)>) {
        if let Some(profile) = self.known.get_mut(column) {
            profile.strip.mark = part;
        }
    }

    /// Takes what somebody else found out.
    pub(crate) fn set(&mut self, column: usize, profile: Profile) {
        if column >= self.known.len() {
            self.known.resize(column + 1, Profile::default());
        }
        self.known[column] = profile;
    }

    /// Looks at the next slice; `false` when every column is known.
    pub(crate) fn step(&mut self, table: &Table, styles: &[Style], formats: &Formats) -> bool {
        let column = self.known.len();
        let Some(field) = table.schema.fields().get(column) else { return false };
        // A column that cannot be summed up has no strip; the next one may have.
        let done = self.advance(table, column, field.data_type()).unwrap_or(true);
        if done {
            let nulls: usize = table.batches.iter().map(|batch| batch.column(column).logical_null_count()).sum();
            let strip = self.strip(styles.get(column), formats, table.rows());
            self.known.push(Profile::new(strip, nulls, table.rows()));
            (self.pass, self.row) = (None, 0);
        }
        true
    }

    fn advance(&mut self, table: &Table, column: usize, data_type: &DataType) -> Result<bool> {
        let pass = match &mut self.pass {
            Some(pass) => pass,
            // Of nulls there is nothing to tell, nor of what could not be read.
            None if data_type.is_null() => return Ok(true),
            None if statistics::is_measured(data_type) => {
                self.pass.insert(Pass::Extent(f64::INFINITY, f64::NEG_INFINITY))
            }
            None => {
                let count = [(AggregateFunction::Count, Vec::new())];
                let state = GroupBy::try_new(std::slice::from_ref(data_type), &count)?;
                self.pass.insert(Pass::Values(Box::new(state)))
            }
        };
        let Some(slice) = table.slice(column, self.row, SLICE) else {
            let &mut Pass::Extent(low, high) = pass else { return Ok(true) };
            if low > high {
                return Ok(true);
            }
            let (low, high, bars) = statistics::edges(data_type, low, high, BARS);
            (self.pass, self.row) = (Some(Pass::Bins(low, high, vec![0; bars])), 0);
            return Ok(false);
        };
        self.row += slice.len();
        match pass {
            Pass::Extent(low, high) => {
                if let Some((least, greatest)) = statistics::extent(&[slice.as_ref()])? {
                    (*low, *high) = (low.min(least), high.max(greatest));
                }
            }
            Pass::Bins(low, high, counts) => {
                let found = statistics::histogram(&[slice.as_ref()], counts.len(), Some(*low..=*high))?;
                counts.iter_mut().zip(found.counts).for_each(|(count, more)| *count += more);
            }
            Pass::Values(state) => {
                state.update(slice.len(), &[slice.as_ref()], &[Vec::new()])?;
                return Ok(state.groups() > MOST_VALUES);
            }
        }
        Ok(false)
    }

    fn strip(&self, style: Option<&Style>, formats: &Formats, rows: usize) -> Strip {
        match &self.pass {
            Some(Pass::Bins(low, high, counts)) => {
                let counts: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
                bins((*low, *high), &counts)
            }
            Some(Pass::Values(state)) => values(state, style, formats, rows).unwrap_or_default(),
            _ => Strip::default(),
        }
    }
}

/// A histogram of so many values in each bin.
pub(crate) fn bins(axis: (f64, f64), counts: &[f64]) -> Strip {
    let most = counts.iter().fold(1.0, |most: f64, &count| most.max(count));
    let bars = counts.iter().map(|&count| count / most).collect();
    Strip { bars, axis, ..Strip::default() }
}

/// The most frequent values of a column whose values have been counted.
fn values(state: &GroupBy, style: Option<&Style>, formats: &Formats, rows: usize) -> Option<Strip> {
    if state.groups() > MOST_VALUES {
        return Some(top(0, &[], String::new(), rows));
    }
    let keys: ArrayRef = state.key_arrays().ok()?.into_iter().next()?;
    let counts = state.aggregate_arrays().ok()?.into_iter().next()?;
    let counts = counts.as_primitive_opt::<Int64Type>()?.values();
    let mut largest: Vec<usize> = Vec::new();
    for group in (0..counts.len()).filter(|&group| keys.is_valid(group)) {
        let at = largest.partition_point(|&other| counts[other] >= counts[group]);
        if at < TOP {
            largest.insert(at, group);
            largest.truncate(TOP);
        }
    }
    let mut text = String::new();
    format::write(keys.as_ref(), *largest.first()?, style, formats, &mut text);
    let counts: Vec<f64> = largest.iter().map(|&group| counts[group] as f64).collect();
    Some(top(state.groups(), &counts, text, rows))
}

/// A strip of the most frequent of so many values: their counts, and the first as text. Without counts there are too many.
pub(crate) fn top(values: usize, counts: &[f64], mut text: String, rows: usize) -> Strip {
    let Some(&first) = counts.first() else {
        text.push_str("many values");
        return Strip { text, ..Strip::default() };
    };
    let (part, rows) = (first as usize, rows.max(1));
    // A value that is one of hundreds says less than how many there are.
    if part * 100 < rows {
        text = values.to_string();
        text.push_str(" values");
        return Strip { text, ..Strip::default() };
    }
    text.push(' ');
    // A share of one in a hundred or more, as it is here, needs no decimals.
    text.push_str(&((part * 100 + rows / 2) / rows).to_string());
    text.push('%');
    let shares = counts.iter().take(TOP).map(|&count| count / rows as f64).collect();
    Strip { shares, text, ..Strip::default() }
}

/// A share in per cent: two digits are enough.
pub(crate) fn share(part: usize, whole: usize) -> String {
    let tenths = (part as f64 * 1_000.0 / whole.max(1) as f64).round() as usize;
    match (tenths, part) {
        (0, 0) => "0%".to_owned(),
        (0, _) => "<0.1%".to_owned(),
        (1..100, _) if !tenths.is_multiple_of(10) => {
            [&(tenths / 10).to_string(), ".", &(tenths % 10).to_string(), "%"].concat()
        }
        _ => [&((tenths + 5) / 10).to_string(), "%"].concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int32Array, RecordBatch, StringArray};

    use super::*;
    use crate::format::Zones;

    #[test]
    fn columns_are_summed_up_in_slices() {
        let rows = 100_000;
        let formats = Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' };
        let table = Table::of(
            RecordBatch::try_from_iter_with_nullable([
                (
                    "month",
                    Arc::new(Int32Array::from_iter((0..rows).map(|row| (row % 4 > 0).then_some(row % 12)))) as ArrayRef,
                    true,
                ),
                ("x", Arc::new(Float64Array::from_iter_values((0..rows).map(f64::from))) as ArrayRef, true),
                (
                    "town",
                    Arc::new(StringArray::from_iter_values((0..rows).map(|row| ["a", "b", "a"][row as usize % 3])))
                        as ArrayRef,
                    true,
                ),
                ("id", Arc::new(StringArray::from_iter_values((0..rows).map(|row| row.to_string()))) as ArrayRef, true),
            ])
            .unwrap(),
        );
        let mut profiles = Profiles::default();
        let mut steps = 0;
        while profiles.step(&table, &[], &formats) {
            steps += 1;
        }
        assert!(steps > 16, "{steps}");
        let month = profiles.of(0).unwrap();
        assert_eq!((month.strip.bars.len(), month.nulls.as_str()), (11, "25% null"));
        assert_eq!(month.strip.bars.iter().filter(|&&bar| bar > 0.0).count(), 9);
        assert_eq!(profiles.of(1).unwrap().strip.bars.len(), BARS);
        assert!(profiles.of(1).unwrap().strip.bars.iter().all(|&bar| bar > 0.99));
        assert_eq!(profiles.of(2).unwrap().strip.text, "a 67%");
        assert_eq!(profiles.of(2).unwrap().strip.shares.len(), 2);
        assert_eq!(profiles.of(3).unwrap().strip.text, "many values");
    }

    #[test]
    fn shares_are_short() {
        let told = [(0, 9), (1, 100_000), (1, 3), (25, 1_000), (995, 1_000), (9, 9), (1, 10)];
        assert_eq!(told.map(|(part, whole)| share(part, whole)), ["0%", "<0.1%", "33%", "2.5%", "100%", "100%", "10%"]);
    }
}
