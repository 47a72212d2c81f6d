//! Accumulators: one number per group, updated column by column.
//!
//! Nulls never count. Integer sums are kept in 128 bits, so they do not depend on the order of rows or of
//! merges, and overflow is told when the result is read. Sums of floats are added in row order.

mod distinct;
mod extremes;
mod floats;
#[cfg(feature = "lists")]
mod list;
mod long;
mod moments;
mod number;
mod place;
mod quantile;

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::error::UnsupportedAggregate;
use crate::query::AggregateFunction;
use crate::types::{self, Kind, Order, Width};
use crate::{Error, Result, bits};
use distinct::Distinct;
use extremes::Extremes;
pub(crate) use floats::floats;
use floats::{mismatch, scale_of};
#[cfg(feature = "lists")]
use list::{Lists, Top};
use long::Long;
use moments::{Moment, Moments};
use number::IntegerSums;
use place::Place;
use quantile::Quantile;

/// The running value of one aggregate for every group.
#[derive(Debug)]
pub(super) enum Accumulator {
    Rows,
    /// How many rows of each group are null; as long as the last group that had one.
    Count {
        missing: Vec<i64>,
    },
    Integers {
        sums: IntegerSums,
        seen: Seen,
        result: DataType,
    },
    Floats {
        sums: Vec<f64>,
        seen: Seen,
    },
    FloatMean {
        sums: Vec<f64>,
        missing: Vec<i64>,
    },
    /// The mean of integers or decimals: the exact sum divided by count times ten to the scale.
    ExactMean {
        sums: IntegerSums,
        missing: Vec<i64>,
        scale: i8,
    },
    Long(Long),
    Extremes(Extremes),
    Moments(Moments),
    Quantile(Quantile),
    Distinct(Box<Distinct>),
    Place(Place),
    #[cfg(feature = "lists")]
    Lists(Lists),
    #[cfg(feature = "lists")]
    Top(Top),
}

/// The type of an aggregate's result, or why there is none.
pub(crate) fn output_type(function: AggregateFunction, inputs: &[DataType]) -> Result<DataType> {
    use AggregateFunction as F;
    use DataType as D;
    let expected = match (function, inputs) {
        (F::Count, []) => return Ok(D::Int64),
        (F::Correlation, _) => 2,
        _ => 1,
    };
    if inputs.len() != expected {
        let reason = if expected == 1 {
            "an aggregate other than count needs a column"
        } else {
            "a correlation needs two columns"
        };
        return Err(Error::invalid_plan(reason, function.name()));
    }
    let input = &inputs[0];
    let unsupported = |input: &DataType| {
        let function = function.name();
        let unsupported = UnsupportedAggregate { function, column: String::new(), data_type: input.clone() };
        Box::new(Error::UnsupportedAggregate(unsupported))
    };
    match function {
        F::Count => Ok(D::Int64),
        F::CountDistinct => Distinct::try_new(input).map(|_| D::Int64).map_err(|_| unsupported(input)),
        F::Min | F::Max => extremes::output_type(input).ok_or_else(|| unsupported(input)),
        F::Sum | F::Mean => {
            let sum = match input {
                D::Int8 | D::Int16 | D::Int32 | D::Int64 => D::Int64,
                D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => D::UInt64,
                D::Float16 | D::Float32 | D::Float64 => D::Float64,
                D::Decimal32(_, scale) | D::Decimal64(_, scale) | D::Decimal128(_, scale) => D::Decimal128(38, *scale),
                D::Decimal256(_, scale) => long::sum_type(*scale),
                D::Duration(unit) if function == F::Sum => D::Duration(*unit),
                _ => return Err(unsupported(input)),
            };
            Ok(if function == F::Mean { D::Float64 } else { sum })
        }
        F::Variance | F::Stddev | F::Median | F::Quantile(_) | F::Correlation => {
            match inputs.iter().find(|input| !floats::is_number(input)) {
                None => Ok(D::Float64),
                Some(other) => Err(unsupported(other)),
            }
        }
        F::First | F::Last | F::Any => match types::kind(input) {
            Kind::Nested if !cfg!(feature = "nested") => Err(unsupported(input)),
            _ => Ok(input.clone()),
        },
        #[cfg(feature = "lists")]
        F::Top(most) => Top::new(input, most).map(|_| list::list_type(input)).ok_or_else(|| unsupported(input)),
        #[cfg(feature = "lists")]
        F::List => Ok(list::list_type(input)),
        #[cfg(not(feature = "lists"))]
        F::Top(_) | F::List => Err(unsupported(input)),
    }
}

