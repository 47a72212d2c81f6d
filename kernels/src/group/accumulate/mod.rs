//! Accumulators: one number per group, updated column by column.
//!
//! Nulls never count. Integer sums are kept in 128 bits, so they do not depend on the order of rows or of
//! merges, and overflow is told when the result is read. Sums of floats are added in row order.

mod extremes;
mod number;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

use crate::query::AggregateFunction;
use crate::types::{self, Kind, Order, Width};
use crate::{Error, Result, bits};
use extremes::Extremes;
use number::Numbers;

/// The running value of one aggregate for every group.
#[derive(Debug)]
pub(super) enum Accumulator {
    Rows(Vec<i64>),
    Count(Vec<i64>),
    Integers {
        sums: Vec<i128>,
        counts: Vec<i64>,
        result: DataType,
    },
    Floats {
        sums: Vec<f64>,
        counts: Vec<i64>,
        mean: bool,
    },
    /// The mean of integers or decimals: the exact sum divided by count times ten to the scale.
    ExactMean {
        sums: Vec<i128>,
        counts: Vec<i64>,
        scale: i8,
    },
    Extremes(Extremes),
}

/// The type of an aggregate's result, or why there is none.
pub(crate) fn output_type(function: AggregateFunction, input: Option<&DataType>) -> Result<DataType> {
    use AggregateFunction as F;
    use DataType as D;
    let Some(input) = input else {
        return match function {
            F::Count => Ok(D::Int64),
            _ => Err(Error::InvalidPlan {
                reason: "an aggregate other than count needs a column",
                detail: function.name().to_owned(),
            }),
        };
    };
    let unsupported =
        || Error::UnsupportedAggregate { function: function.name(), column: String::new(), data_type: input.clone() };
    match function {
        F::Count => Ok(D::Int64),
        F::Min | F::Max => extremes::output_type(input).ok_or_else(unsupported),
        F::Sum | F::Mean => {
            let sum = match input {
                D::Int8 | D::Int16 | D::Int32 | D::Int64 => D::Int64,
                D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => D::UInt64,
                D::Float16 | D::Float32 | D::Float64 => D::Float64,
                D::Decimal32(_, scale) | D::Decimal64(_, scale) | D::Decimal128(_, scale) => D::Decimal128(38, *scale),
                D::Duration(unit) if function == F::Sum => D::Duration(*unit),
                _ => return Err(unsupported()),
            };
            Ok(if function == F::Mean { D::Float64 } else { sum })
        }
    }
}

