//! Lines of numbers: values to pixels and back, and round marks along them with short labels.

use crate::format;

/// A straight line from values to pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The pixel of `low`.
    pub(crate) from: f64,
    /// The pixel of `high`.
    pub(crate) to: f64,
}

impl Scale {
    /// Half of the line: the span of any two numbers may be more than a number.
    fn half(&self) -> f64 {
        self.high / 2.0 - self.low / 2.0
    }

    /// The pixel of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let half = self.half();
        let part = if half == 0.0 { 0.5 } else { (value / 2.0 - self.low / 2.0) / half };
        self.from + part * (self.to - self.from)
    }

    /// The value of a pixel, between the ends.
    pub(crate) fn back(&self, pixel: f64) -> f64 {
        let part = ((pixel - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        (self.low / 2.0 + part * self.half()) * 2.0
    }
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

/// The least of 1, 2, 5, 10, 20 … that cuts a span into at most so many parts.
pub(crate) fn step(span: f64, most: f64) -> f64 {
    let rough = span / most.max(1.0);
    if !(rough > 0.0 && rough.is_finite()) {
        return 1.0;
    }
    let mut power = 1.0;
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    while power > rough {
        power /= 10.0;
    }
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// Decimals that show multiples of a step.
pub(crate) fn decimals(step: f64) -> u8 {
    let mut decimals = 0;
    let mut scaled = step.abs();
    while decimals < 12 && (scaled - scaled.round()).abs() > 1e-6 * scaled {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

/// Round marks between two numbers; `whole` numbers have none between them.
pub(crate) fn ticks(low: f64, high: f64, most: f64, whole: bool, separator: char) -> Vec<Tick> {
    let mut step = step(high - low, most);
    if whole {
        step = step.max(1.0);
    }
    let size = low.abs().max(high.abs());
    // A suffix that would need many decimals says less than the digits.
    let suffixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")];
    let suffix = suffixes.into_iter().find(|&(from, _)| size >= from && size < 1e15);
    let (unit, suffix) = suffix.map_or((1.0, ""), |(from, suffix)| (if from == 1e4 { 1e3 } else { from }, suffix));
    let (unit, suffix) = if decimals(step / unit) > 3 { (1.0, "") } else { (unit, suffix) };
    let fixed = Some((decimals(step / unit), grouped(size, separator)));
    let mut ticks = Vec::new();
    let mut number = (low / step - 1e-9).ceil();
    while number * step <= high + step * 1e-9 && ticks.len() < 100 {
        let at = number * step;
        let mut label = String::new();
        if at == 0.0 {
            label.push('0');
        } else {
            format::float(at / unit, fixed, &mut label);
            label.push_str(suffix);
        }
        ticks.push(Tick { at, label });
        number += 1.0;
    }
    ticks
}

/// As in the grid, four digits stand by themselves: they may be a year.
fn grouped(size: f64, separator: char) -> Option<char> {
    (size.abs() >= 1e4).then_some(separator)
}

/// A number as it is read in a tooltip: all digits of whole ones, three that count of others.
pub(crate) fn figure(value: f64, separator: char) -> String {
    let decimals = match value.abs() {
        size if size.fract() == 0.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let mut out = String::new();
    format::float(value, Some((decimals, grouped(value, separator))), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(low: f64, high: f64, most: f64, whole: bool, expected: &str) {
        let labels: Vec<String> = ticks(low, high, most, whole, ',').into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels.join(" "), expected);
    }

    #[test]
    fn marks_are_round() {
        check(0.0, 9.7, 5.0, false, "0 2 4 6 8");
        check(-3.0, 3.0, 4.0, false, "-2 0 2");
        check(0.0, 0.31, 4.0, false, "0 0.1 0.2 0.3");
        check(0.0, 58_665.0, 4.0, false, "0 20k 40k");
        check(0.0, 2_400_000.0, 5.0, false, "0 0.5M 1.0M 1.5M 2.0M");
        check(2_000_000.0, 2_000_100.0, 2.0, false, "2,000,000 2,000,050 2,000,100");
        check(0.0, 3.0, 20.0, true, "0 1 2 3");
        check(0.0, 3e-6, 3.0, false, "0 1.000e-6 2.000e-6 3.000e-6");
        check(5.0, 5.0, 5.0, false, "5");
        check(2012.6, 2014.2, 5.0, true, "2013 2014");
        check(
            0.0,
            f64::INFINITY,
            5.0,
            true,
            &ticks(0.0, 99.0, 100.0, true, ',').iter().map(|t| t.label.as_str()).collect::<Vec<_>>().join(" "),
        );
    }

    #[test]
    fn pixels_there_and_back() {
        let scale = Scale { low: 10.0, high: 20.0, from: 300.0, to: 100.0 };
        assert_eq!(scale.at(15.0), 200.0);
        assert_eq!(scale.back(200.0), 15.0);
        assert_eq!(scale.back(900.0), 10.0);
        assert_eq!(Scale { high: 10.0, ..scale }.at(10.0), 200.0);
    }

    #[test]
    fn figures_have_the_digits_that_count() {
        for (value, text) in [(54_635.0, "54,635"), (12.639_147, "12.64"), (0.123_456, "0.1235"), (1234.56, "1234.6")] {
            assert_eq!(figure(value, ','), text);
        }
    }
}