impl Accumulator {
    pub(super) fn try_new(function: AggregateFunction, inputs: &[DataType]) -> Result<Self> {
        use AggregateFunction as F;
        let result = output_type(function, inputs)?;
        let Some(input) = inputs.first() else { return Ok(Self::Rows) };
        let is_float = matches!(types::kind(input), Kind::Fixed(_, Order::Float));
        Ok(match function {
            F::Count => Self::Count { missing: Vec::new() },
            F::CountDistinct => Self::Distinct(Box::new(Distinct::try_new(input)?)),
            F::Min => Self::Extremes(Extremes::new(input, result, false)),
            F::Max => Self::Extremes(Extremes::new(input, result, true)),
            F::Sum | F::Mean if matches!(input, DataType::Decimal256(..)) => {
                Self::Long(Long::new(scale_of(input), function == F::Mean))
            }
            F::Sum if is_float => Self::Floats { sums: Vec::new(), seen: Seen::default() },
            F::Mean if is_float => Self::FloatMean { sums: Vec::new(), missing: Vec::new() },
            F::Sum => Self::Integers { sums: IntegerSums::default(), seen: Seen::default(), result },
            F::Mean => Self::ExactMean { sums: IntegerSums::default(), missing: Vec::new(), scale: scale_of(input) },
            F::Variance => Self::Moments(Moments::new(Moment::Variance)),
            F::Stddev => Self::Moments(Moments::new(Moment::Stddev)),
            F::Correlation => Self::Moments(Moments::new(Moment::Correlation)),
            F::Median => Self::Quantile(Quantile::new(0.5)),
            F::Quantile(fraction) => Self::Quantile(Quantile::new(fraction.get())),
            F::First | F::Any => Self::Place(Place::new(input, false)),
            F::Last => Self::Place(Place::new(input, true)),
            #[cfg(feature = "lists")]
            F::List => Self::Lists(Lists::new(input)),
            #[cfg(feature = "lists")]
            F::Top(most) => Self::Top(Top::new(input, most).ok_or_else(|| types::unsupported("top", input))?),
            #[cfg(not(feature = "lists"))]
            F::Top(_) | F::List => return Err(types::unsupported("list", input)),
        })
    }

    /// Whether values of single rows are kept.
    pub(super) fn keeps_values(&self) -> bool {
        match self {
            Self::Quantile(_) | Self::Distinct(_) => true,
            #[cfg(feature = "lists")]
            Self::Lists(_) => true,
            _ => false,
        }
    }

    /// Whether the result needs the number of rows of each group.
    pub(super) fn needs_rows(&self) -> bool {
        matches!(self, Self::Rows | Self::Count { .. } | Self::FloatMean { .. } | Self::ExactMean { .. })
    }

    /// Adds rows, each to its group; `groups` is the number of groups now.
    pub(super) fn update(&mut self, groups: usize, ids: &[u32], values: &[ArrayRef]) -> Result<()> {
        let Some(array) = values.first().map(AsRef::as_ref) else {
            return match self {
                Self::Rows => Ok(()),
                _ => Err(Error::invalid_plan("an aggregate other than count needs a column", "")),
            };
        };
        match self {
            Self::Rows => {}
            Self::Count { missing } => count_missing(missing, groups, ids, array.logical_nulls().as_ref()),
            Self::Integers { sums, seen, .. } => {
                seen.update(groups, ids, array.nulls());
                sums.update(groups, ids, array)?;
            }
            Self::ExactMean { sums, missing, .. } => {
                count_missing(missing, groups, ids, array.nulls());
                sums.update(groups, ids, array)?;
            }
            Self::Floats { sums, seen } => {
                seen.update(groups, ids, array.nulls());
                number::add_floats(sums, groups, ids, array)?;
            }
            Self::FloatMean { sums, missing } => {
                count_missing(missing, groups, ids, array.nulls());
                number::add_floats(sums, groups, ids, array)?;
            }
            Self::Long(sums) => sums.update(groups, ids, array)?,
            Self::Extremes(extremes) => extremes.update(groups, ids, array)?,
            Self::Moments(moments) => {
                let values: Vec<&dyn Array> = values.iter().map(|values| values.as_ref()).collect();
                moments.update(groups, ids, &values)?;
            }
            Self::Quantile(quantile) => quantile.update(ids, array)?,
            Self::Distinct(distinct) => distinct.update(groups, ids, array)?,
            Self::Place(place) => place.update(groups, ids, array)?,
            #[cfg(feature = "lists")]
            Self::Lists(lists) => lists.update(ids, array),
            #[cfg(feature = "lists")]
            Self::Top(top) => top.update(groups, ids, array)?,
        }
        Ok(())
    }