impl Accumulator {
    pub(super) fn try_new(function: AggregateFunction, input: Option<&DataType>) -> Result<Self> {
        use AggregateFunction as F;
        let result = output_type(function, input)?;
        let Some(input) = input else { return Ok(Self::Rows(Vec::new())) };
        let is_float = matches!(types::kind(input), Kind::Fixed(_, Order::Float));
        Ok(match function {
            F::Count => Self::Count(Vec::new()),
            F::Min => Self::Extremes(Extremes::new(input, result, false)),
            F::Max => Self::Extremes(Extremes::new(input, result, true)),
            F::Sum | F::Mean if is_float => {
                Self::Floats { sums: Vec::new(), counts: Vec::new(), mean: function == F::Mean }
            }
            F::Sum => Self::Integers { sums: Vec::new(), counts: Vec::new(), result },
            F::Mean => {
                let scale = match input {
                    DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
                        *scale
                    }
                    _ => 0,
                };
                Self::ExactMean { sums: Vec::new(), counts: Vec::new(), scale }
            }
        })
    }

    /// Adds rows, each to its group; `groups` is the number of groups now.
    pub(super) fn update(&mut self, groups: usize, ids: &[u32], values: Option<&dyn Array>) -> Result<()> {
        match (self, values) {
            (Self::Rows(counts), _) => {
                counts.resize(groups, 0);
                ids.iter().for_each(|&id| counts[id as usize] += 1);
                Ok(())
            }
            (Self::Count(counts), Some(array)) => {
                counts.resize(groups, 0);
                let nulls = array.logical_nulls();
                for_each_valid(ids, nulls.as_ref(), |id, _| counts[id] += 1);
                Ok(())
            }
            (Self::Integers { sums, counts, .. } | Self::ExactMean { sums, counts, .. }, Some(array)) => {
                sums.resize(groups, 0);
                counts.resize(groups, 0);
                let nulls = array.nulls();
                match Numbers::try_new(array)? {
                    Numbers::Signed(values) => for_each_valid(ids, nulls, |id, row| {
                        sums[id] += i128::from(values[row]);
                        counts[id] += 1;
                    }),
                    Numbers::Unsigned(values) => for_each_valid(ids, nulls, |id, row| {
                        sums[id] += i128::from(values[row]);
                        counts[id] += 1;
                    }),
                    Numbers::Wide(values) => {
                        let mut overflow = false;
                        for_each_valid(ids, nulls, |id, row| {
                            let (sum, over) = sums[id].overflowing_add(values[row]);
                            sums[id] = sum;
                            overflow |= over;
                            counts[id] += 1;
                        });
                        if overflow {
                            return Err(sum_overflow());
                        }
                    }
                    Numbers::Float(_) => return Err(types::unsupported("sum", array.data_type())),
                }
                Ok(())
            }
            (Self::Floats { sums, counts, .. }, Some(array)) => {
                sums.resize(groups, 0.0);
                counts.resize(groups, 0);
                let Numbers::Float(values) = Numbers::try_new(array)? else {
                    return Err(types::unsupported("sum", array.data_type()));
                };
                for_each_valid(ids, array.nulls(), |id, row| {
                    sums[id] += values[row];
                    counts[id] += 1;
                });
                Ok(())
            }
            (Self::Extremes(extremes), Some(array)) => extremes.update(groups, ids, array),
            (_, None) => Err(Error::InvalidPlan {
                reason: "an aggregate other than count needs a column",
                detail: String::new(),
            }),
        }
    }

    /// Adds the groups of another accumulator of the same kind; `ids` are their numbers here.
    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        fn add<T: Copy + Default>(to: &mut Vec<T>, groups: usize, ids: &[u32], from: &[T], add: impl Fn(T, T) -> T) {
            to.resize(groups, T::default());
            for (&id, &value) in ids.iter().zip(from) {
                let sum = &mut to[id as usize];
                *sum = add(*sum, value);
            }
        }
        let plus = |a: i64, b: i64| a + b;
        match (self, other) {
            (Self::Rows(to), Self::Rows(from)) | (Self::Count(to), Self::Count(from)) => {
                add(to, groups, ids, from, plus);
            }
            (Self::Integers { sums, counts, .. }, Self::Integers { sums: other_sums, counts: other_counts, .. })
            | (Self::ExactMean { sums, counts, .. }, Self::ExactMean { sums: other_sums, counts: other_counts, .. }) => {
                let overflow = std::cell::Cell::new(false);
                add(sums, groups, ids, other_sums, |a: i128, b| {
                    let (sum, over) = a.overflowing_add(b);
                    overflow.set(overflow.get() | over);
                    sum
                });
                if overflow.get() {
                    return Err(sum_overflow());
                }
                add(counts, groups, ids, other_counts, plus);
            }
            (Self::Floats { sums, counts, .. }, Self::Floats { sums: other_sums, counts: other_counts, .. }) => {
                add(sums, groups, ids, other_sums, |a, b| a + b);
                add(counts, groups, ids, other_counts, plus);
            }
            (Self::Extremes(to), Self::Extremes(from)) => return to.merge(groups, ids, from),
            _ => {
                return Err(Error::InvalidPlan {
                    reason: "states of different aggregates do not merge",
                    detail: String::new(),
                });
            }
        }
        Ok(())
    }

    /// The result for every group.
    pub(super) fn array(&self, groups: usize) -> Result<ArrayRef> {
        let padded =
            |counts: &[i64]| -> Vec<i64> { counts.iter().copied().chain(std::iter::repeat(0)).take(groups).collect() };
        let some = |counts: &[i64]| -> Option<NullBuffer> {
            bits::nulls_from_bits(BooleanBuffer::collect_bool(groups, |group| {
                counts.get(group).is_some_and(|&count| count > 0)
            }))
        };
        match self {
            Self::Rows(counts) | Self::Count(counts) => Ok(Arc::new(Int64Array::from(padded(counts)))),
            Self::Integers { sums, counts, result } => integer_sums(sums, groups, some(counts), result),
            Self::Floats { sums, counts, mean } => {
                let values: Vec<f64> = (0..groups)
                    .map(|group| {
                        let sum = sums.get(group).copied().unwrap_or(0.0);
                        if *mean { sum / counts.get(group).map_or(1.0, |&count| count.max(1) as f64) } else { sum }
                    })
                    .collect();
                Ok(Arc::new(Float64Array::new(values.into(), some(counts))))
            }
            Self::ExactMean { sums, counts, scale } => {
                let unit = 10f64.powi(i32::from(*scale));
                let values: Vec<f64> = (0..groups)
                    .map(|group| {
                        let count = counts.get(group).map_or(1, |&count| count.max(1));
                        sums.get(group).copied().unwrap_or(0) as f64 / count as f64 / unit
                    })
                    .collect();
                Ok(Arc::new(Float64Array::new(values.into(), some(counts))))
            }
            Self::Extremes(extremes) => extremes.array(groups),
        }
    }
}

fn sum_overflow() -> Error {
    Error::Overflow { operation: "sum", column: String::new() }
}

fn integer_sums(sums: &[i128], groups: usize, nulls: Option<NullBuffer>, result: &DataType) -> Result<ArrayRef> {
    let sums = || sums.iter().copied().chain(std::iter::repeat(0)).take(groups);
    match result {
        DataType::UInt64 => {
            let words = sums().map(u64::try_from).collect::<Result<Vec<_>, _>>().map_err(|_| sum_overflow())?;
            Ok(Arc::new(UInt64Array::new(words.into(), nulls)))
        }
        DataType::Decimal128(precision, scale) => {
            let limit = 10i128.pow(u32::from(*precision));
            if sums().any(|sum| sum <= -limit || sum >= limit) {
                return Err(sum_overflow());
            }
            let array = Decimal128Array::new(sums().collect::<Vec<_>>().into(), nulls);
            Ok(Arc::new(array.with_precision_and_scale(*precision, *scale)?))
        }
        _ => {
            let words = sums().map(i64::try_from).collect::<Result<Vec<_>, _>>().map_err(|_| sum_overflow())?;
            types::make_fixed(result, words, nulls, "sum")
        }
    }
}

/// Calls `each(group, row)` for every row that is not null.
#[inline(always)]
fn for_each_valid(ids: &[u32], nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, usize)) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => ids.iter().enumerate().for_each(|(row, &id)| each(id as usize, row)),
        Some(nulls) => bits::for_each_set(nulls.inner(), |row| each(ids[row] as usize, row)),
    }
}

/// The boolean values of an array as words.
fn boolean_words(array: &dyn Array) -> Vec<u64> {
    array.as_boolean().values().iter().map(u64::from).collect()
}

/// Whether a width fits 64 bits.
fn is_narrow(width: Width) -> bool {
    matches!(width, Width::W1 | Width::W2 | Width::W4 | Width::W8)
}
