//! How the values of a column lie between its least and its greatest one.

use std::ops::RangeInclusive;

use arrow_array::Array;
use arrow_schema::DataType;

use crate::group::floats;
use crate::types::{self, Kind, Order, Width, one_type};
use crate::{Error, Result, bits};

/// Counts of values in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Where the first bin begins.
    pub low: f64,
    /// Where the last bin ends. A value that lies here is counted in the last bin.
    pub high: f64,
    /// Values of each bin. A bin holds its lower edge and not its upper one, but for the last.
    pub counts: Vec<u64>,
    /// Values below `low`, −∞ among them.
    pub below: u64,
    /// Values above `high`, ∞ among them.
    pub above: u64,
    /// Values that are no numbers.
    pub nan: u64,
    /// Nulls.
    pub nulls: u64,
}

/// Counts the values of a column of numbers, dates or times in `bins` bins over `range`, or, without one, from the
/// least to the greatest finite value.
///
/// Dates and times are numbers of their own unit (days for `Date32`), decimals what they stand for. When a column of
/// whole numbers spans no more values than there are bins, each value has a bin of its own, around it. One pass, or two
/// without a range; `O(rows + bins)`.
///
/// # Errors
/// [`Error::UnsupportedType`] for other types; [`Error::SchemaMismatch`] when the chunks' types differ;
/// [`Error::InvalidPlan`] for no bins, more than 65,536 of them, or a range that is empty or not finite.
///
/// ```
/// # use arrow_array::Float64Array;
/// let column = Float64Array::from(vec![0.0, 0.5, 1.5, 4.0, f64::NAN]);
/// let histogram = kernels::statistics::histogram(&[&column], 4, None)?;
/// assert_eq!((histogram.counts, histogram.nan), (vec![2, 1, 0, 1], 1));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn histogram(chunks: &[&dyn Array], bins: usize, range: Option<RangeInclusive<f64>>) -> Result<Histogram> {
    let invalid = |reason| Error::invalid_plan(reason, "");
    if bins == 0 || bins > MOST_BINS {
        return Err(invalid("a histogram has 1 to 65536 bins"));
    }
    let mut histogram = Histogram { low: 0.0, high: 0.0, counts: vec![0; bins], below: 0, above: 0, nan: 0, nulls: 0 };
    let Some(data_type) = one_type(chunks)? else { return Ok(histogram) };
    (histogram.low, histogram.high) = match range {
        Some(range) => (*range.start(), *range.end()),
        None => match extent(chunks)? {
            Some((low, high)) => {
                let (low, high, bins) = edges(data_type, low, high, bins);
                histogram.counts.truncate(bins);
                (low, high)
            }
            None => (0.0, 1.0),
        },
    };
    let (low, high) = (histogram.low, histogram.high);
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(invalid("a histogram needs a range that is finite and not empty"));
    }
    let bins = histogram.counts.len();
    let unit = unit(low, high, bins);
    let (start, scale) = (low * unit, bins as f64 / (high * unit - low * unit));
    for chunk in chunks {
        let Histogram { counts, below, above, nan, .. } = &mut histogram;
        for_each_number(*chunk, |value| {
            if value >= low && value <= high {
                counts[(((value * unit - start) * scale) as usize).min(bins - 1)] += 1;
            } else if value.is_nan() {
                *nan += 1;
            } else {
                *(if value < low { &mut *below } else { &mut *above }) += 1;
            }
        })?;
        histogram.nulls += chunk.null_count() as u64;
    }
    Ok(histogram)
}

const MOST_BINS: usize = 1 << 16;

/// What to measure in (a power of two), so that neither the width of a range nor that of its bins leaves what an `f64`
/// can hold.
fn unit(low: f64, high: f64, bins: usize) -> f64 {
    let width = high - low;
    let tiny = 2f64.powi(-900);
    if width.is_infinite() {
        0.5
    } else if width < tiny * bins as f64 {
        // The ends lie as near to zero: two numbers that differ by so little are themselves below 2⁵³ times this.
        1.0 / tiny
    } else {
        1.0
    }
}

/// Calls `each` with every value that is not null.
#[inline(always)]
fn for_each_number(chunk: &dyn Array, mut each: impl FnMut(f64)) -> Result<()> {
    let numbers = floats(chunk)?;
    match chunk.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => numbers.iter().for_each(|&value| each(value)),
        Some(nulls) => bits::for_each_set(nulls.inner(), |row| each(numbers[row])),
    }
    Ok(())
}

/// The least and the greatest finite value of a column of numbers, dates or times, in the numbers that [`histogram`]
/// counts; `None` when there is none. One pass; `O(rows)`.
///
/// # Errors
/// [`Error::UnsupportedType`] for other types.
pub fn extent(chunks: &[&dyn Array]) -> Result<Option<(f64, f64)>> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for chunk in chunks {
        for_each_number(*chunk, |value| {
            if value.is_finite() {
                low = low.min(value);
                high = high.max(value);
            }
        })?;
    }
    Ok((low <= high).then_some((low, high)))
}

/// Whether a column's values lie on a line, so that [`histogram`] counts them: numbers, dates and times.
#[must_use]
pub fn is_measured(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_temporal() && !matches!(data_type, DataType::Interval(_))
}

/// Where [`histogram`] begins and ends, and its bins, for values from `low` to `high`: one bin for each value when whole
/// numbers are few.
#[must_use]
pub fn edges(data_type: &DataType, low: f64, high: f64, bins: usize) -> (f64, f64, usize) {
    let whole = matches!(types::kind(data_type), Kind::Fixed(Width::W1 | Width::W2 | Width::W4 | Width::W8, order) if order != Order::Float)
        && !data_type.is_decimal();
    if whole && high - low < bins as f64 {
        return (low - 0.5, high + 0.5, (high - low) as usize + 1);
    }
    if low == high {
        // A bin around the value, whatever its size.
        let margin = (low.abs() * 1e-9).max(0.5);
        return ((low - margin).max(f64::MIN), (high + margin).min(f64::MAX), bins);
    }
    (low, high, bins)
}