    /// Adds the groups of another accumulator of the same kind; `ids` are their numbers here.
    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        match (self, other) {
            (Self::Rows, Self::Rows) => {}
            (Self::Count { missing: to }, Self::Count { missing: from }) => add(to, groups, ids, from, |a, b| a + b),
            (Self::Integers { sums, seen, .. }, Self::Integers { sums: from, seen: others, .. }) => {
                sums.merge(groups, ids, from)?;
                seen.merge(groups, ids, others);
            }
            (Self::ExactMean { sums, missing, .. }, Self::ExactMean { sums: from, missing: others, .. }) => {
                sums.merge(groups, ids, from)?;
                add(missing, groups, ids, others, |a, b| a + b);
            }
            (Self::Floats { sums, seen }, Self::Floats { sums: from, seen: others }) => {
                add(sums, groups, ids, from, |a, b| a + b);
                seen.merge(groups, ids, others);
            }
            (Self::FloatMean { sums, missing }, Self::FloatMean { sums: from, missing: others }) => {
                add(sums, groups, ids, from, |a, b| a + b);
                add(missing, groups, ids, others, |a, b| a + b);
            }
            (Self::Long(to), Self::Long(from)) => to.merge(groups, ids, from)?,
            (Self::Extremes(to), Self::Extremes(from)) => to.merge(groups, ids, from)?,
            (Self::Moments(to), Self::Moments(from)) => to.merge(groups, ids, from),
            (Self::Quantile(to), Self::Quantile(from)) => to.merge(ids, from)?,
            (Self::Distinct(to), Self::Distinct(from)) => to.merge(groups, ids, from)?,
            (Self::Place(to), Self::Place(from)) => to.merge(groups, ids, from)?,
            #[cfg(feature = "lists")]
            (Self::Lists(to), Self::Lists(from)) => to.merge(ids, from),
            #[cfg(feature = "lists")]
            (Self::Top(to), Self::Top(from)) => to.merge(groups, ids, from)?,
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    /// The result for each of some groups; `rows` are the rows of all groups, where they were asked for.
    pub(super) fn array(&self, groups: Range<usize>, rows: &[i64]) -> Result<ArrayRef> {
        let rows_of = |group: usize| rows.get(group).copied().unwrap_or(0);
        let count = |missing: &[i64], group: usize| rows_of(group) - missing.get(group).copied().unwrap_or(0);
        let counts = |missing: &[i64]| -> Result<ArrayRef> {
            let counts: Vec<i64> = groups.clone().map(|group| count(missing, group)).collect();
            types::make_fixed(&DataType::Int64, counts, None, "count")
        };
        let mean = |missing: &[i64], sum: &dyn Fn(usize) -> f64, unit: f64| -> Result<ArrayRef> {
            float_array(groups.clone(), |group| match count(missing, group) {
                0 => None,
                // Count first, then scale: the order in which a person would divide.
                n => Some(sum(group) / n as f64 / unit),
            })
        };
        match self {
            Self::Rows => counts(&[]),
            Self::Count { missing } => counts(missing),
            Self::Integers { sums, seen, result } => {
                integer_sums(groups.clone().map(|group| sums.get(group)).collect(), seen.nulls(groups), result)
            }
            Self::Floats { sums, seen } => {
                let values: Vec<f64> = groups.clone().map(|group| sums.get(group).copied().unwrap_or(0.0)).collect();
                types::make_fixed(&DataType::Float64, values, seen.nulls(groups), "sum")
            }
            Self::FloatMean { sums, missing } => mean(missing, &|group| sums.get(group).copied().unwrap_or(0.0), 1.0),
            Self::ExactMean { sums, missing, scale } => {
                mean(missing, &|group| sums.get(group) as f64, 10f64.powi(i32::from(*scale)))
            }
            Self::Long(sums) => sums.array(groups),
            Self::Extremes(extremes) => extremes.array(groups),
            Self::Moments(moments) => moments.array(groups),
            Self::Quantile(quantile) => quantile.array(groups),
            Self::Distinct(distinct) => distinct.array(groups),
            Self::Place(place) => place.array(groups),
            #[cfg(feature = "lists")]
            Self::Lists(lists) => Ok(lists.array(groups.end)?.slice(groups.start, groups.len())),
            #[cfg(feature = "lists")]
            Self::Top(top) => Ok(top.array(groups.end)?.slice(groups.start, groups.len())),
        }
    }
}

/// One float or null for each of some groups.
fn float_array(groups: Range<usize>, value: impl Fn(usize) -> Option<f64>) -> Result<ArrayRef> {
    fn build(groups: Range<usize>, value: impl Fn(usize) -> Option<f64>) -> Result<ArrayRef> {
        let mut values = Vec::with_capacity(groups.len());
        let nulls = bits::nulls_from_bits(bits::collect(groups.len(), |at| {
            let value = value(groups.start + at);
            values.push(value.unwrap_or(0.0));
            value.is_some()
        }));
        types::make_fixed(&DataType::Float64, values, nulls, "a float")
    }
    // One loop for all, which it calls through a pointer.
    if cfg!(feature = "small") { build(groups, &value as &dyn Fn(usize) -> Option<f64>) } else { build(groups, value) }
}

/// Adds values to the groups that they have here.
fn add<T: Copy + Default>(to: &mut Vec<T>, groups: usize, ids: &[u32], from: &[T], add: impl Fn(T, T) -> T) {
    to.resize(groups, T::default());
    for (&id, &value) in ids.iter().zip(from) {
        let sum = &mut to[id as usize];
        *sum = add(*sum, value);
    }
}

/// Counts each group's nulls. Without nulls nothing is touched.
fn count_missing(missing: &mut Vec<i64>, groups: usize, ids: &[u32], nulls: Option<&NullBuffer>) {
    if let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) {
        missing.resize(groups, 0);
        ids.iter().enumerate().filter(|(row, _)| nulls.is_null(*row)).for_each(|(_, &id)| missing[id as usize] += 1);
    }
}

