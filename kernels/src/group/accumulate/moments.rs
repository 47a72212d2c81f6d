//! Variance, standard deviation and correlation, from sums about a shift.
//!
//! Each group's values are taken less the group's first value `K`, and their sums and sums of squares are kept. Since
//! `K` is one of the values, `(K - mean)²` is at most `n` times the variance, so that the difference of the two sums
//! loses at most a factor `n` of precision, wherever the values lie; without a shift it would lose everything for
//! values far from zero. (Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance", 1983.) Two states are
//! joined by moving one to the other's shift.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};

use super::floats::{floats, mismatch};
use super::{float_array, for_each_valid};
use crate::{Result, bits};

/// What is made of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) enum Moment {
    Variance,
    Stddev,
    Correlation,
}

/// Sums of one column.
#[derive(Debug, Clone, Copy, Default)]
struct One {
    count: f64,
    shift: f64,
    sum: f64,
    squares: f64,
}

/// Sums of two columns, over the rows where both have a value.
#[derive(Debug, Clone, Copy, Default)]
struct Two {
    x: One,
    y_shift: f64,
    y_sum: f64,
    y_squares: f64,
    products: f64,
}

impl One {
    #[inline(always)]
    fn add(&mut self, value: f64) {
        if self.count == 0.0 {
            self.shift = value;
        }
        let distance = value - self.shift;
        self.count += 1.0;
        self.sum += distance;
        self.squares += distance * distance;
    }

    fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            *self = *other;
        } else if other.count > 0.0 {
            let step = other.shift - self.shift;
            self.squares += other.squares + 2.0 * step * other.sum + other.count * step * step;
            self.sum += other.sum + other.count * step;
            self.count += other.count;
        }
    }

    /// The sum of the squared distances from the mean.
    fn deviation(&self) -> f64 {
        // Rounding may leave a little less than nothing; `max` would swallow a NaN.
        let deviation = self.squares - self.sum * self.sum / self.count;
        if deviation < 0.0 { 0.0 } else { deviation }
    }

    fn variance(&self) -> Option<f64> {
        (self.count >= 2.0).then(|| self.deviation() / (self.count - 1.0))
    }
}

impl Two {
    fn y(&self) -> One {
        One { count: self.x.count, shift: self.y_shift, sum: self.y_sum, squares: self.y_squares }
    }

    #[inline(always)]
    fn add(&mut self, x: f64, y: f64) {
        if self.x.count == 0.0 {
            self.y_shift = y;
        }
        self.x.add(x);
        let (dx, dy) = (x - self.x.shift, y - self.y_shift);
        self.y_sum += dy;
        self.y_squares += dy * dy;
        self.products += dx * dy;
    }

    fn merge(&mut self, other: &Self) {
        if self.x.count == 0.0 {
            *self = *other;
        } else if other.x.count > 0.0 {
            let (step_x, step_y) = (other.x.shift - self.x.shift, other.y_shift - self.y_shift);
            self.products +=
                other.products + step_x * other.y_sum + step_y * other.x.sum + other.x.count * step_x * step_y;
            let mut y = self.y();
            y.merge(&other.y());
            self.x.merge(&other.x);
            (self.y_sum, self.y_squares) = (y.sum, y.squares);
        }
    }

    /// Undefined for fewer than two rows and where a column does not vary.
    fn correlation(&self) -> Option<f64> {
        if self.x.count < 2.0 {
            return None;
        }
        let together = self.products - self.x.sum * self.y_sum / self.x.count;
        let apart = (self.x.deviation() * self.y().deviation()).sqrt();
        (apart != 0.0).then(|| (together / apart).clamp(-1.0, 1.0))
    }
}

/// The sums of every group.
#[derive(Debug)]
pub(in crate::group) struct Moments {
    moment: Moment,
    one: Vec<One>,
    two: Vec<Two>,
}

impl Moments {
    pub(super) fn new(moment: Moment) -> Self {
        Self { moment, one: Vec::new(), two: Vec::new() }
    }

    pub(super) fn update(&mut self, groups: usize, ids: &[u32], values: &[&dyn Array]) -> Result<()> {
        match values {
            [array] => {
                self.one.resize(groups, One::default());
                let (numbers, states) = (floats(*array)?, &mut self.one[..]);
                for_each_valid(ids, array.nulls(), |id, row| states[id].add(numbers[row]));
            }
            [x, y] => {
                self.two.resize(groups, Two::default());
                let nulls = bits::both_valid(x.nulls(), y.nulls());
                let (x, y, states) = (floats(*x)?, floats(*y)?, &mut self.two[..]);
                for_each_valid(ids, nulls.as_ref(), |id, row| states[id].add(x[row], y[row]));
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) {
        self.one.resize(groups.min(self.one.len().max(other.one.len() * groups)), One::default());
        self.two.resize(groups.min(self.two.len().max(other.two.len() * groups)), Two::default());
        ids.iter().zip(&other.one).for_each(|(&id, other)| self.one[id as usize].merge(other));
        ids.iter().zip(&other.two).for_each(|(&id, other)| self.two[id as usize].merge(other));
    }

    pub(super) fn array(&self, groups: Range<usize>) -> Result<ArrayRef> {
        let one = |group: usize| self.one.get(group).and_then(One::variance);
        let value = |group: usize| match self.moment {
            Moment::Variance => one(group),
            Moment::Stddev => one(group).map(f64::sqrt),
            Moment::Correlation => self.two.get(group).and_then(Two::correlation),
        };
        float_array(groups, value)
    }
}