/// Which groups have had a value that is not null. While no null has been met, all that there are.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// As long as the groups that are known here.
    seen: Vec<bool>,
    any_null: bool,
    /// Whether rows have come at all: without keys there is a group of no rows.
    any_row: bool,
}

impl Seen {
    fn update(&mut self, groups: usize, ids: &[u32], nulls: Option<&NullBuffer>) {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if nulls.is_none() && !self.any_null {
            self.any_row |= !ids.is_empty();
            // Every group has a row by now, and no row was null.
            self.seen.resize(if self.any_row { groups } else { 0 }, true);
            return;
        }
        self.any_null = true;
        self.seen.resize(groups, false);
        for_each_valid(ids, nulls, |id, _| self.seen[id] = true);
    }

    fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) {
        self.any_null = true;
        self.seen.resize(groups, false);
        for (&id, &seen) in ids.iter().zip(&other.seen) {
            self.seen[id as usize] |= seen;
        }
    }

    fn nulls(&self, groups: Range<usize>) -> Option<NullBuffer> {
        let seen = |at: usize| self.seen.get(groups.start + at).copied().unwrap_or(false);
        bits::nulls_from_bits(bits::collect(groups.len(), seen))
    }
}

fn sum_overflow() -> Box<Error> {
    Error::overflow("sum")
}

fn integer_sums(sums: Vec<i128>, nulls: Option<NullBuffer>, result: &DataType) -> Result<ArrayRef> {
    let (least, greatest) = match result {
        DataType::UInt64 => (0, u64::MAX.into()),
        DataType::Decimal128(precision, _) => {
            let limit = 10i128.pow(u32::from(*precision));
            (1 - limit, limit - 1)
        }
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    if sums.iter().any(|&sum| sum < least || sum > greatest) {
        return Err(sum_overflow());
    }
    if let DataType::Decimal128(..) = result {
        return types::make_fixed(result, sums, nulls, "sum");
    }
    let words: Vec<u64> = sums.into_iter().map(|sum| sum as u64).collect();
    types::make_fixed(result, words, nulls, "sum")
}

/// Calls `each(group, row)` for every row that is not null.
#[inline(always)]
fn for_each_valid(ids: &[u32], nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, usize)) {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    #[cfg(feature = "small")]
    for (at, ids) in (0..).step_by(64).zip(ids.chunks(64)) {
        // What is done with a row is there once.
        let mut valid = nulls.map_or(u64::MAX, |nulls| bits::word(nulls.inner(), at));
        for (row, &id) in (at..).zip(ids) {
            if valid & 1 != 0 {
                each(id as usize, row);
            }
            valid >>= 1;
        }
    }
    #[cfg(not(feature = "small"))]
    match nulls {
        None => ids.iter().enumerate().for_each(|(row, &id)| each(id as usize, row)),
        Some(nulls) => bits::for_each_set(nulls.inner(), |row| each(ids[row] as usize, row)),
    }
}

/// Whether a width fits 64 bits.
fn is_narrow(width: Width) -> bool {
    matches!(width, Width::W1 | Width::W2 | Width::W4 | Width::W8)
}
